"""Lag, lead-lag, rate limiter and moving median, against scipy.signal and statistics."""

import math
import statistics
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from cext.filters import Lag, LeadLag, MovingMedian, RateLimiter

VALUE = st.floats(-1e6, 1e6)
DT_S = st.floats(1e-3, 100.0)
SERIES = st.lists(st.tuples(VALUE, DT_S), min_size=1, max_size=40)
NOT_FINITE = [math.nan, math.inf, -math.inf]


def backward_difference(numerator, denominator, dt_s):
    """Return b and a of lfilter() for a transfer function of first order, by scipy's discretisation."""
    b, a, _ = signal.cont2discrete((numerator, denominator), dt_s, method="backward_diff")
    return b[0], a


def filtered(numerator, denominator, dt_s, values):
    """Return what scipy's lfilter makes of `values`, at rest on the first of them before."""
    b, a = backward_difference(numerator, denominator, dt_s)
    return signal.lfilter(b, a, values, zi=signal.lfilter_zi(b, a) * values[0])[0]


@pytest.fixture(scope="module")
def noise():
    chance = np.random.default_rng(3)
    return 850.0 + np.cumsum(chance.normal(0.0, 2.0, 500))


@pytest.mark.parametrize("dt_s", [0.01, 1.0, 30.0])
@pytest.mark.parametrize("tau_s", [0.5, 20.0])
def test_lag_is_scipys_backward_difference(noise, tau_s, dt_s):
    lag = Lag(tau_s)
    ours = [lag.step(value, dt_s) for value in noise]
    np.testing.assert_allclose(ours, filtered([1.0], [tau_s, 1.0], dt_s, noise), rtol=1e-11)


@pytest.mark.parametrize("dt_s", [0.01, 1.0, 30.0])
@pytest.mark.parametrize(("lead_s", "lag_s"), [(20.0, 4.0), (4.0, 20.0), (0.0, 7.0), (7.0, 7.0)])
def test_lead_lag_is_scipys_backward_difference(noise, lead_s, lag_s, dt_s):
    lead_lag = LeadLag(lead_s, lag_s)
    ours = [lead_lag.step(value, dt_s) for value in noise]
    np.testing.assert_allclose(
        ours, filtered([lead_s, 1.0] if lead_s else [1.0], [lag_s, 1.0], dt_s, noise), rtol=1e-11
    )


@given(st.lists(DT_S, min_size=1, max_size=40), st.floats(0.1, 100.0))
def test_lag_at_irregular_times_is_near_the_exact_solution(ticks, tau_s):
    """A unit step against 1 - exp(-t/T): per tick off by less than (dt/T)^2/2 of what is still to come."""
    lag = Lag(tau_s)
    lag.start(0.0)
    elapsed = allowed = 0.0
    for dt_s in ticks:
        before = lag.out
        out = lag.step(1.0, dt_s)
        elapsed += dt_s
        allowed += 0.5 * (dt_s / tau_s) ** 2 * (1.0 - before)
        assert before <= out <= 1.0
        assert out <= -math.expm1(-elapsed / tau_s) + 1e-12
        assert -math.expm1(-elapsed / tau_s) - out <= allowed + 1e-12


@given(SERIES, st.floats(0.0, 1000.0))
def test_lag_stays_between_its_inputs(series, tau_s):
    lag = Lag(tau_s)
    lowest = highest = series[0][0]
    for value, dt_s in series:
        lowest, highest = min(lowest, value), max(highest, value)
        out = lag.step(value, dt_s)
        assert lowest - 1e-9 <= out <= highest + 1e-9


def test_lag_of_zero_lets_everything_through():
    lag = Lag(0.0)
    assert [lag.step(value, 1.0) for value in (5.0, -3.0, 8.0)] == [5.0, -3.0, 8.0]


@given(st.floats(0.0, 100.0), st.floats(0.01, 100.0), DT_S, VALUE)
def test_lead_lag_at_once_and_at_rest(lead_s, lag_s, dt_s, value):
    """A step of one: (L + dt)/(T + dt) in the first tick, then towards one without crossing it."""
    lead_lag = LeadLag(lead_s, lag_s)
    lead_lag.start(value)
    assert lead_lag.step(value, dt_s) == value or abs(value) < 1e-30
    lead_lag.start(0.0)
    first = lead_lag.step(1.0, dt_s)
    assert first == pytest.approx((lead_s + dt_s) / (lag_s + dt_s), rel=1e-12)
    for _ in range(10):
        before, out = first, lead_lag.step(1.0, dt_s)
        assert min(before, 1.0) - 1e-12 <= out <= max(before, 1.0) + 1e-12
        first = out


@given(SERIES, st.floats(0.01, 1e4), st.floats(0.01, 1e4))
def test_rate_limiter(series, rise_per_s, fall_per_s):
    limiter = RateLimiter(rise_per_s, fall_per_s)
    before = limiter.step(series[0][0], 1.0)
    assert before == series[0][0]
    for value, dt_s in series:
        out = limiter.step(value, dt_s)
        # Independent: numpy's clip of the input to the reach of one tick.
        expected = np.clip(value, before - fall_per_s * dt_s, before + rise_per_s * dt_s)
        assert out == expected
        assert limiter.limiting == (out < value) - (out > value)
        before = out


def test_rate_limiter_with_one_side_free():
    limiter = RateLimiter(math.inf, 2.0)
    limiter.start(10.0)
    assert [limiter.step(value, 0.5) for value in (50.0, 0.0, 0.0)] == [50.0, 49.0, 48.0]
    assert limiter.limiting == -1
    limiter.start(10.0)
    assert limiter.limiting == 0


