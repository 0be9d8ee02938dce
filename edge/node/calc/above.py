"""A value that comes from above: a set-point of the plant's own control system, by a command from afar."""

from edge.node.signals import BAD, GOOD


class Above:
    """Bad until it has been given; ``age_ms`` since it was given last. It reads like a signal."""

    def __init__(self, name: str, spec: dict):
        self.name = "level2." + name
        self.unit = spec["unit"]
        self.low = spec["low"]
        self.high = spec["high"]
        self.value = 0.0
        self.quality = BAD
        self.why = "not given yet"
        self.age_ms = -1
        self.at_end = 0
        self._at_ms = -1

    def give(self, value: float, now_ms: int):
        """Take a value; ValueError outside its range."""
        if not (self.low <= value <= self.high):
            raise ValueError("%s %s is outside %s..%s" % (self.name, value, self.low, self.high))
        self.value = value
        self.quality = GOOD
        self.why = ""
        self._at_ms = now_ms
        self.age_ms = 0

    def update(self, now_ms: int):
        """Once a tick."""
        if self._at_ms >= 0:
            self.age_ms = now_ms - self._at_ms
