"""ICP DAS M-7018 and M-7019R: eight inputs, each on a process value; over Modbus RTU and DCON.

A thermocouple goes the whole way: temperature and its noise, electromotive force less that of the cold
junction, and the module's own compensation and linearisation, by the type code it is set to. Registers:
edge.node.devices.m7019r. Also from the quick start: inputs can be read as holding registers too, and
discrete inputs 10129-10136 tell that a channel is out of range. Commands: edge.node.devices.m7019r_dcon.

Assumed: firmware reads 0100 hex; the emulated module knows the engineering format only, and refuses the
other settings with exception 3; a broken current loop is under range; $AAB tells the same as 10129-10136.
"""

from struct import Struct

from cext.thermocouple import emf_mv, measured_temp_c
from edge.emulator.instruments import icpdas
from edge.emulator.instruments.dcon_module import commands, signed
from edge.emulator.instruments.icpdas import BIT, ONLY_1, IcpDasModule
from edge.emulator.instruments.instrument import FaultError, Instrument, unit_and_delay
from edge.emulator.instruments.thermocouples import KINDS
from edge.node.devices import m7019r as registers

CHANNELS = registers.CHANNELS

OUT_OF_RANGE = registers.AI_OUT_OF_RANGE

# A two-wire transmitter can't go further (NAMUR NE 43).
TRANSMITTER_LOW_MA = 3.8
TRANSMITTER_HIGH_MA = 20.5

_COUNTS = Struct(f">{CHANNELS}H")
_TYPE_CURRENT = registers.SENSORS["4-20mA"][0]
# type code -> its thermocouple
_CODES = {registers.SENSORS[sensor][0]: kind for sensor, kind in KINDS.items()}


class Channel:
    """What is wired to one input.

    ``sensor`` the letter of a thermocouple or "4-20mA"; ``reads``: the process value, degC for a
    thermocouple; ``noise``: standard deviation in that unit; ``at_4ma``, ``at_20ma``: range of the current.
    """

    def __init__(self, sensor: str, reads: str, noise=0.0, at_4ma=0.0, at_20ma=1.0):
        self.sensor = sensor
        self.reads = reads
        self.noise = noise
        self.at_4ma = at_4ma
        self.per_ma = 16.0 / (at_20ma - at_4ma)


