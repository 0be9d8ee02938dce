"""The file of what a node keeps over a power cut: two lines of JSON, and the generation before it beside it.

The first line is ``{"kept": 1, "crc32": "..."}``, the CRC of the second line's bytes without its line feed. A
new generation is written whole beside the others before it takes the newest one's place, so that a cut at any
moment leaves one to read. Nothing in the file is code or a path.
"""

import binascii
import errno
import json
import os

VERSION = 1
BYTES_MAX = 60000  # fits a datagram
OLDER = ".1"
NEW = ".new"


def dump(content: dict) -> bytes:
    """The bytes of a file; ValueError where they are more than BYTES_MAX."""
    body = json.dumps(content).encode()
    head = json.dumps({"kept": VERSION, "crc32": "%08x" % (binascii.crc32(body) & 0xFFFFFFFF)}).encode()
    data = head + b"\n" + body + b"\n"
    if len(data) > BYTES_MAX:
        raise ValueError("%d bytes, at most %d are kept" % (len(data), BYTES_MAX))
    return data


def parse(data: bytes) -> dict:
    """The content of a file's bytes; ValueError where they are not those of dump()."""
    if len(data) > BYTES_MAX:
        raise ValueError("it is longer than %d bytes" % BYTES_MAX)
    lines = data.split(b"\n")
    if len(lines) != 3 or lines[2]:
        raise ValueError("it is cut off")
    head = _json(lines[0])
    if head.get("kept") != VERSION:
        raise ValueError("it has version %s, expected %d" % (head.get("kept"), VERSION))
    if head.get("crc32") != "%08x" % (binascii.crc32(lines[1]) & 0xFFFFFFFF):
        raise ValueError("its checksum is wrong")
    return _json(lines[1])


def _json(line: bytes) -> dict:
    try:
        value = json.loads(line)
    except (ValueError, RuntimeError):  # CPython raises RecursionError where brackets nest too deep
        value = None
    if not isinstance(value, dict):
        raise ValueError("it is damaged")
    return value


def save(path: str, data: bytes):
    """Put the bytes of dump() in place of the newest generation; that becomes the older one. OSError."""
    with open(path + NEW, "wb") as file:
        file.write(data)
        file.flush()  # is an fsync on MicroPython
        if hasattr(os, "fsync"):
            os.fsync(file.fileno())
    # A cut between the two renames leaves the new one under its own name: load() looks there as well.
    try:
        os.rename(path, path + OLDER)
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise
    os.rename(path + NEW, path)
    _sync_folder(path)


def _sync_folder(path: str):
    """Make the renames durable, where the system has a call for it."""
    if not hasattr(os, "fsync"):
        return
    folder = os.open(os.path.dirname(path) or ".", os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def load(path: str) -> tuple:
    """(content or None, list of what is wrong): the newest generation that can be read; never an exception.

    No content and nothing wrong: nothing has been kept yet.
    """
    wrong = []
    for place in (path, path + NEW, path + OLDER):
        try:
            with open(place, "rb") as file:
                content = parse(file.read(BYTES_MAX + 1))
        except (OSError, ValueError) as error:
            # A new one that is half written is the trace of a cut, and the newest is whole.
            if place != path + NEW and not (isinstance(error, OSError) and error.errno == errno.ENOENT):
                wrong.append("%s can't be used: %s" % (place, error))
            continue
        if place == path + OLDER:
            if not wrong:
                wrong.append("%s is missing" % path)
            wrong.append("what was kept before that is used")
        return content, wrong
    return None, wrong


class FileKeeper:
    """Keeps in a file at once; for a node that may wait for its disk. ``fault``: why the last did not succeed."""

    def __init__(self, path: str):
        self.path = path
        self.fault = ""

    def load(self) -> tuple:
        """As load()."""
        return load(self.path)

    def keep(self, data: bytes, now_ms: int) -> bool:
        """Keep this in place of what was kept before; False where it can't be taken now."""
        try:
            save(self.path, data)
            self.fault = ""
        except OSError as error:
            self.fault = "%s can't be written: %s" % (self.path, error)
        return True

    def step(self, now_ms: int):
        """Nothing is under way."""

    def close(self):
        """Nothing is held back."""
