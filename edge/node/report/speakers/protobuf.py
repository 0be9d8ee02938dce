"""As much of Google's Protocol Buffers as a Sparkplug B payload of metrics needs.

Numbers of fields and types as in the Sparkplug 3.0 specification, chapter 6, written in rising order of their
numbers, which is what every other encoder does. The decoder takes whatever bytes a broker hands out: the
answer is a Payload or a ValueError. What it does not know it skips by its length, without looking into it.
"""

import struct

# Sparkplug data types.
INT32 = 3
INT64 = 4
FLOAT = 9
BOOLEAN = 11
STRING = 12

PAYLOAD_MAX = 65536  # bytes that are decoded
METRICS_MAX = 512

_MASK64 = 0xFFFFFFFFFFFFFFFF
_ONE = [bytes([number]) for number in range(128)]

_VARINT = 0
_FIXED64 = 1
_BYTES = 2
_FIXED32 = 5

# Parts of a metric that are always the same.
HISTORICAL = b"\x28\x01"
NULL = b"\x38\x01"


def varint(number: int) -> bytes:
    """Seven bits a byte, least significant first; ``number`` is 0 or more."""
    if number < 128:
        return _ONE[number]
    out = bytearray()
    while number >= 128:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def text(tag: bytes, value: str) -> bytes:
    data = value.encode()
    return tag + varint(len(data)) + data


def name(value: str) -> bytes:
    return text(b"\x0a", value)


def alias(number: int) -> bytes:
    return b"\x10" + varint(number)


def timestamp(t_ms: int) -> bytes:
    """Of a metric."""
    return b"\x18" + varint(t_ms)


def datatype(kind: int) -> bytes:
    return b"\x20" + varint(kind)


def float_value(value: float) -> bytes:
    return b"\x65" + struct.pack("<f", value)


def integer_value(value: int) -> bytes:
    """INT64: a negative number is its two's complement of 64 bits."""
    return b"\x58" + varint(value & _MASK64)


def boolean_value(value: bool) -> bytes:
    return b"\x70\x01" if value else b"\x70\x00"


def string_value(value: str) -> bytes:
    return text(b"\x7a", value)


def string_bytes(data: bytes) -> bytes:
    """A string value that is UTF-8 already."""
    return b"\x7a" + varint(len(data)) + data


def properties(pairs: list) -> bytes:
    """A PropertySet of [(key, property)], each property made by int_property, text_property ..."""
    body = b""
    for key, _ in pairs:
        body += text(b"\x0a", key)
    for _, value in pairs:
        body += b"\x12" + varint(len(value)) + value
    return b"\x4a" + varint(len(body)) + body


def int_property(value: int) -> bytes:
    """INT32, 0 or more."""
    return b"\x08" + varint(INT32) + b"\x18" + varint(value)


def text_property(value: str) -> bytes:
    return b"\x08" + varint(STRING) + text(b"\x42", value)


def metric(body: bytes) -> bytes:
    """One metric of a payload; ``body``: its fields, in the order of the functions above."""
    return b"\x12" + varint(len(body)) + body


def payload(t_ms: int, metrics: list, seq: int) -> bytes:
    """A payload of metrics made by ``metric``; a negative ``seq`` is left out."""
    tail = b"\x18" + varint(seq) if seq >= 0 else b""
    return b"\x08" + varint(t_ms) + b"".join(metrics) + tail


class Metric:
    """A decoded metric; what was not in it is None. ``value``: int, float, bool, str or bytes.

    An int is as it was on the wire, without a sign.
    """

    def __init__(self):
        self.name = None
        self.alias = None
        self.timestamp = None
        self.datatype = None
        self.is_historical = False
        self.is_null = False
        self.value = None


class Payload:
    """``timestamp`` and ``seq`` are None where they were left out; ``metrics``: list of Metric."""

    def __init__(self):
        self.timestamp = None
        self.seq = None
        self.metrics = []


def decode(data: bytes) -> Payload:
    """The payload in ``data``; ValueError where it is none."""
    if len(data) > PAYLOAD_MAX:
        raise ValueError("sparkplug: payload of %d bytes, at most %d" % (len(data), PAYLOAD_MAX))
    data = bytes(data)
    found = Payload()
    at = 0
    end = len(data)
    while at < end:
        field, wire, value, at = _field(data, at, end)
        if field == 1 and wire == _VARINT:
            found.timestamp = value
        elif field == 2 and wire == _BYTES:
            if len(found.metrics) >= METRICS_MAX:
                raise ValueError("sparkplug: more than %d metrics" % METRICS_MAX)
            found.metrics.append(_metric(data, value, at))
        elif field == 3 and wire == _VARINT:
            found.seq = value
    return found


def _metric(data: bytes, at: int, end: int) -> Metric:
    found = Metric()
    while at < end:
        field, wire, value, at = _field(data, at, end)
        if wire == _VARINT:
            if field == 2:
                found.alias = value
            elif field == 3:
                found.timestamp = value
            elif field == 4:
                found.datatype = value & 0xFFFFFFFF
            elif field == 5:
                found.is_historical = value != 0
            elif field == 7:
                found.is_null = value != 0
            elif field == 10:
                found.value = value & 0xFFFFFFFF
            elif field == 11:
                found.value = value
            elif field == 14:
                found.value = value != 0
        elif wire == _BYTES:
            if field == 1:
                found.name = _text(data, value, at)
            elif field == 15:
                found.value = _text(data, value, at)
            elif field == 16:
                found.value = data[value:at]
            elif 17 <= field <= 19:
                found.value = None  # a data set, a template or an extension: nothing that is read here
        elif wire == _FIXED32 and field == 12:
            found.value = struct.unpack_from("<f", data, value)[0]
        elif wire == _FIXED64 and field == 13:
            found.value = struct.unpack_from("<d", data, value)[0]
    return found


def _text(data: bytes, at: int, end: int) -> str:
    # UnicodeError is a ValueError.
    return data[at:end].decode()


def _field(data: bytes, at: int, end: int) -> tuple:
    """(number, wire type, value, where the next begins); the value of bytes is where they begin."""
    key, at = _varint(data, at, end)
    wire = key & 7
    number = key >> 3
    if number == 0 or number > 536870911:
        raise ValueError("sparkplug: field %d" % number)
    if wire == _VARINT:
        value, at = _varint(data, at, end)
        return number, wire, value, at
    value = at
    if wire == _BYTES:
        size, value = _varint(data, at, end)
        at = value + size
    elif wire == _FIXED64:
        at += 8
    elif wire == _FIXED32:
        at += 4
    else:
        raise ValueError("sparkplug: wire type %d of field %d" % (wire, number))
    if at > end:
        raise ValueError("sparkplug: field %d has %d bytes of %d" % (number, end - value, at - value))
    return number, wire, value, at


def _varint(data: bytes, at: int, end: int) -> tuple:
    number = 0
    shift = 0
    while at < end and shift < 70:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 128:
            return number & _MASK64, at
        shift += 7
    raise ValueError("sparkplug: a number does not end")
