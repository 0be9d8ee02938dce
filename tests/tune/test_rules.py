"""The rules against the rows of the oracle batch and the figures of their papers."""

import math

import numpy as np
import pytest

from edge.tune.process import Process
from edge.tune.robustness import examine
from edge.tune.rules import Tuning, amigo, ideal_to_series, series_to_ideal, simc
from tests.tune.oracles import batch

CASES = {case.name: case for case in batch()}


@pytest.mark.parametrize("name", [name for name in CASES if "SIMC" in name])
def test_simc_rows(name):
    """Each row is the rule on its process, the fourth-order ones reduced by the half rule.

    The rows are the paper's, whose derivative has no filter.
    """
    case = CASES[name]
    order = 2 if "PID" in name else 1
    tuning = simc(case.process.half_rule(order), n=1e9)
    assert (tuning.gain, tuning.ti_s, tuning.td_s) == pytest.approx(
        (case.tuning.gain, case.tuning.ti_s, case.tuning.td_s), rel=1e-5
    )


# Apparent dead time and lag that the rows were made with, rounded there.
AMIGO = {
    "lag: 1/((s+1)(.1s+1)(.01s+1)(.001s+1)) AMIGO-PI": (0.073, 1.03),
    "bal: 1/(s+1)^4 AMIGO-PI": (1.42, 2.9),
    "delay: e^-s/(.05s+1)^2 AMIGO-PI": (1.01, 0.0932),
}


@pytest.mark.parametrize("name", AMIGO)
def test_amigo_rows(name):
    case = CASES[name]
    dead, lag = AMIGO[name]
    tuning = amigo(Process(1.0, (lag,), dead))
    assert (tuning.gain, tuning.ti_s) == pytest.approx((case.figures["K"], case.figures["Ti"]), rel=2e-5)
    # From the process itself, tangent included: the dead time of the first row is rounded by 3 %.
    whole = amigo(case.process)
    assert (whole.gain, whole.ti_s) == pytest.approx((case.figures["K"], case.figures["Ti"]), rel=0.025)


def test_amigo_pid_of_the_book():
    """Advanced PID Control, 1/(s+1)^4: L 1.42, T 2.9 give K 1.12, Ti 2.40, Td 0.62."""
    tuning = amigo(Process(1.0, (2.9,), 1.42), derivative=True)
    assert (tuning.gain, tuning.ti_s, tuning.td_s) == pytest.approx((1.12, 2.40, 0.62), abs=0.005)


@pytest.mark.parametrize("derivative", [False, True])
def test_amigo_of_an_integrator_is_the_limit_of_long_lags(derivative):
    integrating = amigo(Process(0.25, (), 3.0, integrating=True), derivative)
    slow = amigo(Process(0.25 * 1e8, (1e8,), 3.0), derivative)
    assert (integrating.gain, integrating.ti_s, integrating.td_s) == pytest.approx(
        (slow.gain, slow.ti_s, slow.td_s), rel=1e-6
    )


def test_simc_of_an_integrator_with_a_lag():
    """Kc = 1/(k' (tc + L)), Ti = 4 (tc + L), Td = T2 in series form: Skogestad's table 1."""
    tuning = simc(Process(-0.5, (2.0,), 1.0, integrating=True), 3.0, n=1e15)
    gain, ti_s, td_s = 1.0 / (0.5 * 4.0), 16.0, 2.0
    assert tuning.direction == -1.0
    assert (tuning.gain, tuning.ti_s, tuning.td_s) == pytest.approx(
        (gain * 1.125, ti_s + td_s, td_s / 1.125), rel=1e-12
    )


def test_series_and_ideal_are_the_same_controller():
    gain, ti_s, td_s = 2.0, 5.0, 1.2
    s = 1j * np.geomspace(1e-3, 1e3, 60)
    series = gain * (1.0 + 1.0 / (ti_s * s)) * (1.0 + td_s * s)
    k, ti, td = series_to_ideal(gain, ti_s, td_s)
    assert k * (1.0 + 1.0 / (ti * s) + td * s) == pytest.approx(series, rel=1e-12)
    assert ideal_to_series(k, ti, td) == pytest.approx((gain, ti_s, td_s), rel=1e-12)
    assert ideal_to_series(1.0, 4.0, 1.0) == (0.5, 2.0, 2.0)
    with pytest.raises(ValueError, match="no series form"):
        ideal_to_series(1.0, 3.9, 1.0)


