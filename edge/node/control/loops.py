"""Loops: from signals to a demand on an output. All numbers come from cext.

A loop whose signals are bad refuses its output, which then goes to its safe value. While an
output is forced, its loop holds what it last asked for; afterwards the output's rate limit leads
back to it, so that a short fault costs no wind-up and no bump.
"""

from cext.pid import PID
from edge.node.guard.outputs import AUTO
from edge.node.signals import BAD

REVERSE = 1
DIRECT = -1


class Loop:
    """What all loops share: a name, an output, the sources that must not be bad."""

    def __init__(self, name: str, output, sources: list):
        self.name = name
        self.output = output
        self.sources = sources
        self.set_point = None
        self.set_point_low = None
        self.set_point_high = None
        self.mode = "waiting"

    def step(self, dt_s: float, now_ms: int):
        """Once a tick: request or refuse."""
        output = self.output
        for source in self.sources:
            if source.quality == BAD:
                self.mode = "refused"
                output.refuse(source.name + ": " + source.why)
                return
        if output.value is None:
            self.mode = "waiting"
            return
        self.mode = output.state
        output.request(self.demand(dt_s, now_ms, output.state == AUTO))

    def demand(self, dt_s: float, now_ms: int, free: bool) -> float:
        """The demand in percent; ``free``: the output followed the last one, limits aside."""
        return 0.0

    def change_set_point(self, value: float):
        """Move the set-point; ValueError outside its limits or where there is none."""
        if self.set_point is None:
            raise ValueError("loop %s has no set-point" % self.name)
        if not (self.set_point_low <= value <= self.set_point_high):
            raise ValueError(
                "set-point %s of loop %s is outside %s..%s"
                % (value, self.name, self.set_point_low, self.set_point_high)
            )
        self.set_point = value

    def _take_set_point(self, spec: dict):
        self.set_point = spec["set_point"]
        self.set_point_low = spec["set_point_low"]
        self.set_point_high = spec["set_point_high"]


class PidLoop(Loop):
    """One PID from a process value to an output, with feed-forward where given."""

    def __init__(self, name: str, spec: dict, output, pv, feed_forward):
        Loop.__init__(self, name, output, [pv] if feed_forward is None else [pv, feed_forward])
        self._take_set_point(spec)
        self.pv = pv
        self.feed_forward = feed_forward
        self.feed_forward_gain = spec.get("feed_forward_gain", 0.0)
        pid = PID(spec["gain"], spec["ti_s"], spec["td_s"])
        pid.b = spec["b"]
        pid.direction = REVERSE if spec["action"] == "reverse" else DIRECT
        pid.out_min = output.low
        pid.out_max = output.high
        self.pid = pid
        self._started = False

    def demand(self, dt_s: float, now_ms: int, free: bool) -> float:
        pid = self.pid
        forward = 0.0
        if self.feed_forward is not None:
            forward = self.feed_forward_gain * self.feed_forward.value
        if not self._started:
            self._started = True
            return pid.follow(self.set_point, self.pv.value, forward, self.output.value, dt_s)
        if not free:
            return pid.follow(self.set_point, self.pv.value, forward, pid.out, dt_s)
        pid.realised(self.output.value)
        return pid.step(self.set_point, self.pv.value, forward, dt_s)


class RatioLoop(Loop):
    """demand = bias + ratio x source."""

    def __init__(self, name: str, spec: dict, output, source):
        Loop.__init__(self, name, output, [source])
        self.source = source
        self.ratio = spec["ratio"]
        self.bias = spec["bias"]

    def demand(self, dt_s: float, now_ms: int, free: bool) -> float:
        return self.bias + self.ratio * self.source.value
