"""Records for identification: a CSV file, or a run recorded as telemetry messages, one JSON object a line."""

import csv
import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

# Headings that are understood without --columns, in lower case and without their unit.
HEADINGS = {
    "time": ("time", "t", "timestamp", "seconds", "elapsed"),
    "output": ("output", "out", "op", "co", "u", "mv", "controller output", "valve"),
    "process value": ("process value", "process_value", "pv", "y", "value", "measurement", "temperature"),
}
# How many faulty rows are told one by one.
TOLD = 5


class RecordError(Exception):
    """A record that can't be read: one problem a line, with file and line number."""


@dataclass(frozen=True)
class Record:
    """`time_s` ascending from 0, `output` in force from each time to the next, `process_value` at each time.

    `process_value` is NaN where the sensor was bad. `source` is the file's name, `notes` what was left out.
    """

    time_s: np.ndarray
    output: np.ndarray
    process_value: np.ndarray
    source: str = ""
    notes: tuple = ()

    def window(self, start_s: float | None, end_s: float | None) -> "Record":
        """Return the part between two times in s after the start of the record, both included."""
        start_s = -math.inf if start_s is None else start_s
        end_s = math.inf if end_s is None else end_s
        inside = (self.time_s >= start_s) & (self.time_s <= end_s)
        if inside.sum() < 2:
            raise RecordError(
                f"{self.source}: fewer than two rows from {start_s:g} to {end_s:g} s; "
                f"the record lasts {self.time_s[-1]:g} s"
            )
        time_s = self.time_s[inside]
        values = self.output[inside], self.process_value[inside]
        return Record(time_s - time_s[0], *values, self.source, self.notes)


