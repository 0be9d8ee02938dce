"""Filters for signals that come at irregular times: lag, lead-lag, rate limit, moving median.

Each has step(value, dt_s): `value` the new input, `dt_s` the time in s since the last call, any positive
length; it returns the output. All of them behave alike at the edges:
  - the first valid input after construction or start() becomes the output, so that a filter has no start-up
    transient;
  - an input that is not finite holds output and state, `flag` 1, and its time does not count; so does a
    parameter that would make the output non-finite;
  - a `dt_s` that is not positive and finite holds them too, `flag` 2.
Backward differences: no step, however long, makes a filter overshoot or ring that does not in continuous
time. Parameters are attributes and may be changed at any time. States that decay reach zero before they
become denormal.

Source of the difference equations: K. J. Astrom and B. Wittenmark, Computer-Controlled Systems (1997),
chapter 8, s = (1 - 1/z)/h.
"""

_NEGLIGIBLE = 1.0e-30

_OK = 0
_NON_FINITE = 1
_BAD_DT = 2


class Lag:
    """First-order lag 1/(1 + s T), unit gain.

        y += dt/(T + dt) (x - y)

    `tau_s` T in s, >= 0; 0 lets everything through. The exact share for an input that is held over the step
    is 1 - exp(-dt/T); dt/(T + dt) is below it, by less than (dt/T)^2/2, and needs no exponential function.
    ValueError for a negative or non-finite `tau_s`.

    Attributes: tau_s, out, flag.
    """

    def __init__(self, tau_s):
        if not (tau_s >= 0.0 and tau_s - tau_s == 0.0):
            raise ValueError("Lag: expected tau_s >= 0 in s")
        self.tau_s = tau_s
        self.out = 0.0
        self.flag = _OK
        self._started = False

    def start(self, value):
        """Go on from `value`; from the next input if it is not finite."""
        self._started = value - value == 0.0
        if self._started:
            self.out = value

    def step(self, value, dt_s):
        """Return the output, in the unit of `value`."""
        if not (dt_s > 0.0 and dt_s - dt_s == 0.0):
            self.flag = _BAD_DT
            return self.out
        out = value
        if self._started and not self.tau_s <= 0.0:
            out = self.out + dt_s / (self.tau_s + dt_s) * (value - self.out)
        if out - out != 0.0:
            self.flag = _NON_FINITE
            return self.out
        if -_NEGLIGIBLE < out < _NEGLIGIBLE:
            out = 0.0
        self.out = out
        self.flag = _OK
        self._started = True
        return out


class LeadLag:
    """Lead-lag (1 + s L)/(1 + s T), unit gain at rest, L/T at once.

        y = (T y1 + L (x - x1) + dt x)/(T + dt)             y1, x1 of the last valid step

    `lead_s` L >= 0 and `lag_s` T > 0 in s; L < T is a lag, L > T a lead that amplifies noise L/T times;
    ValueError otherwise. Across a gap of invalid inputs it sees the whole change between the valid ones as if
    made in one step.

    Attributes: lead_s, lag_s, out, flag.
    """

    def __init__(self, lead_s, lag_s):
        if not (lead_s >= 0.0 and lag_s > 0.0 and lead_s - lead_s == 0.0 and lag_s - lag_s == 0.0):
            raise ValueError("LeadLag: expected lead_s >= 0 and lag_s > 0 in s")
        self.lead_s = lead_s
        self.lag_s = lag_s
        self.out = 0.0
        self.flag = _OK
        self._input = 0.0
        self._started = False

    def start(self, value):
        """Be at rest at `value`; at the next input if it is not finite."""
        self._started = value - value == 0.0
        if self._started:
            self.out = value
            self._input = value

    def step(self, value, dt_s):
        """Return the output, in the unit of `value`."""
        if not (dt_s > 0.0 and dt_s - dt_s == 0.0):
            self.flag = _BAD_DT
            return self.out
        out = value
        if self._started:
            # The formula, less x: at rest the deviation is zero, and exactly so.
            scale = self.lag_s + dt_s
            if not scale > 0.0:
                self.flag = _NON_FINITE
                return self.out
            out += (self.lag_s * (self.out - value) + self.lead_s * (value - self._input)) / scale
        if out - out != 0.0:
            self.flag = _NON_FINITE
            return self.out
        if -_NEGLIGIBLE < out < _NEGLIGIBLE:
            out = 0.0
        self.out = out
        self._input = value
        self.flag = _OK
        self._started = True
        return out


