"""A Modbus RTU device that is described wholly in the node file, register by register.

Every [device.NAME.register.REGISTER] has a role: "read" is an input; "write" an output, and an input that
reads it back; "setting" must hold a value, "safe" the safe value of an output, and "lease" the device's
``lease_ms`` in its own unit: these are verified when the link comes up, and written where they are wrong.

An output channel is called by its register's name. Adjacent registers are read with one request; gaps are
not read, because a device may refuse what it does not have.
"""

from struct import pack, unpack

from edge.node.bus import modbus
from edge.node.devices.device import Device, Setting
from edge.node.devices.leased import LEASE_MARGIN_MS, LEASE_PERIOD_MS
from edge.node.devices.switched import switched

# table -> function that reads it
TABLES = {
    "coil": modbus.READ_COILS,
    "discrete": modbus.READ_DISCRETE_INPUTS,
    "holding": modbus.READ_HOLDING_REGISTERS,
    "input": modbus.READ_INPUT_REGISTERS,
}
BITS = ["coil", "discrete"]
# type -> (registers, lowest and highest raw value of a whole number)
TYPES = {
    "bit": (1, 0, 1),
    "u16": (1, 0, 0xFFFF),
    "s16": (1, -0x8000, 0x7FFF),
    "u32": (2, 0, 0xFFFFFFFF),
    "s32": (2, -0x80000000, 0x7FFFFFFF),
    "f32": (2, None, None),
}

# Without a lease outputs are written again so often: the device may have been without power.
REFRESH_MS = 10000
MOST_BITS = 256


def decode(kind: str, low_first: bool, words) -> float:
    """The raw number in one or two registers. ``low_first``: the low word comes first."""
    if TYPES[kind][0] == 1:
        word = words[0]
        return word - 0x10000 if kind == "s16" and word & 0x8000 else word
    high, low = (words[1], words[0]) if low_first else (words[0], words[1])
    if kind == "f32":
        return unpack(">f", pack(">HH", high, low))[0]
    number = high * 0x10000 + low
    return number - 0x100000000 if kind == "s32" and high & 0x8000 else number


def encode(kind: str, low_first: bool, number: float) -> list:
    """Registers of a raw number, rounded to a whole one and cut to its range where the type is one."""
    if kind == "f32":
        words = list(unpack(">HH", pack(">f", number)))
    else:
        size, low, high = TYPES[kind]
        whole = int(number + 0.5) if number >= 0 else -int(0.5 - number)
        whole = low if whole < low else high if whole > high else whole
        if size == 1:
            return [whole & 0xFFFF]
        words = [(whole >> 16) & 0xFFFF, whole & 0xFFFF]
    return [words[1], words[0]] if low_first else words


class Register:
    """One register of the description; ``place``: of its reading, -1: none."""

    def __init__(self, name: str, spec: dict, place: int):
        self.name = name
        self.table = spec["table"]
        self.address = spec["address"]
        self.kind = spec["type"]
        self.low_first = spec.get("word_order") == "low_first"
        self.scale = spec.get("scale", 1.0)
        self.offset = spec.get("offset", 0.0)
        self.bad = spec.get("bad", [])
        self.bit = spec.get("bit", -1)
        self.at_0 = spec.get("at_0", 0.0)
        self.at_100 = spec.get("at_100", 100.0)
        self.size = TYPES[self.kind][0]
        self.place = place

    def raw(self, percent: float) -> list:
        """What is written for an output of 0..100 %."""
        if self.kind == "bit":
            return [switched(percent)]
        value = self.at_0 + percent * (self.at_100 - self.at_0) / 100.0
        return self.encoded(value)

    def encoded(self, value: float) -> list:
        """What is written for a value in the register's unit."""
        if self.kind == "bit":
            return [1 if value else 0]
        return encode(self.kind, self.low_first, (value - self.offset) / self.scale)


