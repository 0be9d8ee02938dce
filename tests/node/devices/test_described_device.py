"""Devices as their makers build them: any type and byte order, bits, values that are none, odd requests."""

from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.emulator.instruments.modbus_device import ModbusDevice, Register
from edge.node.bus import modbus
from edge.node.devices.register_codec import TYPES
from tests.node.devices.rig import Rig
from tests.node.devices.test_register_codec import ANY, EACH, orders_of

READ = {"role": "read", "table": "holding", "unit": ""}
WRITE = {"role": "write", "table": "holding", "unit": ""}


def rig(specs, device=None, **emulated):
    """A driver and an instrument of the same registers: name -> table of a node file, with a first value."""
    own = ("table", "address", "type", "byte_order", "scale", "offset", "bit", "bits", "bad", "value")
    registers = []
    for name, spec in specs.items():
        registers.append(Register(name, **{key: value for key, value in spec.items() if key in own}))
    instrument = ModbusDevice("m", 1, 5, registers, **emulated)
    safe = {name: 0.0 for name, spec in specs.items() if spec["role"] == "write"}
    described = {}
    for name, spec in specs.items():
        described[name] = {key: spec[key] for key in spec if key != "value" or spec["role"] == "setting"}
    spec = {"type": "modbus", "register": described, **(device or {})}
    return Rig(spec, instrument, SimpleNamespace(), None, safe)


def all_types():
    """Every type in every byte order, read and driven, values that are none and groups of bits among them."""
    specs = {}
    for i, (kind, order) in enumerate(EACH):
        spec = {"address": 8 * i, "type": kind, "byte_order": order}
        specs[f"in_{kind}_{order}"] = {**READ, **spec, "value": 100 + i}
        at = {"at_0": -100.0 if kind[0] != "u" else 0.0, "at_100": 1000.0}
        specs[f"out_{kind}_{order}"] = {**WRITE, **spec, "address": 8 * i + 4, "write_function": 16, **at}
    place = {**READ, "address": 8 * len(EACH), "type": "u64", "byte_order": "BADCFEHG", "period_ms": 1000}
    specs["bits_high"] = {**place, "bit": 61, "bits": 3, "value": 5}
    specs["bit_low"] = {**place, "bit": 0, "value": 1}
    for kind, bad in (("s16", 0x8000), ("u32", 0xFFFFFFFF), ("u64", 2**64 - 1), ("f32", -9999.0)):
        at = len(specs) * 8
        specs[f"none_{kind}"] = {**READ, "address": at, "type": kind, "bad": [bad], "value": float("nan")}
    return rig(specs, {"max_registers": 20})


def asked(line, since=0):
    """(function, address, count) of the requests, each once."""
    found = []
    for _, data in line.requests[since:]:
        one = data[1], data[2] << 8 | data[3], data[4] << 8 | data[5]
        if one not in found:
            found.append(one)
    return found


@pytest.mark.parametrize(("kind", "order"), EACH)
def test_what_the_device_holds_the_driver_reads_and_what_it_writes_comes_back(kind, order):
    line = rig(
        {
            "in": {**READ, "address": 0, "type": kind, "byte_order": order},
            "out": {**WRITE, "address": 8, "type": kind, "byte_order": order, "at_0": 0.0, "at_100": 100.0},
        }
    )
    line.run(1)

    @settings(max_examples=10, deadline=None)
    @given(ANY[kind], st.integers(0, 100))
    def check(number, percent):
        line.instrument.set_register("in", number)
        line.demands = {"out": float(percent)}
        line.run(1)
        if number - number == 0:
            assert line.good("in") == float(number)
        else:
            assert line.why("in") == "not a number"
        assert line.instrument.register("out") == percent
        assert line.driver.actual("out") == percent
        assert line.good("out") == percent

    check()


@pytest.mark.parametrize("kind", ["u16", "u32", "u64"])
def test_groups_of_bits_are_numbers_of_their_own(kind):
    size = 16 * TYPES[kind][0]
    orders = orders_of(kind)
    specs = {}
    groups = ((0, 1), (1, 3), (4, 8), (size - 4, 3), (size - 1, 1))
    for bit, bits in groups:
        group = {"bit": bit} if bits == 1 else {"bit": bit, "bits": bits}
        specs[f"b{bit}"] = {**READ, "address": 3, "type": kind, "byte_order": orders[-1], **group}
    line = rig(specs)
    line.run(1)
    assert asked(line) == [(3, 3, TYPES[kind][0])]

    @settings(max_examples=10, deadline=None)
    @given(st.tuples(*(st.integers(0, (1 << bits) - 1) for _, bits in groups)))
    def check(values):
        for (bit, _), value in zip(groups, values, strict=True):
            line.instrument.set_register(f"b{bit}", value)
        line.run(1)
        raw = 0
        for (bit, _), value in zip(groups, values, strict=True):
            assert line.good(f"b{bit}") == value
            raw |= value << bit
        holding = line.instrument.holding
        words = [holding.get(3 + i) for i in range(TYPES[kind][0])]
        # The last order has all its bytes the other way round.
        data = b"".join(word.to_bytes(2, "big") for word in words)
        assert int.from_bytes(data, "little") == raw

    check()


