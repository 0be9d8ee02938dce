"""A demand in proportion to a value: secondary air to primary air, a grate to its feeder."""

from edge.node.control.block import Block
from edge.node.control.demand import NONE


class Ratio(Block):
    """bias + ratio x value x factor: the value that leads is a source or the demand of a ``master``.

    ``factor``: the demand of a trim, or None for 1. It keeps no state: a hand that gives it back, or a guard,
    is followed by what the value asks for, at the rate of the output.
    """

    def __init__(self, name: str, spec: dict, lookup):
        source = lookup(spec["of"]) if "of" in spec else None
        Block.__init__(self, "loop", name, spec, [] if source is None else [source])
        self.ratio = spec["ratio"]
        self.bias = spec["bias"]
        self.master = None
        self.factor = None

    def take(self, demand):
        """Take the demand of the block that leads."""
        self.master = demand
        self.sources = [demand]

    def calculate(self, dt_s: float, now_ms: int) -> float:
        """The demand, within its limits."""
        value = self.bias + self._slope() * self.sources[0].value
        return self.low if value < self.low else self.high if value > self.high else value

    def _slope(self) -> float:
        return self.ratio if self.factor is None else self.ratio * self.factor.value

    def backward(self, dt_s: float):
        """Turn the answer round, for the master and for the trim."""
        demand = self.demand
        away = "hand" if self.hand.on else demand.away
        if not away and demand.quality == 2:
            away = "safe"
        factor = self.factor
        if factor is not None:
            factor.answer(factor.value, demand.room, away)
        master = self.master
        if master is None:
            return
        slope = self._slope()
        if demand.realised is None:
            master.answer(None, demand.room, away)
        elif slope == 0.0:
            master.answer(master.value, NONE, away)
        else:
            master.answer((demand.realised - self.bias) / slope, demand.room, away)
