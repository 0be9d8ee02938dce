"""Models from the limit cycle that ``cext.relay.Relay`` has measured, exact for the process they assume.

Between two switches the output of a relay is constant, so the process value of one lag, or of an integrator,
runs along known curves: for L after a switch it goes on as before (to the peak), then it turns.

    one lag      peak = level - (level - threshold) e^(-L/T),  level: where the process value would settle
                 time from the peak to the other threshold = T ln((level - peak)/(level - threshold))
    integrator   peak = threshold + slope L

With equal levels and no hysteresis: a = K d (1 - e^(-L/T)), P = 2 T ln(2 e^(L/T) - 1). Source: Q.-G. Wang,
C.-C. Hang and B. Zou, Low-order modeling from relay feedback, Ind. Eng. Chem. Res. 36 (1997) 375-381.
"""

import math
from dataclasses import dataclass

from scipy.optimize import brentq

from edge.tune.process import Process

# What Relay.state says, in words.
STATES = {
    0: "running",
    1: "done",
    2: "the process value left its bounds",
    3: "a half cycle took too long: the process value did not come back",
    4: "time over with too few complete cycles",
    5: "time over, and the cycles do not agree: noise, a load, or a process value that drifts",
    6: "the process value or the time step was not a usable number",
    7: "stopped by hand",
}
# A cycle whose halves differ by less than this share of it does not tell the static gain.
LEAST_ASYMMETRY = 0.05


class CycleError(Exception):
    """A cycle from which no model follows; says why."""


@dataclass(frozen=True)
class Cycle:
    """A limit cycle, as deviations from the set point.

    `swing` out_high - out_low; `hysteresis` half width; `peak` >= hysteresis above (in the sense of the
    action) and `trough` >= hysteresis below the set point; `up_s` and `down_s` how long the output drove up
    and down; `direction` +1.0 or -1.0 as in ``cext.relay``.
    """

    swing: float
    hysteresis: float
    peak: float
    trough: float
    up_s: float
    down_s: float
    direction: float = 1.0

    def __post_init__(self):
        positive = (self.swing, self.peak, self.trough, self.up_s, self.down_s)
        if not all(math.isfinite(value) and value > 0.0 for value in positive):
            raise CycleError("the cycle is not complete: swing, peak, trough and both times must be above 0")
        if not 0.0 <= self.hysteresis < min(self.peak, self.trough):
            raise CycleError("the process value turns within the hysteresis: the relay has chattered")

    @classmethod
    def of(cls, relay) -> "Cycle":
        """Return the cycle of a finished ``cext.relay.Relay``; CycleError where it was aborted."""
        if relay.state != 1:
            raise CycleError(f"the relay experiment gave no cycle: {STATES[relay.state]}")
        forward = relay.direction > 0.0
        return cls(
            swing=relay.out_high - relay.out_low,
            hysteresis=relay.hysteresis,
            peak=relay.pv_above if forward else relay.pv_below,
            trough=relay.pv_below if forward else relay.pv_above,
            up_s=relay.high_s,
            down_s=relay.low_s,
            direction=relay.direction,
        )

    @property
    def asymmetry(self) -> float:
        """(up - down) / period, -1..1."""
        return (self.up_s - self.down_s) / (self.up_s + self.down_s)


def static_gain(relay, rest_value: float) -> float:
    """Return the static gain from the means of an uneven cycle, for any process that rests at `rest_value`.

    `rest_value` is the process value that out_rest holds; with `relay` a finished ``cext.relay.Relay``.
    CycleError where the mean output is too close to rest to divide by.
    """
    share = relay.high_s / relay.period_s
    mean = relay.out_low + share * (relay.out_high - relay.out_low) - relay.out_rest
    if abs(mean) < 0.5 * LEAST_ASYMMETRY * (relay.out_high - relay.out_low):
        raise CycleError("the mean output of the cycle is too close to its resting level: use uneven levels")
    return (relay.pv_mean - rest_value) / mean


def fopdt(cycle: Cycle, gain: float | None = None) -> Process:
    """Return the model with one lag and a dead time that has exactly this cycle.

    `gain` is the static gain (its sign is that of `cycle.direction`), None to find it too, which an uneven
    cycle allows. CycleError where the cycle is even and no gain given, or where no such model has this cycle.
    """
    if gain is None:
        decay = _decay_of_uneven(cycle)
    else:
        reach = abs(gain) * cycle.swing
        decay = (reach - cycle.peak - cycle.trough) / (reach - 2.0 * cycle.hysteresis)
        if not 0.0 < decay < 1.0:
            raise CycleError(f"with gain {gain:g} and one lag a process can't swing so far: is it right?")
    above, below, down_logarithm, up_logarithm = _curves(cycle, decay)
    delays = -math.log(decay)
    lag_s = (cycle.up_s + cycle.down_s) / (2.0 * delays + down_logarithm + up_logarithm)
    return Process(math.copysign((above + below) / cycle.swing, cycle.direction), (lag_s,), delays * lag_s)


def _curves(cycle: Cycle, decay: float) -> tuple:
    """Return where the process value would settle above and below, and both times to a threshold in lags.

    `decay` is e^(-L/T).
    """
    above = (cycle.peak - cycle.hysteresis * decay) / (1.0 - decay)
    below = (cycle.trough - cycle.hysteresis * decay) / (1.0 - decay)
    down = math.log((cycle.peak + below) / (below - cycle.hysteresis))
    up = math.log((cycle.trough + above) / (above - cycle.hysteresis))
    return above, below, down, up


def _decay_of_uneven(cycle: Cycle) -> float:
    """Return e^(-L/T) from how much longer one half lasts than the other."""
    if abs(cycle.asymmetry) < LEAST_ASYMMETRY:
        raise CycleError("both halves of the cycle last equally long: give the gain, or use uneven levels")

    def mismatch(decay):
        _, _, down, up = _curves(cycle, decay)
        delays = -math.log(decay)
        return cycle.up_s * (delays + down) - cycle.down_s * (delays + up)

    low, high = 1e-9, 1.0 - 1e-9
    if mismatch(low) * mismatch(high) > 0.0:
        raise CycleError("no process with one lag and a dead time has a cycle as uneven as this one")
    return brentq(mismatch, low, high, xtol=1e-15)


def integrating(cycle: Cycle) -> Process:
    """Return the integrating model with dead time that has this cycle; CycleError without a dead time."""
    rising, falling = cycle.peak - cycle.hysteresis, cycle.trough - cycle.hysteresis
    if not rising > 0.0 or not falling > 0.0:
        raise CycleError("the process value turns at once: no dead time to measure")
    # Both halves tell the dead time: L + the way from the peak to the other threshold at the falling slope.
    down_s = cycle.down_s / (1.0 + (cycle.peak + cycle.hysteresis) / falling)
    up_s = cycle.up_s / (1.0 + (cycle.trough + cycle.hysteresis) / rising)
    delay_s = 0.5 * (down_s + up_s)
    rate = (rising + falling) / (delay_s * cycle.swing)
    return Process(math.copysign(rate, cycle.direction), (), delay_s, integrating=True)
