"""Loops that only a furnace has: O2 trim on secondary air, and the auxiliary burner."""

from cext.pid import PID
from edge.node.control.loops import REVERSE, Loop
from edge.node.signals import BAD


class TrimLoop(Loop):
    """O2 trim: demand = ratio x source x trim, trim = 1 + PI(set-point - O2) within trim_low..trim_high.

    On a grate the secondary air must burn out what a changing waste bed gives off, so its trim
    moves far more than the 0.85..1.15 usual for gas.
    """

    def __init__(self, name: str, spec: dict, output, pv, source):
        Loop.__init__(self, name, output, [pv, source])
        self._take_set_point(spec)
        self.pv = pv
        self.source = source
        self.ratio = spec["ratio"]
        pid = PID(spec["gain"], spec["ti_s"], 0.0)
        pid.direction = REVERSE
        pid.out_min = spec["trim_low"]
        pid.out_max = spec["trim_high"]
        self.pid = pid
        self._started = False

    def start_over(self):
        self._started = False

    def follow(self, dt_s: float) -> float:
        base = self.ratio * self.source.value
        if base > 0.0 and self.pv.quality != BAD:
            self.pid.follow(self.set_point, self.pv.value, 1.0, self.output.value / base, dt_s)
        return self.output.value

    def demand(self, dt_s: float, now_ms: int, free: bool) -> float:
        pid = self.pid
        base = self.ratio * self.source.value
        if base <= 0.0:
            return 0.0
        applied = self.output.value / base
        if not self._started:
            self._started = True
            return self.follow(dt_s)
        if not free:
            trim = pid.follow(self.set_point, self.pv.value, 1.0, pid.out, dt_s)
        else:
            pid.realised(applied)
            trim = pid.step(self.set_point, self.pv.value, 1.0, dt_s)
        return base * trim


class BurnerLoop(Loop):
    """Auxiliary burner by temperature.

    Starts when the temperature falls below ``start_falling_below`` or is less than ``start_below``;
    stops when it has been above ``stop_above`` for ``stop_after_s``; between, a PI holds the
    set-point at no less than ``minimum`` percent. It only modulates: ignition, flame supervision
    and lockout belong to the certified burner control.
    """

    # The trend is judged against the temperature of about this long ago.
    TREND_S = 20.0
    # Less than this much below it is not falling but noise, in K.
    FALL_K = 0.5

    def __init__(self, name: str, spec: dict, output, pv):
        Loop.__init__(self, name, output, [pv])
        self._take_set_point(spec)
        self.pv = pv
        self.start_falling_below = spec["start_falling_below"]
        self.start_below = spec["start_below"]
        self.stop_above = spec["stop_above"]
        self.stop_after_ms = int(spec["stop_after_s"] * 1000)
        self.minimum = spec["minimum"]
        pid = PID(spec["gain"], spec["ti_s"], 0.0)
        pid.direction = REVERSE
        pid.out_min = spec["minimum"]
        pid.out_max = output.high
        self.pid = pid
        self.burning = False
        self._slow = None
        self._hot_ms = -1

    def step(self, dt_s: float, now_ms: int):
        if self.pv.quality == BAD:
            # The output is about to go to 0: the burner must start anew, by its rule.
            self.burning = False
            self.start_over()
        Loop.step(self, dt_s, now_ms)

    def start_over(self):
        self._slow = None
        self._hot_ms = -1

    def demand(self, dt_s: float, now_ms: int, free: bool) -> float:
        temp_c = self.pv.value
        if self._slow is None:
            self._slow = temp_c
            # A node that takes over a burning burner lets it burn until its rule stops it.
            self.burning = self.output.value >= 0.5 * self.minimum
            self.pid.follow(self.set_point, temp_c, 0.0, self.output.value, dt_s)
        falling = temp_c < self._slow - self.FALL_K
        self._slow += (temp_c - self._slow) * dt_s / (self.TREND_S + dt_s)
        if not self.burning:
            if temp_c < self.start_below or (falling and temp_c < self.start_falling_below):
                self.burning = True
                self._hot_ms = -1
        elif temp_c <= self.stop_above:
            self._hot_ms = -1
        elif self._hot_ms < 0:
            self._hot_ms = now_ms
        elif now_ms - self._hot_ms >= self.stop_after_ms:
            self.burning = False
        if not self.burning:
            self.pid.follow(self.set_point, temp_c, 0.0, self.minimum, dt_s)
            return 0.0
        if not free:
            return self.pid.follow(self.set_point, temp_c, 0.0, self.pid.out, dt_s)
        if self.output.value >= self.minimum:
            self.pid.realised(self.output.value)
        return self.pid.step(self.set_point, temp_c, 0.0, dt_s)
