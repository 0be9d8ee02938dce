"""A slow factor that corrects another demand: O2 trim. It keeps its factor and never refuses."""

from cext.ratio import O2Trim
from edge.node.control.block import Block
from edge.node.control.demand import DOWN, UP
from edge.node.control.set_point import SetPoint
from edge.node.signals import BAD, GOOD, UNCERTAIN


class Trim(Block):
    """factor = 1 + PI(set-point - process value), within low..high.

    It is held while the process value or the set-point is not good, while another has what it corrects, and
    in the direction in which there is no room below; then for ``hold_s`` more, the dead time of the analyser.
    ``at_limit``: true when it has stood at a limit for ``at_limit_told_after_s``.
    """

    def __init__(self, name: str, spec: dict, lookup):
        pv = lookup(spec["pv"])
        Block.__init__(self, "loop", name, spec, [pv])
        self.pv = pv
        source = lookup(spec["set_point_from"]) if "set_point_from" in spec else None
        self.set_point = SetPoint(self.reference, pv.unit, spec, source)
        self._trim = O2Trim(spec["gain"], spec["ti_s"], (self.low, self.high))
        self._trim.hold_s = spec["hold_s"]
        self._told_after_s = spec["at_limit_told_after_s"]
        self._limited_s = 0.0
        self.at_limit = False
        self.demand.ask(1.0)

    def forward(self, dt_s: float, now_ms: int):
        """Give this tick's factor, always."""
        demand = self.demand
        self.set_point.step(int(dt_s * 1000.0 + 0.5))
        trim = self._trim
        if self.hand.on:
            self.mode = "manual"
            trim.set_trim(self.hand.step(int(dt_s * 1000.0 + 0.5), False))
            demand.ask(trim.trim)
        else:
            why = self.blind() or self._doubt()
            good = not why
            set_point = self.set_point.value if self.set_point.quality != BAD else 0.0
            held = demand.away or self._no_room(set_point - self.pv.value)
            factor = trim.step(set_point, self.pv.value, good, bool(held), dt_s)
            self.mode = "held" if why or held else "auto"
            demand.ask(factor, GOOD if good else UNCERTAIN, why)
        at_end = not (self.low < trim.trim < self.high)
        self._limited_s = self._limited_s + dt_s if at_end else 0.0
        self.at_limit = at_end and self._limited_s >= self._told_after_s

    def _no_room(self, error: float) -> bool:
        room = self.demand.room
        return not room & (UP if error > 0.0 else DOWN)