@pytest.mark.parametrize(
    ("kind", "bad", "words", "why"),
    [
        ("s16", [-32768], [0x8000], "not available: -32768 (0x8000)"),
        ("s16", [0x7FFF, 0x8000], [0x8000], "not available: -32768 (0x8000)"),
        ("u16", [0xFFFF, 0xFFFE], [0xFFFE], "not available: 65534 (0xFFFE)"),
        ("u32", [0xFFFFFFFF], [0xFFFF, 0xFFFF], "not available: 4294967295 (0xFFFFFFFF)"),
        ("s32", [0x80000000], [0x8000, 0], "not available: -2147483648 (0x80000000)"),
        ("u64", [2**64 - 1], [0xFFFF] * 4, "not available: 18446744073709551615 (0xFFFFFFFFFFFFFFFF)"),
        ("s64", [-(2**63)], [0x8000, 0, 0, 0], ": -9223372036854775808 (0x8000000000000000)"),
        ("f32", [-9999.0], [0xC61C, 0x3C00], "not available: -9999.0 (0xC61C3C00)"),
        ("f32", [0.1], [0x3DCC, 0xCCCD], "(0x3DCCCCCD)"),
        ("f64", [1e300], [0x7E37, 0xE43C, 0x8800, 0x759C], "not available: 1e+300 (0x7E37E43C8800759C)"),
        ("f32", [], [0x7FC0, 0], "not a number"),
        ("f64", [], [0xFFF8, 0, 0, 1], "not a number"),
    ],
)
def test_what_stands_for_no_value_is_bad_with_its_reason(kind, bad, words, why):
    spec = {**READ, "address": 5, "type": kind, "scale": 0.5, "bad": bad}
    line = rig({"x": spec, "other": {**READ, "address": 20, "type": "u16", "value": 7}})
    line.run(1)
    assert line.good("x") == 0.0
    line.instrument.holding.put_all(5, words)
    line.run(1)
    assert why in line.why("x")
    assert line.good("other") == 7.0
    line.instrument.set_register("x", 1.0)
    line.run(1)
    assert line.good("x") == 1.0


def test_the_emulated_device_shows_no_value_by_the_first_of_bad():
    line = rig({"x": {**READ, "address": 0, "type": "s32", "byte_order": "DCBA", "bad": [0x80000000, -1]}})
    line.instrument.set_register("x", float("nan"))
    assert line.instrument.holding.get(1) == 0x0080
    line.run(1)
    assert line.why("x") == "not available: -2147483648 (0x80000000)"
    assert line.instrument.register("x") != line.instrument.register("x")


# Requests ----------------------------------------------------------------------------------------

ROW = {f"r{i}": {**READ, "address": i, "type": "u16", "value": i} for i in range(7)}
ROW["wide"] = {**READ, "address": 7, "type": "u64", "value": 2**40}


def read_all(line):
    line.run(2)
    for i in range(7):
        assert line.good(f"r{i}") == i
    assert line.good("wide") == 2**40


def test_no_request_asks_for_more_registers_than_the_device_gives():
    line = rig(ROW, {"max_registers": 4}, max_registers=4)
    read_all(line)
    assert asked(line) == [(3, 0, 4), (3, 4, 3), (3, 7, 4)]
    line = rig(ROW, max_registers=4)
    line.run(2)
    assert line.why("r0") == "refused: illegal data value"


def test_without_merging_each_is_asked_by_itself():
    line = rig(ROW, {"merge": False}, merge=False)
    read_all(line)
    assert asked(line) == [(3, i, 1) for i in range(7)] + [(3, 7, 4)]
    line = rig(ROW, merge=False)
    line.run(2)
    assert line.why("wide") == "refused: illegal data address"


