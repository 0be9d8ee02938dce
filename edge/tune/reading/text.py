"""Bytes of a file to text: UTF-8, UTF-16 with and without its mark, else the encoding of Western Windows."""

import codecs
import re

# UTF-16 of Latin text has a zero in every other byte.
ZEROS = 0.3


def decode(data: bytes) -> tuple:
    """Return (text, name of the encoding); ValueError where it is none of those, or no text."""
    encoding = _marked(data) or _unmarked(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        raise ValueError(f"it is no {encoding.upper()} text, as its first bytes promise") from None
    if re.search(r"[\x00-\x08\x0b\x0e-\x1f\x7f]", text):
        raise ValueError("it is no text: control characters stand in it")
    names = {"utf-8-sig": "UTF-8", "utf-8": "UTF-8", "cp1252": "Windows-1252"}
    return text, names.get(encoding, "UTF-16")


def _marked(data: bytes):
    """Return the encoding that the byte order mark names, None without one."""
    if data.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    return "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else None


def _unmarked(data: bytes) -> str:
    for start, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        half = data[start::2]
        if half and half.count(0) > ZEROS * len(half):
            return encoding
    for encoding in ("utf-8", "cp1252"):
        try:
            data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    raise ValueError("it is no text in UTF-8, UTF-16 or Windows-1252")
