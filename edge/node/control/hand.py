"""A hand in the place of a controller: what a person asks for, at once or with a rate."""

from edge.node.control.ramp import Ramp


class Hand:
    """``on``: the hand has it; ``value``: what it asks for, in the unit of the demand."""

    def __init__(self):
        self.on = False
        self.value = 0.0
        self._reaching = None

    def take(self, value: float):
        """Begin from where the demand stands."""
        self.on = True
        self.value = value
        self._reaching = None

    def give_back(self):
        """The controller takes over again."""
        self.on = False
        self._reaching = None

    def change(self, value: float, rate_per_min: float):
        """Move to ``value``, at once or with a rate."""
        self._reaching = None
        if rate_per_min > 0.0:
            self._reaching = Ramp(self.value, value, rate_per_min)
        else:
            self.value = value

    def hold(self):
        """Stay, wherever it was going."""
        self._reaching = None

    def step(self, dt_ms: int, blind: bool) -> float:
        """The demand now; a hand that moves by itself stops where the process can't be seen."""
        if self._reaching is not None and blind:
            self._reaching = None
        if self._reaching is not None:
            self.value = self._reaching.step(dt_ms)
            if self._reaching.done:
                self._reaching = None
        return self.value
