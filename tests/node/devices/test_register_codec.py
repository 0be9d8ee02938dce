"""Numbers in registers: every type in every byte order, by hand-written vectors and libraries of others."""

from struct import pack, unpack

import minimalmodbus
import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymodbus.client.mixin import ModbusClientMixin

from edge.node.devices.register_codec import ORDERS, TYPES, Codec, codec_of

NUMBERS = [kind for kind in TYPES if kind != "bit"]
LETTERS = {"u16": "H", "s16": "h", "u32": "I", "s32": "i", "f32": "f", "u64": "Q", "s64": "q", "f64": "d"}
WHOLE = [kind for kind in NUMBERS if kind[0] != "f"]
ANY = {
    **{kind: st.integers(TYPES[kind][1], TYPES[kind][2]) for kind in WHOLE},
    "f32": st.floats(width=32),
    "f64": st.floats(),
}


def orders_of(kind):
    return [order for order, turned in ORDERS.items() if turned[0] == TYPES[kind][0]]


EACH = [(kind, order) for kind in NUMBERS for order in orders_of(kind)]


# By hand: 0x12345678 is 305419896; 123456.0 is 0x47F12000; -2.5 is 0xC004000000000000.
@pytest.mark.parametrize(
    ("kind", "order", "words", "number"),
    [
        ("u16", "AB", [0x1234], 0x1234),
        ("u16", "BA", [0x3412], 0x1234),
        ("s16", "BA", [0xFEFF], -2),
        ("u32", "ABCD", [0x1234, 0x5678], 305419896),
        ("u32", "BADC", [0x3412, 0x7856], 305419896),
        ("u32", "CDAB", [0x5678, 0x1234], 305419896),
        ("u32", "DCBA", [0x7856, 0x3412], 305419896),
        ("s32", "CDAB", [0xFFFE, 0xFFFF], -2),
        ("f32", "ABCD", [0x47F1, 0x2000], 123456.0),
        ("f32", "BADC", [0xF147, 0x0020], 123456.0),
        ("f32", "CDAB", [0x2000, 0x47F1], 123456.0),
        ("f32", "DCBA", [0x0020, 0xF147], 123456.0),
        ("u64", "ABCDEFGH", [0x0123, 0x4567, 0x89AB, 0xCDEF], 0x0123456789ABCDEF),
        ("u64", "BADCFEHG", [0x2301, 0x6745, 0xAB89, 0xEFCD], 0x0123456789ABCDEF),
        ("u64", "GHEFCDAB", [0xCDEF, 0x89AB, 0x4567, 0x0123], 0x0123456789ABCDEF),
        ("u64", "HGFEDCBA", [0xEFCD, 0xAB89, 0x6745, 0x2301], 0x0123456789ABCDEF),
        ("s64", "ABCDEFGH", [0xFFFF, 0xFFFF, 0xFFFF, 0xFFFE], -2),
        ("f64", "ABCDEFGH", [0xC004, 0, 0, 0], -2.5),
        ("f64", "HGFEDCBA", [0, 0, 0, 0x04C0], -2.5),
    ],
)
def test_vectors_by_hand(kind, order, words, number):
    codec = Codec(kind, order)
    assert codec.number(codec.raw(words)) == number
    assert codec.encode(number) == words


def test_the_usual_order_is_the_most_significant_byte_first():
    for kind in NUMBERS:
        one = Codec(kind).encode(1)
        assert one == Codec(kind, orders_of(kind)[0]).encode(1)
        assert orders_of(kind)[0] == "ABCDEFGH"[: 2 * TYPES[kind][0]]


# pymodbus knows the order of words; what is in a word is turned here.
PYMODBUS = {
    "u16": "UINT16", "s16": "INT16", "u32": "UINT32", "s32": "INT32", "f32": "FLOAT32", "u64": "UINT64",
    "s64": "INT64", "f64": "FLOAT64",
}  # fmt: skip


@pytest.mark.parametrize(("kind", "order"), EACH)
def test_it_agrees_with_pymodbus_and_struct_and_comes_back(kind, order):
    _, words_turned, bytes_turned = ORDERS[order]
    codec = Codec(kind, order)
    letter = LETTERS[kind]
    size = TYPES[kind][0]
    convert = ModbusClientMixin.convert_to_registers
    type_of_pymodbus = getattr(ModbusClientMixin.DATATYPE, PYMODBUS[kind])

    @settings(max_examples=25, deadline=None)
    @given(ANY[kind])
    def check(number):
        words = convert(number, type_of_pymodbus, word_order="little" if words_turned else "big")
        if bytes_turned:
            words = [word >> 8 | (word & 0xFF) << 8 for word in words]
        if words_turned and bytes_turned:
            assert words == list(unpack(f">{size}H", pack("<" + letter, number)))
        found = codec.number(codec.raw(words))
        assert found == number or (found != found and number != number)
        assert codec.encode(number) == words
        assert codec.raw(words) == codec.pattern(codec.number(codec.raw(words))) or number != number

    check()


