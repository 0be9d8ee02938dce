"""One unit on a line as the schedule sees it: its polls, its queue, its health."""

from edge.node.bus import modbus
from edge.node.bus.diagnostics import Status

# A poll of lower priority goes first all the same when it is overdue by so many of its periods.
STARVED_PERIODS = 10
NORMAL_PRIORITY = 1
# Of a unit that has rested after silence: settled first. Of one that is down: when nobody else is due.
RETRY_PRIORITY = -1
PROBE_PRIORITY = 100
# A unit that has failed so often in a row is probed at longer intervals.
SLOW_AFTER = 5
SLOW_FACTOR = 3
# A unit that is down is asked so seldom that it takes at most one part in so many of the line's time.
PROBE_SHARE = 20


class Poll:
    """A request that is repeated every ``period_us``; of priority 0 before 1 before 2.

    ``parts``: what it answers, as (tag, first place, count) in registers or bits; a device's adjacent
    reads become one request with several parts. None: all the data belongs to ``tag``.
    """

    def __init__(self, tag, request: bytes, expected: int, period_us: int, priority: int, parts=None):
        self.tag = tag
        self.request = request
        self.expected = expected
        self.period_us = period_us
        self.priority = priority
        self.parts = parts
        self.station = None
        self.due_us = 0
        self.starved_us = STARVED_PERIODS * period_us
        # Refusals in a row that asking again may change.
        self.refusals = 0

    def rank(self, late_us: int) -> int:
        """Its priority when it could have been asked for so long."""
        if late_us >= self.starved_us:
            return 0
        station = self.station
        if station.in_a_row:
            if station.down:
                return PROBE_PRIORITY
            if station.rest_until_us > self.due_us:
                return RETRY_PRIORITY
        return self.priority

    def deliver(self, data: bytes, now_ms: int):
        """Hand the reply's data to the device, each part under its tag."""
        self.refusals = 0
        device = self.station.device
        if self.parts is None:
            device.replied(self.tag, data, now_ms)
            return
        bits = self.request[1] <= modbus.READ_DISCRETE_INPUTS
        for tag, first, count in self.parts:
            if bits:
                part = modbus.pack_bits(modbus.unpack_bits(data, first + count)[first:])
            else:
                part = data[2 * first : 2 * (first + count)]
            device.replied(tag, part, now_ms)

    def tags(self) -> list:
        """Everything that fails when this poll fails."""
        return [self.tag] if self.parts is None else [part[0] for part in self.parts]


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
        self.queued = []
        self._bus = bus
        self.rest_until_us = 0
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

    def status(self) -> Status:
        """This station's diagnostics as a signal reads them, see edge.node.bus.diagnostics."""
        for station, status in self._bus.statuses:
            if station is self:
                return status
        status = Status()
        self._bus.statuses.append((self, status))
        return status

    def probe_after_us(self, late_us: int, took_us: int, slowly: bool) -> int:
        """How long a unit that is down is asked nothing, when the last attempt took ``took_us``."""
        if slowly and self.in_a_row >= SLOW_AFTER:
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


def polls_of(device, master) -> list:
    """The Polls of a device, from its polls().

    A Modbus device says (tag, function, address, count, period_ms), a DCON device (tag, command,
    period_ms), both with a priority behind where it isn't 1. ``device.merge_gap``: reads of one
    function, period and priority become one request where no more than so many registers (or bits)
    lie between them that nobody asked for; without that attribute or with -1 nothing is merged.
    ``device.merge_count``: no request asks for more than so many.
    """
    polls = []
    merge_gap = getattr(device, "merge_gap", -1)
    reads = []
    for entry in device.polls():
        if master.NAME == "dcon":
            request = master.command(entry[1])
            priority = entry[3] if len(entry) > 3 else NORMAL_PRIORITY
            polls.append(
                Poll(entry[0], request, master.reply_length(request), entry[2] * 1000, priority)
            )
            continue
        tag, function, address, count, period_ms = entry[:5]
        priority = entry[5] if len(entry) > 5 else NORMAL_PRIORITY
        reads.append([function, period_ms, priority, address, count, [(tag, 0, count)]])
    if merge_gap >= 0:
        reads = merged(reads, merge_gap, getattr(device, "merge_count", 0))
    for function, period_ms, priority, address, count, parts in reads:
        request = modbus.read_request(device.unit, function, address, count)
        expected = modbus.reply_length(request)
        several = parts if len(parts) > 1 else None
        polls.append(Poll(parts[0][0], request, expected, period_ms * 1000, priority, several))
    return polls


def merged(reads: list, gap: int, most: int) -> list:
    """Reads [function, period_ms, priority, address, count, parts] with neighbours made one."""
    result = []
    for read in sorted(reads, key=lambda read: read[:4]):
        function, _, _, address, count, parts = read
        limit = modbus.MAX_READ_BITS if function <= modbus.READ_DISCRETE_INPUTS else modbus.MAX_READ_REGISTERS
        if most:
            limit = min(limit, most)
        last = result[-1] if result else None
        if last is not None and last[:3] == read[:3]:
            first = last[3]
            end = max(first + last[4], address + count)
            if address <= first + last[4] + gap and end - first <= limit:
                last[4] = end - first
                last[5] = last[5] + [(tag, address - first + at, size) for tag, at, size in parts]
                continue
        result.append(read)
    return result
