"""Models from limit cycles: exact ones by formula, and the production relay on known processes."""

import math

import pytest

from cext.relay import Relay
from edge.tune.closed_loop import respond
from edge.tune.cycle import Cycle, CycleError, fopdt, integrating, static_gain
from edge.tune.process import Process
from edge.tune.robustness import examine
from edge.tune.rules import simc
from tests.cext.test_relay import RELAY, LagsAndDelay, run


def test_even_cycle_of_the_formula():
    """K = T = L = d = 1 has the amplitude 1 - 1/e = 0.63212 and the period 2 ln(2e - 1) = 2.97976."""
    half_s = 0.5 * 2.97976
    process = fopdt(Cycle(2.0, 0.0, 0.63212, 0.63212, half_s, half_s), gain=1.0)
    assert process.gain == pytest.approx(1.0, rel=1e-9)
    assert process.lags_s[0] == pytest.approx(1.0, abs=1e-5)
    assert process.delay_s == pytest.approx(1.0, abs=1e-5)


def closed_form(gain, lag, delay, low, high, hysteresis):
    """Return (peak, trough, up, down) of the biased relay, Wang, Hang and Zou (1997)."""
    a, b, e = 0.5 * gain * (high - low), 0.5 * gain * (high + low), math.exp(-delay / lag)
    peak = (b + a) * (1.0 - e) + hysteresis * e
    trough = (a - b) * (1.0 - e) + hysteresis * e
    up_s = lag * math.log((2.0 * a / e + b - a + hysteresis) / (b + a - hysteresis))
    down_s = lag * math.log((2.0 * a / e - a - b + hysteresis) / (a - b - hysteresis))
    return peak, trough, up_s, down_s


@pytest.mark.parametrize("ratio", [0.05, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("hysteresis", [0.0, 0.02])
def test_uneven_cycle_gives_all_three_parameters(ratio, hysteresis):
    measured = closed_form(2.0, 30.0, 30.0 * ratio, -1.5, 3.5, hysteresis)
    cycle = Cycle(5.0, hysteresis, *measured, direction=-1.0)
    process = fopdt(cycle)
    # A long dead time makes both halves alike, and their difference loses digits.
    assert process.gain == pytest.approx(-2.0, rel=1e-6)
    assert process.lags_s[0] == pytest.approx(30.0, rel=1e-6)
    assert process.delay_s == pytest.approx(30.0 * ratio, rel=1e-6)
    known = fopdt(cycle, gain=-2.0)
    assert (known.lags_s[0], known.delay_s) == pytest.approx((30.0, 30.0 * ratio), rel=1e-9)


def test_integrating_cycle():
    """Slopes kv d up and down; L after each switch it turns."""
    rate, delay, low, high, hysteresis = 0.2, 3.0, 1.0, 2.5, 0.1
    rising, falling = rate * high, rate * low
    peak, trough = hysteresis + rising * delay, hysteresis + falling * delay
    up_s, down_s = delay + (trough + hysteresis) / rising, delay + (peak + hysteresis) / falling
    process = integrating(Cycle(high + low, hysteresis, peak, trough, up_s, down_s))
    assert process.gain == pytest.approx(rate, rel=1e-12)
    assert process.delay_s == pytest.approx(delay, rel=1e-12)


KNOWN = [
    (1.0, 1.0, 1.0, -1.0, 1.5, 0.05),
    (-2.0, 3.0, 1.0, -1.0, 3.0, 0.1),
    (2.0, 3.0, 0.3, -1.0, 3.0, 0.05),
]


@pytest.mark.parametrize(("gain", "lag", "delay", "low", "high", "hysteresis"), KNOWN)
def test_from_the_experiment_to_the_loop(gain, lag, delay, low, high, hysteresis):
    """Relay, model, rule: the proposal has the margins on the true process that the rule promises."""
    relay = Relay(**{**RELAY, "hysteresis": hysteresis, "out_low": low, "out_high": high})
    relay.direction = math.copysign(1.0, gain)
    run(relay, LagsAndDelay(gain, [lag], delay))
    model = fopdt(Cycle.of(relay))
    # The period is known to two ticks of 1 ms: up to 4 permille of the shortest half cycle here.
    assert model.gain == pytest.approx(gain, rel=0.02)
    assert model.lags_s[0] == pytest.approx(lag, rel=0.02)
    assert model.delay_s == pytest.approx(delay, rel=0.01)
    true = Process(gain, (lag,), delay)
    tuning = simc(model)
    assert examine(true, tuning).ms == pytest.approx(1.59, abs=0.03)
    assert respond(true, tuning, 1.0, 0.0, 0.002, 40.0).peak < 1.1


def test_static_gain_from_the_means():
    relay = Relay(**{**RELAY, "set_point": 0.4})
    run(relay, LagsAndDelay(1.0, [1.0, 0.5, 0.2], 0.3))
    # For any process: means of whole cycles pass through lags and dead time unchanged.
    assert static_gain(relay, 0.0) == pytest.approx(1.0, rel=0.01)
    with pytest.raises(CycleError, match="too close to its resting level"):
        static_gain(run(Relay(**RELAY), LagsAndDelay(1.0, [1.0], 1.0)), 0.0)


def test_what_gives_no_model():
    aborted = Relay(**RELAY)
    aborted.step(20.0, 1.0)
    with pytest.raises(CycleError, match="left its bounds"):
        Cycle.of(aborted)
    even = Cycle(2.0, 0.0, 0.6, 0.6, 1.5, 1.5)
    with pytest.raises(CycleError, match="equally long"):
        fopdt(even)
    with pytest.raises(CycleError, match="can't swing so far"):
        fopdt(even, gain=0.5)
    with pytest.raises(CycleError, match="not complete"):
        Cycle(2.0, 0.0, math.nan, 0.6, 1.5, 1.5)
    with pytest.raises(CycleError, match="chattered"):
        Cycle(2.0, 0.6, 0.6, 0.7, 1.5, 1.5)
