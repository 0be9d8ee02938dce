"""One lane of an outbox: its blocks on the disk, oldest first, and the records that are not there yet."""


from edge.node.report.outbox.blocks import LEVEL


def first_from(numbers: list, low_number: int) -> int:
    """Index of the first of rising numbers that is this one or more."""
    low = 0
    high = len(numbers)
    while low < high:
        middle = (low + high) >> 1
        if numbers[middle] < low_number:
            low = middle + 1
        else:
            high = middle
    return low


class Lane:
    """The blocks are parallel lists, in rising and disjoint ranges of ids.

    ``first``, ``last``: the range that a block stands for; ``count``: records in it; ``flags``: see
    ``blocks``; ``size``: bytes on the disk; ``place``: where, as the outbox numbers it.
    ``pending``: (id, record, now_ms, boot, seq, alarm), ids rising, all beyond those on the disk.
    """

    def __init__(self):
        self.next_id = 1
        self.reserved = 0  # ids up to here may be given without a word to the disk
        self.pending = []
        self.stored = 0  # records that were ever written to the disk
        self.clear()

    def clear(self):
        """Forget the blocks."""
        self.first = []
        self.last = []
        self.count = []
        self.flags = []
        self.size = []
        self.place = []
        self.total = 0  # records in the blocks
        self.replaced = 0

    def copy_blocks(self) -> tuple:
        """The blocks as they are, for ``restore_blocks``."""
        return (list(self.first), list(self.last), list(self.count), list(self.flags), list(self.size),
                list(self.place), self.total)

    def restore_blocks(self, copy: tuple):
        self.first, self.last, self.count, self.flags, self.size, self.place, self.total = copy

    def insert(self, i: int, block, place: int):
        """Put a block (head) before the i-th."""
        self.first.insert(i, block.first)
        self.last.insert(i, block.last)
        self.count.insert(i, block.count)
        self.flags.insert(i, block.flags)
        self.size.insert(i, block.size)
        self.place.insert(i, place)
        self.total += block.count

    def lay(self, block, place: int) -> list:
        """Put a block where it belongs; the places of what is now a part of a block, to be counted anew.

        After an accident what was merged and thinned is found beside what became of it: where two blocks
        overlap, the one that was thinned further counts, else the one that was there first. ``replaced`` has
        the records by which those that were thinned are fewer.
        """
        before = self.replaced
        low = block.first
        trimmed = []
        i = self.find(low)
        while i < len(self.last) and self.first[i] <= block.last and low <= block.last:
            if block.flags & LEVEL > self.flags[i] & LEVEL:
                if self.first[i] < low and self.last[i] > block.last:
                    break  # it would be left on both sides: no thinning makes this
                if self.first[i] < low:
                    self.last[i] = low - 1
                    trimmed.append(self.place[i])
                    i += 1
                elif self.last[i] > block.last:
                    self.first[i] = block.last + 1
                    trimmed.append(self.place[i])
                    break
                else:
                    self.replaced += self.count[i]
                    self.remove(i, i + 1)
                continue
            if low < self.first[i]:
                self._insert_part(i, block, place, low, self.first[i] - 1)
                trimmed.append(place)
                i += 1
            low = self.last[i] + 1
            i += 1
        if low <= block.last:
            self._insert_part(i, block, place, low, block.last)
            if low > block.first:
                trimmed.append(place)
        if self.replaced > before:
            self.replaced -= block.count
        return trimmed

    def _insert_part(self, i: int, block, place: int, low: int, high: int):
        self.insert(i, block, place)
        self.first[i] = low
        self.last[i] = high

    def remove(self, i: int, j: int):
        """Take the blocks i … j-1 out."""
        self.total -= sum(self.count[i:j])
        for column in (self.first, self.last, self.count, self.flags, self.size, self.place):
            column[i:j] = []

    def find(self, number: int) -> int:
        """Index of the first block that ends at or after this id."""
        return first_from(self.last, number)

    def find_pending(self, number: int) -> int:
        """Index of the first pending record with this id or a later one."""
        pending = self.pending
        low = 0
        high = len(pending)
        while low < high:
            middle = (low + high) >> 1
            if pending[middle][0] < number:
                low = middle + 1
            else:
                high = middle
        return low

    def dense(self, i: int) -> bool:
        """Whether a block holds every id of its range."""
        return self.count[i] == self.last[i] - self.first[i] + 1

    def oldest(self) -> int:
        """The first id that is held, or the next one to be given."""
        if self.first:
            return self.first[0]
        return self.pending[0][0] if self.pending else self.next_id
