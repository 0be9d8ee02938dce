"""What a speaker has done with the ids of a lane: sent and acknowledged, in whatever order."""

SPANS_MAX = 256


class Done:
    """A set of ids: all up to ``floor``, and the ``spans`` beyond it, a flat list first, last, first, last …

    At most SPANS_MAX spans are kept; the shortest is forgotten for a further one, so that its records are
    sent again rather than never.
    """

    def __init__(self, floor: int = 0, spans=None):
        self.floor = floor
        self.spans = spans if spans is not None else []

    def add(self, first: int, last: int) -> bool:
        """Put first … last into the set; whether that changed it."""
        spans = self.spans
        if first <= self.floor + 1:
            if last <= self.floor:
                return False
            self.floor = last
        else:
            i = len(spans)
            while i and spans[i - 2] > first:
                i -= 2
            # spans before i begin at or before first
            if i and spans[i - 1] >= last:
                return False
            if i and spans[i - 1] >= first - 1:
                i -= 2
                first = spans[i]
            j = i
            while j < len(spans) and spans[j] <= last + 1:
                if spans[j + 1] > last:
                    last = spans[j + 1]
                j += 2
            spans[i:j] = [first, last]
            if len(spans) > 2 * SPANS_MAX:
                self._forget_shortest()
        self._absorb()
        return True

    def raise_floor(self, floor: int):
        """All up to ``floor`` is in the set, or does not exist."""
        if floor > self.floor:
            self.floor = floor
            self._absorb()

    def next_open(self, number: int) -> int:
        """The smallest id from ``number`` on that is not in the set."""
        if number <= self.floor:
            number = self.floor + 1
        spans = self.spans
        for i in range(0, len(spans), 2):
            if number < spans[i]:
                break
            if number <= spans[i + 1]:
                number = spans[i + 1] + 1
        return number

    def has(self, number: int) -> bool:
        return self.next_open(number) != number

    def covers(self, first: int, last: int) -> bool:
        """Whether all of first … last is in the set."""
        return self.next_open(first) > last

    def touches(self, first: int, last: int) -> bool:
        """Whether any of first … last is in the set."""
        if first <= self.floor:
            return True
        spans = self.spans
        for i in range(0, len(spans), 2):
            if spans[i] > last:
                return False
            if spans[i + 1] >= first:
                return True
        return False

    def _absorb(self):
        spans = self.spans
        i = 0
        while i < len(spans) and spans[i] <= self.floor + 1:
            if spans[i + 1] > self.floor:
                self.floor = spans[i + 1]
            i += 2
        if i:
            spans[:i] = []

    def _forget_shortest(self):
        spans = self.spans
        shortest = 0
        for i in range(2, len(spans), 2):
            if spans[i + 1] - spans[i] < spans[shortest + 1] - spans[shortest]:
                shortest = i
        spans[shortest : shortest + 2] = []
