"""What all blocks that give one demand share: its name, its hand, and what happens where it can't see."""

from edge.node.control.demand import Demand
from edge.node.control.hand import Hand
from edge.node.signals import BAD, UNCERTAIN

REFUSE = "refuse"
HOLD = "hold"
FORWARD = "forward"


class Block:
    """A block with one demand. Once a tick forward(), and after the guard backward().

    ``kind`` and ``name`` as in the node file; ``to``: the reference of the taker; ``mode``, for people: waiting,
    refused, held, manual, auto, or who has the demand. ``sources`` are those it can't work without;
    ``if_bad``: refuse, hold, forward, or a number that it asks for instead.
    """

    def __init__(self, table: str, name: str, spec: dict, sources: list):
        self.kind = spec.get("kind", table)
        self.name = name
        self.reference = table + "." + name
        self.to = spec.get("to", "")
        self.sources = sources
        self.demand = Demand(self.reference, spec["unit"])
        self.low = spec["low"]
        self.high = spec["high"]
        self.hand = Hand()
        self.set_point = None
        # The output at the end of its chain, "" where there are several.
        self.end = ""
        self.mode = "waiting"
        self._if_bad = spec.get("if_bad", REFUSE)

    def forward(self, dt_s: float, now_ms: int):
        """Give this tick's demand."""
        demand = self.demand
        dt_ms = int(dt_s * 1000.0 + 0.5)
        if self.set_point is not None:
            self.set_point.step(dt_ms)
        why = self.blind()
        if demand.realised is None:
            self.mode = "waiting"
            demand.refuse(demand.away or "its taker is not known yet")
        elif self.hand.on:
            self.mode = "manual"
            if demand.away:
                # Overruled, it starts again from where the demand then stands: nothing jumps back by itself.
                self.hand.take(demand.realised)
            demand.ask(self.hand.step(dt_ms, bool(why)))
        elif why:
            self._blind(why, dt_s)
        else:
            self.mode = demand.away or "auto"
            value = self.calculate(dt_s, now_ms)
            doubt = self._doubt()
            if doubt:
                demand.ask(value, UNCERTAIN, doubt)
            else:
                demand.ask(value)

    def backward(self, dt_s: float):
        """Take the answer, and pass it on to what this block has taken."""

    def calculate(self, dt_s: float, now_ms: int) -> float:
        """The demand, where all sources can be used."""
        return self.demand.value

    def without(self, dt_s: float) -> float:
        """The demand for ``if_bad = "forward"``."""
        return self.demand.realised

    def blind(self) -> str:
        """The first of its sources that is bad, and why; nothing where all can be used."""
        for source in self.sources:
            if source.quality == BAD:
                return source.name + ": " + source.why
        if self.set_point is not None and self.set_point.quality == BAD:
            return self.set_point.name + ": " + self.set_point.why
        return ""

    def controls(self) -> bool:
        """Whether the end of its chain follows this block."""
        demand = self.demand
        return not self.hand.on and not demand.away and demand.quality != BAD and demand.leads

    def set_manual(self, manual: bool):
        """Give the demand to the hand or back; ValueError while it is not known where it stands."""
        if manual == self.hand.on:
            return
        if self.demand.realised is None:
            raise ValueError("where %s stands is not known yet" % (self.to or self.reference))
        if manual:
            self.hand.take(self.demand.realised)
        else:
            self.hand.give_back()

    def change_output(self, value: float, rate_per_min: float = 0.0):
        """Move the hand, at once or with ``rate_per_min``; ValueError in automatic or outside the limits."""
        if not self.hand.on:
            raise ValueError("%s is not in manual" % self.reference.replace(".", " "))
        if not (self.low <= value <= self.high):
            text = "%s is outside %s..%s of %s"
            raise ValueError(text % (value, self.low, self.high, self.reference.replace(".", " ")))
        self.hand.change(value, rate_per_min)

    def hold(self):
        """Set-point and hand stay where they are, wherever they were going."""
        self.hand.hold()
        if self.set_point is not None:
            self.set_point.hold()

    def _blind(self, why: str, dt_s: float):
        demand = self.demand
        if self._if_bad == REFUSE:
            self.mode = "refused"
            demand.refuse(why)
        elif self._if_bad == HOLD:
            self.mode = "held"
            demand.ask(demand.realised, UNCERTAIN, why)
        elif self._if_bad == FORWARD:
            self.mode = "forward"
            demand.ask(self.without(dt_s), UNCERTAIN, why)
        else:
            self.mode = "substitute"
            demand.ask(self._if_bad, UNCERTAIN, why)

    def _doubt(self) -> str:
        """The first source that is uncertain, and why."""
        for source in self.sources:
            if source.quality == UNCERTAIN:
                return source.name + ": " + source.why
        if self.set_point is not None and self.set_point.why:
            return self.set_point.why
        return ""
