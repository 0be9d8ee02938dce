"""Any Modbus RTU device, described in the plant file: registers that show process values, drive inputs of the
model, or hold values.

    [instrument.NAME]
    type = "modbus"
    unit = 1                    1 to 255
    functions = [3, 16]         those that it knows; by default 1 to 6, 15, 16, 22 and 23
    max_registers = 125         it refuses to read or write more in one request
    merge = true                false: it refuses a request that spans two of its registers

    [instrument.NAME.REGISTER]
    table = "holding"           coil, discrete, holding, input
    address = 0                 data address
    type = "f32"                bit, u16, s16, u32, s32, f32, u64, s64, f64, as in the node file
    byte_order = "CDAB"         as in the node file; by default the most significant byte comes first
    scale, offset               value = register x scale + offset
    bit = 4, bits = 3           only these bits of it, counted from the lowest; the rest is another entry's
    bad = [0x8000]              as in the node file; the first of them stands where there is no value
    reads = "..."               the process value that it shows, or
    drives = "..."              the model's input that it moves, with at_0, at_100 and safe_pct, or
    value = 0                   what it holds; coil and holding can be written
    watchdog_ms = 100           this register is the time of a watchdog, in such units; 0 in it: none

When nothing was heard for the watchdog's time, what it drives goes to safe_pct until it is written anew.
"""

from edge.emulator.instruments.described_register import Register
from edge.emulator.instruments.instrument import (
    ALL_FUNCTIONS,
    DIAGNOSTIC,
    MASK_AND_READ_WRITE,
    NEVER_US,
    FaultError,
    Instrument,
    Table,
    unit_and_delay,
)
from edge.node.bus import modbus
from edge.node.devices.register_blocks import BITS, TABLES

__all__ = ["ModbusDevice", "Register"]

_OWN_KEYS = ("type", "unit", "delay_ms", "functions", "max_registers", "merge", "identity")
_FUNCTIONS = ALL_FUNCTIONS | MASK_AND_READ_WRITE | DIAGNOSTIC


