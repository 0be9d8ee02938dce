"""What a unit does not answer while it answers other requests costs these nothing, and is named."""

import pytest

from edge.node.bus import modbus
from edge.node.devices.modbus_device import ModbusDevice
from tests.node.bus.line import TIMEOUT_MS, Line, registers, sound

READ = modbus.READ_HOLDING_REGISTERS
COUNTS = [(2, 2, 2), (2, 3, 4)]


def blocks(line, counts, **settings):
    """A unit with blocks of so many registers, at 0, 10, 20, each read once a second."""
    return line.add(1, [(i, READ, 10 * i, count, 1000) for i, count in enumerate(counts)], **settings)


def replies(device, tag) -> int:
    return len([entry for entry in device.told if entry[:2] == ("replied", tag)])


@pytest.mark.parametrize("counts", COUNTS)
@pytest.mark.parametrize("silent", [0, 1, 2])
@pytest.mark.parametrize("retries", [0, 1, 3])
def test_beside_a_block_that_is_never_answered_the_others_keep_their_rate(counts, silent, retries):
    line = Line(lambda request, sent_us: [] if request[3] == 10 * silent else sound(request, sent_us))
    device = blocks(line, counts, retries=retries)
    line.run(10000)
    before = {tag: replies(device, tag) for tag in range(3)}
    assert device.station.down == ""
    line.run(60000)
    for tag in range(3):
        if tag == silent:
            assert replies(device, tag) == 0
            assert ("failed", tag, "silence") in [entry[:3] for entry in device.told]
        else:
            assert replies(device, tag) - before[tag] >= 0.95 * 60
    assert {entry[1] for entry in device.told if entry[0] == "failed"} == {silent}
    assert device.station.down == ""


def test_a_block_that_is_answered_again_is_read_at_its_rate():
    line = Line(lambda request, sent_us: [] if request[3] == 10 else sound(request, sent_us))
    device = blocks(line, COUNTS[0])
    line.run(30000)
    line.uart.answer = sound
    line.run(25000)
    before = replies(device, 1)
    line.run(20000)
    assert replies(device, 1) - before == pytest.approx(20, abs=1)


@pytest.mark.parametrize("counts", COUNTS)
@pytest.mark.parametrize("deaf_ms", [5, 30, TIMEOUT_MS, 2 * TIMEOUT_MS])
def test_every_block_of_a_unit_that_is_deaf_after_each_reply_keeps_its_rate(counts, deaf_ms):
    line = Line(deaf_for(deaf_ms))
    device = blocks(line, counts)
    line.run(5000)
    before = [replies(device, tag) for tag in range(3)]
    line.run(60000)
    for tag in range(3):
        assert replies(device, tag) - before[tag] >= 0.95 * 60


def test_with_its_pause_a_unit_that_is_deaf_for_long_never_fails():
    line = Line(deaf_for(300))
    device = blocks(line, COUNTS[0], pause_ms=300)
    other = line.add(2, [("a", READ, 0, 2, 100)])
    line.run(20000)
    assert "failed" not in device.kinds()
    assert device.station.errors == 0
    assert all(replies(device, tag) >= 19 for tag in range(3))
    assert len(other.told) == pytest.approx(200, abs=2)


def deaf_for(deaf_ms: int):
    ends_us = [-10000000]

    def slave(request, sent_us):
        if request[0] == 1:
            if sent_us - ends_us[0] < 1000 * deaf_ms:
                return []
            ends_us[0] = sent_us + sound(request, sent_us)[0][0]
        return sound(request, sent_us)

    return slave


def test_a_queued_read_that_is_never_answered_does_not_keep_the_polls_from_being_read():
    line = Line(lambda request, sent_us: [] if request[3] == 99 else sound(request, sent_us))
    device = blocks(line, COUNTS[0])
    for _ in range(300):
        if not device.station.queued:
            device.station.queue("verify", modbus.read_request(1, 3, 99, 2))
        line.run(100)
    assert device.station.down == ""
    for tag in range(3):
        assert replies(device, tag) >= 5


def test_only_the_inputs_of_a_block_that_is_not_answered_are_bad_and_say_why():
    register = {"role": "read", "table": "holding", "type": "u16"}
    spec = {"near": dict(register, address=0), "far": dict(register, address=50)}
    device = ModbusDevice("mixed", 1, 1000, spec, {})
    line = Line(lambda request, sent_us: [(5000, registers(request))] if request[3] == 0 else [])
    line.bus.add(device)
    for _ in range(20):
        line.run(250)
        device.tick(line.clock.now_ms())
    assert device.faults[device.inputs["near"]] == ""
    assert device.faults[device.inputs["far"]] == "no reply: silence"
    assert device.linked and device.link_fault == ""
