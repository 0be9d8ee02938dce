"""O2 trim: a bounded PI controller that freezes, and goes on without a bump."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cext import ratio
from cext.ratio import GAS_TRIM, GRATE_TRIM, O2Trim

ANYTHING = st.floats(allow_nan=True, allow_infinity=True)


def test_trim_finds_the_o2_of_a_burner():
    """A burner whose air meter reads 8 % too much: the trim ends where the O2 is that of lambda 1.2."""
    trim = O2Trim(0.02, 20.0)
    o2 = 0.0
    for _ in range(4000):
        lam = 1.2 * trim.trim * 0.92
        true_o2 = 20.95 * (lam - 1.0) / (lam - 1.0 + 0.8952)
        o2 += 0.5 / 8.0 * (true_o2 - o2)
        trim.step(20.95 * 0.2 / 1.0952, o2, True, False, 0.5)
    assert trim.trim == pytest.approx(1.0 / 0.92, rel=1e-6)
    assert trim.why == ratio.TRIM_FREE and trim.saturated == 0


@given(
    st.sampled_from([GAS_TRIM, GRATE_TRIM]),
    st.lists(st.tuples(ANYTHING, ANYTHING, st.booleans(), st.booleans(), ANYTHING), max_size=60),
)
def test_trim_is_bounded_and_frozen_whatever_comes_in(authority, history):
    trim = O2Trim(0.05, 30.0, authority)
    for set_point, o2, good, hold, dt_s in history:
        before = trim.trim
        result = trim.step(set_point, o2, good, hold, dt_s)
        assert result == trim.trim and authority[0] <= result <= authority[1]
        if trim.why != ratio.TRIM_FREE:
            assert result == before
        if not good or not math.isfinite(set_point - o2) or hold or not (math.isfinite(dt_s) and dt_s > 0.0):
            assert trim.why != ratio.TRIM_FREE


def test_trim_is_a_pi_controller():
    """From its definition: K times the change of the error since the start, and K/Ti times its integral."""
    trim = O2Trim(0.02, 30.0, GRATE_TRIM)
    errors, dt_s = (1.0, 3.0, -0.5, 2.0, 2.0, -4.0), (1.0, 0.5, 2.0, 4.0, 0.1, 1.0)
    integral = 0.0
    for error, dt in zip(errors, dt_s, strict=True):
        integral += error * dt
        expected = 1.0 + 0.02 * (error - errors[0]) + 0.02 / 30.0 * integral
        assert trim.step(3.0, 3.0 - error, True, False, dt) == pytest.approx(expected, rel=1e-14)
        assert trim.saturated == 0 and trim.why == ratio.TRIM_FREE
    assert trim.integral == pytest.approx(0.02 / 30.0 * integral - 0.02 * errors[0], rel=1e-12)


@pytest.mark.parametrize("sign, limit, saturated", [(1.0, 1.15, 1), (-1.0, 0.85, -1)])
def test_the_integral_comes_out_of_a_limit_by_itself(sign, limit, saturated):
    """At the limit under a large opposite P, which then goes: an integral beyond the limit must come back."""
    trim = O2Trim(0.02, 30.0)
    trim.set_trim(limit)
    trim.step(3.0, 3.0 + sign * 5.0, True, False, 0.01)
    before = trim.integral
    assert trim.step(3.0, 3.0 + sign * 0.1, True, False, 1.0) == limit
    assert trim.saturated == saturated
    assert (before - trim.integral) * sign == pytest.approx(0.02 * 0.1 / 30.0)
    # With the error at zero nothing moves, at the limit or not.
    held = trim.integral
    trim.step(3.0, 3.0, True, False, 1.0)
    assert trim.integral == held
    # And deeper it does not go, however large the error.
    trim.step(3.0, 3.0 - sign * 50.0, True, False, 100.0)
    assert trim.integral == held and trim.trim == limit and trim.saturated == saturated


def test_reasons_to_freeze():
    trim = O2Trim(0.05, 30.0)
    trim.step(5.0, 5.0, True, False, 1.0)
    for o2, good, hold, dt_s, why in (
        (3.0, False, False, 1.0, ratio.TRIM_BAD_O2),
        (math.nan, True, False, 1.0, ratio.TRIM_BAD_O2),
        (3.0, True, True, 1.0, ratio.TRIM_HELD),
        (3.0, True, False, 0.0, ratio.TRIM_BAD_DT),
        (3.0, True, False, math.nan, ratio.TRIM_BAD_DT),
        (3.0, True, False, math.inf, ratio.TRIM_BAD_DT),
    ):
        assert trim.step(5.0, o2, good, hold, dt_s) == 1.0
        assert trim.why == why
    assert trim.step(5.0, 3.0, True, False, 1.0) > 1.0


@given(st.floats(-5.0, 5.0), st.floats(-5.0, 5.0), st.integers(1, 50))
def test_release_is_bumpless(error_before, error_after, frozen_for):
    trim = O2Trim(0.02, 30.0)
    for _ in range(20):
        trim.step(3.0, 3.0 - error_before, True, False, 1.0)
    held = trim.trim
    for _ in range(frozen_for):
        trim.step(3.0, math.nan, False, False, 1.0)
    released = trim.step(3.0, 3.0 - error_after, True, False, 1.0)
    # One step of the integral, and no proportional bump; 1e-15 of rounding.
    assert abs(released - held) <= 0.02 * abs(error_after) / 30.0 + 1e-15


def test_the_analyser_is_given_its_dead_time():
    trim = O2Trim(0.02, 30.0)
    trim.hold_s = 10.0
    trim.step(3.0, 2.0, True, True, 1.0)
    for _ in range(10):
        assert trim.step(3.0, 2.0, True, False, 1.0) == 1.0 and trim.why == ratio.TRIM_HELD
    assert trim.step(3.0, 2.0, True, False, 1.0) > 1.0 and trim.why == ratio.TRIM_FREE


@given(st.floats(0.1, 10.0), st.sampled_from([-1.0, 1.0]), st.integers(1, 500), st.floats(0.1, 100.0))
def test_trim_does_not_wind_up(error, sign, ticks, dt_s):
    """However long it was at its limit, an error of the other sign takes it off at once."""
    trim = O2Trim(0.02, 30.0)
    for _ in range(ticks):
        trim.step(3.0, 3.0 - sign * error, True, False, dt_s)
    limit = trim.trim
    after = trim.step(3.0, 3.0 + sign * 0.5, True, False, dt_s)
    assert (after - limit) * sign < 0.0


def test_trim_by_hand_goes_on_from_there():
    trim = O2Trim(0.02, 30.0)
    trim.set_trim(1.1)
    assert trim.step(3.0, 2.0, True, False, 1.0) == pytest.approx(1.1 + 0.02 / 30.0)
    trim.set_trim(2.0)
    assert trim.trim == 1.15
    trim.set_trim(0.1)
    assert trim.trim == 0.85
    for value in (math.nan, math.inf):
        with pytest.raises(ValueError, match="finite"):
            trim.set_trim(value)
        assert trim.trim == 0.85


@pytest.mark.parametrize(
    "gain, ti_s, authority",
    [
        (-0.1, 30.0, GAS_TRIM),
        (math.nan, 30.0, GAS_TRIM),
        (101.0, 30.0, GAS_TRIM),
        (0.1, 0.0, GAS_TRIM),
        (0.1, math.inf, GAS_TRIM),
        (0.1, 30.0, (0.0, 1.1)),
        (0.1, 30.0, (1.01, 1.1)),
        (0.1, 30.0, (0.9, 0.99)),
        (0.1, 30.0, (0.9, math.nan)),
    ],
)
def test_bad_trims_are_refused(gain, ti_s, authority):
    with pytest.raises(ValueError, match="O2Trim: expected"):
        O2Trim(gain, ti_s, authority)


def test_a_new_one():
    trim = O2Trim(0.02, 30.0)
    assert (trim.trim, trim.integral, trim.saturated, trim.why, trim.hold_s) == (1.0, 0.0, 0, 0, 0.0)


def test_reasons_are_the_numbers_of_the_docstring():
    assert (ratio.TRIM_FREE, ratio.TRIM_BAD_O2, ratio.TRIM_HELD, ratio.TRIM_BAD_DT) == (0, 1, 2, 3)


def test_authorities_of_the_facts():
    assert GAS_TRIM == (0.85, 1.15) and GRATE_TRIM == (0.5, 1.6)
    trim = O2Trim(0.05, 30.0)
    assert (trim.trim_min, trim.trim_max) == GAS_TRIM
