"""Whatever a reply holds that passed as one, a driver says a number or what is wrong, and goes on."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.node.devices.test_on_micropython import rigs

PIECES = [">", "!", "01", "+", "-", "+0950.3", "+9999", "-0000", "04", "80", ".", "1", "nan", "inf", " "]
PIECES += ["e5", "_", "FF", "x", "12.000", "+12.000", "       ", "9" * 20]
TEXT = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=12).map("".join),
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=70),
)
DCON = [f"{kind} dcon" for kind in ("m7019r", "m7018", "adam4018+", "adam4118", "m7024", "m7055", "m7065")]
SPOKEN = ("m7019r", "m7018", "adam4018+", "m7024", "adam4024", "m7065", "adam4056")
MODBUS = [f"{kind} modbus" for kind in SPOKEN]
MODBUS += ["uk24mod", "eurotherm3200", "s7800", "ach550", "o2_analyser", "modbus"]


@pytest.fixture(scope="module")
def running():
    """All rigs after two seconds: verified, and read."""
    made = {name: rig for name, (rig, _) in rigs().items()}
    for rig in made.values():
        rig.run(2)
        assert rig.driver.ready
    return made


def hand_over(rig, tag, data):
    driver = rig.driver
    driver.ready = True
    driver.replied(tag, data, rig.clock.now_ms())
    driver.tick(rig.clock.now_ms())
    for value, fault in zip(driver.values, driver.faults, strict=True):
        assert fault or math.isfinite(value)
        assert isinstance(fault, str)
    for channel in range(driver.outputs):
        actual = driver.actual(channel)
        assert actual is None or math.isfinite(actual)


def tags(rig):
    return [poll.tag for poll in rig.driver.station.polls]


def test_all_are_here(running):
    assert set(DCON) | set(MODBUS) <= set(running)


@pytest.mark.parametrize("name", DCON)
@given(data=st.data(), text=TEXT)
def test_text(running, name, data, text):
    rig = running[name]
    for tag in [data.draw(st.sampled_from(tags(rig))), "verify", "set", "output 0", "clear", "host"]:
        if tag == "verify" and not rig.driver.settings:
            continue
        rig.driver.verification.at = 0
        hand_over(rig, tag, text.encode() or b"!")


@pytest.mark.parametrize("name", MODBUS)
@given(data=st.data())
def test_registers(running, name, data):
    rig = running[name]
    poll = data.draw(st.sampled_from(rig.driver.station.polls))
    size = poll.expected - 5
    hand_over(rig, poll.tag, data.draw(st.binary(min_size=size, max_size=size)))
