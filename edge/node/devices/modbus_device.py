"""A Modbus RTU device that is described wholly in the node file, register by register.

Every [device.NAME.register.REGISTER] has a role: "read" is an input; "write" an output, and an input that
reads it back; "setting" must hold a value, "safe" the safe value of an output, and "lease" the device's
``lease_ms`` in its own unit: these are verified when the link comes up, and written where they are wrong.

An output channel is called by its register's name.

A register whose bits are those of a value in ``bad`` is bad as "not available", one that holds not a number
as that; what is refused is bad by itself, and the rest goes on. ``bit`` and ``bits`` take a group of bits as
a number of its own; the groups of one word stand in the same place.
"""

from edge.node.bus import modbus
from edge.node.devices.commanded import Commanded
from edge.node.devices.device import Device, Setting
from edge.node.devices.leased import LEASE_MARGIN_MS, LEASE_PERIOD_MS
from edge.node.devices.register_blocks import BITS, TABLES, blocks
from edge.node.devices.register_codec import codec_of
from edge.node.devices.switched import switched

# Without a lease outputs are written again so often: the device may have been without power.
REFRESH_MS = 10000


class Register:
    """One register of the description; ``place``: of its reading, -1: none; ``period_ms``: of its device."""

    def __init__(self, name: str, spec: dict, place: int, period_ms: int):
        self.name = name
        self.table = spec["table"]
        self.address = spec["address"]
        self.kind = spec["type"]
        self.codec = codec_of(spec)
        self.size = self.codec.size
        self.scale = spec.get("scale", 1.0)
        self.offset = spec.get("offset", 0.0)
        self.none = [self.codec.pattern(value) for value in spec.get("bad", [])]
        self.bit = spec.get("bit", -1)
        self.mask = (1 << spec.get("bits", 1)) - 1
        self.at_0 = spec.get("at_0", 0.0)
        self.at_100 = spec.get("at_100", 100.0)
        self.several = spec.get("write_function", 0) >= modbus.WRITE_MULTIPLE_COILS
        self.period_ms = spec.get("period_ms", period_ms)
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
        if self.scale != 1.0 or self.offset != 0.0:
            value = (value - self.offset) / self.scale
        return self.codec.encode(value)

    def reading(self, raw: int) -> tuple:
        """(value, what is wrong with it or ""), of the bits that were read."""
        if raw in self.none:
            return 0.0, "not available: %s (0x%0*X)" % (self.codec.number(raw), 4 * self.size, raw)
        if self.bit >= 0:
            number = raw >> self.bit & self.mask
        else:
            number = self.codec.number(raw)
            if number - number != 0:
                return 0.0, "not a number"
        return number * self.scale + self.offset, ""


class ModbusDevice(Device):
    """``registers``: name -> table of the node file; ``safe``: output -> safe value in percent, None: hold.

    ``lease_ms``: 0 where the device watches nobody. ``limits``: max_registers and merge as
    edge.node.devices.register_blocks.blocks has them.
    """

    def __init__(self, name, unit, period_ms: int, registers: dict, safe: dict, lease_ms: int = 0, limits=()):
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
            self.registers[key] = Register(key, registers[key], place, period_ms)
        self.blocks = blocks([self.registers[key] for key in readings], *limits)
        self._outputs = [self.registers[key] for key in writes]
        self._places = [self.inputs[registers[key].get("actual", key)] for key in writes]
        self._by_name = {writes[i]: i for i in range(len(writes))}
        for i in range(len(writes)):
            what = "%s (%s %d)" % (writes[i], self._outputs[i].table, self._outputs[i].address)
            self.commands.append(Commanded("write " + writes[i], what, [i], self.lease_ms))
        for key in names:
            values = self._held(registers[key], self.registers[key], safe, lease_ms)
            if values is not None:
                register = self.registers[key]
                coil = register.table == "coil"
                self.settings.append(Setting(key, register.address, values, coil, several=register.several))

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
            polls.append((i, TABLES[members[0].table], first, count, members[0].period_ms))
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
            wrong = self.language.wrong(setting, data)
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
            raw = register.codec.raw(words[at : at + register.size])
            value, fault = register.reading(raw)
            self.stamps_ms[register.place] = now_ms
            self.faults[register.place] = fault
            if not fault:
                self.values[register.place] = value

    def period_of(self, name: str) -> int:
        register = self.registers.get(name)
        return self.period_ms if register is None else register.period_ms

    def places(self, tag) -> list:
        """What one request is refused says nothing about the others."""
        return [register.place for register in self.blocks[tag][0]] if isinstance(tag, int) else []

    def index(self, channel) -> int:
        """Of an output by its name, or by its number in the order of names."""
        return self._by_name.get(channel, channel)

    def actual(self, channel):
        """Where the output stands by its read-back, in percent of its range."""
        i = self.index(channel)
        place = self._places[i]
        if self.stamps_ms[place] < 0 or self.faults[place]:
            return None
        output = self._outputs[i]
        if output.kind == "bit":
            return 100.0 if self.values[place] else 0.0
        percent = (self.values[place] - output.at_0) * 100.0 / (output.at_100 - output.at_0)
        return 0.0 if percent < 0.0 else 100.0 if percent > 100.0 else percent

    def drive(self, channel, percent: float, now_ms: int):
        i = self.index(channel)
        self.commands[i].want(self._outputs[i].raw(percent), [percent], now_ms)

    def send(self, command) -> bool:
        output = self._outputs[command.channels[0]]
        words = command.wanted
        several = output.several or len(words) > 1
        if output.kind == "bit" and several:
            return self.write_coils(command.tag, output.address, words)
        if output.kind == "bit":
            return self.write_coil(command.tag, output.address, words[0])
        if several:
            return self.write_registers(command.tag, output.address, words)
        return self.write_register(command.tag, output.address, words[0])

    def verified(self, now_ms: int):
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


def build(name: str, spec: dict, wired: dict, safe: dict):
    """A driver from its table of a node file."""
    limits = spec.get("max_registers", modbus.MAX_READ_REGISTERS), spec.get("merge", True)
    lease_ms = spec.get("lease_ms", 0)
    return ModbusDevice(name, spec["unit"], spec["period_ms"], spec["register"], safe, lease_ms, limits)
