"""A relay experiment on a running loop: bounded, ended by a person, a limit or a time, and without a bump.

The node measures; settings are proposed from the cycle and taken by a person. The arithmetic is cext.relay.
"""

from cext.relay import Relay
from edge.node.signals import BAD

ENDS = (
    "running",
    "done",
    "the process value went too far",
    "a half cycle took too long",
    "the time is over with too few cycles",
    "the time is over and the cycles do not agree",
    "the process value was lost",
    "stopped",
)


class Autotune:
    """Swings the demand of a PID ``loop``, set before the start, by ``swing`` either side of where it rests.

    It begins where the loop is at rest; ends after three equal cycles, when the process value is further than
    ``furthest`` from the set-point, after ``longest_min``, when the loop loses its process value or its
    output, or by stop(). The old settings stay; ``proposal``: (gain, ti_s) or None, taken only by accept().
    ``cycle``: period in s, amplitude in units of the process value, ultimate gain.

    Rule: PI with K = Ku / 8 and Ti = 3 Tu. It is calm: its sensitivity Ms is below 2 on one to five lags, on
    dead times up to ten lags and on integrators, which tests/node/control/test_autotune.py proves.
    """

    GAIN_OF_ULTIMATE = 0.125
    TI_OF_PERIOD = 3.0

    def __init__(self, name: str, spec: dict):
        self.name = name
        self.loop = None
        self.state = "idle"
        self.why = ""
        self.proposal = None
        self.cycle = None
        self._spec = spec
        self._relay = None

    @property
    def running(self) -> bool:
        """Whether the experiment has the loop."""
        return self._relay is not None

    def start(self):
        """Begin; ValueError where the loop does not control, or there is no room for the swing."""
        loop = self.loop
        if self.running:
            raise ValueError("autotune %s already runs" % self.name)
        if not loop.controls():
            raise ValueError("loop %s does not control: %s" % (loop.name, loop.mode))
        if loop.set_point.lead is not None:
            raise ValueError(
                "programme %s leads loop %s: stop it first" % (loop.set_point.lead.name, loop.name)
            )
        rest = loop.demand.realised
        swing = self._spec["swing"]
        if not (loop.low <= rest - swing and rest + swing <= loop.high):
            raise ValueError(
                "loop %s rests at %.1f: a swing of %.1f does not fit into %.1f..%.1f"
                % (loop.name, rest, swing, loop.low, loop.high)
            )
        set_point = loop.set_point.value
        furthest = self._spec["furthest"]
        hysteresis = self._spec["hysteresis"]
        if not abs(loop.pv.value - set_point) <= hysteresis:
            raise ValueError("loop %s is not at rest at its set-point" % loop.name)
        relay = Relay(
            set_point,
            hysteresis,
            rest - swing,
            rest,
            rest + swing,
            set_point - furthest,
            set_point + furthest,
            self._spec["longest_min"] * 60.0,
        )
        relay.direction = loop.pid.direction
        loop.hand.take(rest)
        self._relay = relay
        self.state = "running"
        self.why = ""
        self.proposal = None
        self.cycle = None

    def stop(self):
        """End it; the loop goes on with its old settings."""
        if not self.running:
            raise ValueError("autotune %s does not run" % self.name)
        self._end("stopped", "")

    def accept(self):
        """Take the proposal into the running controller, without a bump; the node file stays as it is."""
        if self.proposal is None:
            raise ValueError("autotune %s has nothing to accept" % self.name)
        pid = self.loop.pid
        gain, ti_s = self.proposal
        pid.tune(gain, ti_s, 0.0, pid.b, pid.c, pid.n)
        self.state = "accepted"
        self.proposal = None

    def step(self, dt_s: float):
        """Once a tick, before the blocks."""
        if self._relay is None:
            return
        loop = self.loop
        if not loop.hand.on or loop.demand.away or loop.pv.quality == BAD:
            self._end("ended", loop.demand.away or loop.blind() or "the loop was taken out of its hand")
            return
        relay = self._relay
        loop.hand.change(relay.step(loop.pv.value, dt_s), 0.0)
        if relay.state == 0:
            return
        if relay.state != 1:
            self._end("ended", ENDS[relay.state])
            return
        ultimate = relay.ultimate_gain()
        self.cycle = (relay.period_s, relay.amplitude(), ultimate)
        if not ultimate > 0.0:
            self._end("ended", "the cycle is no larger than the hysteresis")
            return
        self.proposal = (self.GAIN_OF_ULTIMATE * ultimate, self.TI_OF_PERIOD * relay.period_s)
        gain, ti_s = self.proposal
        self._end("proposes", "gain %.3g, ti_s %.3g: autotune %s accept" % (gain, ti_s, self.name))

    def _end(self, state: str, why: str):
        self.state = state
        self.why = why
        self._relay = None
        if self.loop.hand.on:
            self.loop.hand.give_back()
