"""Two out of three: one value from three measurements of the same quantity, and how far they are apart.

    3 valid     the median; one measurement that is wrong, however far, cannot move it past the other two
    2 valid     the higher or the lower one, as chosen: the one on the side of the danger
    1 valid     that one; the caller alarms
    0 valid     NaN; the caller trips

A limit on the median is the vote of two out of three: the median is above a limit exactly when at least two
of the three are.

Source: mid-of-three selection as common in process control. The choice with two valid ones is the plant's:
the higher against over-temperature, the lower for the 850 degC rule of waste incineration.
"""

_NAN = float("nan")


class TwoOutOfThree:
    """Vote over three measurements, with explicit validity.

    `prefer_high`: with two valid ones take the higher (True) or the lower (False).
    `deviation_limit` > 0 in the unit of the measurements: what `deviates` is judged by, usually 3 % of the
    span; inf for none. ValueError otherwise.

    Attributes, for reading, of the last vote:
      valid       how many measurements counted, 0..3
      deviation   greatest distance from the median of three, or between two; NaN with one or none, where
                  nothing can be compared
      deviates    whether `deviation` is above the limit
      outlier     0, 1 or 2, the one of three that is farthest from the median, if it deviates; -1 if none
                  does or it cannot be told (two valid ones, or two of three equally far)
    """

    def __init__(self, prefer_high, deviation_limit):
        if not deviation_limit > 0.0:
            raise ValueError("TwoOutOfThree: expected deviation_limit > 0 in the unit of the measurements")
        self._prefer_high = True if prefer_high else False
        self._deviation_limit = deviation_limit
        self.valid = 0
        self.deviation = _NAN
        self.deviates = False
        self.outlier = -1

    def vote(self, a, a_valid, b, b_valid, c, c_valid):
        """Return the voted value; NaN if none is valid.

        One that is not finite is not valid, whatever its flag says.
        """
        a_valid = a_valid and a - a == 0.0
        b_valid = b_valid and b - b == 0.0
        c_valid = c_valid and c - c == 0.0
        self.deviation = _NAN
        self.outlier = -1
        if a_valid and b_valid and c_valid:
            self.valid = 3
            result = self._of_three(a, b, c)
        elif a_valid and b_valid:
            result = self._of_two(a, b)
        elif a_valid and c_valid:
            result = self._of_two(a, c)
        elif b_valid and c_valid:
            result = self._of_two(b, c)
        else:
            result = _NAN
            self.valid = 1
            if a_valid:
                result = a
            elif b_valid:
                result = b
            elif c_valid:
                result = c
            else:
                self.valid = 0
        self.deviates = self.deviation > self._deviation_limit
        if not self.deviates:
            self.outlier = -1
        return result

    def _of_two(self, a, b):
        self.valid = 2
        self.deviation = a - b if a > b else b - a
        return a if (a > b) == self._prefer_high else b

    def _of_three(self, a, b, c):
        if a <= b <= c or c <= b <= a:
            median = b
        elif a <= c <= b or b <= c <= a:
            median = c
        else:
            median = a
        # One of the three distances is zero, and the others are on either side.
        self._compare(0, a, median)
        self._compare(1, b, median)
        self._compare(2, c, median)
        return median

    def _compare(self, number, value, median):
        distance = value - median if value > median else median - value
        if distance == self.deviation:
            self.outlier = -1
        elif not distance <= self.deviation:
            self.deviation = distance
            self.outlier = number
