"""How a damaged outbox file is written anew with what can be read of it, and what is missing is counted."""

import collections
import contextlib
import json
import os

from edge.box.outbox_salvage import LEAF_BYTES, PAGE_SIZE, Salvage, file_size, row_size
from edge.box.outbox_slots import NO_HEAD, Slots, new_row
from edge.node.report.outbox import blocks
from edge.node.report.outbox.blocks import ALARM, EVENT, SAMPLE
from edge.node.report.outbox.books import JUMP_DAMAGED
from edge.node.report.outbox.lane import Lane
from edge.node.report.outbox.store import Store

INTERIOR_CELL = 16  # bytes at most: for each leaf page, in the page above
TABLES = {SAMPLE: "sample", EVENT: "event"}


def finish_swap(path: str):
    """Put a file that was written anew in its place, where the last process did not come to it."""
    with contextlib.suppress(FileNotFoundError):
        os.remove(path + ".new")
    if file_size(path + ".ready"):
        # The log belongs to the old file: SQLite would write it into the new one.
        with contextlib.suppress(FileNotFoundError):
            os.remove(path + "-wal")
        os.replace(path + ".ready", path)


def _sync(path: str):
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


class Rebuilding(Store):
    """The part of ``outbox.Outbox`` that mends its file."""

    def _rebuild(self):
        """Write the file anew. Errors of the disk are raised; what was read is kept for another try."""
        self._shut()
        self._jump = JUMP_DAMAGED
        self._saved_books = self._books_copy()
        for number in self._lanes:
            self._save_blocks(number)
        ended = False
        try:
            self._write_what_is_left()
            ended = True
        finally:
            if not ended:
                self._take_back()
        self._saved = {}
        self._db = self._opened(self.path)
        self._set_dirty()

    def _write_what_is_left(self):
        if self._rescued is None:
            salvage = Salvage(self.path)
            try:
                lanes, named = self._sort_out(salvage)
                size = sum(sum(lane.size) for lane in lanes.values())
                if file_size(self.path) + file_size(self.path + "-wal") + 2 * size + 65536 > self.bytes_max:
                    # No room for both: all of it goes into memory, and the old file out of the way.
                    self._rescued = (list(self._rows(salvage, lanes)), named)
                else:
                    self._write_anew(self._rows(salvage, lanes), named)
            finally:
                salvage.close()
        if self._rescued is not None:
            for path in (self.path + "-wal", self.path):
                with contextlib.suppress(FileNotFoundError):
                    os.remove(path)
            self._write_anew(*self._rescued)
            self._rescued = None

    def _rows(self, salvage: Salvage, lanes: dict):
        """(lane, head, body) of each block, cut to the ids that count."""
        for number, lane in lanes.items():
            for first, last, place in zip(lane.first, lane.last, lane.place, strict=True):
                head, body = salvage.read(place)
                block = blocks.read_head(head)
                if (block.first, block.last) != (first, last):
                    flags = block.flags & ~(blocks.PACKED | blocks.TURNED)
                    entries = self._part(salvage, first, last, place)
                    head, body = self._made(number, flags, first, last, entries)
                yield number, head, body

    def _part(self, salvage: Salvage, first: int, last: int, place: tuple) -> list:
        """(id, record) of a block from id first to last."""
        head, body = salvage.read(place)
        block = blocks.read_head(head)
        ids, held = blocks.unpack(self._unpacked(block, body), block.first, block.count)
        return [(each, record) for each, record in zip(ids, held, strict=True) if first <= each <= last]

    def _sort_out(self, salvage: Salvage) -> tuple:
        """({lane: Lane of what counts}, named values); what is missing is noted as lost."""
        expected = self._expected() if self._restored else self._take_newest(salvage)
        named = {}
        for block, place in sorted(salvage.found, key=lambda found: found[0].first):
            if block.lane == blocks.NAMED and block.epoch == self._epoch:
                name, value = blocks.unpack_named(salvage.read(place)[1])
                named[name] = value
        lanes = {}
        for number in TABLES:
            first, total = expected[number]
            marks = [marks[number] for marks in self._speakers.values()]
            lane = lanes[number] = Lane()
            trimmed = set()
            for block, place in salvage.found:
                if block.lane == number and block.epoch == self._epoch and block.last >= first \
                        and not self._all_cover(marks, block.first, block.last):
                    trimmed.update(lane.lay(block, place))
            for i, place in enumerate(lane.place):
                if place in trimmed:
                    count = len(self._part(salvage, lane.first[i], lane.last[i], place))
                    lane.total += count - lane.count[i]
                    lane.count[i] = count
            self._note_missing(number, first, total, lane)
        self._cut_to_bound(lanes, sum(len(name) + len(value) for name, value in named.items()))
        return lanes, named

    def _all_cover(self, marks: list, first: int, last: int) -> bool:
        return not self._adopt and super()._all_cover(marks, first, last)

    def _expected(self) -> dict:
        """{lane: (first id, records that not all have done)} of what this process knows."""
        expected = {}
        for number, lane in self._lanes.items():
            marks = [marks[number] for marks in self._speakers.values()]
            total = sum(count for first, last, count in zip(lane.first, lane.last, lane.count, strict=True)
                        if not self._all_cover(marks, first, last))
            expected[number] = (lane.oldest(), total)
        return expected

    def _take_newest(self, salvage: Salvage) -> dict:
        """The same out of the newest state in the file, which is restored."""
        states = [found for found in salvage.found if found[0].lane == blocks.STATE]
        for block, place in sorted(states, key=lambda found: -found[0].first):
            try:
                lanes = self._take_state(block, salvage.read(place)[1])
            except ValueError:
                continue
            return {number: (lane[2], lane[3]) for number, lane in zip(TABLES, lanes, strict=True)}
        self._reset()
        self._adopt = True
        witness = self._read_witness()
        if witness is not None:
            return self._take_witness(*witness)
        epochs = collections.Counter(block.epoch for block, _ in salvage.found)
        if epochs:
            self._epoch = epochs.most_common(1)[0][0]
        self._serial = 1
        self._note_loss("damage", SAMPLE, 0, 0, 0)  # nobody knows how many there were
        return {number: (0, 0) for number in TABLES}

    # The witness: what the last commit made of the books, in the file of the lock. It is not synced. After a
    # kill it tells whether the log or all of the file is missing.

    def _write_witness(self):
        lanes = [[lane.next_id, lane.reserved, lane.total, lane.stored] for lane in self._lanes.values()]
        body = json.dumps(lanes).encode()
        head = blocks.make(blocks.STATE, 0, self._epoch, self._serial, self._serial, 0, body)
        with contextlib.suppress(OSError):
            os.pwrite(self._lock, head + body, 0)

    def _read_witness(self):
        """(Block, lanes) as they were written, or None."""
        data = os.pread(self._lock, 4096, 0)
        block = blocks.read_head(data)
        if block is None:
            return None
        body = data[blocks.HEAD_SIZE:blocks.HEAD_SIZE + block.size]
        if blocks.sound(data[:blocks.HEAD_SIZE], body) is None:
            return None
        return block, json.loads(body)

    def _take_witness(self, block, lanes: list) -> dict:
        """Go on as it says, where there is no state; {lane: (first id, records)}."""
        self._epoch = block.epoch
        self._serial = block.first
        for lane, (next_id, reserved, _, stored) in zip(self._lanes.values(), lanes, strict=True):
            lane.next_id, lane.reserved, lane.stored = next_id, reserved, stored
        return {number: (0, total) for number, (_, _, total, _) in zip(TABLES, lanes, strict=True)}

    def _ask_witness(self):
        """After the start: commits of which nothing is left are lost records."""
        witness = self._read_witness()
        if witness is None:
            return
        block, lanes = witness
        if not self._serial:
            for number, (_, total) in self._take_witness(block, lanes).items():
                if total:
                    self._note_loss("damage", number, total, 0, 0)
        elif block.epoch == self._epoch and block.first > self._serial:
            self._serial = block.first
            self._jump = JUMP_DAMAGED
            for number, (next_id, reserved, _, stored) in zip(TABLES, lanes, strict=True):
                lane = self._lanes[number]
                missing = stored - lane.stored - sum(lane.count[lane.find(lane.next_id):])
                if missing > 0:
                    self._note_loss("damage", number, missing, lane.next_id, next_id - 1)
                lane.stored = stored
                lane.next_id = max(lane.next_id, next_id)
                lane.reserved = max(lane.reserved, reserved)

    def _cut_to_bound(self, lanes: dict, named_bytes: int):
        """Leave out what has no room, as where the bound has become smaller: the oldest of what is worth
        least."""
        room = (self._pages_max - 32) * PAGE_SIZE - named_bytes
        for number, alarm in ((EVENT, ALARM), (EVENT, 0), (SAMPLE, 0)):
            lane = lanes[number]
            left = 0
            for i in range(len(lane.first) - 1, -1, -1):
                if lane.flags[i] & ALARM != alarm:
                    continue
                if number == SAMPLE:
                    local, overflow = new_row(lane.size[i], i + 1)
                else:
                    local, overflow = row_size(lane.size[i], lane.first[i])
                left -= local
                if left < 0:
                    left = LEAF_BYTES - local
                    room -= PAGE_SIZE + INTERIOR_CELL
                room -= overflow * PAGE_SIZE
                if room < 0:
                    self._leave_out(number, lane, [j for j in range(i + 1) if lane.flags[j] & ALARM == alarm])
                    break

    def _leave_out(self, number: int, lane: Lane, gone: list):
        count = sum(lane.count[i] for i in gone)
        self._note_loss("full", number, count, lane.first[gone[0]], lane.last[gone[-1]])
        for i in reversed(gone):
            lane.remove(i, i + 1)

    def _note_missing(self, number: int, first: int, total: int, lane: Lane):
        if total <= lane.total:
            return
        gaps = []
        before = first - 1
        for low, last in zip([*lane.first, self._lanes[number].next_id], [*lane.last, 0], strict=True):
            if low > before + 1:
                gaps += [before + 1, low - 1]
            before = last
        self._note_loss("damage", number, total - lane.total, gaps[0] if gaps else 0, gaps[-1] if gaps else 0)

    def _shrink(self):
        """After the start: a file that is above its bound, which was larger when it was made, is copied."""
        if self.memory_only or self._db.execute("PRAGMA page_count").fetchone()[0] <= self._pages_max:
            return
        new = self.path + ".new"
        try:
            self._db.execute("DELETE FROM sample WHERE head = ?", (NO_HEAD,))
            self._db.execute("VACUUM INTO ?", (new,))
            self._shut()
            self._put_in_place(new)
        except self.ERRORS as error:  # it is sound as it is, and the next start tries again
            self._errors += 1
            self._last_error = f"outbox: making it smaller: {error}"
            with contextlib.suppress(OSError):
                os.remove(new)
        self._shut()
        try:
            self._open_again()
        except self.ERRORS as error:
            self._fail(error)

    def _write_anew(self, rows, named: dict):
        """All of it into a file beside, which then takes the place of the old one and its log."""
        new = self.path + ".new"
        with contextlib.suppress(FileNotFoundError):
            os.remove(new)
        for lane in self._lanes.values():
            lane.clear()
        self._cache = {}
        self._names = {}
        self._slots = Slots()
        self._db = self._opened(new, "OFF")
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for number, head, body in rows:
                lane = self._lanes[number]
                place = self._put(number, head, body)
                lane.insert(len(lane.first), blocks.read_head(head), place)
            for name, value in named.items():
                self._put_named(name, value)
            self._put_state(False)
            self._db.execute("COMMIT")
        finally:
            self._shut()
        self._put_in_place(new)

    def _put_in_place(self, new: str):
        _sync(new)
        os.replace(new, self.path + ".ready")
        finish_swap(self.path)
        _sync(os.path.dirname(os.path.abspath(self.path)))
