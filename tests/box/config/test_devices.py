"""The keys of every type of device: edits of a node file that has all of them, and what must be told."""

from pathlib import Path

import pytest

from edge.box.config import check
from edge.box.config.families import BY_HAND, BY_ITSELF, BY_NODE, FAMILIES, NEVER
from edge.node.devices.register_codec import ORDERS, TYPES
from tests.box.config.edits import drop, drop_table, header_line, key_line, problems, put

PATH = Path(__file__).parents[2] / "node" / "devices" / "all_types" / "node.toml"
TEXT = PATH.read_text()
POWER, LIMIT = "device.meter.register.power", "device.meter.register.limit"
SAFE, LEASE = "device.meter.register.limit_safe", "device.meter.register.watchdog"


def described(text=TEXT):
    return check("all.toml", text.encode())


def test_the_file_is_right():
    assert problems(TEXT) == []
    warned = sorted(text.split(" watches")[0] for _, text in described().warnings)
    assert warned == ["device damper", "device oven"]


def test_what_a_board_gets():
    devices = described().description["device"]
    assert devices["m7018"]["protocol"] == "modbus" and "checksum" not in devices["m7018"]
    assert devices["dcon_m7018"]["protocol"] == "dcon" and devices["dcon_m7018"]["checksum"] is True
    assert devices["m7018"]["cold_junction"] is True and devices["m7019r"]["cold_junction"] is False
    assert devices["adam4024"]["armed"] == "2026-11-01"
    assert devices["damper"]["actuators"] == 2
    assert devices["meter"]["register"]["power"] == {
        "role": "read",
        "table": "input",
        "address": 0,
        "type": "f32",
        "word_order": "low_first",
        "scale": 0.001,
        "offset": 0.0,
        "unit": "MW",
    }
    assert devices["meter"]["register"]["watchdog"]["unit_ms"] == 100


def test_how_each_is_kept_from_going_on_without_its_node():
    assert {name: family.lease for name, family in FAMILIES.items() if family.lease} == {
        "m7024": BY_NODE,
        "m7055": BY_NODE,
        "m7065": BY_NODE,
        "ach550": BY_NODE,
        "modbus": BY_NODE,
        "adam4024": BY_HAND,
        "adam4055": BY_HAND,
        "adam4056": BY_HAND,
        "s7800": BY_ITSELF,
        "uk24mod": NEVER,
        "eurotherm3200": NEVER,
    }


