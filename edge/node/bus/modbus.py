"""Modbus RTU frames and the master's side of one transaction, without any I/O.

Sources: MODBUS Application Protocol V1.1b3 (function codes, exceptions) and
MODBUS over Serial Line V1.02 (CRC, silence of 3.5 characters, 1.75 ms above 19200 baud).

A reply is recognised by its expected length, unit, function and CRC. The 1.5 character
gap inside a frame is not enforced: USB adapters split frames.
"""

from struct import pack, unpack

from cext.crc import crc16

READ_COILS = 1
READ_DISCRETE_INPUTS = 2
READ_HOLDING_REGISTERS = 3
READ_INPUT_REGISTERS = 4
WRITE_SINGLE_COIL = 5
WRITE_SINGLE_REGISTER = 6
WRITE_MULTIPLE_COILS = 15
WRITE_MULTIPLE_REGISTERS = 16

BROADCAST = 0
MAX_READ_REGISTERS = 125
MAX_READ_BITS = 2000
MAX_WRITE_REGISTERS = 123
MAX_WRITE_BITS = 1968

EXCEPTIONS = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "server device failure",
    5: "acknowledge",
    6: "server device busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target failed to respond",
}

# What Master.feed() answers.
PENDING = 0
DONE = 1
REFUSED = 2


def sealed(body: bytes) -> bytes:
    """The body with its CRC appended, low byte first."""
    crc = crc16(body)
    return body + bytes((crc & 0xFF, crc >> 8))


def _check(what: str, number: int, low: int, high: int):
    if number < low or number > high:
        raise ValueError("modbus: %s %d is outside %d..%d" % (what, number, low, high))


def read_request(unit: int, function: int, address: int, count: int) -> bytes:
    """Request of FC 1-4. ``unit`` 1..247, ``address`` 0..65535, ``count`` 1..2000 bits, 1..125 registers."""
    _check("function", function, READ_COILS, READ_INPUT_REGISTERS)
    _check("unit", unit, 1, 247)
    _check("count", count, 1, MAX_READ_BITS if function <= READ_DISCRETE_INPUTS else MAX_READ_REGISTERS)
    _check("address", address, 0, 65536 - count)
    return sealed(pack(">BBHH", unit, function, address, count))


def write_coil(unit: int, address: int, on: bool) -> bytes:
    """Request of FC 5. ``unit`` 0 (broadcast)..247."""
    _check("unit", unit, 0, 247)
    _check("address", address, 0, 65535)
    return sealed(pack(">BBHH", unit, WRITE_SINGLE_COIL, address, 0xFF00 if on else 0))


def write_register(unit: int, address: int, value: int) -> bytes:
    """Request of FC 6. ``value`` 0..65535."""
    _check("unit", unit, 0, 247)
    _check("address", address, 0, 65535)
    _check("value", value, 0, 65535)
    return sealed(pack(">BBHH", unit, WRITE_SINGLE_REGISTER, address, value))


def write_coils(unit: int, address: int, bits: list) -> bytes:
    """Request of FC 15 for 1..1968 coils."""
    count = len(bits)
    _check("unit", unit, 0, 247)
    _check("count", count, 1, MAX_WRITE_BITS)
    _check("address", address, 0, 65536 - count)
    packed = pack_bits(bits)
    return sealed(pack(">BBHHB", unit, WRITE_MULTIPLE_COILS, address, count, len(packed)) + packed)


def write_registers(unit: int, address: int, values: list) -> bytes:
    """Request of FC 16 for 1..123 registers, each 0..65535."""
    count = len(values)
    _check("unit", unit, 0, 247)
    _check("count", count, 1, MAX_WRITE_REGISTERS)
    _check("address", address, 0, 65536 - count)
    for value in values:
        _check("value", value, 0, 65535)
    head = pack(">BBHHB", unit, WRITE_MULTIPLE_REGISTERS, address, count, 2 * count)
    return sealed(head + pack(">%dH" % count, *values))


