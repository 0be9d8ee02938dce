"""A column of times to seconds from the first row on: which kind of time it is, and whether it ascends."""

import math
from dataclasses import dataclass

import numpy as np

from edge.tune.reading import moments, numbers, units
from edge.tune.reading.columns import MINUTES_AND_SECONDS, Column
from edge.tune.reading.errors import RecordError, refuse

# Numbers of which the first is so large count from 1970: (at least, unit, what it is).
EPOCHS = ((1e17, 1e-9, "ns"), (1e14, 1e-6, "us"), (1e11, 1e-3, "ms"), (1e9, 1.0, "s"))
# Days since 1899-12-30, as spreadsheets count, from 2009 to 2064; rows within one hour of each other.
SHEET_DAYS = (40_000.0, 60_000.0, 1.0 / 24.0)
# Without a unit, seconds are believed where rows are so far apart: below it might be minutes, above
# milliseconds.
PLAUSIBLE_S = (0.9, 60.0)
HOUR_S = 3600.0
# So large a share of rows may be doubled or stand without a time.
FEW = 0.05


@dataclass(frozen=True)
class Timeline:
    """`lines` and `time_s` of the rows that are used; `taken` says what the column was taken for.

    `notes` say what was changed or left out.
    """

    lines: list
    time_s: list
    taken: str
    notes: list


def read(path: str, column: Column, decimal: str, said: str | None) -> Timeline:
    """Return the times of a column; `said` is the unit that the user names, None for the column's own.

    RecordError names rows that are no times or do not come after the row before.
    """
    cells = [(line, text) for line, text in column.cells if not numbers.is_missing(text)]
    if not cells:
        raise RecordError(f"{path}: the column {column.heading!r} holds no times")
    notes = [f"{len(column.cells) - len(cells)} rows without a time are left out"] * (
        len(cells) < len(column.cells)
    )
    sample = cells[0][1]
    if numbers.looks_like_number(sample) and numbers.number(sample, decimal) is not None:
        found, taken = _numbers(path, column, cells, decimal, said)
    elif moments.is_short(sample):
        found, taken = _short(path, column, cells, said)
    elif moments.clock(sample) is not None:
        found = _each(path, column, cells, moments.clock, "a time as 12:00:00")
        found, taken = _past_midnight(found, notes), "time of day"
    else:
        found, taken = _dates(path, column, cells, notes)
    lines, time_s = _ascending(path, [line for line, _ in cells], found, notes)
    return Timeline(lines, time_s, f"{column.heading!r}: {taken}", notes)


def _each(path: str, column: Column, cells: list, parse, expected: str) -> list:
    values = [parse(text) for _, text in cells]
    refuse(path, [
        (line, f"has {column.heading} = {text!r}, expected {expected}")
        for (line, text), value in zip(cells, values, strict=True) if value is None
    ])  # fmt: skip
    return values


def _numbers(path: str, column: Column, cells: list, decimal: str, said: str | None) -> tuple:
    values = _each(
        path, column, cells, lambda text: numbers.number(text, decimal), "a number as in the rows above"
    )
    unit = (said or column.unit).casefold()
    if unit in units.TIME:
        return [value * units.TIME[unit] for value in values], f"in {unit}"
    if unit:
        raise RecordError(
            f"{path}: {column.heading!r} is in {unit!r}, which is no unit of time: expected one of ns, us, "
            "ms, s, min, h, d; say it with --time-unit"
        )
    apart = float(np.median(np.abs(np.diff(values)))) if len(values) > 1 else 0.0
    for least, factor, name in EPOCHS:
        if values[0] >= least:
            return [(value - values[0]) * factor for value in values], f"in {name} since 1970"
    low, high, hour = SHEET_DAYS
    if low <= values[0] <= high and apart < hour and any(value % 1.0 for value in values):
        return [(value - values[0]) * moments.DAY_S for value in values], "in days, as a spreadsheet counts"
    if len(values) > 2 and not PLAUSIBLE_S[0] <= apart <= PLAUSIBLE_S[1]:
        raise RecordError(
            f"{path}: {column.heading!r} has no unit and its rows are {apart:.3g} apart: seconds, or another "
            "unit? Say it with --time-unit, as in --time-unit s, ms, min or h"
        )
    return values, "in s, as no unit is said"


def _short(path: str, column: Column, cells: list, said: str | None) -> tuple:
    """Return times of two parts; whether they are mm:ss or hh:mm must be said or show."""
    unit = (said or column.unit).casefold()
    name = units.parts(column.heading)[0]
    minutes = unit in ("mm:ss", "m:ss", "min", "min:s", "min:sec")
    if not unit:
        # A fraction stands behind seconds only, and after 59:59 comes 1:00:00. Hours may go beyond 24.
        shows = any("." in text or "," in text or not moments.is_short(text) for _, text in cells)
        minutes = shows or name in MINUTES_AND_SECONDS
    if not minutes and unit not in ("hh:mm", "h:mm"):
        raise RecordError(
            f"{path}:{cells[0][0]}: {column.heading!r} = {cells[0][1]!r} may be mm:ss or hh:mm: say it with "
            "--time-unit mm:ss or --time-unit hh:mm"
        )
    form = "mm:ss" if minutes else "hh:mm"

    def parse(text):
        return moments.short(text, minutes) if moments.is_short(text) else moments.clock(text)

    return _each(path, column, cells, parse, f"a time as {form}"), form