@pytest.mark.parametrize("ratio", [0.2, 1.0, 5.0, 30.0])
def test_simc_keeps_its_margins_for_every_ratio_of_lag_to_dead_time(ratio):
    """The paper's table 4 for tc = L: Ms 1.59 for a lag up to 8 L, 1.70 for an integrator, between beyond."""
    ms = examine(Process(1.0, (ratio,), 1.0), simc(Process(1.0, (ratio,), 1.0))).ms
    assert ms == pytest.approx(1.59, abs=0.005) if ratio <= 8.0 else 1.59 < ms < 1.71


@pytest.mark.parametrize("second", [0.05, 0.3, 0.7, 1.0])
@pytest.mark.parametrize("delay", [0.01, 0.05, 0.2, 1.0, 5.0])
@pytest.mark.parametrize("n", [3.0, 10.0])
def test_the_filter_of_the_derivative_counts_as_dead_time(second, delay, n):
    """Ms of the PID that is put to work, filter included, for every ratio of the lags and the dead time.

    Nothing is above the 1.7 of an integrator. Where the filter is most of the dead time, it costs less than
    as much dead time would, and the loop is calmer than promised.
    """
    process = Process(2.0, (1.0, second), delay)
    tuning = simc(process, n=n)
    ms = examine(process, tuning).ms
    assert 1.28 < ms < 1.71
    if delay >= 0.2 and n == 10.0:
        assert 1.57 < ms < 1.67
    assert tuning.tc_s == pytest.approx(delay + tuning.td_s / n, rel=1e-9)


def test_a_wished_time_constant_stands_beside_the_filter():
    """gain = T1/(K (tc + L + Td/N)) in series form, with Td of the ideal form."""
    tuning = simc(Process(1.0, (10.0, 2.0), 1.0), 4.0)
    series = ideal_to_series(tuning.gain, tuning.ti_s, tuning.td_s)
    assert series == pytest.approx((10.0 / (4.0 + 1.0 + tuning.td_s / 10.0), 10.0, 2.0), rel=1e-9)
    assert tuning.tc_s == 4.0


def test_frequency_response_of_a_tuning():
    """K (1 + 1/(j w Ti) + j w Td/(1 + j w Td/N)), at one frequency by hand: w = 0.5, Td/N = 0.4."""
    response = Tuning(2.0, 4.0, 2.0, n=5.0).frequency_response(0.5)
    assert response == pytest.approx(2.0 * (1.0 + 1.0 / 2.0j + 1.0j / (1.0 + 0.2j)), rel=1e-12)
    assert Tuning(2.0, 0.5, 2.0).frequency_response(0.5) == pytest.approx(
        2.0 * (1.0 + 1.0 / 0.25j + 1.0j / (1.0 + 0.1j)), rel=1e-12
    )
    assert Tuning(2.0, 0.0).frequency_response(0.5) == 2.0


@pytest.mark.parametrize(
    "wrong",
    [(-1.0, 1.0), (1.0, -1.0), (1.0, 1.0, -1.0), (1.0, 1.0, 1.0, 0.0), (math.nan, 1.0), (1.0, math.inf)],
)
def test_no_such_tuning(wrong):
    with pytest.raises(ValueError, match="tuning: expected"):
        Tuning(*wrong)


def test_integral_time_of_slow_processes_is_four_closed_loop_times():
    process = Process(2.0, (30.0,), 1.0)
    tight, calm = simc(process), simc(process, 2.0)
    assert (tight.gain, tight.ti_s) == pytest.approx((30.0 / (2.0 * 2.0), 8.0))
    assert (calm.gain, calm.ti_s) == pytest.approx((30.0 / (2.0 * 3.0), 12.0))
    assert simc(process, 9.0).ti_s == 30.0


def test_what_has_no_setting():
    with pytest.raises(ValueError, match="say the time constant"):
        simc(Process(1.0, (5.0,)))
    with pytest.raises(ValueError, match="I controller"):
        simc(Process(1.0, (), 1.0))
    with pytest.raises(ValueError, match="no dead time"):
        amigo(Process(1.0, (5.0,)))
    assert math.isfinite(simc(Process(1.0, (5.0,)), 2.0).gain)
