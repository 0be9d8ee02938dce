"""What every driver shares: its readings with age and fault, its settings, its queue of writes."""

from edge.node.bus import modbus


class Setting:
    """Registers or coils that must hold given values: verified, and written where the driver may.

    ``coil``: a coil instead of holding registers. ``writable``: False for what a node only
    checks, because the instrument keeps it in a memory that wears or a person must decide it.
    """

    def __init__(self, name: str, address: int, values: list, coil: bool = False, writable: bool = True):
        self.name = name
        self.address = address
        self.values = list(values)
        self.coil = coil
        self.writable = writable


class Device:
    """One instrument with one unit id on a bus.

    The bus calls ``replied``, ``refused`` and ``failed``; the node calls ``tick`` once a tick.
    ``inputs`` maps names as in the node file to places in ``values``, ``faults`` and ``stamps_ms``
    (-1: never read). ``ready``: settings verified since the link came up.
    """

    # A link counts as lost after so many failures in a row; then settings are verified anew,
    # because a device that was silent may have been restarted or exchanged.
    LOST_AFTER = 3

    # A lost unit is left alone for so long: its own watchdog must be able to run out.
    rest_ms = 0

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
        # Why the device does not follow what it is told, though it answers: tripped, in local control.
        self.not_following = ""
        self.station = None
        self._failures = 0
        self._at = 0
        self._asked = False

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

    # Answers from the bus -----------------------------------------------------------------

    def replied(self, tag, data: bytes, now_ms: int):
        """A reply to the request ``tag``; ``data`` without header and CRC."""
        self._failures = 0
        self.link_fault = ""
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
        why = modbus.EXCEPTIONS.get(code, "exception %d" % code)
        if tag == "verify" or tag == "set":
            self.fault = "%s refused: %s" % (self.settings[self._at].name, why)
            self.ready = False
            self._at = 0
            self._asked = False
        else:
            self.link_fault = "refused: " + why
            self.set_fault(self.link_fault)

    def failed(self, tag, why: str, now_ms: int):
        """No usable reply to the request ``tag``."""
        self._failures += 1
        self.link_fault = why
        if tag == "verify" or tag == "set":
            self._asked = False
        if self._failures >= self.LOST_AFTER and self.ready:
            self.verify_again("not verified since the link was lost")
            self.lost(now_ms)

    def verify_again(self, why: str):
        """Not ready until all settings have been verified anew."""
        self.ready = False
        self.fault = why
        self._at = 0
        self._asked = False
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
        elif not self._asked:
            self._verify_next(now_ms)

    def _verify_next(self, now_ms: int):
        if self._at >= len(self.settings):
            self.ready = True
            self.fault = ""
            self.verified(now_ms)
            return
        setting = self.settings[self._at]
        function = modbus.READ_COILS if setting.coil else modbus.READ_HOLDING_REGISTERS
        self._asked = True
        self.read("verify", function, setting.address, len(setting.values))

    def _verified(self, data: bytes, now_ms: int):
        self._asked = False
        setting = self.settings[self._at]
        count = len(setting.values)
        if setting.coil:
            found = [1 if bit else 0 for bit in modbus.unpack_bits(data, count)]
        else:
            found = list(modbus.unpack_registers(data))
        if found == setting.values:
            self._at += 1
            self._verify_next(now_ms)
            return
        self.fault = "%s is %s, the node file says %s" % (setting.name, shown(found), shown(setting.values))
        if not setting.writable:
            self._at = 0
            self.set_fault(self.fault)
            return
        self._asked = True
        if setting.coil:
            self.write_coil("set", setting.address, setting.values[0])
        elif count == 1:
            self.write_register("set", setting.address, setting.values[0])
        else:
            self.write_registers("set", setting.address, setting.values)

    # What a family says -------------------------------------------------------------------

    def polls(self) -> list:
        """(tag, function, address, count, period_ms) of everything read again and again."""
        return []

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
        return False


def shown(values: list) -> str:
    """A short list of registers for a message."""
    if len(values) == 1:
        return str(values[0])
    return "[" + " ".join("%02X" % value for value in values) + "]"
