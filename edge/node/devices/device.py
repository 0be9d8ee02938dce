"""What every driver shares: its readings with age and fault, its settings, its queue of writes."""

from edge.node.bus import modbus


class Setting:
    """Registers or coils that must hold given values: verified, and written where the driver may.

    ``coil``: a coil instead of holding registers. ``writable``: False for what a node only
    checks, because the instrument keeps it in a memory that wears or a person must decide it.
    ``several``: also a single one is written by the function for several.
    """

    def __init__(self, name: str, address: int, values: list, coil=False, writable=True, several=False):
        self.name = name
        self.address = address
        self.values = list(values)
        self.coil = coil
        self.writable = writable
        self.several = several


class Device:
    """One instrument with one unit id on a bus.

    The bus calls ``replied``, ``refused`` and ``failed``; the node calls ``tick`` once a tick.
    ``inputs`` maps names as in the node file to places in ``values``, ``faults`` and ``stamps_ms``
    (-1: never read). ``ready``: settings verified since the link came up.
    """

    # A link counts as lost when the bus counts the unit as down, or after so many failures in a row; then
    # settings are verified anew, because a device that was silent may have been restarted or exchanged.
    LOST_AFTER = 3
    # A setting that stays wrong is looked at again later, and not written on and on: such memories wear.
    LOOK_AGAIN_MS = 5000
    MOST_WRITES = 2
    # A lost unit that is driven is left alone for so long: its own watchdog must be able to run out.
    rest_ms = 0
    # What it speaks; a device of DCON commands is an edge.node.devices.dcon_device.DconDevice.
    protocol = "modbus"
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
        # Tags of commands that have not been answered.
        self._open = []
        self._failures = 0
        self._at = 0
        self._asked = False
        self._writes = 0
        self._look_ms = 0

    def attach(self, station):
        """Called by the bus with this device's queue."""
        self.station = station

    # Requests a driver makes --------------------------------------------------------------

    def read(self, tag, function: int, address: int, count: int):
        self.station.queue(tag, modbus.read_request(self.unit, function, address, count))

    def write_register(self, tag, address: int, value: int):
        self.station.queue(tag, modbus.write_register(self.unit, address, value))

    def write_registers(self, tag, address: int, values: list):
        self.station.queue(tag, modbus.write_registers(self.unit, address, values))

    def write_coil(self, tag, address: int, on: bool):
        self.station.queue(tag, modbus.write_coil(self.unit, address, on))

    def write_coils(self, tag, address: int, bits: list):
        self.station.queue(tag, modbus.write_coils(self.unit, address, bits))

    def read_now(self, tag):
        """Read what the poll of that tag reads, before any poll."""
        for poll in self.station.polls:
            if poll.tag == tag:
                self.station.queue(tag, poll.request)

    def commanded(self, tag):
        """What was queued under that tag is a command: it is pending until it is answered."""
        if tag not in self._open:
            self._open.append(tag)

    # Answers from the bus -----------------------------------------------------------------

    def replied(self, tag, data: bytes, now_ms: int):
        """A reply to the request ``tag``; ``data`` without header and CRC."""
        self._failures = 0
        self.linked = True
        self.link_fault = ""
        self._close(tag)
        if tag == "verify":
            self._verified(data, now_ms)
        elif tag == "set":
            self._asked = False
            self._verify_next(now_ms)
        else:
            self.received(tag, data, now_ms)

    def refused(self, tag, code: int, now_ms: int):
        """An exception reply: the device is alive but won't do this."""
        self._failures = 0
        self.linked = True
        self._close(tag)
        why = self.refusal(code)
        if tag == "verify" or tag == "set":
            self.fault = "%s refused: %s" % (self.settings[self._at].name, why)
            self.ready = False
            self._asked = False
            self._give_up(now_ms)
        else:
            self.link_fault = "refused: " + why
            self.set_fault(self.link_fault)

    def failed(self, tag, why: str, now_ms: int):
        """No usable reply to the request ``tag``."""
        self._failures += 1
        self.link_fault = why
        self._close(tag)
        if tag == "verify" or tag == "set":
            self._asked = False
        if self._failures < self.LOST_AFTER and not self.station.down:
            return
        self.linked = False
        if self.ready:
            self.verify_again("not verified since the link was lost")
            self.lost(now_ms)
        elif self._at:
            # What was verified before may be another instrument's.
            self.verify_again(self.fault)

    def _close(self, tag):
        if tag in self._open:
            self._open.remove(tag)

    def verify_again(self, why: str):
        """Not ready until all settings have been verified anew."""
        self.ready = False
        self.fault = why
        self._at = 0
        self._asked = False
        self._writes = 0
        self._look_ms = 0
        self._open = []
        self.station.clear()

    def set_fault(self, why: str):
        """All inputs of the device are unusable for this reason."""
        for i in range(len(self.faults)):
            self.faults[i] = why

    # Settings -----------------------------------------------------------------------------

    def tick(self, now_ms: int):
        """Once a tick: verify settings one after the other, then do what the family needs."""
        if self.ready:
            self.work(now_ms)
        elif not self._asked and now_ms >= self._look_ms:
            self._verify_next(now_ms)

    def _verify_next(self, now_ms: int):
        if self._at >= len(self.settings):
            self.ready = True
            self.fault = ""
            self.verified(now_ms)
            return
        self._asked = True
        self.ask_setting(self.settings[self._at])

    def _verified(self, data: bytes, now_ms: int):
        self._asked = False
        setting = self.settings[self._at]
        wrong = self.wrong_setting(setting, data)
        if not wrong:
            self._at += 1
            self._writes = 0
            self._verify_next(now_ms)
            return
        self.fault = "%s is %s" % (setting.name, wrong)
        if setting.writable and self._writes < self.MOST_WRITES:
            self._writes += 1
            self._asked = True
            self.write_setting(setting)
            return
        if setting.writable:
            self.fault += ", and it does not change when written"
        self.set_fault(self.fault)
        self._give_up(now_ms)

    def _give_up(self, now_ms: int):
        """Look at all settings again later."""
        self._at = 0
        self._writes = 0
        self._look_ms = now_ms + self.LOOK_AGAIN_MS

    # How a setting is verified, by Modbus ----------------------------------------------------

    def refusal(self, code: int) -> str:
        """A refusal in words."""
        return modbus.EXCEPTIONS.get(code, "exception %d" % code)

    def ask_setting(self, setting):
        """Read a setting, under the tag "verify"."""
        function = modbus.READ_COILS if setting.coil else modbus.READ_HOLDING_REGISTERS
        self.read("verify", function, setting.address, len(setting.values))

    def wrong_setting(self, setting, data: bytes) -> str:
        """Empty where a setting is right, else what it is and what it must be."""
        if setting.coil:
            found = [1 if bit else 0 for bit in modbus.unpack_bits(data, len(setting.values))]
        else:
            found = list(modbus.unpack_registers(data))
        if found == setting.values:
            return ""
        return "%s, the node file says %s" % (shown(found), shown(setting.values))

    def write_setting(self, setting):
        """Write a setting, under the tag "set"; its answer is followed by another look."""
        single = len(setting.values) == 1 and not setting.several
        if setting.coil:
            if single:
                self.write_coil("set", setting.address, setting.values[0])
            else:
                self.write_coils("set", setting.address, setting.values)
        elif single:
            self.write_register("set", setting.address, setting.values[0])
        else:
            self.write_registers("set", setting.address, setting.values)

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

    def work(self, now_ms: int):
        """Once a tick while ready."""

    def drive(self, channel: int, percent: float, now_ms: int):
        """Ask for an output value, 0..100 %."""

    def actual(self, channel: int):
        """The output's real value in percent as told since the link came up, or None."""
        return None

    def pending(self) -> bool:
        """Whether a command is still on its way."""
        return self.ready and (bool(self._open) or self.unsent())

    def unsent(self) -> bool:
        """Whether it is asked for something that has not been sent."""
        return False


def shown(values: list) -> str:
    """A short list of registers for a message."""
    if len(values) == 1:
        return str(values[0])
    return "[" + " ".join("%02X" % value for value in values) + "]"