WRONG = [
    # protocol
    ("device.m7018", "protocol", '"ascii"', 'expected "modbus" or "dcon"'),
    ("device.m7018", "checksum", "true", 'which only protocol = "dcon" reads'),
    ("device.dcon_m7018", "checksum", '"yes"', "expected true or false"),
    ("device.dcon_m7018", "checksum", "1", "write one of them, without quotes"),
    ("device.adam4024", "protocol", '"dcon"', "which only 'm7018'"),
    ("device.oxygen", "checksum", "true", "which only 'm7018'"),
    ("bus.field", "echo", '"yes"', "expected true or false"),
    ("bus.field", "rs485", "0", "expected true or false"),
    ("device.m7018", "timeout_ms", "1", "from 5 to 5000 ms"),
    ("device.m7018", "retries", "11", "from 0 to 10"),
    # leases
    ("device.adam4024", "armed", '"2026-11-01"', "a date as 2026-11-01, without quotes"),
    ("device.adam4024", "armed", "2026-11-01T10:00:00", "write the day alone"),
    ("device.adam4024", "armed", "true", "a date as 2026-11-01"),
    ("device.m7024", "armed", "2026-11-01", "which only 'adam4024', 'adam4055'"),
    ("device.adam4024", "lease_ms", "1000000", "from 100 to 999900 ms"),
    ("device.m7065", "lease_ms", "25600", "from 100 to 25500 ms"),
    ("device.m7065", "lease_ms", "1900", "at least four ticks of 500 ms"),
    ("device.damper", "lease_ms", "4000", "which only 'm7024'"),
    ("device.burner", "lease_ms", "4000", "which only 'm7024'"),
    # their own keys
    ("device.damper", "actuators", "9", "from 1 to 8"),
    ("device.oven", "set_point_low", "900", "expected low below high"),
    ("device.m7024", "cold_junction", "true", "which only 'm7018' or 'm7019r' reads"),
    ("device.meter", "actuators", "1", "which only 'uk24mod' reads"),
    # signals
    ("signal.m7018_cold", "sensor", '"K"', "knows what it measures"),
    ("signal.m7018_cold", "unit", '"%"', 'gives "degC"'),
    ("signal.m7055", "unit", '"%"', 'gives ""'),
    ("signal.m7055", "input", '"di8"', "does not have"),
    ("signal.m7065", "input", '"di4"', "does not have"),
    ("signal.adam4055", "sensor", '"K"', "knows what it measures"),
    ("signal.adam4018", "sensor", '"N"', 'expected "J", "K"'),
    ("signal.adam4018", "high", "1371", "thermocouple K reaches from 0 to 1370"),
    ("signal.m7018", "sensor", '"4-20mA"', "expected "),
    ("signal.damper", "input", '"mp3"', "its inputs are mp1, mp2, bus.load"),
    ("signal.burner", "input", '"flame_2"', "did you mean 'flame'?"),
    ("signal.power", "input", '"powr"', "did you mean 'power'?"),
    ("signal.power", "input", '"watchdog"', "does not have"),
    ("signal.power", "unit", '"kW"', 'gives "MW"'),
    ("signal.oven", "input", '"bus.lod"', "did you mean 'bus.load'?"),
    # outputs
    ("output.m7065", "safe", "50", "switches; write 0 or 100"),
    ("output.adam4056", "safe", '"hold"', "switches; write 0 or 100"),
    ("output.adam4024", "safe", '"hold"', "takes a value when its lease ends"),
    ("output.m7065", "channel", '"do5"', "does not have"),
    ("output.damper", "channel", '"mp3"', "it has mp1 or mp2"),
    ("output.meter", "channel", '"power"', "it has limit"),
    # registers
    (POWER, "role", '"reed"', "did you mean 'read'?"),
    (POWER, "table", '"inputs"', "did you mean 'input'?"),
    (POWER, "type", '"f16"', '"s64" or "f64"'),
    (POWER, "type", '"bit"', 'type = "bit" in table "input"'),
    (POWER, "address", "65535", "is two registers long"),
    (POWER, "address", "65536", "from 0 to 65535"),
    (POWER, "word_order", '"little"', '"high_first" or "low_first"'),
    (POWER, "scale", "0", "makes every reading 0"),
    (POWER, "bit", "3", 'expected "u16", "u32" or "u64"'),
    (POWER, "bad", '["none"]', "write numbers without quotes, bits in quotes"),
    (POWER, "bad", '["0x123456789"]', "which an f32 can't hold, expected 8 digits behind 0x at most"),
    (POWER, "bad", "[0x7F7FFFFF]", 'may be a number or its bits; write 2139095039.0 or "0x7F7FFFFF"'),
    (POWER, "unit", '"furlong"', "expected a known unit"),
    (POWER, "unit_ms", "1", "which only 'lease' reads"),
    (POWER, "adress", "1", "did you mean 'address'?"),
    (LIMIT, "table", '"input"', 'expected "coil" or "holding"'),
    (LIMIT, "at_100", "0", "expected two ends of a range"),
    (LIMIT, "at_100", "65536", "holds 0 to 65535"),
    (LIMIT, "at_0", "-1", "holds 0 to 65535"),
    (LIMIT, "actual", '"powr"', "did you mean 'power'?"),
    (LIMIT, "actual", '"limit"', 'no register of that name with the role "read"'),
    (SAFE, "output", '"limits"', "did you mean 'limit'?"),
    (SAFE, "output", '"power"', 'no register of that name with the role "write"'),
    (SAFE, "type", '"s16"', 'but its output limit "u16"'),
    (POWER, "byte_order", '"DCBA"', "expected one of them; remove word_order"),
    (POWER, "byte_order", '"DBCA"', "did you mean"),
    (POWER, "byte_order", '"BA"', 'expected "ABCD", "BADC", "CDAB" or "DCBA"'),
    (POWER, "bits", "2", "no bit to count them from"),
    (POWER, "bad", "-9999", "write numbers between brackets"),
    (POWER, "bad", "[nan]", "stands for no value without being named"),
    (POWER, "bad", "[3.5e38]", "which an f32 can't hold, expected a number"),
    (POWER, "address", "400001", 'means address = 0 of table "holding" (function 3): write that'),
    (POWER, "address", "365536", 'means address = 65535 of table "input" (function 4): write that'),
    (POWER, "address", "70001", "from 0 to 65535; choose a number in that range"),
    (POWER, "period_ms", "49", "from 50 to 3600000 ms"),
    (POWER, "write_function", "16", "which only 'write', 'setting', 'safe' or 'lease' reads"),
    (LIMIT, "byte_order", '"ABCD"', 'expected "AB" or "BA"'),
    (LIMIT, "bad", "[0x10000]", "expected whole numbers from -32768 to 65535"),
    (LIMIT, "bad", "[-32769]", "expected whole numbers from -32768 to 65535"),
    (LIMIT, "bad", "[0.5]", "expected whole numbers from -32768 to 65535"),
    (LIMIT, "bit", "3", "which only 'read' reads"),
    (LIMIT, "write_function", "5", 'for an u16 of table "holding", expected 6 or 16'),
    (LIMIT, "write_function", "3", "expected 5, 6, 15 or 16"),
    (SAFE, "byte_order", '"BA"', 'has byte_order = "BA", but its output limit "AB"'),
    ("device.meter", "unit", "256", "from 1 to 255"),
    ("device.m7018", "unit", "248", "from 1 to 247"),
    ("device.meter", "max_registers", "1", "must read register power (f32), which is two registers long"),
    ("device.meter", "max_registers", "126", "from 1 to 125"),
    ("device.meter", "merge", '"no"', "expected true or false"),
    ("device.m7018", "merge", "false", "which only 'modbus' reads"),
    (LEASE, "unit_ms", "0", "from 1 to"),
    (LEASE, "unit_ms", "300", "is no multiple of"),
]


