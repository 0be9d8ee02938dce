"""Siegert's loss, heat release and the soft sensor for the heating value."""

import csv
import math
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cext import air, heat
from cext.fuel_gas import FuelGas
from cext.heat import HeatingValue
from tests.cext import combustion_oracle as oracle

DATA = Path(__file__).parent / "data"
SIEGERT = list(csv.DictReader((DATA / "siegert.csv").open()))
WASTE = list(csv.DictReader((DATA / "msw_combustion.csv").open()))
ANYTHING = st.floats(allow_nan=True, allow_infinity=True)


@pytest.mark.parametrize("row", SIEGERT, ids=lambda r: f"{r['fuel'][:7]} {r['O2dry_pct']} {r['Tgas_C']}")
def test_siegert(row):
    methane = row["fuel"].startswith("natural gas")
    a1, a2, b = heat.NATURAL_GAS if methane else heat.LIGHT_OIL
    assert (a1, a2, b) == (float(row["A1"]), float(row["A2"]), float(row["B"]))
    gas_c, air_c, o2 = (float(row[name]) for name in ("Tgas_C", "Tair_C", "O2dry_pct"))
    # The table has four decimals.
    of_o2 = heat.siegert_o2_pct(gas_c, air_c, o2, a2, b)
    assert of_o2 == pytest.approx(float(row["qA_Siegert_O2_pct"]), abs=6e-5)
    co2_max = FuelGas(ch4=1.0).co2_max_pct if methane else air.co2_max_pct(*OIL)
    of_co2 = heat.siegert_co2_pct(gas_c, air_c, co2_max * (1.0 - o2 / 20.95), a1, b)
    assert of_co2 == pytest.approx(float(row["qA_Siegert_CO2_pct"]), abs=6e-5)
    # What the docstring says of its accuracy.
    if gas_c <= 300.0:
        short = float(row["qA_exact_pct_LHV"]) - of_o2
        assert 0.02 < short < 0.37 if methane else abs(short) < 0.14


OIL = (12.011 / (12.011 + 1.8 * 1.008), 1.8 * 1.008 / (12.011 + 1.8 * 1.008), 0.0, 0.0, 0.0, 0.0, 0.0)


def test_siegert_of_liquefied_gas():
    # Worked by hand: 180 K (0.63 / 17 + 0.008).
    a1, a2, b = heat.LIQUEFIED_GAS
    assert heat.siegert_o2_pct(200.0, 20.0, 4.0, a2, b) == pytest.approx(8.1106, abs=1e-4)
    assert heat.siegert_co2_pct(200.0, 20.0, 11.0, a1, b) == pytest.approx(180.0 * (0.42 / 11.0 + 0.008))


@pytest.mark.parametrize("o2", [21.0, 25.0, math.inf, math.nan])
def test_no_loss_from_plain_air(o2):
    assert math.isnan(heat.siegert_o2_pct(200.0, 20.0, o2, 0.66, 0.009))


@pytest.mark.parametrize("co2", [0.0, -1.0, math.nan])
def test_no_loss_without_co2(co2):
    assert math.isnan(heat.siegert_co2_pct(200.0, 20.0, co2, 0.37, 0.009))


@given(st.floats(1.0, 3.0), st.floats(0.01, 50.0))
def test_heat_release_of_methane_against_cantera(lam, fuel_nm3_s):
    """Air and lambda tell the heat that Cantera's enthalpies have for the fuel."""
    gas = FuelGas(ch4=1.0)
    release = heat.heat_release_mw(lam * gas.air0 * fuel_nm3_s, lam, gas.lhv_mj / gas.air0)
    burnt = {"CO2": 1.0, "H2O": 2.0}
    exact = oracle.heat_of_combustion_mj({"CH4": 1.0, "O2": 2.0}, burnt) / 22.414 * fuel_nm3_s
    assert release == pytest.approx(exact, rel=1e-4)


@pytest.mark.parametrize("row", WASTE, ids=lambda row: f"{row['fuel']} {row['O2dry']}")
def test_heat_release_of_waste(row):
    lhv, air0 = float(row["LHV"]), float(row["air0_Nm3"])
    release = heat.heat_release_mw(5.0 * float(row["air_Nm3"]), float(row["lam"]), lhv / air0)
    assert release == pytest.approx(5.0 * lhv, rel=1e-4)
    # What the docstring says of heat per air, with and without the moisture's latent heat.
    assert 2.79 < lhv / air0 < 3.56
    assert 3.70 < (lhv + 2.442 * float(row["W"])) / air0 < 3.83


def test_heat_release_at_its_limits():
    assert heat.heat_release_mw(10.0, 0.8, 3.5) == heat.heat_release_mw(10.0, 1.0, 3.5) == 35.0
    assert heat.heat_release_mw(0.0, 1.5, 3.5) == 0.0
    for air_nm3_s, lam in ((-1.0, 1.2), (math.nan, 1.2), (10.0, math.nan), (10.0, math.inf)):
        assert math.isnan(heat.heat_release_mw(air_nm3_s, lam, 3.5))


