"""The air ratio of a fire from the O2 of its flue gas."""

from cext import air
from edge.node.calc.calc import Calc

_NAN = float("nan")


class Lambda(Calc):
    """Air ratio from O2 in percent: 1 + k0 O2/(20.95 - O2), k0 flue gas over air at lambda 1 (cext.air).

    Wet O2 takes the wet ratio of the fuel, dry O2 the dry one.
    """

    def __init__(self, name: str, spec: dict):
        Calc.__init__(self, name, spec)
        self._gas_ratio = spec["gas_ratio"]

    def result(self, dt_s: float, now_ms: int) -> float:
        """Lambda; not a number where the O2 is that of air."""
        value = air.lambda_from_o2(self.sources[0].value, self._gas_ratio)
        return value if value <= 100.0 else _NAN

    def undefined(self) -> str:
        """There is no flue gas."""
        return "no combustion gas: O2 is that of air"
