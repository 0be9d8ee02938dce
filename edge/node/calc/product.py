"""A product of powers: corrected flows behind an orifice, quotients, squares."""

from math import sqrt

from edge.node.calc.calc import Calc

_NAN = float("nan")


class Product(Calc):
    """factor x the product of value^power, each power one of -1, -0.5, 0.5, 1, 2.

    A negative value under a root counts as 0: the noise of a differential pressure at rest. Division by 0
    has no result.
    """

    def __init__(self, name: str, spec: dict):
        Calc.__init__(self, name, spec)
        self._powers = spec.get("powers") or [1.0] * len(spec["of"])
        self._factor = spec["factor"]

    def result(self, dt_s: float, now_ms: int) -> float:
        """The product; not a number where something is divided by 0."""
        product = self._factor
        for i in range(len(self.sources)):
            product *= power(self.sources[i].value, self._powers[i])
        return product

    def undefined(self) -> str:
        """What is divided by."""
        for i in range(len(self.sources)):
            if self._powers[i] < 0.0 and not self.sources[i].value > 0.0:
                return "divides by %s, which is %.3g" % (self.sources[i].name, self.sources[i].value)
        return Calc.undefined(self)


def power(value: float, exponent: float) -> float:
    """``value`` to one of the five powers; not a number for a division by 0."""
    if exponent == 1.0:
        return value
    if exponent == 2.0:
        return value * value
    if exponent == 0.5 or exponent == -0.5:
        value = sqrt(value) if value > 0.0 else 0.0
    if exponent > 0.0:
        return value
    return 1.0 / value if value else _NAN
