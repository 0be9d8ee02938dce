"""The one grammar of conditions. Interlocks, trips, alarms, holds and named states all use it.

A condition is true, false, or can't be judged; ``on`` follows it with its delays. A value that came beyond a
limit leaves it only through the dead band or the reset value, so that noise at the limit changes nothing.
A reading at the end of its range counts as beyond for a limit on that side. What can't be judged leaves ``on``
as it stands; what that means for outputs is said by ``if_bad`` of the table that uses the condition.
"""

from edge.node.signals import BAD, GOOD


class Condition:
    """``test`` with delays; once a tick update(), then ``on``, ``judged`` and ``why``.

    ``on_after_ms``, ``off_after_ms``: so long the test must have been true, or false, without a break.
    """

    def __init__(self, test, on_after_ms: int, off_after_ms: int):
        self.test = test
        self.on = False
        self.judged = False
        self.why = "not judged yet"
        self._on_after_ms = on_after_ms
        self._off_after_ms = off_after_ms
        self._since_ms = -1

    @property
    def signal(self):
        """What is watched, or the first of several."""
        return self.test.signal

    def update(self, now_ms: int):
        """Judge the test now and let ``on`` follow."""
        found = self.test.judge(now_ms, self.on)
        self.judged = found is not None
        if found is None:
            self._since_ms = -1
            self.why = self.test.blind()
            return
        if found == self.on:
            self._since_ms = -1
        else:
            if self._since_ms < 0:
                self._since_ms = now_ms
            if now_ms - self._since_ms >= (self._on_after_ms if found else self._off_after_ms):
                self.on = found
                self._since_ms = -1
        self.why = self.test.text()

    def take_over(self, now_ms: int):
        """Let ``on`` be what the test says now, without a delay."""
        found = self.test.judge(now_ms, False)
        if found is not None:
            self.on = found
            self._since_ms = -1

    def pending(self) -> bool:
        """Whether the test already says otherwise than ``on``, and waits for its delay."""
        return self._since_ms >= 0

    def clear(self, now_ms: int) -> bool:
        """Whether the cause is gone: judged, and the test is false with its dead band."""
        return self.test.judge(now_ms, self.on) is False


class Limit:
    """The signal is ``above`` or ``below`` (the other is None); it is left through ``reset``."""

    def __init__(self, signal, above, below, reset: float, end_counts: bool):
        self.signal = signal
        self.above = above
        self.below = below
        self.reset = reset
        self._end_counts = end_counts

    def judge(self, now_ms: int, on: bool):
        """True, False, or None where it can't be judged."""
        signal = self.signal
        if signal.quality == BAD:
            return None
        if signal.at_end and not self._end_counts:
            return None
        value = signal.value
        if self.above is not None:
            return signal.at_end > 0 or value > (self.reset if on else self.above)
        return signal.at_end < 0 or value < (self.reset if on else self.below)

    def blind(self) -> str:
        """Why it can't be judged."""
        return self.signal.name + ": " + self.signal.why

    def text(self) -> str:
        """The value and the limit."""
        if self.above is not None:
            return "%s %.1f, limit above %.1f" % (self.signal.name, self.signal.value, self.above)
        return "%s %.1f, limit below %.1f" % (self.signal.name, self.signal.value, self.below)


class Moves:
    """The signal rises or falls by more than ``change`` within ``in_ms``, while ``when`` is on.

    ``when``: another condition, or None. It is the test of "no response to a demand" and of "a response
    without one": the value is compared with its lowest (rising) or highest (falling) since then.
    ``wanted`` False turns it round: it does not move by so much although ``when`` has lasted ``in_ms``.
    ``reset``: once true, it stays so until the value has come back to this, or None.
    """

    PARTS = 8

    def __init__(self, signal, rises: bool, change: float, in_ms: int, when, wanted: bool, reset):
        self.signal = signal
        self._reset = reset
        self._sign = 1.0 if rises else -1.0
        self._change = change
        self._in_ms = in_ms
        self._when = when
        self._wanted = wanted
        self._lows = []
        self._part_ms = -1
        self._began_ms = -1
        self._moved = 0.0

    def judge(self, now_ms: int, on: bool):
        """True, False, or None where it can't be judged."""
        when = self._when
        if on and self._reset is not None:
            if self.signal.quality == BAD:
                return None
            if self._sign * (self.signal.value - self._reset) > 0.0:
                return True
        if when is not None and not when.on:
            self._began_ms = -1
            # What it moved by before the demand went is told until it no longer moves.
            self._lows = []
            return False
        if self.signal.quality == BAD:
            self._lows = []
            self._began_ms = -1
            return None
        value = self._sign * self.signal.value
        if not self._lows or now_ms - self._part_ms >= self._in_ms // self.PARTS:
            if not self._lows:
                self._began_ms = now_ms
            self._part_ms = now_ms
            self._lows.append(value)
            if len(self._lows) > self.PARTS:
                self._lows.pop(0)
        elif value < self._lows[-1]:
            self._lows[-1] = value
        self._moved = value - min(self._lows)
        moves = self._moved > self._change
        if self._wanted:
            return moves
        return not moves and now_ms - self._began_ms >= self._in_ms

    def blind(self) -> str:
        """Why it can't be judged."""
        return self.signal.name + ": " + self.signal.why

    def text(self) -> str:
        """How far it has moved."""
        return "%s moved by %+.1f" % (self.signal.name, self._sign * self._moved)


