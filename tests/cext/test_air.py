"""Combustion air against references that were calculated independently (tests/cext/data)."""

import csv
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cext import air

DATA = Path(__file__).parent / "data"
WASTE = list(csv.DictReader((DATA / "msw_combustion.csv").open()))
GASES = list(csv.DictReader((DATA / "lambda_o2.csv").open()))

# Mole composition of the fuels of lambda_o2.csv: C, H, O, N atoms per mole of fuel.
MOLECULES = {
    "CH4 (pure)": (1.0, 4.0, 0.0, 0.0),
    "NG 90CH4/6C2H6/1C3H8/2N2/1CO2": (
        0.90 + 2 * 0.06 + 3 * 0.01 + 0.01,
        3.60 + 6 * 0.06 + 8 * 0.01,
        0.02,
        0.04,
    ),
    "Fuel oil CH1.8": (1.0, 1.8, 0.0, 0.0),
}
DESIGN_WASTE = (0.19388, 0.02705, 0.10689, 0.00416, 0.00091, 0.00211, 0.484)


def analysis_of(row):
    return tuple(float(row[name]) for name in ("C", "H", "O", "N", "S", "Cl", "W"))


def analysis_of_molecule(atoms):
    masses = [count * mass for count, mass in zip(atoms, (12.011, 1.008, 15.999, 14.007), strict=True)]
    c, h, o, n = (mass / sum(masses) for mass in masses)
    return (c, h, o, n, 0.0, 0.0, 0.0)


@pytest.mark.parametrize("row", WASTE, ids=lambda row: f"{row['fuel']} {row['O2dry']}")
def test_municipal_waste(row):
    # The file's mass fractions are rounded to 5e-6. That is up to 1.3e-4 Nm3/kg of air by the hydrogen alone,
    # 2e-4 by all elements, and 3e-5 in w0.
    analysis = analysis_of(row)
    air0 = air.stoichiometric_air(*analysis)
    assert air0 == pytest.approx(float(row["air0_Nm3"]), abs=2e-4)
    lam = float(row["lam"])
    assert air.lambda_from_o2(float(row["O2dry"]), air.dry_ratio(*analysis)) == pytest.approx(lam, abs=5e-5)
    assert air.lambda_from_o2(float(row["O2wet"]), air.wet_ratio(*analysis)) == pytest.approx(lam, abs=1e-4)
    excess = (lam - 1.0) * air0
    assert air.stoichiometric_dry_gas(*analysis) + excess == pytest.approx(float(row["FGdry_Nm3"]), abs=4e-4)
    assert air.stoichiometric_wet_gas(*analysis) + excess == pytest.approx(float(row["FGwet_Nm3"]), abs=4e-4)
    # 2 kg/s of this waste at this O2.
    demand = air.air_demand(2.0, air0, float(row["O2wet"]), air.wet_ratio(*analysis))
    assert demand == pytest.approx(2.0 * float(row["air_Nm3"]), abs=1e-3)


@pytest.mark.parametrize("row", GASES, ids=lambda row: f"{row['fuel']} {row['O2']}")
def test_gas_and_oil(row):
    # The molar masses cancel in k0, so what is left is rounding: 1e-12 on values near 1 with 16 digits.
    analysis = analysis_of_molecule(MOLECULES[row["fuel"]])
    o2 = float(row["O2"])
    d0, w0 = air.dry_ratio(*analysis), air.wet_ratio(*analysis)
    assert air.lambda_from_o2(o2, d0) == pytest.approx(float(row["lam_if_dry"]), abs=1e-12)
    assert air.lambda_from_o2(o2, w0) == pytest.approx(float(row["lam_if_wet"]), abs=1e-12)
    # The rule of thumb counts with 21 % O2 in air, which is at most 0.3 % of lambda up to 11 % O2.
    assert air.lambda_from_o2(o2, 1.0) == pytest.approx(float(row["lam_simple"]), rel=3e-3)
    if row["EA_ganapathy"]:
        # The published rule 90 O2/(21 - O2) is for natural gas, dry, and within 0.6 % of the excess air.
        excess_pct = 100.0 * (air.lambda_from_o2(o2, d0) - 1.0)
        assert excess_pct == pytest.approx(float(row["EA_ganapathy"]), rel=6.5e-3)


