"""Cross-limiting: the facts' test numbers, what is refused, and what bad signals do."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cext import ratio
from cext.ratio import GAS_TRIM, CrossLimit

DOUBLE = (0.05, 0.10, 0.05, 0.10)
# Air for lambda 1.2 of a fuel that needs 2.5 Nm3 per unit.
AIR0, LAMBDA_SET, LAMBDA_MIN = 2.5, 1.2, 1.02
AIR_PER_FUEL = AIR0 * LAMBDA_SET


def cross_limit(bands=None):
    return CrossLimit(AIR0, LAMBDA_SET, LAMBDA_MIN, (0.9, 1.15), bands, 1.0)


def respond(limits, master_from, master_to, fuel_lag_s=2.0, air_lag_s=6.0, dt_s=0.05):
    """Step the master; return the burner's least and greatest air/fuel, and the time of 90 % of the fuel.

    Fuel and air valves are first-order lags in fuel-equivalent units, explicit Euler, as the facts have it.
    Without `limits` both simply follow the master.
    """
    fuel = air = master_from
    low, high, time_90 = math.inf, 0.0, None
    for number in range(1, 3000):
        fuel_demand = air_demand = master_to
        if limits is not None:
            fuel_demand = limits.step(master_to, fuel, True, air * AIR_PER_FUEL, True, 1.0)
            air_demand = limits.air_demand / AIR_PER_FUEL
        fuel += dt_s / fuel_lag_s * (fuel_demand - fuel)
        air += dt_s / air_lag_s * (air_demand - air)
        low, high = min(low, air / fuel), max(high, air / fuel)
        if time_90 is None and abs(fuel - master_from) >= 0.9 * abs(master_to - master_from):
            time_90 = number * dt_s
    return low, high, time_90


@pytest.mark.parametrize(
    "name, limits, low, time_90, high",
    [
        ("none", None, 0.842, 4.6, 1.212),
        ("single", cross_limit(), 1.000, 16.2, 1.317),
        ("double", cross_limit(DOUBLE), 0.973, 22.9, 1.071),
    ],
)
def test_load_steps_of_the_facts(name, limits, low, time_90, high):
    # Three digits of the ratio are given, and tenths of a second; one step of the simulation is 0.05 s.
    found_low, _, found_time = respond(limits, 50.0, 80.0)
    assert found_low == pytest.approx(low, abs=6e-4)
    assert found_time == pytest.approx(time_90, abs=0.06)
    _, found_high, _ = respond(limits, 80.0, 50.0)
    assert found_high == pytest.approx(high, abs=6e-4)


@pytest.mark.parametrize("bands, fuel, air_over_fuel", [(None, 50.0, 1.000), (DOUBLE, 52.5, 0.952)])
def test_stuck_air(bands, fuel, air_over_fuel):
    """Without limits the fuel would go to 80 and air/fuel to 0.625."""
    limits = cross_limit(bands)
    measured = 50.0
    for _ in range(2000):
        measured += 0.025 * (limits.step(80.0, measured, True, 50.0 * AIR_PER_FUEL, True, 1.0) - measured)
    assert measured == pytest.approx(fuel, rel=1e-9)
    assert 50.0 / measured == pytest.approx(air_over_fuel, abs=5e-4)
    assert limits.limiting and limits.state & ratio.FUEL_HELD_BY_AIR and limits.state > 0


def test_stuck_high_air_keeps_the_mixture_from_becoming_lean():
    limits = cross_limit(DOUBLE)
    assert limits.step(50.0, 80.0, True, 80.0 * AIR_PER_FUEL, True, 1.0) == pytest.approx(72.0)
    assert limits.state == ratio.FUEL_KEPT_BY_AIR + ratio.AIR_KEPT_BY_FUEL
    # A demand of 0 is a stop, not a lean mixture.
    assert limits.step(0.0, 72.0, True, 80.0 * AIR_PER_FUEL, True, 1.0) == 0.0


def test_a_furnace_below_stoichiometric_air():
    """Reheating with little scale, lambda 0.95: the guarantee of 0.8 must not loosen the limit of 0.95."""
    limits = CrossLimit(AIR0, 0.95, 0.8, (0.9, 1.1))
    assert limits.step(80.0, 50.0, True, 50.0 * AIR0 * 0.95, True, 1.0) == pytest.approx(50.0)
    assert limits.step(80.0, 50.0, True, 50.0 * AIR0 * 0.95, True, 0.9) == pytest.approx(50.0 / 0.9)


def test_fuel_and_air_keep_each_other():
    limits = cross_limit(DOUBLE)
    limits.step(50.0, 80.0, True, 60.0 * AIR_PER_FUEL, True, 1.0)
    assert limits.air_demand == pytest.approx(0.95 * 80.0 * AIR_PER_FUEL)
    assert limits.state == ratio.FUEL_KEPT_BY_AIR + ratio.AIR_KEPT_BY_FUEL
    limits.step(90.0, 50.0, True, 90.0 * AIR_PER_FUEL, True, 1.0)
    assert limits.air_demand == pytest.approx(1.10 * 50.0 * AIR_PER_FUEL)
    assert limits.state == ratio.AIR_HELD_BY_FUEL
    single = cross_limit()
    single.step(90.0, 50.0, True, 90.0 * AIR_PER_FUEL, True, 1.0)
    assert single.air_demand == pytest.approx(90.0 * AIR_PER_FUEL)
    assert not single.limiting and single.state == 0


@pytest.mark.parametrize("bands", [None, DOUBLE])
def test_from_zero_to_full_load_and_back(bands):
    limits = cross_limit(bands)
    fuel, air = 0.0, 0.0
    for master in (100.0, 0.0):
        for _ in range(8000):
            fuel += 0.025 * (limits.step(master, fuel, True, air * AIR_PER_FUEL, True, 1.0) - fuel)
            air += 0.0083 * (limits.air_demand / AIR_PER_FUEL - air)
        assert fuel == pytest.approx(master, abs=0.2)
    assert limits.air_demand == 1.0 and limits.limiting
    # With a master of 0 the last of the fuel still counts as keeping the air up.
    assert limits.state - ratio.AIR_AT_MINIMUM in (0, ratio.AIR_KEPT_BY_FUEL)


def test_trim_moves_the_air_and_the_limits():
    limits = cross_limit()
    assert limits.step(50.0, 50.0, True, 55.0 * AIR_PER_FUEL, True, 1.1) == pytest.approx(50.0)
    assert limits.air_demand == pytest.approx(50.0 * AIR_PER_FUEL * 1.1)
    # The same air is less fuel where more air per fuel is asked for.
    assert limits.step(60.0, 50.0, True, 55.0 * AIR_PER_FUEL, True, 1.1) == pytest.approx(50.0)
    # Outside of its bounds it is the bound.
    limits.step(50.0, 50.0, True, 55.0 * AIR_PER_FUEL, True, 2.0)
    assert limits.trim == 1.15
    limits.step(50.0, 50.0, True, 55.0 * AIR_PER_FUEL, True, 0.2)
    assert limits.trim == 0.9


def test_noise_within_the_tolerance_is_no_limiter():
    limits = cross_limit()
    limits.step(50.0, 50.2, True, 49.8 * AIR_PER_FUEL, True, 1.0)
    assert not limits.limiting
    limits.step(50.0, 50.0, True, 49.4 * AIR_PER_FUEL, True, 1.0)
    assert limits.limiting and limits.state == ratio.FUEL_HELD_BY_AIR
    limits.tolerance = 0.02
    limits.step(50.0, 50.0, True, 49.4 * AIR_PER_FUEL, True, 1.0)
    assert not limits.limiting


@pytest.mark.parametrize("bands", [None, DOUBLE])
@pytest.mark.parametrize(
    "air, good", [(150.0, False), (math.nan, True), (math.inf, True), (1e9, True), (-1e9, True)]
)
def test_bad_air_shuts_the_fuel(bands, air, good):
    limits = cross_limit(bands)
    limits.step(50.0, 50.0, True, 150.0, True, 1.0)
    before = limits.air_demand
    assert limits.step(50.0, 50.0, True, air, good, 1.0) == 0.0
    assert limits.state == ratio.AIR_BAD + ratio.FUEL_HELD_BY_AIR and limits.limiting
    # The air stays while nobody sees it, also when the load is taken off.
    limits.step(0.0, 0.0, True, air, good, 1.0)
    assert limits.air_demand == before
    # It recovers with the measurement.
    assert limits.step(50.0, 50.0, True, 150.0, True, 1.0) == pytest.approx(50.0)
    assert limits.state == 0


@pytest.mark.parametrize("bands", [None, DOUBLE])
@pytest.mark.parametrize("fuel, good", [(50.0, False), (math.nan, True), (-math.inf, True), (1e9, True)])
def test_bad_fuel_measurement_freezes_the_dangerous_directions(bands, fuel, good):
    limits = cross_limit(bands)
    limits.step(50.0, 50.0, True, 150.0, True, 1.0)
    assert limits.step(70.0, fuel, good, 210.0, True, 1.0) == 50.0
    assert limits.state == ratio.FUEL_BAD + ratio.FUEL_HELD_BY_AIR and limits.limiting
    assert limits.air_demand == pytest.approx(210.0)
    limits.step(30.0, fuel, good, 150.0, True, 1.0)
    assert limits.fuel_demand <= 50.0
    assert limits.air_demand == pytest.approx(210.0)


@pytest.mark.parametrize("master", [math.nan, math.inf, -math.inf, 1e9])
def test_a_master_that_is_no_number_is_no_demand(master):
    limits = cross_limit(DOUBLE)
    limits.step(50.0, 50.0, True, 150.0, True, 1.0)
    assert limits.step(master, 50.0, True, 150.0, True, 1.0) == 0.0
    # The air follows the fuel down.
    assert limits.state == ratio.MASTER_BAD + ratio.AIR_KEPT_BY_FUEL
    assert limits.step(-3.0, 50.0, True, 150.0, True, 1.0) == 0.0
    assert not limits.state & ratio.MASTER_BAD


@pytest.mark.parametrize("trim", [math.nan, math.inf, 0.0, -1.0])
def test_a_bad_trim_leaves_the_last_one(trim):
    limits = cross_limit()
    limits.step(50.0, 50.0, True, 150.0, True, 1.05)
    limits.step(50.0, 50.0, True, 150.0, True, trim)
    assert limits.trim == 1.05 and limits.limiting
    # At 1.05 this air is 4.8 % less fuel.
    assert limits.state == ratio.TRIM_BAD + ratio.FUEL_HELD_BY_AIR


def test_negative_air_is_no_air():
    limits = cross_limit(DOUBLE)
    assert limits.step(50.0, 50.0, True, -0.3, True, 1.0) == 0.0
    assert not limits.state & ratio.AIR_BAD


@given(
    st.floats(1.0, 2.0), st.floats(0.5, 1.0), st.floats(0.5, 2.0), st.one_of(st.none(), st.floats(0.0, 0.3))
)
def test_a_configuration_that_could_break_the_guarantee_is_refused(lambda_set, trim_min, lambda_min, k1):
    bands = None if k1 is None else (k1, 0.1, 0.05, 0.1)
    allowed = lambda_set * trim_min >= lambda_min * (1.0 + (k1 or 0.0))
    arguments = (AIR0, lambda_set, lambda_min, (trim_min, 1.2), bands, 1.0)
    if allowed:
        CrossLimit(*arguments)
    else:
        with pytest.raises(ValueError, match="lambda_set \\* trim_min is below lambda_min"):
            CrossLimit(*arguments)


def test_refusal_at_the_edge():
    """1.25 x 0.9375 = 1.0 x 1.171875, exact in binary: the next number below 1.25 is refused."""
    CrossLimit(1.0, 1.25, 1.0, (0.9375, 1.15), (0.171875, 0.1, 0.05, 0.1), 1.0)
    with pytest.raises(ValueError):
        CrossLimit(1.0, math.nextafter(1.25, 0.0), 1.0, (0.9375, 1.15), (0.171875, 0.1, 0.05, 0.1), 1.0)
    # Lambda 1.15 with the full trim of gas leaves nothing of lambda_min 1: less authority is what is needed.
    with pytest.raises(ValueError):
        CrossLimit(1.0, 1.15, 1.0, GAS_TRIM)
    CrossLimit(1.0, 1.15, 1.0, (0.9, 1.15))


def test_reconfiguring_keeps_the_guarantee_too():
    limits = cross_limit(DOUBLE)
    limits.configure(3.0, 1.3)
    assert (limits.air0, limits.lambda_set) == (3.0, 1.3)
    bad = ((3.0, 1.1), (0.0, 1.3), (-1.0, 1.3), (math.nan, 1.3), (3.0, math.inf), (1e7, 1.3))
    for air0, lambda_set in bad:
        with pytest.raises(ValueError, match="CrossLimit"):
            limits.configure(air0, lambda_set)
        assert (limits.air0, limits.lambda_set) == (3.0, 1.3)


@pytest.mark.parametrize(
    "lambda_min, authority, bands, air_min",
    [
        (0.0, (0.9, 1.1), None, 0.0),
        (math.nan, (0.9, 1.1), None, 0.0),
        (1.0, (1.01, 1.1), None, 0.0),
        (1.0, (0.9, 0.99), None, 0.0),
        (1.0, (0.9, math.inf), None, 0.0),
        (1.0, (0.9, 1.1), (-0.01, 0.1, 0.05, 0.1), 1.0),
        (1.0, (0.9, 1.1), (0.05, 1.01, 0.05, 0.1), 1.0),
        (1.0, (0.9, 1.1), (0.05, 0.1, -0.05, 0.1), 1.0),
        (1.0, (0.9, 1.1), (0.05, 0.1, 0.05, math.nan), 1.0),
        # The load could not rise, could not fall, or could not leave zero.
        (1.0, (0.9, 1.1), (0.0, 0.1, 0.05, 0.0), 1.0),
        (1.0, (0.9, 1.1), (0.05, 0.0, 0.0, 0.1), 1.0),
        (1.0, (0.9, 1.1), DOUBLE, 0.0),
        (1.0, (0.9, 1.1), None, -1.0),
        (1.0, (0.9, 1.1), None, math.inf),
    ],
)
def test_bad_configurations_are_refused(lambda_min, authority, bands, air_min):
    with pytest.raises(ValueError, match="CrossLimit"):
        CrossLimit(AIR0, 1.4, lambda_min, authority, bands, air_min)


def test_a_new_one():
    limits = CrossLimit(2.5, 1.2, 1.02, (0.9, 1.15))
    assert (limits.fuel_demand, limits.air_demand, limits.air_min, limits.trim) == (0.0, 0.0, 0.0, 1.0)
    assert (limits.limiting, limits.state, limits.tolerance, limits.is_double) == (False, 0, 0.01, False)
    assert (limits.k1, limits.k2, limits.k3, limits.k4) == (0.0, 1.0, 0.0, 0.0)
    assert cross_limit(DOUBLE).air_demand == 1.0


def test_bits_are_the_numbers_of_the_docstring():
    bits = (
        ratio.FUEL_HELD_BY_AIR,
        ratio.FUEL_KEPT_BY_AIR,
        ratio.AIR_KEPT_BY_FUEL,
        ratio.AIR_HELD_BY_FUEL,
        ratio.AIR_BAD,
        ratio.FUEL_BAD,
        ratio.MASTER_BAD,
        ratio.TRIM_BAD,
        ratio.AIR_AT_MINIMUM,
    )
    assert bits == (1, 2, 4, 8, 16, 32, 64, 128, 256)
