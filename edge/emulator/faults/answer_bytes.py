"""An answer whose bytes are others.

An answer in DCON has its checksum for a CRC (nothing is wrong where it has none), names its unit only after
"!", and has ">" and "!" for functions.
"""

import re

from cext.crc import crc16
from edge.emulator.faults.kind import Argument, Kind
from edge.node.bus.dcon import checksum

# What another fault has cut down to less has no unit, function or check word left.
_SHORTEST = 4
_NAMED = re.compile(rb"[!?][0-9A-F]{2}").match


def _truncated(fault, answer, random):
    answer.data = answer.data[: len(answer.data) // 2 if fault.arg is None else fault.arg]


def _stray(fault, answer, random):
    answer.data = bytes(fault.arg) + answer.data


def _noise(fault, answer, random):
    draw = random.random
    answer.data = bytes(
        byte ^ (1 + int(draw() * 255)) if draw() < fault.arg else byte for byte in answer.data
    )


def _wrong_crc(fault, answer, random):
    data = answer.data
    if len(data) < _SHORTEST:
        return
    if answer.dcon is None:
        answer.data = data[:-1] + bytes((data[-1] ^ 0xFF,))
    elif answer.dcon:
        last = b"0" if data[-2:-1] != b"0" else b"1"
        answer.data = data[:-2] + last + data[-1:]


def _wrong_unit(fault, answer, random):
    data = answer.data
    if len(data) < _SHORTEST:
        return
    if answer.dcon is None:
        unit = data[0] % 247 + 1 if fault.arg is None else fault.arg
        answer.data = _sealed(bytes((unit,)) + data[1:-2])
        return
    text = _text(answer)
    if _NAMED(text):
        unit = (int(text[1:3], 16) + 1) & 0xFF if fault.arg is None else fault.arg
        text = text[:1] + b"%02X" % unit + text[3:]
    answer.data = _closed(text, answer.dcon)


def _wrong_function(fault, answer, random):
    data = answer.data
    if len(data) < _SHORTEST:
        return
    if answer.dcon is None:
        function = data[1] ^ 0x07 if fault.arg is None else fault.arg
        answer.data = _sealed(data[:1] + bytes((function,)) + data[2:-2])
        return
    text = _text(answer)
    answer.data = _closed((b"!" if text[:1] == b">" else b">") + text[1:], answer.dcon)


def _sealed(body: bytes) -> bytes:
    crc = crc16(body)
    return body + bytes((crc & 0xFF, crc >> 8))


def _text(answer) -> bytes:
    """A DCON reply without checksum and carriage return."""
    return answer.data[:-3] if answer.dcon else answer.data[:-1]


def _closed(text: bytes, checked: bool) -> bytes:
    return text + checksum(text) + b"\r" if checked else text + b"\r"


KINDS = (
    Kind(
        "truncated",
        "only the first bytes of the answer arrive; by default half of them",
        Argument("bytes", None, 0, 256),
        bends=_truncated,
    ),
    Kind("wrong_crc", "the check word is wrong", bends=_wrong_crc),
    Kind(
        "wrong_unit",
        "the answer names another unit, by default the next one, with a right CRC",
        Argument("unit", None, 0, 255),
        bends=_wrong_unit,
    ),
    Kind(
        "wrong_function",
        "the answer has another function, by default 3 for 4 and so on, with a right CRC",
        Argument("function", None, 0, 255),
        bends=_wrong_function,
    ),
    Kind("stray", "zero bytes come right before the answer", Argument("bytes", 1, 1, 256), bends=_stray),
    Kind(
        "noise",
        "each byte of an answer is hit with this probability, from a seed",
        Argument("probability", 0.01, 0.0, 1.0),
        bends=_noise,
    ),
)
