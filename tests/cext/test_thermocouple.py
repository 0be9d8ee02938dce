"""The eight thermocouple types: tables, values, ranges, steps at the borders, cold junction.

Against NIST's coefficients, printed values and inverse polynomials, the package thermocouples_reference, and
arithmetic to 50 digits (thermocouple_oracle.py).
"""

import csv
import math
from decimal import Decimal
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

import pytest

from benchmarks import bench_thermocouple
from cext import thermocouple
from cext.thermocouple import emf_mv, measured_temp_c, seebeck_mv_per_k, temp_c
from tests.cext.thermocouple_oracle import (
    BORDERS,
    DATA,
    HIGHEST_C,
    INVERSE_FROM_C,
    KINDS,
    LOWEST_C,
    NIST,
    function,
    inverse_polynomial,
    piece_at,
    rounding_k,
    rounding_mv,
    temperature_error_k,
)
from tests.cext.thermocouple_oracle import emf_mv as exact_emf_mv
from tests.cext.thermocouple_oracle import slope_mv_per_k as exact_slope_mv_per_k
from tests.cext.traces import thermocouple as trace

TABLE_VALUES = list(csv.DictReader((DATA / "tc_check_values.csv").open()))
# Made with thermocouples_reference 0.20 (PyPI; NIST SRD 60) under numpy 1.26: emf_mVC(t) and its derivative.
REFERENCE_VALUES = list(csv.DictReader((DATA / "tc_reference_values.csv").open()))
INVERSES = [
    pytest.param(letter, inverse, id=f"{letter}-{inverse['T'][0]}")
    for letter, nist in NIST.items()
    for inverse in nist["inverse"]
]


def row_id(row):
    return f"{row['type']}{row['T_C']}"


def floats(decimals):
    return tuple(float(number) for number in decimals)


def half_a_digit(printed: Decimal) -> float:
    return 0.5 * 10.0 ** printed.as_tuple().exponent


@pytest.mark.parametrize("letter", KINDS)
def test_functions_are_those_of_nist(letter):
    kind = KINDS[letter]
    assert kind[:2] == (LOWEST_C[letter], INVERSE_FROM_C[letter])
    assert len(kind[3]) == len(NIST[letter]["forward"])
    for (highest_c, _, coefficients, gauss), nist in zip(kind[3], NIST[letter]["forward"], strict=True):
        assert highest_c == float(nist["T_hi"])
        assert coefficients[::-1] == floats(nist["c_lowest_first_mV"])
        assert gauss == floats(nist["gauss"] or ())


@pytest.mark.parametrize("letter", KINDS)
def test_first_guesses_are_those_of_nist(letter):
    guesses = [polynomial for _, polynomial in KINDS[letter][4]]
    first = NIST[letter]["inverse"][0]
    if first["T"][0] > INVERSE_FROM_C[letter]:
        assert KINDS[letter][4][0] == (float(first["E_mV"][0]), floats(first["T"][:1]))
        del guesses[0]
    assert [guess[::-1] for guess in guesses] == [
        floats(inverse["d_lowest_first"]) for inverse in NIST[letter]["inverse"]
    ]


@pytest.mark.parametrize("letter", KINDS)
def test_voltages_of_a_table_are_those_of_its_function(letter):
    """To the bit: else the ends of the range would be out of range."""
    kind = KINDS[letter]
    assert kind[2] == emf_mv(kind[1], kind)
    for piece in kind[3]:
        assert piece[1] == emf_mv(piece[0], kind)


@pytest.mark.parametrize("row", TABLE_VALUES, ids=row_id)
def test_printed_values(row):
    t_c = float(row["T_C"])
    kind = KINDS[row["type"]]
    # Half a unit of the last printed digit: 5e-7 and 5e-4 mV, 5e-5 uV/K.
    assert emf_mv(t_c, kind) == pytest.approx(float(row["E_mV_reference"]), abs=5.1e-7)
    assert emf_mv(t_c, kind) == pytest.approx(float(row["table_mV_3dp"]), abs=5.1e-4)
    assert seebeck_mv_per_k(t_c, kind) * 1000.0 == pytest.approx(float(row["seebeck_uV_per_K"]), abs=5.1e-5)


@pytest.mark.parametrize("row", REFERENCE_VALUES, ids=row_id)
def test_values_of_the_reference_implementation(row):
    t_c = float(row["T_C"])
    kind = KINDS[row["type"]]
    # Half a unit of the last printed digit, 5e-11, and the rounding of both sides.
    tolerance = 5e-11 + 2.0 * rounding_mv(row["type"], t_c)
    assert emf_mv(t_c, kind) == pytest.approx(float(row["E_mV"]), rel=0.0, abs=tolerance)
    slope = float(row["seebeck_mV_per_K"])
    assert seebeck_mv_per_k(t_c, kind) == pytest.approx(slope, rel=0.0, abs=tolerance)