@pytest.mark.parametrize(
    ("table", "key", "value", "words"), WRONG, ids=[f"{case[0]}.{case[1]}={case[2]}" for case in WRONG]
)
def test_a_wrong_value_is_told_on_its_line(table, key, value, words):
    text = put(TEXT, table, key, value)
    found = problems(text)
    assert key_line(text, table, key) in [told for told, _ in found], found
    assert words in " ".join(sentence for _, sentence in found), found
    assert len(found) <= 3, found


def test_what_a_gateway_does_not_have_can_not_be_read_or_driven():
    text = put(TEXT, "device.damper", "actuators", "1")
    lines = [key_line(text, "signal.damper", "input"), key_line(text, "output.damper", "channel")]
    assert [line for line, _ in problems(text)] == lines


def test_what_does_not_fit_into_a_float_is_told():
    text = put(put(TEXT, LIMIT, "type", '"f32"'), SAFE, "type", '"f32"')
    ((line, told),) = problems(text)
    assert line == key_line(text, SAFE, "address") and "where register limit is too" in told
    text = put(text, SAFE, "address", "30")
    assert problems(text) == []
    text = put(text, LIMIT, "scale", "1e-38")
    ((line, told),) = problems(text)
    assert line == key_line(text, LIMIT, "at_100") and "holds -3.4e+38 to 3.4e+38" in told


# Registers as they are described ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "bad", "bits"),
    [
        ("u16", "[0xFFFF, 0xFFFE, 65533]", [0xFFFF, 0xFFFE, 0xFFFD]),
        ("s16", "[0x8000, -32768, -1.0]", [0x8000, 0x8000, 0xFFFF]),
        ("u32", "[0xFFFFFFFF]", [0xFFFFFFFF]),
        ("s32", "[0x80000000, -2147483648]", [0x80000000, 0x80000000]),
        ("u64", "[0xFFFFFFFFFFFFFFFF, 18446744073709551614]", [2**64 - 1, 2**64 - 2]),
        ("s64", "[-9223372036854775808]", [2**63]),
        ("f32", '[-9999, 0.1, 9.96921e36, "0x7F7FFFFF"]', [0xC61C3C00, 0x3DCCCCCD, 0x7CF00000, 0x7F7FFFFF]),
        ("f64", "[-9999, 1e300]", [0xC0C3878000000000, 0x7E37E43C8800759C]),
        ("f64", '["0x7FEFFFFFFFFFFFFF"]', [0x7FEFFFFFFFFFFFFF]),
        ("s16", '["0x8000"]', [0x8000]),
    ],
)
def test_values_that_stand_for_none_reach_the_node_as_bits_over_the_whole_range_of_the_type(kind, bad, bits):
    text = put(put(TEXT, POWER, "type", f'"{kind}"'), POWER, "bad", bad)
    if kind.endswith("16"):
        text = drop(text, POWER, "word_order")
    assert problems(text) == []
    power = described(text).description["device"]["meter"]["register"]["power"]
    assert power["bad"] == bits and all(type(one) is int for one in power["bad"])


