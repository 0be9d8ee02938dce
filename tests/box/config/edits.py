"""Edits of a node file's text, and the lines on which they must be told."""

import re
from pathlib import Path

from edge.box.config import NodeFileError, check

PATH = Path(__file__).with_name("line1.toml")
REFERENCE = PATH.read_text()


def header_line(text: str, table: str) -> int:
    """The line of [table], counted from 1."""
    return text.splitlines().index(_header(text, table)) + 1


def key_line(text: str, table: str, key: str) -> int:
    """The line of a key in [table]; that of the header where the key is absent."""
    rows = text.splitlines()
    start = header_line(text, table)
    for i in range(start, len(rows)):
        if rows[i].startswith("["):
            break
        if re.match(re.escape(key) + r"\s*=", rows[i]):
            return i + 1
    return start


def put(text: str, table: str, key: str, value: str) -> str:
    """The text with ``key = value`` in [table], in the place of an older value or at the top."""
    rows = text.splitlines()
    at = key_line(text, table, key)
    row = f"{key} = {value}"
    if at == header_line(text, table):
        rows.insert(at, row)
    else:
        rows[at - 1] = row
    return "\n".join(rows) + "\n"


def drop(text: str, table: str, key: str) -> str:
    """The text without a key of [table]."""
    rows = text.splitlines()
    at = key_line(text, table, key)
    assert at != header_line(text, table), (table, key)
    del rows[at - 1]
    return "\n".join(rows) + "\n"


def drop_table(text: str, table: str) -> str:
    """The text without [table] and its keys."""
    rows = text.splitlines()
    start = header_line(text, table)
    end = next((i for i in range(start, len(rows)) if rows[i].startswith("[")), len(rows))
    return "\n".join(rows[: start - 1] + rows[end:]) + "\n"


def rename(text: str, table: str, header: str) -> str:
    """The text with another header in the place of [table]."""
    return text.replace(_header(text, table), header, 1)


def problems(text: str) -> list:
    """What is wrong with a node file; empty where nothing is."""
    try:
        check("line1.toml", text.encode())
    except NodeFileError as error:
        return error.problems
    return []


def _header(text: str, table: str) -> str:
    return next(row for row in text.splitlines() if row.split("#")[0].strip() == f"[{table}]")