class ModbusDevice(Device):
    """``registers``: name -> table of the node file; ``safe``: output -> safe value in percent, None: hold.

    ``lease_ms``: 0 where the device watches nobody.
    """

    def __init__(self, name: str, unit: int, period_ms: int, registers: dict, safe: dict, lease_ms: int = 0):
        names = sorted(registers)
        readings = [key for key in names if registers[key]["role"] == "read"]
        writes = [key for key in names if registers[key]["role"] == "write"]
        # An output whose position stands elsewhere can't be read back itself.
        readings += [key for key in writes if "actual" not in registers[key]]
        Device.__init__(self, name, unit, readings, len(writes))
        self.period_ms = period_ms
        self.lease_ms = lease_ms or 3 * REFRESH_MS
        if lease_ms and writes:
            self.rest_ms = lease_ms + LEASE_MARGIN_MS
        self.registers = {}
        for key in names:
            place = readings.index(key) if key in readings else -1
            self.registers[key] = Register(key, registers[key], place)
        self.blocks = _blocks([self.registers[key] for key in readings])
        self._outputs = [self.registers[key] for key in writes]
        self._places = [self.inputs[registers[key].get("actual", key)] for key in writes]
        self._by_name = {writes[i]: i for i in range(len(writes))}
        self._wanted = [None] * len(writes)
        self._sent = [None] * len(writes)
        self._sent_ms = [0] * len(writes)
        for key in names:
            values = self._held(registers[key], self.registers[key], safe, lease_ms)
            if values is not None:
                register = self.registers[key]
                self.settings.append(Setting(key, register.address, values, register.table == "coil"))

    def _held(self, spec: dict, register: Register, safe: dict, lease_ms: int):
        """What a register must hold, or None where it needs not hold anything."""
        role = spec["role"]
        if role == "setting":
            return register.encoded(spec["value"])
        if role == "lease" and lease_ms:
            return register.encoded(lease_ms / spec["unit_ms"])
        if role == "safe" and safe.get(spec["output"]) is not None:
            return self.registers[spec["output"]].raw(safe[spec["output"]])
        return None

    def polls(self) -> list:
        polls = []
        for i in range(len(self.blocks)):
            members, first, count = self.blocks[i]
            polls.append((i, TABLES[members[0].table], first, count, self.period_ms))
        for i in range(len(self.settings)):
            # What it holds now and then: without power for a moment it may have forgotten.
            setting = self.settings[i]
            table = "coil" if setting.coil else "holding"
            count = len(setting.values)
            polls.append((("held", i), TABLES[table], setting.address, count, LEASE_PERIOD_MS))
        return polls

    def received(self, tag, data: bytes, now_ms: int):
        if isinstance(tag, tuple) and self.ready:
            setting = self.settings[tag[1]]
            wrong = self.wrong_setting(setting, data)
            if wrong:
                self.verify_again("%s is %s" % (setting.name, wrong))
        if not isinstance(tag, int):
            return
        members, first, count = self.blocks[tag]
        if members[0].table in BITS:
            words = modbus.unpack_bits(data, count)
        else:
            words = modbus.unpack_registers(data)
        for register in members:
            at = register.address - first
            number = decode(register.kind, register.low_first, words[at : at + register.size])
            self._take(register, number, now_ms)

    def _take(self, register: Register, number, now_ms: int):
        place = register.place
        self.stamps_ms[place] = now_ms
        if number - number != 0:
            self.faults[place] = "not a number"
        elif number in register.bad:
            self.faults[place] = "bad value %s" % number
        else:
            if register.bit >= 0:
                number = number >> register.bit & 1
            self.values[place] = number * register.scale + register.offset
            self.faults[place] = ""

    def refused(self, tag, code: int, now_ms: int):
        """What one request is refused says nothing about the others."""
        if not isinstance(tag, int):
            Device.refused(self, tag, code, now_ms)
            return
        self._failures = 0
        for register in self.blocks[tag][0]:
            self.faults[register.place] = "refused: " + self.refusal(code)

    def _index(self, channel) -> int:
        """Of an output by its name, or by its number in the order of names."""
        return self._by_name.get(channel, channel)

    def actual(self, channel):
        """Where the output stands by its read-back, in percent of its range."""
        i = self._index(channel)
        place = self._places[i]
        if self.stamps_ms[place] < 0 or self.faults[place]:
            return None
        output = self._outputs[i]
        if output.kind == "bit":
            return 100.0 if self.values[place] else 0.0
        percent = (self.values[place] - output.at_0) * 100.0 / (output.at_100 - output.at_0)
        return 0.0 if percent < 0.0 else 100.0 if percent > 100.0 else percent

    def drive(self, channel, percent: float, now_ms: int):
        i = self._index(channel)
        self._wanted[i] = self._outputs[i].raw(percent)

    def work(self, now_ms: int):
        for i in range(len(self._outputs)):
            wanted = self._wanted[i]
            if wanted is None:
                continue
            if wanted == self._sent[i] and now_ms - self._sent_ms[i] < self.lease_ms // 3:
                continue
            self._write(self._outputs[i], wanted)
            self._sent[i] = wanted
            self._sent_ms[i] = now_ms

    def unsent(self) -> bool:
        for i in range(len(self._outputs)):
            if self._wanted[i] is not None and self._wanted[i] != self._sent[i]:
                return True
        return False

    def _write(self, output: Register, words: list):
        tag = "write " + output.name
        self.commanded(tag)
        if output.kind == "bit":
            self.write_coil(tag, output.address, words[0])
        elif len(words) == 1:
            self.write_register(tag, output.address, words[0])
        else:
            self.write_registers(tag, output.address, words)

    def verified(self, now_ms: int):
        self._wanted = [None] * len(self._outputs)
        self._sent = [None] * len(self._outputs)
        for place in self._places:
            self.faults[place] = "not read back yet"
        if self._places:
            for tag in range(len(self.blocks)):
                self.read_now(tag)

    def failed(self, tag, why: str, now_ms: int):
        Device.failed(self, tag, why, now_ms)
        if isinstance(tag, int):
            # It may answer everything else.
            for register in self.blocks[tag][0]:
                self.faults[register.place] = "no reply: " + why
        else:
            self._sent = [None] * len(self._outputs)


def _blocks(registers: list) -> list:
    """(registers that one request reads, first address, count), by table and address."""
    blocks = []
    # Sorted: a dict of MicroPython has no order of its own.
    for table in sorted(TABLES):
        most = MOST_BITS if table in BITS else modbus.MAX_READ_REGISTERS
        members = []
        first = end = 0
        for register in sorted([one for one in registers if one.table == table], key=_address):
            stop = register.address + register.size
            if members and (register.address > end or stop - first > most):
                blocks.append((members, first, end - first))
                members = []
            if not members:
                first = end = register.address
            members.append(register)
            end = stop if stop > end else end
        if members:
            blocks.append((members, first, end - first))
    return blocks


def _address(register: Register) -> int:
    return register.address


def build(name: str, spec: dict, wired: dict, safe: dict):
    """A driver from its table of a node file."""
    registers = spec["register"]
    return ModbusDevice(name, spec["unit"], spec["period_ms"], registers, safe, spec.get("lease_ms", 0))
