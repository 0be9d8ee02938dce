"""What every driver shares: its readings with age and fault, its settings, its commands."""

from edge.node.bus import modbus
from edge.node.devices.settings import ModbusSettings, Setting, Verification

__all__ = ["Device", "Setting"]


class Device:
    """One instrument with one unit id on a bus.

    The bus calls ``replied``, ``refused``, ``altered`` and ``failed``; the node calls ``tick`` once a tick.
    ``inputs`` maps names as in the node file to places in ``values``, ``faults`` and ``stamps_ms``
    (-1: never read). ``ready``: settings verified since the link came up. ``commands``: what moves its
    outputs, each an edge.node.devices.commanded.Commanded.
    """

    # A link counts as lost when the bus counts the unit as down, or after so many failures in a row; then
    # settings are verified anew, because a device that was silent may have been restarted or exchanged.
    LOST_AFTER = 3
    # A lost unit that is driven is left alone for so long: its own watchdog must be able to run out.
    rest_ms = 0
    # Outputs are written again every third of this.
    lease_ms = 0

    def __init__(self, name: str, unit: int, input_names: list, outputs: int = 0):
        self.name = name
        self.unit = unit
        self.inputs = {input_names[i]: i for i in range(len(input_names))}
        self.values = [0.0] * len(input_names)
        self.faults = ["not read yet"] * len(input_names)
        self.stamps_ms = [-1] * len(input_names)
        self.outputs = outputs
        self.settings = []
        self.ready = False
        self.fault = "not verified yet"
        self.link_fault = ""
        # Whether it answers: since its first reply, until LOST_AFTER failures in a row.
        self.linked = False
        # Why the device does not follow what it is told, though it answers: tripped, in local control.
        self.not_following = ""
        self.station = None
        self.commands = []
        # How it is asked for its settings; by DCON commands: edge.node.devices.dcon_device.DconSettings.
        self.language = ModbusSettings(unit)
        self.verification = Verification(self)
        self._failures = 0

    @property
    def protocol(self) -> str:
        """What it speaks."""
        return self.language.PROTOCOL

    def attach(self, station):
        """Called by the bus with this device's queue."""
        self.station = station

    # Requests a driver makes --------------------------------------------------------------
    # A write answers whether it took the place of an earlier one of its tag that was still waiting.

    def write_register(self, tag, address: int, value: int) -> bool:
        return self.station.queue(tag, modbus.write_register(self.unit, address, value))

    def write_registers(self, tag, address: int, values: list) -> bool:
        return self.station.queue(tag, modbus.write_registers(self.unit, address, values))

    def write_coil(self, tag, address: int, on: bool) -> bool:
        return self.station.queue(tag, modbus.write_coil(self.unit, address, on))

    def write_coils(self, tag, address: int, bits: list) -> bool:
        return self.station.queue(tag, modbus.write_coils(self.unit, address, bits))

    def read_now(self, tag):
        """Read what the poll of that tag reads, before any poll."""
        for poll in self.station.polls:
            if poll.tag == tag:
                self.station.queue(tag, poll.request)

    # Answers from the bus -----------------------------------------------------------------

    def replied(self, tag, data: bytes, now_ms: int):
        """A reply to the request ``tag``; ``data`` without header and CRC."""
        self._heard()
        command = self._command_of(tag)
        if command is not None:
            why = self.ignored(data)
            if why:
                command.refused(why, now_ms)
            else:
                command.answered(now_ms)
        if tag == "verify" or tag == "set":
            self.verification.answered(tag, data, now_ms)
        else:
            self.received(tag, data, now_ms)

    def refused(self, tag, code: int, now_ms: int):
        """An exception reply: the device is alive but won't do this, or not now."""
        self._heard()
        why = "refused: " + self.language.refusal(code)
        command = self._command_of(tag)
        if command is not None:
            command.refused("%s (exception %d)" % (why, code), now_ms)
        elif tag == "verify" or tag == "set":
            self.verification.refused(tag, code, why, now_ms)
        else:
            self.link_fault = why
            if code in modbus.LASTING:
                for place in self.places(tag):
                    self.faults[place] = why

    def altered(self, tag, why: str, now_ms: int):
        """The device has taken another value than it was sent."""
        self._heard()
        command = self._command_of(tag)
        if command is not None:
            command.altered(why, now_ms)
        elif tag == "set":
            self.verification.answered(tag, b"", now_ms)

    def failed(self, tag, why: str, now_ms: int):
        """No usable reply to the request ``tag``."""
        self._failures += 1
        self.link_fault = why
        command = self._command_of(tag)
        if command is not None:
            command.missed(why, now_ms)
        if tag == "verify" or tag == "set":
            self.verification.failed()
        if self._failures < self.LOST_AFTER and not self.station.down:
            return
        self.linked = False
        if self.ready:
            self.verify_again("not verified since the link was lost")
            self.lost(now_ms)
        elif self.verification.at:
            # What was verified before may be another instrument's.
            self.verify_again(self.fault)

    def _heard(self):
        """It has answered."""
        self._failures = 0
        self.linked = True
        self.link_fault = ""

    def _command_of(self, tag):
        for command in self.commands:
            if command.tag == tag:
                return command
        return None

    def verify_again(self, why: str):
        """Not ready until all settings have been verified anew."""
        self.ready = False
        self.fault = why
        self.verification.begin()
        self.forget_commands()
        self.station.clear()

    def doubt_commands(self, now_ms: int):
        """What the outputs hold is not known any more, though the device has confirmed it."""
        for command in self.commands:
            command.doubt(now_ms)

    def forget_commands(self):
        """What they are asked for and hold is not known any more."""
        for command in self.commands:
            command.forget()

    def set_fault(self, why: str):
        """All inputs of the device are unusable for this reason."""
        for i in range(len(self.faults)):
            self.faults[i] = why

    # The tick -----------------------------------------------------------------------------

    def tick(self, now_ms: int):
        """Once a tick: verify settings one after the other, then do what the family needs."""
        for command in self.commands:
            command.expire(now_ms)
        if self.ready:
            self.work(now_ms)
        else:
            self.verification.step(now_ms)

    def now_ready(self, now_ms: int):
        """All settings are right."""
        self.ready = True
        self.fault = ""
        self.forget_commands()
        self.verified(now_ms)

    # What a family says -------------------------------------------------------------------

    def polls(self) -> list:
        """(tag, function, address, count, period_ms) of everything read again and again."""
        return []

    def period_of(self, name: str) -> int:
        """How often an input is read, ms."""
        return self.period_ms

    def received(self, tag, data: bytes, now_ms: int):
        """Turn a poll's data into readings."""

    def verified(self, now_ms: int):
        """All settings hold; outputs may be driven."""

    def lost(self, now_ms: int):
        """The link is lost."""

    def places(self, tag) -> list:
        """The inputs that the reply to a poll fills; all of them where a family does not say."""
        for poll in self.station.polls:
            if tag in poll.tags():
                return list(range(len(self.faults)))
        return []

    def ignored(self, data: bytes) -> str:
        """Why the reply to a command confirms nothing, empty where it does."""
        return ""

    # Outputs ------------------------------------------------------------------------------

    def work(self, now_ms: int):
        """Once a tick while ready: write what is due."""
        for command in self.commands:
            if command.due(now_ms):
                command.sending(self.send(command), now_ms)

    def send(self, command) -> bool:
        """Queue the request of a command; what the write answers."""
        raise NotImplementedError

    def drive(self, channel: int, percent: float, now_ms: int):
        """Ask for an output value, 0..100 %."""

    def actual(self, channel: int):
        """The output's real value in percent as told since the link came up, or None."""
        return None

    def index(self, channel) -> int:
        """The number of an output channel."""
        return channel

    def command_for(self, channel):
        """What moves an output channel, or None."""
        number = self.index(channel)
        for command in self.commands:
            if number in command.channels:
                return command
        return None

    def confirmed(self, channel):
        """The value of an output in percent that the device has confirmed last; None: not known now.

        While the device holds what drive() asked for it is exactly that.
        """
        command = self.command_for(channel)
        return None if command is None else command.confirmed_pct(self.index(channel))

    def pending_since_ms(self, channel) -> int:
        """Since when the device has not confirmed what drive() asks for; -1 where it has."""
        command = self.command_for(channel)
        return -1 if command is None else command.pending_since_ms

    def unconfirmed(self, channel) -> str:
        """Why the value of an output is not confirmed, as far as is known."""
        command = self.command_for(channel)
        return command.why if command is not None and command.why else "not confirmed yet"

    def trouble(self) -> str:
        """Which commands the device does not take, and why; empty where it takes all."""
        return "; ".join([command.trouble for command in self.commands if command.trouble])

    def news(self, now_ms: int) -> list:
        """What of the troubles of its commands has begun or ended since the last call, in words."""
        return [news for news in [command.news(now_ms) for command in self.commands] if news]
