"""Advantech ADAM-4018+ and ADAM-4118: eight inputs for thermocouples, Modbus RTU.

Type codes and their ranges: ADAM-4000 user's manual, table 5.1 and appendix B (read). Burn-out coils,
channel, type code and enable registers: an open driver's list of the ADAM-411x (SolarNode); name and
version: where the ADAM-4024 has them, G-7 of the manual. All of these are assumed, because the manual's
own tables of these two modules were not found.

Advantech's FAQ of the ADAM-4018+ (document 1-141153711) divides the range of a type into 65536 parts: on K
65536 would be 1370 degC. It is silent about ranges that do not begin at 0 degC, and a module may be set to
two's complement, so the node file chooses (``register_scale``). Where counts are not signed FFFF is over
range and 0 at or under the lower end.
"""

from edge.node.bus import modbus
from edge.node.devices.device import Device, Setting

CHANNELS = 8

# Data addresses (the table's number less one).
BURN_OUT = 0x0000  # 00001-00008, 1: wire open, over range or under range
AI_VALUE = 0x0000  # 40001-40008
AI_TYPE_CODE = 0x00C8  # 40201-40208
MODULE_NAME = 0x00D2  # 40211
VERSION = 0x00D4  # 40213
CHANNEL_ENABLE = 0x00DC  # 40221, one bit for each channel

FULL_COUNT = 65536.0
OVER_RANGE = 0xFFFF
AT_LOWER_END = 0x0000

# What a count means. RANGE: 0 is the lower end of the range, 65536 its upper end. ZERO: 0 is 0 degC, 65536
# the upper end. SIGNED: two's complement, 32768 would be the upper end.
RANGE = "range"
ZERO = "zero"
SIGNED = "signed"

NAMES = {"adam4018+": 0x4018, "adam4118": 0x4118}

# sensor -> (type code, lowest and highest degC)
SENSORS = {
    "J": (0x0E, 0.0, 760.0),
    "K": (0x0F, 0.0, 1370.0),
    "T": (0x10, -100.0, 400.0),
    "E": (0x11, 0.0, 1000.0),
    "R": (0x12, 500.0, 1750.0),
    "S": (0x13, 500.0, 1750.0),
    "B": (0x14, 500.0, 1800.0),
}

INPUTS = ["ai0", "ai1", "ai2", "ai3", "ai4", "ai5", "ai6", "ai7"]
INPUT_UNITS = {}
OUTPUTS = []

BURNT_OUT = "broken wire or out of range"


def counts(sensor: str, temp_c: float) -> int:
    """Register value of a temperature in the range of a sensor."""
    _, low, high = SENSORS[sensor]
    return int((temp_c - low) / (high - low) * FULL_COUNT + 0.5)


def temp_c(sensor: str, count: int, scale: str = RANGE) -> float:
    """Temperature of a register value."""
    _, low, high = SENSORS[sensor]
    if scale == RANGE:
        return low + count * (high - low) / FULL_COUNT
    if scale == ZERO:
        return count * high / FULL_COUNT
    return (count - 0x10000 if count & 0x8000 else count) * 2.0 * high / FULL_COUNT


class Adam4018(Device):
    """``sensors``: input name -> sensor, for the inputs in use; ``scale``: what a count means."""

    def __init__(
        self, name: str, unit: int, period_ms: int, sensors: dict, kind: str = "adam4018+", scale: str = RANGE
    ):
        Device.__init__(self, name, unit, INPUTS)
        self._scale = scale
        self.period_ms = period_ms
        self.sensors = [sensors.get(name) for name in INPUTS]
        self.settings = [Setting("module name (40211)", MODULE_NAME, [NAMES[kind]], False, False)]
        for i in range(CHANNELS):
            sensor = self.sensors[i]
            if sensor:
                number = "type code of ai%d (%d)" % (i, 40201 + i)
                self.settings.append(Setting(number, AI_TYPE_CODE + i, [SENSORS[sensor][0]], False, False))
        self._burnt_out = 0
        self._burnt_out_ms = -1

    def polls(self) -> list:
        return [
            ("burn-out", modbus.READ_COILS, BURN_OUT, CHANNELS, self.period_ms),
            ("inputs", modbus.READ_HOLDING_REGISTERS, AI_VALUE, CHANNELS, self.period_ms),
        ]

    def lost(self, now_ms: int):
        self._burnt_out_ms = -1
        self.set_fault(self.fault)

    def received(self, tag, data: bytes, now_ms: int):
        if not self.ready:
            self.set_fault(self.fault)
            return
        if tag == "burn-out":
            self._burnt_out = data[0]
            self._burnt_out_ms = now_ms
            for i in range(CHANNELS):
                # At once: the value may be read later, and good again only with a new value.
                if self._burnt_out & 1 << i:
                    self.faults[i] = BURNT_OUT
            return
        # A count alone can't tell a broken wire: without a word about burn-out there is no value.
        known = self._burnt_out_ms >= 0 and now_ms - self._burnt_out_ms <= 3 * self.period_ms
        for i in range(CHANNELS):
            sensor = self.sensors[i]
            if sensor is None:
                continue
            count = (data[2 * i] << 8) | data[2 * i + 1]
            self.stamps_ms[i] = now_ms
            if not known:
                fault = "burn-out not read"
            elif self._burnt_out & 1 << i:
                fault = BURNT_OUT
            else:
                fault = self._take(i, sensor, count)
            self.faults[i] = fault

    def _take(self, place: int, sensor: str, count: int) -> str:
        """Keep the temperature of a count; what is wrong with it, or empty."""
        if self._scale != SIGNED:
            if count == OVER_RANGE:
                return "over range"
            if count == AT_LOWER_END:
                return "at or under the lower end of its range"
        temperature_c = temp_c(sensor, count, self._scale)
        low = SENSORS[sensor][1]
        if temperature_c < low or (self._scale == SIGNED and count == 0x7FFF):
            return "over range" if temperature_c > low else "under the lower end of its range"
        self.values[place] = temperature_c
        return ""


def sensors(kind: str) -> dict:
    """sensor -> unit."""
    return {name: "degC" for name in SENSORS}


def build(name: str, spec: dict, wired: dict, safe: dict):
    """A driver from its table of a node file."""
    scale = spec.get("register_scale", RANGE)
    return Adam4018(name, spec["unit"], spec["period_ms"], wired, spec["type"], scale)
