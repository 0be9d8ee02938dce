"""Who is asked next on one line.

1. Of the stations with something queued, each in its turn. After a queued request has failed, the polls of
   that unit that are due go first: what it does not answer must not keep it from being read.
2. Of the polls that are due: of a unit that has failed and rested, the poll that has failed least; then those
   of the best priority, and among equals the one that is longest overdue.
"""

# How long nobody needs to look where nothing is due.
IDLE_US = 1000000


class Order:
    """``polls`` of all stations; ``waiting``: stations with something queued, the next one first."""

    def __init__(self, late):
        self.polls = []
        self.waiting = []
        # When due() has answered None: the time in us at which somebody may be asked.
        self.next_us = 0
        self._late = late

    def writer(self, now_us: int):
        """The next station that has something queued and may be asked, or None."""
        late = self._late
        for station in self.waiting:
            if station.rest_until_us <= now_us and not station.polls_wait(now_us):
                if late.doubt_until_us < 0 or not late.confusing(station, station.queued[0][1], now_us):
                    return station
        return None

    def due(self, now_us: int):
        """The poll that goes next, or None."""
        late = self._late
        chosen = None
        best = 0
        overdue_us = 0
        next_us = now_us + IDLE_US
        for poll in self.polls:
            due_us = poll.due_us
            rest_us = poll.station.rest_until_us
            if rest_us > due_us:
                due_us = rest_us
            if due_us > now_us:
                if due_us < next_us:
                    next_us = due_us
                continue
            if late.doubt_until_us >= 0:
                if late.confusing(poll.station, poll.request, now_us, poll.like_late()):
                    next_us = min(next_us, late.doubt_until_us)
                    continue
            priority = poll.rank(now_us - due_us)
            late_us = now_us - poll.due_us
            if chosen is None or priority < best or (priority == best and late_us > overdue_us):
                chosen = poll
                best = priority
                overdue_us = late_us
        for station in self.waiting:
            rest_us = station.rest_until_us
            if rest_us <= now_us:
                rest_us = late.doubt_until_us
            if now_us < rest_us < next_us:
                next_us = rest_us
        self.next_us = next_us
        return chosen
