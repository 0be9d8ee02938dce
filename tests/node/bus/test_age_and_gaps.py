"""How long a reply may take, how old its values are, how soon units are back, what the line's load is."""

import pytest

from edge.node.bus import modbus
from tests.node.bus.line import CHAR_US, LATE_MS, TIMEOUT_MS, Line, PluggableUart, registers, sound

READ = modbus.READ_HOLDING_REGISTERS


def dribbling(gap_us):
    """One character at a time."""

    def slave(request, sent_us):
        reply = registers(request)
        return [(5000 + gap_us * i, reply[i : i + 1]) for i in range(len(reply))]

    return slave


def test_a_reply_whose_characters_come_15_ms_apart_is_read():
    line = Line(dribbling(15000))
    device = line.add(1, [("a", READ, 0, 8, 1000)])
    line.run(10000)
    assert len(device.data()) == 10
    assert device.station.errors == 0


def test_characters_that_come_too_far_apart_are_no_reply_and_cost_no_more_than_a_gap():
    line = Line(dribbling(25000))
    device = line.add(1, [("a", READ, 0, 8, 60000)], retries=0)
    line.run(400)
    assert device.told[0][:3] == ("failed", "a", "truncated")
    assert device.told[0][3] <= (8 + 21) * CHAR_US / 1000 + TIMEOUT_MS + 21


def test_noise_that_never_ends_does_not_hold_the_deadline_up_for_ever():
    line = Line(lambda request, sent_us: [])
    device = line.add(1, [("a", READ, 0, 2, 60000)], retries=0)
    for i in range(2000):
        line.uart.put(10000 + 1000 * i, b"\x01\x03")
    line.run(1500)
    assert device.kinds() == ["failed"]


def test_the_age_of_a_value_counts_from_its_request():
    line = Line(lambda request, sent_us: [(300000, registers(request))])
    device = line.add(1, [("a", READ, 0, 2, 1000)], timeout_ms=400)
    line.run(5000)
    sent_ms = [at_us // 1000 for at_us, _ in line.requests()]
    assert [entry[3] for entry in device.told] == sent_ms


@pytest.mark.parametrize("away_ms", [300, 5000, 60000])
def test_every_unit_of_a_full_line_is_back_within_two_periods_after_a_replug(away_ms):
    line = Line(sound, PluggableUart)
    # 20 transactions of 12.3 ms take the whole period.
    devices = [line.add(unit, [("a", READ, 0, 2, 250)]) for unit in range(1, 21)]
    line.run(5000)
    line.uart.gone = True
    line.run(away_ms)
    line.uart.gone = False
    while line.bus.port.reopened == 0:
        line.run(1)
    back_ms = line.clock.now_ms()
    line.run(500)
    for device in devices:
        assert [entry for entry in device.told if entry[0] == "replied" and entry[3] >= back_ms]
        assert device.station.down == ""


def test_a_dead_unit_that_is_back_on_a_full_line_is_asked_within_its_rest_and_two_periods():
    dead = [True]
    line = Line(lambda request, sent_us: [] if dead[0] and request[0] == 1 else sound(request, sent_us))
    device = line.add(1, [("a", READ, 0, 2, 250)])
    for unit in range(2, 24):
        line.add(unit, [("a", READ, 0, 2, 250)])
    line.run(20000)
    dead[0] = False
    at_ms = line.clock.now_ms()
    # SLOW_FACTOR times late_ms is the longest rest.
    line.run(3 * LATE_MS + 500 + 100)
    assert [entry for entry in device.told if entry[0] == "replied" and entry[3] >= at_ms]


def test_a_unit_that_needs_it_gets_its_pause_while_the_others_go_on():
    line = Line(sound)
    slow = line.add(1, [("a", READ, 0, 2, 20), ("b", READ, 10, 2, 20)], pause_ms=40)
    quick = line.add(2, [("a", READ, 0, 2, 50)])
    line.run(5000)
    ends_us = [at_us + 8 * CHAR_US + sound(request, 0)[0][0] for at_us, request in line.requests(1)]
    asked_us = [at_us for at_us, _ in line.requests(1)]
    assert len(asked_us) > 70
    for end_us, next_us in zip(ends_us, asked_us[1:], strict=False):
        assert next_us - end_us >= 40000
    assert len(quick.told) == pytest.approx(100, abs=2)
    assert "failed" not in slow.kinds()


@pytest.mark.parametrize(("unit_count", "dead"), [(30, 0), (30, 1), (5, 0)])
def test_the_load_of_the_line_counts_silences_and_time_outs(unit_count, dead):
    line = Line(lambda request, sent_us: [] if request[0] <= dead else sound(request, sent_us))
    devices = [line.add(unit, [("a", READ, 0, 2, 250)]) for unit in range(1, unit_count + 1)]
    status = devices[-1].station.status()
    line.run(70000)
    load = status.values[status.inputs["bus.line_load"]]
    one_us = (8 + 9) * CHAR_US + 5000 + 1750
    assert load == pytest.approx(min(100, unit_count * one_us / 2500), rel=0.02)