class M7019R(IcpDasModule):
    """``channels``: input ai0..ai7 -> Channel; ``cold_junction_c``: temperature at the terminals, degC."""

    TYPE = "m7019r"
    NAME = "7019R"
    SENSORS = (*KINDS, "4-20mA")
    FAULTS = dict(IcpDasModule.FAULTS, burnt_out=True, shorted=True)
    ARGUMENTS = frozenset(("burnt_out", "shorted"))
    COMMANDS = commands(
        read_inputs="#",
        read_input=r"#([0-7])",
        read_configuration=r"\$2",
        read_cold_junction=r"\$3",
        read_enabled=r"\$6",
        set_type=r"\$7C([0-7])R([0-9A-F]{2})",
        read_type=r"\$8C([0-7])",
        diagnose=r"\$B",
        **icpdas.COMMON,
    )
    # Type codes that it can be set to.
    TYPES = frozenset((*_CODES, _TYPE_CURRENT))
    OWN_COILS = [(registers.COIL_DATA_FORMAT, 1), (registers.COIL_OPEN_DETECTION, 1)]
    OWN_DISCRETE = [(OUT_OF_RANGE, CHANNELS)]
    OWN_HOLDING = [(registers.AI_TYPE_CODE, CHANNELS), (registers.TEMPERATURE_OFFSET, CHANNELS)]

    def __init__(self, name: str, unit: int, delay_ms: float, channels: dict, cold_junction_c: float = 35.0):
        Instrument.__init__(
            self,
            name,
            unit,
            delay_ms,
            coils=self.COILS + self.OWN_COILS,
            discrete_inputs=self.OWN_DISCRETE,
            holding=self.HOLDING
            + self.OWN_HOLDING
            + [
                (registers.AI_VALUE, CHANNELS),
                (registers.CJC_TEMPERATURE, 1),
                (registers.CHANNEL_ENABLE, 1),
            ],
            inputs=[(registers.AI_VALUE, CHANNELS), (registers.CJC_TEMPERATURE, 1)],
        )
        self.cold_junction_c = cold_junction_c
        self._channels = [(i, channels[key]) for i, key in enumerate(registers.INPUTS) if key in channels]
        self.reads = [channel.reads for _, channel in self._channels]
        self.terminals = [registers.INPUTS[i] for i, _ in self._channels]
        self._emf_cold_mv = {sensor: emf_mv(cold_junction_c, kind) for sensor, kind in KINDS.items()}
        self._broken = set()
        self._shorted = set()
        self._faulty = {"burnt_out": self._broken, "shorted": self._shorted}
        self._process = None
        self._gauss = None
        self._counts = [0] * CHANNELS
        self._plan = []
        self._place = self.inputs.place(registers.AI_VALUE)
        self._copy = self.holding.place(registers.AI_VALUE)
        # One bit for each channel that is out of range.
        self._bad = 0
        self._store()
        self.reset(0)

    @classmethod
    def from_keys(cls, name: str, keys):
        """From its table of a plant file."""
        unit, delay_ms = unit_and_delay(keys)
        cold_junction_c = keys.number("cold_junction_c", -40.0, 80.0, 35.0)
        channels = {}
        for key in registers.INPUTS[:CHANNELS]:
            wiring = keys.table(key)
            if wiring is None:
                continue
            sensor = wiring.text("sensor", cls.SENSORS)
            reads = wiring.process_value("reads")
            noise = wiring.number("noise", 0.0, 1000.0, 0.0)
            if sensor == "4-20mA":
                low = wiring.number("at_4ma", -1.0e6, 1.0e6)
                high = wiring.number("at_20ma", -1.0e6, 1.0e6, above=low)
                channels[key] = Channel(sensor, reads, noise, low, high)
            else:
                channels[key] = Channel(sensor, reads, noise)
            wiring.finish()
        module = cls(name, unit, delay_ms, channels, cold_junction_c)
        module.speak(keys)
        return module

    def _store(self):
        """What the module keeps without power, as it was set up for what is wired to it."""
        self.arrange()
        self.set_up()
        used = sum(1 << i for i, _ in self._channels)
        self.holding.put(registers.CHANNEL_ENABLE, used)
        self.holding_values[registers.CHANNEL_ENABLE] = range(256)
        self.coils.put(registers.COIL_DATA_FORMAT, 1)
        self.coil_values[registers.COIL_DATA_FORMAT] = ONLY_1
        self._learn()

    def set_up(self):
        """Its own registers."""
        holding = self.holding
        for i, channel in self._channels:
            holding.put(registers.AI_TYPE_CODE + i, registers.SENSORS[channel.sensor][0])
        for i in range(CHANNELS):
            # A channel without anything on it may be left at code 0, +-15 mV.
            self.holding_values[registers.AI_TYPE_CODE + i] = self.TYPES | {0}
        for i, _ in self._channels:
            self.holding_values[registers.AI_TYPE_CODE + i] = self.TYPES
        for i in range(CHANNELS):
            self.holding_values[registers.TEMPERATURE_OFFSET + i] = range(65536)
        self.coils.put(registers.COIL_OPEN_DETECTION, 1)
        self.coil_values[registers.COIL_OPEN_DETECTION] = BIT

    def type_code(self, i: int) -> int:
        """What a channel is set to."""
        return self.holding.get(registers.AI_TYPE_CODE + i)

    def offset(self, i: int) -> int:
        """What is added to a channel's temperature, in 0.1 degC."""
        offset = self.holding.get(registers.TEMPERATURE_OFFSET + i)
        return offset - 65536 if offset & 0x8000 else offset

    def open_detection(self) -> bool:
        """Whether a broken wire is told."""
        return bool(self.coils.get(registers.COIL_OPEN_DETECTION))

    def _learn(self):
        """Take over what the registers say of each channel."""
        enabled = self.holding.get(registers.CHANNEL_ENABLE)
        plan = []
        for place, (i, channel) in enumerate(self._channels):
            if not enabled & 1 << i:
                self._counts[i] = 0
                continue
            # Thermocouples, None for a current: what is wired, and what it is taken for.
            wired = KINDS.get(channel.sensor)
            taken = _CODES.get(self.type_code(i))
            cold_mv = self._emf_cold_mv.get(channel.sensor)
            fits = (wired is None) == (taken is None) and i not in self._broken | self._shorted
            plan.append((i, place, channel, wired, taken, cold_mv, self.offset(i), fits))
        self._plan = plan

    def connect(self, model, rng):
        self._process = self.sense(model)
        self._gauss = rng.gauss

    def step(self, now_us: int):
        if self.frozen or self._process is None:
            return
        values = self._process()
        counts = self._counts
        gauss = self._gauss
        still = self.sensing.still
        bad = 0
        for i, place, channel, wired, taken, cold_mv, offset, fits in self._plan:
            value = values[place]
            if channel.noise and place not in still:
                value += channel.noise * gauss(0.0, 1.0)
            if not fits:
                # Shorted, or open without detection: such an input drifts there.
                silent = i in self._shorted or (i in self._broken and not self.open_detection())
                count = self._unfit(taken is not None, silent, offset)
            elif wired is not None:
                temp_c = measured_temp_c(emf_mv(value, wired) - cold_mv, self.cold_junction_c, taken)
                if temp_c == temp_c:
                    count = int(temp_c * 10.0 + 1000000.5) - 1000000 + offset
                    if count < 0:
                        count += 65536
                else:
                    count = registers.BROKEN_WIRE if value > 0.0 else registers.UNDER_RANGE
            else:
                ma = 4.0 + (value - channel.at_4ma) * channel.per_ma
                if ma < TRANSMITTER_LOW_MA:
                    ma = TRANSMITTER_LOW_MA
                elif ma > TRANSMITTER_HIGH_MA:
                    ma = TRANSMITTER_HIGH_MA
                count = int(ma * 1000.0 + 0.5)
            counts[i] = count
            if count == registers.BROKEN_WIRE or count == registers.UNDER_RANGE:
                bad |= 1 << i
        _COUNTS.pack_into(self.inputs.data, self._place, *counts)
        _COUNTS.pack_into(self.holding.data, self._copy, *counts)
        if bad != self._bad:
            self._bad = bad
            for address, count in self.OWN_DISCRETE:
                for i in range(count):
                    self.discrete_inputs.put(address + i, bad >> i & 1)

    def _unfit(self, thermocouple: bool, no_voltage: bool, offset: int) -> int:
        """The count of a broken or shorted wire, or of a current where the channel is set to a
        ``thermocouple``, or the other way round.
        """
        if not thermocouple:
            # Set to current: neither an open loop nor the millivolts of a thermocouple drive any.
            return registers.UNDER_RANGE
        if no_voltage:
            # The temperature of its own terminals.
            return int(self.cold_junction_c * 10.0 + 0.5) + offset & 0xFFFF
        return registers.BROKEN_WIRE

    def registers_written(self, address: int, count: int, at_us: int):
        IcpDasModule.registers_written(self, address, count, at_us)
        self._learn()

    def begin_fault(self, kind: str, arg, now_us: int):
        if kind in self._faulty:
            self._faulty[kind].add(self._channel(kind, arg))
            self._learn()
        else:
            IcpDasModule.begin_fault(self, kind, arg, now_us)

    def end_fault(self, kind: str, arg, now_us: int):
        if kind in self._faulty:
            self._faulty[kind].discard(self._channel(kind, arg))
            self._learn()
        else:
            Instrument.end_fault(self, kind, arg, now_us)

    def _channel(self, kind: str, name) -> int:
        """The number of a wired input, by its number or its name."""
        for i, channel in self._channels:
            if name in (i, registers.INPUTS[i]):
                if kind == "shorted" and channel.sensor not in KINDS:
                    raise FaultError(f"{name} of {self.name} has no thermocouple that could be shorted")
                return i
        known = ", ".join(registers.INPUTS[i] for i, _ in self._channels)
        raise FaultError(f"{self.name} has no input {name!r}: wired are {known}")

    def reset(self, now_us: int):
        Instrument.reset(self, now_us)
        self.coils.put(registers.COIL_RESET_STATUS, 1)
        cold = int(self.cold_junction_c * 100.0 + 0.5) & 0xFFFF
        self.inputs.put(registers.CJC_TEMPERATURE, cold)
        self.holding.put(registers.CJC_TEMPERATURE, cold)

    # DCON ---------------------------------------------------------------------------------------

    def _field(self, i: int) -> str:
        """A channel as the commands answer it, in engineering units."""
        if not self.holding.get(registers.CHANNEL_ENABLE) & 1 << i:
            return " " * 7
        count = self.inputs.get(registers.AI_VALUE + i)
        if count == registers.BROKEN_WIRE:
            return "+9999.9"
        if count == registers.UNDER_RANGE:
            return "-9999.9"
        count = count - 65536 if count & 0x8000 else count
        return signed(count / 1000.0, 3) if self.type_code(i) == _TYPE_CURRENT else signed(count / 10.0, 1)

    def read_inputs(self, at_us: int) -> str:
        """#AA"""
        return ">" + "".join(self._field(i) for i in range(CHANNELS))

    def read_input(self, channel: str, at_us: int) -> str:
        """#AAN"""
        return ">" + self._field(int(channel))

    def read_configuration(self, at_us: int) -> str:
        """$AA2"""
        return self.configuration(0)

    def read_cold_junction(self, at_us: int) -> str:
        """$AA3"""
        return ">" + signed(self.cold_junction_c, 1)

    def read_enabled(self, at_us: int) -> str:
        """$AA6"""
        return f"!{self.address}{self.holding.get(registers.CHANNEL_ENABLE):02X}"

    def set_type(self, channel: str, code: str, at_us: int) -> str:
        """$AA7CiRrr"""
        if int(code, 16) not in self.TYPES:
            return self.invalid()
        self.holding.put(registers.AI_TYPE_CODE + int(channel), int(code, 16))
        self._learn()
        return "!" + self.address

    def read_type(self, channel: str, at_us: int) -> str:
        """$AA8Ci"""
        return f"!{self.address}C{channel}R{self.type_code(int(channel)):02X}"

    def diagnose(self, at_us: int) -> str:
        """$AAB"""
        return f"!{self.address}{self._bad:02X}"


