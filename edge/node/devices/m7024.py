"""ICP DAS M-7024: four analogue outputs 4-20 mA with a host watchdog, Modbus RTU.

Registers: I-7021/22/24, M-7022/24/28 user manual B2.4 and the tM-DA1P1R1 quick start, whose
Modbus tables agree (read). Assumed, because they leave it open: engineering format counts
1 uA; every request that the module answers restarts its host watchdog.

A tripped watchdog is latched and disabled: outputs hold their safe values and ignore writes until
coil 00270 is written, and coil 00261 must be set again. The driver then verifies all settings anew.
"""

from edge.node.bus import modbus
from edge.node.devices.device import Device, Setting

CHANNELS = 4

# Data addresses (the table's number less one).
AO_VALUE = 0x0020  # 40033-40036
AO_SAFE_VALUE = 0x0060  # 40097-40100
AO_POWER_ON_VALUE = 0x00C0  # 40193-40196
AO_READ_BACK = 0x0040  # 30065-30068
HOST_WATCHDOG_TIMEOUT = 0x01E8  # 40489, 0.1 s, 0..255
HOST_WATCHDOG_COUNT = 0x01EB  # 40492
COIL_WATCHDOG_MODE = 0x0103  # 00260, 1: output commands may clear the status
COIL_WATCHDOG_ENABLE = 0x0104  # 00261
COIL_DATA_FORMAT = 0x010C  # 00269, 1: engineering
COIL_WATCHDOG_TRIPPED = 0x010D  # 00270, write 1 to clear
COIL_RESET_STATUS = 0x0110  # 00273

# Engineering counts of the 4-20 mA range.
COUNTS_0 = 4000
COUNTS_100 = 20000
LEASE_MARGIN_MS = 500
# How often it is read whether the watchdog is still enabled.
LEASE_PERIOD_MS = 5000

INPUTS = ["ao0", "ao1", "ao2", "ao3", "watchdog"]
INPUT_UNITS = {"ao0": "%", "ao1": "%", "ao2": "%", "ao3": "%", "watchdog": ""}
OUTPUTS = ["ao0", "ao1", "ao2", "ao3"]


def counts(percent: float) -> int:
    """Register value of an output of 0..100 %."""
    return int(COUNTS_0 + percent * (COUNTS_100 - COUNTS_0) / 100.0 + 0.5)


def percent(count: int) -> float:
    """Output in percent of a register value."""
    return (count - COUNTS_0) * 100.0 / (COUNTS_100 - COUNTS_0)


class M7024(Device):
    """``safe``: output name -> safe value in percent; ``lease_ms``: 100..25500."""

    def __init__(self, name: str, unit: int, period_ms: int, lease_ms: int, safe: dict):
        Device.__init__(self, name, unit, INPUTS, CHANNELS)
        self.period_ms = period_ms
        self.lease_ms = lease_ms
        self.used = [i for i in range(CHANNELS) if OUTPUTS[i] in safe]
        self.first = self.used[0] if self.used else 0
        self.count = self.used[-1] - self.first + 1 if self.used else 0
        safe_counts = [counts(safe.get(OUTPUTS[i], 0.0)) for i in range(self.first, self.first + self.count)]
        self.settings = [
            Setting("data format (coil 00269)", COIL_DATA_FORMAT, [1], True, False),
            Setting("safe values (40097)", AO_SAFE_VALUE + self.first, safe_counts),
            Setting("host watchdog timeout (40489)", HOST_WATCHDOG_TIMEOUT, [lease_ms // 100]),
            Setting("host watchdog enable (coil 00261)", COIL_WATCHDOG_ENABLE, [1], True),
        ]
        self._wanted = [None] * CHANNELS
        self._sent = None
        self._sent_ms = 0
        self._confirmed = True
        self._tripped = False
        self.rest_ms = lease_ms + LEASE_MARGIN_MS

    def polls(self) -> list:
        return [
            ("read back", modbus.READ_INPUT_REGISTERS, AO_READ_BACK, CHANNELS, self.period_ms),
            ("watchdog", modbus.READ_COILS, COIL_WATCHDOG_TRIPPED, 1, self.period_ms),
            ("lease", modbus.READ_COILS, COIL_WATCHDOG_ENABLE, 1, LEASE_PERIOD_MS),
        ]

    def received(self, tag, data: bytes, now_ms: int):
        if tag == "read back":
            words = modbus.unpack_registers(data)
            for i in range(CHANNELS):
                self.values[i] = percent(words[i])
                self.faults[i] = ""
                self.stamps_ms[i] = now_ms
        elif tag == "watchdog":
            self._tripped = bool(data[0] & 1)
            self.values[CHANNELS] = 1.0 if self._tripped else 0.0
            self.faults[CHANNELS] = ""
            self.stamps_ms[CHANNELS] = now_ms
        elif tag == "outputs":
            self._confirmed = True
        elif tag == "lease":
            if self.ready and not data[0] & 1:
                self.verify_again("its host watchdog is not enabled")
        elif tag == "clear":
            self._tripped = False
            self.verify_again("its host watchdog had tripped")

    def verified(self, now_ms: int):
        # What was wanted before the link was lost is no longer wanted, and where the outputs stand is not
        # known until they have been read back.
        self._wanted = [None] * CHANNELS
        self._sent = None
        for i in range(CHANNELS):
            self.faults[i] = "not read back yet"
        self.read("read back", modbus.READ_INPUT_REGISTERS, AO_READ_BACK, CHANNELS)

    def actual(self, channel: int):
        return self.values[channel] if self.faults[channel] == "" else None

    def pending(self) -> bool:
        wanted = self.used and None not in [self._wanted[i] for i in self.used]
        return bool(self.ready and wanted and (self._sent is None or not self._confirmed))

    def drive(self, channel: int, percent: float, now_ms: int):
        self._wanted[channel] = counts(percent)

    def work(self, now_ms: int):
        if self._tripped:
            self.write_coil("clear", COIL_WATCHDOG_TRIPPED, True)
            return
        wanted = self._wanted[self.first : self.first + self.count]
        if not wanted or None in [self._wanted[i] for i in self.used]:
            return
        wanted = [COUNTS_0 if count is None else count for count in wanted]
        if wanted != self._sent or now_ms - self._sent_ms >= self.lease_ms // 3:
            self.write_registers("outputs", AO_VALUE + self.first, wanted)
            self._sent = wanted
            self._sent_ms = now_ms
            self._confirmed = False

    def failed(self, tag, why: str, now_ms: int):
        Device.failed(self, tag, why, now_ms)
        if tag == "outputs":
            self._sent = None
