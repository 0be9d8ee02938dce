"""The decimal mark of a file, and cells to numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.tune.reading.numbers import MarkError, decimal_mark, is_missing, number, split_unit


def column(*cells):
    return list(enumerate(cells, 2))


@pytest.mark.parametrize(
    ("columns", "mark"),
    [
        ([column("0", "2", "4")], "."),
        ([column("0.5", "1")], "."),
        ([column("800,02")], ","),
        ([column("8,000.2")], "."),
        ([column("8.000,2")], ","),
        ([column("1,234,567")], "."),
        ([column("1.234.567")], ","),
        # Another column settles what "8,000" is.
        ([column("0,5"), column("8,000")], ","),
        ([column("0.5"), column("8,000")], "."),
        ([column("0,500"), column("8,000")], ","),
        ([column("8000,125")], ","),
        # Three digits behind every point, as a fixed format writes them.
        ([column("799.125", "800.250", "1001.000")], "."),
        ([column("8 000,2")], ","),
        ([column("1e-3", "0.1")], "."),
    ],
)
def test_decimal_mark(columns, mark):
    assert decimal_mark(columns) == mark


@pytest.mark.parametrize(
    ("columns", "line", "reason"),
    [
        ([column("0", "2"), column("7,997", "8,000")], 2, "'7,997' may be 7.997 or 7997"),
        ([column("998", "1.002")], 3, "'1.002' may be 1.002 or 1002"),
        ([column("0,5", "0.5")], 3, "which mark is the decimal one"),
    ],
)
def test_a_mark_that_no_cell_settles_is_refused_by_line(columns, line, reason):
    with pytest.raises(MarkError, match=reason) as refused:
        decimal_mark(columns)
    assert refused.value.line == line


@pytest.mark.parametrize(
    ("cell", "decimal", "value"),
    [
        ("800.02", ".", 800.02), ("800,02", ",", 800.02), ("8,000.2", ".", 8000.2), ("8.000,2", ",", 8000.2),
        ("8'000.5", ".", 8000.5), ("8 000,5", ",", 8000.5), ("-.5", ".", -0.5), ("1e3", ".", 1000.0),
        ("5.", ".", 5.0), ("80,0.2", ".", None), ("8,00", ".", None), ("1,2,3", ",", None), ("", ".", None),
        ("eight", ".", None), ("inf", ".", None), ("1e999", ".", None), ("1.2.3", ".", None),
    ],
)  # fmt: skip
def test_numbers(cell, decimal, value):
    assert number(cell, decimal) == value


@given(st.floats(-1e6, 1e6), st.sampled_from(".,"), st.integers(0, 4), st.booleans())
def test_any_number_in_any_spelling_is_read_back_or_refused(value, decimal, digits, grouped):
    group = "," if decimal == "." else "."
    text = (
        f"{value:{',' if grouped else ''}.{digits}f}".replace(",", "G")
        .replace(".", decimal)
        .replace("G", group)
    )
    assert number(text, decimal) == pytest.approx(value, abs=0.51 * 10.0**-digits)
    try:
        mark = decimal_mark([[(1, text)]])
    except MarkError:
        return
    if decimal in text:
        assert mark == decimal


def test_missing_and_units():
    assert all(map(is_missing, ("", " ", "NaN", "n/a", "#N/A", "---", "bad")))
    assert not any(map(is_missing, ("0", "x", "inf")))
    assert split_unit("800.2 °C") == ("800.2", "°C")
    assert split_unit("40%") == ("40", "%")
    assert split_unit("12:00:00") == ("12:00:00", "")
    assert split_unit("8 000,2") == ("8 000,2", "")
