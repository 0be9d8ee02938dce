"""Settings of an instrument: what they must be, how Modbus asks for them, and the look at all of them."""

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


class ModbusSettings:
    """How a Modbus device is asked for a Setting. ``unit``: 1..247."""

    PROTOCOL = "modbus"

    def __init__(self, unit: int):
        self._unit = unit

    def ask(self, setting) -> bytes:
        """The request that reads a setting."""
        function = modbus.READ_COILS if setting.coil else modbus.READ_HOLDING_REGISTERS
        return modbus.read_request(self._unit, function, setting.address, len(setting.values))

    def write(self, setting) -> bytes:
        """The request that writes a setting."""
        if len(setting.values) == 1 and not setting.several:
            write = modbus.write_coil if setting.coil else modbus.write_register
            return write(self._unit, setting.address, setting.values[0])
        write = modbus.write_coils if setting.coil else modbus.write_registers
        return write(self._unit, setting.address, setting.values)

    def wrong(self, setting, data: bytes) -> str:
        """Empty where a setting is right by the reply's data, else what it is and what it must be."""
        if setting.coil:
            found = [1 if bit else 0 for bit in modbus.unpack_bits(data, len(setting.values))]
        else:
            found = list(modbus.unpack_registers(data))
        if found == setting.values:
            return ""
        return "%s, the node file says %s" % (shown(found), shown(setting.values))

    def refusal(self, code: int) -> str:
        """A refusal in words."""
        return modbus.EXCEPTIONS.get(code, "exception %d" % code)


class Verification:
    """Looks at the settings of a device one after the other, and writes those that are wrong and writable.

    When all are right the device is told verified(). Requests go under the tags VERIFY and SET.
    """

    VERIFY = "verify"
    SET = "set"
    # A setting that stays wrong is looked at again later, and not written on and on: such memories wear.
    LOOK_AGAIN_MS = 5000
    MOST_WRITES = 2

    def __init__(self, device):
        self._device = device
        self.begin()

    def begin(self):
        """From the first setting on."""
        # How many have been verified.
        self.at = 0
        self._asked = False
        self._writes = 0
        self._look_ms = 0

    def step(self, now_ms: int):
        """Once a tick while the device is not ready: ask, unless an answer is awaited."""
        if not self._asked and now_ms >= self._look_ms:
            self._next(now_ms)

    def _next(self, now_ms: int):
        device = self._device
        if self.at >= len(device.settings):
            device.now_ready(now_ms)
            return
        self._asked = True
        device.station.queue(self.VERIFY, device.language.ask(device.settings[self.at]))

    def answered(self, tag, data: bytes, now_ms: int):
        """The reply to a request under one of the two tags."""
        self._asked = False
        if tag == self.SET:
            # Another look says what it is now.
            self._next(now_ms)
            return
        device = self._device
        setting = device.settings[self.at]
        wrong = device.language.wrong(setting, data)
        if not wrong:
            self.at += 1
            self._writes = 0
            self._next(now_ms)
            return
        device.fault = "%s is %s" % (setting.name, wrong)
        if setting.writable and self._writes < self.MOST_WRITES:
            self._writes += 1
            self._asked = True
            device.station.queue(self.SET, device.language.write(setting))
            return
        if setting.writable:
            device.fault += ", and it does not change when written"
        device.set_fault(device.fault)
        self._give_up(now_ms)

    def refused(self, tag, code: int, why: str, now_ms: int):
        """A refusal: what lasts is asked for again later, what may pass at the next tick."""
        device = self._device
        device.fault = "%s %s" % (device.settings[self.at].name, why)
        device.ready = False
        self._asked = False
        if code in modbus.LASTING:
            self._give_up(now_ms)
        elif tag == self.SET:
            # Nothing was written that wears its memory.
            self._writes -= 1

    def failed(self):
        """No usable reply: it is asked for again at the next tick."""
        self._asked = False

    def _give_up(self, now_ms: int):
        """Look at all settings again later."""
        self.at = 0
        self._writes = 0
        self._look_ms = now_ms + self.LOOK_AGAIN_MS


def shown(values: list) -> str:
    """A short list of registers for a message."""
    if len(values) == 1:
        return str(values[0])
    return "[" + " ".join("%02X" % value for value in values) + "]"