def read(path: str, columns: list | None = None, loop: str | None = None) -> Record:
    """Return the record of a file; RecordError says what is wrong with it.

    CSV: a heading, then one row per sample; separated by comma, semicolon (numbers then may have a decimal
    comma) or tab. `columns` names time, output and process value where the headings are not understood. Time
    in s, or as ISO 8601. Telemetry: the lines of a node's topic "telemetry", bare or after the topic as
    ``mosquitto_sub -v`` prints them; `loop` names the loop whose output and process value are wanted.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise RecordError(f"{path}: can't be read: {reason}") from None
    lines = text.splitlines()
    first = next((line for line in lines if line.strip()), "")
    if not first:
        raise RecordError(f"{path}: the file is empty; expected rows of time, output and process value")
    if _telemetry_of(first) is not None:
        return _read_telemetry(path, lines, loop)
    if loop is not None:
        raise RecordError(f"{path}:1: --loop is for recorded telemetry, one JSON message a line, not for CSV")
    return _read_csv(path, lines, columns)


def _read_csv(path: str, lines: list, columns: list | None) -> Record:
    at = next(number for number, line in enumerate(lines, 1) if line.strip())
    delimiter = max(";\t,", key=lines[at - 1].count)
    headings = next(csv.reader([lines[at - 1]], delimiter=delimiter))
    places = _places(path, at, [heading.strip() for heading in headings], columns)
    rows, problems = [], []
    for number, line in enumerate(lines[at:], at + 1):
        if not line.strip():
            continue
        cells = next(csv.reader([line], delimiter=delimiter))
        row = []
        for name, place in places.items():
            cell = cells[place].strip() if place < len(cells) else ""
            value = _time(cell) if name == "time" else _number(cell, delimiter)
            if value is None:
                what = f"has {name} = {cell!r}" if cell else f"has no {name}"
                wanted = "seconds or a time as 2026-03-01T12:00:00" if name == "time" else "a finite number"
                problems.append(f"{path}:{number}: {what}, expected {wanted}")
            row.append(value)
        rows.append((number, row))
    return _record(path, rows, problems, [])


def _places(path: str, line: int, headings: list, columns: list | None) -> dict:
    """Return the place of each of the three columns."""
    found = {}
    for at, name in enumerate(HEADINGS):
        if columns:
            matching = [place for place, heading in enumerate(headings) if heading == columns[at]]
            wanted = repr(columns[at])
        else:
            matching = [place for place, heading in enumerate(headings) if _plain(heading) in HEADINGS[name]]
            wanted = f"one of {', '.join(HEADINGS[name])}"
        if len(matching) != 1:
            how = "no column" if not matching else f"{len(matching)} columns"
            raise RecordError(
                f"{path}:{line}: {how} for {name}: expected {wanted}, found "
                f"{', '.join(map(repr, headings))}; name them with --columns TIME,OUTPUT,PV"
            )
        found[name] = matching[0]
    return found


def _plain(heading: str) -> str:
    """Return a heading in lower case without its unit: "Output [%]" is output, "time_s" is time."""
    text = heading.lower()
    for bracket in "[(":
        text = text.partition(bracket)[0]
    text = text.strip()
    for unit in ("_s", " s", "_pct", "_%", " %", "_c", "_degc", "_k"):
        text = text.removesuffix(unit)
    return text.strip()


def _number(cell: str, delimiter: str):
    if delimiter == ";" and "." not in cell:
        cell = cell.replace(",", ".")
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _time(cell: str):
    value = _number(cell, ";")
    if value is not None:
        return value
    try:
        moment = datetime.fromisoformat(cell)
    except ValueError:
        return None
    # Without a zone: any fixed one will do, as only differences count.
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _telemetry_of(line: str):
    """Return the message of a line of telemetry, or None if it is none."""
    brace = line.find("{")
    # A topic before it has no comma; a heading of CSV has no brace.
    if brace < 0 or "," in line[:brace]:
        return None
    try:
        message = json.loads(line[brace:])
    except ValueError:
        return None
    return message if isinstance(message, dict) else None


def _read_telemetry(path: str, lines: list, loop: str | None) -> Record:
    rows, problems, bad = [], [], 0
    names = None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        message = _telemetry_of(line)
        if message is None:
            # The states "online" and "offline" of the node stand between the messages of mosquitto_sub -v.
            if line.split()[-1] not in ("online", "offline"):
                problems.append(f"{path}:{number}: is no JSON object, expected a telemetry message")
            continue
        if "loops" not in message or "t" not in message:
            continue
        names = names or _loop_names(path, number, message, loop)
        pv, output = (_value_of(message, name) for name in names)
        if output is None:
            problems.append(f"{path}:{number}: has no value of the output {names[1]}, expected a number")
        bad += pv is None
        rows.append((number, [message["t"] / 1000.0, output, math.nan if pv is None else pv]))
    notes = [f"{bad} of {len(rows)} messages with a bad process value left out"] if bad else []
    return _record(path, rows, problems, notes)


def _loop_names(path: str, number: int, message: dict, loop: str | None) -> tuple:
    """Return the names of process value and output of one loop."""
    loops = message["loops"]
    known = ", ".join(sorted(loops)) or "none"
    if loop is None:
        if len(loops) != 1:
            raise RecordError(f"{path}:{number}: several loops; say one with --loop: {known}")
        (loop,) = loops
    if loop not in loops:
        raise RecordError(f"{path}:{number}: no loop is named {loop}; there are: {known}")
    _, pv, output = loops[loop]
    return pv, "output." + output


def _value_of(message: dict, name: str):
    kind, _, output = name.partition(".")
    table, key = (message["outputs"], output) if kind == "output" else (message["signals"], name)
    value = table.get(key, [None])[0]
    return value if isinstance(value, (int, float)) and math.isfinite(value) else None


def _record(path: str, rows: list, problems: list, notes: list) -> Record:
    """Return the record of rows (line number, [time, output, process value]), or tell all that is wrong."""
    last = None
    for number, (time_s, *_) in rows:
        if time_s is None:
            continue
        if last is not None and time_s <= last:
            problems.append(
                f"{path}:{number}: time {time_s:.10g} does not come after {last:.10g} of the row before"
            )
        last = time_s
    if problems:
        problems.sort(key=lambda text: int(text[len(path) + 1 :].partition(":")[0]))
        more = [f"{path}: and {len(problems) - TOLD} problems more"] if len(problems) > TOLD else []
        raise RecordError("\n".join(problems[:TOLD] + more))
    if len(rows) < 2:
        raise RecordError(f"{path}: has {len(rows)} rows of data, expected many more")
    time_s, output, process_value = np.array([row for _, row in rows], dtype=float).T
    return Record(time_s - time_s[0], output, process_value, Path(path).name, tuple(notes))