def test_design_waste_ratios():
    assert air.dry_ratio(*DESIGN_WASTE) == pytest.approx(0.966, abs=1e-3)
    assert air.wet_ratio(*DESIGN_WASTE) == pytest.approx(1.398, abs=1e-3)


@given(st.floats(0.0, 20.9), st.floats(0.5, 2.5))
def test_lambda_and_o2_are_inverse(o2, k0):
    # Near lambda 1 the 1 swallows digits of the excess, so the O2 comes back to 1e-14 of 20.95 over k0.
    assert air.o2_from_lambda(air.lambda_from_o2(o2, k0), k0) == pytest.approx(o2, rel=1e-12, abs=2e-14)


@pytest.mark.parametrize("o2", [20.95, 21.0, 1e300, math.inf, math.nan])
def test_no_lambda_in_plain_air(o2):
    assert math.isnan(air.lambda_from_o2(o2, 1.4))
    assert math.isnan(air.air_demand(1.0, 2.0, o2, 1.4))


@pytest.mark.parametrize("o2, humidity", [(20.0, 0.05), (5.0, -1e-9), (5.0, math.nan), (5.0, math.inf)])
def test_no_lambda_beyond_humid_air(o2, humidity):
    """50 g/kg leave 19.39 % of O2 in the air."""
    assert math.isnan(air.lambda_from_o2(o2, 1.4, humidity))
    assert math.isnan(air.air_demand(1.0, 2.0, o2, 1.4, humidity))


@given(st.floats(0.0, 19.0), st.floats(0.5, 2.5), st.floats(0.0, 0.05))
def test_lambda_and_o2_are_inverse_in_humid_air(o2, k0, humidity):
    lam = air.lambda_from_o2(o2, k0, humidity)
    assert air.o2_from_lambda(lam, k0, humidity) == pytest.approx(o2, rel=1e-11, abs=2e-14)


@pytest.mark.parametrize("row", WASTE[::6], ids=lambda row: row["fuel"])
def test_heating_value_of_waste(row):
    # Mass fractions of five digits are 1e-3 MJ/kg by the hydrogen.
    assert air.lower_heating_value(*analysis_of(row)) == pytest.approx(float(row["LHV"]), abs=1.2e-3)


@pytest.mark.parametrize(
    "fuel, analysis, lhv",
    [
        # Pure substances within the formula's range, lower heating values of the CRC Handbook. Its authors
        # state an average error of 1.45 %; single fuels of their 275 are off by up to 5 %.
        ("cellulose C6H10O5", (0.44446, 0.06217, 0.49337, 0.0, 0.0, 0.0, 0.0), 16.12),
        ("hexadecane C16H34", (0.84862, 0.15138, 0.0, 0.0, 0.0, 0.0, 0.0), 43.95),
        ("benzene C6H6", (0.92257, 0.07743, 0.0, 0.0, 0.0, 0.0, 0.0), 40.14),
        ("methanol CH4O", (0.37484, 0.12584, 0.49932, 0.0, 0.0, 0.0, 0.0), 19.92),
    ],
)
def test_heating_value_of_pure_substances(fuel, analysis, lhv):
    assert air.lower_heating_value(*analysis) == pytest.approx(lhv, rel=0.05)


@pytest.mark.parametrize(
    "place, hhv", [(0, 34.91), (1, 117.83), (2, -10.34), (3, -1.51), (4, 10.05), (5, 0.0), (6, 0.0)]
)
def test_coefficients_of_the_correlation(place, hhv):
    """As printed: 0.3491 C + 1.1783 H + 0.1005 S - 0.1034 O - 0.0151 N - 0.0211 ash, in percent by mass."""
    analysis = [0.0] * 7
    analysis[place] = 1.0
    water = {1: 8.936, 6: 1.0}.get(place, 0.0)
    assert air.lower_heating_value(*analysis) == pytest.approx(hhv - 2.442 * water, rel=1e-12, abs=1e-12)


