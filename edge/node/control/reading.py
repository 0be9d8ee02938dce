"""A figure that reads like a signal and is always good."""

from edge.node.signals import GOOD


class Reading:
    """One figure of a programme, for a feed-forward or a condition: it reads like a signal."""

    def __init__(self, name: str, unit: str):
        self.name = name
        self.unit = unit
        self.value = 0.0
        self.quality = GOOD
        self.why = ""
        self.age_ms = 0
        self.at_end = 0
