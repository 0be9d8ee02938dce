"""Two PID controllers in cascade, and one whose parameters follow a table."""

_OK = 0
_NON_FINITE = 1


class Cascade:
    """Cascade: the output of the `outer` PID is the set point of the `inner` one.

    `outer` and `inner` are PIDs; the outer one's out_min and out_max are the range of the inner set point, in
    the unit of the inner process value. The inner loop should be several times faster than the outer one.

    Call one of the three every tick; any may follow any other without a bump:
      step()       cascade: both controllers are in automatic
      automatic()  the inner one is in automatic with the operator's set point, which the outer one tracks
      follow()     the inner one is in manual; the outer one tracks the inner process value, so that the
                   inner error is zero when step() takes over

    While the output of the inner loop is cut off (by its limits, its rate limit or, said by realised(),
    downstream), the outer loop cannot move it further, and only winds up. Then, as far as its output pushes
    that way beyond what the inner loop has reached, it is told that it realised the inner process value, and
    its integral waits there. It leaves the other way at once.

    Source: K. J. Astrom and T. Hagglund, Advanced PID Control (ISA, 2006), on cascade control: the
    primary controller tracks the process value of the secondary one while that is saturated.

    Attributes, for reading: outer, inner; their `flag` tells which of the two holds its output.
    """

    def __init__(self, outer, inner):
        self.outer = outer
        self.inner = inner

    def step(self, set_point, outer_value, inner_value, feed_forward, dt_s):
        """Run both controllers once and return the output of the inner one.

        `set_point` and `outer_value` in the unit of the outer loop, `inner_value` in that of the inner loop,
        `feed_forward` in units of the output, `dt_s` as for PID.step(). A non-finite `outer_value` or
        `set_point` leaves the inner loop at the held set point, outer.flag 1; a non-finite `inner_value`
        holds the outputs of both, and the outer one goes on from there without a bump.
        """
        outer = self.outer
        inner = self.inner
        if inner_value - inner_value == 0.0:
            inner_set_point = outer.step(set_point, outer_value, 0.0, dt_s)
        else:
            inner_set_point = outer.follow(set_point, outer_value, 0.0, outer.out, dt_s)
        output = inner.step(inner_set_point, inner_value, feed_forward, dt_s)
        self._hold(inner_value)
        return output

    def automatic(self, inner_set_point, set_point, outer_value, inner_value, feed_forward, dt_s):
        """Control the inner process value at `inner_set_point` and return the output.

        To take over from step() without a bump, begin with inner.set_point.
        """
        self.outer.follow(set_point, outer_value, 0.0, inner_set_point, dt_s)
        return self.inner.step(inner_set_point, inner_value, feed_forward, dt_s)

    def follow(self, set_point, outer_value, inner_value, feed_forward, output, dt_s):
        """Take `output` for the inner loop from outside, as PID.follow(), and return it."""
        self.outer.follow(set_point, outer_value, 0.0, inner_value, dt_s)
        return self.inner.follow(inner_value, inner_value, feed_forward, output, dt_s)

    def realised(self, output):
        """Say, after step() or automatic(), what was really let through, as PID.realised()."""
        self.inner.realised(output)
        self._hold(self.inner.process_value)

    def _hold(self, inner_value):
        blocked = self.inner.saturated * self.inner.direction
        # An outer controller without valid inputs holds its output, and that is to stay.
        if self.outer.flag == _OK and blocked * (self.outer.out - inner_value) > 0.0:
            self.outer.realised(inner_value)


class GainSchedule:
    """Gain schedule: the parameters of a PID from tables over a measured variable, such as the load.

    `gain`, `ti_s`, `td_s` are Tables (cext/characterisers.py) over the variable: linear between the points,
    held beyond the ends, so there is nothing to switch and no hysteresis is needed. The output does not jump
    when the parameters move. ValueError if a gain or td_s is negative, or a ti_s not positive: without
    integral action each change of gain would move the manual reset for good.

    Attributes, for reading: flag 0 ok; 1 the variable was not finite and the parameters were left as they
    were.
    """

    def __init__(self, gain, ti_s, td_s):
        if not (gain.low >= 0.0 and ti_s.low > 0.0 and td_s.low >= 0.0):
            raise ValueError("GainSchedule: expected gain, td_s >= 0 and ti_s > 0 at every point")
        self._gain = gain
        self._ti_s = ti_s
        self._td_s = td_s
        self.flag = _OK

    def apply(self, pid, variable):
        """Set gain, ti_s and td_s of `pid` for `variable`; before its step()."""
        if variable - variable != 0.0:
            self.flag = _NON_FINITE
            return
        pid.gain = self._gain.value(variable)
        pid.ti_s = self._ti_s.value(variable)
        pid.td_s = self._td_s.value(variable)
        self.flag = _OK
