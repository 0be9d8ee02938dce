"""Which columns of a table are time, output and process value, and what their units are."""

from dataclasses import dataclass, replace

from edge.tune.reading import numbers, units
from edge.tune.reading.errors import RecordError
from edge.tune.reading.table import Table

# Names that are understood without --columns, in lower case and without their unit.
NAMES = {
    "time": (
        "time", "t", "timestamp", "time stamp", "datetime", "date time", "date/time", "date and time",
        "seconds",
        "elapsed", "elapsed time", "time elapsed", "epoch", "unix time", "utc", "time1", "zeit", "uhrzeit",
        "zeitstempel", "datum/zeit", "datum uhrzeit", "temps", "tiempo", "время", "дата/время",
    ),
    "output": (
        "output", "out", "op", "co", "u", "mv", "controller output", "control output", "output value",
        "valve",
        "valve position", "manipulated variable", "heater", "heater output", "heater power", "power",
        "pwm", "duty",
        "duty cycle", "burner", "q1", "stellwert", "stellgröße", "stellgroesse", "stellgrad", "ausgang",
        "sortie",
        "salida", "выход",
    ),
    "process value": (
        "process value", "pv", "y", "value", "measurement", "measured value", "process variable", "actual",
        "actual value", "temperature", "temp", "temp.", "bt", "t1", "istwert", "messwert", "regelgröße",
        "regelgroesse", "temperatur", "température", "temperatura", "температура", "значение",
    ),
}  # fmt: skip
DATES = ("date", "datum", "fecha", "дата")
# So many names are told where none is found.
MOST_NAMED = 8
# How a heading of a clock form is named by a roast logger whose two time columns are mm:ss.
MINUTES_AND_SECONDS = ("time1",)
# Without headings: an output changes at most so often, in shares of the rows.
MOST_CHANGES = 0.1


@dataclass(frozen=True)
class Column:
    """One column: its heading as written ("column 2" without one), its unit as written, its cells by line.

    `cells` are (line number, text), the texts without the unit that may stand behind a number.
    """

    heading: str
    unit: str
    cells: list


def find(path: str, table: Table, wanted: list | None) -> dict:
    """Return {"time": Column, "output": ..., "process value": ...}, and "date" where it stands by itself.

    `wanted` are three headings or column numbers from 1, in this order, None to go by NAMES. RecordError says
    which columns there are.
    """
    line, headings, row_of_units = _headings(path, table, wanted)
    if headings is None:
        places = _without_headings(path, table, wanted)
        headings = [f"column {at}" for at in range(1, table.width + 1)]
    else:
        places = _places(path, line, headings, wanted)
    found = {}
    for name, place in places.items():
        unit = units.parts(headings[place])[1] or row_of_units.get(place, "")
        found[name] = _column(path, table, headings[place], unit, place)
    return found


def joined(found: dict) -> Column:
    """Return the column of times, with the dates of a column of their own in front."""
    time, date = found["time"], found.get("date")
    if date is None or any(
        any(mark in text for mark in "-/") or text.count(".") > 1 for _, text in time.cells[:1]
    ):
        return time
    both = [(line, f"{day} {text}".strip() if day and text else "")
            for (line, text), (_, day) in zip(time.cells, date.cells, strict=True)]  # fmt: skip
    return Column(f"{date.heading} {time.heading}", time.unit, both)


def _headings(path: str, table: Table, wanted: list | None) -> tuple:
    """Return (line, headings, {place: unit}); headings are None where no line above the rows holds any."""
    rows = [(line, row) for line, row in table.above if sum(1 for cell in row if cell) >= 2]
    row_of_units = {}
    candidates = []
    for line, row in reversed(rows):
        texts = [cell.strip("[](){}") for cell in row]
        if not candidates and all(units.known(text) for text in texts if text):
            row_of_units = dict(enumerate(texts))
            continue
        candidates.append((line, row))
    if not candidates:
        return None, None, row_of_units
    # The nearest line that names all three; else the nearest, for the error.
    naming = [candidate for candidate in candidates if not isinstance(_match(candidate[1], wanted), str)]
    line, row = (naming or candidates)[0]
    if any(row[table.width :]):
        if wanted and all(one.isdigit() for one in wanted):
            return None, None, row_of_units
        raise RecordError(
            f"{path}:{line}: has {len(row)} headings over {table.width} columns: blanks within headings need "
            "quotes or another separator; or say the columns by number, as in --columns 1,2,3"
        )
    if len(row) < table.width:
        first = table.rows[0]
        raise RecordError(
            f"{path}:{first[0]}: has {table.width} cells under {len(row)} headings: which one is left over? "
            "A decimal comma needs quotes, or another separator than the comma"
        )
    return line, row, row_of_units


