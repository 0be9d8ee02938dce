"""ABB ACH550 drive on its embedded Modbus, ABB Drives profile.

Registers and start sequence: ACH550-UH user's manual, chapter Embedded fieldbus (read: status and control
word bits p. 157-159, registers and volatile parameter writes p. 161, exceptions p. 162, the start sequence
p. 165: 0006 - wait 100 ms - 0007 - 000F - 002F - 006F, where 000F starts the drive but holds its ramp;
loss of communication by 3018 and 3019, fault 28, p. 154; parameter GGPP at register 4GGPP, 1-198). What
the values of 3018 do: read for its sisters 3001 and 3002 in the ACS550 manual, group 30 (2: constant speed
7, 3: last speed). 40001 control word and 40004 status word: read for the ACS 400, whose profile is the
same. Recollection: 40002 reference 1 with +-20000 for full reference, 3019 in 0.1 s, 1208 in 0.1 Hz.
Assumed: full speed is 50 Hz.

Parameter writes are volatile, so the lease is armed anew whenever the link comes up, and when a drive that
ran stands as after its power came back.
"""

from edge.node.bus import modbus
from edge.node.devices.commanded import Commanded
from edge.node.devices.device import Device, Setting

# Data addresses (the register's number less one).
CONTROL_WORD = 0x0000  # 40001
REFERENCE_1 = 0x0001  # 40002
STATUS_WORD = 0x0003  # 40004
ACTUAL_1 = 0x0004  # 40005


def parameter(number: int) -> int:
    """Data address of a drive parameter, for example 3018 at register 43018."""
    return number - 1


CONST_SPEED_7 = parameter(1208)  # 0.1 Hz
COMM_FAULT_FUNC = parameter(3018)
COMM_FAULT_TIME = parameter(3019)  # 0.1 s
ACTUAL_1_SOURCE = parameter(5310)  # the parameter that 40005 shows
OUTPUT_FREQUENCY_DHZ = 103

FUNC_CONST_SPEED_7 = 2
FUNC_LAST_SPEED = 3
FULL_REFERENCE = 20000
FULL_SPEED_DHZ = 500

# Control words of the start sequence.
CW_READY_TO_SWITCH_ON = 0x0006
CW_READY_TO_OPERATE = 0x0007
CW_ENABLE = 0x000F
CW_RAMP = 0x002F
CW_OPERATING = 0x006F
CW_FAULT_RESET = 0x0080

# Status word bits.
SW_RDY_ON = 0x0001
SW_RDY_RUN = 0x0002
SW_RDY_REF = 0x0004
SW_TRIPPED = 0x0008
SW_SWC_ON_INHIB = 0x0040
SW_ALARM = 0x0080
SW_AT_SETPOINT = 0x0100
SW_REMOTE = 0x0200

START_WAIT_MS = 100
LEASE_MARGIN_MS = 500
# How often the lease's own parameters are read: a drive that lost its power has forgotten them.
LEASE_PERIOD_MS = 5000

INPUTS = ["speed", "running"]
INPUT_UNITS = {"speed": "%", "running": ""}
OUTPUTS = ["speed"]


