"""What all calculated signals share: they read like a signal, and are no better than what they read."""

from edge.node.signals import BAD, GOOD, UNCERTAIN


class Calc:
    """A signal calculated from ``sources``, which connect() gives it; update() once a tick.

    Bad where it can't be calculated, uncertain where a source is; ``why`` names the source.
    """

    def __init__(self, name: str, spec: dict):
        self.name = name
        self.unit = spec["unit"]
        self.sources = []
        self.value = 0.0
        self.quality = BAD
        self.why = "not calculated yet"
        self.age_ms = -1
        self.at_end = 0

    def connect(self, sources: list):
        """What it reads, in the order of its keys; once, when all that can be read has been made."""
        self.sources = sources

    def update(self, dt_s: float, now_ms: int):
        """Calculate from what the sources hold now; ``dt_s`` since the last call."""
        for source in self.sources:
            if source.quality == BAD:
                self.bad("without " + source.name)
                return
        value = self.result(dt_s, now_ms)
        if value - value != 0.0:
            self.bad(self.undefined())
            return
        self.settle(value)

    def result(self, dt_s: float, now_ms: int) -> float:
        """The value, from sources of which none is bad; not a number where there is none."""
        return self.sources[0].value

    def undefined(self) -> str:
        """Why result() is not a number."""
        return "can't be calculated from these values"

    def settle(self, value: float, doubt: str = ""):
        """Take a value: uncertain with a doubt of its own or where a source is."""
        self.value = value
        self.age_ms = 0
        self.quality = GOOD
        self.why = ""
        if doubt:
            self.quality = UNCERTAIN
            self.why = doubt
            return
        for source in self.sources:
            if source.quality == UNCERTAIN:
                self.quality = UNCERTAIN
                self.why = source.name + ": " + source.why
                return

    def bad(self, why: str):
        """No value, and why."""
        self.quality = BAD
        self.why = why
