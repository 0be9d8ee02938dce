"""Records for identification: a table as loggers write it, or a run recorded as telemetry messages."""

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edge.tune.reading import columns, numbers, quantities, table, telemetry, text, timeline
from edge.tune.reading.errors import RecordError

__all__ = ["Record", "RecordError", "read"]


@dataclass(frozen=True)
class Record:
    """`time_s` ascending from 0, `output` in force from each time to the next, `process_value` at each time.

    `process_value` is NaN where the sensor was bad. `source` is the file's name, `notes` what was left out or
    changed, `taken` what was taken for what. `lines` are the rows' lines in the file, None without one.
    """

    time_s: np.ndarray
    output: np.ndarray
    process_value: np.ndarray
    source: str = ""
    notes: tuple = ()
    taken: tuple = ()
    lines: np.ndarray | None = None

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
        return replace(
            self,
            time_s=time_s - time_s[0],
            output=self.output[inside],
            process_value=self.process_value[inside],
            lines=None if self.lines is None else self.lines[inside],
        )

    def after(self, output: float) -> "Record":
        """Return the record of an experiment whose output was `output` before the first row.

        One row without a process value is put in front, as far from the first as the rows are apart.
        """
        apart_s = float(np.median(np.diff(self.time_s)))
        return replace(
            self,
            time_s=np.concatenate([[0.0], self.time_s + apart_s]),
            output=np.concatenate([[output], self.output]),
            process_value=np.concatenate([[math.nan], self.process_value]),
            lines=None if self.lines is None else np.concatenate([self.lines[:1], self.lines]),
            taken=(*self.taken, f"the output before the first row: {output:g} %"),
        )


def read(
    path: str,
    wanted: list | None = None,
    loop: str | None = None,
    time_unit: str | None = None,
    output_range: tuple | None = None,
) -> Record:
    """Return the record of a file; RecordError says what is wrong with it.

    A table: one row per sample, with or without headings; UTF-8, UTF-16 or Windows-1252; separated by tabs,
    semicolons, commas or blanks; decimal points or commas. `wanted` names the columns of time, output and
    process value by heading or by number from 1; `time_unit` is that of the times, `output_range` the numbers
    that stand for 0 and 100 %, None for what the headings say. Telemetry: the lines of a node's topic
    "telemetry", bare or after the topic as ``mosquitto_sub -v`` prints them; `loop` names the loop whose
    output and process value are wanted.
    """
    try:
        content, encoding = text.decode(Path(path).read_bytes())
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise RecordError(f"{path}: can't be read: {reason}") from None
    lines = content.splitlines()
    first = next((line for line in lines if line.strip()), "")
    if not first:
        raise RecordError(f"{path}: the file is empty; expected rows of time, output and process value")
    if telemetry.message_of(first) is not None:
        rows, notes = telemetry.rows(path, lines, loop)
        return _record(path, rows, notes, ())
    if loop is not None:
        raise RecordError(f"{path}:1: --loop is for recorded telemetry, one JSON message a line, not for CSV")
    return _of_table(path, lines, encoding, wanted, time_unit, output_range)


def _of_table(path, lines, encoding, wanted, time_unit, output_range) -> Record:
    found = table.read(path, lines)
    chosen = columns.find(path, found, wanted)
    try:
        decimal = numbers.decimal_mark(
            [_numeric(column) for name, column in chosen.items() if name != "date"]
        )
    except numbers.MarkError as error:
        raise RecordError(f"{path}:{error.line}: {error}") from None
    clock = timeline.read(path, columns.joined(chosen), decimal, time_unit)
    output = quantities.numbers_of(path, "output", chosen["output"], decimal)
    values = quantities.numbers_of(path, "process value", chosen["process value"], decimal)
    percent, output_taken, warnings = quantities.in_percent(path, chosen["output"], output, output_range)
    celsius, values_taken = quantities.in_celsius(chosen["process value"], values)

    rows = [(line, [at_s, percent[line], celsius[line]])
            for line, at_s in zip(clock.lines, clock.time_s, strict=True)]  # fmt: skip
    driven = [row for row in rows if not math.isnan(row[1][1])]
    notes = [*found.notes, *clock.notes, *warnings]
    if len(driven) < len(rows):
        notes.append(f"{len(rows) - len(driven)} rows without an output are left out")
    missing = [line for line, (_, _, value) in driven if math.isnan(value)]
    if missing:
        notes.append(
            f"{len(missing)} rows have no process value, the first is line {missing[0]}: they are left out"
        )
    mark = "decimal commas" if decimal == "," else "decimal points"
    separated = table.SEPARATORS[found.separator]
    taken = [f"{encoding}, columns separated by {separated}, {mark}", f"time {clock.taken}",
             f"output {output_taken}", f"process value {values_taken}"]  # fmt: skip
    return _record(path, driven, notes, tuple(taken))


def _numeric(column) -> list:
    """Return the cells that are numbers with one decimal mark or the other; dates are none."""
    return [
        (line, cell)
        for line, cell in column.cells
        if numbers.number(cell, ".") is not None or numbers.number(cell, ",") is not None
    ]


def _record(path: str, rows: list, notes: list, taken: tuple) -> Record:
    """Return the record of rows (line number, [time, output, process value])."""
    if len(rows) < 2:
        raise RecordError(f"{path}: has {len(rows)} rows of data, expected many more")
    time_s, output, process_value = np.array([row for _, row in rows], dtype=float).T
    lines = np.array([line for line, _ in rows])
    return Record(time_s - time_s[0], output, process_value, Path(path).name, tuple(notes), taken, lines)
