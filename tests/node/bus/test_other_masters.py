"""A second master on the line: its requests are found, their replies never taken, and somebody is told."""

import pytest

from edge.node.bus import dcon, modbus
from tests.node.bus.line import TIMEOUT_MS, Line, registers, sound

READ = modbus.READ_HOLDING_REGISTERS
FOREIGN = modbus.read_request(1, READ, 50, 2)


def reader(line, unit=1, **settings):
    return line.add(unit, [("a", READ, 0, 2, 100)], **settings)


@pytest.mark.parametrize("own_reply", [True, False])
def test_what_follows_anothers_request_to_the_same_unit_is_refused(own_reply):
    def slave(request, sent_us):
        if len(line.requests()) > 1:
            return sound(request, sent_us)
        heard = FOREIGN + registers(FOREIGN) + (registers(request) if own_reply else b"")
        return [(3000, heard[:12]), (8000, heard[12:])]

    line = Line(None)
    line.uart.answer = slave
    device = reader(line)
    line.run(90)
    assert device.told == []
    assert device.station.last_error == "another master asks"
    line.run(3000)
    assert set(device.data()) == {bytes((0, 0, 0, 1))}
    assert line.bus.others.requests == 1
    assert line.bus.others.last == "unit 1, function 3"


def test_the_line_is_left_to_the_reply_to_anothers_request():
    line = Line(sound)
    device = reader(line)
    line.run(85)
    line.uart.put(99000, FOREIGN)
    line.uart.put(130000, registers(FOREIGN))
    line.run(100)
    asked_us = [at_us for at_us, _ in line.requests()]
    assert asked_us[1] == 130000 + 1750
    assert set(device.data()) == {bytes((0, 0, 0, 1))}


def test_a_second_master_that_asks_the_same_registers_all_the_time_makes_no_record_of_another():
    """The same slave, two masters, 20 s: the foreign registers never become ours."""
    line = Line(sound)
    device = reader(line)
    other = reader(line, 2)
    for i in range(200):
        line.uart.put(100000 * i + 37000 * (i % 3), FOREIGN)
        line.uart.put(100000 * i + 37000 * (i % 3) + 7000, registers(FOREIGN))
    line.run(20000)
    assert set(device.data()) == set(other.data()) == {bytes((0, 0, 0, 1))}
    assert len(device.data()) > 100
    assert line.bus.others.requests >= 190


def test_somebody_is_told_that_another_master_asks_and_that_it_is_gone():
    line = Line(sound)
    status = reader(line).station.status()
    foreign = status.inputs["bus.foreign"]
    line.run(5000)
    assert (status.values[foreign], line.bus.others.asking) == (0, False)
    for i in range(30):
        line.uart.put(5000000 + 100000 * i, FOREIGN)
        line.uart.put(5000000 + 100000 * i + 5000, registers(FOREIGN))
    line.run(5000)
    assert status.values[foreign] == pytest.approx(30, abs=2)
    assert line.bus.others.asking
    line.run(80000)
    assert (status.values[foreign], line.bus.others.asking) == (0, False)


@pytest.mark.parametrize(
    "request_",
    [
        modbus.read_request(9, 1, 0, 8),
        modbus.read_request(9, 4, 0, 8),
        modbus.write_registers(9, 0, [1, 2]),
        modbus.write_coils(9, 0, [1, 0]),
        modbus.read_write(9, 0, 2, 0, [1]),
        dcon.command("#09"),
        dcon.command("$092"),
    ],
)
@pytest.mark.parametrize("cut", [0, 3])
def test_every_kind_of_request_is_found_also_in_pieces(request_, cut):
    line = Line(lambda request, sent_us: [])
    line.add(1, protocol="dcon")
    line.run(10)
    line.uart.put(20000, request_[:cut])
    line.uart.put(20700, request_[cut:])
    line.run(50)
    assert line.bus.others.requests == 1


def test_own_late_replies_and_own_echoes_are_nobody_elses_requests():
    late = []

    def slave(request, sent_us):
        late.append(1)
        return [(0, request), (400000 if len(late) % 5 == 0 else 5000, registers(request))]

    line = Line(slave)
    device = reader(line)
    line.run(20000)
    assert device.station.late >= 3
    assert line.bus.others.requests == 0


def test_behind_anothers_command_no_reply_that_names_nobody_is_taken():
    def slave(request, sent_us):
        if len(line.requests()) == 1:
            return [(3000, b"#02\r"), (9000, b">+002.00\r")]
        return [(5000, b"!01050600\r" if request[:1] == b"$" else b">+001.00\r")]

    line = Line(None)
    line.uart.answer = slave
    device = line.add(1, [("inputs", "#01", 100)], protocol="dcon")
    line.run(3 * TIMEOUT_MS)
    assert device.told == []
    line.run(3000)
    assert set(device.data()) == {b">+001.00"}
    assert line.bus.others.last == "command #02"