@pytest.mark.parametrize("kind", [kind for kind in TYPES if kind != "bit"])
def test_each_type_takes_the_byte_orders_of_its_size_and_no_others(kind):
    text = drop(put(TEXT, POWER, "type", f'"{kind}"'), POWER, "word_order")
    for order, (size, _, _) in ORDERS.items():
        found = problems(put(text, POWER, "byte_order", f'"{order}"'))
        assert bool(found) is (size != TYPES[kind][0]), (order, found)


@pytest.mark.parametrize(
    ("kind", "bit", "bits", "right"),
    [
        ("u16", 15, None, True),
        ("u16", 16, None, False),
        ("u16", 12, 4, True),
        ("u16", 12, 5, False),
        ("u32", 31, None, True),
        ("u32", 31, 2, False),
        ("u64", 0, 64, True),
        ("u64", 63, 1, True),
        ("s32", 0, 1, False),
        ("f32", 0, 1, False),
    ],
)
def test_a_group_of_bits_lies_within_its_register(kind, bit, bits, right):
    text = put(put(drop(TEXT, POWER, "word_order"), POWER, "type", f'"{kind}"'), POWER, "bit", str(bit))
    if bits is not None:
        text = put(text, POWER, "bits", str(bits))
    assert (problems(text) == []) is right


@pytest.mark.parametrize(
    ("table", "address", "hint"),
    [
        ("holding", 40001, 'address = 0 of table "holding" (function 3)'),
        ("holding", 40110, 'address = 109 of table "holding" (function 3)'),
        ("input", 30007, 'address = 6 of table "input" (function 4)'),
        ("input", 40001, 'address = 0 of table "holding" (function 3)'),
        ("holding", 39999, 'address = 9998 of table "input" (function 4)'),
        ("holding", 40000, ""),
        ("holding", 30000, ""),
        ("holding", 10001, ""),
        ("holding", 50001, ""),
        ("input", 0, ""),
    ],
)
def test_an_address_that_looks_like_a_register_number_is_hinted_at(table, address, hint):
    text = put(put(TEXT, POWER, "table", f'"{table}"'), POWER, "address", str(address))
    told = [
        (line, sentence) for line, sentence in described(text).warnings if "Modicon notation" in sentence
    ]
    if not hint:
        assert told == []
        return
    ((line, sentence),) = told
    assert line == key_line(text, POWER, "address") and hint in sentence
    assert f"has address = {address}, which looks like a register number" in sentence


def test_a_discrete_input_written_as_10001_and_all_others_of_the_device_in_one_warning():
    extra = "".join(
        f'\n[device.meter.register.d{i}]\nrole = "read"\ntable = "discrete"\naddress = {10001 + i}\n'
        'type = "bit"\nunit = ""\n'
        for i in range(5)
    )
    told = [sentence for _, sentence in described(TEXT + extra).warnings if "Modicon" in sentence]
    assert len(told) == 1 and 'address = 0 of table "discrete" (function 2)' in told[0]
    assert told[0].endswith("registers that look alike: d1, d2, d3, 1 more")


def test_a_register_with_a_period_of_its_own_keeps_its_signals_good_for_that_long():
    text = put(TEXT, POWER, "period_ms", "20000")
    ((line, told),) = problems(text)
    assert line == key_line(text, "signal.power", "stale_ms")
    assert "more than two periods of device meter register power; write more than 40000" in told
    assert problems(put(text, "signal.power", "stale_ms", "50000")) == []
    assert problems(put(put(text, POWER, "period_ms", "1000"), "signal.power", "stale_ms", "2500")) == []


KEY = "device.meter.register.key"


def test_a_setting_of_64_bits_reaches_the_node_whole():
    setting = '\n[device.meter.register.key]\nrole = "setting"\ntable = "holding"\naddress = 90\n'
    text = TEXT + setting + 'type = "u64"\nvalue = 0x0123456789ABCDEF\n'
    assert problems(text) == []
    assert described(text).description["device"]["meter"]["register"]["key"]["value"] == 0x0123456789ABCDEF
    for kind, value, words in (
        ("s64", "0xFFFFFFFFFFFFFFFF", "holds -9223372036854775808 to 9223372036854775807"),
        ("u64", "0x1FFFFFFFFFFFFFFFF", "write a finite number"),
        ("u64", "-1", "holds 0 to 18446744073709551615"),
    ):
        wrong = put(put(text, KEY, "type", f'"{kind}"'), KEY, "value", value)
        ((line, told),) = problems(wrong)
        assert line == key_line(wrong, KEY, "value") and words in told


