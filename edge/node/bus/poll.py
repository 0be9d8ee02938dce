"""Requests that are repeated: when each is due, how it stands, and how a device's reads become requests."""

from edge.node.bus import modbus
from edge.node.bus.look import Look

# A poll of lower priority goes first all the same when it is overdue by so many of its periods.
STARVED_PERIODS = 10
NORMAL_PRIORITY = 1
# Of a unit that has rested after silence: settled first. Of one that is down: when nobody else is due, or
# when that has lasted for a period. In both cases the poll that has failed least goes first.
RETRY_PRIORITY = -100
PROBE_PRIORITY = 100
MOST_MISSES = 50
# A unit may be deaf for so long after a reply.
DEAF_US = 500000


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
        # Failures in a row, and how many replies its unit had given before the first of them.
        self.misses = 0
        self._replies_before = 0
        # Its reply came damaged and it is asked once more: since when it has been asked, else -1.
        self.again_us = -1
        # After the next rest it goes before the other polls of its unit.
        self.first = False
        # No other poll of its unit has a reply that a late one could be taken for.
        self.alone = True
        self.look = Look()
        self.starved_us = STARVED_PERIODS * period_us
        # Refusals in a row that asking again may change.
        self.refusals = 0

    def rank(self, late_us: int) -> int:
        """Its priority when it could have been asked for so long."""
        if late_us >= self.starved_us:
            return 0
        station = self.station
        if station.polls_first and station.queued:
            return RETRY_PRIORITY
        if station.in_a_row:
            if station.down:
                return 0 if late_us >= self.period_us else PROBE_PRIORITY + self.misses
            if station.rest_until_us > self.due_us:
                return RETRY_PRIORITY - 1 if self.first else RETRY_PRIORITY + self.misses
        return self.priority

    def missed(self):
        """It has failed once more."""
        if not self.misses:
            self._replies_before = self.station.replies
        if self.misses < MOST_MISSES:
            self.misses += 1

    def ignored(self, since_us: int, late_us: int) -> bool:
        """Whether its unit answers other requests, but not this one, which went out at ``since_us``.

        A unit that is deaf for a while after each reply ignores what is asked behind another request: once
        it is asked as the first thing after a rest.
        """
        station = self.station
        if self.misses <= station.retries or station.replies == self._replies_before:
            return False
        if self.first or since_us - station.answered_us >= min(DEAF_US, late_us):
            return True
        self.first = True
        return False

    def next_asked(self, now_us: int) -> int:
        """It goes out now; since when it has been asked."""
        asked_us = self.again_us
        self.again_us = -1
        self.due_us += self.period_us
        if self.due_us <= now_us or self.station.spacing_us:
            self.due_us = now_us + self.period_us
        return now_us if asked_us < 0 else asked_us

    def like_late(self) -> bool:
        """Whether a late reply to the same request would do no harm."""
        return self.again_us >= 0 or (self.alone and not self.station.queued)

    def answered(self):
        """Its unit has answered it."""
        self.misses = 0
        self.first = False

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
            polls.append(Poll(entry[0], request, master.reply_length(request), entry[2] * 1000, priority))
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
