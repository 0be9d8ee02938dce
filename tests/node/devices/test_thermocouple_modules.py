"""Drivers of thermocouple modules against their emulation, over Modbus and over DCON."""

from types import SimpleNamespace

import pytest

from edge.emulator.instruments.adam4018 import Adam4018, Adam4118
from edge.emulator.instruments.m7019r import M7018, M7019R, Channel
from edge.node.devices import adam4018, adam4018_dcon, m7019r
from edge.node.devices.dcon_device import fields
from tests.node.devices.rig import Rig

CURRENT = {"at_4ma": -300.0, "at_20ma": 200.0}
WIRED = {"ai0": "K", "ai3": "K"}


def icp(family=M7019R, protocol="modbus", checksum=False, **_):
    channels = {"ai0": Channel("K", "hot_c"), "ai3": Channel("K", "warm_c")}
    if family is M7019R:
        channels["ai5"] = Channel("4-20mA", "draught_pa", **CURRENT)
    module = family("tc", 1, 5, channels, 35.0)
    return spoken(module, protocol, checksum)


def adam(family=Adam4018, protocol="modbus", checksum=False, **_):
    channels = {"ai0": ("K", "hot_c", 0.0), "ai3": ("K", "warm_c", 0.0)}
    return spoken(family("tc", 1, 5, channels), protocol, checksum)


def spoken(module, protocol, checksum):
    module.protocol, module.checksum = protocol, checksum
    return module


MODULES = {"m7019r": icp, "m7018": lambda **how: icp(M7018, **how), "adam4018+": adam}
MODULES["adam4118"] = lambda **how: adam(Adam4118, **how)
HOW = [
    pytest.param(kind, {"protocol": protocol, "checksum": checksum}, id=f"{kind}-{protocol}-{checksum}")
    for kind in MODULES
    for protocol, checksum in (("modbus", False), ("dcon", False), ("dcon", True))
]


def rig(kind, how, **values):
    model = SimpleNamespace(**{"hot_c": 950.0, "warm_c": 25.0, "draught_pa": -80.0, **values})
    sensors = dict(WIRED)
    if kind == "m7019r":
        sensors["ai5"] = "4-20mA"
    return Rig({"type": kind, **how}, MODULES[kind](**how), model, sensors)


@pytest.mark.parametrize(("kind", "how"), HOW)
def test_readings_come_through(kind, how):
    line = rig(kind, how)
    line.run(3)
    assert line.driver.ready
    # 0.1 degC of the module, or one count of 1370/65536, which is less.
    assert line.good("ai0") == pytest.approx(950.0, abs=0.051)
    assert line.good("ai3") == pytest.approx(25.0, abs=0.051)
    line.model.hot_c = 700.0
    line.run(1)
    assert line.good("ai0") == pytest.approx(700.0, abs=0.051)
    if kind == "m7019r":
        assert line.good("ai5") == pytest.approx(11.04, abs=0.0011)
    assert line.driver.stamps_ms[1] == -1, "a channel without a sensor is not read"


@pytest.mark.parametrize(("kind", "how"), HOW)
def test_a_burnt_out_thermocouple_is_bad_within_a_period_and_recovers(kind, how):
    line = rig(kind, how)
    line.run(3)
    line.fault("burnt_out", "ai0")
    line.run(1)
    assert "broken wire" in line.why("ai0")
    assert line.good("ai3") == pytest.approx(25.0, abs=0.051)
    line.clear()
    line.run(1)
    assert line.good("ai0") == pytest.approx(950.0, abs=0.051)


@pytest.mark.parametrize(("kind", "how"), HOW)
@pytest.mark.parametrize("hot_c", [1380.0, -300.0])
def test_beyond_the_range_there_is_no_value(kind, how, hot_c):
    line = rig(kind, how, hot_c=hot_c)
    line.run(3)
    assert "range" in line.why("ai0")
    assert line.driver.values[0] == 0.0, "and no number that could be taken for one"