@pytest.mark.parametrize(
    ("table", "kind", "functions"),
    [("coil", "bit", (5, 15)), ("holding", "s16", (6, 16)), ("holding", "f64", (16,))],
)
def test_a_write_function_fits_its_register(table, kind, functions):
    setting = f'\n[device.meter.register.s]\nrole = "setting"\ntable = "{table}"\naddress = 90\n'
    text = TEXT + setting + f'type = "{kind}"\nvalue = 1\n'
    for function in (5, 6, 15, 16):
        found = problems(put(text, "device.meter.register.s", "write_function", str(function)))
        assert bool(found) is (function not in functions), (function, found)


def test_a_lease_may_count_in_any_unit_that_goes_into_it():
    assert problems(put(TEXT, LEASE, "unit_ms", "1")) == []
    assert problems(put(TEXT, LEASE, "unit_ms", "5000")) == []


@pytest.mark.parametrize(
    ("table", "key", "words"),
    [
        ("device.dcon_m7018", "checksum", "expected true or false as the module is set"),
        ("device.adam4024", "armed", "somebody armed its adam4024"),
        ("device.adam4024", "lease_ms", "is driven and has no lease_ms"),
        ("device.m7065", "lease_ms", "is driven and has no lease_ms"),
        ("device.meter", "lease_ms", "has register watchdog for its lease, but no lease_ms"),
        ("device.oven", "set_point_low", "is driven and has no set_point_low"),
        (POWER, "address", "has no address"),
        (POWER, "role", "has no role"),
        (POWER, "unit", "has no unit"),
        (SAFE, "output", "has no output"),
    ],
)
def test_a_missing_key_is_told_on_the_header(table, key, words):
    text = drop(TEXT, table, key)
    found = problems(text)
    assert (header_line(text, table), True) in [(line, words in told) for line, told in found], found


def test_a_cold_junction_must_be_asked_for():
    text = drop(TEXT, "device.m7018", "cold_junction")
    ((line, told),) = problems(text)
    assert line == key_line(text, "signal.m7018_cold", "input")
    assert "write cold_junction = true in the device" in told


def test_an_m7018_has_thermocouples_of_one_type():
    other = '\n[signal.j]\ndevice = "m7018"\ninput = "ai1"\nsensor = "J"\nunit = "degC"\n'
    text = TEXT + other + "low = 0\nhigh = 700\nstale_ms = 5000\n"
    ((line, told),) = problems(text)
    assert line == key_line(text, "signal.j", "sensor") and "are of one type" in told
    assert problems(text.replace('device = "m7018"\ninput = "ai1"', 'device = "m7019r"\ninput = "ai2"')) == []


def test_a_described_device_without_registers():
    text = TEXT
    meter = described().description["device"]["meter"]
    registers = ["device.meter.register." + name for name in meter["register"]]
    signals = ["signal.power", "signal.total", "signal.state"]
    for table in (*registers, *signals, "output.meter", "loop.meter"):
        text = drop_table(text, table)
    told = " ".join(sentence for _, sentence in problems(text))
    assert "write them as [device.meter.register.NAME]" in told


def test_registers_of_a_device_that_knows_its_own():
    text = TEXT + '\n[device.oxygen.register.x]\nrole = "read"\n'
    ((_, told),) = problems(text)
    assert "register" in told and "which only 'modbus' reads" in told


def test_a_device_that_watches_nobody_is_warned_of():
    text = drop(drop_table(drop_table(TEXT, LEASE), SAFE), "device.meter", "lease_ms")
    assert problems(text) == []
    told = {sentence for _, sentence in described(text).warnings}
    assert any("meter is driven and has no lease_ms" in sentence for sentence in told)


def test_the_state_of_a_bus_is_an_input_of_every_device():
    signal = '\n[signal.load]\ndevice = "oxygen"\ninput = "bus.load"\nunit = "%"\n'
    assert problems(TEXT + signal + "low = 0\nhigh = 100\nstale_ms = 5000\n") == []


def test_a_module_that_is_only_read_needs_no_lease():
    text = TEXT
    for table in ("output.m7065", "loop.m7065"):
        text = drop_table(text, table)
    assert any("lease somebody must refresh" in told for _, told in problems(text))
    assert problems(drop(text, "device.m7065", "lease_ms")) == []