def test_heat_of_steam():
    # 46 t/h at 4.0 MPa, 400 degC (3,214 kJ/kg, IAPWS) from water of 130 degC (549 kJ/kg) with 20 % of losses;
    # the facts have 34 MW in the steam of a line of 500 t/d.
    fuel_mw = heat.heat_of_steam_mw(46.0 / 3.6, 3214.0 - 549.0, 20.0)
    assert 0.8 * fuel_mw == pytest.approx(34.05, abs=0.02)
    # So the waste has 34 MW / 0.8 / 5.787 kg/s.
    assert fuel_mw / (500.0 / 86.4) == pytest.approx(7.36, abs=0.02)
    for loss in (100.0, 150.0, math.nan):
        assert math.isnan(heat.heat_of_steam_mw(10.0, 2600.0, loss))


GOOD_SENSOR = (6.7, 4.0, 12.0, 3600.0, 1800.0, 0.5)


def sensor(filter_s=3600.0, residence_s=1800.0):
    return HeatingValue(6.7, 4.0, 12.0, filter_s, residence_s, 0.5)


@given(
    st.floats(4.5, 11.5),
    st.lists(st.tuples(st.floats(0.6, 12.0), st.floats(5.0, 60.0)), min_size=1, max_size=20),
)
def test_steady_waste_is_found_whatever_the_feed(lhv, feeds):
    """Strokes of the feeder and loads do not disturb it: with the bed's own delay the quotient is exact."""
    value = sensor(600.0, 300.0)
    knowing = HeatingValue(lhv, 4.0, 12.0, 600.0, 300.0, 0.5)
    bed, burning, started = 0.0, 0.0, False
    elapsed = 0.0
    while elapsed < 300.0 + 12.0 * 600.0:
        for feed, dt in feeds:
            if not started:
                bed = burning = feed
                started = True
            # The same two lags, written as mass that leaves: backward Euler of dm/dt = feed - m/tau.
            bed += dt / (dt + 150.0) * (feed - bed)
            burning += dt / (dt + 150.0) * (bed - burning)
            value.step(lhv * burning, feed, True, dt)
            # One that starts with the truth has no reason to leave it; 1e-15 for each of some thousand steps.
            assert knowing.step(lhv * burning, feed, True, dt) == pytest.approx(lhv, rel=1e-11)
            elapsed += dt
    # The starting value is left with exp(-12) of its weight, and that of backward Euler is a little more.
    assert value.lhv_mj == pytest.approx(lhv, abs=1e-3)
    assert value.trust > 0.999 and value.learning and value.why == heat.LEARNING


def test_step_of_moisture_is_followed_with_the_filter():
    """Waste of 6.7 becomes 5.0 MJ/kg: after residence and filter time 63 % of it is seen, within 10 %."""
    value = sensor(3600.0, 0.0)
    for _ in range(20000):
        value.step(6.7 * 5.8, 5.8, True, 10.0)
    for _ in range(360):
        value.step(5.0 * 5.8, 5.8, True, 10.0)
    seen = (6.7 - value.lhv_mj) / (6.7 - 5.0)
    assert seen == pytest.approx(1.0 - math.exp(-1.0), abs=0.005)


def test_it_starts_from_the_given_value_without_a_jump():
    """The bed counts as fed like at first, and the starting value is worth one filter time of fuel."""
    value = sensor(3600.0, 1800.0)
    for _ in range(1000):
        value.step(6.7 * 5.8, 5.8, True, 10.0)
        assert value.lhv_mj == pytest.approx(6.7, rel=1e-12)
    assert value.trust == pytest.approx(1.0 - math.exp(-(10000.0 - 1800.0) / 3600.0), abs=2e-3)
    value = sensor(3600.0, 0.0)
    value.step(9.0 * 5.8, 5.8, True, 10.0)
    assert value.lhv_mj - 6.7 == pytest.approx((9.0 - 6.7) * 10.0 / 3610.0)


def test_noise_is_averaged_without_bias():
    """Feed in strokes (on one third of the time) and noise of 20 %: an averaged quotient would be far off."""
    noise = random.Random(3)
    value = sensor(7200.0, 0.0)
    for number in range(40000):
        feed = 18.0 if number % 3 == 0 else 0.6
        heat_mw = 7.2 * 6.4 * noise.uniform(0.8, 1.2)
        value.step(heat_mw, feed, True, 5.0)
    assert value.lhv_mj == pytest.approx(7.2, rel=0.01)


