"""The schedule against a scripted other end: retries, budgets, priorities, late replies, broadcast."""

import pytest

from edge.node.bus import modbus
from tests.node.bus.line import CHAR_US, LATE_MS, TIMEOUT_MS, Line, registers, sound

READ = modbus.READ_HOLDING_REGISTERS


def read(tag, address, count, period_ms, *priority):
    return (tag, READ, address, count, period_ms, *priority)


def silent_for(unit):
    """Everybody answers but one."""
    return lambda request, sent_us: [] if request[0] == unit else sound(request, sent_us)


def damaged(reply: bytes) -> bytes:
    return reply[:-1] + bytes([reply[-1] ^ 0xFF])


# Priorities, periods, merging ------------------------------------------------------------------


def test_polls_keep_their_periods():
    line = Line(sound)
    quick = line.add(1, [read("a", 0, 2, 100)])
    slow = line.add(2, [read("b", 0, 2, 500)])
    line.run(10000)
    assert len(quick.told) == pytest.approx(100, abs=1)
    assert len(slow.told) == pytest.approx(20, abs=1)


def test_on_a_full_line_the_better_priority_keeps_its_period_and_the_worse_is_not_forgotten():
    line = Line(sound)
    first = line.add(1, [read("a", 0, 2, 40, 0)])
    last = [line.add(unit, [read("b", 0, 20, 40, 2)]) for unit in (2, 3, 4)]
    line.run(10000)
    assert len(first.told) == pytest.approx(250, abs=5)
    for device in last:
        assert len(device.told) > 25, "a tenth of its rate at least"
        assert len(device.told) < 200, "the line is full"


def test_a_queued_request_goes_before_any_poll():
    line = Line(sound)
    device = line.add(1, [read("a", 0, 2, 10), read("b", 10, 2, 10)])
    line.run(95)
    before = len(line.requests())
    device.station.queue("set", modbus.write_register(1, 7, 42))
    line.run(50)
    after = [request for _, request in line.requests()[before:]]
    assert after[0][1] == 6
    assert ("replied", "set", b"\x00\x07\x00\x2a") in [entry[:3] for entry in device.told]


def test_the_writes_of_several_stations_take_turns():
    line = Line(sound)
    devices = [line.add(unit) for unit in (1, 2)]
    for device in devices:
        for number in range(3):
            device.station.queue(number, modbus.write_register(device.unit, number, 0))
    line.run(200)
    assert [request[0] for _, request in line.requests()] == [1, 2, 1, 2, 1, 2]


def test_a_request_queued_again_under_its_tag_replaces_the_older():
    line = Line(sound)
    device = line.add(1)
    device.station.queue("set", modbus.write_register(1, 0, 1))
    device.station.queue("set", modbus.write_register(1, 0, 2))
    line.run(100)
    assert [request[5] for _, request in line.requests()] == [2]


def test_cleared_requests_are_never_sent_and_later_ones_are():
    line = Line(sound)
    device = line.add(1)
    device.station.queue("set", modbus.write_register(1, 0, 1))
    device.station.clear()
    line.run(100)
    assert line.requests() == []
    device.station.queue("set", modbus.write_register(1, 0, 2))
    line.run(100)
    assert len(line.requests()) == 1


def test_adjacent_registers_become_one_request_and_each_tag_gets_its_own():
    line = Line(sound)
    polls = [read("b", 4, 2, 100), read("a", 0, 4, 100), read("far", 40, 1, 100), read("slow", 6, 1, 500)]
    device = line.add(1, polls, merge_gap=0)
    line.run(90)
    asked = sorted((request[3], request[5]) for _, request in line.requests())
    assert asked == [(0, 6), (6, 1), (40, 1)]
    data = {tag: modbus.unpack_registers(data) for _, tag, data, _ in device.told}
    assert data == {"a": (0, 1, 2, 3), "b": (4, 5), "far": (40,), "slow": (6,)}


def test_a_gap_is_read_over_only_as_far_as_the_device_says():
    line = Line(sound)
    line.add(1, [read("a", 0, 2, 100), read("b", 5, 1, 100)], merge_gap=3)
    line.add(2, [read("a", 0, 2, 100), read("b", 5, 1, 100)], merge_gap=2)
    line.add(3, [read("a", 0, 2, 100), read("b", 2, 1, 100)])
    line.run(90)
    assert [len(line.requests(unit)) for unit in (1, 2, 3)] == [1, 2, 2]