def test_moisture_takes_its_share_and_its_latent_heat():
    dry = (0.40, 0.05, 0.20, 0.01, 0.002, 0.004, 0.0)
    moist = (*[0.5 * fraction for fraction in dry[:6]], 0.5)
    expected = 0.5 * air.lower_heating_value(*dry) - 0.5 * 2.442
    assert air.lower_heating_value(*moist) == pytest.approx(expected, rel=1e-12)
    ash = air.lower_heating_value(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    assert ash == -2.11


def test_percent_for_fractions_have_no_heating_value():
    assert math.isnan(air.lower_heating_value(19.388, 2.705, 10.689, 0.416, 0.091, 0.211, 48.4))
    assert math.isnan(air.lower_heating_value(0.5, 0.06, 0.45, 0.0, 0.0, 0.0, 0.0))
    assert math.isnan(air.lower_heating_value(math.nan, 0.06, 0.4, 0.0, 0.0, 0.0, 0.0))
    # Rounding of a laboratory's analysis is no error.
    assert air.lower_heating_value(0.502, 0.06, 0.44, 0.0, 0.0, 0.0, 0.0) > 0.0


@pytest.mark.parametrize("row", WASTE, ids=lambda row: f"{row['fuel']} {row['O2dry']}")
def test_co2_max_of_waste(row):
    """CO2 and O2 of a dry gas lie on a straight line from CO2max to plain air."""
    co2_max = float(row["CO2dry"]) / (1.0 - float(row["O2dry"]) / 20.95)
    assert air.co2_max_pct(*analysis_of(row)) == pytest.approx(co2_max, rel=1e-4)


def test_products_and_air_are_the_stoichiometric_gas():
    co2, so2, hcl, h2o, n2 = air.products(*DESIGN_WASTE)
    air0 = air.stoichiometric_air(*DESIGN_WASTE)
    dry = co2 + so2 + hcl + n2 + 0.7905 * air0
    assert dry == pytest.approx(air.stoichiometric_dry_gas(*DESIGN_WASTE), rel=1e-14)
    assert dry + h2o == pytest.approx(air.stoichiometric_wet_gas(*DESIGN_WASTE), rel=1e-14)


def test_limits_of_the_inverse():
    assert air.o2_from_lambda(1.0, 1.4) == 0.0
    assert air.o2_from_lambda(0.7, 1.4) == 0.0
    assert air.o2_from_lambda(math.inf, 1.4) == pytest.approx(20.95)
    assert math.isnan(air.o2_from_lambda(math.nan, 1.4))
    assert math.isnan(air.o2_from_lambda(1.5, 0.0))
    assert math.isnan(air.o2_from_lambda(1.5, math.nan))
    assert math.isnan(air.o2_from_lambda(1.5, 1.4, -0.01))
    assert air.o2_from_lambda(math.inf, 1.4, 0.05) == pytest.approx(20.95 / (1.0 + 0.05 * 28.964 / 18.015))


def test_zero_error_of_the_analyser_is_carried_through():
    below, above = air.lambda_from_o2(-0.1, 1.4), air.lambda_from_o2(0.1, 1.4)
    assert below < 1.0 < above
    assert above - 1.0 == pytest.approx(1.0 - below, rel=0.02)


NOTHING = (0.0,) * 7
WATER = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
OXIDISED = (0.1, 0.0, 0.6, 0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize("analysis", [NOTHING, WATER, OXIDISED])
def test_fuel_that_needs_no_air_has_no_ratio(analysis):
    assert not air.stoichiometric_air(*analysis) > 0.0
    assert math.isnan(air.dry_ratio(*analysis))
    assert math.isnan(air.wet_ratio(*analysis))
    assert math.isnan(air.co2_max_pct(*analysis))
