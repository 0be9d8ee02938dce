"""The process models against scipy.signal and python-control."""

import control
import numpy as np
import pytest
from scipy import signal

from edge.tune.process import Process, Simulation

PROCESSES = [
    Process(2.0, (3.0,), 0.7),
    Process(-1.5, (4.0, 4.0), 0.0),
    Process(1.0, (1.0, 0.1, 0.01), 0.25),
    Process(0.3, (), 1.1, integrating=True),
    Process(0.3, (2.0,), 0.0, integrating=True),
]


def rational(process):
    """Return the transfer function without dead time, as scipy's polynomials."""
    below = np.array([1.0, 0.0]) if process.integrating else np.array([1.0])
    for lag in process.lags_s:
        below = np.polymul(below, [lag, 1.0])
    return [process.gain], below


@pytest.mark.parametrize("process", PROCESSES)
def test_frequency_response(process):
    omega = np.geomspace(1e-2, 1e2, 50)
    expected = control.tf(*rational(process))(1j * omega) * np.exp(-1j * omega * process.delay_s)
    assert process.frequency_response(omega) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("process", PROCESSES)
def test_step_response(process):
    time_s = np.linspace(0.0, 20.0, 41)
    _, expected = signal.step(rational(process), T=time_s)
    late = time_s + process.delay_s
    assert process.step_response(late) == pytest.approx(expected, abs=1e-9)
    assert process.step_response([0.0, 0.99 * process.delay_s]) == pytest.approx(0.0, abs=0.0)


@pytest.mark.parametrize("process", PROCESSES)
@pytest.mark.parametrize("dt_s", [0.1, 0.25, 0.4])
def test_simulation_is_exact_for_a_held_input(process, dt_s):
    """Dead times of no whole number of ticks as well: scipy works on a grid that has them all."""
    fine = 40
    inputs = np.random.default_rng(2).normal(size=60)
    grid_s = dt_s / fine
    held = np.repeat(inputs, fine)
    shift = process.delay_s / grid_s
    assert abs(shift - round(shift)) < 1e-9
    delayed = np.concatenate([np.zeros(round(shift)), held])[: len(held)]
    time_s = grid_s * np.arange(len(held) + 1)
    _, values, _ = signal.lsim(rational(process), np.append(delayed, 0.0), time_s, interp=False)
    simulation = Simulation(process, dt_s)
    ours = [simulation.step(value) for value in inputs]
    assert ours == pytest.approx(values[fine::fine], abs=1e-9)


def test_tangent_of_a_step_response():
    """1/(s+1)^4: steepest at t = 3, where y = 1 - 13 e^-3 and y' = 4.5 e^-3; 63.2 % found by scipy."""
    gain, lag, dead = Process(2.0, (1.0,) * 4, 0.5).tangent()
    slope, value = 4.5 * np.exp(-3.0), 1.0 - 13.0 * np.exp(-3.0)
    expected = 3.0 - value / slope
    _, curve = signal.step(([1.0], np.poly([-1.0] * 4)), T=np.linspace(0.0, 6.0, 60_001))
    t63 = np.interp(1.0 - np.exp(-1.0), curve, np.linspace(0.0, 6.0, 60_001))
    assert gain == 2.0
    assert dead == pytest.approx(0.5 + expected, rel=1e-9)
    assert lag == pytest.approx(t63 - expected, abs=1e-4)
    assert Process(1.0, (5.0,), 2.0).tangent() == (1.0, 5.0, 2.0)


def test_half_rule():
    """The examples of Skogestad's paper: E1, and the fourth-order one of the batch."""
    process = Process(1.0, (1.0, 0.2, 0.04, 0.008))
    first, second = process.half_rule(1), process.half_rule(2)
    assert (first.lags_s, first.delay_s) == (pytest.approx((1.1,)), pytest.approx(0.148))
    assert (second.lags_s, second.delay_s) == (pytest.approx((1.0, 0.22)), pytest.approx(0.028))
    fourth = Process(1.0, (1.0,) * 4).half_rule(2)
    assert (fourth.lags_s, fourth.delay_s) == ((1.5, 1.0), 1.5)
    with_lag = Process(1.0, (2.0,), 1.0, integrating=True)
    assert with_lag.half_rule(1) == Process(1.0, (), 2.0, integrating=True)
    assert with_lag.half_rule(2) == with_lag
    with pytest.raises(ValueError, match="order 1 or 2"):
        process.half_rule(3)


@pytest.mark.parametrize("wrong", [(0.0,), (np.nan,), (1.0, (0.0,)), (1.0, (np.inf,)), (1.0, (1.0,), -1.0)])
def test_no_such_process(wrong):
    with pytest.raises(ValueError, match="Process: expected"):
        Process(*wrong)
