"""An auxiliary burner by temperature: when it shall burn and how much. A certified burner control lights it."""

from cext.pid import PID
from edge.node.control.block import Block
from edge.node.control.demand import Demand
from edge.node.control.pid import REVERSE
from edge.node.control.set_point import SetPoint
from edge.node.signals import BAD


class Burner(Block):
    """Starts below ``start_below``, or when falling through ``start_falling_below``; stops when it has been
    above ``stop_above`` for ``stop_after_s``; between, a PI holds the set-point at no less than ``minimum``.

    ``running`` and ``lockout``: what the burner control says. Until it reports running, after a start and
    after every reset, no more than ``minimum``, low fire, is asked. In lockout nothing is. ``unlit``: it has
    been asked for ``lights_within_s`` and does not run. It never lights, purges or proves a flame.
    ``release``: a second demand, for the burner control: 100 while the burner shall burn, else 0.
    """

    # The trend is judged against the temperature of about this long ago.
    TREND_S = 20.0
    # Less than this much below it is not falling but noise, in K.
    FALL_K = 0.5

    def __init__(self, name: str, spec: dict, lookup):
        pv = lookup(spec["pv"])
        Block.__init__(self, "loop", name, spec, [pv])
        self.set_point = SetPoint(self.reference, pv.unit, spec)
        self.pv = pv
        self.running = lookup(spec["running"])
        self.lockout = lookup(spec["lockout"])
        self.release = None
        self.release_to = spec.get("release")
        if self.release_to:
            self.release = Demand(self.reference + ".release", "%")
        self.start_falling_below = spec["start_falling_below"]
        self.start_below = spec["start_below"]
        self.stop_above = spec["stop_above"]
        self.stop_after_ms = int(spec["stop_after_s"] * 1000)
        self.minimum = spec["minimum"]
        self.lights_within_ms = int(spec["lights_within_s"] * 1000)
        pid = PID(spec["gain"], spec["ti_s"], 0.0)
        pid.direction = REVERSE
        pid.out_min = spec["minimum"]
        pid.out_max = self.high
        self.pid = pid
        self.burning = False
        self.unlit = False
        self._slow = None
        self._hot_ms = -1
        self._asked_ms = -1
        self._stepped = False

    def forward(self, dt_s: float, now_ms: int):
        """Give this tick's demand."""
        self._stepped = False
        Block.forward(self, dt_s, now_ms)
        if self.mode == "refused":
            # The output is about to go to 0: the burner starts anew, by its rule.
            self.burning = False
        if self.mode in ("refused", "manual"):
            self._slow = None
        asked = demand_is_for_fire(self.demand)
        if self.release is not None:
            # It goes with a trip or an interlock: after that the burner starts through its sequence again.
            self.release.ask(100.0 if asked else 0.0)
        self._watch(asked, now_ms)

    def calculate(self, dt_s: float, now_ms: int) -> float:
        """No demand, low fire, or what the controller asks for."""
        temp_c = self.pv.value
        if self._slow is None:
            # A node that takes over a burning burner lets it burn until its rule stops it.
            self._slow = temp_c
            self.burning = self.demand.realised >= 0.5 * self.minimum
        self._decide(temp_c, dt_s, now_ms)
        if not self.burning or self._locked():
            self.mode = self.demand.away or ("lockout" if self._locked() else "off")
            return 0.0
        if self.running.quality == BAD or not self.running.value > 0.5:
            self.mode = self.demand.away or "lighting"
            return self.minimum
        if self.demand.away:
            return self.demand.realised
        self._stepped = True
        return self.pid.step(self.set_point.value, temp_c, 0.0, dt_s)

    def backward(self, dt_s: float):
        """The controller follows low fire until it has the burner."""
        demand = self.demand
        if demand.realised is None:
            return
        temp_c = self.pv.value if self.pv.quality != BAD else float("nan")
        realised = demand.realised if demand.realised > self.minimum else self.minimum
        if self._stepped and not demand.away:
            self.pid.realised(realised)
        else:
            self.pid.follow(self.set_point.value, temp_c, 0.0, realised, 0.0 if self._stepped else dt_s)

    def _decide(self, temp_c: float, dt_s: float, now_ms: int):
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

    def _locked(self) -> bool:
        return self.lockout.quality == BAD or self.lockout.value > 0.5

    def _watch(self, asked: bool, now_ms: int):
        """Whether it burns in time, while it is asked to and may."""
        lit = self.running.quality != BAD and self.running.value > 0.5
        if not asked or lit:
            self._asked_ms = -1
        elif self._asked_ms < 0:
            self._asked_ms = now_ms
        self.unlit = self._asked_ms >= 0 and now_ms - self._asked_ms >= self.lights_within_ms


def demand_is_for_fire(demand) -> bool:
    """Whether a demand asks for fire and can get it."""
    return demand.quality != BAD and demand.value > 0.0 and demand.away in ("", "hand", "unknown")