def test_it_says_why_it_does_not_judge():
    value = sensor(3600.0, 1800.0)
    assert not value.learning and value.why == heat.WAITING and value.trust == 0.0
    value.step(40.0, 5.8, True, 900.0)
    assert not value.learning and value.why == heat.WAITING
    value.step(40.0, 5.8, True, 900.0)
    value.step(40.0, 5.8, True, 1.0)
    assert value.learning and value.why == heat.LEARNING and value.trust > 0.0
    held = (value.lhv_mj, value.trust)
    for heat_mw, feed, good in (
        (math.nan, 5.8, True),
        (40.0, math.nan, True),
        (40.0, math.inf, True),
        (40.0, -0.1, True),
        (-1.0, 5.8, True),
        (1e9, 5.8, True),
        (40.0, 5.8, False),
    ):
        value.step(heat_mw, feed, good, 10.0)
        assert not value.learning and value.why == heat.BAD_INPUT
        assert (value.lhv_mj, value.trust) == held
    # The gap of 70 s costs 70 s.
    for _ in range(7):
        value.step(40.0, 5.8, True, 10.0)
        assert value.why == heat.WAITING and (value.lhv_mj, value.trust) == held
    value.step(40.0, 5.8, True, 10.0)
    assert value.learning
    for dt_s in (0.0, -1.0, math.nan, math.inf):
        value.step(40.0, 5.8, True, dt_s)
        assert not value.learning and value.why == heat.BAD_INPUT


def test_reasons_are_the_numbers_of_the_docstring():
    reasons = (heat.LEARNING, heat.BAD_INPUT, heat.LITTLE_FUEL, heat.WAITING, heat.AT_BOUND)
    assert reasons == (0, 1, 2, 3, 4)


def test_a_long_gap_costs_one_residence():
    value = sensor(3600.0, 1800.0)
    for _ in range(400):
        value.step(40.0, 5.8, True, 10.0)
    assert value.learning
    for _ in range(10000):
        value.step(math.nan, 5.8, True, 10.0)
    waited = 0
    while not value.learning:
        value.step(40.0, 5.8, True, 10.0)
        waited += 10
    assert waited == 1800 + 10


def test_little_fuel_is_not_judged():
    value = sensor(3600.0, 600.0)
    for _ in range(100):
        value.step(40.0, 5.8, True, 10.0)
    for _ in range(300):
        value.step(3.0, 0.0, True, 10.0)
    assert not value.learning and value.why == heat.LITTLE_FUEL
    held = value.lhv_mj
    value.step(3.0, 0.0, True, 10.0)
    assert value.lhv_mj == held


def test_at_a_bound_it_says_so_and_comes_back_at_once():
    value = sensor(3600.0, 0.0)
    for _ in range(5000):
        value.step(20.0 * 5.8, 5.8, True, 10.0)
    assert value.lhv_mj == 12.0 and value.why == heat.AT_BOUND and value.learning
    value.step(11.0 * 5.8, 5.8, True, 10.0)
    assert value.lhv_mj < 12.0 and value.why == heat.LEARNING
    for _ in range(5000):
        value.step(0.0, 5.8, True, 10.0)
    assert value.lhv_mj == 4.0 and value.why == heat.AT_BOUND
    value.step(5.0 * 5.8, 5.8, True, 10.0)
    assert 4.0 < value.lhv_mj < 4.01 and value.why == heat.LEARNING


@given(st.lists(st.tuples(ANYTHING, ANYTHING, st.booleans(), ANYTHING), max_size=50))
def test_bounded_and_slow_whatever_comes_in(history):
    value = sensor(3600.0, 60.0)
    for heat_mw, feed, good, dt_s in history:
        before, trust = value.lhv_mj, value.trust
        result = value.step(heat_mw, feed, good, dt_s)
        assert result == value.lhv_mj and 4.0 <= result <= 12.0
        assert trust <= value.trust <= 1.0
        if not value.learning:
            assert (value.lhv_mj, value.trust) == (before, trust)
            assert value.why in (heat.BAD_INPUT, heat.LITTLE_FUEL, heat.WAITING)


@pytest.mark.parametrize(
    "arguments",
    [
        (3.9, 4.0, 12.0, 3600.0, 1800.0, 0.5),
        (12.1, 4.0, 12.0, 3600.0, 1800.0, 0.5),
        (6.7, 0.0, 12.0, 3600.0, 1800.0, 0.5),
        (6.7, 4.0, 12.0, 0.0, 1800.0, 0.5),
        (6.7, 4.0, 12.0, 3600.0, -1.0, 0.5),
        (6.7, 4.0, 12.0, 3600.0, 1800.0, 0.0),
        *[
            tuple(value if number == place else good for number, good in enumerate(GOOD_SENSOR))
            for place in range(6)
            for value in (math.nan, math.inf)
        ],
    ],
)
def test_bad_parameters_are_refused(arguments):
    with pytest.raises(ValueError, match="HeatingValue: expected"):
        HeatingValue(*arguments)


def test_a_start_at_a_bound_is_allowed():
    for lhv, low, high in ((4.0, 4.0, 12.0), (12.0, 4.0, 12.0), (6.0, 6.0, 6.0)):
        assert HeatingValue(lhv, low, high, 3600.0, 0.0, 0.5).lhv_mj == lhv
