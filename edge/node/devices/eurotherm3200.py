"""Eurotherm 3200 series temperature controller, Modbus RTU.

Registers: 3200 series engineering handbook HA028651 issue 7, 15.5, p. 81 (read: 1 to 26), the status word
75 by the parameter list of a sister (Super Systems 3L) and a label of the same list (Sterlco). A data
address is the parameter's number itself. Recollection, equal to an open driver for the series: 276 selects
the remote set-point, and every parameter is there again as a float, high word first, at 2 x number + 8000
hex, which spares the driver the controller's own decimal point.

A local set-point (2, 24) may be written 100,000 times only, so that the driver moves the remote one (26).
That it counts (276) is set when the link comes up; who chooses the local one later, has it until he gives
it back.
Assumed: without a new one the controller goes on with the last; it controls by itself, and watches no
master.
"""

from struct import pack, unpack

from edge.node.bus import modbus
from edge.node.devices.commanded import Commanded
from edge.node.devices.device import Device, Setting

# Data addresses: the parameter's number.
PV = 1  # 1
TARGET_SETPOINT = 2  # 2
MANUAL_OUTPUT = 3  # 3, %
WORKING_OUTPUT = 4  # 4, %
WORKING_SETPOINT = 5  # 5
PROPORTIONAL_BAND = 6  # 6
INTEGRAL_TIME = 8  # 8
DERIVATIVE_TIME = 9  # 9
SETPOINT_1 = 24  # 24
REMOTE_SETPOINT = 26  # 26
STATUS = 75  # 75, bits below
REMOTE_SELECT = 276  # 276, 1: remote set-point


def as_float(parameter: int) -> int:
    """Data address of a parameter's float, two registers with the high word first."""
    return 0x8000 + 2 * parameter


SENSOR_BREAK = 0x0020
OVER_RANGE = 0x0400
STATUS_FAULTS = [(SENSOR_BREAK, "sensor break"), (OVER_RANGE, "over range")]

# The remote set-point is written again so often: the controller may have been without power.
REFRESH_MS = 2000

INPUTS = ["pv", "output", "set_point"]
INPUT_UNITS = {"pv": "degC", "output": "%", "set_point": "degC"}
OUTPUTS = ["set_point"]


class Eurotherm3200(Device):
    """``low``, ``high``: the set-points of 0 and 100 % in degC. ``driven``: the node moves the set-point."""

    lease_ms = 3 * REFRESH_MS

    def __init__(self, name: str, unit: int, period_ms: int, low: float, high: float, driven: bool):
        Device.__init__(self, name, unit, INPUTS, 1)
        self.period_ms = period_ms
        self.low = low
        self.high = high
        if driven:
            self.settings = [Setting("remote set-point selection (276)", REMOTE_SELECT, [1])]
        self._driven = driven
        self._fault = ""
        self._status_ms = -1
        self.commands = [Commanded("set-point", "remote set-point (26)", [0], self.lease_ms)]

    def polls(self) -> list:
        first, count = as_float(PV), 2 * (WORKING_SETPOINT - PV + 1)
        polls = [
            ("status", modbus.READ_HOLDING_REGISTERS, STATUS, 1, self.period_ms),
            ("values", modbus.READ_HOLDING_REGISTERS, first, count, self.period_ms),
        ]
        if self._driven:
            polls.append(("remote", modbus.READ_HOLDING_REGISTERS, REMOTE_SELECT, 1, self.period_ms))
        return polls

    def received(self, tag, data: bytes, now_ms: int):
        if tag == "status":
            status = (data[0] << 8) | data[1]
            self._fault = ""
            self._status_ms = now_ms
            for bit, why in STATUS_FAULTS:
                if status & bit:
                    self._fault = why
                    break
            return
        if tag == "remote":
            # Somebody at its front has the word until he gives it back.
            self.not_following = "" if data[1] else "local set-point"
        if tag != "values":
            return
        pv, _, _, output, set_point = unpack(">fffff", data)
        values = [pv, output, set_point]
        for i in range(3):
            # Infinity and not a number are no reading.
            self.faults[i] = "" if values[i] - values[i] == 0.0 else "not a number"
            self.values[i] = values[i]
            self.stamps_ms[i] = now_ms
        if self._status_ms < 0 or now_ms - self._status_ms > 3 * self.period_ms:
            self.faults[0] = "status not read"
        elif self._fault:
            self.faults[0] = self._fault

    def actual(self, channel: int):
        """Where the working set-point stands between ``low`` and ``high``."""
        if self.faults[2] or self.stamps_ms[2] < 0:
            return None
        percent = (self.values[2] - self.low) * 100.0 / (self.high - self.low)
        return 0.0 if percent < 0.0 else 100.0 if percent > 100.0 else percent

    def places(self, tag) -> list:
        return [0] if tag == "status" else [0, 1, 2] if tag == "values" else []

    def drive(self, channel: int, percent: float, now_ms: int):
        set_point = self.low + percent * (self.high - self.low) / 100.0
        self.commands[0].want(set_point, [percent], now_ms)

    def send(self, command) -> bool:
        words = unpack(">HH", pack(">f", command.wanted))
        return self.write_registers(command.tag, as_float(REMOTE_SETPOINT), list(words))

    def verified(self, now_ms: int):
        self._status_ms = -1
        self.faults[2] = "not read back yet"
        self.read_now("status")
        self.read_now("values")


def build(name: str, spec: dict, wired: dict, safe: dict):
    """A driver from its table of a node file."""
    low, high = spec.get("set_point_low", 0.0), spec.get("set_point_high", 100.0)
    return Eurotherm3200(name, spec["unit"], spec["period_ms"], low, high, bool(safe))
