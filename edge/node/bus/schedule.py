"""Who is asked next on one serial line, and what became of it.

The schedule runs all the time, apart from the tick. Writes go before reads; among reads that are due the
one of the best priority that is longest overdue. The bus never knows what a register means.

Modbus RTU has no transaction number: after a time-out a unit is asked nothing until a late reply can no
longer come (``late_ms``), while the others go on. After a damaged reply exactly the same read goes out at
once; nothing that its late reply could be taken for does for ``late_ms``. When more than ``retries``
attempts in a row have failed the unit is down, and is asked more seldom; so is what a unit does not answer
while it answers other requests.

A port that goes away fails whatever is asked, without any time on the line, and is opened again; when it
is back every device hears failed("", ...).
"""

from edge.node.bus import modbus
from edge.node.bus.diagnostics import UPDATE_US
from edge.node.bus.late import LateReplies
from edge.node.bus.master import Master
from edge.node.bus.order import Order
from edge.node.bus.others import OtherMasters
from edge.node.bus.outcome import PORT_GONE, Outcome, Transaction
from edge.node.bus.port import Port
from edge.node.bus.silence import Silence
from edge.node.bus.station import Poll, Station
from edge.node.bus.strays import Strays

__all__ = ["Bus", "Poll", "Station"]

RETRIES = 1
NOT_SENT = "port takes no bytes"
# How often to look whether the last character is out, where the node turns the line.
TURN_US = 100


