"""The line in real time, by hand: a request out of turn and talking at once, as on the line in memory."""

from types import SimpleNamespace

import pytest

from cext.crc import crc16
from edge.emulator.line import Line
from edge.emulator.slave import ModbusSlaves
from edge.emulator.wire import Wire
from edge.node.bus import modbus
from edge.node.bus.master import Master
from edge.node.clock import VirtualClock
from tests.emulator.test_slave import UNIT, Shelf

BAUD = 38400
NOBODY = modbus.read_request(99, 3, 0, 1)
START_US = 1000000


class Pipe:
    """A port that hands over what was put into it, and keeps what is written."""

    def __init__(self):
        self.coming = b""
        self.written = b""

    def any(self):
        return len(self.coming)

    def read(self):
        data, self.coming = self.coming, b""
        return data

    def write(self, data):
        self.written += data


class Desk:
    """A Line and its other end; ``paced``: a real port, which hands over a request when it has come."""

    def __init__(self, *shelves, baud=BAUD, paced=False):
        self.slaves = ModbusSlaves(shelves or [Shelf()], baud)
        self.pipe = Pipe()
        bus = SimpleNamespace(slaves=self.slaves, baud=baud, char_bits=11)
        self.line = Line(bus, self.pipe, paced)
        self._paced = paced
        self._next_us = 0
        self.wrote_us = 0

    def lasts_us(self, count):
        return int(count * self.slaves.char_us)

    def ask(self, request, start_us):
        """The first character of a request begins at ``start_us``; what is due before goes out."""
        heard_us = start_us + self.lasts_us(len(request)) if self._paced else start_us
        self.pass_until(heard_us - 1)
        self.pipe.coming = request
        self._next_us = self.line.step(heard_us)

    def pass_until(self, until_us):
        """Write what is due; ``wrote_us``: when the last of it was."""
        while self._next_us <= until_us:
            now_us = self._next_us
            before = len(self.pipe.written)
            self._next_us = self.line.step(now_us)
            if len(self.pipe.written) > before:
                self.wrote_us = now_us


def on_the_wire(pause_us):
    clock = VirtualClock()
    wire = Wire(clock, BAUD, ModbusSlaves([Shelf()], BAUD))
    clock.advance_to(START_US)
    wire.port().write(NOBODY)
    clock.advance_to(START_US + wire.duration_us(8) + pause_us)
    wire.port().write(NOBODY)
    return wire.violations


@pytest.mark.parametrize("paced", [True, False])
@pytest.mark.parametrize("short_us", [0, 1])
def test_who_asks_again_without_a_silence_is_counted_also_when_nobody_answered(paced, short_us):
    desk = Desk(paced=paced)
    silence_us = Master(BAUD, 50).silence_us
    desk.ask(NOBODY, START_US)
    desk.ask(NOBODY, START_US + desk.lasts_us(8) + silence_us - short_us)
    assert desk.line.violations == on_the_wire(silence_us - short_us) == short_us


def test_a_request_in_two_pieces_is_one():
    desk = Desk()
    request = modbus.read_request(UNIT, 3, 0, 1)
    desk.ask(request[:3], START_US)
    desk.ask(request[3:], START_US + 500)
    desk.pass_until(START_US + 100000)
    assert len(desk.pipe.written) == 7
    assert desk.line.violations == 0


class Tapped(Desk):
    """A desk that keeps what the taps of its line hear."""

    def __init__(self, *shelves):
        Desk.__init__(self, *shelves)
        self.heard = []
        self.line.add_tap(lambda at_us, direction, data: self.heard.append((direction, data)))


def test_an_echo_and_the_reply_behind_it_are_two_frames_to_a_tap():
    desk = Tapped()
    request = modbus.read_request(UNIT, 3, 0, 8)
    desk.slaves.faults.set(0, "echo")
    desk.ask(request, START_US)
    desk.pass_until(START_US + 100000)
    assert [direction for direction, _ in desk.heard] == [">", "=", "<"]
    assert [len(data) for _, data in desk.heard] == [8, 8, 21]
    assert desk.heard[1][1] == request


def test_two_replies_that_are_on_their_way_at_once_are_two_frames_to_a_tap():
    desk = Tapped(Shelf(1), Shelf(2, delay_ms=25))
    desk.slaves.faults.set(1, "late", 50)
    desk.ask(modbus.read_request(1, 3, 0, 8), START_US)
    desk.ask(modbus.read_request(2, 3, 0, 8), START_US + 30000)
    desk.pass_until(START_US + 200000)
    assert [(direction, len(data)) for direction, data in desk.heard] == [
        (">", 8), (">", 8), ("<", 21), ("<", 21)
    ]  # fmt: skip


def late_and_in_time(after_us):
    """Unit 1 is late by 50 ms; unit 2 is asked so that its answer begins so long after that of unit 1."""
    desk = Desk(Shelf(1), Shelf(2, delay_ms=25))
    desk.slaves.faults.set(1, "late", 50)
    desk.ask(modbus.read_request(1, 3, 0, 8), START_US)
    desk.ask(modbus.read_request(2, 3, 0, 8), START_US + 30000 + after_us)
    desk.pass_until(START_US + 200000)
    return desk


@pytest.mark.parametrize("after_us", [-3000, -1, 0, 1, 3000])
def test_two_who_answer_at_once_garble_each_other_and_are_counted(after_us):
    desk = late_and_in_time(after_us)
    assert desk.line.collisions == 1
    assert len(desk.pipe.written) == 42
    for unit in (1, 2):
        reply = modbus.sealed(bytes((unit, 3, 16)) + bytes(16))
        assert reply not in desk.pipe.written


@pytest.mark.parametrize("after_us", [-6100, 6100])
def test_answers_one_after_the_other_do_not_collide(after_us):
    desk = late_and_in_time(after_us)
    assert desk.line.collisions == 0
    assert crc16(desk.pipe.written[:21]) == crc16(desk.pipe.written[21:]) == 0
