"""The lowest or highest of several demands, for one taker; the others wait beside the winner."""

from edge.node.control.demand import DOWN, UP, Demand
from edge.node.signals import BAD, GOOD, UNCERTAIN

LEAVE_OUT = "leave_out"
REFUSE = "refuse"


class Select:
    """Its inputs are the demands that point to it.

    ``if_bad``: for each input what a refused demand counts as: "leave_out", "refuse" (then the whole select
    refuses), or a number. The winner gets the taker's answer as it came. A loser gets the same value and no
    room towards winning, so that its integral waits beside the winner and it takes over without a delay.
    ``leader``: the name of the block that leads now.
    """

    def __init__(self, name: str, spec: dict):
        self.kind = "select"
        self.name = name
        self.reference = "select." + name
        self.to = spec["to"]
        self.demand = Demand(self.reference, spec["unit"])
        self.mode = "waiting"
        self.leader = ""
        self.inputs = []
        self._sign = 1.0 if spec["take"] == "lowest" else -1.0
        self._if_bad = spec["if_bad"]
        self._policies = []

    def take(self, demand):
        """Take one more demand."""
        self.inputs.append(demand)
        self._policies.append(self._if_bad[demand.name.split(".", 1)[1]])

    def forward(self, dt_s: float, now_ms: int):
        """Choose."""
        winner = None
        best = 0.0
        doubt = ""
        for i in range(len(self.inputs)):
            given = self.inputs[i]
            value = given.value
            if given.quality == BAD:
                policy = self._policies[i]
                if policy == REFUSE:
                    self._refuse(given)
                    return
                doubt = doubt or given.name + ": " + given.why
                if policy == LEAVE_OUT:
                    continue
                value = policy
            elif given.quality == UNCERTAIN:
                doubt = doubt or given.name + ": " + given.why
            if winner is None or self._sign * value < self._sign * best:
                winner = given
                best = value
        if winner is None:
            self._refuse(self.inputs[0])
            return
        for given in self.inputs:
            given.leads = given is winner
        self.leader = winner.name
        self.mode = self.demand.away or "auto"
        self.demand.ask(best, UNCERTAIN if doubt else GOOD, doubt)

    def _refuse(self, given):
        self.mode = "refused"
        self.leader = ""
        self.demand.refuse(given.name + ": " + given.why)

    def backward(self, dt_s: float):
        """Answer the winner and the losers."""
        demand = self.demand
        towards = DOWN if self._sign > 0.0 else UP
        for given in self.inputs:
            if given.leads or demand.away:
                given.answer(demand.realised, demand.room, demand.away)
            else:
                # Of the lowest: no room up, for up is where a loser is.
                given.answer(demand.realised, demand.room & towards)
