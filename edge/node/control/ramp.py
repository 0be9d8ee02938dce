"""A value that moves in a straight line.

Time is counted in whole milliseconds and the value is calculated from it anew each time: a slow ramp on a
board with 32-bit floats neither stalls nor gathers rounding errors.
"""


class Ramp:
    """From ``start`` to ``target`` in a straight line, ``rate_per_min`` > 0 in units per minute."""

    def __init__(self, start: float, target: float, rate_per_min: float):
        self.start = start
        self.target = target
        self.rate_per_min = rate_per_min
        self.elapsed_ms = 0
        self.done = start == target

    def step(self, dt_ms: int) -> float:
        """The value ``dt_ms`` later; ``done`` when it is the target."""
        self.elapsed_ms += dt_ms
        moved = self.rate_per_min * self.elapsed_ms / 60000.0
        if self.target >= self.start:
            value = self.start + moved
            self.done = value >= self.target
        else:
            value = self.start - moved
            self.done = value <= self.target
        return self.target if self.done else value
