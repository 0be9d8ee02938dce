"""The heat that the air of a fire releases."""

from cext import heat
from edge.node.calc.calc import Calc


class HeatRelease(Calc):
    """Heat that the air has released, in MW: air x heat of one Nm3 of air / lambda (cext.heat)."""

    def __init__(self, name: str, spec: dict):
        Calc.__init__(self, name, spec)
        self._heat_per_air_mj = spec["heat_per_air_mj"]

    def result(self, dt_s: float, now_ms: int) -> float:
        """The heat; not a number for negative air."""
        return heat.heat_release_mw(self.sources[0].value, self.sources[1].value, self._heat_per_air_mj)
