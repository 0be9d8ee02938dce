"""The rule of the control room: a demand has one taker, and the taker answers.

A block gives its demand forward, in its own unit. The one block or output that takes it says in the same tick
what became of it, again in the giver's unit: what was realised, whether there is room above and below, and
whether another has it (a hand, an interlock, a trip, a safe value, an unknown position). So every integral
waits where it must without a wire that a user could forget.

One tick: blocks forward, master first; the guard applies the outputs; the same blocks backward, last first.
A demand may have any number of readers: it reads like a signal.
"""

from edge.node.signals import BAD, GOOD

UP = 1
DOWN = 2
BOTH = 3
NONE = 0


class Demand:
    """What one block asks of the next, and what became of it.

    Forward, by the giver: ``value``, ``quality``, ``why``; bad is a refusal, and the output at the end of
    the chain goes to its safe value. Backward, by the taker: ``realised``, None while it is not known;
    ``room``, UP and DOWN as far as there is some; ``away``, who else has it, or nothing; ``leads``, False
    while a select has taken another.
    """

    def __init__(self, name: str, unit: str):
        self.name = name
        self.unit = unit
        self.value = 0.0
        self.quality = BAD
        self.why = "no demand yet"
        self.age_ms = 0
        self.at_end = 0
        self.realised = None
        self.room = BOTH
        self.away = "unknown"
        self.leads = True

    def ask(self, value: float, quality: int = GOOD, why: str = ""):
        """The giver's demand for this tick."""
        self.value = value
        self.quality = quality
        self.why = why

    def refuse(self, why: str):
        """The giver has no demand that it can stand for."""
        self.quality = BAD
        self.why = why

    def answer(self, realised, room: int, away: str = ""):
        """The taker's answer for this tick."""
        self.realised = realised
        self.room = room
        self.away = away
