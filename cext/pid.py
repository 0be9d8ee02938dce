"""PID controller: ISA position form, two degrees of freedom, for irregular sampling.

    u = P + I + D + feed-forward,   e = direction (r - y)
    P = K e + W,   W = K (b - 1) direction r                    K direction (b r - y) without dead band
    I = integral of K/Ti e dt + (u realised - u) / Tt dt        back-calculation against wind-up
    D = K Td s / (1 + s Td/N) direction (c r - y)

r is the set point, y the process value, u the output in its own unit (usually percent). Discretised with
backward differences, so the derivative is stable and free of ringing at every sampling period. I and D are
held in the unit of the output.

I + W is what the controller takes the process to need at the set point: the load. A load outside the range of
the output comes from a start, a change of set point or of parameters, and not from the process. While u is
beyond a limit, I gives up what of the load is outside, as far as the output does not move by it.

One input, realised(), tells the controller what became of its output, wherever that was cut:

    hand                follow() every tick with what the hand gives; step() goes on from there
    limit downstream    step(), then realised() with what the guard or a slower actuator's limit let through
    override, selector  the same for each of the controllers, with the selected value; the losers wait
                        beside the winner
    cross-limiting      the same with the limited fuel or air demand, in the unit of this output
    cascade             cext/cascade.py does it for two controllers

The output takes no jump from a change of parameters: P is remembered, and what a new parameter would make it
jump goes into I at the next step. tune() and limit() check their arguments; the attributes may also be set
one by one, at any time.

Source: K. J. Astrom and T. Hagglund, Advanced PID Control (ISA, 2006), chapter 3.
"""

_OK = 0
_NON_FINITE = 1
_BAD_DT = 2


