"""Relay experiment: brings a loop to a small limit cycle and measures it, the first half of an autotuner.

    output = high  until  y >  hysteresis,   y = direction (process value - set point)
    output = low   until  y < -hysteresis

Nearly every process with a dead time or with three and more lags answers with a steady cycle whose period and
swing say how the loop is to be tuned; edge.tune.cycle makes settings of them. The output is never anything
else than low, high or, before and after, the resting level: the actuator's swing is bounded by construction.

Source: K. J. Astrom and T. Hagglund, Automatic tuning of simple regulators with specifications on phase and
amplitude margins, Automatica 20 (1984) 645-651.
"""

from math import pi, sqrt

_RUNNING = 0
_DONE = 1
_PV_OUT_OF_BOUNDS = 2
_HALF_CYCLE_TOO_LONG = 3
_TOO_FEW_CYCLES = 4
_UNEVEN = 5
_BAD_INPUT = 6
_STOPPED = 7

_NAN = float("nan")


class Relay:
    """One experiment. Once per tick call step() while `state` is 0; its result is the output.

    Arguments, ValueError where they do not fit together:
      set_point       where the cycle is centred; start with the process value at rest there
      hysteresis      >= 0, half width in units of the process value; three standard deviations of the noise
                      keep the relay from chattering
      out_low, out_rest, out_high     output levels, low < rest < high; rest is what held the process value at
                      the set point, and is returned after the end. Unequal distances make an uneven cycle,
                      which tells the static gain as well
      pv_min, pv_max  a process value outside ends the experiment; set point +- hysteresis lies inside
      limit_s         > 0, longest duration of the whole experiment in s
    To be set before the first step:
      direction       +1.0 the process value rises with the output (at first), -1.0 it falls
      cycles          so many consecutive complete cycles must agree, >= 1; 3 at first
      tolerance       relative difference of period and swing up to which a cycle agrees with the one before;
                      0.05 at first. The period is known to one tick: use 20 and more ticks per cycle
      half_limit_s    longest half cycle in s; 0 (at first) for limit_s
    State:
      state           0 running; 1 done; 2 process value out of bounds; 3 a half cycle took too long; 4 time
                      over with too few cycles; 5 time over, cycles do not agree; 6 an argument was not
                      finite, or dt_s not positive; 7 stopped. All but 0 are final, with the output at rest.
      out             the output last returned
      elapsed_s       since the first step
      counted         complete cycles seen, the one of the start not included
      agreed          how many of the last ones agree
    Measured, means over the `agreed` cycles, NaN before the first:
      period_s, high_s, low_s     the cycle and the two parts of it, in s
      pv_above, pv_below          how far the process value went above and below the set point, both >= 0
      pv_mean                     of the process value, over the cycle
    """

    def __init__(self, set_point, hysteresis, out_low, out_rest, out_high, pv_min, pv_max, limit_s):
        checksum = set_point + hysteresis + out_low + out_rest + out_high + limit_s
        if checksum - checksum != 0.0:
            raise ValueError("Relay: the arguments must be finite numbers, but for pv_min and pv_max")
        if not out_low < out_rest < out_high:
            raise ValueError("Relay: expected out_low < out_rest < out_high")
        if not (hysteresis >= 0.0 and pv_min < set_point - hysteresis and set_point + hysteresis < pv_max):
            raise ValueError("Relay: expected hysteresis >= 0 and set_point +- hysteresis in pv_min..pv_max")
        if not limit_s > 0.0:
            raise ValueError("Relay: expected limit_s > 0")
        self.set_point = set_point
        self.hysteresis = hysteresis
        self.out_low = out_low
        self.out_rest = out_rest
        self.out_high = out_high
        self.pv_min = pv_min
        self.pv_max = pv_max
        self.limit_s = limit_s
        self.direction = 1.0
        self.cycles = 3
        self.tolerance = 0.05
        self.half_limit_s = 0.0
        self.state = _RUNNING
        self.out = out_rest
        self.elapsed_s = 0.0
        self.counted = 0
        self.agreed = 0
        self.period_s = _NAN
        self.high_s = _NAN
        self.low_s = _NAN
        self.pv_above = _NAN
        self.pv_below = _NAN
        self.pv_mean = _NAN
        self._started = False
        # Whether a whole cycle is being measured: from the first switch to "up" on.
        self._measuring = False
        # Up: the output is high and y is being driven upwards.
        self._up = True
        self._half_s = 0.0
        self._pv = 0.0
        self._forget_cycle()
        self._last_period_s = 0.0
        self._last_swing = 0.0

    def step(self, process_value, dt_s):
        """Take the process value, `dt_s` in s after the last call, and return the output for the next tick.

        `dt_s` of the first call does not count. A non-finite argument or a `dt_s` that is not positive ends
        the experiment: the cycle would be measured wrongly, or the sensor has failed.
        """
        if self.state != _RUNNING:
            return self.out
        checksum = process_value + dt_s
        if checksum - checksum != 0.0 or not dt_s > 0.0:
            return self._end(_BAD_INPUT)
        if process_value < self.pv_min or process_value > self.pv_max:
            return self._end(_PV_OUT_OF_BOUNDS)
        y = self.direction * (process_value - self.set_point)
        if not self._started:
            self._started = True
            self._pv = process_value
            self._up = y <= 0.0
            self._drive()
            return self.out

        self.elapsed_s += dt_s
        self._half_s += dt_s
        self._area += 0.5 * (self._pv + process_value) * dt_s
        self._pv = process_value
        if process_value > self._highest:
            self._highest = process_value
        if process_value < self._lowest:
            self._lowest = process_value
        if self._up and y > self.hysteresis:
            self._up_s = self._half_s
            self._switch()
        elif not self._up and y < -self.hysteresis:
            self._down_s = self._half_s
            self._switch()
            if self._measuring:
                self._cycle_over()
            self._measuring = True
            self._forget_cycle()
        elif self.half_limit_s > 0.0 and self._half_s > self.half_limit_s:
            return self._end(_HALF_CYCLE_TOO_LONG)
        if self.state == _RUNNING and self.elapsed_s >= self.limit_s:
            return self._end(_UNEVEN if self.counted >= self.cycles else _TOO_FEW_CYCLES)
        return self.out

    def stop(self):
        """End the experiment by hand and return the resting level."""
        if self.state == _RUNNING:
            self._end(_STOPPED)
        return self.out

    def amplitude(self):
        """Return half the swing of the process value, NaN before the first complete cycle."""
        return 0.5 * (self.pv_above + self.pv_below)

    def asymmetry(self):
        """Return (high_s - low_s) / period_s, -1..1: 0 where both half cycles last equally long, else NaN.

        With levels at equal distances from rest it tells a load, a set point that is not the resting value,
        or a process that answers differently up and down.
        """
        if not self.period_s > 0.0:
            return _NAN
        return (self.high_s - self.low_s) / self.period_s

    def ultimate_gain(self):
        """Return Ku = 4 d / (pi sqrt(a^2 - hysteresis^2)), d half the output's swing, a the amplitude.

        By the describing function, which knows the first harmonic only: 11 % low for a process with one lag
        and an equal dead time, better for many lags. NaN before the first cycle or where a <= hysteresis.
        """
        a = self.amplitude()
        if not a > self.hysteresis:
            return _NAN
        d = 0.5 * (self.out_high - self.out_low)
        # a - h and a + h are positive, and a^2 - h^2 so loses no digits.
        return 4.0 * d / (pi * sqrt((a - self.hysteresis) * (a + self.hysteresis)))

    def _drive(self):
        self.out = self.out_high if self._up else self.out_low

    def _switch(self):
        self._up = not self._up
        self._half_s = 0.0
        self._drive()

    def _end(self, state):
        self.state = state
        self.out = self.out_rest
        return self.out

    def _forget_cycle(self):
        self._up_s = 0.0
        self._down_s = 0.0
        self._area = 0.0
        self._highest = self._pv
        self._lowest = self._pv

    def _cycle_over(self):
        """Compare the cycle that has just ended with the one before, and take it into the means."""
        period_s = self._up_s + self._down_s
        swing = self._highest - self._lowest
        self.counted += 1
        agrees = (
            self.agreed > 0
            and abs(period_s - self._last_period_s) <= self.tolerance * self._last_period_s
            and abs(swing - self._last_swing) <= self.tolerance * self._last_swing
        )
        self._last_period_s = period_s
        self._last_swing = swing
        if not agrees:
            self.agreed = 0
            self.period_s = 0.0
            self.high_s = 0.0
            self.pv_above = 0.0
            self.pv_below = 0.0
            self.pv_mean = 0.0
        self.agreed += 1
        share = 1.0 / self.agreed
        self.period_s += share * (period_s - self.period_s)
        self.high_s += share * (self._up_s - self.high_s)
        self.low_s = self.period_s - self.high_s
        self.pv_above += share * (self._highest - self.set_point - self.pv_above)
        self.pv_below += share * (self.set_point - self._lowest - self.pv_below)
        if period_s > 0.0:
            self.pv_mean += share * (self._area / period_s - self.pv_mean)
        if self.agreed >= self.cycles:
            self._end(_DONE)