class ModbusDevice(Instrument):
    """``registers``: list of Register; ``functions``: those that it knows; the rest as the plant file has it.

    ValueError where two registers overlap and are not groups of bits in the same place.
    """

    TYPE = "modbus"
    FAULTS = dict(Instrument.FAULTS, watchdog=False)

    def __init__(
        self,
        name,
        unit,
        delay_ms,
        registers,
        functions=_FUNCTIONS,
        max_registers=modbus.MAX_READ_REGISTERS,
        merge=True,
    ):
        Instrument.__init__(self, name, unit, delay_ms)
        for table, function in TABLES.items():
            places = _places([register for register in registers if register.table == table])
            self.tables[function] = Table(places, 1 if table in BITS else 2, merge)
        self.coils, self.discrete_inputs, self.holding, self.inputs = self.tables.values()
        self.max_registers = max_registers
        self.FUNCTIONS = frozenset(functions)
        self.registers = list(registers)
        self._shown = [register for register in registers if register.reads]
        self._driven = [register for register in registers if register.drives]
        self._watchdogs = [register for register in registers if register.watchdog_ms]
        self.reads = [register.reads for register in self._shown]
        self.terminals = [register.name for register in self._shown]
        self.drives = [(register.drives, i) for i, register in enumerate(self._driven)]
        self.percent = [0.0] * len(self._driven)
        self._process = None
        for register in registers:
            self._set(register, register.value)
            if register.table == "coil" and not register.reads:
                self.coil_values[register.address] = (0, 1)
            elif register.table == "holding" and not register.reads:
                for i in range(register.size):
                    self.holding_values[register.address + i] = range(0x10000)
        self._arm()

    @classmethod
    def from_keys(cls, name: str, keys):
        """From its table of a plant file."""
        unit, delay_ms = unit_and_delay(keys, 255)
        functions = keys.wholes("functions", 1, 43, sorted(_FUNCTIONS))
        unknown = sorted(set(functions) - _FUNCTIONS)
        if unknown:
            raise keys.error("functions", f"has {unknown}; expected some of {sorted(_FUNCTIONS)}")
        max_registers = keys.whole("max_registers", 1, modbus.MAX_READ_REGISTERS, modbus.MAX_READ_REGISTERS)
        merge = keys.switch("merge", True)
        found = [Register.from_keys(key, keys.table(key)) for key in keys.names() if key not in _OWN_KEYS]
        try:
            return cls(name, unit, delay_ms, found, functions, max_registers, merge)
        except ValueError as error:
            raise keys.error("address", str(error)) from None

    def register(self, name: str) -> float:
        """What a register stands for, in its unit; not a number where it has no value. Raises FaultError."""
        register = self._named(name)
        return register.number(self._get(register))

    def set_register(self, name: str, value: float):
        """Set a register as its panel or its own mind would; what it drives moves.

        Not a number: it has no value. Raises FaultError for what it does not have or can't hold.
        """
        register = self._named(name)
        if register.reads:
            raise FaultError(f"{self.name} {name} shows {register.reads} of the model: set that")
        try:
            self._set(register, value)
        except ValueError:
            text = f"{self.name} {name} is an {register.kind} without bad, which can't hold {value}"
            raise FaultError(text) from None
        self._take()

    def _named(self, name: str) -> Register:
        for register in self.registers:
            if register.name == name:
                return register
        known = ", ".join(register.name for register in self.registers)
        raise FaultError(f"{self.name} has no register {name!r}; it has {known}")

    def _table(self, register: Register):
        return self.tables[TABLES[register.table]]

    def _put(self, register: Register, words):
        self._table(register).put_all(register.address, words)

    def _set(self, register: Register, value: float):
        self._put(register, register.words(value, self._get(register)))

    def _set_percent(self, register: Register, percent: float):
        self._put(register, register.raw(percent, self._get(register)))

    def _get(self, register: Register) -> list:
        table = self._table(register)
        return [table.get(register.address + i) for i in range(register.size)]

    def connect(self, model, rng):
        """Registers that drive stand where the model has its inputs."""
        self._process = self.sense(model)
        for i, register in enumerate(self._driven):
            self.percent[i] = getattr(model, register.drives)
            self._set_percent(register, self.percent[i])

    def step(self, now_us: int):
        if self.frozen or self._process is None:
            return
        for register, value in zip(self._shown, self._process(), strict=True):
            self._set(register, value)

    def registers_written(self, address: int, count: int, at_us: int):
        self._take()

    def coils_written(self, address: int, count: int, at_us: int):
        self._take()

    def _take(self):
        for i, register in enumerate(self._driven):
            self.percent[i] = register.percent(self._get(register))
        self._arm()

    def _arm(self):
        self.lease_us = NEVER_US
        for register in self._watchdogs:
            units = register.number(self._get(register))
            if units > 0:
                self.lease_us = int(units * register.watchdog_ms * 1000)

    def expire(self, at_us: int):
        Instrument.expire(self, at_us)
        for i, register in enumerate(self._driven):
            self._set_percent(register, register.safe_pct)
            self.percent[i] = register.safe_pct

    def begin_fault(self, kind: str, arg, now_us: int):
        if kind == "watchdog":
            self.expire(now_us)
        else:
            Instrument.begin_fault(self, kind, arg, now_us)

    def reset(self, now_us: int):
        """A power cycle: what was written is forgotten."""
        for register in self.registers:
            if register.drives:
                self._set_percent(register, register.safe_pct)
            elif not register.reads:
                self._set(register, register.value)
        self._take()
        Instrument.reset(self, now_us)


def _places(registers: list) -> list:
    """(address, size) of each place once. ValueError where two overlap otherwise than as bits of one word."""
    places = {}
    for register in registers:
        place = register.address, register.size
        other = places.setdefault(place, register)
        if other is not register and (other.bit < 0 or register.bit < 0):
            raise ValueError(f"{register.name} stands where {other.name} does; only groups of bits can")
    return list(places)
