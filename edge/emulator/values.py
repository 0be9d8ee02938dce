"""A plant without a furnace model: named numbers that stand until somebody sets them.

    [values]
    oven_c = 20.0

Instruments read and drive them like attributes of a model.
"""

from math import isfinite

MOST = 1000


class Values:
    """``numbers``: name -> number at the start; each becomes an attribute. Raises ValueError."""

    def __init__(self, numbers: dict):
        if len(numbers) > MOST:
            raise ValueError(f"{len(numbers)} values; expected at most {MOST}")
        self.names = tuple(numbers)
        for name, value in numbers.items():
            if not name.isidentifier() or hasattr(self, name):
                raise ValueError(f"{name!r} can't be the name of a value; expected a word that is not taken")
            setattr(self, name, _checked(name, value))

    def configure(self, values: dict):
        """Set some of them. Raises ValueError."""
        for name, value in values.items():
            if name not in self.names:
                known = ", ".join(self.names) or "none"
                raise ValueError(f"the plant has no value {name!r}; it has {known}")
            setattr(self, name, _checked(name, value))

    def step(self, dt_s: float):
        """Nothing moves by itself."""


def _checked(name: str, value) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ValueError(f"value {name} is {value!r}; expected a finite number")
    return float(value)