def test_no_merged_request_is_longer_than_the_device_allows():
    line = Line(sound)
    line.add(1, [read(i, 2 * i, 2, 100) for i in range(4)], merge_gap=0, merge_count=4)
    line.run(90)
    assert [request[5] for _, request in line.requests(1)] == [4, 4]


def test_merged_bits_are_cut_where_they_belong():
    def slave(request, sent_us):
        bits = [address in (3, 9) for address in range(request[3], request[3] + request[5])]
        packed = modbus.pack_bits(bits)
        return [(5000, modbus.sealed(bytes((1, 1, len(packed))) + packed))]

    line = Line(slave)
    polls = [("low", modbus.READ_COILS, 0, 5, 100), ("high", modbus.READ_COILS, 5, 6, 100)]
    device = line.add(1, polls, merge_gap=0)
    line.run(90)
    bits = {tag: data for _, tag, data, _ in device.told}
    assert modbus.unpack_bits(bits["low"], 5) == [False, False, False, True, False]
    assert modbus.unpack_bits(bits["high"], 6) == [False, False, False, False, True, False]


# Failures --------------------------------------------------------------------------------------


def test_a_damaged_reply_is_asked_again_at_once_and_nobody_hears_of_it():
    hits = []

    def slave(request, sent_us):
        reply = registers(request)
        if len(hits) < 1:
            hits.append(1)
            reply = damaged(reply)
        return [(5000 + len(reply) * CHAR_US, reply)]

    line = Line(slave)
    device = line.add(1, [read("a", 0, 2, 500)])
    line.run(400)
    first, second = [at_us for at_us, _ in line.requests()]
    assert second - first < 100000
    assert device.kinds() == ["replied"]
    assert device.station.errors == 1
    assert device.station.last_error == "wrong crc"


def test_the_retries_of_a_damaged_reply_have_an_end():
    line = Line(lambda request, sent_us: [(5000, damaged(registers(request)))])
    device = line.add(1, [read("a", 0, 2, 5000)], retries=2)
    line.run(400)
    assert len(line.requests()) == 3
    assert device.kinds() == ["failed"]
    assert device.station.down == "wrong crc"


def test_a_damaged_write_is_not_repeated_by_the_bus():
    line = Line(lambda request, sent_us: [(5000, damaged(modbus.sealed(request[:6])))])
    device = line.add(1)
    device.station.queue("set", modbus.write_register(1, 0, 1))
    line.run(400)
    assert len(line.requests()) == 1
    assert device.kinds() == ["failed"]


def test_after_silence_a_read_is_repeated_only_when_no_late_reply_can_come():
    line = Line(silent_for(1))
    device = line.add(1, [read("a", 0, 2, 5000)], retries=1)
    line.run(3000)
    first, second = [at_us for at_us, _ in line.requests()[:2]]
    assert second - first >= 1000 * (TIMEOUT_MS + LATE_MS)
    assert device.kinds() == ["failed"], "told once, when the budget was used up"


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_a_dead_unit_is_down_within_its_time_out_budget(retries):
    line = Line(sound)
    device = line.add(1, [read("a", 0, 8, 250)], retries=retries)
    line.add(2, [read("b", 0, 8, 100)])
    line.run(1000)
    line.uart.answer = silent_for(1)
    began_us = line.clock.now_us()
    while not device.station.down:
        line.run(1)
        assert line.clock.now_us() - began_us < 10000000
    took_us = line.clock.now_us() - began_us
    # One transaction of the other unit may be on the line each time.
    others_us = (retries + 1) * 25000
    assert took_us <= 250000 + device.station.budget_us() + others_us
    assert device.kinds().count("failed") == 1


def test_a_time_out_of_its_own_is_kept():
    line = Line(silent_for(1))
    device = line.add(1, [read("a", 0, 2, 100)], timeout_ms=400, retries=0)
    line.run(390)
    assert device.told == []
    line.run(100)
    assert device.kinds() == ["failed"]


def test_a_slow_unit_with_a_time_out_of_its_own_is_no_failure():
    def slave(request, sent_us):
        return [(300000, registers(request))]

    line = Line(slave)
    slow = line.add(1, [read("a", 0, 2, 1000)], timeout_ms=400)
    hasty = line.add(2, [read("a", 0, 2, 1000)], retries=0)
    line.run(900)
    assert slow.kinds() == ["replied"]
    assert hasty.kinds() == ["failed"]


