"""Static curves between signals: tables, and the characteristics of dampers and valves.

They hold no state and have no time. The result for an argument that is not finite is NaN, never an end of the
curve.
"""

from math import sqrt

_NAN = float("nan")

# Halvings of the exponent in _power() and _logarithm(): as many as a 64-bit float has bits.
_BITS = 53


class Table:
    """Piecewise-linear curve through 2..32 points, held at its ends.

    `points` is a sequence of (x, y) with x strictly rising, all finite and less than 1e300. With `monotone`
    true the y must be strictly rising or strictly falling, as inverse() needs them. ValueError, which names
    the first point that is wrong.

    Between two points the result is within their y, and exactly theirs at the points.

    Attributes, for reading: count, and low and high, the least and the greatest y.
    """

    def __init__(self, points, monotone):
        if not 2 <= len(points) <= 32:
            raise ValueError("Table: expected 2..32 points")
        self._x = [0.0] * 32
        self._y = [0.0] * 32
        self.count = len(points)
        rising = points[1][1] > points[0][1]
        number = 0
        for x, y in points:
            if not (-1.0e300 < x < 1.0e300 and -1.0e300 < y < 1.0e300):
                raise ValueError("Table: point %d has to be of finite numbers" % number)
            self._x[number] = x
            self._y[number] = y
            if number == 0:
                self.low = y
                self.high = y
            else:
                before = self._y[number - 1]
                if not self._x[number - 1] < x:
                    raise ValueError("Table: the x of point %d has to be above the one before it" % number)
                if monotone and (y == before or (y > before) != rising):
                    raise ValueError("Table: with point %d the y neither only rise nor only fall" % number)
            if y < self.low:
                self.low = y
            if y > self.high:
                self.high = y
            number += 1
        # +1 rising, -1 falling, 0 without inverse.
        self._slope = (1 if rising else -1) if monotone else 0

    def has_inverse(self):
        """Return whether the table was made `monotone`."""
        return self._slope != 0

    def value(self, x):
        """Return y at `x`; the end's y beyond an end; NaN if `x` is not finite."""
        if x - x != 0.0:
            return _NAN
        first = 0
        last = self.count - 1
        if x <= self._x[0]:
            return self._y[0]
        if x >= self._x[last]:
            return self._y[last]
        while last - first > 1:
            middle = (first + last) >> 1
            if x >= self._x[middle]:
                first = middle
            else:
                last = middle
        return _between(self._x[first], self._x[last], self._y[first], self._y[last], x)

    def inverse(self, y):
        """Return the x that gives `y`; the end's x beyond an end.

        NaN if `y` is not finite, and of a table that is not `monotone`.
        """
        if y - y != 0.0 or self._slope == 0:
            return _NAN
        first = 0
        last = self.count - 1
        if self._slope < 0:
            first = last
            last = 0
        # first is where y is least.
        if y <= self._y[first]:
            return self._x[first]
        if y >= self._y[last]:
            return self._x[last]
        while (last - first) * self._slope > 1:
            middle = (first + last) >> 1
            if y >= self._y[middle]:
                first = middle
            else:
                last = middle
        return _between(self._y[first], self._y[last], self._x[first], self._x[last], y)


def _between(x0, x1, y0, y1, x):
    """Return y on the line through two points, x0 <= x < x1."""
    y = y0 + (x - x0) / (x1 - x0) * (y1 - y0)
    # Rounding must not make a rising curve step back at the point.
    if (y > y1) == (y1 > y0):
        return y1
    return y


class Damper:
    """Characteristic of a damper or valve: the flow at a position and the position for a flow, in percent.

    Inherent, at a constant pressure drop, x and f as fractions of 1:
        linear              f = x
        equal percentage    f = R^(x - 1)       each percent of travel changes the flow by the same share
    Installed in series with a line that takes its part of the pressure:
        q = f/sqrt(A + (1 - A) f^2)

    `rangeability` R: 1 for linear, above 1 for equal percentage, usual 20..50; up to 1000.
    `authority` A: the damper's pressure drop when open over that of damper and line, 1 where the line's
    does not count; above 0..1.
    `measured`: None, or a monotone Table from position to flow, both in percent, found by measurement in
    place; the other two then do not count.
    ValueError for others.

    An equal-percentage damper passes 100/R percent (less, as installed more) when closed; for a flow below
    that its position is 0. Positions and flows beyond 0..100 % count as 0 or 100.

    Source: IEC 60534-2-4 for the inherent characteristics; the installed one follows from pressure drops
    that grow with the square of the flow.
    """

    def __init__(self, rangeability, authority, measured):
        if not 1.0 <= rangeability <= 1000.0:
            raise ValueError("Damper: expected a rangeability of 1 (linear) to 1000")
        if not 0.0 < authority <= 1.0:
            raise ValueError("Damper: expected an authority above 0 and up to 1")
        if measured is not None and not measured.has_inverse():
            raise ValueError("Damper: expected a monotone table")
        self._rangeability = rangeability
        self._authority = authority
        self._measured = measured

    def flow_pct(self, position_pct):
        """Return the flow at a position, both in percent; NaN if it is not finite."""
        if position_pct - position_pct != 0.0:
            return _NAN
        if self._measured is not None:
            return self._measured.value(position_pct)
        x = _fraction(position_pct)
        if self._rangeability > 1.0:
            x = _power(self._rangeability, x) / self._rangeability
        return 100.0 * x / sqrt((1.0 - self._authority) * x * x + self._authority)

    def position_pct(self, flow_pct):
        """Return the position for a flow, both in percent; NaN if it is not finite."""
        if flow_pct - flow_pct != 0.0:
            return _NAN
        if self._measured is not None:
            return self._measured.inverse(flow_pct)
        q = _fraction(flow_pct)
        f = q * sqrt(self._authority / (1.0 - (1.0 - self._authority) * q * q))
        if self._rangeability > 1.0:
            f = _logarithm(self._rangeability, f * self._rangeability)
        return 100.0 * _fraction(100.0 * f)


def _fraction(percent):
    if percent <= 0.0:
        return 0.0
    if percent >= 100.0:
        return 1.0
    return 0.01 * percent


def _power(base, x):
    """Return `base` to the power of `x`, base > 1, 0 <= x <= 1.

    By square roots, because they are rounded alike on every runtime, and exp and log are not: each bit of
    `x` stands for a factor, the square root of the one before.
    """
    result = 1.0
    factor = base
    if x >= 1.0:
        return base
    for _bit in range(_BITS):
        factor = sqrt(factor)
        x += x
        if x >= 1.0:
            x -= 1.0
            result *= factor
    return result


def _logarithm(base, value):
    """Return the logarithm of `value` to `base` within 0..1, base > 1: the inverse of _power()."""
    result = 0.0
    factor = base
    bit = 1.0
    if value >= base:
        return 1.0
    for _bit in range(_BITS):
        factor = sqrt(factor)
        bit *= 0.5
        if value >= factor:
            value /= factor
            result += bit
    return result