def pack_bits(bits: list) -> bytes:
    """Bits to bytes, first bit in the lowest bit of the first byte."""
    packed = bytearray((len(bits) + 7) // 8)
    for i in range(len(bits)):
        if bits[i]:
            packed[i >> 3] |= 1 << (i & 7)
    return bytes(packed)


def unpack_bits(data: bytes, count: int) -> list:
    """The first ``count`` bits of a reply's data as booleans."""
    return [bool(data[i >> 3] & (1 << (i & 7))) for i in range(count)]


def unpack_registers(data: bytes) -> tuple:
    """The registers of a reply's data, unsigned."""
    return unpack(">%dH" % (len(data) >> 1), data)


def reply_length(request: bytes) -> int:
    """Bytes of the normal reply to a request; 0 for a broadcast, which is never answered."""
    if request[0] == BROADCAST:
        return 0
    function = request[1]
    count = (request[4] << 8) | request[5]
    if function <= READ_DISCRETE_INPUTS:
        return 5 + (count + 7) // 8
    if function <= READ_INPUT_REGISTERS:
        return 5 + 2 * count
    return 8


class Master:
    """One transaction at a time: what was asked, what has come back, when it is too late.

    ``baud`` bit/s, ``char_bits`` bits of one character on the wire (11 by the standard, also
    counted so where no parity is sent), ``timeout_ms`` from the end of the request to the
    first character of the reply. The caller moves the bytes and keeps the time.
    """

    def __init__(self, baud: int, timeout_ms: int, char_bits: int = 11):
        self.char_us = (1000000 * char_bits + baud - 1) // baud
        self.silence_us = 1750 if baud > 19200 else (7 * self.char_us + 1) // 2
        self.timeout_us = timeout_ms * 1000
        self.request = b""
        self.expected = 0
        self.deadline_us = 0
        self.quiet_at_us = 0
        self.buffer = b""
        self.data = b""
        self.exception = 0

    def begin(self, request: bytes, expected: int, now_us: int):
        """Note a request that goes out now; ``expected`` is reply_length(request)."""
        self.request = request
        self.expected = expected
        self.buffer = b""
        sent_us = now_us + len(request) * self.char_us
        if expected:
            self.deadline_us = sent_us + self.timeout_us + expected * self.char_us
        else:
            # A broadcast: give the slaves time to act on it before the next request.
            self.deadline_us = sent_us + self.timeout_us
        self.quiet_at_us = sent_us + self.silence_us

    def feed(self, received: bytes, now_us: int) -> int:
        """Take received bytes: PENDING, DONE (``data`` holds the reply's data) or REFUSED (``exception``)."""
        buffer = self.buffer + received if self.buffer else received
        self.quiet_at_us = now_us + self.silence_us
        request = self.request
        expected = self.expected
        # The common case first: exactly the reply and nothing else.
        if len(buffer) == expected and buffer[0] == request[0] and buffer[1] == request[1]:
            if crc16(buffer) == 0 and self._fits(buffer):
                return DONE
        answer = self._search(buffer)
        # Bound what noise can pile up: anything older than one full frame can't start our reply.
        self.buffer = buffer[-expected - 256 :] if len(buffer) > expected + 256 else buffer
        return answer

    def _search(self, buffer: bytes) -> int:
        """Look for the reply behind stray bytes: a leading 0x00, an echo, the tail of a late reply."""
        unit = self.request[0]
        function = self.request[1]
        expected = self.expected
        size = len(buffer)
        for start in range(size - 4):
            if buffer[start] != unit:
                continue
            if buffer[start + 1] == function:
                if start + expected <= size:
                    frame = buffer[start : start + expected]
                    # An RS-485 echo of a write equals its reply: skip our own request where more follows.
                    if frame == self.request and start == 0 and function <= READ_INPUT_REGISTERS:
                        continue
                    if crc16(frame) == 0 and self._fits(frame):
                        return DONE
            elif buffer[start + 1] == function | 0x80:
                frame = buffer[start : start + 5]
                if crc16(frame) == 0:
                    self.exception = frame[2]
                    return REFUSED
        return PENDING

    def _fits(self, frame: bytes) -> bool:
        """Whether a frame with a right CRC says what was asked for; keeps its data."""
        function = self.request[1]
        if function <= READ_INPUT_REGISTERS:
            if frame[2] != self.expected - 5:
                return False
            self.data = frame[3:-2]
            return True
        self.data = frame[2:6]
        return self.data == self.request[2:6]

    def why(self) -> str:
        """What was wrong when the deadline passed, in one or two words."""
        buffer = self.buffer
        size = len(buffer)
        if size == 0:
            return "silence"
        for length in range(5, size + 1):
            if crc16(buffer[:length]) == 0:
                if buffer[0] != self.request[0]:
                    return "wrong unit"
                if buffer[1] & 0x7F != self.request[1]:
                    return "wrong function"
                return "wrong length"
        if size < self.expected:
            return "truncated"
        return "wrong crc"