class M7018(M7019R):
    """One type code for all channels, and thermocouples only. It always tells a broken wire."""

    TYPE = "m7018"
    NAME = "7018"
    SENSORS = tuple(KINDS)
    TYPES = frozenset(_CODES)
    OWN_COILS = [(registers.COIL_DATA_FORMAT, 1), (registers.COIL_CJC_ENABLE, 1)]
    OWN_DISCRETE = []
    OWN_HOLDING = [(registers.CJC_OFFSET, CHANNELS), (registers.TYPE_CODE, 1)]
    COMMANDS = commands(
        read_inputs="#",
        read_input=r"#([0-7])",
        read_configuration=r"\$2",
        read_cold_junction=r"\$3",
        read_enabled=r"\$6",
        **icpdas.COMMON,
    )

    def set_up(self):
        wired = self._channels[0][1].sensor if self._channels else "K"
        self.holding.put(registers.TYPE_CODE, registers.SENSORS[wired][0])
        # Any code may be written, and then the readings are not those of the thermocouple.
        self.holding_values[registers.TYPE_CODE] = range(256)
        for i in range(CHANNELS):
            self.holding_values[registers.CJC_OFFSET + i] = range(256)
        self.coils.put(registers.COIL_CJC_ENABLE, 1)
        self.coil_values[registers.COIL_CJC_ENABLE] = ONLY_1

    def type_code(self, i: int) -> int:
        return self.holding.get(registers.TYPE_CODE)

    def offset(self, i: int) -> int:
        """The offset of the cold junction is added to the temperature: near it both are the same."""
        offset = self.holding.get(registers.CJC_OFFSET + i)
        return offset - 256 if offset & 0x80 else offset

    def open_detection(self) -> bool:
        return True

    def read_configuration(self, at_us: int) -> str:
        """$AA2"""
        return self.configuration(self.holding.get(registers.TYPE_CODE))