def test_a_dead_unit_without_any_late_time_does_not_fill_the_line():
    line = Line(silent_for(1), late_ms=0)
    line.add(1, [read("a", 0, 2, 20)])
    other = line.add(2, [read("b", 0, 2, 50)])
    line.run(20000)
    assert len(other.told) >= 0.95 * 400
    assert len(line.requests(1)) * TIMEOUT_MS < 0.06 * 20000


def test_any_reply_ends_down_and_so_does_a_refusal():
    line = Line(silent_for(1))
    device = line.add(1, [read("a", 0, 2, 100)])
    line.run(3000)
    assert device.station.down == "silence"
    line.uart.answer = lambda request, sent_us: [(5000, modbus.sealed(bytes((1, 0x83, 6))))]
    line.run(4000)
    assert device.station.down == ""
    assert device.station.last_error == "server device busy"
    assert device.kinds()[-1] == "refused"


def refusing(code, times):
    """Unit 1 refuses so many requests, then it is sound."""
    asked = []

    def answer(request, sent_us):
        asked.append(request)
        if len(asked) <= times:
            return [(5000, modbus.sealed(bytes((1, request[1] | 0x80, code))))]
        return sound(request, sent_us)

    return answer


@pytest.mark.parametrize("code", [4, 5, 6, 8])
@pytest.mark.parametrize("retries", [0, 1, 3])
def test_a_refusal_that_may_pass_takes_the_retries(code, retries):
    line = Line(refusing(code, retries))
    device = line.add(1, [read("a", 0, 2, 5000)], retries=retries)
    line.run(4900)
    assert device.kinds() == ["replied"]
    line = Line(refusing(code, retries + 1))
    device = line.add(1, [read("a", 0, 2, 5000)], retries=retries)
    line.run(4900)
    assert device.kinds() == ["refused"] and device.station.down == ""
    assert len(line.requests(1)) == retries + 1
    # After busy it rests as long as a reply may take, after an acknowledge as long as one may be late.
    pause_ms = LATE_MS if code == 5 else TIMEOUT_MS
    times = [at_us for at_us, _ in line.requests(1)]
    assert all(later - earlier >= pause_ms * 1000 for earlier, later in zip(times, times[1:], strict=False))
    line.run(5000)
    assert device.kinds()[-1] == "replied"


@pytest.mark.parametrize("code", [1, 2, 3])
def test_a_refusal_that_lasts_is_told_at_once(code):
    line = Line(refusing(code, 1))
    device = line.add(1, [read("a", 0, 2, 5000)], retries=3)
    line.run(4900)
    assert device.told[0][:3] == ("refused", "a", code) and len(line.requests(1)) == 1


@pytest.mark.parametrize("code", [10, 11])
def test_a_gateway_that_does_not_reach_the_unit_counts_as_silence(code):
    line = Line(refusing(code, 2))
    device = line.add(1, [read("a", 0, 2, 5000)], retries=1)
    line.run(4900)
    why = modbus.EXCEPTIONS[code]
    assert [entry[:3] for entry in device.told] == [("failed", "a", why)]
    assert device.station.down == why
    line.run(5000)
    assert device.kinds()[-1] == "replied" and device.station.down == ""


def test_a_merged_request_that_fails_tells_each_of_its_tags():
    line = Line(silent_for(1))
    device = line.add(1, [read("a", 0, 2, 100), read("b", 2, 2, 100)], merge_gap=0, retries=0)
    line.run(500)
    assert [entry[:2] for entry in device.told] == [("failed", "a"), ("failed", "b")]


def test_a_port_that_takes_no_bytes_is_named():
    line = Line(sound)
    device = line.add(1, [read("a", 0, 2, 100)], retries=0)
    line.uart.takes = False
    line.run(200)
    assert device.told[0][:3] == ("failed", "a", "port takes no bytes")


# Late replies ----------------------------------------------------------------------------------


def test_a_late_reply_on_an_idle_line_is_drained_and_counted():
    line = Line(lambda request, sent_us: [(400000, registers(request))])
    device = line.add(1, [read("a", 0, 2, 5000)])
    line.run(700)
    assert device.station.late == 1
    assert device.told == []
    assert line.bus.stray_bytes == len(registers(line.requests()[0][1]))


