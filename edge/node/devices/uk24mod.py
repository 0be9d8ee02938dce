"""Belimo UK24MOD: gateway from Modbus RTU to damper actuators on the MP-Bus, up to eight of them.

Registers: product information T9-UK24MOD v1.7, p. 13-15 (read: 1 set-point, 2 override, 3 command, 4
position, 5 flow, 12 actuator type, 13-17), register overview p. 11 by an open list of it (6 malfunctions,
7-11). Assumed: those of actuator MP n begin 20 (n - 1) higher (the service registers were at 161), and a
set-point is forgotten without power. Functions 3 and 6 only.

Register 12 falls to 0 when the gateway has heard nothing of an actuator on the MP-Bus for 10 s: there is
no position then. The gateway does not watch its Modbus master: an actuator without a new set-point stays
where it is, so that its safe value is reached only by a living node, and ``hold`` is what a dead one
leaves.
"""

from edge.node.bus import modbus
from edge.node.devices.commanded import Commanded
from edge.node.devices.device import Device

ACTUATORS = 8
REGISTERS_EACH = 20

# Data addresses of actuator MP1 (the table's number less one).
SETPOINT = 0x0000  # 1, 0.01 %
OVERRIDE = 0x0001  # 2
COMMAND = 0x0002  # 3
POSITION = 0x0003  # 4, 0.01 %
FLOW = 0x0004  # 5, 0.01 %
MALFUNCTIONS = 0x0005  # 6, bits
ACTUATOR_TYPE = 0x000B  # 12, 0: not connected
MIN_SETTING = 0x000D  # 14, 0.01 %
MAX_SETTING = 0x000E  # 15, 0.01 %

FULL_COUNT = 10000
NOT_CONNECTED = 0
UNCONNECTED = "actuator not connected"
FIRST_READ = POSITION
WORDS = ACTUATOR_TYPE - POSITION + 1

# A set-point is written again so often: the gateway may have been without power.
REFRESH_MS = 10000

INPUTS = ["mp1", "mp2", "mp3", "mp4", "mp5", "mp6", "mp7", "mp8"]
INPUT_UNITS = {"mp1": "%", "mp2": "%", "mp3": "%", "mp4": "%", "mp5": "%", "mp6": "%", "mp7": "%", "mp8": "%"}
OUTPUTS = INPUTS


def counts(percent: float) -> int:
    """Register value of a position of 0..100 %."""
    return int(percent * FULL_COUNT / 100.0 + 0.5)


class Uk24Mod(Device):
    """``actuators``: how many there are on the MP-Bus, MP1 the first."""

    lease_ms = 3 * REFRESH_MS

    def __init__(self, name: str, unit: int, period_ms: int, actuators: int):
        Device.__init__(self, name, unit, INPUTS[:actuators], actuators)
        self.period_ms = period_ms
        for i in range(actuators):
            what = "set-point of mp%d (%d)" % (i + 1, i * REGISTERS_EACH + SETPOINT + 1)
            self.commands.append(Commanded("set mp%d" % (i + 1), what, [i], self.lease_ms))

    def polls(self) -> list:
        polls = []
        for i in range(self.outputs):
            first = i * REGISTERS_EACH + FIRST_READ
            polls.append((i, modbus.READ_HOLDING_REGISTERS, first, WORDS, self.period_ms))
        return polls

    def received(self, tag, data: bytes, now_ms: int):
        if not isinstance(tag, int):
            return
        words = modbus.unpack_registers(data)
        position = words[POSITION - FIRST_READ]
        malfunctions = words[MALFUNCTIONS - FIRST_READ]
        fault = ""
        if words[ACTUATOR_TYPE - FIRST_READ] == NOT_CONNECTED:
            fault = UNCONNECTED
            # A set-point may not have reached it.
            self.commands[tag].doubt(now_ms)
        elif malfunctions:
            fault = "malfunction %04X" % malfunctions
        elif position > FULL_COUNT:
            fault = "no position"
        self.values[tag] = position * 100.0 / FULL_COUNT
        self.faults[tag] = fault
        self.stamps_ms[tag] = now_ms

    def actual(self, channel: int):
        return self.values[channel] if self.faults[channel] == "" else None

    def places(self, tag) -> list:
        return [tag] if isinstance(tag, int) else []

    def drive(self, channel: int, percent: float, now_ms: int):
        self.commands[channel].want(counts(percent), [percent], now_ms)

    def work(self, now_ms: int):
        for command in self.commands:
            # The gateway would acknowledge what no actuator takes.
            if self.faults[command.channels[0]] != UNCONNECTED and command.due(now_ms):
                command.sending(self.send(command), now_ms)

    def unconfirmed(self, channel) -> str:
        return self.faults[channel] or Device.unconfirmed(self, channel)

    def send(self, command) -> bool:
        address = command.channels[0] * REGISTERS_EACH + SETPOINT
        return self.write_register(command.tag, address, command.wanted)

    def verified(self, now_ms: int):
        for i in range(self.outputs):
            self.faults[i] = "not read back yet"
            self.read_now(i)


def build(name: str, spec: dict, wired: dict, safe: dict):
    """A driver from its table of a node file."""
    return Uk24Mod(name, spec["unit"], spec["period_ms"], spec["actuators"])
