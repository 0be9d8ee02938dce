"""What the Modbus modules of ICP DAS have in common: protocol, response delay, host watchdog.

Registers: "M-7000 Address Mapping (Base 1)" Rev. 1.13, the quick starts of M-7018, tM-R5 and tM-DA1P1R1,
and I-7021/22/24, M-7022/24/28 user manual B2.3, A.2 and A.5 (read). Assumed, because they leave it open:
over Modbus every request that the module answers restarts its host watchdog.

A tripped watchdog is latched and disabled: outputs hold their safe values and ignore writes until coil
00270 is written, and coil 00261 must be set again. The driver then verifies all settings anew.
"""

from edge.node.bus import modbus
from edge.node.devices.device import Setting
from edge.node.devices.leased import LEASE_PERIOD_MS, Leased

# Data addresses (the table's number less one).
FIRMWARE_LOW = 0x01E0  # 40481
MODULE_NAME_LOW = 0x01E2  # 40483
RESPONSE_DELAY = 0x01E7  # 40488, ms
HOST_WATCHDOG_TIMEOUT = 0x01E8  # 40489, 0.1 s, 0..255
HOST_WATCHDOG_COUNT = 0x01EB  # 40492
COIL_PROTOCOL = 0x0100  # 00257, 1: Modbus RTU
COIL_WATCHDOG_MODE = 0x0103  # 00260, 1: output commands may clear the status
COIL_WATCHDOG_ENABLE = 0x0104  # 00261
COIL_DATA_FORMAT = 0x010C  # 00269, 1: engineering
COIL_WATCHDOG_TRIPPED = 0x010D  # 00270, write 1 to clear
COIL_RESET_STATUS = 0x0110  # 00273, 1: first read after power-on


class Watched(Leased):
    """An output module with a host watchdog; its last input is "watchdog", 1 while tripped.

    ``settings``: format and safe values; the watchdog's own are added behind them.
    """

    def __init__(self, name, unit, input_names, output_names, period_ms, lease_ms, safe):
        Leased.__init__(self, name, unit, input_names, output_names, lease_ms, safe)
        self.period_ms = period_ms
        self._tripped = False
        self._place = len(input_names) - 1

    def watchdog_settings(self) -> list:
        """Time and enable, in this order, so that it never runs with the time of somebody else."""
        return [
            Setting("host watchdog timeout (40489)", HOST_WATCHDOG_TIMEOUT, [self.lease_ms // 100]),
            Setting("host watchdog enable (coil 00261)", COIL_WATCHDOG_ENABLE, [1], True),
        ]

    def watchdog_polls(self) -> list:
        return [
            ("watchdog", modbus.READ_COILS, COIL_WATCHDOG_TRIPPED, 1, self.period_ms),
            ("lease", modbus.READ_COILS, COIL_WATCHDOG_ENABLE, 1, LEASE_PERIOD_MS),
        ]

    def received(self, tag, data: bytes, now_ms: int):
        if tag == "watchdog":
            self._tripped = bool(data[0] & 1)
            if self._tripped:
                # What it acknowledged since then was of no effect.
                self.doubt_commands(now_ms)
            self.values[self._place] = 1.0 if self._tripped else 0.0
            self.faults[self._place] = ""
            self.stamps_ms[self._place] = now_ms
        elif tag == "lease":
            if self.ready and not data[0] & 1:
                self.verify_again("its host watchdog is not enabled")
        elif tag == "clear":
            self._tripped = False
            self.verify_again("its host watchdog had tripped")

    def places(self, tag) -> list:
        return [self._place] if tag == "watchdog" else []

    def blocked(self, now_ms: int) -> bool:
        if self._tripped:
            self.write_coil("clear", COIL_WATCHDOG_TRIPPED, True)
        return self._tripped
