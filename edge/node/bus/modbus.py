"""Modbus RTU frames: requests of FC 1-6, 15, 16, 22 and 23, and what their replies hold. No I/O.

Sources: MODBUS Application Protocol V1.1b3 (function codes, exceptions) and MODBUS over Serial
Line V1.02 (CRC). The master's side of a transaction is in edge.node.bus.master.
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
MASK_WRITE_REGISTER = 22
READ_WRITE_REGISTERS = 23

BROADCAST = 0
# The standard ends at 247 and reserves the rest; there are devices that use it.
LAST_UNIT = 255
MAX_READ_REGISTERS = 125
MAX_READ_BITS = 2000
MAX_WRITE_REGISTERS = 123
MAX_WRITE_BITS = 1968
# FC 23 carries both its addresses in one frame of 256 bytes.
MAX_READ_WRITE_REGISTERS = 121

# An exception reply's code, by its name in the specification; 0 is no code of Modbus, but DCON's "?AA".
EXCEPTIONS = {
    0: "invalid command",
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
ACKNOWLEDGE = 5
# What asking again does not change.
LASTING = (0, 1, 2, 3)
# Not the device's own answer, but a gateway's that has not heard it.
NOT_REACHED = (10, 11)

# After these the real reply may still come: it works on it, or a gateway has given up waiting.
ANSWER_MAY_FOLLOW = (5, 10, 11)

# What feed() of a master answers.
PENDING = 0
DONE = 1
REFUSED = 2
ALTERED = 3

WRITES = (
    WRITE_SINGLE_COIL,
    WRITE_SINGLE_REGISTER,
    WRITE_MULTIPLE_COILS,
    WRITE_MULTIPLE_REGISTERS,
    MASK_WRITE_REGISTER,
)
# Their reply is the request once more: on a line that echoes it can't be told from an own byte.
MIRRORED = (WRITE_SINGLE_COIL, WRITE_SINGLE_REGISTER, MASK_WRITE_REGISTER)


def sealed(body: bytes) -> bytes:
    """The body with its CRC appended, low byte first."""
    crc = crc16(body)
    return body + bytes((crc & 0xFF, crc >> 8))


def _check(what: str, number: int, low: int, high: int):
    if number < low or number > high:
        raise ValueError("modbus: %s %d is outside %d..%d" % (what, number, low, high))


def read_request(unit: int, function: int, address: int, count: int) -> bytes:
    """Request of FC 1-4. ``unit`` 1..255, ``address`` 0..65535, ``count`` 1..2000 bits, 1..125 registers."""
    _check("function", function, READ_COILS, READ_INPUT_REGISTERS)
    _check("unit", unit, 1, LAST_UNIT)
    _check("count", count, 1, MAX_READ_BITS if function <= READ_DISCRETE_INPUTS else MAX_READ_REGISTERS)
    _check("address", address, 0, 65536 - count)
    return sealed(pack(">BBHH", unit, function, address, count))


def write_coil(unit: int, address: int, on: bool) -> bytes:
    """Request of FC 5. ``unit`` 0 (broadcast)..255."""
    _check("unit", unit, 0, LAST_UNIT)
    _check("address", address, 0, 65535)
    return sealed(pack(">BBHH", unit, WRITE_SINGLE_COIL, address, 0xFF00 if on else 0))


def write_register(unit: int, address: int, value: int) -> bytes:
    """Request of FC 6. ``value`` 0..65535."""
    _check("unit", unit, 0, LAST_UNIT)
    _check("address", address, 0, 65535)
    _check("value", value, 0, 65535)
    return sealed(pack(">BBHH", unit, WRITE_SINGLE_REGISTER, address, value))


def write_coils(unit: int, address: int, bits: list) -> bytes:
    """Request of FC 15 for 1..1968 coils."""
    count = len(bits)
    _check("unit", unit, 0, LAST_UNIT)
    _check("count", count, 1, MAX_WRITE_BITS)
    _check("address", address, 0, 65536 - count)
    packed = pack_bits(bits)
    return sealed(pack(">BBHHB", unit, WRITE_MULTIPLE_COILS, address, count, len(packed)) + packed)


def write_registers(unit: int, address: int, values: list) -> bytes:
    """Request of FC 16 for 1..123 registers, each 0..65535."""
    count = len(values)
    _check("unit", unit, 0, LAST_UNIT)
    _check("count", count, 1, MAX_WRITE_REGISTERS)
    _check("address", address, 0, 65536 - count)
    for value in values:
        _check("value", value, 0, 65535)
    head = pack(">BBHHB", unit, WRITE_MULTIPLE_REGISTERS, address, count, 2 * count)
    return sealed(head + pack(">%dH" % count, *values))


def mask_write(unit: int, address: int, and_mask: int, or_mask: int) -> bytes:
    """Request of FC 22: the register becomes (register AND and_mask) OR (or_mask AND NOT and_mask)."""
    _check("unit", unit, 0, LAST_UNIT)
    _check("address", address, 0, 65535)
    _check("and mask", and_mask, 0, 65535)
    _check("or mask", or_mask, 0, 65535)
    return sealed(pack(">BBHHH", unit, MASK_WRITE_REGISTER, address, and_mask, or_mask))


def read_write(unit: int, read_address: int, read_count: int, address: int, values: list) -> bytes:
    """Request of FC 23: writes 1..121 ``values`` from ``address``, then reads 1..125 registers."""
    count = len(values)
    _check("unit", unit, 1, LAST_UNIT)
    _check("read count", read_count, 1, MAX_READ_REGISTERS)
    _check("read address", read_address, 0, 65536 - read_count)
    _check("count", count, 1, MAX_READ_WRITE_REGISTERS)
    _check("address", address, 0, 65536 - count)
    for value in values:
        _check("value", value, 0, 65535)
    head = pack(">BBHHHHB", unit, READ_WRITE_REGISTERS, read_address, read_count, address, count, 2 * count)
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
    if function <= READ_INPUT_REGISTERS or function == READ_WRITE_REGISTERS:
        count = (request[4] << 8) | request[5]
        if function <= READ_DISCRETE_INPUTS:
            return 5 + (count + 7) // 8
        return 5 + 2 * count
    return 10 if function == MASK_WRITE_REGISTER else 8


def altered(request: bytes, frame: bytes) -> str:
    """What a device took instead, by its whole reply to a write of that very place; else nothing."""
    function = request[1]
    if function not in WRITES or frame[:4] != request[:4]:
        return ""
    asked = (request[4] << 8) | request[5]
    took = (frame[4] << 8) | frame[5]
    if function == WRITE_SINGLE_COIL:
        return "took %s instead of %s" % ("on" if took else "off", "on" if asked else "off")
    if function == WRITE_SINGLE_REGISTER:
        return "took %d instead of %d" % (took, asked)
    if function == MASK_WRITE_REGISTER:
        masks = (took, (frame[6] << 8) | frame[7], asked, (request[6] << 8) | request[7])
        return "took the masks %04X %04X instead of %04X %04X" % masks
    what = "coils" if function == WRITE_MULTIPLE_COILS else "registers"
    return "took %d of %d %s" % (took, asked, what)


def claimed_length(frame: bytes) -> int:
    """How long the reply is that ``frame`` begins with, by its own words; 0 when it doesn't say."""
    if len(frame) < 3:
        return 0
    function = frame[1]
    if function & 0x80:
        return 5
    if function <= READ_INPUT_REGISTERS or function == READ_WRITE_REGISTERS:
        return 5 + frame[2]
    if function == MASK_WRITE_REGISTER:
        return 10
    return 8
