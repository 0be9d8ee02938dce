"""The keys of [device.NAME.register.REGISTER], and the kinds of values that only they hold."""

import math
import re

from edge.box.config import modicon
from edge.box.config.fields import (
    OPTIONAL,
    Choice,
    Field,
    Integer,
    Number,
    Switch,
    Text,
    Unfit,
    Unit,
    is_number,
)
from edge.box.config.table import Table
from edge.node.devices.register_blocks import TABLES
from edge.node.devices.register_codec import ORDERS, TYPES

FASTEST_MS = 50
SLOWEST_MS = 3600000
_LARGEST = 2**64
_BITS = re.compile(r"0x[0-9A-Fa-f]+\Z")


class Address(Integer):
    """A data address; a register number of six digits is named as what it is."""

    def read(self, value) -> int:
        found = modicon.meaning(value) if isinstance(value, int) and value > self.high else None
        if found:
            raise Unfit(f"as a register number (Modicon notation) it means {modicon.said(found)}: write that")
        return Integer.read(self, value)


class Exact(Number):
    """A number; a whole one stays whole, and may have 64 bits."""

    def read(self, value):
        if isinstance(value, int) and not isinstance(value, bool) and -_LARGEST < value < _LARGEST:
            return value
        return Number.read(self, value)


class RawValues(Field):
    """A list of numbers as they stand in a register, or of texts that are their bits in hexadecimal.

    Whether the register's type can hold them is a rule's business.
    """

    kind = "list of numbers"

    def expected(self) -> str:
        return 'a list of numbers as the register holds them, as [-9999, 0x8000], or of bits as "0x7F7FFFFF"'

    def read(self, value) -> list:
        if not isinstance(value, list):
            raise Unfit("write numbers between brackets")
        for element in value:
            if isinstance(element, str) and _BITS.match(element):
                continue
            if not is_number(element):
                raise Unfit("write numbers without quotes, bits in quotes")
            if isinstance(element, float) and not math.isfinite(element):
                raise Unfit(f"{element} stands for no value without being named: remove it")
        return list(value)


_PLACE = {
    "table": Choice("which of the four Modbus tables", tuple(sorted(TABLES))),
    "address": Address("its data address, 0 for the first: 40001 is 0 of holding", 0, 65535),
    "type": Choice("what it holds", tuple(TYPES)),
    "byte_order": Choice(
        "how its bytes follow each other on the line, A the most significant: a letter for each byte; by "
        "default A first",
        tuple(ORDERS),
        default=OPTIONAL,
    ),
    "word_order": Choice(
        "byte_order in words, of two or four registers: high_first as ABCD, low_first as CDAB",
        ("high_first", "low_first"),
        default=OPTIONAL,
    ),
}
_SCALED = {
    "scale": Number("value = register x scale + offset; not 0", default=1.0),
    "offset": Number("what is added", default=0.0),
}
_READING = {
    "unit": Unit("the unit of the value"),
    "bad": RawValues(
        "register values, before scale and offset, that stand for no value; not a number always does",
        default=OPTIONAL,
    ),
    "period_ms": Integer(
        "it is read so often, where not as often as the rest of the device",
        FASTEST_MS,
        SLOWEST_MS,
        "ms",
        default=OPTIONAL,
    ),
}
_WRITTEN = {
    "write_function": Choice(
        "it is written by this function, where the device wants another than 5 for a coil, 6 for one "
        "register and 16 for several",
        (5, 6, 15, 16),
        default=OPTIONAL,
    )
}
ROLES = {
    "read": (
        "an input",
        {
            **_SCALED,
            **_READING,
            "bit": Integer("only this bit of an u16, u32 or u64, 0 the lowest", 0, 63, default=OPTIONAL),
            "bits": Integer(
                "so many bits from that one on, as one whole number; by default one", 1, 64, default=OPTIONAL
            ),
        },
    ),
    "write": (
        "an output, called by the register's name, and an input that reads it back",
        {
            **_SCALED,
            **_READING,
            "at_0": Number("the value at 0 %; a coil is off below 50 %", default=0.0),
            "at_100": Number("the value at 100 %", default=100.0),
            "actual": Text(
                "the register that tells where it stands, where it can't be read back", default=OPTIONAL
            ),
            **_WRITTEN,
        },
    ),
    "setting": (
        "it must hold a value: verified when the link comes up, and written where it is wrong",
        {**_SCALED, "value": Exact("that value"), **_WRITTEN},
    ),
    "safe": (
        "it must hold the safe value of an output, as a setting",
        {"output": Text("the register of that output"), **_WRITTEN},
    ),
    "lease": (
        "it must hold the lease_ms of the device, as a setting",
        {"unit_ms": Integer("what it counts", 1, 3600000, "ms"), **_WRITTEN},
    ),
}
REGISTER = Table("register", "a register of the device", _PLACE, "role", ROLES)

# Of the device itself.
DEVICE_KEYS = {
    "unit": Integer("its Modbus unit id, once per bus; the standard reserves 248 to 255", 1, 255),
    "max_registers": Integer("no request reads more registers than these", 1, 125, default=125),
    "merge": Switch("whether registers side by side are read with one request", default=True),
}
