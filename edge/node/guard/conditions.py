"""What the guard watches: interlocks, trips and alarms.

A bad signal never counts as fulfilled: an interlock opens, a trip forces its outputs to safe for as
long as the signal is bad. That recovers by itself; a trip that has acted stays until it is reset.

``acknowledged`` of a trip or an alarm: somebody has seen its last coming. It releases nothing.
"""

from edge.node.signals import BAD


class Interlock:
    """A permit: on when the signal has been at least ``on_at_least`` for ``on_after_ms``.

    Off at once below ``off_below`` or when the signal is bad.
    """

    def __init__(
        self, name: str, signal, on_at_least: float, on_after_ms: int, off_below: float, outputs: list
    ):
        self.name = name
        self.signal = signal
        self.on_at_least = on_at_least
        self.on_after_ms = on_after_ms
        self.off_below = off_below
        self.outputs = outputs
        self.on = False
        self.why = "not proven yet"
        self._since_ms = -1

    def update(self, now_ms: int):
        signal = self.signal
        if signal.quality == BAD:
            self._off(signal.name + ": " + signal.why)
        elif signal.value < self.off_below:
            self._off("%s %.1f below %.1f" % (signal.name, signal.value, self.off_below))
        elif signal.value < self.on_at_least:
            self._since_ms = -1
        elif self._since_ms < 0:
            self._since_ms = now_ms
            if not self.on:
                self.why = "until %s has held %.1f for %d s" % (
                    signal.name,
                    self.on_at_least,
                    self.on_after_ms // 1000,
                )
        elif now_ms - self._since_ms >= self.on_after_ms:
            self.on = True
            self.why = ""

    def _off(self, why: str):
        self.on = False
        self.why = why
        self._since_ms = -1


class Limit:
    """True when the signal has been ``above`` or ``below`` a limit for ``after_ms``."""

    def __init__(self, signal, above, below, after_ms: int):
        self.signal = signal
        self.above = above
        self.below = below
        self.after_ms = after_ms
        self._since_ms = -1

    def beyond(self, now_ms: int) -> bool:
        signal = self.signal
        if signal.quality == BAD:
            self._since_ms = -1
            return False
        value = signal.value
        if (self.above is not None and value > self.above) or (self.below is not None and value < self.below):
            if self._since_ms < 0:
                self._since_ms = now_ms
            return now_ms - self._since_ms >= self.after_ms
        self._since_ms = -1
        return False


class Trip:
    """A limit that latches: its outputs stay at their safe values until reset()."""

    def __init__(self, name: str, limit: Limit, outputs: list):
        self.name = name
        self.limit = limit
        self.outputs = outputs
        self.tripped = False
        self.acknowledged = True
        self.told = False
        self.at_ms = -1
        self.value = 0.0

    def update(self, now_ms: int) -> bool:
        """True at the moment it trips."""
        if not self.tripped and self.limit.beyond(now_ms):
            self.tripped = True
            self.acknowledged = False
            self.at_ms = now_ms
            self.value = self.limit.signal.value
            return True
        return False

    def reset(self, now_ms: int) -> bool:
        """Release it; refused (False) while the limit is still exceeded or can't be judged."""
        if self.limit.signal.quality == BAD or self.limit.beyond(now_ms):
            return False
        self.tripped = False
        return True

    def acknowledge(self) -> bool:
        """Somebody has seen it; False where there was nothing to see."""
        return _acknowledge(self)


class Alarm:
    """A limit that is told and forces nothing."""

    def __init__(self, name: str, limit: Limit):
        self.name = name
        self.limit = limit
        self.active = False
        self.acknowledged = True
        self.told = False

    def update(self, now_ms: int):
        active = self.limit.beyond(now_ms)
        if active and not self.active:
            self.acknowledged = False
        self.active = active

    def acknowledge(self) -> bool:
        """Somebody has seen it; False where there was nothing to see."""
        return _acknowledge(self)


def _acknowledge(condition) -> bool:
    waiting = not condition.acknowledged
    condition.acknowledged = True
    return waiting
