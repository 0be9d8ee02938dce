"""ICP DAS M-7018 and M-7019R: eight inputs for thermocouples, the M-7019R also for currents; Modbus RTU.

Registers: I-7019R/M-7019R and I-7018/M-7018 quick starts, Modbus tables (read). The M-7018 has one type
for the whole module (40487), the M-7019R one for each channel (40257). Assumed, because those tables leave
it open: engineering format counts 0.1 degC for thermocouples and 1 uA for currents, 7FFF stands for a
broken wire or over range and 8000 for under range; the cold junction of the M-7019R is where the M-7018
has it.
"""

from edge.node.bus import modbus
from edge.node.devices import icpdas
from edge.node.devices.device import Device, Setting

CHANNELS = 8

# Data addresses (the table's number less one).
AI_VALUE = 0x0000  # 30001-30008
CJC_TEMPERATURE = 0x0080  # 30129, 0.01 degC
AI_OUT_OF_RANGE = 0x0080  # 10129-10136, M-7019R
AI_TYPE_CODE = 0x0100  # 40257-40264, M-7019R
TEMPERATURE_OFFSET = 0x0120  # 40289-40296, 0.1 degC, M-7019R
CJC_OFFSET = 0x0160  # 40353-40360, 0.1 degC, M-7018
TYPE_CODE = 0x01E6  # 40487, M-7018
CHANNEL_ENABLE = 0x01E9  # 40490
COIL_CJC_ENABLE = 0x010B  # 00268, M-7018
COIL_OPEN_DETECTION = 0x0113  # 00276, M-7019R
FIRMWARE_LOW = icpdas.FIRMWARE_LOW
MODULE_NAME_LOW = icpdas.MODULE_NAME_LOW
RESPONSE_DELAY = icpdas.RESPONSE_DELAY
HOST_WATCHDOG_TIMEOUT = icpdas.HOST_WATCHDOG_TIMEOUT
COIL_PROTOCOL = icpdas.COIL_PROTOCOL
COIL_DATA_FORMAT = icpdas.COIL_DATA_FORMAT
COIL_RESET_STATUS = icpdas.COIL_RESET_STATUS

BROKEN_WIRE = 0x7FFF
UNDER_RANGE = 0x8000

# sensor -> (type code, counts per unit, unit)
SENSORS = {
    "4-20mA": (0x07, 1000.0, "mA"),
    "J": (0x0E, 10.0, "degC"),
    "K": (0x0F, 10.0, "degC"),
    "T": (0x10, 10.0, "degC"),
    "E": (0x11, 10.0, "degC"),
    "R": (0x12, 10.0, "degC"),
    "S": (0x13, 10.0, "degC"),
    "B": (0x14, 10.0, "degC"),
    "N": (0x15, 10.0, "degC"),
    "0-20mA": (0x1A, 1000.0, "mA"),
}
CURRENTS = ["4-20mA", "0-20mA"]

# NAMUR NE 43: outside these a current is a fault, not a value.
CURRENT_LOW_MA = 3.6
CURRENT_HIGH_MA = 21.0

INPUTS = ["ai0", "ai1", "ai2", "ai3", "ai4", "ai5", "ai6", "ai7", "cold_junction"]
INPUT_UNITS = {"cold_junction": "degC"}
OUTPUTS = []
COLD_JUNCTION = 8


def current_fault(sensor: str, value: float) -> str:
    """What is wrong with a current, or nothing."""
    if sensor == "4-20mA" and (value < CURRENT_LOW_MA or value > CURRENT_HIGH_MA):
        return "current %.2f mA" % value
    return ""


class M7019R(Device):
    """``sensors``: input name -> sensor, of the inputs in use; ``cold_junction``: whether to read it."""

    def __init__(self, name: str, unit: int, period_ms: int, sensors: dict, cold_junction: bool = False):
        Device.__init__(self, name, unit, INPUTS)
        self.period_ms = period_ms
        self.cold_junction = cold_junction
        self.sensors = [sensors.get(name) for name in INPUTS[:CHANNELS]]
        self.settings = [Setting("data format (coil 00269)", COIL_DATA_FORMAT, [1], True, False)]
        self.settings += self.type_settings()

    def type_settings(self) -> list:
        """Every channel in use must be set to what is wired to it; the node never changes that."""
        settings = []
        for i in range(CHANNELS):
            sensor = self.sensors[i]
            if sensor:
                code = SENSORS[sensor][0]
                number = "type code of ai%d (%d)" % (i, 40257 + i)
                settings.append(Setting(number, AI_TYPE_CODE + i, [code], False, False))
        return settings

    def polls(self) -> list:
        polls = [("inputs", modbus.READ_INPUT_REGISTERS, AI_VALUE, CHANNELS, self.period_ms)]
        if self.cold_junction:
            polls.append(("cold", modbus.READ_INPUT_REGISTERS, CJC_TEMPERATURE, 1, self.period_ms))
        return polls

    def places(self, tag) -> list:
        if tag == "cold":
            return [COLD_JUNCTION]
        return list(range(CHANNELS)) if tag == "inputs" else []

    def lost(self, now_ms: int):
        self.set_fault(self.fault)

    def received(self, tag, data: bytes, now_ms: int):
        if not self.ready:
            self.set_fault(self.fault)
            return
        if tag == "cold":
            count = (data[0] << 8) | data[1]
            self.values[COLD_JUNCTION] = (count - 65536 if count & 0x8000 else count) / 100.0
            self.faults[COLD_JUNCTION] = ""
            self.stamps_ms[COLD_JUNCTION] = now_ms
            return
        for i in range(CHANNELS):
            sensor = self.sensors[i]
            if sensor is None:
                continue
            count = (data[2 * i] << 8) | data[2 * i + 1]
            self.stamps_ms[i] = now_ms
            if count == BROKEN_WIRE:
                fault = "broken wire or over range"
            elif count == UNDER_RANGE:
                fault = "under range"
            else:
                value = (count - 65536 if count & 0x8000 else count) / SENSORS[sensor][1]
                self.values[i] = value
                fault = current_fault(sensor, value)
            self.faults[i] = fault


class M7018(M7019R):
    """One type code for all channels."""

    def type_settings(self) -> list:
        for sensor in self.sensors:
            if sensor:
                return [Setting("type code (40487)", TYPE_CODE, [SENSORS[sensor][0]], False, False)]
        return []


def sensors(kind: str) -> dict:
    """sensor -> unit, of one type of device."""
    return {name: spec[2] for name, spec in SENSORS.items() if kind == "m7019r" or name not in CURRENTS}


def build(name: str, spec: dict, wired: dict, safe: dict):
    """A driver from its table of a node file."""
    family = M7018 if spec["type"] == "m7018" else M7019R
    return family(name, spec["unit"], spec["period_ms"], wired, bool(spec.get("cold_junction")))
