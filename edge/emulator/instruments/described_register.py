"""One register of a device that the plant file describes: where it stands, what it holds, what moves it."""

import re

from edge.node.devices.register_blocks import BITS, TABLES
from edge.node.devices.register_codec import FLOATS, ORDERS, TYPES, codec_of

_WORD_ORDERS = ("high_first", "low_first")
_LARGEST = 2.0**64


class Register:
    """``keys``: those of its table in a plant file, see edge.emulator.instruments.modbus_device.

    ``type`` is one of TYPES, ``table`` one of TABLES, ``address`` 0..65535.
    """

    def __init__(self, name: str, table: str, address: int, type: str, **keys):
        self.name = name
        self.table = table
        self.address = address
        self.kind = type
        self.codec = codec_of({"type": type, **keys})
        self.size = self.codec.size
        self.scale = keys.get("scale", 1.0)
        self.offset = keys.get("offset", 0.0)
        self.none = [self.codec.pattern(value) for value in keys.get("bad", [])]
        self.bit = keys.get("bit", -1)
        self.mask = (1 << keys.get("bits", 1)) - 1
        self.reads = keys.get("reads")
        self.drives = keys.get("drives")
        self.at_0 = keys.get("at_0", 0.0)
        self.at_100 = keys.get("at_100", 100.0)
        self.safe_pct = keys.get("safe_pct", 0.0)
        self.value = keys.get("value", 0.0)
        self.watchdog_ms = keys.get("watchdog_ms", 0)

    @classmethod
    def from_keys(cls, name: str, keys):
        """From its table of a plant file."""
        table = keys.text("table", tuple(TABLES))
        kind = keys.text("type", tuple(TYPES))
        if (table in BITS) != (kind == "bit"):
            raise keys.error("type", f"is {kind!r}, which the table {table} does not hold")
        size = TYPES[kind][0]
        address = keys.whole("address", 0, 65536 - size)
        found = _order(keys, size)
        found["scale"] = keys.number("scale", -1.0e6, 1.0e6, 1.0)
        if found["scale"] == 0.0:
            raise keys.error("scale", "is 0; expected a number that is not")
        found["offset"] = keys.number("offset", -1.0e9, 1.0e9, 0.0)
        if kind != "bit":
            found["bad"] = [_none(keys, kind, value) for value in keys.elements("bad")]
        if keys.has("bit") and kind[0] == "u":
            found["bit"] = keys.whole("bit", 0, 16 * size - 1)
            found["bits"] = keys.whole("bits", 1, 16 * size - found["bit"], 1)
        found.update(_role(keys))
        keys.finish()
        return cls(name, table, address, kind, **found)

    def words(self, value: float, held) -> list:
        """The registers of a value in its unit; ``held``: those of now, of which bits are a part.

        Not a number shows the first of ``bad``. ValueError where there is none, and the type is no float.
        """
        if self.kind == "bit":
            return [1 if value else 0]
        if value != value and self.none:
            return self.codec.words(self.none[0])
        if self.scale != 1.0 or self.offset != 0.0:
            value = (value - self.offset) / self.scale
        if self.bit < 0:
            return self.codec.encode(value)
        group = min(self.codec.raw(self.codec.encode(value)), self.mask)
        return self.codec.words(self.codec.raw(held) & ~(self.mask << self.bit) | group << self.bit)

    def number(self, words) -> float:
        """The value that registers stand for; not a number where they stand for none."""
        raw = self.codec.raw(words)
        if raw in self.none:
            return float("nan")
        number = self.codec.number(raw) if self.bit < 0 else raw >> self.bit & self.mask
        if self.scale != 1.0 or self.offset != 0.0:
            return number * self.scale + self.offset
        return number

    def raw(self, percent: float, held) -> list:
        """The registers of what it drives, in percent."""
        if self.kind == "bit":
            return [1 if percent >= 50.0 else 0]
        return self.words(self.at_0 + percent * (self.at_100 - self.at_0) / 100.0, held)

    def percent(self, words) -> float:
        """Of what it drives."""
        if self.kind == "bit":
            return 100.0 * words[0]
        percent = (self.number(words) - self.at_0) * 100.0 / (self.at_100 - self.at_0)
        return max(0.0, min(100.0, percent))


def _none(keys, kind: str, value):
    """A value that stands for none: a number as the register holds it, or a text that is its bits."""
    size, _, high = TYPES[kind]
    if kind in FLOATS:
        expected = f"a number of {kind}"
        fits = isinstance(value, int | float) and -high <= value <= high
        found = float(value) if fits else None
    else:
        low, high = -(1 << 16 * size - 1), (1 << 16 * size) - 1
        expected = f"a whole number from {low} to {high}"
        fits = isinstance(value, int) and low <= value <= high
        found = value
    if isinstance(value, str):
        fits = re.fullmatch(f"0x[0-9A-Fa-f]{{1,{4 * size}}}", value)
        found = value
    if not fits or isinstance(value, bool):
        raise keys.error("bad", f"has {value!r}; expected {expected}, or its bits as \"0x7F7F\"")
    return found


def _order(keys, size: int) -> dict:
    orders = [order for order, turned in ORDERS.items() if turned[0] == size]
    if keys.has("byte_order"):
        return {"byte_order": keys.text("byte_order", orders)}
    return {"word_order": keys.text("word_order", _WORD_ORDERS, "high_first")}


def _role(keys) -> dict:
    if keys.has("reads"):
        return {"reads": keys.process_value("reads")}
    if keys.has("drives"):
        return {
            "drives": keys.model_input("drives"),
            "at_0": keys.number("at_0", -1.0e9, 1.0e9, 0.0),
            "at_100": keys.number("at_100", -1.0e9, 1.0e9, 100.0),
            "safe_pct": keys.number("safe_pct", 0.0, 100.0, 0.0),
        }
    found = {"value": keys.exact("value", -_LARGEST, _LARGEST, 0.0)}
    if keys.has("watchdog_ms"):
        found["watchdog_ms"] = keys.whole("watchdog_ms", 1, 3600000)
    return found
