"""The time line says what a frame is: function, address and count, or the exception."""

import pytest

from edge.emulator.timeline import Entry, Timeline
from edge.node.bus import modbus
from tests.emulator.test_bench import MODULE, ROOF, Desk


def told(desk):
    timeline = Timeline(0)
    desk.bench.faults.told = timeline.fault
    desk.wire.tap = timeline.heard
    return timeline


def test_requests_and_replies_are_decoded_and_a_reply_has_the_address_of_its_request():
    desk = Desk()
    timeline = told(desk)
    desk.ask(modbus.read_request(ROOF, 4, 2, 6))
    desk.ask(modbus.write_register(MODULE, 32, 5000))
    desk.ask(modbus.write_registers(MODULE, 32, [5000, 6000]))
    desk.ask(modbus.read_request(ROOF, 4, 900, 2))
    found = [
        (one.what, one.unit, one.function, one.address, one.count, one.exception)
        for one in timeline.entries()
    ]
    assert found == [
        ("request", ROOF, 4, 2, 6, 0),
        ("reply", ROOF, 4, 2, 6, 0),
        ("request", MODULE, 6, 32, 1, 0),
        ("reply", MODULE, 6, 32, 1, 0),
        ("request", MODULE, 16, 32, 2, 0),
        ("reply", MODULE, 16, 32, 2, 0),
        ("request", ROOF, 4, 900, 2, 0),
        ("reply", ROOF, 4, 900, 2, 2),
    ]
    text = [str(entry) for entry in timeline.entries()]
    assert "request       unit 1: read input registers (4) 2..7  [01 04 00 02 00 06" in text[0]
    assert "read input registers (4) 900..901: exception 2" in text[-1]
    assert "unit 3: write register (6) 32  [" in text[2]


def test_echoes_and_what_was_not_asked_for_are_told_apart_and_damage_is_told():
    desk = Desk()
    timeline = told(desk)
    desk.bench.fault("all", "echo", seconds=0.3)
    desk.run_to(1750)
    desk.port.write(modbus.read_request(ROOF, 4, 0, 1))
    desk.wait(0.3)
    desk.port.read()
    desk.bench.clear_faults()
    desk.bench.fault(ROOF, "wrong_crc")
    desk.ask(modbus.read_request(ROOF, 4, 0, 1))
    desk.bench.clear_faults()
    desk.bench.fault(ROOF, "second_master", 200, function=3, register=0)
    desk.wait(0.5)
    desk.port.read()
    entries = [entry for entry in timeline.entries() if not entry.kind]
    assert [entry.what for entry in entries[:5]] == ["request", "echo", "reply", "request", "reply"]
    assert entries[4].function == 0 and "no Modbus frame, or damaged" in str(entries[4])
    assert {entry.what for entry in entries[5:]} == {"foreign"} and len(entries) > 6


@pytest.mark.parametrize(
    "data", [b"", b"\x01", b"\x01\x84\x02\xc2\xc1", modbus.read_request(1, 3, 0, 2), bytes(300)]
)
def test_an_entry_comes_back_from_its_list(data):
    timeline = Timeline(0)
    timeline.heard(5000, ">", modbus.read_request(1, 4, 7, 3))
    timeline.heard(6000, "<", data)
    for entry in timeline.entries():
        again = Entry.from_list(entry.as_list())
        assert str(again) == str(entry) and again.as_list() == entry.as_list()