@pytest.mark.parametrize("letter, inverse", INVERSES)
def test_inverse_agrees_with_the_inverse_polynomials_of_nist(letter, inverse):
    kind = KINDS[letter]
    below, above = inverse["nist_err"]
    low_mv, high_mv = floats(inverse["E_mV"])
    for i in range(101):
        # NIST gives the ranges rounded; the last may lie outside the function.
        voltage_mv = min(low_mv + (high_mv - low_mv) * i / 100.0, kind[3][-1][1])
        voltage_mv = max(voltage_mv, kind[2])
        error = inverse_polynomial(inverse, voltage_mv) - temp_c(voltage_mv, kind)
        assert float(below) - half_a_digit(below) <= error <= float(above) + half_a_digit(above)


@pytest.mark.parametrize("letter", KINDS)
def test_voltage_and_sensitivity_to_rounding(letter):
    kind = KINDS[letter]
    for i in range(401):
        t_c = LOWEST_C[letter] + (HIGHEST_C[letter] - LOWEST_C[letter]) * i / 400.0
        bound = rounding_mv(letter, t_c)
        assert abs(float(Decimal(emf_mv(t_c, kind)) - exact_emf_mv(letter, t_c))) <= bound
        slope_error = float(Decimal(seebeck_mv_per_k(t_c, kind)) - exact_slope_mv_per_k(letter, t_c))
        # A derivative has terms n / t times as large; the exponential term is below 1e-3 mV/K.
        degree = len(piece_at(letter, t_c)["c_lowest_first_mV"]) - 1
        assert abs(slope_error) <= 2.0 * degree * bound / max(abs(t_c), 1.0) + 1e-16


@pytest.mark.parametrize("letter", KINDS)
def test_temperature_to_rounding(letter):
    kind = KINDS[letter]
    low_c = INVERSE_FROM_C[letter]
    largest = 0.0
    for i in range(1, 400):
        t_c = low_c + (HIGHEST_C[letter] - low_c) * i / 400.0
        voltage_mv = float(exact_emf_mv(letter, t_c))
        found_c = temp_c(voltage_mv, kind)
        error = abs(temperature_error_k(letter, found_c, voltage_mv))
        assert error <= rounding_k(letter, t_c)
        if t_c >= -200.0:
            largest = max(largest, error)
    assert largest < 2e-10, "the figure that the docstring of temp_c gives"


@pytest.mark.parametrize("letter", KINDS)
def test_ends_are_in_range(letter):
    kind = KINDS[letter]
    for t_c in (INVERSE_FROM_C[letter], HIGHEST_C[letter]):
        tolerance = rounding_k(letter, t_c)
        assert temp_c(emf_mv(t_c, kind), kind) == pytest.approx(t_c, rel=0.0, abs=tolerance)


@pytest.mark.parametrize("letter", KINDS)
def test_out_of_range_is_nan(letter):
    kind = KINDS[letter]
    low_c, high_c = LOWEST_C[letter], HIGHEST_C[letter]
    beyond = (math.nextafter(low_c, -math.inf), math.nextafter(high_c, math.inf), -1e300, 1e300)
    for t_c in (*beyond, math.inf, -math.inf, math.nan):
        assert math.isnan(emf_mv(t_c, kind))
        assert math.isnan(seebeck_mv_per_k(t_c, kind))
        assert math.isnan(measured_temp_c(1.0, t_c, kind))
    low_mv, high_mv = emf_mv(INVERSE_FROM_C[letter], kind), emf_mv(high_c, kind)
    beyond = (math.nextafter(low_mv, -math.inf), math.nextafter(high_mv, math.inf), -1e300, 1e300)
    for voltage_mv in (*beyond, math.inf, -math.inf, math.nan):
        assert math.isnan(temp_c(voltage_mv, kind))
        assert math.isnan(measured_temp_c(voltage_mv, 0.0, kind))


def test_type_b_below_42_degc():
    """E(0..42 degC) lies below E(42 degC), but for a degree at 0: no answer rather than one of two."""
    kind = KINDS["B"]
    for i in range(1, 84):
        t_c = 0.5 * i
        assert emf_mv(t_c, kind) < 0.0
        assert math.isnan(temp_c(emf_mv(t_c, kind), kind))
    assert temp_c(0.0, kind) == pytest.approx(42.132, abs=5e-4)
    # Of 0.04 and 42.09 degC the latter, even with a first guess of 0.
    lost = (*kind[:4], ((kind[3][-1][1], (0.0,)),))
    for table in (kind, lost):
        assert temp_c(-1e-5, table) == pytest.approx(42.09, abs=5e-3)


