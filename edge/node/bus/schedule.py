"""Who is asked next on one serial line, and what became of it.

The schedule runs all the time, apart from the tick. Writes go before reads; among reads that are due the
one of the best priority that is longest overdue. The bus never knows what a register means.

Modbus RTU has no transaction number: after a time-out a unit is asked nothing until a late reply can no
longer come (``late_ms``), while the others go on. What comes meanwhile is drained and counted, also when
it comes in another unit's transaction. A read whose reply came damaged is asked again at once, because
then nothing can come late; after silence it is asked again after that rest. When more than ``retries``
attempts in a row have failed the unit is down, its signals are bad, and it is asked more seldom.

A port that goes away fails whatever is asked, without any time on the line, and is opened again; when it
is back every device hears failed("", ...).
"""

from edge.node.bus import modbus
from edge.node.bus.diagnostics import UPDATE_US
from edge.node.bus.late import LateReplies
from edge.node.bus.master import Master
from edge.node.bus.port import Port
from edge.node.bus.station import Poll, Station

__all__ = ["Bus", "Poll", "Station"]

RETRIES = 1
PORT_GONE = "port gone"
NOT_SENT = "port takes no bytes"
# How often to look whether the last character is out, on a line whose direction the node turns.
TURN_US = 100


class Bus:
    """One line: its UART, its masters, its stations.

    ``uart`` has any(), read(), write(), and reopen() where the port can go away; ``timeout_ms`` of units
    that have none of their own; ``late_ms`` see above; ``echo``: own bytes come back. step() moves bytes
    and answers the time in us at which it wants to be called again if no byte arrives before; until
    ``listen_us`` no arriving byte matters. ``clock``: asked again after bytes have been moved, because
    the process may have been held up since its caller looked. ``port``: see edge.node.bus.port.
    """

    IDLE_US = 1000000

    def __init__(
        self, name: str, uart, baud: int, timeout_ms: int, late_ms: int, char_bits=11, echo=False, clock=None
    ):
        self.name = name
        self.uart = uart
        self.master = Master(baud, timeout_ms, char_bits, echo)
        self.late = LateReplies(late_ms * 1000)
        self.stations = []
        self.stray_bytes = 0
        self.busy_us = 0
        self.port = Port(uart)
        self._now_us = clock.now_us if clock is not None else None
        self.listen_us = 0
        self._timing = baud, timeout_ms, char_bits, echo
        self._dcon = {}
        self._turns = getattr(uart, "turns", False)
        self._away = False
        # The transaction on the line: whose, of which poll (None: queued), since when.
        self._station = None
        self._poll = None
        self._tag = None
        self._since_us = 0
        self._probing = False
        self._unsent = False
        self._again = None
        self._quiet_us = 0
        self._patience_us = self.master.timeout_us
        self._speak_by_us = 0
        self._polls = []
        # Stations with something queued, each in its turn, so that nobody's writes starve another's.
        self.waiting = []
        # (station, status) of what signals read of the line itself.
        self.statuses = []
        self._next_us = 0
        self._update_at_us = 0

    def add(self, device, timeout_ms=None, retries=None, pause_ms=0) -> Station:
        """Put a device on the line; ``timeout_ms`` and ``retries`` (0..10) of its own where they are given.

        ``pause_ms``: after a reply it is asked nothing for so long.
        ``device.protocol`` "modbus" (also without that attribute) or "dcon"; ``device.checksum`` whether
        its DCON commands carry one. See edge.node.bus.station.polls_of for what polls() may say.
        """
        master = self.master
        if getattr(device, "protocol", "modbus") == "dcon":
            master = self._dcon_master(bool(getattr(device, "checksum", False)))
        timeout_us = self.master.timeout_us if timeout_ms is None else timeout_ms * 1000
        retries = RETRIES if retries is None else retries
        station = Station(device, master, timeout_us, retries, self, pause_ms * 1000)
        self.stations.append(station)
        self._polls += station.polls
        device.attach(station)
        return station

    def _dcon_master(self, checked: bool):
        """The master of the DCON commands with or without a checksum; loaded where a device wants one."""
        if checked not in self._dcon:
            from edge.node.bus.dcon import DconMaster

            self._dcon[checked] = DconMaster(*self._timing, checked)
        return self._dcon[checked]

    def step(self, now_us: int) -> int:
        """Move what there is to move; the next deadline in us."""
        if self._away:
            return self._without_port(now_us)
        uart = self.uart
        try:
            if uart.any():
                self._heard(uart.read(), now_us)
            station = self._station
            if station is not None:
                master = station.master
                if now_us < master.deadline_us:
                    if self._turns and not uart.turned():
                        return max(master.sent_us, now_us + TURN_US)
                    self.listen_us = master.listen_us
                    return master.deadline_us
                self._timed_out(now_us)
            if now_us < self._quiet_us and now_us < self._speak_by_us:
                self.listen_us = self._quiet_us
                return self._quiet_us
            return self._start(now_us)
        except OSError as error:
            return self._lose(error, now_us)

    def idle(self) -> bool:
        """Nothing on the wire and nothing queued."""
        if self._station is not None or self._again is not None:
            return False
        for station in self.stations:
            if station.queued:
                return False
        return True

    def pollable(self):
        """What select can wait on, or None while the port is away."""
        return self.port.pollable()

    def close(self):
        self.port.close()

    # Asking -----------------------------------------------------------------------------------------

    def _start(self, now_us: int) -> int:
        """Send the next request; the time to come back."""
        if now_us >= self._update_at_us:
            self._update(now_us)
        if self._again is not None:
            station, tag, request = self._again
            self._again = None
            return self._ask(station, None, tag, request, now_us)
        poll = None
        station = self._writer(now_us) if self.waiting else None
        if station is None:
            poll = self._due(now_us)
            if poll is None:
                self.listen_us = 0
                return self._next_us
            station = poll.station
        if station.in_a_row:
            probe = station.master.probe(station.unit)
            if probe is not None:
                self._probing = True
                return self._ask(station, poll, None, probe, now_us)
        if poll is None:
            tag, request = station.take()
            return self._ask(station, None, tag, request, now_us)
        poll.due_us += poll.period_us
        if poll.due_us <= now_us:
            poll.due_us = now_us + poll.period_us
        return self._ask(station, poll, poll.tag, poll.request, now_us)

    def _writer(self, now_us: int):
        """The next station in turn that has something queued and may be asked, or None."""
        late = self.late
        for station in self.waiting:
            if station.rest_until_us <= now_us:
                if late.doubt_until_us < 0 or not late.confusing(station, station.queued[0][1], now_us):
                    return station
        return None

    def _due(self, now_us: int):
        """The poll that goes next, or None; ``_next_us`` is then when somebody may be asked."""
        late = self.late
        chosen = None
        best = 0
        overdue_us = 0
        next_us = now_us + self.IDLE_US
        for poll in self._polls:
            due_us = poll.due_us
            rest_us = poll.station.rest_until_us
            if rest_us > due_us:
                due_us = rest_us
            if due_us > now_us:
                if due_us < next_us:
                    next_us = due_us
                continue
            if late.doubt_until_us >= 0 and late.confusing(poll.station, poll.request, now_us):
                next_us = min(next_us, late.doubt_until_us)
                continue
            late_us = now_us - due_us
            priority = poll.rank(late_us)
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
        self._next_us = next_us
        return chosen

    def _ask(self, station: Station, poll, tag, request: bytes, now_us: int) -> int:
        master = station.master
        if poll is not None and tag is not None:
            expected = poll.expected
        else:
            expected = master.reply_length(request)
        self._station = station
        self._poll = poll
        self._tag = tag
        self._since_us = now_us
        self.late.strays = b""
        station.late_request = b""
        station.requests += 1
        self._unsent = self.uart.write(request) < len(request)
        if self._now_us is not None:
            now_us = self._now_us()
        master.begin(request, expected, now_us, station.timeout_us)
        self.listen_us = master.listen_us
        return master.sent_us if self._turns else master.deadline_us

    # What comes back --------------------------------------------------------------------------------

    def _heard(self, received: bytes, now_us: int):
        if self._now_us is not None:
            now_us = self._now_us()
        station = self._station
        if station is None:
            self._stray(received, now_us)
            return
        master = station.master
        answer = master.feed(received, now_us)
        if answer == modbus.PENDING:
            return
        if answer == modbus.REFUSED and master.exception in modbus.NOT_REACHED:
            self._end(station, now_us)
            self._failed(station, master.request, modbus.EXCEPTIONS[master.exception], False, now_us)
            return
        poll = self._poll
        # As _end() does it; this is the way of nearly every transaction.
        self._station = None
        took_us = now_us - self._since_us
        self.busy_us += took_us
        station.busy_us += took_us
        self._quiet_us = master.quiet_at_us
        self._speak_by_us = now_us + self._patience_us
        station.replies += 1
        if station.pause_us:
            station.rest_until_us = now_us + station.pause_us
        station.in_a_row = 0
        station.down = ""
        if self._probing:
            # It is back; what it was to be asked is still due.
            self._probing = False
        elif answer == modbus.DONE:
            if poll is None:
                station.device.replied(self._tag, master.data, now_us // 1000)
            else:
                poll.deliver(master.data, now_us // 1000)
        elif answer == modbus.ALTERED:
            station.errors += 1
            station.last_error = master.took
            station.device.altered(self._tag, master.took, now_us // 1000)
        else:
            self._refused(station, poll, now_us)
        if master.strays:
            self.stray_bytes += len(master.strays)
            self.late.find(self.stations, master.strays)

    def _refused(self, station: Station, poll, now_us: int):
        """An exception reply of the unit itself; what may pass is asked again after a rest."""
        master = station.master
        code = master.exception
        station.errors += 1
        station.last_error = modbus.EXCEPTIONS.get(code, "exception %d" % code)
        if code not in modbus.LASTING:
            rest_us = station.timeout_us
            if code == modbus.ACKNOWLEDGE:
                # What it has acknowledged it may still answer.
                rest_us = self.late.late_us
                self.late.timed_out(station, master.request, now_us)
            station.rest_until_us = max(station.rest_until_us, now_us + rest_us)
            if poll is not None and poll.refusals < station.retries:
                poll.refusals += 1
                poll.due_us = now_us
                return
        for tag in [self._tag] if poll is None else poll.tags():
            station.device.refused(tag, code, now_us // 1000)

    def _end(self, station: Station, now_us: int):
        """The transaction is over."""
        self._station = None
        took_us = now_us - self._since_us
        self.busy_us += took_us
        station.busy_us += took_us
        self._quiet_us = station.master.quiet_at_us
        self._speak_by_us = now_us + self._patience_us

    def _timed_out(self, now_us: int):
        station = self._station
        master = station.master
        self._end(station, now_us)
        # Whatever came belongs to nobody now.
        heard = master.strays + master.buffer
        if heard:
            # Before this request is among those that may be answered late: an own echo is no such answer.
            self.stray_bytes += len(heard)
            self.late.find(self.stations, heard)
        why = NOT_SENT if self._unsent else master.why()
        if why:
            self._failed(station, master.request, why, master.spent(), now_us)
        else:
            station.device.replied(self._tag, b"", now_us // 1000)

    def _failed(self, station: Station, request: bytes, why: str, spent: bool, now_us: int):
        """An attempt has failed; ``spent``: its reply came damaged, none can come late."""
        poll = self._poll
        tag = self._tag
        station.errors += 1
        station.in_a_row += 1
        station.last_error = why
        more = station.in_a_row <= station.retries
        if spent and more and not self._probing and station.master.repeatable(request):
            if poll is None:
                self._again = (station, tag, request)
            else:
                poll.due_us = now_us
            return
        rest_us = self.late.late_us
        # Of a port that is away nothing can come late, and as soon as it is back it serves all.
        if not self._away and not spent:
            self.late.timed_out(station, request, now_us)
        if not more:
            station.down = why
            rest_us = station.probe_after_us(rest_us, now_us - self._since_us, not self._away)
        station.rest_until_us = now_us + rest_us
        if poll is not None and more:
            # Not told yet: it is asked once more, first thing after the rest.
            poll.due_us = now_us
            self._probing = False
            return
        self._tell_failed(station, poll, tag, why, now_us)

    def _tell_failed(self, station: Station, poll, tag, why: str, now_us: int):
        now_ms = now_us // 1000
        if self._probing:
            self._probing = False
            tag = None
            if poll is None:
                tag, _ = station.take()
            else:
                poll.due_us = now_us + poll.period_us
        device = station.device
        for each in [tag] if poll is None else poll.tags():
            device.failed(each, why, now_ms)
        if not self._away:
            station.leave_alone(now_us)

    def _stray(self, received: bytes, now_us: int):
        """Bytes in nobody's transaction."""
        if now_us >= self._quiet_us:
            # A line that never falls silent is spoken on all the same, after a while.
            self._speak_by_us = now_us + self._patience_us
        self._quiet_us = now_us + self.master.silence_us
        self.stray_bytes += len(received)
        self.late.idle(self.stations, received)

    # The port ---------------------------------------------------------------------------------------

    def _lose(self, error: OSError, now_us: int) -> int:
        """The port is gone, and with it what was on the line."""
        self.port.lose(error, now_us)
        self._away = True
        self.listen_us = 0
        self.late.strays = b""
        station = self._station
        if station is not None:
            self._end(station, now_us)
        elif self._again is not None:
            station, self._tag, _ = self._again
            self._again = self._poll = None
        if station is not None:
            self._failed(station, station.master.request, PORT_GONE, False, now_us)
        return now_us

    def _without_port(self, now_us: int) -> int:
        """Let what is due fail at once, until the port is back."""
        if self.port.come_back(now_us):
            self._away = False
            for station in self.stations:
                # Who knows what hangs on it now: each device is to start anew.
                station.down = PORT_GONE
                station.device.failed("", PORT_GONE, now_us // 1000)
            self._quiet_us = self._speak_by_us = now_us + self.master.silence_us
            return self._quiet_us
        if now_us >= self._update_at_us:
            self._update(now_us)
        self._since_us = now_us
        station = self._writer(now_us)
        self._poll = poll = None if station is not None else self._due(now_us)
        if station is not None:
            self._tag, request = station.take()
        elif poll is not None:
            station, self._tag, request = poll.station, poll.tag, poll.request
            poll.due_us = now_us + poll.period_us
        else:
            return min(self._next_us, self.port.try_at_us)
        self._failed(station, request, PORT_GONE, False, now_us)
        return now_us

    def _update(self, now_us: int):
        self._update_at_us = now_us + UPDATE_US
        for station, status in self.statuses:
            status.update(station.busy_us, self.busy_us, station.errors, station.late, now_us)
