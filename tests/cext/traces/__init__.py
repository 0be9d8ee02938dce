"""What the golden traces do, one module for each. Runs on CPython and on MicroPython.

Each has NAMES, the names of a step's results, and steps(count), which yields them as a tuple of floats,
`count` times. What comes in is drawn from a generator of integers, so it is the same on every runtime.
"""

from math import frexp, ldexp

NAN = float("nan")
INFINITY = float("inf")


def short(x):
    """`x` cut to 22 significant bits, which the floats of a small chip hold as well."""
    mantissa, exponent = frexp(x)
    return ldexp(int(mantissa * 4194304.0), exponent - 22)


class Random:
    """Park and Miller's minimal standard generator: integers to the last step."""

    def __init__(self, seed):
        self.state = seed

    def below_one(self):
        self.state = self.state * 48271 % 2147483647
        return self.state / 2147483648.0

    def between(self, low, high):
        return short(low + (high - low) * self.below_one())

    def sometimes(self, share):
        """Whether, in that share of cases."""
        return self.below_one() < share
