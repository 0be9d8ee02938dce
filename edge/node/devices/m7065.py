"""ICP DAS M-7055 (8 inputs, 8 outputs) and M-7065 (4 inputs, 5 relays): digital I/O, Modbus RTU.

Registers: M-7065 user's manual 2.0, p. 94 (read: 00001, 00033, 10001, 00129, 00161, and that the M-7065
has its own list of the common ones); common ones as in edge.node.devices.icpdas. Assumed: the M-7055, of
which no list was found, has the same addresses for its eight channels, and both have the host watchdog's
coils and registers.

An input is a signal of 0 or 1. An output is on where the demand is 50 % or more, and is read back as 0 or
1.
"""

from edge.node.bus import modbus
from edge.node.devices import icpdas
from edge.node.devices.device import Setting
from edge.node.devices.icpdas import Watched
from edge.node.devices.switched import SwitchedCoils

# Data addresses (the table's number less one).
DO_VALUE = 0x0000  # 00001
DI_VALUE = 0x0020  # 00033
DO_SAFE_VALUE = 0x0080  # 00129
DO_POWER_ON_VALUE = 0x00A0  # 00161
HOST_WATCHDOG_TIMEOUT = icpdas.HOST_WATCHDOG_TIMEOUT
HOST_WATCHDOG_COUNT = icpdas.HOST_WATCHDOG_COUNT
RESPONSE_DELAY = icpdas.RESPONSE_DELAY
COIL_WATCHDOG_MODE = icpdas.COIL_WATCHDOG_MODE
COIL_WATCHDOG_ENABLE = icpdas.COIL_WATCHDOG_ENABLE
COIL_WATCHDOG_TRIPPED = icpdas.COIL_WATCHDOG_TRIPPED
COIL_RESET_STATUS = icpdas.COIL_RESET_STATUS

# type -> (outputs, inputs)
CHANNELS = {"m7055": (8, 8), "m7065": (5, 4)}


def outputs(kind: str) -> list:
    """The names of a type's outputs."""
    return ["do%d" % i for i in range(CHANNELS[kind][0])]


def inputs(kind: str) -> list:
    """The names of what a type reads: outputs read back, inputs, the watchdog's state."""
    return outputs(kind) + ["di%d" % i for i in range(CHANNELS[kind][1])] + ["watchdog"]


class M7065(SwitchedCoils, Watched):
    """``safe``: output name -> 0 or 100; ``lease_ms``: 100..25500, 0 where no output is in use."""

    DO_VALUE = DO_VALUE
    OUTPUTS_AT = "00001"

    def __init__(self, name: str, unit: int, period_ms: int, lease_ms: int, safe: dict, kind: str = "m7065"):
        Watched.__init__(self, name, unit, inputs(kind), outputs(kind), period_ms, lease_ms, safe)
        self.channels = CHANNELS[kind]
        if self.used:
            safe_values = Setting("safe values (00129)", DO_SAFE_VALUE + self.first, self.safe, True)
            self.settings = [safe_values] + self.watchdog_settings()

    def polls(self) -> list:
        outputs, inputs = self.channels
        polls = [
            ("read back", modbus.READ_COILS, DO_VALUE, outputs, self.period_ms),
            ("inputs", modbus.READ_COILS, DI_VALUE, inputs, self.period_ms),
        ]
        if self.used:
            polls += self.watchdog_polls()
        return polls

    def received(self, tag, data: bytes, now_ms: int):
        outputs, inputs = self.channels
        if tag == "read back":
            self.set_bits(0, outputs, data[0], now_ms)
        elif tag == "inputs":
            self.set_bits(outputs, inputs, data[0], now_ms)
        else:
            Watched.received(self, tag, data, now_ms)

    def places(self, tag) -> list:
        outputs, inputs = self.channels
        if tag == "read back":
            return list(range(outputs))
        return list(range(outputs, outputs + inputs)) if tag == "inputs" else Watched.places(self, tag)


def build(name: str, spec: dict, wired: dict, safe: dict):
    """A driver from its table of a node file."""
    return M7065(name, spec["unit"], spec["period_ms"], spec.get("lease_ms", 0), safe, spec["type"])
