"""How far a PID on the floats of a small chip may be from the 64-bit one: a running error bound.

Each operation rounds its result by at most UNIT of it. What becomes of that is followed through the
controller's equations along the run of the 64-bit one (N. J. Higham, Accuracy and Stability of Numerical
Algorithms, 2nd ed., section 3.3). The filter of D and the back-calculation are contractions, and limits never
widen a difference; so errors pile up in I alone, by what an addition to I rounds, until the hand or a limit
sets I anew.
"""

from math import inf

from hil_tests.chip_floats import UNIT


class Snapshot:
    """What the bound needs to know of a PID after a call."""

    def __init__(self, pid):
        self.gain, self.ti, self.td = pid.gain, pid.ti_s, pid.td_s
        self.n, self.b, self.c = pid.n, pid.b, pid.c
        self.direction = pid.direction
        # Those that P and D depend on: where they change, I takes the difference.
        self.parameters = (self.gain, self.b, pid.direction, pid.dead_band, self.td)
        self.tt = pid.tt_s or self.ti
        self.out_min, self.out_max, self.rate = pid.out_min, pid.out_max, pid.rate_per_s
        self.p, self.i, self.d = pid.proportional, pid.integral, pid.derivative
        self.out, self.demand, self.flag = pid.out, pid.demand, pid.flag
        self.set_point, self.process_value = pid.set_point, pid.process_value
        self.forced = pid.state()[7] != 0.0

    def size_p(self, of):
        """Size of what P is made of, error and weighting, with the inputs `of` a snapshot."""
        return self.gain * (abs(of.set_point - of.process_value) + abs((self.b - 1.0) * of.set_point))


class Rounding:
    """Bounds ``out``, ``demand``, ``integral``, ``derivative`` after each call that after() was told of."""

    def __init__(self, pid):
        self.out = self.demand = self.integral = self.derivative = self.proportional = 0.0
        self._last = Snapshot(pid)
        self._parameters = self._last.parameters  # those that P was computed with
        self._free = True  # the last output is the demand, on the chip as well

    def after(self, name, arguments, pid):
        """Take account of one call and of the state that it left."""
        before, self._last = self._last, Snapshot(pid)
        getattr(self, "_" + name, lambda *_: None)(before, self._last, *arguments)

    def saturated_is_certain(self):
        """Whether rounding can't have put the output on the other side of the demand."""
        return self._free or abs(self._last.out - self._last.demand) > self.out + self.demand

    def _parts(self, before, now, dt):
        """Errors of P and D."""
        self.proportional = 6 * UNIT * now.size_p(now)
        self._parameters = now.parameters
        if now.td:
            lag = now.td + now.n * dt
            rise = abs(now.process_value - before.process_value)
            rise += now.c * abs(now.set_point - before.set_point)
            size = (now.td * abs(before.d) + now.gain * now.td * now.n * rise) / lag
            self.derivative = now.td / lag * self.derivative + 12 * UNIT * size
        else:
            self.derivative = 0.0

    def _step(self, before, now, set_point, process_value, feed_forward, dt):
        if now.flag:
            return
        size = abs(before.i) + abs(now.i)
        integral = self.integral
        if not self._free and now.ti:
            # What I becomes is a mean of I and of output - P - D - feed-forward.
            share = min(1.0, dt / now.tt)
            rest = self.out + self.proportional + self.derivative
            rest += 3 * UNIT * (abs(before.p) + abs(before.d) + abs(before.demand))
            mean = (1.0 - share) * integral + share * rest
            certain = abs(before.out - before.demand) > self.out + self.demand
            integral = mean if certain else max(integral, rest)
            integral += UNIT * (5 * share * abs(before.out - before.demand) + size)
        if now.parameters != self._parameters:
            integral += self.proportional + UNIT * (7 * now.size_p(before) + abs(before.p) + size)
            if not now.td:
                integral += self.derivative + UNIT * (abs(before.d) + size)
        self._parts(before, now, dt)
        if before.forced:
            size += abs(before.out) + abs(now.p) + abs(now.d) + abs(feed_forward)
            integral = self.out + self.proportional + self.derivative + 3 * UNIT * size
        if now.ti:
            if self._may_have_given_up(now, feed_forward, dt):
                # I became the nearest of itself, a limit - W and a limit - P - D - feed-forward.
                given = abs(now.p) + abs(now.d) + abs(feed_forward) + abs(now.demand) + now.size_p(now)
                integral = max(integral, self.proportional + self.derivative) + 4 * UNIT * (given + size)
            integral += UNIT * (6 * now.gain * dt / now.ti * abs(set_point - process_value) + size)
        self.integral = integral
        size = abs(now.p) + abs(now.i) + abs(now.d) + abs(feed_forward)
        self.demand = self.integral + self.proportional + self.derivative + 3 * UNIT * size
        self._limited(before, now, dt)

    def _may_have_given_up(self, now, feed_forward, dt):
        """Whether before its last addition I may have given up what of the load was outside the range."""
        weighting = now.gain * (now.b - 1.0) * now.direction * now.set_point
        added = dt / now.ti * (now.p - weighting)
        load, demand = now.i - added + weighting, now.demand - added
        doubt = 1000 * UNIT * (abs(now.i) + abs(now.p) + abs(now.d) + abs(added) + abs(weighting) + 100.0)
        if now.out_min + doubt < demand < now.out_max - doubt:
            return False
        at_limit = min(abs(demand - now.out_min), abs(demand - now.out_max)) < doubt
        low, high = now.out_min - max(feed_forward, 0.0), now.out_max - min(feed_forward, 0.0)
        return at_limit or not low + doubt < load < high - doubt

    def _limited(self, before, now, dt):
        """Error of the output: that of the demand, of a limit, or of the last output."""
        reach = now.rate * dt if now.rate else inf
        last = self.out if now.rate else 0.0
        room = min(now.out_max - now.demand, now.demand - now.out_min, reach - abs(now.demand - before.out))
        doubt = self.demand + last + 2 * UNIT * (abs(now.out) + abs(now.demand))
        self._free = room > doubt
        if self._free:
            self.out = self.demand
        elif room < -doubt:
            self.out = last + 2 * UNIT * (abs(now.out) + reach) if now.rate else 0.0
        else:
            self.out = doubt + 2 * UNIT * (reach if now.rate else 0.0)

    def _follow(self, before, now, set_point, process_value, feed_forward, output, dt):
        if output - output != 0.0:
            return
        self.out = self.demand = 0.0
        self._free = True
        if now.forced:
            return
        if now.flag == 0:
            self._parts(before, now, dt)
        else:
            self.proportional = 6 * UNIT * now.size_p(now)
            self._parameters = now.parameters
        size = abs(output) + abs(now.p) + abs(now.d) + abs(feed_forward)
        if now.demand != output:
            # The error pushes against a limit: it is beyond the output, and not in I.
            size += abs(now.demand) + now.size_p(now)
            self.demand = self.proportional + 4 * UNIT * size
            self._free = False
        self.integral = self.proportional + self.derivative + 4 * UNIT * size

    def _realised(self, before, now, output):
        if output - output == 0.0:
            self.out = 0.0
            self._free = False

    def _limit(self, before, now, *_limits):
        if now.ti:
            size = abs(before.p) + abs(before.i) + abs(before.d) + abs(before.demand) + abs(now.i)
            self.integral = self.out + self.proportional + self.derivative + 5 * UNIT * size
            self.demand = self.out
            self._free = True
