"""Who is asked next on one serial line, and what became of it.

The schedule runs all the time, apart from the tick. Writes go before reads; among reads the one
that is longest overdue goes first. Modbus RTU has no transaction number, so after a time-out a
unit is asked nothing until a late reply can no longer come (``late_ms``), while the others go on.
The bus never knows what a register means.
"""

from edge.node.bus import modbus

# A unit that has failed so often in a row is probed at longer intervals.
SLOW_AFTER = 5
SLOW_FACTOR = 3


class Poll:
    """A request that is repeated every ``period_us``."""

    def __init__(self, tag, request: bytes, period_us: int):
        self.tag = tag
        self.request = request
        self.expected = modbus.reply_length(request)
        self.period_us = period_us
        self.due_us = 0


class Station:
    """One unit id on the line: its polls, its queue, its health.

    ``device`` gets replied(tag, data, now_ms), refused(tag, code, now_ms), failed(tag, why, now_ms).
    """

    def __init__(self, device):
        self.device = device
        self.unit = device.unit
        self.polls = []
        self.queued = []
        self.rest_until_us = 0
        self.requests = 0
        self.replies = 0
        self.errors = 0
        self.late = 0
        self.in_a_row = 0
        self.last_error = ""

    def queue(self, tag, request: bytes):
        """Ask once, before any poll; a request queued earlier under the same tag is replaced."""
        for i in range(len(self.queued)):
            if self.queued[i][0] == tag:
                self.queued[i] = (tag, request)
                return
        self.queued.append((tag, request))

    def clear(self):
        """Forget what is queued."""
        self.queued = []


class Bus:
    """One line: its UART, its master, its stations.

    ``uart`` has any(), read(), write(); ``late_ms`` see above. step() moves bytes and answers
    the time in us at which it wants to be called again if no byte arrives before.
    """

    IDLE_US = 1000000

    def __init__(self, name: str, uart, baud: int, timeout_ms: int, late_ms: int, char_bits: int = 11):
        self.name = name
        self.uart = uart
        self.master = modbus.Master(baud, timeout_ms, char_bits)
        self.late_us = late_ms * 1000
        self.stations = []
        self.stray_bytes = 0
        self.busy_us = 0
        self.fault = ""
        self._station = None
        self._tag = None
        self._since_us = 0
        self._turn = 0

    def add(self, device):
        """Put a device on the line."""
        station = Station(device)
        for tag, function, address, count, period_ms in device.polls():
            request = modbus.read_request(device.unit, function, address, count)
            station.polls.append(Poll(tag, request, period_ms * 1000))
        self.stations.append(station)
        device.attach(station)

    def step(self, now_us: int) -> int:
        """Move what there is to move; the next deadline in us."""
        master = self.master
        uart = self.uart
        if uart.any():
            received = uart.read()
            if self._station is None:
                self._stray(received, now_us)
            else:
                self._received(received, now_us)
        if self._station is not None:
            if now_us < master.deadline_us:
                return master.deadline_us
            self._timed_out(now_us)
        if now_us < master.quiet_at_us:
            return master.quiet_at_us
        return self._start(now_us)

    def idle(self) -> bool:
        """Nothing on the wire and nothing queued."""
        if self._station is not None:
            return False
        for station in self.stations:
            if station.queued:
                return False
        return True

    def close(self):
        self.uart.close()

    def _start(self, now_us: int) -> int:
        """Send the next request; the time to come back."""
        stations = self.stations
        count = len(stations)
        chosen = None
        poll = None
        overdue_us = 0
        next_us = now_us + self.IDLE_US
        for i in range(count):
            # Writes take turns, so that no station's writes starve another's.
            station = stations[(self._turn + i) % count]
            rest_us = station.rest_until_us
            if rest_us > now_us:
                if rest_us < next_us:
                    next_us = rest_us
                continue
            if station.queued:
                chosen = station
                poll = None
                self._turn = (self._turn + i + 1) % count
                break
            for candidate in station.polls:
                late_us = now_us - candidate.due_us
                if late_us < 0:
                    if candidate.due_us < next_us:
                        next_us = candidate.due_us
                elif chosen is None or late_us > overdue_us:
                    chosen = station
                    poll = candidate
                    overdue_us = late_us
        if chosen is None:
            return next_us
        if poll is None:
            tag, request = chosen.queued.pop(0)
            expected = modbus.reply_length(request)
        else:
            tag = poll.tag
            request = poll.request
            expected = poll.expected
            poll.due_us += poll.period_us
            if poll.due_us <= now_us:
                poll.due_us = now_us + poll.period_us
        self.master.begin(request, expected, now_us)
        self._station = chosen
        self._tag = tag
        self._since_us = now_us
        chosen.requests += 1
        self.uart.write(request)
        return self.master.deadline_us

    def _received(self, received: bytes, now_us: int):
        answer = self.master.feed(received, now_us)
        if answer == modbus.PENDING:
            return
        station = self._station
        tag = self._tag
        self._station = None
        self.busy_us += now_us - self._since_us
        station.replies += 1
        station.in_a_row = 0
        if answer == modbus.DONE:
            station.device.replied(tag, self.master.data, now_us // 1000)
        else:
            station.errors += 1
            station.last_error = modbus.EXCEPTIONS.get(self.master.exception, "unknown exception")
            station.device.refused(tag, self.master.exception, now_us // 1000)

    def _timed_out(self, now_us: int):
        station = self._station
        tag = self._tag
        self._station = None
        self.busy_us += now_us - self._since_us
        if self.master.expected == 0:
            station.device.replied(tag, b"", now_us // 1000)
            return
        why = self.master.why()
        station.errors += 1
        station.in_a_row += 1
        station.last_error = why
        rest_us = self.late_us
        if station.in_a_row >= SLOW_AFTER:
            rest_us *= SLOW_FACTOR
        station.rest_until_us = now_us + rest_us
        # Whatever came belongs to nobody now.
        self.stray_bytes += len(self.master.buffer)
        device = station.device
        device.failed(tag, why, now_us // 1000)
        if not device.ready and station.in_a_row >= device.LOST_AFTER:
            # It may hear us though we don't hear it: asking on would keep its outputs from falling to safe.
            lost_until_us = now_us + device.rest_ms * 1000
            if lost_until_us > station.rest_until_us:
                station.rest_until_us = lost_until_us

    def _stray(self, received: bytes, now_us: int):
        """Bytes nobody asked for: drained and counted, to the unit that is resting if they name one."""
        self.stray_bytes += len(received)
        self.master.quiet_at_us = now_us + self.master.silence_us
        for station in self.stations:
            if station.unit == received[0] and station.rest_until_us > now_us:
                station.late += 1
                return
