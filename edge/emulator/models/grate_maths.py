"""Arithmetic that the parts of the grate line share; one source, interpreted and compiled."""

import math

LOW_51_BITS = 2251799813685247
LOW_47_BITS = 140737488355327


def within(x, low, high):
    """x limited to low..high; not-a-number is low."""
    if x >= high:
        return high
    if x > low:
        return x
    return low


def positive(x):
    """x, never negative; what is below 1e-9 is nothing, for denormal numbers are slow."""
    if x < 1e-9:
        return 0.0
    return x


def root(x):
    """Root of a pressure difference x, Pa, for a flow: sign kept, linear well below 20 Pa."""
    return x / math.sqrt(abs(x) + 20.0)


def root_slope(x):
    """Derivative of root()."""
    y = abs(x) + 20.0
    return (0.5 * abs(x) + 20.0) / (y * math.sqrt(y))


class Noise:
    """Numbers of mean 0 and variance 1 from a seed; the same seed gives the same bits."""

    def __init__(self, seed):
        self.seed = (seed * 6364136223846793005 + 1442695040888963407) & 18446744073709551615
        self.start()

    def start(self):
        """Begin anew."""
        self.rng = self.seed | 1
        for _ in range(16):
            self.gauss()

    def gauss(self):
        """Next number, within 3.5: four parts of a xorshift64 word (Marsaglia 2003)."""
        x = self.rng
        x = x ^ ((x & LOW_51_BITS) << 13)
        x = x ^ (x >> 7)
        x = x ^ ((x & LOW_47_BITS) << 17)
        self.rng = x
        s = (x & 65535) + ((x >> 16) & 65535) + ((x >> 32) & 65535) + (x >> 48)
        return (s - 131070.0) * 2.6428996e-05
