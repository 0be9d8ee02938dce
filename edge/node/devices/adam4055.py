"""Advantech ADAM-4055 (8 inputs, 8 outputs) and ADAM-4056S/SO (12 outputs): digital I/O, Modbus RTU.

Registers: ADAM-4000 user's manual, appendix G.9 (ADAM-4056SO, read) and G.7 (ADAM-4055: recollection,
equal to two open lists of it: inputs are coils 00001-00008, outputs 00017-00024). Assumed: the safety flag
stays set until the module is armed anew, and does not keep it from taking outputs.

Over Modbus 40215 and 40216 can only be read: time and safe values are set with the maker's tool or over
DCON ($AAX0TTTTDD). The node file says when that was done (``armed``), and the driver verifies that it is
armed.

An input is a signal of 0 or 1. An output is on where the demand is 50 % or more, and is read back as 0 or
1.
"""

from edge.node.bus import modbus
from edge.node.devices.device import Setting
from edge.node.devices.leased import Leased
from edge.node.devices.switched import SwitchedCoils

# Data addresses (the table's number less one).
DI_VALUE = 0x0000  # 00001-00008, ADAM-4055
DO_VALUE = 0x0010  # 00017-00028
OVER_CURRENT = 0x001C  # 00029-00031, ADAM-4056SO
MODULE_NAME = 0x00D2  # 40211
VERSION = 0x00D4  # 40213
COMM_SAFETY_ENABLE = 0x00D6  # 40215, 1: armed
COMM_SAFETY_FLAG = 0x00D7  # 40216, 1: it has acted

# type -> (outputs, inputs)
CHANNELS = {"adam4055": (8, 8), "adam4056": (12, 0)}
NAMES = {"adam4055": 0x4055, "adam4056": 0x4056}


def outputs(kind: str) -> list:
    """The names of a type's outputs."""
    return ["do%d" % i for i in range(CHANNELS[kind][0])]


def inputs(kind: str) -> list:
    """The names of what a type reads: outputs read back, inputs, whether the safety has acted."""
    return outputs(kind) + ["di%d" % i for i in range(CHANNELS[kind][1])] + ["safety"]


class Adam4055(SwitchedCoils, Leased):
    """``safe``: output name -> 0 or 100, as the module was armed with; ``lease_ms``: its time."""

    DO_VALUE = DO_VALUE
    OUTPUTS_AT = "00017"

    def __init__(self, name, unit: int, period_ms: int, lease_ms: int, safe: dict, kind: str = "adam4055"):
        Leased.__init__(self, name, unit, inputs(kind), outputs(kind), lease_ms, safe)
        self.period_ms = period_ms
        self.channels = CHANNELS[kind]
        self._safety = len(self.values) - 1
        self.settings = [Setting("module name (40211)", MODULE_NAME, [NAMES[kind]], False, False)]
        if self.used:
            armed = Setting("communication safety enable (40215)", COMM_SAFETY_ENABLE, [1], False, False)
            self.settings.append(armed)

    def polls(self) -> list:
        outputs, inputs = self.channels
        polls = [("read back", modbus.READ_COILS, DO_VALUE, outputs, self.period_ms)]
        if inputs:
            polls.append(("inputs", modbus.READ_COILS, DI_VALUE, inputs, self.period_ms))
        if self.used:
            safety = ("safety", modbus.READ_HOLDING_REGISTERS, COMM_SAFETY_ENABLE, 2, self.period_ms)
            polls.append(safety)
        return polls

    def received(self, tag, data: bytes, now_ms: int):
        outputs, inputs = self.channels
        if tag == "read back":
            bits = data[0] | (data[1] << 8 if outputs > 8 else 0)
            self.set_bits(0, outputs, bits, now_ms)
            if self.moved([bits >> i & 1 for i in range(outputs)]):
                self.verify_again("its outputs have moved by themselves")
        elif tag == "inputs":
            self.set_bits(outputs, inputs, data[0], now_ms)
        elif tag == "safety":
            self.set_bits(self._safety, 1, data[3] & 1, now_ms)
            if self.ready and not data[1] & 1:
                self.verify_again("its communication safety is no longer enabled")

    def places(self, tag) -> list:
        outputs = self.channels[0]
        if tag == "safety":
            return [self._safety]
        if tag == "inputs":
            return list(range(outputs, self._safety))
        return list(range(outputs)) if tag == "read back" else []


def build(name: str, spec: dict, wired: dict, safe: dict):
    """A driver from its table of a node file."""
    return Adam4055(name, spec["unit"], spec["period_ms"], spec.get("lease_ms", 0), safe, spec["type"])
