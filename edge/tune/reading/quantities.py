"""Columns of output and process value to numbers in one unit: percent, and °C for temperatures."""

import math

from edge.tune.reading import numbers, units
from edge.tune.reading.columns import Column
from edge.tune.reading.errors import RecordError, refuse


def numbers_of(path: str, name: str, column: Column, decimal: str) -> dict:
    """Return {line: number} of a column, NaN where a cell says that there is none."""
    found, problems = {}, []
    for line, text in column.cells:
        value = math.nan if numbers.is_missing(text) else numbers.number(text, decimal)
        if value is None:
            problems.append((line, f"has {name} = {text!r}, expected a finite number"))
        found[line] = value
    refuse(path, problems)
    return found


def in_percent(path: str, column: Column, values: dict, span: tuple | None) -> tuple:
    """Return ({line: percent}, what the column was taken for, warnings).

    `span` are the numbers that stand for 0 and 100 %, None to go by the heading. RecordError where neither
    says them and the numbers don't look like percent.
    """
    found = [value for value in values.values() if not math.isnan(value)]
    if not found:
        raise RecordError(f"{path}: the column {column.heading!r} holds no numbers")
    low, high = min(found), max(found)
    said = span or units.span(column.unit)
    if said is None:
        _refuse_unless_percent(path, column, low, high)
        return values, f"{column.heading!r}: in %, as no unit is said", []
    scale = 100.0 / (said[1] - said[0])
    percent = (
        {line: (value - said[0]) * scale for line, value in values.items()}
        if scale != 1.0 or said[0]
        else values
    )
    taken = f"{column.heading!r}: in %" if said == (0.0, 100.0) else (
        f"{column.heading!r}: {said[0]:g} to {said[1]:g} taken as 0 to 100 %"
    )  # fmt: skip
    low, high = (low - said[0]) * scale, (high - said[0]) * scale
    leaves = low < -1e-6 or high > 100.0 + 1e-6
    warning = f"the output leaves 0 to 100 %: it is {low:.4g} to {high:.4g} %; is --output-range right?"
    return percent, taken, [warning] if leaves else []


def _refuse_unless_percent(path: str, column: Column, low: float, high: float) -> None:
    ask = "say what stands for 0 and 100 % with --output-range, as in --output-range 0,1 or 0,255 or 4,20; " \
        "--output-range 0,100 takes the numbers as they are"  # fmt: skip
    what = f"{path}: the output {column.heading!r} is {low:g} to {high:g}"
    if column.unit:
        raise RecordError(f"{what}, in {column.unit!r}: {ask}")
    if low < 0.0 or high > 100.0:
        raise RecordError(f"{what}, which leaves 0 to 100 %: {ask}")
    if high <= 1.0:
        raise RecordError(f"{what}: a fraction or percent? {ask[0].upper()}{ask[1:]}")


def in_celsius(column: Column, values: dict) -> tuple:
    """Return ({line: number}, what the column was taken for); only temperatures are converted."""
    unit = column.unit.casefold()
    if unit in units.FAHRENHEIT:
        return {line: (value - 32.0) / 1.8 for line, value in values.items()}, (
            f"{column.heading!r}: in {column.unit}, converted to °C"
        )
    if unit in units.KELVIN:
        return {line: value - 273.15 for line, value in values.items()}, (
            f"{column.heading!r}: in {column.unit}, converted to °C"
        )
    return values, f"{column.heading!r}: " + (
        f"in {column.unit}" if unit else "in its own unit, as none is said"
    )
