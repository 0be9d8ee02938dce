"""PI settings from the limit cycle that ``cext.relay.Relay`` has measured.

    gain = Ku / 8,   Ti = 3 Pu      Ku the ultimate gain by the describing function, Pu the cycle's period

The form is that of J. G. Ziegler and N. B. Nichols, Optimum settings for automatic controllers, Trans. ASME
64 (1942) 759-768, whose constants (0.45 and 0.83) are for a decay by a quarter. These keep Ms <= 2 on lags of
one to five orders, with and without dead time, and on integrators with a lag (tests/tune/test_cycle.py), and
allow for the 30 % that the describing function errs. A model with one lag would have the cycle of any of
these processes and be wrong: Ms 2.3 to 4.4 where there are more lags.
"""

import math

from edge.tune.rules import Tuning

GAIN_SHARE = 1.0 / 8.0
PERIODS = 3.0
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


class CycleError(Exception):
    """A relay experiment from which no setting follows; says why."""


def tuning(relay) -> Tuning:
    """Return the PI setting for a finished ``cext.relay.Relay``.

    CycleError where the experiment was aborted, or where the process value turned within the hysteresis.
    """
    if relay.state != 1:
        raise CycleError(f"the relay experiment gave no cycle: {STATES[relay.state]}")
    ultimate_gain = relay.ultimate_gain()
    if not math.isfinite(ultimate_gain):
        raise CycleError("the process value turns within the hysteresis: the relay has chattered")
    return Tuning(
        GAIN_SHARE * ultimate_gain,
        PERIODS * relay.period_s,
        direction=relay.direction,
        rule="relay PI",
    )
