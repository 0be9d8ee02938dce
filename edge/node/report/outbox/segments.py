"""The outbox of a board: a bounded folder of append-only files. See ``store`` for what it promises.

    s00000001, e00000002, …   segments: blocks of samples or of events, one after the other (``blocks``)
    state                     what a restart must know; written beside and renamed
    k-…                       a kept value each, the name in hex; written beside and renamed

A commit appends to segments, flushes them, then replaces the state: ``flush`` is an fsync on MicroPython, and
on LittleFS a file is as it was before until then. A segment is deleted when nothing in it counts any more,
which the state says before.
When the bound is reached, the oldest segment of a level is thinned, to every eighth record, into one of the
next level, in the transaction of the commit that needs the room. After a kill the end of a segment may be
torn: that was never said to be stored. Whatever else does not agree with its check sum is passed over, and
what is missing is counted.

A flash is written by pages. So samples are committed before their time when they fill two pages, and a rest
in which no further one goes is left empty: the next commit begins with a page. Away from its broker, a node
with 40 signals at 4 Hz (96 MB of records) writes some 180 MB a day.
"""

import binascii
import os

from edge.node.report.outbox import blocks
from edge.node.report.outbox.blocks import EVENT, HEAD_SIZE, LEVEL, SAMPLE
from edge.node.report.outbox.room import MERGED, rank
from edge.node.report.outbox.segment_files import (
    LITTLEFS,
    OFFSETS,
    PAGE,
    SEGMENT_MAX,
    Segment,
    page_end,
    replace,
    size_of,
    write,
)
from edge.node.report.outbox.segment_start import SegmentStart
from edge.node.report.outbox.store import Store

BYTES_MIN = 65536
BUFFER = 8192
ID_BYTES = 6  # of a record in a block, beside its own
LETTERS = {SAMPLE: "s", EVENT: "e"}


