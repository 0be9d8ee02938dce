"""The shape of a Modbus request: how long it is, and which addresses it names.

Source: MODBUS Application Protocol V1.1b3, chapter 6.
"""

from struct import Struct

from edge.node.bus import modbus

SERVER_ID = 17
MIN_FRAME = 4
MAX_FRAME = 256

# Functions whose requests name one address, or an address and a count.
_ONE = frozenset((modbus.WRITE_SINGLE_COIL, modbus.WRITE_SINGLE_REGISTER, modbus.MASK_WRITE_REGISTER))
_MANY = frozenset(
    (
        modbus.READ_COILS,
        modbus.READ_DISCRETE_INPUTS,
        modbus.READ_HOLDING_REGISTERS,
        modbus.READ_INPUT_REGISTERS,
        modbus.WRITE_MULTIPLE_COILS,
        modbus.WRITE_MULTIPLE_REGISTERS,
        modbus.READ_WRITE_REGISTERS,
    )
)

_WORDS = Struct(">HH").unpack_from


def expected_length(buffer: bytes) -> int:
    """Length of the request that ``buffer`` begins with; 0 when its function is unknown here.

    Of a write of many whose byte count has not arrived yet it is the least that is possible.
    """
    if len(buffer) < 2:
        return MIN_FRAME
    function = buffer[1]
    if modbus.READ_COILS <= function <= modbus.WRITE_SINGLE_REGISTER:
        return 8
    if function == modbus.WRITE_MULTIPLE_COILS or function == modbus.WRITE_MULTIPLE_REGISTERS:
        return 9 + (buffer[6] if len(buffer) > 6 else 0)
    if function == modbus.MASK_WRITE_REGISTER:
        return 10
    if function == SERVER_ID:
        return 4
    if function == modbus.READ_WRITE_REGISTERS:
        return 13 + (buffer[10] if len(buffer) > 10 else 0)
    return 0


def request_of(frame: bytes) -> tuple:
    """Function, first address and count of a request: of function 23 those that it writes."""
    function = frame[1]
    address, count = _WORDS(frame, 6 if function == modbus.READ_WRITE_REGISTERS else 2)
    if function in _ONE:
        count = 1
    elif function not in _MANY:
        address = count = 0
    return function, address, count
