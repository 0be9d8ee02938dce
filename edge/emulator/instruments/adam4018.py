"""Advantech ADAM-4018+ and ADAM-4118: eight thermocouples, each on a process value; over Modbus RTU and DCON.

A thermocouple goes the whole way, by the type code that its channel is set to. Registers:
edge.node.devices.adam4018, commands: edge.node.devices.adam4018_dcon.

Assumed: a broken wire reads full scale, as up-scale burn-out protection does; writing what is read-only is
exception 2; a channel that is switched off reads 0 and blanks.
"""

from struct import Struct

from edge.emulator.instruments.dcon_module import DconModule, commands, signed
from edge.emulator.instruments.instrument import FaultError, Instrument, unit_and_delay
from edge.emulator.instruments.thermocouples import KINDS, Terminals
from edge.node.bus import modbus
from edge.node.devices import adam4018 as registers

CHANNELS = registers.CHANNELS
# The maker's tables have coils and holding registers only.
ADAM_FUNCTIONS = frozenset(
    (
        modbus.READ_COILS,
        modbus.READ_HOLDING_REGISTERS,
        modbus.WRITE_SINGLE_COIL,
        modbus.WRITE_SINGLE_REGISTER,
        modbus.WRITE_MULTIPLE_COILS,
        modbus.WRITE_MULTIPLE_REGISTERS,
    )
)
VERSION = 0xA200

_COUNTS = Struct(f">{CHANNELS}H")
_SENSORS = tuple(sensor for sensor in registers.SENSORS if sensor in KINDS)
# type code -> sensor; of codes that no thermocouple here has, nothing can be read.
_CODES = {registers.SENSORS[sensor][0]: sensor for sensor in _SENSORS}
_ALL_CODES = frozenset(code for code, _, _ in registers.SENSORS.values())


