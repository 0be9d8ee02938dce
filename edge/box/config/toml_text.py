"""A TOML text with the lines of its keys; what is no TOML is named as what it is, with its line.

    values, lines = read(data)        TomlError has ``line`` and a sentence
"""

import re
import tomllib

from edge.box.config.lines import find_lines

_POSITION = re.compile(r" \(at line (\d+), column \d+\)")
_BOM = "\ufeff"
_DECIMAL_COMMA = re.compile(r"=\s*([+-]?\d+),(\d+)\s*(?:#|$)")
_KEY = re.compile(r'\s*([A-Za-z0-9_.\-"\' ]+?)\s*=')
_HEADER = re.compile(r"\s*\[\[?\s*([^\[\]#]+?)\s*\]")


class TomlError(ValueError):
    """No TOML. ``line``: counted from 1; the text says what it is and what to do."""

    def __init__(self, line: int, text: str):
        ValueError.__init__(self, text)
        self.line = line


def read(data: bytes) -> tuple:
    """(values, path of a key -> its line) of a TOML file; TomlError where it is none."""
    text = _decoded(data)
    try:
        return tomllib.loads(text), find_lines(text)
    except RecursionError:
        text = "lists or tables are nested too deeply, expected three levels at most; unfold them"
        raise TomlError(1, text) from None
    except ValueError as error:
        message = str(error)
        found = _POSITION.search(message)
        line = int(found.group(1)) if found else text.rstrip().count("\n") + 1
        what = _POSITION.sub("", message).replace(" (at end of document)", " at the end")
        named = _named(text.replace("\r\n", "\n").split("\n"), line, what)
        raise TomlError(line, named or f"this is not TOML: {what}; correct the line") from error


def _decoded(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise TomlError(1, "this is UTF-16, expected UTF-8; save the file as UTF-8 without a byte order mark")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise TomlError(line, "this is not UTF-8, as TOML must be; save the file as UTF-8") from error
    if text.startswith(_BOM):
        text = "the file begins with a byte order mark (BOM), which TOML does not have"
        raise TomlError(1, f"{text}; save it as UTF-8 without one")
    return text


def _named(rows: list, line: int, what: str) -> str:
    """What is on that line, where it is a mistake that people make; else nothing."""
    row = rows[line - 1]
    comma = _DECIMAL_COMMA.search(row)
    if comma:
        whole, part = comma.groups()
        return f"{whole},{part} has a decimal comma, expected a point; write {whole}.{part}"
    header, key = _HEADER.match(row), _KEY.match(row)
    if header and what.startswith("Cannot declare"):
        first = _first(rows, line, _HEADER, header.group(1), to_header=False)
        return f"[{header.group(1)}] stands twice, first in line {first}; keep one of them" if first else ""
    if key and what.startswith("Cannot overwrite"):
        first = _first(rows, line, _KEY, key.group(1), to_header=True)
        if first:
            return f"the key {key.group(1)} stands twice, first in line {first}; keep one of them"
    return ""


def _first(rows: list, line: int, pattern, name: str, to_header: bool) -> int:
    """The nearest earlier line with that name, no further up than the table's header; 0 for none."""
    for at in range(line - 1, 0, -1):
        found = pattern.match(rows[at - 1])
        if found and found.group(1) == name:
            return at
        if to_header and _HEADER.match(rows[at - 1]):
            break
    return 0