def test_a_late_reply_in_pieces_is_still_one():
    def slave(request, sent_us):
        reply = registers(request)
        return [(400000, reply[:4]), (400600, reply[4:])]

    line = Line(slave)
    device = line.add(1, [read("a", 0, 2, 5000)])
    line.run(700)
    assert device.station.late == 1


def test_a_late_reply_inside_another_units_transaction_is_drained_counted_and_harms_nobody():
    late = []

    def slave(request, sent_us):
        if request[0] == 1:
            late.append(registers(request))
            return []
        return [(2000, late.pop() if late else b""), (6000, registers(request))]

    line = Line(slave)
    slow = line.add(1, [read("a", 100, 4, 5000)])
    other = line.add(2, [read("b", 0, 4, 100)])
    line.run(900)
    assert slow.station.late == 1
    assert slow.told == []
    assert set(other.data()) == {bytes((0, 0, 0, 1, 0, 2, 0, 3))}
    assert "failed" not in other.kinds()


def test_a_late_reply_of_one_register_is_never_the_data_of_the_next():
    """What pymodbus, minimalmodbus, modbus-tk and libmodbus get wrong: the first reply is late."""
    asked = []

    def slave(request, sent_us):
        asked.append(request)
        return [(150000 if len(asked) % 3 == 1 else 5000, registers(request))]

    line = Line(slave)
    polls = [read(i, i, 1, 100) for i in range(6)]
    device = line.add(1, polls)
    line.run(60000)
    replies = [entry for entry in device.told if entry[0] == "replied"]
    assert len(replies) > 20
    assert all(modbus.unpack_registers(data) == (tag,) for _, tag, data, _ in replies)
    assert device.station.late > 10


def echoed(slave):
    """The same slave on a line that hands back every byte that is sent."""
    return lambda request, sent_us: [(0, request), *slave(request, sent_us)]


def test_a_late_reply_is_never_the_data_of_the_next_on_a_line_that_echoes_unasked():
    line = Line(echoed(lambda request, sent_us: [(65000, registers(request))]))
    device = line.add(1, [read(address, address, 2, 100) for address in (0, 10)])
    line.run(20000)
    assert "replied" not in device.kinds()
    times_us = [at_us for at_us, _ in line.requests()]
    assert min(later - at for at, later in zip(times_us, times_us[1:], strict=False)) > 1000 * LATE_MS
    assert device.station.late == len(times_us)
    assert device.station.last_error == "only an echo"


def test_the_echo_of_a_write_is_no_late_reply():
    line = Line(echoed(lambda request, sent_us: sound(request, sent_us) if request[1] == READ else []))
    device = line.add(1, [read("a", 0, 2, 5000)])
    line.run(100)
    device.station.queue("set", modbus.write_register(1, 7, 42))
    line.run(500)
    assert device.told[-1][:3] == ("failed", "set", "only an echo")
    assert device.station.late == 0


# Silence, noise, broadcast ---------------------------------------------------------------------


def test_stray_bytes_move_the_next_request_by_a_whole_silence():
    line = Line(sound)
    line.add(1, [read("a", 0, 2, 100)])
    line.run(99.5)
    line.uart.put(line.clock.now_us(), b"\x55")
    stray_us = line.clock.now_us()
    line.run(50)
    assert line.requests()[-1][0] == stray_us + 1750


def test_a_line_that_babbles_is_asked_all_the_same_and_its_units_go_down():
    line = Line(lambda request, sent_us: [])
    device = line.add(1, [read("a", 0, 2, 100)], retries=0)
    for i in range(2000):
        line.uart.put(i * 1000, b"\xa5")
    line.run(100 + 3 * TIMEOUT_MS)
    assert device.station.down
    assert line.bus.stray_bytes > 0


def test_after_a_broadcast_the_slaves_get_their_time():
    line = Line(sound)
    line.uart.answer = lambda request, sent_us: [] if request[0] == 0 else sound(request, sent_us)
    device = line.add(1, [read("a", 0, 2, 20)])
    line.run(100)
    before = len(line.requests())
    device.station.queue("all", modbus.write_register(0, 3, 9))
    line.run(200)
    after = line.requests()[before:]
    at = next(i for i, (_, request) in enumerate(after) if request[0] == 0)
    assert after[at + 1][0] - after[at][0] >= 8 * CHAR_US + 1000 * TIMEOUT_MS
    assert ("replied", "all", b"") in [entry[:3] for entry in device.told]
    assert "failed" not in device.kinds()