class Adam4018(DconModule, Instrument):
    """``channels``: input ai0..ai7 -> (sensor, process value, noise in degC)."""

    TYPE = "adam4018+"
    NAME = "4018P"
    FUNCTIONS = ADAM_FUNCTIONS
    FAULTS = dict(Instrument.FAULTS, burnt_out=True, shorted=True)
    ARGUMENTS = frozenset(("burnt_out", "shorted"))
    EVERY_COMMAND_RESTARTS = True
    COMMANDS = commands(
        read_inputs="#",
        read_input=r"#([0-7])",
        read_configuration=r"\$2",
        read_cold_junction=r"\$3",
        read_enabled=r"\$6",
        set_type=r"\$7C([0-7])R([0-9A-F]{2})",
        read_type=r"\$8C([0-7])",
        diagnose=r"\$B",
        read_name=r"\$M",
    )

    def __init__(self, name: str, unit: int, delay_ms: float, channels: dict, cold_junction_c: float = 25.0):
        Instrument.__init__(
            self,
            name,
            unit,
            delay_ms,
            coils=[(registers.BURN_OUT, CHANNELS)],
            holding=[
                (registers.AI_VALUE, CHANNELS),
                (registers.AI_TYPE_CODE, CHANNELS),
                (registers.MODULE_NAME, 2),
                (registers.VERSION, 2),
                (registers.CHANNEL_ENABLE, 1),
            ],
        )
        self._terminals = Terminals(cold_junction_c)
        self._channels = [
            (i, *channels[key]) for i, key in enumerate(registers.INPUTS) if key in channels
        ]
        self.reads = [reads for _, _, reads, _ in self._channels]
        self.terminals = [registers.INPUTS[i] for i, _, _, _ in self._channels]
        self._broken = set()
        self._shorted = set()
        self._faulty = {"burnt_out": self._broken, "shorted": self._shorted}
        self._process = None
        self._gauss = None
        self._temps_c = [None] * CHANNELS
        self._place = self.holding.place(registers.AI_VALUE)
        holding = self.holding
        for i in range(CHANNELS):
            holding.put(registers.AI_TYPE_CODE + i, registers.SENSORS["K"][0])
            self.holding_values[registers.AI_TYPE_CODE + i] = _ALL_CODES
        for i, sensor, _, _ in self._channels:
            holding.put(registers.AI_TYPE_CODE + i, registers.SENSORS[sensor][0])
        holding.put(registers.MODULE_NAME, registers.NAMES[self.TYPE])
        holding.put(registers.VERSION, VERSION)
        holding.put(registers.CHANNEL_ENABLE, sum(1 << i for i, _, _, _ in self._channels))
        self.holding_values[registers.CHANNEL_ENABLE] = range(256)

    @classmethod
    def from_keys(cls, name: str, keys):
        """From its table of a plant file."""
        unit, delay_ms = unit_and_delay(keys)
        cold_junction_c = keys.number("cold_junction_c", -40.0, 80.0, 25.0)
        channels = {}
        for key in registers.INPUTS:
            wiring = keys.table(key)
            if wiring is not None:
                sensor = wiring.text("sensor", _SENSORS)
                channels[key] = (
                    sensor,
                    wiring.process_value("reads"),
                    wiring.number("noise", 0.0, 1000.0, 0.0),
                )
                wiring.finish()
        module = cls(name, unit, delay_ms, channels, cold_junction_c)
        module.speak(keys)
        return module

    def connect(self, model, rng):
        self._process = self.sense(model)
        self._gauss = rng.gauss

    def step(self, now_us: int):
        if self.frozen or self._process is None:
            return
        values = self._process()
        enabled = self.holding.get(registers.CHANNEL_ENABLE)
        counts = [0] * CHANNELS
        bad = [0] * CHANNELS
        # Nothing is wired to the others, and nothing closes their circuit.
        for i in range(CHANNELS):
            if enabled & 1 << i:
                counts[i], bad[i] = registers.OVER_RANGE, 1
            self._temps_c[i] = None
        for place, (i, sensor, _, noise) in enumerate(self._channels):
            if not enabled & 1 << i:
                continue
            hot_c = values[place]
            if place not in self.sensing.still:
                hot_c += noise * self._gauss(0.0, 1.0)
            counts[i], bad[i] = self._measure(i, sensor, hot_c)
        _COUNTS.pack_into(self.holding.data, self._place, *counts)
        self.coils.put_all(registers.BURN_OUT, bad)

    def _measure(self, i: int, sensor: str, hot_c: float) -> tuple:
        """Count and burn-out bit of a channel."""
        taken_for = _CODES.get(self.holding.get(registers.AI_TYPE_CODE + i))
        if i in self._broken or taken_for is None:
            return registers.OVER_RANGE, 1
        if i in self._shorted:
            # No voltage: the temperature of the terminals themselves.
            hot_c = self._terminals.cold_junction_c
        temp_c = self._terminals.temp_c(hot_c, sensor, taken_for)
        _, low, high = registers.SENSORS[taken_for]
        if temp_c <= low or (temp_c != temp_c and hot_c < low):
            self._temps_c[i] = low - 1.0
            return registers.AT_LOWER_END, 1
        if temp_c >= high or temp_c != temp_c:
            self._temps_c[i] = high + 1.0
            return registers.OVER_RANGE, 1
        self._temps_c[i] = temp_c
        return min(registers.counts(taken_for, temp_c), registers.OVER_RANGE - 1), 0

    def begin_fault(self, kind: str, arg, now_us: int):
        if kind in self._faulty:
            self._faulty[kind].add(self._channel(arg))
        else:
            Instrument.begin_fault(self, kind, arg, now_us)

    def end_fault(self, kind: str, arg, now_us: int):
        if kind in self._faulty:
            self._faulty[kind].discard(self._channel(arg))
        else:
            Instrument.end_fault(self, kind, arg, now_us)

    def _channel(self, name) -> int:
        """The number of a wired input, by its number or its name."""
        for i, _, _, _ in self._channels:
            if name in (i, registers.INPUTS[i]):
                return i
        known = ", ".join(registers.INPUTS[i] for i, _, _, _ in self._channels)
        raise FaultError(f"{self.name} has no input {name!r}: wired are {known}")

    # DCON ---------------------------------------------------------------------------------------

    def _field(self, i: int) -> str:
        """A channel as the commands answer it, in engineering units."""
        if not self.holding.get(registers.CHANNEL_ENABLE) & 1 << i:
            return " " * 7
        count = registers.AI_VALUE + i
        if self.holding.get(count) == registers.OVER_RANGE:
            return "+9999"
        temp_c = self._temps_c[i]
        _, low, _ = registers.SENSORS[_CODES.get(self.holding.get(registers.AI_TYPE_CODE + i), "K")]
        if temp_c is None or temp_c < low:
            return "-0000"
        return signed(temp_c, 1)

    def read_inputs(self, at_us: int) -> str:
        """#AA"""
        return ">" + "".join(self._field(i) for i in range(CHANNELS))

    def read_input(self, channel: str, at_us: int) -> str:
        """#AAN"""
        return ">" + self._field(int(channel))

    def read_configuration(self, at_us: int) -> str:
        """$AA2: type code, baud rate (9600), format: engineering units, checksum or not."""
        code = self.holding.get(registers.AI_TYPE_CODE)
        return f"!{self.address}{code:02X}06{0x40 if self.checksum else 0:02X}"

    def read_cold_junction(self, at_us: int) -> str:
        """$AA3"""
        return ">" + signed(self._terminals.cold_junction_c, 1)

    def read_enabled(self, at_us: int) -> str:
        """$AA6"""
        return f"!{self.address}{self.holding.get(registers.CHANNEL_ENABLE):02X}"

    def set_type(self, channel: str, code: str, at_us: int) -> str:
        """$AA7CiRrr"""
        if int(code, 16) not in _ALL_CODES:
            return self.invalid()
        self.holding.put(registers.AI_TYPE_CODE + int(channel), int(code, 16))
        return "!" + self.address

    def read_type(self, channel: str, at_us: int) -> str:
        """$AA8Ci"""
        code = self.holding.get(registers.AI_TYPE_CODE + int(channel))
        return f"!{self.address}C{channel}R{code:02X}"

    def diagnose(self, at_us: int) -> str:
        """$AAB"""
        bits = sum(self.coils.get(registers.BURN_OUT + i) << i for i in range(CHANNELS))
        return f"!{self.address}{bits:02X}"

    def read_name(self, at_us: int) -> str:
        """$AAM"""
        return f"!{self.address}{self.NAME}"


class Adam4118(Adam4018):
    """The same to its master."""

    TYPE = "adam4118"
    NAME = "4118"
