"""The emulator's end of a pseudo-terminal, and masters that come and go at the other."""

import select

import pytest

from edge.box.serial_port import SerialPort
from edge.emulator.pseudo_terminal import PseudoTerminal

EVERYTHING = bytes(range(256))


@pytest.fixture
def terminal():
    terminal = PseudoTerminal()
    yield terminal
    terminal.close()


def heard(port, size):
    data = b""
    while len(data) < size:
        assert select.select([port.pollable()], [], [], 2)[0], f"only {data} came"
        if port.any():
            data += port.read()
    assert (port.any(), port.read()) == (0, b"")
    return data


def test_bytes_go_both_ways_unchanged(terminal):
    master = SerialPort(terminal.path, 38400)
    assert master.write(EVERYTHING) == terminal.write(EVERYTHING) == 256
    assert heard(terminal, 256) == heard(master, 256) == EVERYTHING
    master.close()


def test_a_master_that_leaves_does_not_hang_it_up_and_the_next_is_heard(terminal):
    for number in range(3):
        master = SerialPort(terminal.path, 38400)
        master.write(bytes((number,)))
        assert heard(terminal, 1) == bytes((number,))
        master.close()
        assert terminal.any() == 0
        assert not select.select([terminal.pollable()], [], [], 0)[0]


def test_what_nobody_reads_is_lost_and_holds_nobody_up(terminal):
    for _ in range(1000):
        taken = terminal.write(EVERYTHING)
        if taken == 0:
            return
    raise AssertionError("it takes bytes without end")
