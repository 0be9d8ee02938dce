"""How punctual the tick is, in bounded memory."""

# Upper edges of the lateness classes in us; the last class is everything beyond.
EDGES_US = (
    50,
    100,
    200,
    300,
    500,
    750,
    1000,
    1500,
    2000,
    3000,
    5000,
    7500,
    10000,
    20000,
    50000,
    100000,
    250000,
)


class TickStatistics:
    """Counts ticks by their lateness (start against due time) and keeps the longest duration."""

    def __init__(self):
        self.ticks = 0
        self.missed = 0
        self.late_max_us = 0
        self.duration_max_us = 0
        self._classes = [0] * (len(EDGES_US) + 1)

    def add(self, late_us: int, duration_us: int):
        self.ticks += 1
        if late_us > self.late_max_us:
            self.late_max_us = late_us
        if duration_us > self.duration_max_us:
            self.duration_max_us = duration_us
        place = 0
        for edge in EDGES_US:
            if late_us <= edge:
                break
            place += 1
        self._classes[place] += 1

    def late_us(self, share: float) -> int:
        """The lateness that ``share`` (0..1) of all ticks did not exceed: the upper edge of its class."""
        wanted = share * self.ticks
        seen = 0
        for place in range(len(EDGES_US)):
            seen += self._classes[place]
            if seen >= wanted:
                return min(EDGES_US[place], self.late_max_us)
        return self.late_max_us

    def summary(self) -> dict:
        return {
            "ticks": self.ticks,
            "missed": self.missed,
            "late_p99_ms": self.late_us(0.99) / 1000.0,
            "late_max_ms": self.late_max_us / 1000.0,
            "duration_max_ms": self.duration_max_us / 1000.0,
        }
