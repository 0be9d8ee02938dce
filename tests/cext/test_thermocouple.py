"""Type K against NIST's coefficients, printed table values and inverse polynomials (tests/cext/data)."""

import csv
import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cext import thermocouple

DATA = Path(__file__).parent / "data"
NIST = json.loads((DATA / "tc_nist_coefficients.json").read_text())
TABLE_VALUES = list(csv.DictReader((DATA / "tc_check_values.csv").open()))
TABLES = {"K": thermocouple.K}


@pytest.mark.parametrize("kind", TABLES)
def test_coefficients_are_those_of_nist(kind):
    parts = TABLES[kind][3]
    assert len(parts) == len(NIST[kind]["forward"])
    for part, nist in zip(parts, NIST[kind]["forward"], strict=True):
        assert part == (nist["T_hi"], tuple(nist["c_lowest_first_mV"]), tuple(nist["gauss"] or ()))
    assert TABLES[kind][0] == NIST[kind]["forward"][0]["T_lo"]
    assert TABLES[kind][2] == NIST[kind]["forward"][-1]["T_hi"]


K_VALUES = [row for row in TABLE_VALUES if row["type"] == "K"]


@pytest.mark.parametrize("row", K_VALUES, ids=lambda row: row["T_C"])
def test_printed_values(row):
    t_c = float(row["T_C"])
    # Half a unit of the last printed digit: 5e-7 and 5e-4 mV, 5e-5 uV/K.
    assert thermocouple.emf_mv(t_c) == pytest.approx(float(row["E_mV_reference"]), abs=5.1e-7)
    assert thermocouple.emf_mv(t_c) == pytest.approx(float(row["table_mV_3dp"]), abs=5.1e-4)
    sensitivity = float(row["seebeck_uV_per_K"])
    assert thermocouple.seebeck_mv_per_k(t_c) * 1000.0 == pytest.approx(sensitivity, abs=5.1e-5)


@pytest.mark.parametrize("inverse", NIST["K"]["inverse"], ids=lambda inverse: str(inverse["T"]))
def test_inverse_agrees_with_the_inverse_polynomials_of_nist(inverse):
    low, high = inverse["E_mV"]
    # NIST gives the errors of its polynomials rounded to 0.01 K.
    below, above = inverse["nist_err"]
    for i in range(101):
        voltage = low + (high - low) * i / 100.0
        polynomial = sum(d * voltage**power for power, d in enumerate(inverse["d_lowest_first"]))
        if -5.891 <= voltage:
            assert below - 0.005 <= polynomial - thermocouple.temp_c(voltage) <= above + 0.005


@given(st.floats(-200.0, 1372.0))
def test_there_and_back_is_exact_to_rounding(t_c):
    # At the hot end the terms of the polynomial are 200 mV against a result of 55 mV: an error of 1e-12 mV,
    # 3e-11 K. The reference function itself steps by 2e-9 mV (5e-8 K) at 0 degC, where its two ranges meet.
    tolerance = 3e-11 if t_c <= 0.0 or t_c > 1e-6 else 6e-8
    assert thermocouple.temp_c(thermocouple.emf_mv(t_c)) == pytest.approx(t_c, rel=0.0, abs=tolerance)


@given(st.floats(-270.0, 1371.0), st.floats(1e-3, 1.0))
def test_voltage_rises_with_temperature(t_c, rise):
    assert thermocouple.emf_mv(t_c + rise) > thermocouple.emf_mv(t_c)


@given(st.floats(-200.0, 1371.9))
def test_sensitivity_is_the_slope(t_c):
    step = 1e-3
    slope = (thermocouple.emf_mv(t_c + step) - thermocouple.emf_mv(t_c)) / step
    # Difference quotient: half a step of curvature, 1e-7 mV/K, and rounding of 1e-13 mV over 1e-3 K; 2e-6 for
    # the step at 0.
    tolerance = 3e-6 if -2 * step < t_c < 2 * step else 2e-7
    assert thermocouple.seebeck_mv_per_k(t_c) == pytest.approx(slope, abs=tolerance)


def test_limits_are_in_range():
    assert thermocouple.emf_mv(0.0) == 0.0
    assert thermocouple.temp_c(0.0) == pytest.approx(0.0, abs=1e-12)
    assert thermocouple.temp_c(thermocouple.emf_mv(-200.0)) == -200.0
    assert thermocouple.temp_c(thermocouple.emf_mv(1372.0)) == 1372.0


@pytest.mark.parametrize("t_c", [-270.1, 1372.1, math.inf, -math.inf, math.nan])
def test_temperature_out_of_range_is_nan(t_c):
    assert math.isnan(thermocouple.emf_mv(t_c))
    assert math.isnan(thermocouple.seebeck_mv_per_k(t_c))
    assert math.isnan(thermocouple.measured_temp_c(10.0, t_c))


@pytest.mark.parametrize("voltage", [-5.892, 54.887, 1e300, math.inf, -math.inf, math.nan])
def test_voltage_out_of_range_is_nan(voltage):
    assert math.isnan(thermocouple.temp_c(voltage))


def test_cold_junction():
    # Hot junction 850 degC, terminals at 25 degC: E(850) - E(25) = 34.312864 mV. Half a digit of it is 1.2e-5
    # K.
    assert thermocouple.measured_temp_c(34.312864, 25.0) == pytest.approx(850.0, abs=1.3e-5)
    # A shorted pair shows the temperature of its terminals.
    assert thermocouple.measured_temp_c(0.0, 37.5) == pytest.approx(37.5, abs=1e-10)


def test_wrong_table_raises():
    with pytest.raises((TypeError, IndexError)):
        thermocouple.emf_mv(20.0, ())