def _dates(path: str, column: Column, cells: list, notes: list) -> tuple:
    """Return dates as seconds; of the orders that every row allows the one without leaps is taken."""
    found = {}
    for order in ("dmy", "mdy", "ymd"):
        values = [moments.date(text, order) for _, text in cells]
        if None not in values:
            found[order] = values
    if not found:
        _each(
            path,
            column,
            cells,
            lambda text: moments.date(text, "dmy") or moments.date(text, "mdy"),
            "seconds, a time of day, or a date as 2026-03-01T12:00:00, 01.03.2026 12:00:00 or 3/1/2026 12:00",
        )
        raise RecordError(f"{path}: the dates of {column.heading!r} fit no single order of day and month")
    order = min(found, key=lambda one: max(map(abs, np.diff([at for at, _ in found[one]])), default=0.0))
    values, zoned = [at for at, _ in found[order]], all(zone for _, zone in found[order])
    if not zoned:
        lines = [line for line, _ in cells]
        if np.median(np.diff(values)) < 0.0:
            values = _summer_time(values[::-1], lines[::-1], notes)[::-1]
        else:
            values = _summer_time(values, lines, notes)
    alike = {tuple(np.diff([at for at, _ in one])) for one in found.values()}
    spelled = {"dmy": "day first", "mdy": "month first", "ymd": "year first"}[order]
    return values, f"date and time{f', {spelled}' if len(alike) > 1 else ''}{', with zone' if zoned else ''}"


def _past_midnight(values: list, notes: list) -> list:
    found, days = [], 0
    for at, value in enumerate(values):
        if at and values[at - 1] - value > 0.5 * moments.DAY_S:
            days += 1
        found.append(value + days * moments.DAY_S)
    if days:
        notes.append(f"the time of day passes midnight {days} times")
    return found


def _summer_time(values: list, lines: list, notes: list) -> list:
    """Return local times without the hour of daylight saving, on a Sunday at a full hour."""
    found, shift = [values[0]], 0.0
    usual_s = float(np.median(np.diff(values))) if len(values) > 1 else 0.0
    for at in range(1, len(values)):
        leap = values[at] - values[at - 1]
        # 1970 began on a Thursday.
        sunday = int(values[at] // moments.DAY_S) % 7 == 3
        full_hour = values[at] % HOUR_S <= 2.0 * max(usual_s, 1.0)
        for change, way in ((HOUR_S, "forward"), (-HOUR_S, "back")):
            if sunday and full_hour and abs(leap - change - usual_s) <= max(usual_s, 1.0):
                shift += change
                notes.append(
                    f"line {lines[at]}: the clock is put {way} by an hour (daylight saving): taken out"
                )
        found.append(values[at] - shift)
    return found


def _ascending(path: str, lines: list, values: list, notes: list) -> tuple:
    """Return (lines, times from 0), newest last; doubled time stamps are left out where they are few."""
    if len(values) > 1 and all(after < before for before, after in zip(values, values[1:], strict=False)):
        lines, values = lines[::-1], values[::-1]
        notes.append("the newest row stands first: turned round")
    doubled = [lines[at] for at in range(1, len(values)) if values[at] == values[at - 1]]
    if len(doubled) > FEW * len(values):
        raise RecordError(
            f"{path}:{doubled[0]}: does not come after the row before but has the same time, and so have "
            f"{len(doubled)} of {len(values)} rows: the clock of the record is too coarse for it; log "
            "fractions of a second, or seconds elapsed"
        )
    problems = []
    for at in range(1, len(values)):
        back_s = values[at - 1] - values[at]
        if back_s > 0.0:
            hour = abs(back_s - HOUR_S) < 60.0
            why = (
                "an hour back, as at the end of daylight saving"
                if hour
                else "the clock was set, or rows are mixed"
            )
            problems.append(
                (lines[at], f"its time does not come after the row before, but {back_s:.6g} s before it: "
                 f"{why}; split the file there, or log times with a zone")
            )  # fmt: skip
    refuse(path, problems)
    if doubled:
        first = f"the first in line {doubled[0]}"
        notes.append(f"{len(doubled)} rows with the time of the row before are left out, {first}")
    kept = [at for at in range(len(values)) if at == 0 or values[at] != values[at - 1]]
    return [lines[at] for at in kept], [math.fsum((values[at], -values[0])) for at in kept]
