"""The silence between two frames: the masters keep what the emulator holds them to, to the microsecond."""

from fractions import Fraction

import pytest

from edge.emulator.dcon_slave import DconSlaves
from edge.emulator.slave import ModbusSlaves
from edge.emulator.wire import RECEIVED, SENT, Wire
from edge.node.bus import modbus
from edge.node.bus.dcon import DconMaster
from edge.node.bus.master import Master
from edge.node.bus.schedule import Bus
from edge.node.clock import VirtualClock
from tests.emulator.test_line import Desk
from tests.emulator.test_slave import UNIT, Shelf
from tests.node.bus.line import Listener

BAUDS = (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)
REQUEST = modbus.read_request(UNIT, 3, 0, 8)
UNASKED = modbus.read_request(99, 3, 0, 1)


def least_us(baud, bits=11):
    """By the standard, in exact arithmetic."""
    return 1750 if baud > 19200 else Fraction(7 * bits * 1000000, 2 * baud)


@pytest.mark.parametrize("bits", [10, 11, 12])
@pytest.mark.parametrize("baud", BAUDS)
def test_both_ends_of_a_line_know_the_same_silence_rounded_up(baud, bits):
    silence_us = Master(baud, 50, bits).silence_us
    assert 0 <= silence_us - least_us(baud, bits) < 1
    assert DconMaster(baud, 50, bits).silence_us == silence_us
    slaves = ModbusSlaves([Shelf()], baud, bits)
    assert slaves.silence_us == silence_us
    assert DconSlaves([], baud, bits).silence_us == silence_us
    assert Wire(VirtualClock(), baud, slaves, bits).silence_us == silence_us


@pytest.mark.parametrize("short_us", [0, 1])
@pytest.mark.parametrize("baud", BAUDS)
def test_the_line_in_memory_counts_a_silence_that_is_a_microsecond_too_short(baud, short_us):
    clock = VirtualClock()
    wire = Wire(clock, baud, ModbusSlaves([Shelf()], baud))
    port = wire.port()
    port.write(REQUEST)
    clock.advance_to(port.next_arrival_us())
    assert len(port.read()) == 21
    clock.advance_to(clock.now_us() + Master(baud, 50).silence_us - short_us)
    port.write(UNASKED)
    assert wire.violations == short_us


@pytest.mark.parametrize("short_us", [0, 1])
@pytest.mark.parametrize("paced", [True, False])
@pytest.mark.parametrize("baud", BAUDS)
def test_the_line_in_real_time_counts_a_silence_that_is_a_microsecond_too_short(baud, paced, short_us):
    desk = Desk(baud=baud, paced=paced)
    desk.ask(REQUEST, 1000000)
    desk.pass_until(2000000)
    # A real port takes a reply at once and sends it at its own pace.
    end_us = desk.wrote_us + desk.lasts_us(21) if paced else desk.wrote_us
    desk.ask(UNASKED, end_us + Master(baud, 50).silence_us - short_us)
    assert len(desk.pipe.written) == 21
    assert (desk.line.violations, desk.line.collisions) == (short_us, 0)


@pytest.mark.parametrize("baud", BAUDS)
def test_a_busy_master_keeps_the_silence_and_wastes_nothing(baud):
    clock = VirtualClock()
    heard = []
    wire = Wire(clock, baud, ModbusSlaves([Shelf()], baud), tap=lambda *what: heard.append(what))
    port = wire.port()
    bus = Bus("field", port, baud, 2000, 1000, clock=clock)
    bus.add(Listener(UNIT, [("all", modbus.READ_HOLDING_REGISTERS, 0, 8, 1)]))
    while len(heard) < 20:
        next_us = bus.step(clock.now_us())
        arrival_us = port.next_arrival_us()
        clock.advance_to(min(next_us, arrival_us) if arrival_us >= 0 else next_us)
    assert wire.violations == 0
    replies = [at_us for at_us, direction, _ in heard if direction == RECEIVED]
    starts = [at_us - wire.duration_us(len(data)) for at_us, direction, data in heard if direction == SENT]
    gaps = {start - reply for reply, start in zip(replies, starts[1:], strict=False)}
    assert gaps == {bus.master.silence_us}
