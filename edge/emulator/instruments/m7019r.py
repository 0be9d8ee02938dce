"""ICP DAS M-7019R: eight inputs for thermocouples and currents, each on a process value.

A thermocouple goes the whole way: temperature and its noise, electromotive force less that of the cold
junction, and the module's own compensation and linearisation, by the type code it is set to. Registers:
edge.node.devices.m7019r. Also from the quick start: inputs can be read as holding registers too, and
discrete inputs 10129-10136 tell that a channel is out of range.

Assumed: module name and firmware read 7019 hex and 0100 hex; the emulated module knows the engineering
format and Modbus only, and refuses the other settings with exception 3; a broken current loop is under range.
"""

from struct import Struct

from cext.thermocouple import emf_mv, measured_temp_c
from edge.emulator.instruments.instrument import FaultError, Instrument, process_values, unit_and_delay
from edge.node.devices import m7019r as registers

CHANNELS = registers.CHANNELS

SENSORS = ("K", "4-20mA")
OUT_OF_RANGE = 0x0080  # 10129-10136

# A two-wire transmitter can't go further (NAMUR NE 43).
TRANSMITTER_LOW_MA = 3.8
TRANSMITTER_HIGH_MA = 20.5

_COUNTS = Struct(f">{CHANNELS}H")
_TYPE_K = registers.SENSORS["K"][0]
_TYPE_CURRENT = registers.SENSORS["4-20mA"][0]
_TYPES = frozenset((_TYPE_K, _TYPE_CURRENT))
_BIT = frozenset((0, 1))
_ONLY_1 = frozenset((1,))


class Channel:
    """What is wired to one input.

    ``sensor`` "K" or "4-20mA"; ``reads``: the process value, degC for a thermocouple; ``noise``: standard
    deviation in that unit; ``at_4ma``, ``at_20ma``: the transmitter's range.
    """

    def __init__(self, sensor: str, reads: str, noise=0.0, at_4ma=0.0, at_20ma=1.0):
        self.sensor = sensor
        self.reads = reads
        self.noise = noise
        self.at_4ma = at_4ma
        self.per_ma = 16.0 / (at_20ma - at_4ma)