class Repeats:
    """The signal has shown the same value for ``number`` readings: it is stuck, where its input is noisy."""

    def __init__(self, signal, number: int):
        self.signal = signal
        self._number = number
        self._count = 0
        self._last = None
        self._read_ms = -1

    def judge(self, now_ms: int, on: bool):
        """True, False, or None where it can't be judged."""
        signal = self.signal
        if signal.quality == BAD:
            self._count = 0
            return None
        read_ms = now_ms - signal.age_ms
        if read_ms != self._read_ms:
            self._read_ms = read_ms
            self._count = self._count + 1 if signal.value == self._last else 1
            self._last = signal.value
        return self._count >= self._number

    def blind(self) -> str:
        """Why it can't be judged."""
        return self.signal.name + ": " + self.signal.why

    def text(self) -> str:
        """How often it was the same."""
        return "%s the same %d times" % (self.signal.name, self._count)


class Joined:
    """``all`` or any of other conditions; ``no`` turns the result round."""

    def __init__(self, conditions: list, need_all: bool, no: bool = False):
        self.conditions = conditions
        self._need_all = need_all
        self._no = no

    @property
    def signal(self):
        """The signal of the first."""
        return self.conditions[0].signal

    def judge(self, now_ms: int, on: bool):
        """True, False, or None where it depends on one that can't be judged."""
        unknown = False
        decided = not self._need_all
        for condition in self.conditions:
            if not condition.judged:
                unknown = True
            elif condition.on == decided:
                return decided != self._no
        return None if unknown else (not decided) != self._no

    def blind(self) -> str:
        """The first that can't be judged."""
        for condition in self.conditions:
            if not condition.judged:
                return condition.why
        return ""

    def text(self) -> str:
        """What the first one that counts says."""
        for condition in self.conditions:
            if condition.on:
                return condition.why
        return self.conditions[0].why


class State(Condition):
    """A condition with a name, [state.NAME]; it reads like a signal of 0 or 1. connect() gives it its test."""

    def __init__(self, name: str):
        Condition.__init__(self, None, 0, 0)
        self.name = "state." + name
        self.unit = ""
        self.value = 0.0
        self.quality = BAD
        self.age_ms = 0
        self.at_end = 0

    def connect(self, test, on_after_ms: int, off_after_ms: int):
        """What it tests, once all that it may name has been made."""
        self.test = test
        self._on_after_ms = on_after_ms
        self._off_after_ms = off_after_ms

    def update(self, now_ms: int):
        """As every condition."""
        Condition.update(self, now_ms)
        self.value = 1.0 if self.on else 0.0
        self.quality = GOOD if self.judged else BAD


def build(spec: dict, lookup, states: dict) -> tuple:
    """(test, on_after_ms, off_after_ms) of a table; ``states``: the conditions that it may name."""
    return _test(spec, lookup, states), _ms(spec["on_after_s"]), _ms(spec["off_after_s"])


def _test(spec: dict, lookup, states: dict):
    for key in ("all", "any", "not"):
        if key in spec:
            names = [spec[key]] if key == "not" else spec[key]
            return Joined([states[name] for name in names], key != "any", key == "not")
    signal = lookup(spec["signal"])
    if "repeats" in spec:
        return Repeats(signal, spec["repeats"])
    if "in_s" in spec:
        when = states[spec["when"]] if "when" in spec else None
        rises = "rises_more_than" in spec or "rises_less_than" in spec
        for key in ("rises_more_than", "falls_more_than", "rises_less_than", "falls_less_than"):
            if key in spec:
                reset = spec.get("reset_below", spec.get("reset_above"))
                return Moves(signal, rises, spec[key], _ms(spec["in_s"]), when, "more" in key, reset)
    above, below = spec.get("above"), spec.get("below")
    if above is not None:
        reset = spec["reset_below"] if "reset_below" in spec else above - spec["dead_band"]
    else:
        reset = spec["reset_above"] if "reset_above" in spec else below + spec["dead_band"]
    return Limit(signal, above, below, reset, spec["beyond_range"] == "counts")


def _ms(seconds: float) -> int:
    return int(seconds * 1000 + 0.5)
