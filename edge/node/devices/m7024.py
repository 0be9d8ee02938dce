"""ICP DAS M-7024: four analogue outputs 4-20 mA with a host watchdog, Modbus RTU.

Registers: I-7021/22/24, M-7022/24/28 user manual B2.4 and the tM-DA1P1R1 quick start, whose
Modbus tables agree (read). Assumed, because they leave it open: engineering format counts
1 uA. The host watchdog is that of edge.node.devices.icpdas.
"""

from edge.node.bus import modbus
from edge.node.devices import icpdas
from edge.node.devices.device import Setting
from edge.node.devices.icpdas import Watched

CHANNELS = 4

# Data addresses (the table's number less one).
AO_VALUE = 0x0020  # 40033-40036
AO_SAFE_VALUE = 0x0060  # 40097-40100
AO_POWER_ON_VALUE = 0x00C0  # 40193-40196
AO_READ_BACK = 0x0040  # 30065-30068
RESPONSE_DELAY = icpdas.RESPONSE_DELAY
HOST_WATCHDOG_TIMEOUT = icpdas.HOST_WATCHDOG_TIMEOUT
HOST_WATCHDOG_COUNT = icpdas.HOST_WATCHDOG_COUNT
COIL_WATCHDOG_MODE = icpdas.COIL_WATCHDOG_MODE
COIL_WATCHDOG_ENABLE = icpdas.COIL_WATCHDOG_ENABLE
COIL_DATA_FORMAT = icpdas.COIL_DATA_FORMAT
COIL_WATCHDOG_TRIPPED = icpdas.COIL_WATCHDOG_TRIPPED
COIL_RESET_STATUS = icpdas.COIL_RESET_STATUS

# Engineering counts of the 4-20 mA range.
COUNTS_0 = 4000
COUNTS_100 = 20000

INPUTS = ["ao0", "ao1", "ao2", "ao3", "watchdog"]
INPUT_UNITS = {"ao0": "%", "ao1": "%", "ao2": "%", "ao3": "%", "watchdog": ""}
OUTPUTS = ["ao0", "ao1", "ao2", "ao3"]


def counts(percent: float) -> int:
    """Register value of an output of 0..100 %."""
    return int(COUNTS_0 + percent * (COUNTS_100 - COUNTS_0) / 100.0 + 0.5)


def percent(count: int) -> float:
    """Output in percent of a register value."""
    return (count - COUNTS_0) * 100.0 / (COUNTS_100 - COUNTS_0)


class M7024(Watched):
    """``safe``: output name -> safe value in percent; ``lease_ms``: 100..25500."""

    OUTPUTS_AT = "40033"

    def __init__(self, name: str, unit: int, period_ms: int, lease_ms: int, safe: dict):
        Watched.__init__(self, name, unit, INPUTS, OUTPUTS, period_ms, lease_ms, safe)
        self.settings = [
            Setting("data format (coil 00269)", COIL_DATA_FORMAT, [1], True, False),
            Setting("safe values (40097)", AO_SAFE_VALUE + self.first, self.safe),
        ]
        self.settings += self.watchdog_settings()

    def polls(self) -> list:
        polls = [("read back", modbus.READ_INPUT_REGISTERS, AO_READ_BACK, CHANNELS, self.period_ms)]
        return polls + self.watchdog_polls()

    def received(self, tag, data: bytes, now_ms: int):
        if tag == "read back":
            words = modbus.unpack_registers(data)
            for i in range(CHANNELS):
                self.values[i] = percent(words[i])
                self.faults[i] = ""
                self.stamps_ms[i] = now_ms
        else:
            Watched.received(self, tag, data, now_ms)

    def places(self, tag) -> list:
        return list(range(CHANNELS)) if tag == "read back" else Watched.places(self, tag)

    def raw(self, percent: float) -> int:
        return counts(percent)

    def write(self, tag, first: int, values: list) -> bool:
        return self.write_registers(tag, AO_VALUE + first, values)


def build(name: str, spec: dict, sensors: dict, safe: dict):
    """A driver from its table of a node file."""
    return M7024(name, spec["unit"], spec["period_ms"], spec["lease_ms"], safe)
