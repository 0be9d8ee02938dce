"""Registers of instruments, read and set by name: as their panels would, and not by the line.

A name is INSTRUMENT.REGISTER, of an instrument that the plant file describes register by register, in its
unit; or INSTRUMENT.TABLE.ADDRESS of any, as it is on the line: TABLE is coil, discrete, holding or input.
"""

from edge.emulator.instruments.instrument import FaultError
from edge.node.bus import modbus

TABLES = {
    "coil": modbus.READ_COILS,
    "discrete": modbus.READ_DISCRETE_INPUTS,
    "holding": modbus.READ_HOLDING_REGISTERS,
    "input": modbus.READ_INPUT_REGISTERS,
}


class Registers:
    """``instruments`` of the bench by name."""

    def __init__(self, instruments: dict):
        self._instruments = instruments

    def names(self) -> list:
        """Those that the plant file describes."""
        return [
            f"{instrument.name}.{register.name}"
            for instrument in self._instruments.values()
            for register in getattr(instrument, "registers", ())
        ]

    def get(self, name: str) -> float:
        """What it holds. Raises FaultError for a name that there is not."""
        instrument, register, address = self._find(name)
        if address is None:
            return instrument.register(register)
        return self._table(name, instrument, register, address).get(address)

    def set(self, name: str, value: float, at_us: int):
        """Let it hold a value; what it drives moves. Raises FaultError."""
        instrument, register, address = self._find(name)
        if address is None:
            instrument.set_register(register, value)
            return
        table = self._table(name, instrument, register, address)
        highest = 1 if table.width == 1 else 0xFFFF
        if value != int(value) or not 0 <= value <= highest:
            raise FaultError(f"{name} holds a whole number of 0..{highest}, but got {value:g}")
        table.put(address, int(value))
        if table is instrument.holding:
            instrument.registers_written(address, 1, at_us)
        elif table is instrument.coils:
            instrument.coils_written(address, 1, at_us)

    def _find(self, name: str) -> tuple:
        """Instrument, register or table, and address, None for a register."""
        first, _, rest = name.partition(".")
        instrument = self._instruments.get(first)
        if instrument is None:
            raise FaultError(f"there is no instrument {first!r}: there are {', '.join(self._instruments)}")
        table, _, address = rest.partition(".")
        if table in TABLES and address.isdecimal():
            return instrument, table, int(address)
        if not hasattr(instrument, "register"):
            raise FaultError(f"{first} is no instrument of described registers: name {first}.TABLE.ADDRESS")
        return instrument, rest, None

    def _table(self, name: str, instrument, table: str, address: int):
        found = instrument.tables[TABLES[table]]
        if found.place(address) < 0:
            raise FaultError(f"{name} is not in the map of {instrument.name}")
        return found
