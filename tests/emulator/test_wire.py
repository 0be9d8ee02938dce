"""The line in memory: times to the microsecond, and what a master must not do."""

from pathlib import Path

import pytest

from cext.crc import crc16
from edge.box.config import describe
from edge.emulator.slave import ModbusSlaves
from edge.emulator.virtual import VirtualRun
from edge.emulator.wire import RECEIVED, SENT, Wire, garbled
from edge.node.bus import modbus
from edge.node.clock import VirtualClock
from tests.emulator.test_slave import UNIT, Shelf

REQUEST = modbus.read_request(UNIT, 3, 0, 8)
DELAY_US = 5000
ALL_TYPES = Path(__file__).parents[1] / "node" / "devices" / "all_types"


class Bench:
    def __init__(self, baud=38400, *instruments, tap=None):
        self.clock = VirtualClock()
        self.slaves = ModbusSlaves(instruments or [Shelf()], baud)
        self.wire = Wire(self.clock, baud, self.slaves, tap=tap)
        self.port = self.wire.port()


def duration_us(characters, baud, bits=11):
    """Rounded up to whole microseconds."""
    return -(-characters * bits * 1000000 // baud)


@pytest.mark.parametrize("baud", [1200, 9600, 19200, 38400, 115200])
def test_a_reply_is_there_when_its_last_character_has_arrived(baud):
    bench = Bench(baud)
    bench.clock.advance_to(123457)
    assert bench.port.write(REQUEST) == len(REQUEST)
    arrival_us = 123457 + duration_us(8, baud) + DELAY_US + duration_us(21, baud)
    assert bench.port.next_arrival_us() == arrival_us
    bench.clock.advance_to(arrival_us - 1)
    assert bench.port.any() == 0
    assert bench.port.read() == b""
    bench.clock.advance_to(arrival_us)
    assert bench.port.any() == 21
    assert bench.port.read() == modbus.sealed(bytes((UNIT, 3, 16)) + bytes(16))
    assert bench.port.next_arrival_us() == -1
    assert bench.port.any() == 0


def test_in_a_virtual_run_a_character_has_the_bits_that_the_plant_says(tmp_path):
    text = (ALL_TYPES / "plant.toml").read_text()
    plant = tmp_path / "plant.toml"
    plant.write_text(text.replace("baud = 38400", "baud = 38400\nchar_bits = 10"))
    run = VirtualRun(str(plant), describe(str(ALL_TYPES / "node.toml"))[0], 1)
    assert run.wire.duration_us(384) == 100000
    run.run_for(5)
    assert (run.wire.violations, run.wire.collisions) == (0, 0)


def test_a_cycle_takes_what_the_facts_say():
    # FC 3 of 8 registers: 8 + 21 characters and two silences; the response delay comes on top.
    for baud, cycle_us in ((9600, 41250), (19200, 20625), (115200, 6270)):
        bench = Bench(baud, Shelf(delay_ms=0))
        bench.port.write(REQUEST)
        silences_us = 7 * 11 * 1000000 / baud if baud <= 19200 else 3500
        assert abs(bench.port.next_arrival_us() + silences_us - cycle_us) < 5


def test_part_of_what_is_there_can_be_read():
    bench = Bench()
    bench.port.write(REQUEST)
    bench.clock.advance_to(bench.port.next_arrival_us())
    first = bench.port.read(5)
    assert len(first) == 5 and bench.port.any() == 16
    assert bench.port.next_arrival_us() == bench.clock.now_us()
    assert len(first + bench.port.read()) == 21


def test_the_port_is_shaped_like_a_uart():
    port = Bench().port
    assert port.pollable() is None
    assert port.write(b"") == 0
    port.close()


def test_a_master_that_keeps_the_silence_is_not_counted_and_one_that_does_not_is():
    bench = Bench()
    at_us = 0
    for pause_us, violations in ((1750, 0), (5000, 0), (1749, 1), (0, 2)):
        bench.port.write(REQUEST)
        at_us = bench.port.next_arrival_us()
        bench.clock.advance_to(at_us)
        assert len(bench.port.read()) == 21
        bench.clock.advance_to(at_us + pause_us)
        bench.port.write(modbus.read_request(99, 3, 0, 1))
        assert bench.wire.violations == violations
        bench.clock.advance_to(bench.clock.now_us() + 100000)
    assert bench.wire.collisions == 0


def test_a_reply_that_was_not_read_yet_counts_too():
    bench = Bench()
    bench.port.write(REQUEST)
    bench.clock.advance_to(bench.port.next_arrival_us() + 100)
    bench.port.write(REQUEST)
    assert (bench.wire.violations, bench.wire.collisions) == (1, 0)


def test_the_second_half_of_a_request_is_no_violation():
    bench = Bench()
    bench.port.write(REQUEST[:4])
    bench.port.write(REQUEST[4:])
    assert bench.wire.violations == 0
    assert bench.port.next_arrival_us() == duration_us(4, 38400) * 2 + DELAY_US + duration_us(21, 38400)


def test_who_talks_while_another_talks_garbles_both():
    bench = Bench()
    bench.port.write(REQUEST)
    arrival_us = bench.port.next_arrival_us()
    bench.clock.advance_to(arrival_us - 1000)
    bench.port.write(REQUEST)
    assert bench.wire.collisions == 1
    bench.clock.advance_to(arrival_us)
    assert bench.port.read() == garbled(modbus.sealed(bytes((UNIT, 3, 16)) + bytes(16)))
    assert bench.port.next_arrival_us() == -1
    # After a silence all is well again.
    bench.clock.advance_to(arrival_us + 100000)
    bench.port.write(REQUEST)
    assert bench.port.next_arrival_us() > 0


def test_a_late_reply_and_the_reply_of_another_unit_collide():
    bench = Bench(38400, Shelf(1), Shelf(2))
    bench.slaves.faults.set(1, "late", 50)
    bench.port.write(modbus.read_request(1, 3, 0, 8))
    late_us = bench.port.next_arrival_us()
    bench.clock.advance_to(late_us - duration_us(21, 38400) - duration_us(8, 38400) - DELAY_US + 100)
    bench.port.write(modbus.read_request(2, 3, 0, 8))
    assert bench.wire.collisions == 1


def test_a_late_reply_comes_in_its_time_behind_an_earlier_one():
    bench = Bench(38400, Shelf(1), Shelf(2))
    bench.slaves.faults.set(1, "late", 200)
    bench.port.write(modbus.read_request(1, 3, 0, 1))
    bench.clock.advance_to(100000)
    bench.port.write(modbus.read_request(2, 3, 0, 1))
    bench.clock.advance_to(150000)
    assert bench.port.read()[0] == 2
    bench.clock.advance_to(300000)
    assert bench.port.read()[0] == 1
    assert bench.wire.collisions == 0


def test_the_tap_sees_both_directions_with_the_times_of_the_last_characters():
    seen = []
    bench = Bench(tap=lambda *what: seen.append(what))
    bench.port.write(REQUEST)
    arrival_us = bench.port.next_arrival_us()
    bench.clock.advance_to(arrival_us + 50)
    reply = bench.port.read()
    assert seen == [(duration_us(8, 38400), SENT, REQUEST), (arrival_us, RECEIVED, reply)]


def test_a_garbled_frame_never_has_a_right_crc():
    # The CRC is linear: what holds for frames of zeros holds for all of that length.
    for size in range(4, 257):
        frame = modbus.sealed(bytes(size - 2))
        assert crc16(garbled(frame)) != 0
