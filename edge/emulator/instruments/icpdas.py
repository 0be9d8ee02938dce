"""The host watchdog of ICP DAS modules, over Modbus and over DCON. Registers: edge.node.devices.icpdas.

Source: I-7021/22/24, M-7022/24/28 user manual B2.3, A.2 and A.5 (read): when the host watchdog times out,
the safe values go to the outputs, and output commands have no effect until its status is cleared; the
status is stored, so that a module which is switched on with it starts with the safe values, and without it
with the power-on values. Coil 00260 lets an output command clear the status (CL-200 series manual, read).
The watchdog is disabled when it has timed out: the manuals' examples read the status as 04, without the
enable bit (I-7060, M-7084, read).

Assumed: every request addressed to the module restarts the watchdog over Modbus; watchdog setting, safe and
power-on values are stored.
"""

from edge.emulator.instruments.dcon_module import DconModule
from edge.emulator.instruments.instrument import NEVER_US, Instrument
from edge.node.devices import icpdas as registers

BIT = frozenset((0, 1))
ONLY_1 = frozenset((1,))
ENABLED = 0x80
TRIPPED = 0x04


class IcpDasModule(DconModule, Instrument):
    """``COILS``, ``HOLDING``: blocks of what all have; a family adds its own and calls ``arrange``."""

    COILS = [
        (registers.COIL_PROTOCOL, 1),
        (registers.COIL_WATCHDOG_MODE, 1),
        (registers.COIL_WATCHDOG_ENABLE, 1),
        (registers.COIL_WATCHDOG_TRIPPED, 1),
        (registers.COIL_RESET_STATUS, 1),
    ]
    HOLDING = [
        (registers.FIRMWARE_LOW, 2),
        (registers.MODULE_NAME_LOW, 2),
        (registers.RESPONSE_DELAY, 1),
        (registers.HOST_WATCHDOG_TIMEOUT, 1),
        (registers.HOST_WATCHDOG_COUNT, 1),
    ]
    FAULTS = dict(Instrument.FAULTS, watchdog=False)
    FIRMWARE = 0x0100
    NAME = ""

    def arrange(self):
        """Values of the common registers, and what may be written there."""
        # The host watchdog has timed out, and nobody has cleared it.
        self.tripped = False
        holding, coils = self.holding, self.coils
        holding.put(registers.FIRMWARE_LOW, self.FIRMWARE)
        name = int(self.NAME[:4], 16)
        holding.put_all(registers.MODULE_NAME_LOW, ((name & 0xFF) << 8, name >> 8))
        holding.put(registers.RESPONSE_DELAY, min(self.delay_us // 1000, 30))
        self.holding_values[registers.RESPONSE_DELAY] = range(31)
        self.holding_values[registers.HOST_WATCHDOG_TIMEOUT] = range(256)
        self.holding_values[registers.HOST_WATCHDOG_COUNT] = frozenset((0,))
        coils.put(registers.COIL_PROTOCOL, 1)
        coils.put(registers.COIL_RESET_STATUS, 1)
        self.coil_values[registers.COIL_PROTOCOL] = ONLY_1
        self.coil_values[registers.COIL_WATCHDOG_MODE] = BIT
        self.coil_values[registers.COIL_WATCHDOG_ENABLE] = BIT
        self.coil_values[registers.COIL_WATCHDOG_TRIPPED] = BIT
        self.coils_read_once = frozenset((registers.COIL_RESET_STATUS,))

    def lease_state(self) -> dict:
        return {"armed": self.lease_us != NEVER_US, "expired": self.tripped}

    # What the line writes ---------------------------------------------------------------------

    def registers_written(self, address: int, count: int, at_us: int):
        if address <= registers.RESPONSE_DELAY < address + count:
            self.delay_us = self.holding.get(registers.RESPONSE_DELAY) * 1000
        self.arm()

    def coils_written(self, address: int, count: int, at_us: int):
        # Writing 1 clears the status; writing 0 leaves it.
        if address <= registers.COIL_WATCHDOG_TRIPPED < address + count:
            self.latch(self.tripped and not self.coils.get(registers.COIL_WATCHDOG_TRIPPED))
        self.arm()

    def coils_were_read(self, address: int, count: int):
        self.coils.put(registers.COIL_RESET_STATUS, 0)

    def arm(self):
        """The lease as the registers say it."""
        tenths = self.holding.get(registers.HOST_WATCHDOG_TIMEOUT)
        armed = self.coils.get(registers.COIL_WATCHDOG_ENABLE) and tenths
        self.lease_us = tenths * 100000 if armed else NEVER_US

    def latch(self, tripped: bool):
        self.tripped = tripped
        self.coils.put(registers.COIL_WATCHDOG_TRIPPED, 1 if tripped else 0)

    def expire(self, at_us: int):
        """The host watchdog times out: safe values, latched until cleared."""
        Instrument.expire(self, at_us)
        self.latch(True)
        self.coils.put(registers.COIL_WATCHDOG_ENABLE, 0)
        count = self.holding.get(registers.HOST_WATCHDOG_COUNT)
        self.holding.put(registers.HOST_WATCHDOG_COUNT, count + 1 & 0xFFFF)
        self.fall_to_safe()
        self.arm()

    def fall_to_safe(self):
        """Bring the outputs to their safe values."""

    def begin_fault(self, kind: str, arg, now_us: int):
        if kind == "watchdog":
            self.expire(now_us)
        else:
            Instrument.begin_fault(self, kind, arg, now_us)

    # DCON ---------------------------------------------------------------------------------------

    def read_status(self, at_us: int) -> str:
        """~AA0"""
        enabled = ENABLED if self.coils.get(registers.COIL_WATCHDOG_ENABLE) else 0
        return f"!{self.address}{enabled | (TRIPPED if self.tripped else 0):02X}"

    def clear_status(self, at_us: int) -> str:
        """~AA1"""
        self.latch(False)
        return "!" + self.address

    def read_watchdog(self, at_us: int) -> str:
        """~AA2"""
        enabled = self.coils.get(registers.COIL_WATCHDOG_ENABLE)
        return f"!{self.address}{enabled}{self.holding.get(registers.HOST_WATCHDOG_TIMEOUT):02X}"

    def set_watchdog(self, enable: str, tenths: str, at_us: int) -> str:
        """~AA3EVV"""
        self.coils.put(registers.COIL_WATCHDOG_ENABLE, int(enable))
        self.holding.put(registers.HOST_WATCHDOG_TIMEOUT, int(tenths, 16))
        self.arm()
        self.restart_watchdog(at_us)
        return "!" + self.address

    def read_name(self, at_us: int) -> str:
        """$AAM"""
        return f"!{self.address}{self.NAME}"

    def read_firmware(self, at_us: int) -> str:
        """$AAF"""
        return f"!{self.address}{self.FIRMWARE >> 8:X}{self.FIRMWARE & 0xFF:X}.00"

    def read_reset(self, at_us: int) -> str:
        """$AA5"""
        first = self.coils.get(registers.COIL_RESET_STATUS)
        self.coils.put(registers.COIL_RESET_STATUS, 0)
        return f"!{self.address}{first}"

    def configuration(self, type_code: int) -> str:
        """The answer to $AA2: type code, baud rate (9600), format: engineering units, checksum or not."""
        return f"!{self.address}{type_code:02X}06{0x40 if self.checksum else 0:02X}"


COMMON = {
    "read_status": r"~0",
    "clear_status": r"~1",
    "read_watchdog": r"~2",
    "set_watchdog": r"~3([01])([0-9A-F]{2})",
    "read_name": r"\$M",
    "read_firmware": r"\$F",
    "read_reset": r"\$5",
}
