"""Humid air against IAPWS, the standard atmosphere, a psychrometric table and Cantera's gas mixture."""

import math

import cantera
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cext import humid_air

TEMP_C = st.floats(-40.0, 60.0)
RELATIVE = st.floats(0.0, 100.0)
PRESSURE = st.floats(70000.0, 110000.0)


@pytest.mark.parametrize(
    "temp_c, pressure_pa",
    [
        # IAPWS-IF97, table 35: 300 K. The others are of IAPWS-95's saturation table.
        (26.85, 3536.58941),
        (0.01, 611.657),
        (10.0, 1228.2),
        (20.0, 2339.3),
        (40.0, 7384.9),
        (60.0, 19946.0),
        (70.0, 31201.0),
    ],
)
def test_saturation_pressure(temp_c, pressure_pa):
    assert humid_air.saturation_pressure_pa(temp_c) == pytest.approx(pressure_pa, rel=1e-3)


@given(st.floats(-50.0, 0.0))
def test_saturation_pressure_over_supercooled_water(temp_c):
    """D. M. Murphy and T. Koop, Q. J. R. Meteorol. Soc. 131 (2005) 1539, equation 10."""
    t = temp_c + 273.15
    blend = math.tanh(0.0415 * (t - 218.8))
    cold = 53.878 - 1331.22 / t - 9.44523 * math.log(t) + 0.014025 * t
    pressure = math.exp(54.842763 - 6763.22 / t - 4.210 * math.log(t) + 0.000367 * t + blend * cold)
    limit = 2e-3 if temp_c > -30.0 else 0.027
    assert humid_air.saturation_pressure_pa(temp_c) == pytest.approx(pressure, rel=limit)


@given(st.floats(-50.0, 69.9))
def test_saturation_pressure_rises(temp_c):
    # Clausius and Clapeyron: 4..12 % per K.
    rise = humid_air.saturation_pressure_pa(temp_c + 0.1) / humid_air.saturation_pressure_pa(temp_c) - 1.0
    assert 0.004 < rise < 0.012


@pytest.mark.parametrize(
    "altitude_m, pressure_pa",
    # ISO 2533, geopotential altitudes.
    [
        (-500, 107477.4),
        (0, 101325.0),
        (500, 95460.8),
        (800, 92076.4),
        (1000, 89874.6),
        (2000, 79495.2),
        (5000, 54019.9),
        (11000, 22632.1),
    ],
)
def test_standard_atmosphere(altitude_m, pressure_pa):
    assert humid_air.pressure_at_altitude_pa(altitude_m) == pytest.approx(pressure_pa, abs=0.2)


@given(st.floats(-1000.0, 11000.0))
def test_series_is_the_power(altitude_m):
    power = 101325.0 * math.pow(1.0 - 0.0065 * altitude_m / 288.15, 5.255880)
    assert humid_air.pressure_at_altitude_pa(altitude_m) == pytest.approx(power, rel=1e-14)


def test_humidity_of_a_psychrometric_table():
    # ASHRAE: 25 degC, 50 %, 101.325 kPa: 9.93 g/kg; 30 degC, 100 %: 27.3 g/kg. Real air holds 0.4 % more than
    # the ideal gases here.
    assert humid_air.humidity(50.0, 25.0, 101325.0) == pytest.approx(9.93e-3, rel=7e-3)
    assert humid_air.humidity(100.0, 30.0, 101325.0) == pytest.approx(27.3e-3, rel=7e-3)
    # At 800 m the same air holds a tenth more per kg.
    assert humid_air.humidity(50.0, 25.0, 92076.0) == pytest.approx(1.102 * 9.88e-3, rel=2e-3)


