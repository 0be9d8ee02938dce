"""Any Modbus RTU device, described in the plant file: registers that show process values, drive inputs of the
model, or hold values.

    [instrument.NAME.REGISTER]
    table = "holding"           coil, discrete, holding, input
    address = 0                 data address
    type = "f32"                bit, u16, s16, u32, s32, f32, as in the node file
    word_order = "low_first"    by default high_first
    scale, offset               value = register x scale + offset
    reads = "..."               the process value that it shows, or
    drives = "..."              the model's input that it moves, with at_0, at_100 and safe_pct, or
    value = 0                   what it holds; coil and holding can be written
    watchdog_ms = 100           this register is the time of a watchdog, in such units; 0 in it: none

When nothing was heard for the watchdog's time, what it drives goes to safe_pct until it is written anew.
"""

from edge.emulator.instruments.instrument import (
    ALL_FUNCTIONS,
    DIAGNOSTIC,
    MASK_AND_READ_WRITE,
    NEVER_US,
    FaultError,
    Instrument,
    unit_and_delay,
)
from edge.node.devices.modbus_device import BITS, TABLES, TYPES, decode, encode

_FUNCTIONS = ALL_FUNCTIONS | MASK_AND_READ_WRITE | DIAGNOSTIC
_ORDERS = ("high_first", "low_first")


class Register:
    """One register of the description; see the module's text."""

    def __init__(self, name, table, address, kind, low_first=False, scale=1.0, offset=0.0, **role):
        self.name = name
        self.table = table
        self.address = address
        self.kind = kind
        self.size = TYPES[kind][0]
        self.low_first = low_first
        self.scale = scale
        self.offset = offset
        self.reads = role.get("reads")
        self.drives = role.get("drives")
        self.at_0 = role.get("at_0", 0.0)
        self.at_100 = role.get("at_100", 100.0)
        self.safe_pct = role.get("safe_pct", 0.0)
        self.value = role.get("value", 0.0)
        self.watchdog_ms = role.get("watchdog_ms", 0)

    @classmethod
    def from_keys(cls, name: str, keys):
        """From its table of a plant file."""
        table = keys.text("table", tuple(TABLES))
        address = keys.whole("address", 0, 65535)
        kind = keys.text("type", tuple(TYPES))
        if (table in BITS) != (kind == "bit"):
            raise keys.error("type", f"is {kind!r}, which the table {table} does not hold")
        low_first = keys.text("word_order", _ORDERS, "high_first") == "low_first"
        scale = keys.number("scale", -1.0e6, 1.0e6, 1.0)
        if scale == 0.0:
            raise keys.error("scale", "is 0; expected a number that is not")
        role = {"offset": keys.number("offset", -1.0e9, 1.0e9, 0.0)}
        if keys.has("reads"):
            role["reads"] = keys.process_value("reads")
        elif keys.has("drives"):
            role["drives"] = keys.model_input("drives")
            role["at_0"] = keys.number("at_0", -1.0e9, 1.0e9, 0.0)
            role["at_100"] = keys.number("at_100", -1.0e9, 1.0e9, 100.0)
            role["safe_pct"] = keys.number("safe_pct", 0.0, 100.0, 0.0)
        else:
            role["value"] = keys.number("value", -1.0e9, 1.0e9, 0.0)
            role["watchdog_ms"] = keys.whole("watchdog_ms", 1, 3600000, 0) if keys.has("watchdog_ms") else 0
        keys.finish()
        return cls(name, table, address, kind, low_first, scale, **role)

    def words(self, value: float) -> list:
        """The registers of a value in its unit."""
        if self.kind == "bit":
            return [1 if value else 0]
        return encode(self.kind, self.low_first, (value - self.offset) / self.scale)

    def number(self, words) -> float:
        """The value that registers stand for."""
        return decode(self.kind, self.low_first, words) * self.scale + self.offset

    def raw(self, percent: float) -> list:
        """The registers of what it drives, in percent."""
        if self.kind == "bit":
            return [1 if percent >= 50.0 else 0]
        return self.words(self.at_0 + percent * (self.at_100 - self.at_0) / 100.0)

    def percent(self, words) -> float:
        """Of what it drives."""
        if self.kind == "bit":
            return 100.0 * words[0]
        percent = (self.number(words) - self.at_0) * 100.0 / (self.at_100 - self.at_0)
        return max(0.0, min(100.0, percent))


class ModbusDevice(Instrument):
    """``registers``: list of Register; ``functions``: those that it knows."""

    TYPE = "modbus"
    FAULTS = dict(Instrument.FAULTS, watchdog=False)

    def __init__(self, name, unit, delay_ms, registers, functions=_FUNCTIONS):
        blocks = {table: [] for table in TABLES}
        for register in registers:
            blocks[register.table].append((register.address, register.size))
        Instrument.__init__(
            self,
            name,
            unit,
            delay_ms,
            coils=blocks["coil"],
            discrete_inputs=blocks["discrete"],
            holding=blocks["holding"],
            inputs=blocks["input"],
        )
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
            self._put(register, register.words(register.value))
            if register.table == "coil" and not register.reads:
                self.coil_values[register.address] = (0, 1)
            elif register.table == "holding" and not register.reads:
                for i in range(register.size):
                    self.holding_values[register.address + i] = range(0x10000)
        self._arm()

    @classmethod
    def from_keys(cls, name: str, keys):
        """From its table of a plant file."""
        unit, delay_ms = unit_and_delay(keys)
        found = []
        for key in keys.names():
            if key not in ("type", "unit", "delay_ms", "identity"):
                own = keys.table(key)
                found.append(Register.from_keys(key, own))
        return cls(name, unit, delay_ms, found)

    def register(self, name: str) -> float:
        """What a register stands for, in its unit. Raises FaultError."""
        register = self._named(name)
        return register.number(self._get(register))

    def set_register(self, name: str, value: float):
        """Set a register as its panel or its own mind would; what it drives moves. Raises FaultError."""
        register = self._named(name)
        if register.reads:
            raise FaultError(f"{self.name} {name} shows {register.reads} of the model: set that")
        self._put(register, register.words(value))
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

    def _get(self, register: Register) -> list:
        table = self._table(register)
        return [table.get(register.address + i) for i in range(register.size)]

    def connect(self, model, rng):
        """Registers that drive stand where the model has its inputs."""
        self._process = self.sense(model)
        for i, register in enumerate(self._driven):
            self.percent[i] = getattr(model, register.drives)
            self._put(register, register.raw(self.percent[i]))

    def step(self, now_us: int):
        if self.frozen or self._process is None:
            return
        for register, value in zip(self._shown, self._process(), strict=True):
            self._put(register, register.words(value))

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
            self._put(register, register.raw(register.safe_pct))
            self.percent[i] = register.safe_pct

    def begin_fault(self, kind: str, arg, now_us: int):
        if kind == "watchdog":
            self.expire(now_us)
        else:
            Instrument.begin_fault(self, kind, arg, now_us)

    def reset(self, now_us: int):
        """A power cycle: what was written is forgotten."""
        for register in self.registers:
            if not register.reads:
                resting = register.raw(register.safe_pct) if register.drives else None
                self._put(register, resting or register.words(register.value))
        self._take()
        Instrument.reset(self, now_us)