class RateLimiter:
    """Follows its input at no more than a given speed.

    `rise_per_s`, `fall_per_s` in units of the value per s, > 0; inf does not limit. ValueError otherwise.

    Attributes: rise_per_s, fall_per_s, out, flag, and `limiting`: +1 while the input is above the output, -1
    below, 0 not limiting.
    """

    def __init__(self, rise_per_s, fall_per_s):
        if not (rise_per_s > 0.0 and fall_per_s > 0.0):
            raise ValueError("RateLimiter: expected rise_per_s and fall_per_s > 0 in units per s")
        self.rise_per_s = rise_per_s
        self.fall_per_s = fall_per_s
        self.out = 0.0
        self.limiting = 0
        self.flag = _OK
        self._started = False

    def start(self, value):
        """Go on from `value`; from the next input if it is not finite."""
        self.limiting = 0
        self._started = value - value == 0.0
        if self._started:
            self.out = value

    def step(self, value, dt_s):
        """Return the output, in the unit of `value`."""
        if not (dt_s > 0.0 and dt_s - dt_s == 0.0):
            self.flag = _BAD_DT
            return self.out
        if value - value != 0.0:
            self.flag = _NON_FINITE
            return self.out
        out = value
        limiting = 0
        if self._started:
            highest = self.out + self.rise_per_s * dt_s
            lowest = self.out - self.fall_per_s * dt_s
            # Written so that a rate that is NaN gives NaN.
            if value >= self.out:
                if not value <= highest:
                    out = highest
                    limiting = 1
            elif not value >= lowest:
                out = lowest
                limiting = -1
        if out - out != 0.0:
            self.flag = _NON_FINITE
            return self.out
        self.out = out
        self.limiting = limiting
        self.flag = _OK
        self._started = True
        return out


class MovingMedian:
    """Median of the last valid values: takes out single wrong ones without rounding off edges.

    `length` 1..31 values; an odd one removes up to (length - 1)/2 outliers in a row, an even one gives the
    mean of the two in the middle. Until `length` values have come it is the median of those there are. It
    counts values and not time: step() takes no dt_s. ValueError for another `length`.

    A non-finite value does not enter the window: held output, `flag` 1. Nothing is allocated after
    construction, and a step costs up to `length` comparisons.

    Attributes, for reading: out, flag, `count` of values in the window.
    """

    def __init__(self, length):
        if not 1 <= length <= 31:
            raise ValueError("MovingMedian: expected a length of 1..31 values")
        self.out = 0.0
        self.flag = _OK
        self.count = 0
        self._length = length
        # The values as they came, the oldest at _at once all places are taken, and in order.
        self._at = 0
        self._window = [0.0] * 31
        self._ordered = [0.0] * 31

    def start(self):
        """Forget the window; the output stays until the next value."""
        self.count = 0

    def step(self, value):
        """Return the median of the window with `value` in it."""
        if value - value != 0.0:
            self.flag = _NON_FINITE
            return self.out
        if self.count < self._length:
            i = self.count
            self.count += 1
        else:
            oldest = self._window[self._at]
            i = 0
            while self._ordered[i] != oldest:
                i += 1
        self._window[self._at] = value
        self._at += 1
        if self._at == self._length:
            self._at = 0
        # The place i is free: move its neighbours until `value` fits there.
        while i > 0 and self._ordered[i - 1] > value:
            self._ordered[i] = self._ordered[i - 1]
            i -= 1
        while i < self.count - 1 and self._ordered[i + 1] < value:
            self._ordered[i] = self._ordered[i + 1]
            i += 1
        self._ordered[i] = value
        half = self.count >> 1
        out = self._ordered[half]
        if half + half == self.count:
            out = 0.5 * self._ordered[half - 1] + 0.5 * out
        self.out = out
        self.flag = _OK
        return out