class Ach550(Device):
    """``safe``: safe speed in percent, or None to hold the last speed; ``lease_ms``: 100..60000."""

    def __init__(self, name: str, unit: int, period_ms: int, lease_ms: int, safe):
        Device.__init__(self, name, unit, INPUTS, 1)
        self.period_ms = period_ms
        self.lease_ms = lease_ms
        self.settings = [Setting("actual 1 (5310)", ACTUAL_1_SOURCE, [OUTPUT_FREQUENCY_DHZ])]
        if safe is None:
            self.settings.append(Setting("comm fault function (3018)", COMM_FAULT_FUNC, [FUNC_LAST_SPEED]))
        else:
            speed = int(safe * FULL_SPEED_DHZ / 100.0 + 0.5)
            self.settings.append(Setting("constant speed 7 (1208)", CONST_SPEED_7, [speed]))
            self.settings.append(Setting("comm fault function (3018)", COMM_FAULT_FUNC, [FUNC_CONST_SPEED_7]))
        self.settings.append(Setting("comm fault time (3019)", COMM_FAULT_TIME, [lease_ms // 100]))
        self._lease = self.settings[-2].values + self.settings[-1].values
        self._status = 0
        self._status_ms = -1
        self._asked_pct = None
        self._step_ms = 0
        self.commands = [Commanded("command", "control word and reference 1 (40001)", [0], lease_ms)]
        self.rest_ms = lease_ms + LEASE_MARGIN_MS
        self._control = CW_READY_TO_SWITCH_ON

    def polls(self) -> list:
        return [
            ("status", modbus.READ_HOLDING_REGISTERS, STATUS_WORD, 2, self.period_ms),
            ("lease", modbus.READ_HOLDING_REGISTERS, COMM_FAULT_FUNC, 2, LEASE_PERIOD_MS),
        ]

    def received(self, tag, data: bytes, now_ms: int):
        if tag == "lease":
            if self.ready and list(modbus.unpack_registers(data)) != self._lease:
                self.verify_again("it has lost its lease: was its power off?")
            return
        if tag != "status":
            return
        status = (data[0] << 8) | data[1]
        if self.ready and self._status & SW_RDY_REF and status & SW_SWC_ON_INHIB:
            # Out of operation without a command: its power was away, and with it what was set.
            self.verify_again("the drive was restarted")
        self._status = status
        self._status_ms = now_ms
        count = (data[2] << 8) | data[3]
        self.values[0] = (count - 65536 if count & 0x8000 else count) * 100.0 / FULL_SPEED_DHZ
        self.values[1] = 1.0 if self._status & SW_RDY_REF else 0.0
        self.stamps_ms[0] = self.stamps_ms[1] = now_ms
        self.not_following = ""
        if self._status & SW_TRIPPED:
            self.not_following = "drive tripped"
        elif not self._status & SW_REMOTE:
            self.not_following = "drive in local control"
        self.faults[0] = self.faults[1] = ""

    def places(self, tag) -> list:
        return [0, 1] if tag == "status" else []

    def lost(self, now_ms: int):
        self._asked_pct = None
        self._status_ms = -1

    def verified(self, now_ms: int):
        self._asked_pct = None
        self._status_ms = -1
        self.read_now("status")

    def actual(self, channel: int):
        return self.values[0] if self._status_ms >= 0 else None

    def drive(self, channel: int, percent: float, now_ms: int):
        self._asked_pct = percent

    def work(self, now_ms: int):
        percent = self._asked_pct
        if percent is None or self._status_ms < 0:
            return
        reference = int(percent * FULL_REFERENCE / 100.0 + 0.5)
        self.commands[0].want([self._next_control(now_ms), reference], [percent], now_ms)
        Device.work(self, now_ms)

    def send(self, command) -> bool:
        return self.write_registers(command.tag, CONTROL_WORD, command.wanted)

    def _next_control(self, now_ms: int) -> int:
        """Step through the start sequence by the status word; a running drive is taken over as it runs."""
        status = self._status
        if status & SW_TRIPPED:
            self._control = CW_READY_TO_SWITCH_ON
            return self._control
        if now_ms - self._step_ms < START_WAIT_MS:
            return self._control
        if status & SW_RDY_REF:
            # From 000F the ramp is released in two steps; a drive found running is past them.
            control = CW_RAMP if self._control == CW_ENABLE else CW_OPERATING
        elif status & SW_RDY_RUN:
            control = CW_ENABLE
        elif status & SW_RDY_ON:
            control = CW_READY_TO_OPERATE
        else:
            control = CW_READY_TO_SWITCH_ON
        if control != self._control:
            self._control = control
            self._step_ms = now_ms
        return self._control


def build(name: str, spec: dict, wired: dict, safe: dict):
    """A driver from its table of a node file."""
    return Ach550(name, spec["unit"], spec["period_ms"], spec["lease_ms"], safe["speed"])