class SegmentLog(SegmentStart):
    """The outbox in ``folder``, made when there is none.

    ``bytes_max``: bound of all files in it, 64 kB or more; ``commit_ms``: how long a sample may wait in
    memory; ``memory_max``: bytes that may; ``block_bytes``: of the records in a block, by itself a 256th of
    the bound, 2 to 8 kB. The list of blocks, 24 bytes for each on a 32-bit board, is in memory. OSError when
    the folder can't be used.
    """

    ERRORS = (OSError, MemoryError)
    LITTLEFS = LITTLEFS

    def __init__(self, folder: str, bytes_max: int = 1048576, commit_ms: int = 10000, memory_max: int = 16384,
                 block_bytes: int = 0):
        if bytes_max < BYTES_MIN:
            raise ValueError("outbox: %d bytes, expected %d or more" % (bytes_max, BYTES_MIN))
        if not block_bytes:
            block_bytes = min(max(2048, bytes_max // 256), 8192)
        Store.__init__(self, bytes_max, commit_ms, memory_max, block_bytes)
        self._folder = folder
        self._segment_bytes = max(PAGE, min(bytes_max // 32, SEGMENT_MAX) // PAGE * PAGE)
        self._record_max = min(self._record_max, self._segment_bytes // 2)
        self._limit = bytes_max - 4 * self._segment_bytes - 8192
        self._commit_bytes = memory_max * 5 // 8
        self._levels = 3
        self._cached = 2
        self._event_rows = False
        self._blocks_max = bytes_max * 3 // (2 * block_bytes)
        self._segments = {}
        self._writers = {}  # (lane, level): Segment that is appended to
        self._next_number = 1
        self._other_bytes = {}  # of the state and the kept values
        self._state_parts = None
        self._load_folder()
        self._start_books()

    def _samples_at(self):
        """At once, too, when they fill two pages of the flash: one more like the last would not go in."""
        samples = self._lanes[SAMPLE].pending
        if samples and self._pending_bytes > PAGE:
            size = self._pending_bytes - len(samples) * (self.ENTRY_BYTES - ID_BYTES)
            size += (1 + size // self._block_bytes) * HEAD_SIZE
            segment = self._writers.get((SAMPLE, 0))
            at = segment.size if segment is not None else 0
            end = self._page_end(self._page_end(at + 1) + 1)
            if at + size + len(samples[-1][1]) + ID_BYTES > end:
                return samples[0][2]
        return Store._samples_at(self)

    def _page_end(self, at: int) -> int:
        return page_end(at, self.LITTLEFS)

    # Transactions

    def _begin(self):
        self._state_parts = None

    def _put(self, number: int, head: bytes, body: bytes) -> int:
        block = blocks.read_head(head)
        key = (number, block.flags & LEVEL)
        segment = self._writers.get(key)
        size = len(head) + len(body)
        if segment is None or segment.size + segment.waiting_bytes + size > self._segment_bytes:
            segment = Segment(self._next_number, number, 0)
            self._next_number += 1
            self._segments[segment.number] = segment
            self._writers[key] = segment
        place = segment.number * OFFSETS + segment.size + segment.waiting_bytes
        segment.waiting.append(head)
        segment.waiting.append(body)
        segment.waiting_bytes += size
        segment.count += 1
        segment.changed = True
        segment.record_bytes = HEAD_SIZE + len(body) // block.count
        if segment.waiting_bytes > BUFFER:
            self._append(segment, False)
        return place

    def _append(self, segment, synced: bool):
        parts = segment.waiting
        segment.waiting = []
        size = segment.waiting_bytes
        segment.waiting_bytes = 0
        write(self._path(segment), parts, "ab", synced)
        segment.size += size

    def _fill_page(self, segment):
        """What is left of a page stays empty when a record more would not go in: to write it again costs a
        page."""
        at = segment.size + segment.waiting_bytes
        rest = self._page_end(at) - at
        if rest < min(segment.record_bytes, PAGE // 4):
            segment.waiting.append(bytes(rest))
            segment.waiting_bytes += rest

    def _remove(self, number: int, i: int, j: int):
        for place in self._lanes[number].place[i:j]:
            self._segments[place // OFFSETS].count -= 1

    def _add_to_state(self, state: dict):
        gone = [number for number in self._segments if self._segments[number].count <= 0]
        if gone:
            state["gone"] = gone

    def _put_raw_state(self, head: bytes, body: bytes):
        self._state_parts = [head, body]

    def _end(self):
        for number in sorted(self._segments):
            segment = self._segments[number]
            if segment.changed:
                self._fill_page(segment)
                self._append(segment, True)
                segment.changed = False
        replace(self._folder + "/state", self._state_parts)
        self._other_bytes["state"] = len(self._state_parts[0]) + len(self._state_parts[1])
        self._remove_empty()

    def _undo(self):
        """What was written meanwhile lies about in segments, to which nothing is appended any more."""
        for number in self._segments:
            segment = self._segments[number]
            segment.count = 0
            segment.waiting = []
            segment.waiting_bytes = 0
            if segment.changed:
                segment.size = size_of(self._path(segment))
                segment.changed = False
                self._retire(segment)
        for lane in self._lanes.values():
            for place in lane.place:
                self._segments[place // OFFSETS].count += 1
        self._remove_empty()

    def _remove_empty(self):
        for number in [number for number in self._segments if self._segments[number].count <= 0]:
            segment = self._segments[number]
            self._retire(segment)
            if segment.size or size_of(self._path(segment)):
                try:
                    os.remove(self._path(segment))
                except OSError as error:
                    self._errors += 1
                    self._last_error = "outbox: %s" % error
                    continue
            del self._segments[number]

    def _bytes(self) -> int:
        return sum([segment.size for segment in self._segments.values()]) + sum(self._other_bytes.values())

    def _short(self, need: int, rows: int) -> bool:
        used = sum(self._other_bytes.values()) + need + rows * HEAD_SIZE
        for segment in self._segments.values():
            if segment.count > 0:
                used += segment.size + segment.waiting_bytes
        return used > self._limit

    # Making room

    def _ends_turn(self, turns: int, need: int, rows: int) -> bool:
        """Only its end takes from the disk what is given up: it comes while there is still room for what is
        to be written, the state and one more segment."""
        used = self._bytes() + self._other_bytes.get("state", 0) + need + rows * HEAD_SIZE
        for segment in self._segments.values():
            used += segment.waiting_bytes
        return used > self._limit + 3 * self._segment_bytes

    def _unit(self, number: int, level: int) -> tuple:
        """The blocks of the oldest segment of a level."""
        i = Store._unit(self, number, level)[0]
        place = self._lanes[number].place
        self._retire(self._segments[place[i] // OFFSETS])
        j = i + 1
        while j < len(place) and place[j] // OFFSETS == place[i] // OFFSETS:
            j += 1
        return i, j

    def _retire(self, segment):
        """Append no more to this segment."""
        for key in [key for key in self._writers if self._writers[key] is segment]:
            del self._writers[key]

    def _thin(self, i: int, j: int, level: int):
        """Few blocks are in memory at a time; what is left of them goes into blocks as large again."""
        lane = self._lanes[SAMPLE]
        left = j - i
        first = last = lane.first[i]
        kept = []
        size = 0
        while left:
            some = min(left, MERGED)
            left -= some
            begin = lane.first[i]
            end = lane.last[i + some - 1]
            more = self._take_thinned(i, i + some)
            size += sum([len(record) for _, record in more])
            if kept and size > self._block_bytes * 5 // 4:
                self._put_in(SAMPLE, i, level, first, last, kept)
                i += 1
                first = begin
                kept = []
                size = sum([len(record) for _, record in more])
            kept.extend(more)
            last = end
        if kept:
            self._put_in(SAMPLE, i, level, first, last, kept)

    def _tidy(self):
        """Many small blocks, as commits for events leave them, are rewritten as fewer: the list of them is
        in memory. The segment with most of them, one in a commit."""
        for number, lane in self._lanes.items():
            if len(lane.first) <= self._blocks_max:
                continue
            best = None
            for segment in self._segments.values():
                if segment.lane == number and (best is None or segment.count > best.count):
                    best = segment
            if best.size > best.count * self._block_bytes // 2:
                continue
            i = 0
            while lane.place[i] // OFFSETS != best.number:
                i += 1
            self._retire(best)
            key = (number, lane.flags[i] & LEVEL)
            present = self._writers.pop(key, None)
            while i < len(lane.first) and lane.place[i] // OFFSETS == best.number:
                self._join(number, i, best.number)
                i += 1
            self._writers.pop(key, None)
            if present is not None:
                self._writers[key] = present

    def _join(self, number: int, i: int, segment: int):
        """The i-th block and those behind it in its segment that go with it become one."""
        lane = self._lanes[number]
        j = i
        size = 0
        entries = []
        while j < len(lane.first) and lane.place[j] // OFFSETS == segment and \
                lane.flags[j] == lane.flags[i] and (j == i or size + lane.size[j] <= self._block_bytes):
            size += lane.size[j]
            entries.extend(self._open_entries(number, j))
            j += 1
        flags = lane.flags[i]
        first = lane.first[i]
        last = lane.last[j - 1]
        self._take_out(number, i, j)
        if entries:
            self._put_in(number, i, flags, first, last, entries)

    def _drop_events(self, i: int, going: int):
        """Give up the events of a rank in the segment of the i-th; the others in it move to another."""
        lane = self._lanes[EVENT]
        number = lane.place[i] // OFFSETS
        self._retire(self._segments[number])
        # Not behind what is new, or that would go together with the old one day.
        present = self._writers.pop((EVENT, 0), None)
        i = 0
        while i < len(lane.first):
            if lane.place[i] // OFFSETS != number:
                i += 1
            elif rank(EVENT, lane.flags[i]) == going:
                self._drop(EVENT, i, i + 1, "full")
            else:
                head, body = self._get(EVENT, lane.place[i], lane.size[i])
                self._take_out(EVENT, i, i + 1)
                block = blocks.sound(head, body)
                if block is None:
                    self._note_loss("damage", EVENT, 1, 0, 0)
                else:
                    lane.insert(i, block, self._put(EVENT, head, body))
                    i += 1
        self._writers.pop((EVENT, 0), None)
        if present is not None:
            self._writers[(EVENT, 0)] = present

    # Files

    def _path(self, segment) -> str:
        return "%s/%s%08d" % (self._folder, LETTERS[segment.lane], segment.number)

    def _get(self, number: int, place: int, size: int) -> tuple:
        segment = self._segments[place // OFFSETS]
        if segment.waiting:
            self._append(segment, False)
        with open(self._path(segment), "rb") as file:
            file.seek(place % OFFSETS)
            head = file.read(HEAD_SIZE)
            return head, file.read(size)

    def _named_path(self, name: str) -> str:
        return self._folder + "/k-" + binascii.hexlify(name.encode()).decode()

    def _put_named(self, name: str, value):
        path = self._named_path(name)
        if value is None:
            if size_of(path):
                os.remove(path)
            self._other_bytes.pop(path, None)
            return
        body = blocks.pack_named(name, value)
        head = blocks.make(blocks.NAMED, 0, self._epoch, self._serial, self._serial, 0, body)
        replace(path, [head, body])
        self._other_bytes[path] = len(head) + len(body)

    def _get_named(self, name: str):
        found = self._read_whole(self._named_path(name))
        return None if found is None else blocks.unpack_named(found[1])[1]