@pytest.mark.parametrize(("kind", "how"), HOW)
def test_after_a_power_cycle_readings_come_back(kind, how):
    line = rig(kind, how)
    line.run(3)
    line.fault("reset")
    line.run(6)
    assert line.good("ai0") == pytest.approx(950.0, abs=0.051)


@pytest.mark.parametrize(("kind", "how"), HOW)
def test_a_module_of_other_settings_in_its_place_gives_no_reading(kind, how):
    line = rig(kind, how)
    line.run(3)
    line.fault("silence")
    line.run(5)
    line.clear()
    other = MODULES[kind](**how)
    address = m7019r.TYPE_CODE if kind == "m7018" else m7019r.AI_TYPE_CODE
    if kind.startswith("adam"):
        address = adam4018.AI_TYPE_CODE
    # A type J there, of which the emulation knows no voltage; a current on the universal module.
    other.holding.put(address, 0x07 if kind == "m7019r" else 0x0E)
    line.put(other)
    line.run(8)
    assert not line.driver.ready
    assert "type code" in line.why("ai0") and "the node file says" in line.why("ai0")
    line.put(MODULES[kind](**how))
    line.run(8)
    assert line.good("ai0") == pytest.approx(950.0, abs=0.051)


@pytest.mark.parametrize("kind", ["m7018", "m7019r"])
@pytest.mark.parametrize("protocol", ["modbus", "dcon"])
def test_the_cold_junction_is_read_where_the_node_file_asks(kind, protocol):
    line = rig(kind, {"protocol": protocol, "cold_junction": True})
    line.run(3)
    assert line.good("cold_junction") == 35.0
    without = rig(kind, {"protocol": protocol})
    without.run(3)
    assert without.driver.stamps_ms[m7019r.COLD_JUNCTION] == -1


@pytest.mark.parametrize("kind", ["adam4018+", "adam4118"])
def test_without_the_burn_out_bits_an_adam_gives_no_value(kind):
    """A count of an open thermocouple is one of a temperature: the bits must have been read."""
    line = rig(kind, {})
    line.run(3)
    driver = line.driver
    driver._burnt_out_ms = -1
    driver.received("inputs", bytes(16), line.clock.now_ms())
    assert line.why("ai0") == "burn-out not read"


def test_an_adam_tells_a_fault_by_its_bit_or_by_its_count():
    line = rig("adam4018+", {})
    line.run(2)
    now_ms = line.clock.now_ms()
    line.driver.received("burn-out", b"\x08", now_ms)
    assert line.why("ai3") == "broken wire or out of range", "before the value is read"
    line.driver.received("inputs", bytes((0x80, 0)) * 8, now_ms)
    assert (line.why("ai0"), line.why("ai3")) == ("", "broken wire or out of range")
    line.driver.received("burn-out", b"\x00", now_ms)
    line.driver.received("inputs", b"\xff\xff" + bytes((0x80, 0)) * 7, now_ms)
    assert (line.why("ai0"), line.why("ai3")) == ("over range", "")


@pytest.mark.parametrize(
    ("sensor", "ma", "good"),
    [("4-20mA", 3.59, False), ("4-20mA", 3.61, True), ("4-20mA", 20.99, True), ("4-20mA", 21.01, False),
     ("0-20mA", 0.0, True)],
)  # fmt: skip
def test_a_current_that_no_transmitter_gives_is_a_fault(sensor, ma, good):
    driver = m7019r.M7019R("it", 1, 250, {"ai2": sensor})
    driver.ready = True
    driver.received("inputs", bytes(4) + int(ma * 1000).to_bytes(2, "big") + bytes(10), 0)
    assert (driver.faults[2] == "") is good
    assert driver.values[2] == pytest.approx(ma)


