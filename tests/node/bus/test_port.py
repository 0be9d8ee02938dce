"""A port that goes away and comes back, in virtual time; the real one is in test_replug.py."""

import pytest

from edge.node.bus import modbus
from edge.node.bus.port import REOPEN_MOST_US
from tests.node.bus.line import LATE_MS, Line, PluggableUart, ScriptedUart, damaged_once, sound

POLL = [("a", modbus.READ_HOLDING_REGISTERS, 0, 4, 100)]


@pytest.fixture
def line():
    line = Line(sound, PluggableUart)
    line.device = line.add(1, POLL)
    line.other = line.add(2, POLL)
    line.run(1000)
    return line


def test_the_units_of_a_port_that_is_gone_are_down_within_their_budgets(line):
    line.uart.gone = True
    line.run(100 + line.device.station.budget_us() / 1000)
    assert line.device.station.down == line.other.station.down == "port gone"
    assert line.bus.port.fault
    assert not line.bus.port.open
    assert line.bus.pollable() is None


def test_all_recovers_when_the_port_is_back(line):
    line.uart.gone = True
    line.run(30000)
    line.uart.gone = False
    told = len(line.device.told)
    line.run(REOPEN_MOST_US / 1000 + LATE_MS + 200)
    assert line.bus.port.open
    assert line.bus.port.reopened == 1
    assert line.device.station.down == ""
    assert "replied" in line.device.kinds()[told:]


def test_it_is_opened_again_at_longer_and_longer_intervals(line):
    line.uart.gone = True
    line.run(20000)
    assert 8 <= line.uart.opened <= 14


def test_what_is_queued_while_the_port_is_away_fails_by_name(line):
    line.uart.gone = True
    line.run(3000)
    line.device.station.queue("set", modbus.write_register(1, 0, 7))
    line.run(3000)
    assert ("failed", "set", "port gone") in [entry[:3] for entry in line.device.told]
    assert line.bus.idle()


def test_a_port_that_goes_while_a_read_waits_to_be_repeated_loses_nobody():
    """The repetition of a queued read is pending: its device must hear that it failed."""
    line = Line(damaged_once(), PluggableUart)
    device = line.add(1)
    device.station.queue("verify", modbus.read_request(1, 3, 0, 2))
    line.run(1)
    # A character just before the deadline: the repetition waits for the silence after it.
    line.uart.put(device.station.master.deadline_us - 500, b"\x00")
    line.run((device.station.master.deadline_us - line.clock.now_us()) / 1000 + 0.1)
    assert not line.bus.idle()
    line.uart.gone = True
    line.run(100)
    assert [entry[:3] for entry in device.told] == [("failed", "verify", "port gone")]


def test_a_port_that_can_not_be_opened_again_is_an_error():
    line = Line(sound, ScriptedUart)
    line.add(1, POLL)
    line.run(200)
    line.uart.gone = True
    with pytest.raises(OSError, match="port test"):
        line.run(1000)


def test_the_other_bus_goes_on(line):
    """Two lines in one loop: the loss of one costs the other nothing."""
    second = Line(sound)
    device = second.add(1, POLL)
    line.uart.gone = True
    for _ in range(100):
        line.run(10)
        second.run(10)
    assert len(device.told) == 10


def test_every_device_hears_that_its_port_was_away_though_it_was_not_asked_meanwhile(line):
    """What was plugged in again may be another instrument: settings are to be verified anew."""
    line.uart.gone = True
    line.run(20)
    line.uart.gone = False
    line.run(1000)
    for device in (line.device, line.other):
        assert ("failed", "", "port gone") in [entry[:3] for entry in device.told]
