"""An in-situ zirconia O2 analyser (wet gas) with a Modbus RTU converter.

ASSUMED map: no data sheet with register addresses was found. It joins what is known of several:
floats with the high word first (Teledyne), the fault bits of the Yokogawa OX400 (manual
IM 11M10B01, table 6.3, read). Check it against the converter before use.
"""

from struct import unpack

from edge.node.bus import modbus
from edge.node.devices.device import Device

# Data addresses, input registers.
O2 = 0x0000  # 30001-30002, float32 high word first, % by volume, wet
FAULTS = 0x0002  # 30003, bits below
CELL_TEMPERATURE = 0x0003  # 30004, 0.1 degC
WORDS = 4

FAULT_BITS = [
    (0x0001, "sensor error"),
    (0x0002, "heater temperature error"),
    (0x0004, "temperature sensor burnt out"),
    (0x0008, "device temperature error"),
    (0x0010, "CPU error"),
]

INPUTS = ["o2", "cell_temperature"]
INPUT_UNITS = {"o2": "%", "cell_temperature": "degC"}
OUTPUTS = []


class O2Analyser(Device):
    """Wet O2 in percent and the cell's temperature in degC."""

    def __init__(self, name: str, unit: int, period_ms: int):
        Device.__init__(self, name, unit, INPUTS)
        self.period_ms = period_ms

    def polls(self) -> list:
        return [("o2", modbus.READ_INPUT_REGISTERS, O2, WORDS, self.period_ms)]

    def received(self, tag, data: bytes, now_ms: int):
        o2, faults, cell = unpack(">fHh", data)
        fault = ""
        for bit, why in FAULT_BITS:
            if faults & bit:
                fault = why
                break
        if o2 != o2:
            fault = "not a number"
        self.values[0] = o2
        self.values[1] = cell / 10.0
        self.faults[0] = self.faults[1] = fault
        self.stamps_ms[0] = self.stamps_ms[1] = now_ms


def build(name: str, spec: dict, wired: dict, safe: dict):
    """A driver from its table of a node file."""
    return O2Analyser(name, spec["unit"], spec["period_ms"])