def test_each_may_have_a_period_of_its_own():
    specs = {
        "fast": {**READ, "address": 0, "type": "u16"},
        "slow": {**READ, "address": 1, "type": "u16", "period_ms": 2000},
        "slow_too": {**READ, "address": 2, "type": "f32", "period_ms": 2000},
    }
    line = rig(specs)
    line.run(20)
    assert len(line.asked(bytes((3, 0, 0, 0, 1)))) in (80, 81)
    assert len(line.asked(bytes((3, 0, 1, 0, 3)))) in (10, 11)
    assert asked(line) == [(3, 0, 1), (3, 1, 3)]
    assert [line.driver.period_of(name) for name in ("fast", "slow", "bus.load")] == [250, 2000, 250]


@st.composite
def layouts(draw):
    """Registers one behind the other or with gaps, in any order of names, of any types and periods."""
    specs = {}
    address = draw(st.integers(0, 3))
    names = draw(st.permutations([f"r{i}" for i in range(draw(st.integers(1, 12)))]))
    for name in names:
        kind, order = draw(st.sampled_from(EACH))
        spec = {"address": address, "type": kind, "byte_order": order, "value": draw(st.integers(0, 32767))}
        spec["period_ms"] = draw(st.sampled_from((250, 500)))
        specs[name] = {**READ, "table": draw(st.sampled_from(("holding", "input"))), **spec}
        address += TYPES[kind][0] + draw(st.sampled_from((0, 0, 1, 7)))
    return specs, draw(st.sampled_from((4, 5, 125))), draw(st.booleans())


@given(layouts())
@settings(max_examples=40, deadline=None)
def test_however_registers_lie_each_is_read_once_a_period_and_nothing_else_is(layout):
    specs, most, merge = layout
    line = rig(specs, {"max_registers": most, "merge": merge}, max_registers=most, merge=merge)
    line.run(2)
    for name, spec in specs.items():
        assert line.good(name) == spec["value"]
    places = []
    for one in specs.values():
        places += [(one["table"], one["address"] + i) for i in range(TYPES[one["type"]][0])]
    read = []
    for function, first, count in asked(line):
        assert count <= most
        read += [("holding" if function == 3 else "input", first + i) for i in range(count)]
    assert sorted(read) == sorted(places)


@pytest.mark.parametrize("function", [6, 16, None])
@pytest.mark.parametrize("coil_function", [5, 15, None])
def test_single_writes_go_by_the_function_that_the_device_knows(function, coil_function):
    def by(number):
        return {} if number is None else {"write_function": number}

    specs = {
        "valve": {**WRITE, "address": 0, "type": "u16", **by(function)},
        "rate": {**WRITE, "address": 4, "type": "f32", **by(16 if function else None)},
        "pump": {**WRITE, "table": "coil", "address": 0, "type": "bit", **by(coil_function)},
        "mode": {
            "role": "setting", "table": "holding", "address": 9, "type": "u16", "value": 3, **by(function),
        },
        "on": {
            "role": "setting", "table": "coil", "address": 9, "type": "bit", "value": 1, **by(coil_function),
        },
    }  # fmt: skip
    known = {1, 3, function or 6, 16, coil_function or 5}
    line = rig(specs, functions=known)
    line.run(1)
    line.demands = {"valve": 40.0, "rate": 50.0, "pump": 100.0}
    line.run(2)
    assert line.driver.ready, line.driver.fault
    found = {name: line.instrument.register(name) for name in specs}
    assert found == {"valve": 40, "rate": 50.0, "pump": 1, "mode": 3, "on": 1}
    assert {one[0] for one in asked(line)} == known


@pytest.mark.parametrize("unit", [1, 247, 248, 255])
def test_it_may_have_any_unit_up_to_255(unit):
    specs = {"x": {**READ, "address": 0, "type": "u16"}, "y": {**WRITE, "address": 1, "type": "u16"}}
    registers = [Register("x", "holding", 0, "u16", value=7), Register("y", "holding", 1, "u16")]
    instrument = ModbusDevice("m", unit, 5, registers)
    line = Rig({"type": "modbus", "register": specs}, instrument, SimpleNamespace(), None, {"y": 0.0})
    line.run(1)
    line.demands = {"y": 9.0}
    line.run(1)
    assert line.good("x") == 7.0 and line.instrument.register("y") == 9
    with pytest.raises(ValueError, match=r"unit 256 is outside 1\.\.255"):
        modbus.read_request(256, 3, 0, 1)


def test_a_setting_of_64_bits_is_written_and_verified_exactly():
    key = 0x0123456789ABCDEF
    spec = {"role": "setting", "table": "holding", "address": 0, "type": "u64", "value": key}
    line = rig({"key": {**spec, "byte_order": "HGFEDCBA"}})
    line.instrument.set_register("key", 1)
    line.run(2)
    assert line.driver.ready and line.instrument.register("key") == key
