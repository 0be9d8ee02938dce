"""ICP DAS M-7019R: eight universal inputs for thermocouples and currents, Modbus RTU.

Registers: I-7019R/M-7019R quick start, Modbus table (read). Assumed, because that table leaves
it open: engineering format counts 0.1 degC for thermocouples and 1 uA for currents, 7FFF
stands for a broken wire or over range and 8000 for under range.
"""

from edge.node.bus import modbus
from edge.node.devices.device import Device, Setting

CHANNELS = 8

# Data addresses (the table's number less one).
AI_VALUE = 0x0000  # 30001-30008
CJC_TEMPERATURE = 0x0080  # 30129, 0.01 degC
AI_TYPE_CODE = 0x0100  # 40257-40264
TEMPERATURE_OFFSET = 0x0120  # 40289-40296, 0.1 degC
FIRMWARE_LOW = 0x01E0  # 40481
MODULE_NAME_LOW = 0x01E2  # 40483
RESPONSE_DELAY = 0x01E7  # 40488, ms
HOST_WATCHDOG_TIMEOUT = 0x01E8  # 40489, 0.1 s
CHANNEL_ENABLE = 0x01E9  # 40490
COIL_PROTOCOL = 0x0100  # 00257, 1: Modbus RTU
COIL_DATA_FORMAT = 0x010C  # 00269, 1: engineering
COIL_RESET_STATUS = 0x0110  # 00273, 1: first read after power-on
COIL_OPEN_DETECTION = 0x0113  # 00276

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

# NAMUR NE 43: outside these a current is a fault, not a value.
CURRENT_LOW_MA = 3.6
CURRENT_HIGH_MA = 21.0

INPUTS = ["ai0", "ai1", "ai2", "ai3", "ai4", "ai5", "ai6", "ai7"]
OUTPUTS = []


class M7019R(Device):
    """``sensors``: input name -> sensor, for the inputs in use."""

    def __init__(self, name: str, unit: int, period_ms: int, sensors: dict):
        Device.__init__(self, name, unit, INPUTS)
        self.period_ms = period_ms
        self.sensors = [sensors.get(name) for name in INPUTS]
        self.settings = [Setting("data format (coil 00269)", COIL_DATA_FORMAT, [1], True, False)]
        for i in range(CHANNELS):
            sensor = self.sensors[i]
            if sensor:
                code = SENSORS[sensor][0]
                number = "type code of ai%d (%d)" % (i, 40257 + i)
                self.settings.append(Setting(number, AI_TYPE_CODE + i, [code], False, False))

    def polls(self) -> list:
        return [("inputs", modbus.READ_INPUT_REGISTERS, AI_VALUE, CHANNELS, self.period_ms)]

    def lost(self, now_ms: int):
        self.set_fault(self.fault)

    def received(self, tag, data: bytes, now_ms: int):
        if not self.ready:
            self.set_fault(self.fault)
            return
        for i in range(CHANNELS):
            sensor = self.sensors[i]
            if sensor is None:
                continue
            count = (data[2 * i] << 8) | data[2 * i + 1]
            self.stamps_ms[i] = now_ms
            fault = ""
            if count == BROKEN_WIRE:
                fault = "broken wire or over range"
            elif count == UNDER_RANGE:
                fault = "under range"
            else:
                value = (count - 65536 if count & 0x8000 else count) / SENSORS[sensor][1]
                self.values[i] = value
                if sensor == "4-20mA" and (value < CURRENT_LOW_MA or value > CURRENT_HIGH_MA):
                    fault = "current %.2f mA" % value
            self.faults[i] = fault