def _match(headings: list, wanted: list | None):
    """Return {name: place}, or a sentence that says what is missing or doubled."""
    parts = [units.parts(heading)[0] for heading in headings]
    found = {}
    for at, (name, known) in enumerate(NAMES.items()):
        if wanted:
            matching = [
                place for place, heading in enumerate(headings) if wanted[at] in (heading, parts[place])
            ]
            exact = [place for place in matching if headings[place] == wanted[at]]
            matching = exact or matching
            if not matching and wanted[at].isdigit() and 1 <= int(wanted[at]) <= len(headings):
                matching = [int(wanted[at]) - 1]
            expected = repr(wanted[at])
        else:
            matching = [place for place, part in enumerate(parts) if part in known]
            expected = f"one of {', '.join(known[:MOST_NAMED])} ..."
            if name == "time" and len(matching) > 1:
                # T beside t is a temperature.
                matching = [place for place in matching if headings[place].strip() != "T"]
            if name == "process value" and not matching:
                matching = [p for p, h in enumerate(headings) if h.strip() == "T" and p != found.get("time")]
        if len(matching) != 1:
            how = "no column" if not matching else f"{len(matching)} columns"
            return (
                f"{how} for {name}: expected {expected}, found {', '.join(map(repr, headings))}; name them "
                "with --columns TIME,OUTPUT,PV"
            )
        found[name] = matching[0]
    dates = [place for place, part in enumerate(parts) if part in DATES]
    if dates and dates[0] not in found.values():
        found["date"] = dates[0]
    return found


def _places(path: str, line: int, headings: list, wanted: list | None) -> dict:
    found = _match(headings, wanted)
    if isinstance(found, str) and not wanted:
        # A date alone is a time.
        found = _match(["time" if units.parts(one)[0] in DATES else one for one in headings], wanted)
    if isinstance(found, str):
        raise RecordError(f"{path}:{line}: {_match(headings, wanted)}")
    return found


def _without_headings(path: str, table: Table, wanted: list | None) -> dict:
    """Return the places by number, or by what three columns look like: of the last two one steps rarely."""
    line = table.rows[0][0]
    ask = "say which is which with --columns TIME,OUTPUT,PV, in numbers from 1 as in --columns 1,3,2"
    if wanted:
        if not all(one.isdigit() and 1 <= int(one) <= table.width for one in wanted):
            raise RecordError(f"{path}:{line}: the file has no headings and {table.width} columns: {ask}")
        return dict(zip(NAMES, (int(one) - 1 for one in wanted), strict=True))
    changes = [sum(a[1][at] != b[1][at] for a, b in zip(table.rows, table.rows[1:], strict=False))
               for at in range(table.width)]  # fmt: skip
    few = [at for at in (1, 2) if table.width == 3 and changes[at] <= MOST_CHANGES * len(table.rows)]
    if len(few) != 1 or changes[few[0]] * 2 > changes[3 - few[0]]:
        raise RecordError(f"{path}:{line}: the file has no headings and {table.width} columns: {ask}")
    return {"time": 0, "output": few[0], "process value": 3 - few[0]}


def _column(path: str, table: Table, heading: str, unit: str, place: int) -> Column:
    """Return a column; units behind its numbers must agree with each other and with the heading's."""
    found, seen = [], {}
    for line, row in table.rows:
        text, behind = numbers.split_unit(row[place])
        if behind and units.known(behind) and numbers.looks_like_number(text.replace(" ", "")):
            seen.setdefault(behind, line)
        else:
            text = row[place].strip()
        found.append((line, text))
    if len(seen) > 1:
        line = max(seen.values())
        raise RecordError(f"{path}:{line}: {heading!r} is in {' and in '.join(seen)}: expected one unit")
    column = Column(heading, unit, found)
    return column if unit or not seen else replace(column, unit=next(iter(seen)))
