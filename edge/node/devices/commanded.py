"""One command to a device: from the value that is wanted to the value that the device has confirmed."""

# A command that has been refused so often in a row is an alarm.
REFUSALS_TOLD = 3
# It is over when nothing was refused for so long: a device that takes only some values is told once.
SETTLED_MS = 10000
# A lost refresh and another one leave the lease unharmed.
REFRESHES = 3
# What was confirmed is doubted when only this part of the lease is left: a tick before it is over.
DOUBTED_PART = 6


def counts_ms(lease_ms: int) -> int:
    """How long a device counts as holding what it has confirmed, from when it was sent."""
    return lease_ms - lease_ms // DOUBTED_PART


class Commanded:
    """What one request writes. A value that is not confirmed is due again until it is.

    ``tag``: of its requests. ``what``: what it writes, for messages, as "set-point (26)". ``channels``: the
    outputs that it moves. ``lease_ms``: it is written again every third of this, and what was confirmed
    counts for little less, because the device falls to its safe values then.

    ``why``: why the last answer confirmed nothing, empty after one that did. ``trouble``: the same, from the
    third refusal in a row on, or at once where the device took another value; empty after a confirmation.
    ``pending_since_ms``: since when the device has not held what is wanted, by its own word; -1: it holds it.
    """

    def __init__(self, tag, what: str, channels: list, lease_ms: int):
        self.tag = tag
        self.what = what
        self.channels = channels
        self.lease_ms = lease_ms
        self.refusals = 0
        self.trouble = ""
        self._told = False
        self._trouble_ms = 0
        self.forget()

    def forget(self):
        """Nothing is wanted, and where the device stands is not known; what it refused still counts."""
        self.wanted = None
        self.why = ""
        self.pending_since_ms = -1
        self.sent_ms = None
        self.confirmed = None
        # When that was sent.
        self._confirmed_ms = 0
        # What the values mean in percent, for each of the channels.
        self._wanted_pct = None
        self._confirmed_pct = None
        # (value, percents, when) on their way, the oldest first: one on the line, one in the queue.
        self._sent = []
        self._wanted_ms = 0
        self._again = False

    def want(self, value, percents: list, now_ms: int):
        """``value``: as it is written; ``percents``: what it means, for each of the channels."""
        self._wanted_pct = percents
        if value == self.confirmed:
            self._confirmed_pct = percents
        if value != self.wanted:
            self.wanted = value
            self._wanted_ms = now_ms
            if self.pending_since_ms < 0 and not self.held():
                self.pending_since_ms = now_ms

    def due(self, now_ms: int) -> bool:
        """Whether it must be written now: it has changed, it is not confirmed, or the lease wants it."""
        if self.wanted is None:
            return False
        newest = self._sent[-1][0] if self._sent else self.confirmed
        if self.wanted != newest or (self._again and not self._sent) or self.sent_ms is None:
            return True
        return now_ms - self.sent_ms >= self.lease_ms // REFRESHES

    def sending(self, replaces: bool, now_ms: int):
        """It has been queued; ``replaces``: in the place of the one before, which was still waiting."""
        entry = (self.wanted, self._wanted_pct, now_ms)
        if replaces and self._sent:
            self._sent[-1] = entry
        else:
            self._sent.append(entry)
        self.sent_ms = now_ms
        self._again = False

    def answered(self, now_ms: int):
        """The device has acknowledged the oldest value that is on its way."""
        if not self._sent:
            return
        self.confirmed, self._confirmed_pct, self._confirmed_ms = self._sent.pop(0)
        self.refusals = 0
        self.trouble = self.why = ""
        self.pending_since_ms = -1 if self.held() else self._wanted_ms

    def missed(self, why: str, now_ms: int):
        """No usable answer: the device may hold the value or not."""
        self.why = why
        self._again = True
        if not self._sent:
            return
        value, percents, _ = self._sent.pop(0)
        # An output that was to stay where it was stands there in either case.
        if value != self.confirmed:
            kept = self._confirmed_pct
            self.doubt(now_ms)
            if kept is not None:
                self._confirmed_pct = [kept[i] if kept[i] == percents[i] else None for i in range(len(kept))]

    def refused(self, why: str, now_ms: int):
        """The device has refused it, or says that it will act later."""
        self.refusals += 1
        self.missed(why, now_ms)
        if self.refusals >= REFUSALS_TOLD:
            self.trouble = self.what + " " + why

    def altered(self, why: str, now_ms: int):
        """The device has taken another value."""
        self.missed(why, now_ms)
        self.doubt(now_ms)
        self.trouble = self.what + " " + why

    def news(self, now_ms: int) -> str:
        """That its trouble has begun, or is over, in words; else nothing."""
        if self.trouble:
            self._trouble_ms = now_ms
            if not self._told:
                self._told = True
                return self.trouble
        elif self._told and now_ms - self._trouble_ms >= SETTLED_MS:
            self._told = False
            return self.what + " is confirmed again"
        return ""

    def doubt(self, now_ms: int):
        """What the device has confirmed may not be so any more."""
        self.confirmed = self._confirmed_pct = None
        if self.pending_since_ms < 0 and self.wanted is not None:
            self.pending_since_ms = now_ms

    def expire(self, now_ms: int):
        """What was confirmed nearly a lease ago may soon be left."""
        if self._confirmed_pct is not None and now_ms - self._confirmed_ms >= counts_ms(self.lease_ms):
            self.doubt(now_ms)

    def held(self) -> bool:
        """Whether the device has confirmed what is wanted, and nothing else is on its way."""
        if self.wanted is None or self.wanted != self.confirmed:
            return False
        for entry in self._sent:
            if entry[0] != self.wanted:
                return False
        return True

    def confirmed_pct(self, channel):
        """Percent of a channel that the device has confirmed last; None while that may have changed."""
        if self._confirmed_pct is None:
            return None
        i = self.channels.index(channel)
        percent = self._confirmed_pct[i]
        for value, percents, _ in self._sent:
            if value != self.confirmed and percents[i] != percent:
                return None
        return percent
