"""What the reporter says on standard error: that nobody hears it or its disk is gone, why, and its end."""

PATIENCE_MS = 10000  # an outage that is over sooner is told in the statistics only
AGAIN_MS = 60000  # the shortest time between two reasons of one outage


class Complaints:
    """``say(text)`` prints one line."""

    def __init__(self, say):
        self._say = say
        self._since_ms = -1  # of the outage, -1 when there is none
        self._said = ""
        self._said_ms = 0
        self._disk = ""

    def disk(self, fault: str):
        """``fault``: why the outbox is in memory only, "" when it is not."""
        if fault and not self._disk:
            self._say("reporter: the outbox is in memory only, what is not delivered is lost when the power "
                      f"fails: {fault}")
        elif self._disk and not fault:
            self._say("reporter: the outbox is on the disk again")
        self._disk = fault

    def step(self, now_ms: int, connected: bool, reason: str, memory_only: bool = False):
        """``connected``: whether all brokers hear us; ``reason``: the last error, "" for none.

        ``memory_only``: whether what they do not hear is on no disk.
        """
        if connected:
            if self._said:
                self._say(f"reporter: connected again after {(now_ms - self._since_ms) // 1000} s")
            self._since_ms = -1
            self._said = ""
            return
        if self._since_ms < 0:
            self._since_ms = now_ms
        if now_ms - self._since_ms < PATIENCE_MS:
            return
        reason = reason or "no answer"
        if reason != self._said and (not self._said or now_ms - self._said_ms >= AGAIN_MS):
            self._said = reason
            self._said_ms = now_ms
            where = "in memory only" if memory_only else "stored"
            self._say(f"reporter: not connected, what is reported is {where}: {reason}")
