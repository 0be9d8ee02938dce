"""What became of a request: what its device hears, how its unit stands, and when it may be asked again."""

from edge.node.bus import modbus
from edge.node.bus.station import PROBE_SHARE

PORT_GONE = "port gone"


class Transaction:
    """One request and whose it is.

    ``poll``: None for what was queued; ``tag`` of it. ``since_us``: when it went out; ``asked_us``: when the
    same was asked first, from which the age of its reply counts.
    ``looks``: in vain for its reply. ``probing``: it only asks whether the unit
    is back; ``repeated``: its first reply came damaged; ``unsent``: the port did not take it.
    """

    def __init__(self):
        self.station = None
        self.poll = None
        self.tag = None
        self.request = b""
        self.since_us = 0
        self.asked_us = 0
        self.looks = 0
        self.probing = False
        self.repeated = False
        self.unsent = False

    def take(self, station, poll, tag, request: bytes):
        """This is asked now; itself."""
        self.station = station
        self.poll = poll
        self.tag = tag
        self.request = request
        self.looks = 0
        self.probing = False
        self.repeated = False
        return self

    def tags(self) -> list:
        """Everything that this request is to answer."""
        return [self.tag] if self.poll is None else self.poll.tags()


class Outcome:
    """``again``: (station, None, tag, request, asked since) of queued reads whose reply came damaged."""

    def __init__(self, late):
        self.again = []
        self._late = late

    def repeat(self, now_us: int):
        """The next of ``again`` whose unit may be asked, or None."""
        for one in self.again:
            if one[0].rest_until_us <= now_us:
                self.again.remove(one)
                return one
        return None

    def answered(self, on: Transaction, answer: int, now_us: int):
        """The unit has answered (DONE, REFUSED or ALTERED of edge.node.bus.modbus); its master holds what."""
        station = on.station
        master = station.master
        poll = on.poll
        if answer == modbus.REFUSED and master.exception in modbus.NOT_REACHED:
            # A gateway's word that the unit was not heard: silence.
            self.failed(on, modbus.EXCEPTIONS[master.exception], False, now_us)
            self._late.may_follow(station, on.request, now_us)
            return
        station.answered(now_us)
        self._late.last = master.data
        if on.repeated:
            # Its own reply, or that to the first, may still come.
            self._late.doubt(master, on.request, master.deadline_us + self._late.late_us)
        if on.probing:
            # It is back; what it was to be asked is still due.
            return
        if poll is not None:
            poll.answered()
            if answer == modbus.DONE:
                poll.look.took(now_us - on.since_us, on.looks == 0)
        if answer == modbus.REFUSED:
            self._refused(on, master.exception, now_us)
        elif answer == modbus.ALTERED:
            station.errors += 1
            station.last_error = master.took
            station.device.altered(on.tag, master.took, now_us // 1000)
        elif poll is None:
            station.device.replied(on.tag, master.data, on.asked_us // 1000)
        else:
            poll.deliver(master.data, on.asked_us // 1000)

    def _refused(self, on: Transaction, code: int, now_us: int):
        """An exception reply of the unit itself; what may pass is asked again after a rest."""
        station = on.station
        poll = on.poll
        station.errors += 1
        station.last_error = modbus.EXCEPTIONS.get(code, "exception %d" % code)
        if code in modbus.ANSWER_MAY_FOLLOW:
            self._late.may_follow(station, on.request, now_us)
        if code not in modbus.LASTING:
            station.rest_until_us = max(station.rest_until_us, now_us + station.timeout_us)
            if poll is not None and poll.refusals < station.retries:
                poll.refusals += 1
                poll.due_us = now_us
                return
        for tag in on.tags():
            station.device.refused(tag, code, now_us // 1000)

    def failed(self, on: Transaction, why: str, spent: bool, now_us: int):
        """An attempt has failed; ``spent``: its reply came damaged."""
        station = on.station
        poll = on.poll
        late = self._late
        station.errors += 1
        station.last_error = why
        late.timed_out(station, on.request, now_us)
        took_us = now_us - on.since_us
        if poll is not None and not on.probing:
            poll.missed()
            if poll.ignored(on.since_us, late.late_us):
                # The unit answers other requests, and goes on with them.
                poll.due_us = now_us + max(poll.period_us, PROBE_SHARE * (took_us + late.late_us))
                self._tell(on, why, now_us)
                return
        station.in_a_row += 1
        more = station.in_a_row <= station.retries
        if spent and more and not on.probing and station.master.repeatable(on.request):
            if poll is None:
                self.again.append((station, None, on.tag, on.request, on.asked_us))
            else:
                poll.due_us = now_us
                poll.again_us = on.asked_us
            return
        station.not_answered(poll, late.late_us)
        rest_us = late.late_us
        if not more:
            station.down = why
            rest_us = station.probe_after_us(rest_us, took_us)
        station.rest_until_us = now_us + rest_us
        if poll is not None and more:
            # Not told yet: it is asked once more, first thing after the rest.
            poll.due_us = now_us
            return
        self._tell(on, why, now_us)
        station.leave_alone(now_us)

    def port_gone(self, on: Transaction, now_us: int):
        """It could not even be asked: no time was spent, nothing can come late, nobody rests."""
        station = on.station
        station.errors += 1
        station.last_error = PORT_GONE
        station.in_a_row += 1
        if station.in_a_row <= station.retries and on.poll is not None:
            on.poll.due_us = now_us
            return
        station.down = PORT_GONE
        self._tell(on, PORT_GONE, now_us)

    def _tell(self, on: Transaction, why: str, now_us: int):
        if on.probing:
            # What it was to be asked besides has failed with it.
            if on.poll is None:
                on.tag, _ = on.station.take()
            else:
                on.poll.due_us = now_us + on.poll.period_us
        for tag in on.tags():
            on.station.device.failed(tag, why, now_us // 1000)
