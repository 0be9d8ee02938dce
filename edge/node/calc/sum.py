"""A weighted sum: total flows, differences, means, changes of unit."""

from edge.node.calc.calc import Calc


class Sum(Calc):
    """constant + the sum of weight x value."""

    def __init__(self, name: str, spec: dict):
        Calc.__init__(self, name, spec)
        self._weights = spec.get("weights") or [1.0] * len(spec["of"])
        self._constant = spec["constant"]

    def result(self, dt_s: float, now_ms: int) -> float:
        """The sum."""
        total = self._constant
        for i in range(len(self.sources)):
            total += self._weights[i] * self.sources[i].value
        return total
