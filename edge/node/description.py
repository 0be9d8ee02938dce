"""The board file: what a node is built from, with a schema version and a hash.

Two lines of JSON: ``{"schema": 1, "sha256": "..."}`` and the description; the hash is that of the
second line's bytes without its line feed. A board refuses any other schema and any changed byte.
"""

import hashlib
import json

SCHEMA = 2


def sha256(data: bytes) -> str:
    """SHA-256 as lower-case hex; MicroPython's hashes have no hexdigest."""
    return "".join(["%02x" % byte for byte in hashlib.sha256(data).digest()])


def dump(description: dict) -> bytes:
    """The board file of a description, the same bytes for the same description. CPython only.

    ValueError for a description of another schema or with numbers that are not finite.
    """
    _check_schema(description, "description")
    body = json.dumps(description, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
    head = json.dumps({"schema": SCHEMA, "sha256": sha256(body)}).encode()
    return head + b"\n" + body + b"\n"


def parse(data: bytes, path: str = "board file") -> dict:
    """The description in the bytes of a board file; ValueError where it must not be used."""
    lines = data.split(b"\n")
    if len(lines) != 3 or lines[2] != b"":
        raise ValueError("%s: expected two lines of JSON: copy it again, it may be cut off" % path)
    head = _json(lines[0], path, 1)
    _check_schema(head, path)
    found = sha256(lines[1])
    if head.get("sha256") != found:
        text = (
            "%s: changed after it was written: sha256 is %s, expected %s: write it from the node file again"
        )
        raise ValueError(text % (path, found, head.get("sha256")))
    description = _json(lines[1], path, 2)
    _check_schema(description, path)
    return description


def load(path: str) -> dict:
    """The description in a board file; OSError where it can't be read, ValueError as ``parse``."""
    with open(path, "rb") as file:
        return parse(file.read(), path)


def _check_schema(table: dict, path: str):
    if table.get("schema") != SCHEMA:
        text = "%s: has schema %s, this firmware reads %d: write it with the furnace-edge of this firmware"
        raise ValueError(text % (path, table.get("schema"), SCHEMA))


def _json(line: bytes, path: str, number: int) -> dict:
    try:
        value = json.loads(line)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ValueError("%s: line %d is no JSON object: copy it again, it may be damaged" % (path, number))
    return value