@pytest.mark.parametrize("letter, border_c", BORDERS)
def test_step_at_a_border_is_that_of_nist(letter, border_c):
    kind = KINDS[letter]
    above_c = math.nextafter(border_c, math.inf)
    step_mv = emf_mv(above_c, kind) - emf_mv(border_c, kind)
    pieces = NIST[letter]["forward"]
    upper = next(piece for piece in pieces if float(piece["T_lo"]) == border_c)
    nist_mv = float(function(upper, border_c)[0] - exact_emf_mv(letter, border_c))
    assert step_mv == pytest.approx(nist_mv, rel=0.0, abs=2.0 * rounding_mv(letter, above_c))
    assert abs(nist_mv) < 7.6e-8
    # The temperature of voltages in and around it: no further away than the slope says.
    slope = seebeck_mv_per_k(border_c, kind)
    for part in (-0.5, 0.0, 0.25, 0.5, 0.75, 1.0, 1.5):
        found_c = temp_c(emf_mv(border_c, kind) + part * step_mv, kind)
        assert abs(found_c - border_c) <= 1.5 * abs(step_mv) / slope + rounding_k(letter, above_c)
        if step_mv > 1e-9 and 0.25 <= part <= 0.75:
            assert found_c == border_c
        # In a step downwards, the lower of two temperatures.
        if step_mv < 0.0 and 0.0 <= part <= 1.0:
            assert found_c <= border_c + rounding_k(letter, border_c)


def test_cold_junction():
    # Hot junction 850 degC, terminals at 25 degC: E(850) - E(25) = 34.312864 mV. Half a digit of it is 1.2e-5
    # K.
    assert measured_temp_c(34.312864, 25.0) == pytest.approx(850.0, abs=1.3e-5)


@pytest.mark.parametrize("letter", KINDS)
def test_cold_junction_of_every_type(letter):
    kind = KINDS[letter]
    for hot_c in (75.0, 399.0, 0.9 * HIGHEST_C[letter]):
        for terminals_c in (0.0, 23.0, 60.0):
            voltage_mv = float(exact_emf_mv(letter, hot_c) - exact_emf_mv(letter, terminals_c))
            tolerance = 2.0 * rounding_k(letter, hot_c)
            assert measured_temp_c(voltage_mv, terminals_c, kind) == pytest.approx(hot_c, abs=tolerance)
    # A shorted pair shows the temperature of its terminals; with type B that is out of range.
    shorted = measured_temp_c(0.0, 37.5, kind)
    if letter == "B":
        assert math.isnan(shorted)
    else:
        assert shorted == pytest.approx(37.5, abs=1e-10)


def test_type_k_is_the_default():
    kind = KINDS["K"]
    assert thermocouple.K is kind
    assert emf_mv(700.0) == emf_mv(700.0, kind)
    assert seebeck_mv_per_k(700.0) == seebeck_mv_per_k(700.0, kind)
    assert temp_c(30.0) == temp_c(30.0, kind)
    assert measured_temp_c(30.0, 20.0) == measured_temp_c(30.0, 20.0, kind)


def test_another_type_is_a_table():
    cubic = (-1.0, -1.0, -1.0, ((1.0, 1.0, (1.0, 0.0, 0.0, 0.0), ()),), ((1.0, (0.0,)),))
    for t in (-1.0, -0.9, -0.5, -0.1, 0.1, 0.5, 0.9, 1.0):
        # The first guess is 0, where it does not rise: the bracket goes on.
        assert temp_c(t * t * t, cubic) == pytest.approx(t, rel=1e-12)
    bell = (0.0, 0.0, 2.0, ((10.0, 2.0 + 10.0, (1.0, 0.0), (2.0, -1.0, 0.0)),), ((12.0, (1.2, 0.0)),))
    assert emf_mv(1.5, bell) == pytest.approx(1.5 + 2.0 * math.exp(-2.25), rel=1e-13)


@pytest.mark.parametrize("wrong", [(), (0.0,), (0.0, 0.0, 0.0, (), ()), None, 1.0])
def test_wrong_table_raises(wrong):
    for call in (emf_mv, seebeck_mv_per_k, temp_c):
        with pytest.raises((TypeError, IndexError)):
            call(20.0, wrong)


def test_golden_trace_reaches_the_ends_and_both_outcomes():
    """A trace that is never out of range would prove little of the runtimes that replay it."""
    for i, kind in enumerate(trace.KINDS):
        steps = [dict(zip(trace.NAMES, step, strict=True)) for step in list(trace.steps(4000))[i::8]]
        for name in ("emf_mv", "t_again", "t_of_voltage", "measured_c"):
            assert 10 < sum(math.isnan(step[name]) for step in steps) < len(steps) // 2
        for t_c in (kind[1], *[piece[0] for piece in kind[3]]):
            assert any(step["t"] == t_c for step in steps)


def test_page_shows_the_ranges_and_errors_of_today():
    """Else: python -m benchmarks.bench_thermocouple --table"""
    page = Path(__file__).resolve().parents[2] / "docs" / "thermocouples.md"
    assert bench_thermocouple.table() in page.read_text(encoding="utf-8")


def test_exponential_function():
    """From the source, since the compiled module keeps it to itself: relative error below 5e-14."""
    source = Path(__file__).resolve().parents[2] / "cext" / "thermocouple.py"
    loader = SourceFileLoader("thermocouple_source", str(source))
    module = module_from_spec(spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    for i in range(1001):
        x = -0.05 * i
        assert abs(Decimal(module._exp(x)) / Decimal(x).exp() - 1) < Decimal("5e-14")
    assert module._exp(-50.1) == 0.0