MINIMALMODBUS = {
    "ABCD": minimalmodbus.BYTEORDER_BIG,
    "DCBA": minimalmodbus.BYTEORDER_LITTLE,
    "BADC": minimalmodbus.BYTEORDER_BIG_SWAP,
    "CDAB": minimalmodbus.BYTEORDER_LITTLE_SWAP,
}


@pytest.mark.parametrize("order", list(MINIMALMODBUS))
@given(number=st.floats(width=32, allow_nan=False), whole=ANY["s32"])
@settings(max_examples=25, deadline=None)
def test_it_agrees_with_minimalmodbus(order, number, whole):
    data = minimalmodbus._float_to_bytes(number, 2, MINIMALMODBUS[order])
    assert Codec("f32", order).encode(number) == list(unpack(">HH", data))
    data = minimalmodbus._long_to_bytes(whole, True, 2, MINIMALMODBUS[order])
    assert Codec("s32", order).encode(whole) == list(unpack(">HH", data))


@pytest.mark.parametrize("kind", WHOLE)
def test_a_whole_number_is_cut_to_its_range(kind):
    _, low, high = TYPES[kind]
    codec = Codec(kind)
    for beyond, end in ((high + 1, high), (low - 1, low), (1e30, high), (-1e30, low)):
        assert codec.number(codec.raw(codec.encode(beyond))) == end
    assert codec.encode(float("inf")) == codec.encode(high)
    with pytest.raises(ValueError):
        codec.encode(float("nan"))


@pytest.mark.parametrize("kind", WHOLE)
def test_it_is_rounded_to_the_nearest_also_where_floats_have_no_halves(kind):
    codec = Codec(kind)

    def rounded(number):
        return codec.number(codec.raw(codec.encode(number)))

    assert (rounded(12.5), rounded(12.4)) == (13, 12)
    if TYPES[kind][1]:
        assert (rounded(-12.5), rounded(-12.4)) == (-13, -12)
    # One half more than these is no float: it would round up to the next even one.
    if kind in ("u64", "s64"):
        assert rounded(2.0**52 + 1.0) == 2**52 + 1
    if kind != "u16" and kind != "s16":
        assert rounded(numpy.float32(2**23 + 1)) == 2**23 + 1


def test_a_number_too_large_for_its_float_is_the_largest_one():
    largest = unpack(">f", b"\x7f\x7f\xff\xff")[0]
    codec = Codec("f32")
    assert codec.number(codec.raw(codec.encode(1e300))) == largest
    assert codec.number(codec.raw(codec.encode(-1e300))) == -largest
    assert codec.encode(float("inf")) == [0x7F80, 0]


@pytest.mark.parametrize(
    ("kind", "value", "raw"),
    [
        ("s16", -32768, 0x8000),
        ("s16", 0x8000, 0x8000),
        ("s16", -32768.0, 0x8000),
        ("u32", 0xFFFFFFFF, 0xFFFFFFFF),
        ("s64", -1, 0xFFFFFFFFFFFFFFFF),
        ("u64", 0xFFFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF),
        ("f32", -9999.0, 0xC61C3C00),
        # A whole number is the bits themselves: that is how a board gets what its own floats may not hold.
        ("f32", 0x7F7FFFFF, 0x7F7FFFFF),
        ("f32", "0x7F7FFFFF", 0x7F7FFFFF),
        ("f64", -9999.0, 0xC0C3878000000000),
    ],
)
def test_the_bits_of_a_value(kind, value, raw):
    assert Codec(kind).pattern(value) == raw


def test_a_register_table_names_its_order_in_either_way():
    words = [0x5678, 0x1234]
    for spec in ({"byte_order": "CDAB"}, {"word_order": "low_first"}):
        codec = codec_of({"type": "u32", **spec})
        assert codec.raw(words) == 0x12345678
    assert codec_of({"type": "u64", "word_order": "low_first"}).encode(1) == [1, 0, 0, 0]
    assert codec_of({"type": "u32", "word_order": "high_first"}).raw(words) == 0x56781234
