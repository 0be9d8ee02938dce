"""Margins against the oracle batch, python-control, and limits of stability that are known exactly."""

import math

import control
import numpy as np
import pytest

from edge.tune.process import Process
from edge.tune.robustness import examine
from edge.tune.rules import Tuning
from tests.tune.oracles import batch, transfer

CASES = batch()


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_margins_of_the_batch(case):
    margins = examine(case.process, case.tuning)
    figures = case.figures
    # The batch gives five figures of Ms; its margins are read off a grid, to about 1e-3. The filter of the
    # series PID is around the whole controller there.
    exact = case.tuning.td_s == 0.0
    assert margins.stable
    assert margins.ms == pytest.approx(figures["Ms"], rel=2e-5 if exact else 0.004)
    assert margins.mt == pytest.approx(figures["Mt"], abs=2e-5 if exact else 1e-4)
    assert margins.gain_margin == pytest.approx(figures["GM"], rel=5e-4 if exact else 0.02)
    assert margins.phase_margin_deg == pytest.approx(figures["PM"], abs=0.01 if exact else 0.3)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_margins_by_python_control(case):
    """From the measured frequency response, so without an approximation of the dead time."""
    process, controller, _ = transfer(case)
    omega = np.geomspace(1e-2, 1e2, 2_000)
    response = control.frd(process(1j * omega) * controller(1j * omega), omega, smooth=True)
    gain_margin, phase_margin, stability_margin, _, _, _ = control.stability_margins(response)
    margins = examine(case.process, case.tuning)
    assert margins.gain_margin == pytest.approx(gain_margin, rel=1e-3)
    assert margins.phase_margin_deg == pytest.approx(phase_margin, abs=0.01)
    assert margins.ms == pytest.approx(1.0 / stability_margin, rel=1e-3)


ULTIMATE = [
    (Process(1.0, (1.0,) * 3), 8.0),
    (Process(1.0, (1.0,) * 4), 4.0),
    (Process(1.0, (1.0,), 1.0), 2.2618),
    (Process(1.0, (), 1.0, integrating=True), math.pi / 2.0),
]


@pytest.mark.parametrize(("process", "gain"), ULTIMATE)
def test_ultimate_gain_is_the_limit_of_stability(process, gain):
    assert examine(process, Tuning(1.0, 0.0)).gain_margin == pytest.approx(gain, rel=2e-5)
    assert examine(process, Tuning(0.999 * gain, 0.0)).stable
    unstable = examine(process, Tuning(1.001 * gain, 0.0))
    assert not unstable.stable
    assert math.isnan(unstable.ms) and math.isnan(unstable.gain_margin)


@pytest.mark.parametrize("gain", [0.2, 1.0, 3.0, 8.0])
@pytest.mark.parametrize("ti_s", [0.5, 2.0, 30.0])
@pytest.mark.parametrize("td_s", [0.0, 0.3])
@pytest.mark.parametrize("integrating", [False, True])
def test_stability_against_the_poles_of_the_closed_loop(gain, ti_s, td_s, integrating):
    """A rational loop, whose poles numpy finds: Nyquist's criterion must agree, also with two poles at 0."""
    lags = (0.4, 0.15) if integrating else (2.0, 0.4, 0.15)
    below = [1.0, 0.0] if integrating else [1.0]
    for lag in lags:
        below = np.polymul(below, [lag, 1.0])
    tuning = Tuning(gain, ti_s, td_s)
    filter_s = td_s / tuning.n
    # K (Ti s (Tf s + 1) + Tf s + 1 + Ti Td s^2) / (Ti s (Tf s + 1))
    above = gain * np.array([ti_s * filter_s + ti_s * td_s, ti_s + filter_s, 1.0])
    below = np.polymul(below, [ti_s * filter_s, ti_s, 0.0])
    poles = np.roots(np.trim_zeros(np.polyadd(above, below), "f"))
    margins = examine(Process(1.0, lags, 0.0, integrating), tuning)
    assert abs(poles.real).min() > 1e-3, "too close to call"
    assert margins.stable == bool((poles.real < 0.0).all())


@pytest.mark.parametrize(("process", "ultimate"), ULTIMATE)
@pytest.mark.parametrize("margin", [50.0, 135.5, 1e4, 1e6])
def test_a_large_gain_margin_is_no_infinite_one(process, ultimate, margin):
    assert examine(process, Tuning(ultimate / margin, 0.0)).gain_margin == pytest.approx(margin, rel=2e-5)


@pytest.mark.parametrize("ti_s", [0.0, 0.5, 5.0])
def test_a_loop_that_no_gain_makes_oscillate_has_an_infinite_margin(ti_s):
    assert examine(Process(1.0, (2.0,)), Tuning(1.0, ti_s)).gain_margin == math.inf


def test_the_wrong_direction_is_unstable():
    process = Process(-2.0, (10.0,), 1.0)
    assert examine(process, Tuning(1.0, 10.0, direction=-1.0)).stable
    assert not examine(process, Tuning(1.0, 10.0, direction=1.0)).stable
    assert not examine(Process(2.0, (10.0,), 1.0), Tuning(1.0, 10.0, direction=-1.0)).stable
    # Without integral action a small gain the wrong way round shifts the rest, no more.
    assert examine(process, Tuning(0.4, 0.0, direction=1.0)).stable
    assert not examine(process, Tuning(0.6, 0.0, direction=1.0)).stable


def test_delay_margin_is_the_dead_time_that_makes_it_unstable():
    process, tuning = Process(1.0, (8.0,), 1.0), Tuning(4.0, 8.0)
    margin = examine(process, tuning).delay_margin_s
    assert examine(Process(1.0, (8.0,), 1.0 + 0.999 * margin), tuning).stable
    assert not examine(Process(1.0, (8.0,), 1.0 + 1.001 * margin), tuning).stable
    # PM / crossover: 61.35 deg at 0.5 rad/s.
    assert margin == pytest.approx(math.radians(61.352) / 0.5, rel=1e-4)


def test_no_control_at_all():
    assert examine(Process(1.0, (1.0,)), Tuning(0.0, 10.0)).stable
    assert not examine(Process(1.0, (), 1.0, integrating=True), Tuning(0.0, 10.0)).stable
