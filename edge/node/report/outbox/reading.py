"""How the records of an outbox are read: by the speakers, and by itself."""

from edge.node.report.outbox import blocks
from edge.node.report.outbox.lane import first_from
from edge.node.report.outbox.room import Room


class Reading(Room):
    """The part of ``store.Store`` that reads. At most ``_cached`` blocks are kept taken apart."""

    def fetch(self, speaker: str, lane: int, after_id: int, count: int, until_id=None) -> list:
        """At most ``count`` (id, record), rising, after_id < id <= until_id, open for the speaker."""
        rows = self._lanes[lane]
        marks = self._speakers[speaker][lane]
        end = rows.next_id - 1 if until_id is None else until_id
        found = []
        at = marks.next_open(after_id + 1)
        while at <= end and len(found) < count:
            i = rows.find(at)
            if i == len(rows.last):
                break
            if rows.first[i] > at:
                at = marks.next_open(rows.first[i])
                continue
            loaded = self._read_block(lane, i)
            if loaded is None:
                continue  # damaged: it is out of the list
            if not loaded:
                return found
            last = rows.last[i]
            at = self._select(loaded, marks, at, min(last, end), count, found)
        pending = rows.pending
        for k in range(rows.find_pending(at), len(pending) if len(found) < count else 0):
            number = pending[k][0]
            if number > end or len(found) >= count:
                break
            if not marks.has(number):
                found.append((number, pending[k][1]))
        return found

    def first_open(self, speaker: str, lane: int) -> int:
        """The oldest id that the speaker has not done, or 0."""
        found = self.fetch(speaker, lane, 0, 1)
        return found[0][0] if found else 0

    def open_count(self, speaker: str, lane: int) -> int:
        """How many records the speaker has not done."""
        rows = self._lanes[lane]
        marks = self._speakers[speaker][lane]
        begin = rows.find(marks.floor + 1)
        total = sum(rows.count[begin:])
        if begin < len(rows.first) and rows.first[begin] <= marks.floor:
            total -= self._count_in(lane, begin, rows.first[begin], marks.floor)
        spans = marks.spans
        for k in range(0, len(spans), 2):
            i = rows.find(spans[k])
            while i < len(rows.first) and rows.first[i] <= spans[k + 1]:
                total -= self._count_in(lane, i, spans[k], spans[k + 1])
                i += 1
        for entry in rows.pending:
            if not marks.has(entry[0]):
                total += 1
        return total

    def _load(self, number: int, i: int):
        """(ids, records) of a block; None where it is damaged. Errors of the disk are raised."""
        lane = self._lanes[number]
        key = (number, lane.place[i], lane.first[i])
        found = self._cache.get(key)
        if found is None:
            if self.on_disk is not None:
                self.on_disk("read")
            head, body = self._get(number, lane.place[i], lane.size[i])
            block = blocks.sound(head, body)
            low = lane.first[i]
            high = lane.last[i]
            if block is None or block.lane != number or block.first > low or block.last < high:
                return None  # also where another block has come to lie in its place
            try:
                found = blocks.unpack(self._unpacked(block, body), block.first, block.count)
            except ValueError:
                return None
            if found[0] and (found[0][0] < low or found[0][-1] > high):
                pairs = [(a, b) for a, b in zip(found[0], found[1]) if low <= a <= high]
                found = ([pair[0] for pair in pairs], [pair[1] for pair in pairs])
            if len(self._cache) >= self._cached:
                self._cache = {}
            self._cache[key] = found
        return found

    def _read_block(self, number: int, i: int):
        """As ``_load``; a damaged block is counted and taken out. () when the disk can't be read now."""
        try:
            found = self._load(number, i)
        except self.ERRORS as error:
            self._fail(error)
            return ()
        if found is None and not self._take_damaged(number, i):
            return ()
        return found

    def _take_damaged(self, number: int, i: int) -> bool:
        """Count a damaged block and take it out; False when the disk does not let us."""
        lane = self._lanes[number]
        ended = False
        try:
            self._begin_turn()
            self._note_loss("damage", number, lane.count[i], lane.first[i], lane.last[i])
            self._take_out(number, i, i + 1)
            self._put_state(False)
            self._end()
            ended = True
        except self.ERRORS as error:
            self._take_back()
            self._fail(error)
        return ended

    def _select(self, loaded: tuple, marks, at: int, end: int, count: int, found: list) -> int:
        """Add what is open of ids at … end of a block to ``found``; the id from which to go on."""
        ids, held = loaded
        free = not marks.touches(at, end)
        for k in range(first_from(ids, at), len(ids)):
            number = ids[k]
            if number > end or len(found) >= count:
                break
            if free or not marks.has(number):
                found.append((number, held[k]))
        return end + 1

    def _count_in(self, number: int, i: int, low: int, high: int) -> int:
        """How many records of a block have ids from low to high."""
        lane = self._lanes[number]
        low = max(low, lane.first[i])
        high = min(high, lane.last[i])
        if low == lane.first[i] and high == lane.last[i]:
            return lane.count[i]
        if lane.dense(i):
            return high - low + 1
        try:
            loaded = self._load(number, i)
        except self.ERRORS as error:
            self._fail(error)
            loaded = None
        return len([1 for each in loaded[0] if low <= each <= high]) if loaded else 0
