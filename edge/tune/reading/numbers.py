"""Cells to numbers: which mark is the decimal one is decided for the whole file, and never by chance."""

import math
import re

# What loggers write where they have no value.
MISSING = frozenset(
    ("", "nan", "na", "n/a", "#n/a", "null", "none", "nil", "-", "--", "---", "bad", "err", "error", "fault")
)
# Blanks and apostrophes that group digits.
GROUPING = " \u00a0\u2009\u202f'\u2019"
_MARKED = re.compile(r"[+-]?(\d*)((?:[.,]\d+)+|[.,])(?:[eE][+-]?\d+)?")
_LOOKS = re.compile(r"[+-]?(?:\d[\d.,]*|[.,]\d+)(?:[eE][+-]?\d+)?")
_WITH_UNIT = re.compile(rf"([+-]?[\d.,][\d.,{GROUPING}]*(?:[eE][+-]?\d+)?)\s*([^\d\s.,:/-][^\d:]*)?")


class MarkError(ValueError):
    """Two readings of the same cell; `line` is where it stands."""

    def __init__(self, line: int, sentence: str):
        super().__init__(sentence)
        self.line = line


def is_missing(cell: str) -> bool:
    """Return whether a cell says that there is no value."""
    return cell.strip().casefold() in MISSING


def looks_like_number(cell: str) -> bool:
    """Return whether a cell is a number in some spelling, without grouping blanks and units."""
    return _LOOKS.fullmatch(cell.strip()) is not None


def split_unit(cell: str) -> tuple:
    """Return (number as text, unit behind it): "800.2 °C" is ("800.2", "°C")."""
    found = _WITH_UNIT.fullmatch(cell.strip())
    if found is None:
        return cell.strip(), ""
    return found[1].strip(), (found[2] or "").strip()


def decimal_mark(columns: list) -> str:
    """Return "." or ",", the decimal mark of a file; MarkError where it can't be told.

    `columns` are lists of (line, number as text). "8,000" alone may be 8 or 8000; another cell of the file
    may settle it: "8,0", "0,500", "1,234.5", "0.5".
    """
    strong, doubtful = {}, []
    for column in columns:
        whole, thousands = False, None
        for line, cell in column:
            mark, sure = _mark_of(ungrouped(cell))
            if mark is None:
                whole = whole or len(cell.lstrip("+-")) >= 3
            elif sure:
                strong.setdefault(mark, (line, cell))
            elif mark == "," or thousands is None:
                thousands = thousands or (line, cell, mark)
        # "998" and "1.002" in one column: three digits behind every point look like thousands.
        if thousands and (thousands[2] == "," or whole):
            doubtful.append(thousands)
    if len(strong) == 2:
        (line, cell), (other, wrong) = sorted(strong.values())
        raise MarkError(other, f"has {wrong!r}, but line {line} has {cell!r}: which mark is the decimal one?")
    if strong:
        return next(iter(strong))
    if doubtful:
        line, cell, mark = min(doubtful)
        one, many = cell.replace(mark, "."), cell.replace(mark, "")
        raise MarkError(
            line,
            f"{cell!r} may be {float(one):g} or {float(many):g}, and no other cell settles which: write "
            "numbers with a decimal point and without thousands separators",
        )
    return "."


def number(cell: str, decimal: str):
    """Return the number of a cell, None where it is none; thousands must be grouped by threes."""
    cell, group = cell.strip(), "," if decimal == "." else "."
    marks = re.escape(group + GROUPING)
    plain = rf"[+-]?(?:\d+(?:{re.escape(decimal)}\d*)?|{re.escape(decimal)}\d+)(?:[eE][+-]?\d+)?"
    grouped = rf"[+-]?\d{{1,3}}(?:([{marks}])\d{{3}})(?:\1\d{{3}})*(?:{re.escape(decimal)}\d*)?"
    if not re.fullmatch(plain, cell):
        if not re.fullmatch(grouped, cell):
            return None
        cell = re.sub(f"[{marks}]", "", cell)
    value = float(cell.replace(decimal, "."))
    return value if math.isfinite(value) else None


def ungrouped(cell: str) -> str:
    """Return a cell without the blanks and apostrophes that group its digits."""
    return re.sub(f"[{GROUPING}]", "", cell)


def _mark_of(cell: str) -> tuple:
    """Return (decimal mark by this cell, whether it is sure); (None, False) without any mark."""
    found = _MARKED.fullmatch(cell)
    if found is None or not any(mark in cell for mark in ".,"):
        return None, False
    before, behind = found[1], found[2]
    marks = [character for character in behind if character in ".,"]
    if len(set(marks)) == 2:
        return marks[-1], True
    if len(marks) > 1:
        return ("." if marks[0] == "," else ","), True
    groups = len(behind) == 4 and before.strip("0") != "" and len(before) <= 3
    return marks[0], not groups