@given(st.lists(VALUE, min_size=1, max_size=80), st.integers(1, 31))
def test_moving_median(values, length):
    median = MovingMedian(length)
    for count, value in enumerate(values, 1):
        window = values[max(0, count - length) : count]
        # 1e-10: the mean of two is taken in another order than by statistics.
        assert median.step(value) == pytest.approx(statistics.median(window), rel=1e-15, abs=1e-10)
        assert median.count == len(window)


@given(st.lists(st.sampled_from([0.0, -0.0, 1.0, 1.0, 2.0]), min_size=1, max_size=60), st.integers(1, 9))
def test_moving_median_of_equal_values(values, length):
    median = MovingMedian(length)
    for count, value in enumerate(values, 1):
        assert median.step(value) == statistics.median(values[max(0, count - length) : count])


def test_moving_median_takes_out_spikes_and_keeps_edges():
    median = MovingMedian(5)
    values = [10.0, 10.0, 10.0, 999.0, -999.0, 10.0, 10.0, 20.0, 20.0, 20.0, 20.0]
    assert [median.step(value) for value in values] == [10.0] * 9 + [20.0] * 2
    median.start()
    assert (median.count, median.out) == (0, 20.0)
    assert [median.step(value) for value in (3.0, 9.0, 4.0, 8.0, 5.0, 6.0)] == [3.0, 6.0, 4.0, 6.0, 5.0, 6.0]


def test_new_filters_are_at_zero():
    for each in (*every_filter(), MovingMedian(3)):
        assert (each.out, each.flag) == (0.0, 0)
    assert RateLimiter(1.0, 1.0).limiting == MovingMedian(3).count == 0


# Failures


def every_filter():
    return [Lag(10.0), LeadLag(5.0, 10.0), RateLimiter(1.0, 1.0)]


@pytest.mark.parametrize("bad", NOT_FINITE)
@pytest.mark.parametrize("number", range(3))
def test_a_bad_input_holds_the_output_and_its_time_does_not_count(bad, number):
    with_gap, without = every_filter()[number], every_filter()[number]
    for each in (with_gap, without):
        each.step(100.0, 1.0)
        each.step(110.0, 1.0)
    before = with_gap.out
    for _ in range(50):
        assert with_gap.step(bad, 1.0) == before
        assert with_gap.flag == 1
    assert with_gap.step(112.0, 1.0) == without.step(112.0, 1.0)
    assert with_gap.flag == 0


@pytest.mark.parametrize("dt_s", [0.0, -1.0, *NOT_FINITE])
@pytest.mark.parametrize("number", range(3))
def test_a_bad_time_holds_the_output(dt_s, number):
    each = every_filter()[number]
    each.step(100.0, 1.0)
    before = each.step(110.0, 1.0)
    assert each.step(200.0, dt_s) == before
    assert each.flag == 2


@pytest.mark.parametrize("bad", NOT_FINITE)
@pytest.mark.parametrize("number", range(3))
def test_the_first_valid_input_is_the_start_and_start_again(bad, number):
    each = every_filter()[number]
    assert each.step(bad, 1.0) == 0.0
    assert each.step(850.0, 1.0) == 850.0
    each.start(bad)
    assert each.step(-20.0, 1.0) == -20.0
    each.start(500.0)
    assert each.out == 500.0
    assert 500.0 < each.step(600.0, 1.0) < 600.0


@pytest.mark.parametrize("bad", NOT_FINITE)
def test_moving_median_leaves_out_bad_values(bad):
    median = MovingMedian(3)
    for value in (1.0, 5.0, 3.0):
        median.step(value)
    assert median.step(bad) == 3.0
    assert median.flag == 1
    assert median.step(9.0) == 5.0
    assert median.flag == 0


@pytest.mark.parametrize(
    ("kind", "parameter"),
    [(0, "tau_s"), (1, "lead_s"), (1, "lag_s"), (2, "rise_per_s"), (2, "fall_per_s")],
)
def test_a_parameter_that_is_not_a_number_holds_the_output(kind, parameter):
    each = every_filter()[kind]
    each.step(100.0, 1.0)
    before = each.out
    setattr(each, parameter, math.nan)
    target = 0.0 if parameter == "fall_per_s" else 200.0
    assert each.step(target, 1.0) == before
    assert each.flag == 1


def test_overflow_is_held_like_a_bad_input():
    lag = Lag(10.0)
    lag.step(1.7e308, 1.0)
    assert lag.step(-1.7e308, 1.0) == 1.7e308
    assert lag.flag == 1


@pytest.mark.parametrize("number", range(2))
def test_a_million_steps_at_rest_leave_no_denormal(number):
    each = every_filter()[number]
    each.start(1.0)
    for tick in range(1_000_000):
        out = each.step(0.0, 1.0)
        if tick < 20_000:
            assert out == 0.0 or abs(out) >= sys.float_info.min
    assert out == 0.0


@pytest.mark.parametrize(
    ("make", "arguments"),
    [
        (Lag, (-1.0,)),
        (Lag, (math.nan,)),
        (Lag, (math.inf,)),
        (LeadLag, (1.0, 0.0)),
        (LeadLag, (-1.0, 1.0)),
        (LeadLag, (math.nan, 1.0)),
        (LeadLag, (1.0, math.inf)),
        (RateLimiter, (0.0, 1.0)),
        (RateLimiter, (1.0, math.nan)),
        (MovingMedian, (0,)),
        (MovingMedian, (32,)),
    ],
)
def test_refuses_parameters_that_make_no_filter(make, arguments):
    with pytest.raises(ValueError, match=make.__name__ + ": expected"):
        make(*arguments)