def test_an_adam_of_another_kind_is_noticed():
    line = rig("adam4118", {})
    line.put(adam(Adam4018))
    line.run(3)
    assert "module name (40211) is 16408, the node file says 16664" in line.why("ai0")


@pytest.mark.parametrize("sensor", list(adam4018.SENSORS))
def test_counts_and_temperatures_of_an_adam_are_inverse_over_its_range(sensor):
    _, low, high = adam4018.SENSORS[sensor]
    step = (high - low) / adam4018.FULL_COUNT
    for i in range(101):
        temp_c = low + (high - low) * i / 101.0
        assert adam4018.temp_c(sensor, adam4018.counts(sensor, temp_c)) == pytest.approx(temp_c, abs=step)
    assert adam4018.temp_c("K", 0x8000) == 685.0


@pytest.mark.parametrize("kind", ["m7019r", "adam4018+"])
def test_a_wrong_checksum_setting_is_silence_and_not_a_reading(kind):
    line = rig(kind, {"protocol": "dcon", "checksum": True})
    line.instrument.checksum = False
    line.run(5)
    assert not line.driver.ready
    assert line.driver.stamps_ms[0] == -1


@pytest.mark.parametrize(
    ("text", "number", "fault"),
    [
        (b">+0025.4", 25.4, ""),
        (b">-0001.2", -1.2, ""),
        (b">+9999.9", None, "over range"),
        (b">+9999", None, "over range"),
        (b">-9999.9", None, "under range"),
        (b">-0000", None, "under range"),
        (b">+0000.0", 0.0, ""),
        (b">       ", None, "channel switched off"),
        (b">+12.3.4", None, "unreadable: +12.3.4"),
        (b">0025.4", None, "unreadable: 0025.4"),
        (b">+095.3", None, "unreadable: +095.3"),
        (b">+09503.1", None, "unreadable: +09503.1"),
        (b">+000nan", None, "unreadable: +000nan"),
        (b">+0_25.4", None, "unreadable: +0_25.4"),
    ],
)
def test_fields_of_a_reply(text, number, fault):
    assert fields(text) == [(number, fault)]


def test_fields_of_eight_channels_of_different_widths():
    text = b">+0950.0+9999       -0000-0012.3+07.211+0000.1+1370.0"
    assert [number for number, _ in fields(text)] == [950.0, None, None, None, -12.3, 7.211, 0.1, 1370.0]


@pytest.mark.parametrize(
    ("scale", "sensor", "count", "temp_c"),
    [
        ("range", "K", 0x8000, 685.0),
        ("range", "R", 0x8000, 1125.0),
        ("zero", "R", 0x8000, 875.0),
        ("signed", "K", 0x4000, 685.0),
        ("signed", "T", 0xF000, -50.0),
    ],
)
def test_what_the_registers_of_an_adam_4018_count_is_chosen(scale, sensor, count, temp_c):
    assert adam4018.temp_c(sensor, count, scale) == pytest.approx(temp_c)
    spec = {"unit": 1, "period_ms": 100, "type": "adam4018+", "register_scale": scale}
    device = adam4018.build("a", spec, {"ai0": sensor}, {})
    device.ready = True
    device.received("burn-out", b"\x00", 0)
    device.received("inputs", count.to_bytes(2, "big") * 8, 10)
    assert (device.faults[0], device.values[0]) == ("", pytest.approx(temp_c))


@pytest.mark.parametrize(
    ("reply", "wrong"), [(b"!01C0R0F", ""), (b"!01C00F", ""), (b"!01C0R0E", "0E"), (b"!01C00E", "0E")]
)
def test_a_type_code_is_read_with_and_without_its_letter(reply, wrong):
    spec = {"unit": 1, "period_ms": 100, "type": "adam4018+", "checksum": True}
    device = adam4018_dcon.build("a", spec, {"ai0": "K"}, {})
    said = device.language.wrong(device.settings[-1], reply)
    assert said[:2] == wrong
