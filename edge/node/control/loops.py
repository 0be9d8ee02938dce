"""Loops: from signals to a demand on an output. All numbers come from cext.

A loop whose signals are bad refuses its output, which then goes to its safe value. While an
output is forced, its loop holds what it last asked for; afterwards the output's rate limit leads
back to it, so that a short fault costs no wind-up and no bump.

In manual a hand gives the demand, and it goes through the guard like any other. The hand starts from where
the output stands, and so does the controller when it takes over again. A bad signal does not take the output
from the hand, whose eyes may be elsewhere; interlocks and trips on that signal do, and a hand that was moving
by itself stops. A hand that the guard has overruled starts again from where the output then stands: nothing
jumps back by itself.
"""

from cext.pid import PID
from edge.node.control.programme import Ramp
from edge.node.guard.outputs import AUTO
from edge.node.signals import BAD

REVERSE = 1
DIRECT = -1
_NAN = float("nan")


class Loop:
    """What all loops share: a name, an output, the sources that must not be bad.

    ``mode``: waiting, refused, manual, or the output's state. ``hand``: the demand in manual, in percent.
    ``lead``: the programme that moves the set-point, or None.
    """

    def __init__(self, name: str, output, sources: list):
        self.name = name
        self.output = output
        self.sources = sources
        self.set_point = None
        self.set_point_low = None
        self.set_point_high = None
        self.mode = "waiting"
        self.manual = False
        self.hand = 0.0
        self.lead = None
        # Ramps on their way, of the set-point and of the hand.
        self._moving = None
        self._reaching = None

    def step(self, dt_s: float, now_ms: int):
        """Once a tick: request or refuse."""
        output = self.output
        if self._moving is not None:
            self.set_point = self._moving.step(int(dt_s * 1000.0 + 0.5))
            if self._moving.done:
                self._moving = None
        if self.manual:
            self._by_hand(dt_s)
            return
        why = self.blind()
        if why:
            self.mode = "refused"
            output.refuse(why)
            return
        if output.value is None:
            self.mode = "waiting"
            return
        self.mode = output.state
        output.request(self.demand(dt_s, now_ms, output.state == AUTO))

    def demand(self, dt_s: float, now_ms: int, free: bool) -> float:
        """The demand in percent; ``free``: the output followed the last one, limits aside."""
        return 0.0

    def follow(self, dt_s: float) -> float:
        """In manual, each tick: the controller takes note of where the output stands, which is returned."""
        return self.output.value

    def start_over(self):
        """The next demand begins from where the output stands."""

    def blind(self) -> str:
        """The first of its sources that is bad, and why; nothing where all can be used."""
        for source in self.sources:
            if source.quality == BAD:
                return source.name + ": " + source.why
        return ""

    def controls(self) -> bool:
        """Whether the output follows the controller."""
        return not self.manual and self.output.state == AUTO

    def change_set_point(self, value: float, rate_per_min: float = 0.0):
        """Move the set-point, at once or with ``rate_per_min``.

        ValueError outside its limits, where there is none, and while a programme leads it.
        """
        if self.set_point is None:
            raise ValueError("loop %s has no set-point" % self.name)
        if self.lead is not None:
            raise ValueError("programme %s leads loop %s: stop it first" % (self.lead.name, self.name))
        if not (self.set_point_low <= value <= self.set_point_high):
            raise ValueError(
                "set-point %s of loop %s is outside %s..%s"
                % (value, self.name, self.set_point_low, self.set_point_high)
            )
        self._moving = None
        if rate_per_min > 0.0:
            self._moving = Ramp(self.set_point, value, rate_per_min)
        else:
            self.set_point = value

    def set_manual(self, manual: bool):
        """Give the output to the hand or back; ValueError while nobody knows where it stands."""
        if manual == self.manual:
            return
        if self.output.value is None:
            raise ValueError("where output %s stands is not known yet" % self.output.name)
        self._reaching = None
        self.hand = self.output.value
        if not manual:
            self.start_over()
        self.manual = manual

    def change_output(self, value: float, rate_per_min: float = 0.0):
        """Move the hand, at once or with ``rate_per_min``; ValueError in automatic or outside the limits."""
        output = self.output
        if not self.manual:
            raise ValueError("loop %s is not in manual" % self.name)
        if not (output.low <= value <= output.high):
            raise ValueError(
                "%s is outside %s..%s of output %s" % (value, output.low, output.high, output.name)
            )
        self._reaching = None
        if rate_per_min > 0.0:
            self._reaching = Ramp(self.hand, value, rate_per_min)
        else:
            self.hand = value

    def hold(self):
        """Set-point and hand stay where they are, wherever they were going."""
        self._moving = None
        self._reaching = None

    def _by_hand(self, dt_s: float):
        output = self.output
        if output.value is None:
            self.mode = "waiting"
            return
        self.mode = "manual"
        if output.state != AUTO:
            self._reaching = None
            self.hand = output.value
        elif self._reaching is not None and self.blind():
            self._reaching = None
        elif self._reaching is not None:
            self.hand = self._reaching.step(int(dt_s * 1000.0 + 0.5))
            if self._reaching.done:
                self._reaching = None
        self.follow(dt_s)
        output.request(self.hand)

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

    def start_over(self):
        self._started = False

    def follow(self, dt_s: float) -> float:
        # Without a process value the controller starts its derivative anew when there is one again.
        value = self.pv.value if self.pv.quality != BAD else _NAN
        return self.pid.follow(self.set_point, value, self._forward(), self.output.value, dt_s)

    def _forward(self) -> float:
        if self.feed_forward is None:
            return 0.0
        return self.feed_forward_gain * self.feed_forward.value

    def demand(self, dt_s: float, now_ms: int, free: bool) -> float:
        pid = self.pid
        if not self._started:
            self._started = True
            return self.follow(dt_s)
        forward = self._forward()
        if not free:
            return pid.follow(self.set_point, self.pv.value, forward, pid.out, dt_s)
        pid.realised(self.output.value)
        return pid.step(self.set_point, self.pv.value, forward, dt_s)


class RatioLoop(Loop):
    """demand = bias + ratio x source. From manual the output's rate limit leads back to it."""

    def __init__(self, name: str, spec: dict, output, source):
        Loop.__init__(self, name, output, [source])
        self.source = source
        self.ratio = spec["ratio"]
        self.bias = spec["bias"]

    def demand(self, dt_s: float, now_ms: int, free: bool) -> float:
        return self.bias + self.ratio * self.source.value
