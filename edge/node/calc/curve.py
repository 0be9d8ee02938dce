"""A curve through points: what a load asks for, the characteristic of an instrument."""

from cext.characterisers import Table
from edge.node.calc.calc import Calc


class Curve(Calc):
    """Straight lines between ``points``, held beyond the ends."""

    def __init__(self, name: str, spec: dict):
        Calc.__init__(self, name, spec)
        self._table = Table([(point[0], point[1]) for point in spec["points"]], False)

    def result(self, dt_s: float, now_ms: int) -> float:
        """The curve at the value of the source."""
        return self._table.value(self.sources[0].value)
