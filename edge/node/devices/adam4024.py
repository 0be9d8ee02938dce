"""Advantech ADAM-4024: four analogue outputs with a communication watchdog, Modbus RTU.

Registers: ADAM-4000 user's manual, appendix G.5 (read). Type code 31 is 4-20 mA. Assumed, because the
manual leaves it open: counts 0..4095 are the range from end to end; the safety flag stays set until the
module is armed anew, and does not keep it from taking outputs.

Over Modbus 40215 and 40216 can only be read: the watchdog's time and the values that it falls back to are
set with the maker's tool or over DCON ($AAX0nnnn, #AAECn). The node file says when that was done
(``armed``), and the driver verifies that it is armed; the time itself can't be read.
"""

from edge.node.bus import modbus
from edge.node.devices.device import Setting
from edge.node.devices.leased import Leased

CHANNELS = 4

# Data addresses (the table's number less one).
EMERGENCY_DI = 0x0000  # 00001-00004
AO_VALUE = 0x0000  # 40001-40004
AO_TYPE_CODE = 0x00C8  # 40201-40204
MODULE_NAME = 0x00D2  # 40211
VERSION = 0x00D4  # 40213
COMM_SAFETY_ENABLE = 0x00D6  # 40215, 1: armed
COMM_SAFETY_FLAG = 0x00D7  # 40216, 1: it has acted
CHANNEL_ENABLE = 0x00DC  # 40221

NAME = 0x4024
TYPE_4_20_MA = 0x31
TYPES = [0x30, 0x31, 0x32]
FULL_COUNT = 4095

SAFETY = 4
INPUTS = ["ao0", "ao1", "ao2", "ao3", "safety"]
INPUT_UNITS = {"ao0": "%", "ao1": "%", "ao2": "%", "ao3": "%", "safety": ""}
OUTPUTS = ["ao0", "ao1", "ao2", "ao3"]


def counts(percent: float) -> int:
    """Register value of an output of 0..100 %."""
    return int(percent * FULL_COUNT / 100.0 + 0.5)


def percent(count: int) -> float:
    """Output in percent of a register value."""
    return count * 100.0 / FULL_COUNT


class Adam4024(Leased):
    """``safe``: output name -> safe value in percent, as it was armed with; ``lease_ms``: its time."""

    OUTPUTS_AT = "40001"

    def __init__(self, name: str, unit: int, period_ms: int, lease_ms: int, safe: dict):
        Leased.__init__(self, name, unit, INPUTS, OUTPUTS, lease_ms, safe)
        self.period_ms = period_ms
        self.settings = [Setting("module name (40211)", MODULE_NAME, [NAME], False, False)]
        for i in self.used:
            number = "type code of ao%d (%d)" % (i, 40201 + i)
            self.settings.append(Setting(number, AO_TYPE_CODE + i, [TYPE_4_20_MA], False, False))
        if self.used:
            armed = Setting("communication safety enable (40215)", COMM_SAFETY_ENABLE, [1], False, False)
            self.settings.append(armed)

    def polls(self) -> list:
        return [
            ("read back", modbus.READ_HOLDING_REGISTERS, AO_VALUE, CHANNELS, self.period_ms),
            ("safety", modbus.READ_HOLDING_REGISTERS, COMM_SAFETY_ENABLE, 2, self.period_ms),
        ]

    def received(self, tag, data: bytes, now_ms: int):
        words = modbus.unpack_registers(data)
        if tag == "read back":
            for i in range(CHANNELS):
                self.values[i] = percent(words[i])
                self.faults[i] = ""
                self.stamps_ms[i] = now_ms
            if self.moved(list(words)):
                self.verify_again("its outputs have moved by themselves")
        elif tag == "safety":
            self.values[SAFETY] = 1.0 if words[1] & 1 else 0.0
            self.faults[SAFETY] = ""
            self.stamps_ms[SAFETY] = now_ms
            if self.used and self.ready and words[0] != 1:
                self.verify_again("its communication safety is no longer enabled")

    def places(self, tag) -> list:
        return {"read back": list(range(CHANNELS)), "safety": [SAFETY]}.get(tag, [])

    def raw(self, percent: float) -> int:
        return counts(percent)

    def write(self, tag, first: int, values: list) -> bool:
        return self.write_registers(tag, AO_VALUE + first, values)


def build(name: str, spec: dict, wired: dict, safe: dict):
    """A driver from its table of a node file."""
    return Adam4024(name, spec["unit"], spec["period_ms"], spec.get("lease_ms", 0), safe)
