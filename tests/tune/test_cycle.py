"""Settings from limit cycles: the production relay on known processes, and their true margins."""

import math

import pytest

from cext.relay import Relay
from edge.tune.cycle import CycleError, tuning
from edge.tune.process import Process, Simulation
from edge.tune.robustness import examine
from tests.cext.test_relay import RELAY

# Lags in s, dead time in s, integrating.
KNOWN = [
    ((1.0,), 0.05, False), ((1.0,), 0.3, False), ((1.0,), 1.0, False), ((1.0,), 30.0, False),
    ((1.0, 1.0), 0.1, False), ((1.0, 0.2), 0.05, False), ((1.0, 1.0), 1.0, False),
    ((1.0,) * 3, 0.0, False), ((1.0,) * 3, 0.5, False), ((1.0, 0.2, 0.04, 0.008), 0.0, False),
    ((1.0, 0.1, 0.01, 0.001), 0.0, False), ((1.0,) * 4, 0.0, False), ((1.0,) * 5, 0.0, False),
    ((1.0, 0.5, 0.25, 0.125, 0.06), 0.1, False), ((3.0, 1.0, 1.0, 1.0, 1.0), 2.0, False),
    ((), 1.0, True), ((1.0,), 0.2, True), ((1.0,), 1.0, True), ((5.0,), 1.0, True), ((1.0, 1.0), 0.5, True),
]  # fmt: skip


def experiment(process: Process, hysteresis: float, low: float, high: float) -> Relay:
    """Return the relay after its experiment on `process`, 300 and more ticks a cycle."""
    dt_s = 0.002 if process.residence_s < 4.0 else 0.01
    limits = {"hysteresis": hysteresis, "out_low": low, "out_high": high, "limit_s": 1e4,
              "pv_min": -1e3, "pv_max": 1e3}  # fmt: skip
    relay, plant, value = Relay(**{**RELAY, **limits}), Simulation(process, dt_s), 0.0
    relay.direction = math.copysign(1.0, process.gain)
    while relay.state == 0:
        value = plant.step(relay.step(value, dt_s))
    return relay


@pytest.mark.parametrize(("hysteresis", "low", "high"), [(0.0, -1.0, 1.0), (0.02, -1.0, 2.0)])
@pytest.mark.parametrize(("lags", "delay_s", "integrating"), KNOWN)
def test_true_ms_is_at_most_two_on_lags_of_any_order(lags, delay_s, integrating, hysteresis, low, high):
    process = Process(-1.0, lags, delay_s, integrating)
    setting = tuning(experiment(process, hysteresis, low, high))
    margins = examine(process, setting)
    assert margins.stable and 1.05 < margins.ms <= 2.0, margins
    assert setting.direction == -1.0 and setting.td_s == 0.0


def test_setting_by_hand():
    """K = T = L = d = 1: a = 1 - 1/e, Pu = 2 ln(2e - 1), Ku = 4/(pi a)."""
    setting = tuning(experiment(Process(1.0, (1.0,), 1.0), 0.0, -1.0, 1.0))
    assert setting.gain == pytest.approx(4.0 / (math.pi * 0.63212) / 8.0, rel=0.005)
    assert setting.ti_s == pytest.approx(3.0 * 2.97976, rel=0.005)
    assert setting.direction == 1.0


def test_what_gives_no_setting():
    aborted = Relay(**RELAY)
    aborted.step(20.0, 1.0)
    with pytest.raises(CycleError, match="left its bounds"):
        tuning(aborted)
    running = Relay(**RELAY)
    with pytest.raises(CycleError, match="running"):
        tuning(running)
    chattered = experiment(Process(1.0, (1.0,), 1.0), 0.0, -1.0, 1.0)
    chattered.hysteresis = 1.0
    with pytest.raises(CycleError, match="chattered"):
        tuning(chattered)