@given(TEMP_C, RELATIVE, PRESSURE)
def test_density_and_flows_against_cantera(temp_c, relative_pct, pressure_pa):
    """Volume, mass and dry normal volume of the same moist air, as a mixture of Cantera's ideal gases."""
    x = humid_air.humidity(relative_pct, temp_c, pressure_pa)
    vapour = 0.01 * relative_pct * humid_air.saturation_pressure_pa(temp_c)
    gas = GAS
    # Argon and nitrogen so that dry air has 28.964 kg/kmol.
    gas.TPX = temp_c + 273.15, pressure_pa, {
        "H2O": vapour,
        "O2": 0.2095 * (pressure_pa - vapour),
        "N2": (0.7905 - ARGON) * (pressure_pa - vapour),
        "AR": ARGON * (pressure_pa - vapour),
    }
    # R and the molar masses of the two differ by 3e-5.
    assert humid_air.density(temp_c, pressure_pa, x) == pytest.approx(gas.density, rel=1e-4)
    assert x == pytest.approx(gas["H2O"].Y[0] / (1.0 - gas["H2O"].Y[0]), rel=1e-4, abs=1e-12)
    dry_kmol = gas.density_mole * (1.0 - gas["H2O"].X[0])
    dry_nm3 = pytest.approx(3.0 * 22.414 * dry_kmol, rel=1e-4)
    assert humid_air.flow_of_volume(3.0, temp_c, pressure_pa, x) == dry_nm3
    assert humid_air.flow_of_mass(3.0 * gas.density, x) == dry_nm3


GAS = cantera.Solution("gri30.yaml")
ARGON = (28.964 - 0.2095 * 31.998 - 0.7905 * 28.014) / (39.95 - 28.014)


def test_air_of_bishkek_and_of_the_sea():
    """The example of the module: fan volume that gives lambda 1.20 at the sea gives 1.02 at 800 m."""
    sea = humid_air.flow_of_volume(1.0, 15.0, 101325.0, humid_air.humidity(50.0, 15.0, 101325.0))
    pressure = humid_air.pressure_at_altitude_pa(800.0)
    city = humid_air.flow_of_volume(1.0, 30.0, pressure, humid_air.humidity(50.0, 30.0, pressure))
    assert (sea, city) == pytest.approx((0.94, 0.80), abs=0.005)
    assert 1.20 * city / sea == pytest.approx(1.02, abs=0.005)


def test_orifice_in_thin_air():
    """Bernoulli: the same differential pressure drives flow^2 / density."""
    design, operating = 1.2, 0.9
    for true_kg_s in (0.0, 2.0, 7.5):
        differential_pressure = true_kg_s**2 / operating
        indicated = math.sqrt(differential_pressure * design)
        found = humid_air.mass_of_differential_pressure(indicated, operating, design)
        assert found == pytest.approx(true_kg_s, rel=1e-14)


@pytest.mark.parametrize(
    "value",
    [
        humid_air.saturation_pressure_pa(-50.1),
        humid_air.saturation_pressure_pa(70.1),
        humid_air.saturation_pressure_pa(math.nan),
        humid_air.humidity(-0.1, 20.0, 1e5),
        humid_air.humidity(100.1, 20.0, 1e5),
        humid_air.humidity(math.nan, 20.0, 1e5),
        humid_air.humidity(50.0, math.nan, 1e5),
        humid_air.humidity(50.0, 20.0, math.nan),
        humid_air.humidity(50.0, 20.0, math.inf),
        humid_air.humidity(100.0, 60.0, 19000.0),
        humid_air.pressure_at_altitude_pa(-1001.0),
        humid_air.pressure_at_altitude_pa(11001.0),
        humid_air.pressure_at_altitude_pa(math.nan),
        humid_air.density(-273.15, 1e5, 0.0),
        humid_air.density(20.0, 0.0, 0.0),
        humid_air.density(20.0, 1e5, -0.001),
        humid_air.density(math.nan, 1e5, 0.0),
        humid_air.flow_of_volume(1.0, 20.0, 1e5, math.nan),
        humid_air.flow_of_mass(1.0, -0.001),
        humid_air.mass_of_differential_pressure(1.0, 0.0, 1.2),
        humid_air.mass_of_differential_pressure(1.0, 1.2, 0.0),
        humid_air.mass_of_differential_pressure(1.0, 1.2, math.nan),
    ],
)
def test_out_of_range_is_not_a_number(value):
    assert math.isnan(value)