class PID:
    """One PID controller. Once per tick call step() (automatic) or follow() (manual, tracking).

    Arguments: `gain` K >= 0 in output units per unit of process value; `ti_s` integral time in s, 0 for none;
    `td_s` derivative time in s, 0 for none. ValueError for negative or non-finite ones.

    Parameters; a value that makes the output non-finite holds it, `flag` 1, until a better one is set:
      gain, ti_s, td_s
      n           filter of the derivative, its time constant is Td/N; > 0, 10 at first, usual 2..20
      b, c        weights of the set point in P (1 at first) and D (0 at first: a change of set point does not
                  kick)
      tt_s        tracking time of the back-calculation in s; 0 (at first) takes Ti; a shorter one turns noise
                  at a limit into offset
      direction   +1.0 reverse acting (at first): the output rises when the process value is below the set
                  point, as for heating; -1.0 direct acting, as for cooling or a damper that relieves pressure
      dead_band   half width in units of the process value, 0 (at first) for none; within it P and I see no
                  error, outside only what exceeds it
      out_min, out_max    limits of the output, 0..100 at first; if they cross, out_min counts
      rate_per_s  greatest change of the output per s, 0 (at first) for none; the limits come first
    State:
      out         the output last returned or realised
      demand      P + I + D + feed-forward before limits
      proportional, integral, derivative  the parts in output units; without integral action `integral` is the
                              manual reset, and takes up changes of parameters for good
      set_point, process_value    the last valid ones
      saturated   +1 the output is held below the demand, -1 above it, 0 free; an outer loop must not push
                  that way
      flag        0 ok; 1 an argument or the result was not finite; 2 dt_s was not a positive number. With 1
                  and 2 the output and the state are held.

    Wind-up: whatever came before, the output leaves out_min or out_max at the first sample in which the
    process value is beyond the set point, if feed-forward + D pushes into the limit by less than K |e|. Where
    it pushes by x more, and at a limit downstream that keeps back x, that flows off in
    Tt ln(1 + x Ti/(Tt K |e|)).
    """

    def __init__(self, gain, ti_s, td_s):
        self.direction = 1.0
        self.dead_band = 0.0
        self.tt_s = 0.0
        self.out_min = 0.0
        self.out_max = 100.0
        self.rate_per_s = 0.0
        self.proportional = 0.0
        self.integral = 0.0
        self.derivative = 0.0
        self.demand = 0.0
        self.out = 0.0
        self.set_point = 0.0
        self.process_value = 0.0
        self.saturated = 0
        self.flag = _OK
        # Whether set_point and process_value may be differentiated against the next ones.
        self._in_sequence = False
        # Whether the output was forced while P was unknown, so that I has to be found at the next valid step.
        self._forced = False
        self.tune(gain, ti_s, td_s, 1.0, 0.0, 10.0)

    def step(self, set_point, process_value, feed_forward, dt_s):
        """Run one step in automatic mode and return the output.

        `set_point` and `process_value` in the same unit, `feed_forward` in units of the output, `dt_s` the
        time in s since the last call, any positive length. A non-finite argument or a bad `dt_s` returns the
        held output and sets `flag`; after it the controller goes on from its state, without a derivative over
        the gap.
        """
        if not (dt_s > 0.0 and dt_s - dt_s == 0.0):
            self.flag = _BAD_DT
            return self.out
        error = self._error(set_point, process_value)
        weighting = self._weighting(set_point)
        proportional = self.gain * error + weighting
        derivative = self._derivative(set_point, process_value, dt_s)
        if self._forced:
            integral = self._starting(self.out, proportional, weighting, derivative, feed_forward)
        else:
            # Zero, and exactly so, unless a parameter has changed.
            again = self.gain * self._error(self.set_point, self.process_value)
            integral = self.integral - (again + self._weighting(self.set_point) - self.proportional)
            if not self.td_s > 0.0:
                integral += self.derivative
            if self.ti_s > 0.0 and self.out != self.demand:
                # What was kept back here or downstream flows off with Tt, at most all of it.
                tracking_s = self.tt_s if self.tt_s > 0.0 else self.ti_s
                share = dt_s / tracking_s if tracking_s > dt_s else 1.0
                integral += share * (self.out - self.demand)
        if self.ti_s > 0.0:
            outside = self._outside(integral + weighting, feed_forward)
            if outside != 0.0:
                # The output does not move: it stays at the limit, or is on it.
                demand = (proportional + integral) + (derivative + feed_forward)
                if demand > self.out_max:
                    excess = demand - self.out_max
                    integral -= outside if outside < excess else excess
                elif demand < self.out_min:
                    excess = demand - self.out_min
                    integral -= outside if outside > excess else excess
            integral += self.gain * dt_s / self.ti_s * error
        integral = _flushed(integral)
        demand = (proportional + integral) + (derivative + feed_forward)
        out = self._limited(demand, dt_s)
        if demand - demand != 0.0 or out - out != 0.0:
            self.flag = _NON_FINITE
            self._in_sequence = False
            return self.out
        self._remember(set_point, process_value, proportional, integral, derivative)
        self.demand = demand
        self._settle(out)
        return out

    def follow(self, set_point, process_value, feed_forward, output, dt_s):
        """Take `output` from outside (manual, tracking, an override), and return it.

        The next step() starts from `output` without a bump, limits permitting. At a limit that the error
        pushes against, a load that would be outside the range is taken to be `output`.

        A finite `output` is followed even if the other arguments are not finite (`flag` 1): a failed sensor
        does not lock the hand. A `dt_s` that is not positive (`flag` 2) leaves the derivative as it is; 0
        serves to set a starting point. A non-finite `output` is refused: held output, `flag` 1.
        """
        if output - output != 0.0:
            self.flag = _NON_FINITE
            return self.out
        self.out = output
        self.demand = output
        self.saturated = 0
        derivative = self.derivative
        dt_good = dt_s > 0.0 and dt_s - dt_s == 0.0
        if dt_good:
            derivative = self._derivative(set_point, process_value, dt_s)
        weighting = self._weighting(set_point)
        proportional = self.gain * self._error(set_point, process_value) + weighting
        integral = self._starting(output, proportional, weighting, derivative, feed_forward)
        if integral - integral != 0.0:
            self.flag = _NON_FINITE
            self._in_sequence = False
            self._forced = True
            return output
        if integral != output - proportional - derivative - feed_forward:
            self.demand = (proportional + integral) + (derivative + feed_forward)
            self._settle(output)
        self._remember(set_point, process_value, proportional, integral, derivative)
        if not dt_good:
            self.flag = _BAD_DT
        return output

    def realised(self, output):
        """Say, after step(), what the guard and the limits downstream really let through.

        The back-calculation and the rate limit of the next step work from it. It is a command, not a measured
        position, whose lag would count as a limit. A non-finite `output` is refused, `flag` 1.
        """
        if output - output == 0.0:
            self._settle(output)
        else:
            self.flag = _NON_FINITE

    def tune(self, gain, ti_s, td_s, b, c, n):
        """Change these parameters; the output does not jump.

        ValueError, and nothing changed, for non-finite arguments, for negative `gain`, `ti_s` or `td_s`, or
        `n` <= 0.
        """
        checksum = gain + ti_s + td_s + b + c + n
        if checksum - checksum != 0.0:
            raise ValueError("PID: gain, ti_s, td_s, b, c and n must be finite numbers")
        if gain < 0.0 or ti_s < 0.0 or td_s < 0.0 or n <= 0.0:
            raise ValueError("PID: expected gain, ti_s, td_s >= 0 and n > 0; direction = -1.0 reverses")
        self.gain = gain
        self.ti_s = ti_s
        self.td_s = td_s
        self.b = b
        self.c = c
        self.n = n

    def limit(self, out_min, out_max, rate_per_s):
        """Change the limits; the output jumps only where it is outside the new ones, and to the nearer.

        What the old limits, or those downstream, kept back is given up: the controller goes on from its
        output. Set as attributes, wider limits let that out at once, and so they do without integral action.
        -inf and inf are no limit. ValueError, and nothing changed, unless out_min <= out_max and
        rate_per_s >= 0.
        """
        if not (out_min <= out_max and rate_per_s >= 0.0):
            raise ValueError("PID.limit: expected out_min <= out_max and rate_per_s >= 0")
        self.out_min = out_min
        self.out_max = out_max
        self.rate_per_s = rate_per_s
        if self.ti_s > 0.0:
            self.integral += self.out - self.demand
            self.demand = self.out
            self.saturated = 0

    def state(self):
        """Return what restore() needs: 8 finite numbers, for a file or for a controller on hot standby."""
        return (
            self.integral,
            self.proportional,
            self.derivative,
            self.out,
            self.demand,
            self.set_point,
            self.process_value,
            1.0 if self._forced else 0.0,
        )

    def restore(self, saved):
        """Go on from `saved`, a state() of this controller or of one with other parameters.

        With the saved inputs the next demand is the saved one; the derivative over the gap is left out. Where
        the plant was driven by others meanwhile, call follow() with their output before step(). ValueError
        for anything else than 8 finite numbers.
        """
        checksum = 0.0
        for value in saved:
            checksum += value
        if len(saved) != 8 or checksum - checksum != 0.0:
            raise ValueError("PID.restore: expected the 8 finite numbers of state()")
        integral, proportional, derivative, out, demand, set_point, process_value, forced = saved
        self._remember(set_point, process_value, proportional, integral, derivative)
        self.demand = demand
        self._settle(out)
        self._in_sequence = False
        self._forced = forced != 0.0

    def _error(self, set_point, process_value):
        """Return e, less the dead band."""
        error = self.direction * (set_point - process_value)
        if self.dead_band > 0.0:
            if error > self.dead_band:
                error -= self.dead_band
            elif error < -self.dead_band:
                error += self.dead_band
            else:
                error -= error  # zero, but a NaN must come through
        return error

    def _weighting(self, set_point):
        """Return W, what P has besides K e."""
        return self.gain * (self.b - 1.0) * self.direction * set_point

    def _starting(self, output, proportional, weighting, derivative, feed_forward):
        """Return the I from which the output starts at `output`.

        At a limit that the error pushes against, I may be anything beyond. Where the load would be outside
        the range, it is taken to be what is at the limit.
        """
        integral = output - proportional - derivative - feed_forward
        outside = self._outside(integral + weighting, feed_forward)
        if (outside < 0.0 and output >= self.out_max) or (outside > 0.0 and output <= self.out_min):
            integral = output - weighting - derivative - feed_forward
        return integral

    def _outside(self, load, feed_forward):
        """Return how far `load` is above (+) or below (-) the range, with `feed_forward` or without."""
        low = self.out_min
        high = self.out_max
        if feed_forward > 0.0:
            low -= feed_forward
        else:
            high -= feed_forward
        if load > high:
            return load - high
        if load < low:
            return load - low
        return 0.0

    def _derivative(self, set_point, process_value, dt_s):
        """Return D one backward difference later."""
        if not self.td_s > 0.0:
            return 0.0
        rise = 0.0
        if self._in_sequence:
            rise = self.c * (set_point - self.set_point) - (process_value - self.process_value)
        lag = self.td_s + self.n * dt_s
        if not lag > 0.0:
            return 0.0
        # The division does not wait for the process value.
        kept = self.td_s / lag
        return _flushed(kept * (self.derivative + self.gain * self.n * self.direction * rise))

    def _limited(self, demand, dt_s):
        # Written so that a limit that is NaN gives NaN.
        out = demand
        if not self.rate_per_s <= 0.0:
            change = self.rate_per_s * dt_s
            if out > self.out + change:
                out = self.out + change
            elif not out >= self.out - change:
                out = self.out - change
        if out > self.out_max or self.out_max != self.out_max:
            out = self.out_max
        if out < self.out_min or self.out_min != self.out_min:
            out = self.out_min
        return out

    def _settle(self, output):
        self.out = output
        if output < self.demand:
            self.saturated = 1
        elif output > self.demand:
            self.saturated = -1
        else:
            self.saturated = 0

    def _remember(self, set_point, process_value, proportional, integral, derivative):
        self.set_point = set_point
        self.process_value = process_value
        self.proportional = proportional
        self.integral = integral
        self.derivative = derivative
        self._in_sequence = True
        self._forced = False
        self.flag = _OK


def _flushed(state):
    """Return `state`, or zero if nothing can be seen of it: denormal numbers cost five times the time."""
    if -1.0e-30 < state < 1.0e-30:
        return 0.0
    return state
