"""Text to cells: which separator, which lines stand before the table, which are rows of it."""

import csv
import re
from collections import Counter
from dataclasses import dataclass

from edge.tune.reading import numbers, units
from edge.tune.reading.errors import RecordError, refuse

# Blank stands for any run of blanks.
SEPARATORS = {"\t": "tabs", ";": "semicolons", "|": "bars", ",": "commas", " ": "blanks"}
# The separator is found on so many lines from the end and the middle of the file.
SAMPLE = 60
_DATE = re.compile(r"\d+([./-])\d+\1\d+")
_CLOCK = re.compile(r"\d+:\d\d(:\d\d.*)?")
_CLOCK_OR_DATE = re.compile(r".*\d:\d\d.*|\d+([./-])(\d+|[A-Za-z]{3,9})\1\d+.*")


@dataclass(frozen=True)
class Table:
    """`rows` of (line number, cells), as many cells as `width`; `notes` say what was left out.

    `above` are the lines before the first row, nearest last, in cells too; `separator` is a key of
    SEPARATORS.
    """

    rows: list
    above: list
    width: int
    separator: str
    notes: list


def read(path: str, lines: list) -> Table:
    """Return the table of a file's lines; RecordError names rows with too many or too few cells."""
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    separator, numbered = _said(numbered)
    numbered = [(number, line) for number, line in numbered if not _is_remark(line, number, numbered)]
    separator = separator or _separator(path, numbered)
    split = [(number, cells(line.lstrip("#% "), separator)) for number, line in numbered]
    if separator == " ":
        split = _with_dates(split)
    # Of a long file the first half, with what stands above the table, tells nothing more.
    width = _width([row for _, row in split[len(split) // 2 if len(split) > 2 * SAMPLE else 0 :]])
    first = next(at for at, (_, row) in enumerate(split) if _is_data(row, width))
    above, rows = split[:first], split[first:]
    # A separator at the end of every row makes an empty cell.
    if all(len(row) == width and not row[-1] for _, row in rows):
        width, rows = width - 1, [(number, row[:-1]) for number, row in rows]
    notes = []
    if len(rows) > 1 and len(rows[-1][1]) < width:
        notes.append(f"line {rows[-1][0]}, the last one, is cut short and left out")
        rows = rows[:-1]
    _refuse_unless_whole(path, rows, width)
    return Table(rows, above, width, separator, notes)


def cells(line: str, separator: str) -> list:
    """Return the cells of one line, stripped of blanks and quotes."""
    if separator == " ":
        return [cell.strip('"') for cell in line.split()]
    return [cell.strip() for cell in next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])]


def _with_dates(split: list) -> list:
    """Return the rows with date and time of day, which a blank has parted, in one cell again."""
    parted = [_DATE.fullmatch(row[0]) and _CLOCK.fullmatch(row[1]) for _, row in split if len(row) > 1]
    if not parted or not parted[-1] or sum(map(bool, parted)) < 0.9 * len(parted):
        return split
    width = max(len(row) for _, row in split)
    return [(number, [f"{row[0]} {row[1]}", *row[2:]] if len(row) == width else row) for number, row in split]


def is_value(cell: str) -> bool:
    """Return whether a cell is a number, a time or a date, with or without a unit behind it."""
    if numbers.looks_like_number(cell) or _CLOCK_OR_DATE.fullmatch(cell):
        return True
    value, unit = numbers.split_unit(cell)
    return numbers.looks_like_number(value) and units.known(unit)


def _said(numbered: list) -> tuple:
    """Return the separator that a first line "sep=;" names, and the other lines."""
    if numbered:
        found = re.fullmatch(r'"?sep=(.)"?\s*', numbered[0][1].strip("\r\n"), re.IGNORECASE)
        if found and found[1] in SEPARATORS:
            return found[1], numbered[1:]
    return None, numbered


def _is_remark(line: str, number: int, numbered: list) -> bool:
    """Return whether a line is a remark within the table; before it a remark may hold the headings."""
    return line.lstrip().startswith("#") and number > numbered[min(SAMPLE, len(numbered) - 1)][0]


def _separator(path: str, numbered: list) -> str:
    sample = numbered[len(numbered) // 2 :][:SAMPLE] + numbered[-SAMPLE:-1] or numbered
    best, shares = None, {}
    for separator in SEPARATORS:
        rows = [cells(line, separator) for _, line in sample]
        rows = [row for row in rows if len(row) >= 2]
        whole = sum(1 for row in rows if sum(map(is_value, row)) >= 2)
        if not rows or whole < 0.5 * len(sample):
            continue
        filled = [cell for row in rows for cell in row if not numbers.is_missing(cell)]
        shares[separator] = sum(map(is_value, filled)) / max(len(filled), 1)
        if best is None or shares[separator] > shares[best] + 0.05:
            best = separator
    if best is None:
        raise RecordError(
            f"{path}:{numbered[0][0]}: found no table: expected rows of time, output and process value, "
            "separated by tabs, semicolons, commas or blanks"
        )
    return best


def _width(rows: list) -> int:
    """Return how many cells most rows with values have."""
    return Counter(len(row) for row in rows if sum(map(is_value, row)) >= 2).most_common(1)[0][0]


def _is_data(row: list, width: int) -> bool:
    filled = [cell for cell in row if not numbers.is_missing(cell)]
    return len(row) >= min(width, 2) and sum(map(is_value, filled)) >= 2 and (
        len(row) == width or all(map(is_value, filled))
    )  # fmt: skip


def _refuse_unless_whole(path: str, rows: list, width: int) -> None:
    refuse(
        path,
        [
            (number, f"has {len(row)} cells where most rows have {width}: a decimal comma without quotes, or "
             "a row that was cut? Expected one cell per heading")
            for number, row in rows
            if len(row) != width
        ],
    )  # fmt: skip