class Bus:
    """One line: its UART, its masters, its stations.

    ``uart`` has any(), read(), write(), and reopen() where the port can go away; ``timeout_ms`` of units
    that have none of their own; ``late_ms`` see above; ``echo``: own bytes come back. step() moves bytes
    and answers the time in us at which it wants to be called again if no byte arrives before; until
    ``listen_us`` no arriving byte matters. ``clock``: asked again after bytes have been moved, because
    the process may have been held up since its caller looked.
    """

    def __init__(
        self, name: str, uart, baud: int, timeout_ms: int, late_ms: int, char_bits=11, echo=False, clock=None
    ):
        self.name = name
        self.uart = uart
        self.master = Master(baud, timeout_ms, char_bits, echo)
        self.late = LateReplies(late_ms * 1000)
        self.others = OtherMasters()
        self.order = Order(self.late)
        self.stations = []
        self.stray_bytes = 0
        # The time that requests, replies, time-outs and the silences after them took.
        self.busy_us = 0
        self.port = Port(uart)
        self.listen_us = 0
        # Stations with something queued, each in its turn.
        self.waiting = self.order.waiting
        self._now_us = clock.now_us if clock is not None else None
        self._timing = baud, timeout_ms, char_bits, echo
        self._masters = [self.master]
        self._dcon = {}
        self._turns = getattr(uart, "turns", False)
        self._away = False
        self._strays = Strays(self.late, self.others)
        self._outcome = Outcome(self.late)
        self._silence = Silence(self.master.silence_us, self.master.timeout_us)
        self._on = Transaction()
        self._busy = False
        # (station, status) of what signals read of it.
        self.statuses = []
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
        self.order.polls += station.polls
        device.attach(station)
        return station

    def _dcon_master(self, checked: bool):
        """The master of the DCON commands with or without a checksum; loaded where a device wants one."""
        if checked not in self._dcon:
            from edge.node.bus.dcon import DconMaster

            self._dcon[checked] = DconMaster(*self._timing, checked)
            self._masters.append(self._dcon[checked])
        return self._dcon[checked]

    def step(self, now_us: int) -> int:
        """Move what there is to move; the next deadline in us."""
        if self._away:
            return self._without_port(now_us)
        uart = self.uart
        try:
            if uart.any():
                self._heard(uart.read(), now_us)
            if self._busy:
                master = self._on.station.master
                if now_us < master.deadline_us:
                    if self._turns and not uart.turned():
                        return max(master.sent_us, now_us + TURN_US)
                    self.listen_us = master.listen_us
                    if now_us >= self.listen_us:
                        self._on.looks += 1
                    return master.deadline_us
                self._timed_out(now_us)
            if not self._silence.reigns(now_us):
                self.listen_us = self._silence.quiet_us
                return self.listen_us
            return self._start(now_us)
        except OSError as error:
            return self._lose(error, now_us)

    def idle(self) -> bool:
        """Nothing on the wire and nothing queued."""
        return not (self._busy or self._outcome.again or self.waiting)

    def pollable(self):
        """What select can wait on, or None while the port is away."""
        return self.port.pollable()

    def close(self):
        self.port.close()

    def _start(self, now_us: int) -> int:
        """Send the next request; the time to come back."""
        if now_us >= self._update_at_us:
            self._update(now_us)
        if self._outcome.again:
            one = self._outcome.repeat(now_us)
            if one is not None:
                # The reply to the first may still come, and is right too.
                return self._ask(*one, now_us)
        poll = None
        station = self.order.writer(now_us) if self.waiting else None
        if station is None:
            poll = self.order.due(now_us)
            if poll is None:
                self.listen_us = 0
                next_us = self.order.next_us
                for one in self._outcome.again:
                    next_us = min(next_us, one[0].rest_until_us)
                return next_us
            station = poll.station
        if station.in_a_row:
            probe = station.master.probe(station.unit)
            if probe is not None:
                next_us = self._ask(station, poll, None, probe, now_us, now_us)
                self._on.probing = True
                return next_us
        if poll is None:
            tag, request = station.take()
            return self._ask(station, None, tag, request, now_us, now_us)
        return self._ask(station, poll, poll.tag, poll.request, poll.next_asked(now_us), now_us)

    def _ask(self, station: Station, poll, tag, request: bytes, asked_us: int, now_us: int) -> int:
        master = station.master
        on = self._on
        on.take(station, poll, tag, request)
        on.since_us = now_us
        on.asked_us = asked_us
        on.repeated = asked_us != now_us
        self._busy = True
        expected = master.reply_length(request) if tag is None or poll is None else poll.expected
        self.late.strays = b""
        station.late_request = b""
        station.requests += 1
        on.unsent = self.uart.write(request) < len(request)
        if self._now_us is not None:
            now_us = self._now_us()
        master.begin(request, expected, now_us, station.timeout_us)
        if tag is not None and poll is not None:
            master.look(on.since_us + poll.look.after_us)
        self.listen_us = master.listen_us
        return master.sent_us if self._turns else master.deadline_us

    def _heard(self, received: bytes, now_us: int):
        if self._now_us is not None:
            now_us = self._now_us()
        if not self._busy:
            self.busy_us += self._silence.broken(now_us)
            self._stray(received, now_us)
            return
        master = self._on.station.master
        answer = master.feed(received, now_us)
        if answer == modbus.PENDING:
            self._on.looks += 1
            return
        self._end(now_us)
        self._outcome.answered(self._on, answer, now_us)
        if master.strays:
            self._heard_besides(master.strays, now_us)

    def _end(self, now_us: int):
        """The transaction is over."""
        on = self._on
        station = on.station
        quiet_us = station.master.quiet_at_us
        self._busy = False
        self._silence.begins(quiet_us, now_us)
        took_us = (quiet_us if quiet_us > now_us else now_us) - on.since_us
        self.busy_us += took_us
        station.busy_us += took_us

    def _timed_out(self, now_us: int):
        on = self._on
        master = on.station.master
        self._end(now_us)
        # Whatever came belongs to nobody now.
        heard = master.strays + master.buffer
        if heard:
            # Not counted yet among those that are answered late: an own echo is no such answer.
            self.late.doubt(master, on.request, now_us + self.late.late_us)
            self._heard_besides(heard, now_us)
        why = NOT_SENT if on.unsent else master.why()
        if why:
            self._outcome.failed(on, why, master.spent(), now_us)
        else:
            on.station.device.replied(on.tag, b"", now_us // 1000)

    def _heard_besides(self, heard: bytes, now_us: int):
        """What was heard in a transaction besides its reply, but for an echo of its request."""
        own = self._on.request
        master = self._on.station.master
        at = heard.find(own)
        if at >= 0:
            heard = heard[:at] + heard[at + len(own) :]
            if not master.echoes:
                # The line has not echoed so far: another master may have asked the same.
                self.late.doubt(master, own, max(now_us, master.deadline_us) + self.late.late_us)
        self._stray(heard, now_us)

    def _stray(self, heard: bytes, now_us: int):
        self.stray_bytes += len(heard)
        if self._strays.heard(self.stations, self._masters, heard, now_us):
            self._silence.yields(now_us)

    def _lose(self, error: OSError, now_us: int) -> int:
        """The port is gone, and with it what was on the line."""
        self.port.lose(error, now_us)
        self._away = True
        self.listen_us = 0
        self.late.strays = b""
        on = self._on
        if self._busy:
            self._end(now_us)
            # It may be answered when the port is back.
            self.late.may_follow(on.station, on.request, now_us)
            self._outcome.port_gone(on, now_us)
        for station, poll, tag, request, _ in self._outcome.again:
            self._outcome.port_gone(on.take(station, poll, tag, request), now_us)
        self._outcome.again = []
        return now_us

    def _without_port(self, now_us: int) -> int:
        """Let what is due fail at once, until the port is back."""
        if self.port.come_back(now_us):
            self._away = False
            for station in self.stations:
                # Who knows what hangs on it now: each device is to start anew.
                station.anew(PORT_GONE)
                station.device.failed("", PORT_GONE, now_us // 1000)
            self._silence.begins(now_us + self.master.silence_us, now_us)
            return now_us
        if now_us >= self._update_at_us:
            self._update(now_us)
        station = self.order.writer(now_us)
        poll = None if station is not None else self.order.due(now_us)
        if station is not None:
            tag, request = station.take()
        elif poll is not None:
            station, tag, request = poll.station, poll.tag, poll.request
            poll.due_us = now_us + poll.period_us
        else:
            return min(self.order.next_us, self.port.try_at_us)
        self._outcome.port_gone(self._on.take(station, poll, tag, request), now_us)
        return now_us

    def _update(self, now_us: int):
        self._update_at_us = now_us + UPDATE_US
        self.others.update(now_us)
        foreign = self.others.requests
        for station, status in self.statuses:
            status.update(station.busy_us, self.busy_us, station.errors, station.late, foreign, now_us)
