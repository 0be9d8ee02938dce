"""Honeywell 7800 series burner control behind its S7800A keyboard display, Modbus RTU.

Registers: S7800A2142 submittal 32-00110-05, table 16, p. 56-57 and table 19, p. 60 (read), so are the
sequence states (table 20). The burner control is the certified part: it lights, proves
and trips by itself, and this driver asks it for no fire, low fire or high fire.

A command holds for 120 s, and may be written once a second at most. Without it the burner control goes
back to its own operation: a node that dies does not switch the burner off, which is the burner control's
and its limits'. A lockout is reported and never reset from afar.
"""

from edge.node.bus import modbus
from edge.node.devices.commanded import Commanded
from edge.node.devices.device import Device

# Data addresses, as in the table (its number less one).
FAULT_CODE = 0x0000  # 40001, not 0: lockout
SEQUENCE_STATE = 0x0002  # 40003, as it was at the lockout while there is one
SEQUENCE_TIME = 0x0005  # 40006, s
FLAME_1 = 0x000A  # 40011, 0.1 V
STATE_BITS = 0x000C  # 40013, bits below
COMMAND_STATUS = 0x0054  # 40085, bits as in the command
COMMAND = 0x007F  # 40128

STATE_INITIATE = 0x0001
STATE_STANDBY = 0x0002
STATE_PURGE = 0x0004
STATE_PILOT_IGNITION = 0x0008
STATE_MAIN_IGNITION = 0x0010
STATE_RUN = 0x0020
STATE_POSTPURGE = 0x0040
STATE_ALARM = 0x2000
STATE_HOLD = 0x4000
STATE_LOCKOUT = 0x8000

AUTONOMOUS = 0x0001
REMAIN_OFF = 0x0002
HIGH_FIRE = 0x0004
LOW_FIRE = 0x0008
REMOTE_RESET = 0x0010

WORDS = STATE_BITS + 1
HOLDS_MS = 120000
REFRESH_MS = 40000
SOONEST_MS = 1000

INPUTS = ["fault", "state", "flame", "running", "lockout"]
INPUT_UNITS = {"fault": "", "state": "", "flame": "V", "running": "", "lockout": ""}
OUTPUTS = ["firing"]


def command(percent: float) -> int:
    """No fire at 0 %, low fire below 50 %, high fire from there on."""
    if percent <= 0.0:
        return REMAIN_OFF
    return HIGH_FIRE if percent >= 50.0 else LOW_FIRE


class S7800(Device):
    """Fault code, sequence state, flame signal in V, and whether it runs or is locked out, 0 or 1."""

    lease_ms = HOLDS_MS

    def __init__(self, name: str, unit: int, period_ms: int):
        Device.__init__(self, name, unit, INPUTS, 1)
        self.period_ms = period_ms
        self._status = None
        self.commands = [Commanded("command", "command (40128)", [0], HOLDS_MS)]
        self._written_ms = -SOONEST_MS

    def polls(self) -> list:
        return [
            ("state", modbus.READ_HOLDING_REGISTERS, FAULT_CODE, WORDS, self.period_ms),
            ("command read", modbus.READ_HOLDING_REGISTERS, COMMAND_STATUS, 1, self.period_ms),
        ]

    def received(self, tag, data: bytes, now_ms: int):
        if tag == "command read":
            self._status = (data[0] << 8) | data[1]
            return
        if tag != "state":
            return
        words = modbus.unpack_registers(data)
        fault = words[FAULT_CODE]
        bits = words[STATE_BITS]
        self.values[0] = float(fault)
        self.values[1] = float(words[SEQUENCE_STATE])
        self.values[2] = words[FLAME_1] / 10.0
        self.values[3] = 1.0 if bits & STATE_RUN and not fault else 0.0
        self.values[4] = 1.0 if fault or bits & STATE_LOCKOUT else 0.0
        for i in range(len(INPUTS)):
            self.faults[i] = ""
            self.stamps_ms[i] = now_ms
        self.not_following = "locked out with fault %d" % fault if fault else ""
        if fault:
            self.faults[1] = self.not_following

    def actual(self, channel: int):
        """What it was told last; a burner that runs on its own counts as high fire."""
        if self._status is None or self.stamps_ms[3] < 0:
            return None
        if self._status & REMAIN_OFF or self.not_following:
            return 0.0
        if self._status & LOW_FIRE:
            return 25.0
        if self._status & HIGH_FIRE or self.values[3]:
            return 100.0
        return 0.0

    def places(self, tag) -> list:
        return list(range(len(INPUTS))) if tag == "state" else []

    def drive(self, channel: int, percent: float, now_ms: int):
        self.commands[0].want(command(percent), [percent], now_ms)

    def work(self, now_ms: int):
        if now_ms - self._written_ms >= SOONEST_MS:
            Device.work(self, now_ms)
            if self.commands[0].sent_ms == now_ms:
                self._written_ms = now_ms

    def send(self, command) -> bool:
        return self.write_register(command.tag, COMMAND, command.wanted)

    def verified(self, now_ms: int):
        self._status = None
        self.read_now("state")
        self.read_now("command read")


def build(name: str, spec: dict, wired: dict, safe: dict):
    """A driver from its table of a node file."""
    return S7800(name, spec["unit"], spec["period_ms"])
