"""Replies that come after their time-out: which they were, and what may not be asked until they can't come.

A late Modbus reply names its unit, but not what it answers; some DCON replies name nobody. A request that may
still be answered late is a doubt: as long as it lasts nothing is asked whose reply could be taken for that.
After silence the schedule leaves the unit alone besides, see edge.node.bus.schedule.

The requests of another master on the line are doubts too, until their replies have been heard.
"""

# What nobody asked for is kept so long, to find late replies in it.
KEPT = 300
# So many doubts of one request of another master are told apart.
MOST_FOREIGN = 4


class LateReplies:
    """Those of one line; ``late_us`` after a time-out none comes any more."""

    def __init__(self, late_us: int):
        self.late_us = late_us
        # When the last doubt ends; -1: there is none.
        self.doubt_until_us = -1
        # (until in us, master, request, whether it is another master's)
        self._doubts = []
        # Those of our own whose reply has been heard.
        self._settled = []
        # Heard in nobody's transaction since the last request; a request that goes out empties it.
        self.strays = b""
        # Data of the last reply that was asked for: heard again it is that once more.
        self.last = b""

    def timed_out(self, station, request: bytes, now_us: int):
        """``request`` to ``station`` has had no sound reply."""
        station.late_request = request
        self.doubt(station.master, request, now_us + self.late_us)

    def may_follow(self, station, request: bytes, now_us: int):
        """A reply to ``request`` may come as late as if there had been silence; the unit rests."""
        until_us = max(now_us, station.master.deadline_us)
        self.timed_out(station, request, until_us)
        station.rest_until_us = max(station.rest_until_us, until_us + self.late_us)

    def doubt(self, master, request: bytes, until_us: int, foreign: bool = False):
        """Until then ``request`` may be answered; ``foreign``: another master has sent it."""
        one = (until_us, master, request, foreign)
        if one in self._doubts:
            return
        self._doubts = [other for other in self._doubts if other[0] > until_us - 2 * self.late_us]
        if foreign:
            same = [other for other in self._doubts if other[2] == request and other[3]]
            if len(same) >= MOST_FOREIGN:
                self._doubts.remove(same[-1])
        self._settled = [other for other in self._settled if other in self._doubts]
        self._doubts.append(one)
        if until_us > self.doubt_until_us:
            self.doubt_until_us = until_us

    def confusing(self, station, request: bytes, now_us: int, same: bool = False) -> bool:
        """Whether a late reply that may still come could pass for the reply to this request.

        ``same``: one to the very same request does no harm.
        """
        if now_us >= self.doubt_until_us:
            self.doubt_until_us = -1
            self._doubts = []
            self._settled = []
            return False
        if station.in_a_row:
            # It would be asked this first.
            request = station.master.probe(station.unit) or request
        for until_us, master, late, _ in self._doubts:
            if until_us <= now_us or master.NAME != station.master.NAME or (same and late == request):
                continue
            if master.confusable(late, request):
                return True
        return False

    def foreign(self) -> bool:
        """Whether a reply to another master is still to come."""
        for one in self._doubts:
            if one[3]:
                return True
        return False

    def count(self, stations: list):
        """Count the late replies among the strays, each to its unit."""
        for station in stations:
            if station.late_request and station.master.late_reply(self.strays, station.late_request):
                station.late += 1
                station.late_request = b""

    def answered(self) -> tuple:
        """(Where it ends, which doubt) of the first reply among the strays that settles one, or None.

        Of several that it may be the reply to, one is settled: that which would have ended first.
        """
        if self.last and self.last in self.strays:
            return None
        best = None
        for one in self._doubts:
            if one in self._settled or not one[1].names_sender(one[2]):
                # What names nobody settles nothing.
                continue
            end = one[1].late_reply(self.strays, one[2])
            if end and (best is None or (end, one[0]) < (best[0], best[1][0])):
                best = (end, one)
        return best

    def settle(self, one: tuple):
        """It has been answered; one of our own lasts all the same, for a reply may come twice."""
        if one[3]:
            self._doubts.remove(one)
        else:
            self._settled.append(one)
