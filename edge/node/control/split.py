"""One demand over several takers, by shares: zones of a grate, two fans on one duct. cext.air_split does it."""

from cext.air_split import AirSplit
from edge.node.control.demand import DOWN, UP, Demand
from edge.node.signals import BAD


class Split:
    """The demand is the sum of its parts, each within its limits.

    What one part can't take goes to the others. A part that another has (a hand, a trip) keeps what it has,
    and the rest make up for it. The answer is the sum as realised; there is room as long as one part has it.
    """

    def __init__(self, name: str, spec: dict):
        self.kind = "split"
        self.name = name
        self.reference = "split." + name
        self.master = None
        self.mode = "waiting"
        self.tos = spec["parts"]
        self.demands = [Demand("%s.%d" % (self.reference, i + 1), spec["unit"]) for i in range(len(self.tos))]
        self._lows = spec["lows"]
        self._highs = spec["highs"]
        self._split = AirSplit(spec["shares"], self._lows, self._highs)

    def forward(self, dt_s: float, now_ms: int):
        """Give each part its share."""
        master = self.master
        split = self._split
        if master.quality == BAD:
            self.mode = "refused"
            for demand in self.demands:
                demand.refuse(master.name + ": " + master.why)
            return
        for i in range(len(self.demands)):
            demand = self.demands[i]
            fixed = demand.away and demand.realised is not None and demand.realised >= 0.0
            split.lows[i] = demand.realised if fixed else self._lows[i]
            split.highs[i] = demand.realised if fixed else self._highs[i]
        split.step(master.value)
        self.mode = master.away or "auto"
        for i in range(len(self.demands)):
            self.demands[i].ask(split.flows[i], master.quality, master.why)

    def backward(self, dt_s: float):
        """The sum of the parts."""
        total = 0.0
        room = 0
        away = ""
        free = False
        for demand in self.demands:
            if demand.realised is None:
                self.master.answer(None, 0, demand.away or "unknown")
                return
            total += demand.realised
            if demand.away:
                away = away or demand.away
            else:
                free = True
                room |= demand.room & (UP | DOWN)
        self.master.answer(total, room, "" if free else away)