def test_the_pin_of_a_two_wire_line_is_turned_when_the_last_character_is_out():
    line = Line(sound)
    turned_us = []
    line.uart.turns = True
    line.uart.turned = lambda: turned_us.append(line.clock.now_us()) or True
    line.bus._turns = True
    line.add(1, [read("a", 0, 2, 1000)])
    line.run(50)
    assert turned_us[0] == line.requests()[0][0] + 8 * CHAR_US


# Diagnostics -----------------------------------------------------------------------------------


def test_load_errors_and_late_replies_of_a_unit_are_values():
    def slave(request, sent_us):
        return [(400000, registers(request))] if request[0] == 1 else sound(request, sent_us)

    line = Line(slave)
    late = line.add(1, [read("a", 0, 2, 100)])
    well = line.add(2, [read("a", 0, 8, 100)])
    status = {device.unit: device.station.status() for device in (late, well)}
    assert status[1].faults[0] == "not counted yet"
    line.run(30000)
    values = {unit: dict(zip(each.inputs, each.values, strict=True)) for unit, each in status.items()}
    reply_us = 5000 + (8 + 21) * CHAR_US + 1750
    assert values[2]["bus.load"] == pytest.approx(100 * reply_us / 100000, rel=0.02)
    assert values[2]["bus.errors"] == 0
    assert values[1]["bus.errors"] == pytest.approx(late.station.errors, abs=1)
    assert values[1]["bus.late"] == pytest.approx(late.station.late, abs=1)
    assert values[1]["bus.late"] >= 5
    both = values[1]["bus.load"] + values[2]["bus.load"]
    assert both <= values[1]["bus.line_load"] <= both + 1, "and late replies on an idle line"
    assert status[1].stamps_ms[0] == pytest.approx(30000, abs=1100)


def test_what_is_older_than_a_minute_counts_no_more():
    line = Line(silent_for(1))
    device = line.add(1, [read("a", 0, 2, 100)])
    status = device.station.status()
    line.run(20000)
    assert status.values[status.inputs["bus.errors"]] > 3
    line.uart.answer = sound
    line.run(90000)
    assert status.values[status.inputs["bus.errors"]] == 0


# A process that is held up ---------------------------------------------------------------------


def test_the_silence_counts_from_when_bytes_were_read_however_late_the_process_is():
    """Between looking at the clock and reading, another program had the processor for 5 ms."""
    line = Line(sound)
    line.add(1, [read("a", 0, 2, 20)])
    read_us = []
    plain = line.uart.read

    def held_up():
        line.clock.advance_to(line.clock.now_us() + 5000)
        read_us.append(line.clock.now_us())
        return plain()

    line.uart.read = held_up
    line.run(500)
    sent_us = [at_us for at_us, _ in line.requests()][1:]
    assert len(sent_us) > 10
    for sent, heard in zip(sent_us, read_us, strict=False):
        assert sent - heard >= 1750


def test_the_time_out_counts_from_when_the_request_went_out():
    line = Line(silent_for(1))
    device = line.add(1, [read("a", 0, 2, 1000)], retries=0)
    plain = line.uart.write

    def held_up(request):
        line.clock.advance_to(line.clock.now_us() + 30000)
        return plain(request)

    line.uart.write = held_up
    line.run(500)
    sent_us = line.requests()[0][0]
    assert device.told[0][3] >= (sent_us + 8 * CHAR_US) / 1000 + TIMEOUT_MS


# More of the same line -------------------------------------------------------------------------


def test_a_poll_of_a_bad_priority_is_asked_now_and_then_on_a_line_that_better_ones_fill():
    line = Line(sound)
    line.add(1, [read("a", 0, 60, 10, 0)])
    poor = line.add(2, [read("b", 0, 2, 100, 2)])
    line.run(10000)
    assert 8 <= len(poor.told) <= 12, "once in ten of its periods"


def test_a_late_reply_inside_a_transaction_that_times_out_is_counted_too():
    def slave(request, sent_us):
        return [(80000, registers(request))] if request[0] == 1 else []

    line = Line(slave)
    slow = line.add(1, [read("a", 0, 2, 5000)])
    line.add(2, [read("b", 0, 2, 5000)], retries=0)
    line.run(400)
    assert slow.station.late == 1
    assert line.bus.stray_bytes == 9
