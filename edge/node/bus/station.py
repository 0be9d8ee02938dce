"""One unit on a line as the schedule sees it: its polls, its queue, its health."""

from edge.node.bus.diagnostics import Status
from edge.node.bus.poll import DEAF_US, Poll, polls_of

__all__ = ["Poll", "Station", "polls_of"]

# A unit that has failed so often in a row is probed at longer intervals.
SLOW_AFTER = 5
SLOW_FACTOR = 3
# A unit that is down is asked so seldom that it takes at most one part in so many of the line's time, and a
# poll that is not answered while others are so seldom that it costs these at most so much.
PROBE_SHARE = 20


class Station:
    """One unit id on the line; made by Bus.add().

    ``device`` gets replied(tag, data, now_ms), refused(tag, code, now_ms), altered(tag, why, now_ms) where
    it took another value than it was sent, failed(tag, why, now_ms); tag "" where no request of its own has
    failed, but the port was away and is back.
    ``down``: why the unit gives no usable reply, "" while it does: set when an attempt has failed more
    than ``retries`` times in a row, cleared by any reply.
    """

    def __init__(self, device, master, timeout_us: int, retries: int, bus, pause_us: int = 0):
        self.device = device
        self.unit = device.unit
        self.master = master
        self.timeout_us = timeout_us
        self.retries = retries
        # After a reply it is asked nothing for so long.
        self.pause_us = pause_us
        self.polls = polls_of(device, master)
        for poll in self.polls:
            poll.station = self
            poll.alone = not any(
                other is not poll and master.confusable(other.request, poll.request) for other in self.polls
            )
        self.queued = []
        self._bus = bus
        self.rest_until_us = 0
        # A longer pause for a while, after silence: it may be deaf after each reply.
        self.spacing_us = 0
        self._spaced = 0
        self.answered_us = -DEAF_US
        # What was queued has failed: so many polls go before it is asked again.
        self.polls_first = 0
        # What has timed out and may still be answered.
        self.late_request = b""
        self.requests = 0
        self.replies = 0
        self.errors = 0
        self.late = 0
        self.in_a_row = 0
        self.busy_us = 0
        self.last_error = ""
        self.down = ""

    def queue(self, tag, request: bytes) -> bool:
        """Ask once, before any poll; True where a request queued earlier under the same tag is replaced."""
        for i in range(len(self.queued)):
            if self.queued[i][0] == tag:
                self.queued[i] = (tag, request)
                return True
        if not self.queued:
            self._bus.waiting.append(self)
        self.queued.append((tag, request))
        return False

    def take(self) -> tuple:
        """The first (tag, request) that is queued; others of the line have their turns before the next."""
        first = self.queued.pop(0)
        self._bus.waiting.remove(self)
        if self.queued:
            self._bus.waiting.append(self)
        return first

    def clear(self):
        """Forget what is queued."""
        if self.queued:
            self.queued = []
            self._bus.waiting.remove(self)

    def polls_wait(self, now_us: int) -> bool:
        """Whether a poll goes before what is queued: after that has failed, those that are due do."""
        if self.polls_first:
            for poll in self.polls:
                if poll.due_us <= now_us and not poll.misses:
                    return True
        return False

    def answered(self, now_us: int):
        """It has given a reply, a refusal too."""
        self.replies += 1
        self.in_a_row = 0
        self.down = ""
        if self.polls_first:
            self.polls_first -= 1
        self.answered_us = now_us
        pause_us = self.pause_us
        if self.spacing_us:
            pause_us = max(pause_us, self.spacing_us)
            self._spaced += 1
            if self._spaced >= len(self.polls):
                self.spacing_us = 0
        if pause_us:
            self.rest_until_us = now_us + pause_us

    def not_answered(self, poll, late_us: int):
        """It has not given a usable reply to ``poll`` (None: to what was queued)."""
        if poll is None:
            self.polls_first = len(self.polls)
        # Its polls are kept apart until each has been answered, and their periods keep them so.
        if len(self.polls) > 1:
            self._spaced = 0
            self.spacing_us = min(max(self.timeout_us, 2 * self.spacing_us), late_us)

    def anew(self, why: str):
        """The port was away: whatever has failed since says nothing of the unit."""
        self.in_a_row = 0
        self.down = why
        for poll in self.polls:
            poll.answered()
            poll.due_us = 0

    def status(self) -> Status:
        """This station's diagnostics as a signal reads them, see edge.node.bus.diagnostics."""
        for station, status in self._bus.statuses:
            if station is self:
                return status
        status = Status()
        self._bus.statuses.append((self, status))
        return status

    def probe_after_us(self, late_us: int, took_us: int) -> int:
        """How long a unit that is down is asked nothing, when the last attempt took ``took_us``."""
        if self.in_a_row >= SLOW_AFTER:
            late_us *= SLOW_FACTOR
        return max(late_us, PROBE_SHARE * took_us)

    def leave_alone(self, now_us: int):
        """Let a lost unit's own watchdog run out: it may hear us though we don't hear it."""
        device = self.device
        if not device.ready and self.in_a_row >= device.LOST_AFTER:
            self.rest_until_us = max(self.rest_until_us, now_us + device.rest_ms * 1000)

    def attempt_us(self) -> int:
        """The longest time that one attempt to poll this unit takes."""
        attempt_us = self.timeout_us
        for poll in self.polls:
            attempt_us = max(attempt_us, self.master.attempt_us(poll.request, self.timeout_us))
        return attempt_us

    def budget_us(self) -> int:
        """The time-out budget: the longest time from when a poll is due until a dead unit's signals are bad.

        Every attempt with its time-out, the rests between them, and one turn of the line, in which every
        other unit is asked once and none answers. Signals hold it by their age, whatever keeps the line
        from asking, so it is counted when all devices are on the line.
        """
        late_us = self._bus.late.late_us
        budget_us = self.attempt_us() * (self.retries + 1) + late_us * self.retries
        nameless = False
        for other in self._bus.stations:
            if other is not self:
                budget_us += other.attempt_us()
                nameless = nameless or other.master.NAME == "dcon"
        if nameless and self.master.NAME == "dcon":
            # Another module's late reply that names nobody must be waited for.
            budget_us += late_us
        return budget_us
