"""What the speakers have done, and the deletion of what all of them have done."""

from edge.node.report.outbox.reading import Reading


def lowest_of(marks: list):
    """Of the speakers' marks of a lane, those that reach least far; None of none."""
    lowest = None
    for mark in marks:
        if lowest is None or mark.floor < lowest.floor:
            lowest = mark
    return lowest


class Marks(Reading):
    """The part of ``store.Store`` that looks at the speakers' marks."""

    def _done_by_all(self, number: int, record_id: int) -> bool:
        if self._adopt:
            return False
        for marks in self._speakers.values():
            if not marks[number].has(record_id):
                return False
        return True

    def _prune(self, number: int):
        """Forget the oldest waiting records that all have done."""
        pending = self._lanes[number].pending
        k = 0
        while k < len(pending) and self._done_by_all(number, pending[k][0]):
            self._pending_bytes -= len(pending[k][1]) + self.ENTRY_BYTES
            k += 1
        if k:
            self._lanes[number].pending = pending[k:]

    def _raise_floors(self):
        """Let the marks step over ids that are not held any more."""
        for marks in self._speakers.values():
            for number, lane in self._lanes.items():
                mark = marks[number]
                i = lane.find(mark.next_open(mark.floor + 1))
                while i < len(lane.first) and mark.covers(lane.first[i], lane.last[i]):
                    i += 1
                if i < len(lane.first):
                    mark.raise_floor(lane.first[i] - 1)
                else:
                    mark.raise_floor(lane.pending[0][0] - 1 if lane.pending else lane.next_id - 1)

    def _clear_done(self):
        """Delete the blocks that all have done, at most ``_rows_max``, and note whether there are more."""
        left = self._rows_max
        self._more_done = False
        if self._adopt:
            return
        for number, lane in self._lanes.items():
            if not lane.first:
                continue
            marks = [each[number] for each in self._speakers.values()]
            lowest = lowest_of(marks)
            floor = lowest.floor if marks else lane.next_id - 1
            k = min(lane.find(floor + 1), left)
            if k:
                self._take_out(number, 0, k)
                left -= k
            if not marks or not left:
                continue
            spans = lowest.spans
            for s in range(len(spans) - 2, -1, -2):
                left = self._clear_span(number, marks, spans[s], spans[s + 1], left)
        self._more_done = left == 0

    def _covered(self, number: int) -> int:
        """Records in blocks that all have done and that are still to be deleted."""
        lane = self._lanes[number]
        marks = [each[number] for each in self._speakers.values()]
        if self._adopt or not lane.first:
            return 0
        if not marks:
            return lane.total
        lowest = lowest_of(marks)
        total = sum(lane.count[: lane.find(lowest.floor + 1)])
        for s in range(0, len(lowest.spans), 2):
            i = lane.find(lowest.spans[s])
            while i < len(lane.first) and lane.last[i] <= lowest.spans[s + 1]:
                if self._all_cover(marks, lane.first[i], lane.last[i]):
                    total += lane.count[i]
                i += 1
        return total

    def _clear_span(self, number: int, marks: list, low: int, high: int, left: int) -> int:
        """Delete what lies in low … high and all have done, at most ``left``; what remains of that."""
        lane = self._lanes[number]
        i = lane.find(low)
        if i < len(lane.first) and lane.first[i] < low:
            i += 1
        while left and i < len(lane.first) and lane.last[i] <= high:
            j = i
            while j < len(lane.first) and lane.last[j] <= high and j - i < left and \
                    self._all_cover(marks, lane.first[j], lane.last[j]):
                j += 1
            if j > i:
                self._take_out(number, i, j)
                left -= j - i
            else:
                i += 1
        return left

    def _all_cover(self, marks: list, first: int, last: int) -> bool:
        for mark in marks:
            if not mark.covers(first, last):
                return False
        return True