class M7019R(Instrument):
    """``channels``: input ai0..ai7 -> Channel; ``cold_junction_c``: temperature at the terminals, degC."""

    TYPE = "m7019r"
    FAULTS = dict(Instrument.FAULTS, burnt_out=True)
    ARGUMENTS = frozenset(("burnt_out",))

    def __init__(self, name: str, unit: int, delay_ms: float, channels: dict, cold_junction_c: float = 35.0):
        Instrument.__init__(
            self,
            name,
            unit,
            delay_ms,
            coils=[
                (registers.COIL_PROTOCOL, 1),
                (registers.COIL_DATA_FORMAT, 1),
                (registers.COIL_RESET_STATUS, 1),
                (registers.COIL_OPEN_DETECTION, 1),
            ],
            discrete_inputs=[(OUT_OF_RANGE, CHANNELS)],
            holding=[
                (registers.AI_VALUE, CHANNELS),
                (registers.AI_TYPE_CODE, CHANNELS),
                (registers.TEMPERATURE_OFFSET, CHANNELS),
                (registers.FIRMWARE_LOW, 2),
                (registers.MODULE_NAME_LOW, 2),
                (registers.RESPONSE_DELAY, 1),
                (registers.HOST_WATCHDOG_TIMEOUT, 1),
                (registers.CHANNEL_ENABLE, 1),
            ],
            inputs=[(registers.AI_VALUE, CHANNELS), (registers.CJC_TEMPERATURE, 1)],
        )
        self.cold_junction_c = cold_junction_c
        self._channels = [(i, channels[key]) for i, key in enumerate(registers.INPUTS) if key in channels]
        self.reads = [channel.reads for _, channel in self._channels]
        self._emf_cold_mv = emf_mv(cold_junction_c)
        self._broken = set()
        self._process = None
        self._gauss = None
        self._counts = [0] * CHANNELS
        self._plan = []
        self._place = self.inputs.place(registers.AI_VALUE)
        self._copy = self.holding.place(registers.AI_VALUE)
        self._status = self.discrete_inputs.place(OUT_OF_RANGE)
        self._store()
        self.reset(0)

    @classmethod
    def from_keys(cls, name: str, keys):
        """From its table of a plant file."""
        unit, delay_ms = unit_and_delay(keys)
        cold_junction_c = keys.number("cold_junction_c", -40.0, 80.0, 35.0)
        channels = {}
        for key in registers.INPUTS:
            wiring = keys.table(key)
            if wiring is None:
                continue
            sensor = wiring.text("sensor", SENSORS)
            reads = wiring.process_value("reads")
            noise = wiring.number("noise", 0.0, 1000.0, 0.0)
            if sensor == "4-20mA":
                low = wiring.number("at_4ma", -1.0e6, 1.0e6)
                high = wiring.number("at_20ma", -1.0e6, 1.0e6, above=low)
                channels[key] = Channel(sensor, reads, noise, low, high)
            else:
                channels[key] = Channel(sensor, reads, noise)
            wiring.finish()
        return cls(name, unit, delay_ms, channels, cold_junction_c)

    def _store(self):
        """What the module keeps without power, as it was set up for what is wired to it."""
        holding = self.holding
        for i, channel in self._channels:
            holding.put(registers.AI_TYPE_CODE + i, registers.SENSORS[channel.sensor][0])
        used = sum(1 << i for i, _ in self._channels)
        holding.put(registers.CHANNEL_ENABLE, used)
        holding.put(registers.FIRMWARE_LOW, 0x0100)
        holding.put(registers.MODULE_NAME_LOW, 0x1900)
        holding.put(registers.MODULE_NAME_LOW + 1, 0x0070)
        holding.put(registers.RESPONSE_DELAY, self.delay_us // 1000)
        for i in range(CHANNELS):
            self.holding_values[registers.AI_TYPE_CODE + i] = _TYPES
            self.holding_values[registers.TEMPERATURE_OFFSET + i] = range(65536)
        self.holding_values[registers.RESPONSE_DELAY] = range(31)
        self.holding_values[registers.HOST_WATCHDOG_TIMEOUT] = range(256)
        self.holding_values[registers.CHANNEL_ENABLE] = range(256)
        self.coils.put(registers.COIL_PROTOCOL, 1)
        self.coils.put(registers.COIL_DATA_FORMAT, 1)
        self.coils.put(registers.COIL_OPEN_DETECTION, 1)
        self.coil_values[registers.COIL_PROTOCOL] = _ONLY_1
        self.coil_values[registers.COIL_DATA_FORMAT] = _ONLY_1
        self.coil_values[registers.COIL_OPEN_DETECTION] = _BIT
        self.coils_read_once = frozenset((registers.COIL_RESET_STATUS,))
        self._learn()

    def _learn(self):
        """Take over what the registers say of each channel."""
        enabled = self.holding.get(registers.CHANNEL_ENABLE)
        plan = []
        for place, (i, channel) in enumerate(self._channels):
            if not enabled & 1 << i:
                self._counts[i] = 0
                continue
            offset = self.holding.get(registers.TEMPERATURE_OFFSET + i)
            offset = offset - 65536 if offset & 0x8000 else offset
            wired_k = channel.sensor == "K"
            set_k = self.holding.get(registers.AI_TYPE_CODE + i) == _TYPE_K
            plan.append((i, place, channel, wired_k, set_k, offset, i in self._broken))
        self._plan = plan

    def connect(self, model, rng):
        self._process = process_values(model, self.reads)
        self._gauss = rng.gauss

    def step(self, now_us: int):
        if self.frozen or self._process is None:
            return
        values = self._process()
        counts = self._counts
        gauss = self._gauss
        bad = 0
        for i, place, channel, wired_k, set_k, offset, broken in self._plan:
            value = values[place]
            if channel.noise:
                value += channel.noise * gauss(0.0, 1.0)
            if wired_k and set_k and not broken:
                temp_c = measured_temp_c(emf_mv(value) - self._emf_cold_mv, self.cold_junction_c)
                if temp_c == temp_c:
                    count = int(temp_c * 10.0 + 1000000.5) - 1000000 + offset
                    if count < 0:
                        count += 65536
                else:
                    count = registers.BROKEN_WIRE if value > 0.0 else registers.UNDER_RANGE
            elif not wired_k and not set_k and not broken:
                ma = 4.0 + (value - channel.at_4ma) * channel.per_ma
                if ma < TRANSMITTER_LOW_MA:
                    ma = TRANSMITTER_LOW_MA
                elif ma > TRANSMITTER_HIGH_MA:
                    ma = TRANSMITTER_HIGH_MA
                count = int(ma * 1000.0 + 0.5)
            else:
                count = self._mismatch(wired_k, set_k, broken, offset)
            counts[i] = count
            if count == registers.BROKEN_WIRE or count == registers.UNDER_RANGE:
                bad |= 1 << i
        _COUNTS.pack_into(self.inputs.data, self._place, *counts)
        _COUNTS.pack_into(self.holding.data, self._copy, *counts)
        for i in range(CHANNELS):
            self.discrete_inputs.data[self._status + i] = bad >> i & 1

    def _mismatch(self, wired_k: bool, set_k: bool, broken: bool, offset: int) -> int:
        """The count of a broken wire, or of a channel that is set to something else than what is wired."""
        if not set_k:
            # Set to current: neither an open loop nor the millivolts of a thermocouple drive any.
            return registers.UNDER_RANGE
        if broken and not self.coils.get(registers.COIL_OPEN_DETECTION):
            # Without detection an open input drifts to no voltage: the temperature of its own terminals.
            return int(self.cold_junction_c * 10.0 + 0.5) + offset & 0xFFFF
        return registers.BROKEN_WIRE

    def registers_written(self, address: int, count: int, at_us: int):
        self.delay_us = self.holding.get(registers.RESPONSE_DELAY) * 1000
        self._learn()

    def coils_were_read(self, address: int, count: int):
        self.coils.put(registers.COIL_RESET_STATUS, 0)

    def begin_fault(self, kind: str, arg, now_us: int):
        if kind == "burnt_out":
            self._broken.add(self._channel(arg))
            self._learn()
        else:
            Instrument.begin_fault(self, kind, arg, now_us)

    def end_fault(self, kind: str, arg, now_us: int):
        if kind == "burnt_out":
            self._broken.discard(self._channel(arg))
            self._learn()
        else:
            Instrument.end_fault(self, kind, arg, now_us)

    def _channel(self, name) -> int:
        """The number of a wired input, by its number or its name."""
        for i, _ in self._channels:
            if name in (i, registers.INPUTS[i]):
                return i
        known = ", ".join(registers.INPUTS[i] for i, _ in self._channels)
        raise FaultError(f"{self.name} has no input {name!r}: wired are {known}")

    def reset(self, now_us: int):
        Instrument.reset(self, now_us)
        self.coils.put(registers.COIL_RESET_STATUS, 1)
        self.inputs.put(registers.CJC_TEMPERATURE, int(self.cold_junction_c * 100.0 + 0.5))
