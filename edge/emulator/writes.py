"""Requests that write: checked in the order of the standard, then taken by the instrument.

Source: MODBUS Application Protocol V1.1b3: order of the checks behind exceptions 1, 2 and 3.
"""

from struct import Struct

from edge.emulator.instruments.instrument import DIAGNOSTIC, ILLEGAL_ADDRESS, ILLEGAL_FUNCTION, ILLEGAL_VALUE
from edge.node.bus import modbus

_WORDS = Struct(">HH").unpack_from
_REGISTERS = [Struct(f">{count}H").unpack_from for count in range(modbus.MAX_WRITE_REGISTERS + 1)]


def write(instrument, function: int, frame: bytes, at_us: int) -> int:
    """Let an instrument take a write; 0 or the exception code."""
    # A broadcast may name a function that reads, or asks for a diagnosis.
    if function not in instrument.FUNCTIONS or function in DIAGNOSTIC:
        return ILLEGAL_FUNCTION
    address, count = _WORDS(frame, 2)
    if function == modbus.WRITE_MULTIPLE_REGISTERS:
        most = min(modbus.MAX_WRITE_REGISTERS, instrument.max_registers)
        if count == 0 or count > most or frame[6] != 2 * count:
            return ILLEGAL_VALUE
        if instrument.holding.place(address, count) < 0:
            return ILLEGAL_ADDRESS
        return instrument.write_registers(address, _REGISTERS[count](frame, 7), at_us)
    if function == modbus.WRITE_SINGLE_REGISTER:
        if instrument.holding.place(address) < 0:
            return ILLEGAL_ADDRESS
        return instrument.write_registers(address, (count,), at_us)
    if function == modbus.MASK_WRITE_REGISTER:
        if instrument.holding.place(address) < 0:
            return ILLEGAL_ADDRESS
        and_mask, or_mask = _WORDS(frame, 4)
        value = instrument.holding.get(address) & and_mask | or_mask & ~and_mask
        return instrument.write_registers(address, (value,), at_us)
    if function == modbus.READ_WRITE_REGISTERS:
        return _read_write(instrument, address, count, frame, at_us)
    if function == modbus.WRITE_SINGLE_COIL:
        if count != 0xFF00 and count != 0:
            return ILLEGAL_VALUE
        if instrument.coils.place(address) < 0:
            return ILLEGAL_ADDRESS
        return instrument.write_coils(address, (1 if count else 0,), at_us)
    if count == 0 or count > modbus.MAX_WRITE_BITS or frame[6] != (count + 7) // 8:
        return ILLEGAL_VALUE
    if instrument.coils.place(address, count) < 0:
        return ILLEGAL_ADDRESS
    bits = modbus.unpack_bits(frame[7:-2], count)
    return instrument.write_coils(address, [1 if bit else 0 for bit in bits], at_us)


def _read_write(instrument, read_address: int, read_count: int, frame: bytes, at_us: int) -> int:
    """The write of FC 23, which comes before its read; both ranges are checked before it."""
    address, count = _WORDS(frame, 6)
    if not 1 <= read_count <= modbus.MAX_READ_REGISTERS:
        return ILLEGAL_VALUE
    if not 1 <= count <= modbus.MAX_READ_WRITE_REGISTERS or frame[10] != 2 * count:
        return ILLEGAL_VALUE
    holding = instrument.holding
    if holding.place(read_address, read_count) < 0 or holding.place(address, count) < 0:
        return ILLEGAL_ADDRESS
    return instrument.write_registers(address, _REGISTERS[count](frame, 11), at_us)
