"""How numbers stand in Modbus registers: their types and byte orders. Driver and emulation share it.

A byte order names the bytes of a value as they come on the line, A the most significant one: ABCD is the
order of the standard, CDAB has its low word first, BADC the low byte of each word, DCBA both.

Whole numbers are exact on every runtime; a value that stands for none is told by its bits, so exactly too.
A value in its unit is a float, as good as the runtime's own: a board with floats of 32 bits keeps seven
digits of any type, and one that keeps a float within a word of 32 bits keeps six.
"""

from struct import pack, unpack

# type -> (registers, lowest number, highest number)
TYPES = {
    "bit": (1, 0, 1),
    "u16": (1, 0, 0xFFFF),
    "s16": (1, -0x8000, 0x7FFF),
    "u32": (2, 0, 0xFFFFFFFF),
    "s32": (2, -0x80000000, 0x7FFFFFFF),
    "f32": (2, -3.4028234663852886e38, 3.4028234663852886e38),
    "u64": (4, 0, 0xFFFFFFFFFFFFFFFF),
    "s64": (4, -0x8000000000000000, 0x7FFFFFFFFFFFFFFF),
    "f64": (4, -1.7976931348623157e308, 1.7976931348623157e308),
}
FLOATS = {"f32": ">f", "f64": ">d"}
# byte order -> (registers, the low word comes first, the low byte of a word comes first)
ORDERS = {
    "AB": (1, False, False),
    "BA": (1, False, True),
    "ABCD": (2, False, False),
    "BADC": (2, False, True),
    "CDAB": (2, True, False),
    "DCBA": (2, True, True),
    "ABCDEFGH": (4, False, False),
    "BADCFEHG": (4, False, True),
    "GHEFCDAB": (4, True, False),
    "HGFEDCBA": (4, True, True),
}


class Codec:
    """Registers to numbers and back, for one type of TYPES in one of ORDERS; "" is that of the standard."""

    def __init__(self, kind: str, order: str = ""):
        self.size, self.low, self.high = TYPES[kind]
        self._float = FLOATS.get(kind)
        self.low_word_first = self.low_byte_first = False
        if order:
            _, self.low_word_first, self.low_byte_first = ORDERS[order]

    def raw(self, words) -> int:
        """The bits of the registers as one unsigned number, the most significant first."""
        raw = 0
        for word in self._turned(words):
            raw = raw << 16 | word
        return raw

    def number(self, raw: int):
        """What these bits stand for: an int, or a float."""
        if self._float:
            return unpack(self._float, raw.to_bytes(2 * self.size, "big"))[0]
        return raw - (self.high - self.low + 1) if raw > self.high else raw

    def encode(self, number) -> list:
        """The registers of a number, cut to the range of the type and rounded where it is whole.

        ValueError for what is not a number where the type has no such value.
        """
        if number - number == 0 or not self._float:
            number = self.low if number < self.low else self.high if number > self.high else number
        if self._float:
            raw = int.from_bytes(pack(self._float, number), "big")
        else:
            raw = _rounded(number)
        return self.words(raw)

    def words(self, raw: int) -> list:
        """The registers that hold these bits; a negative number in two's complement."""
        return self._turned([raw >> shift & 0xFFFF for shift in range(16 * self.size - 16, -1, -16)])

    def pattern(self, value) -> int:
        """The bits of a value, as raw() has them: a float is the number, an int or a text as "0xFF" the bits.

        As an int bits reach a board whose own floats could not hold the number; -1 is all bits.
        """
        if isinstance(value, float):
            return self.raw(self.encode(value))
        if isinstance(value, str):
            return int(value, 16)
        return value & ((1 << 16 * self.size) - 1)

    def _turned(self, words) -> list:
        """From the order of the line to that of the standard, or back: the same turns do both."""
        words = list(words)
        if self.low_word_first:
            words.reverse()
        if self.low_byte_first:
            words = [word >> 8 | (word & 0xFF) << 8 for word in words]
        return words


def codec_of(spec: dict) -> Codec:
    """The Codec of a register's table in a node file, by its type and ``byte_order`` or ``word_order``."""
    codec = Codec(spec["type"], spec.get("byte_order", ""))
    if spec.get("word_order") == "low_first":
        codec.low_word_first = True
    return codec


def _rounded(number) -> int:
    """The nearest whole number, halves away from zero; large floats can't hold one half more."""
    whole = int(number)
    rest = number - whole
    return whole + 1 if rest >= 0.5 else whole - 1 if rest <= -0.5 else whole
