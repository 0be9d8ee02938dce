"""The UARTs that no desk has: machine.UART played by a stand-in, and termios on the MicroPython unix port."""

import os
import select
import subprocess
import time
import tty

import pytest

from edge.box import micropython
from edge.box.config.tables import FRAMINGS
from edge.node.bus import modbus
from edge.node.bus.schedule import Bus
from edge.node.bus.uart import MachineUart, TermiosUart
from edge.node.clock import VirtualClock
from tests.node.bus.line import BAUD, CHAR_US, Listener, registers
from tests.parts import missing_part

ROOT = os.path.dirname(__file__).removesuffix("/tests/node/bus")


class MachineStandIn:
    """machine.UART of MicroPython 1.29 with timeout=0, on a two-wire line with one slave."""

    def __init__(self, clock, pin=None):
        self._clock = clock
        self._pin = pin
        self._sent_us = 0
        self._reply = (0, None)
        self.pin_was_high = []
        self.closed = False

    def any(self):
        at_us, reply = self._reply
        return len(reply) if reply is not None and self._clock.now_us() >= at_us else 0

    def read(self):
        if not self.any():
            return None
        _, reply = self._reply
        self._reply = (0, None)
        return reply

    def write(self, data):
        self._sent_us = self._clock.now_us() + len(data) * CHAR_US
        # A slave that answers as soon as it may, 3.5 characters (1.75 ms) after the request.
        reply = registers(data)
        self._reply = (self._sent_us + 1750 + len(reply) * CHAR_US, reply)
        return len(data)

    def txdone(self):
        return self._clock.now_us() >= self._sent_us

    def deinit(self):
        self.closed = True


class PinStandIn:
    """machine.Pin as output; writes down when it changed."""

    def __init__(self, clock):
        self._clock = clock
        self.level = None
        self.changes = []

    def value(self, level):
        if level != self.level:
            self.changes.append((self._clock.now_us(), level))
        self.level = level


def polled(clock, uart, ms):
    bus = Bus("test", uart, BAUD, 50, 1000, clock=clock)
    device = Listener(1, [("a", modbus.READ_HOLDING_REGISTERS, 0, 2, 20)])
    bus.add(device)
    while clock.now_us() < ms * 1000:
        next_us = bus.step(clock.now_us())
        # A board polls any(): it looks at least every 100 us here.
        clock.advance_to(min(max(next_us, clock.now_us() + 1), clock.now_us() + 100))
    bus.close()
    return device


def test_a_board_polls_over_machine_uart():
    clock = VirtualClock()
    stand_in = MachineStandIn(clock)
    device = polled(clock, MachineUart(stand_in), 99)
    assert device.data() == [b"\0\0\0\1"] * 5
    assert stand_in.closed


def test_the_pin_is_high_while_the_board_sends_and_low_before_the_slave_may():
    clock = VirtualClock()
    pin = PinStandIn(clock)
    device = polled(clock, MachineUart(MachineStandIn(clock, pin), pin), 99)
    assert device.data() == [b"\0\0\0\1"] * 5
    changes = pin.changes[1:]
    assert [level for _, level in changes] == [1, 0] * 5
    for (up_us, _), (down_us, _) in zip(changes[::2], changes[1::2], strict=True):
        assert 8 * CHAR_US <= down_us - up_us < 8 * CHAR_US + 1750


def test_a_pin_is_low_from_the_start():
    clock = VirtualClock()
    pin = PinStandIn(clock)
    MachineUart(MachineStandIn(clock), pin)
    assert pin.level == 0


# The MicroPython unix port ------------------------------------------------------------------------

SCRIPT = """
import sys, time
from edge.node.bus.uart import TermiosUart

def said(text):
    print(text)

def wait_for(uart, size):
    data = b""
    end = time.ticks_ms() + 3000
    while len(data) < size and time.ticks_diff(end, time.ticks_ms()) > 0:
        if uart.any():
            data += uart.read()
    return data

path = sys.argv[1]
"""


@pytest.fixture
def on_micropython(tmp_path):
    try:
        executable = micropython.executable()
    except FileNotFoundError as error:
        missing_part(str(error))
    children = []

    def start(body, *arguments):
        script = tmp_path / "script.py"
        script.write_text(SCRIPT + body)
        child = subprocess.Popen(
            [executable, str(script), *arguments],
            env={"MICROPYPATH": f"{ROOT}:.frozen", "PATH": "/usr/bin:/bin"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        children.append(child)
        return child

    yield start
    for child in children:
        child.kill()
        child.wait(timeout=60)
        child.stdin.close()
        child.stdout.close()


def heard(fd: int, size: int = 0) -> bytes:
    """So many bytes, or those up to the end of a line, within five seconds."""
    data = b""
    while len(data) < size or (size == 0 and not data.endswith(b"\n")):
        assert select.select([fd], [], [], 5)[0], f"only {data} came"
        piece = os.read(fd, 300)
        assert piece, f"it ended after {data}"
        data += piece
    return data


def line(child) -> str:
    return heard(child.stdout.fileno()).decode().strip()


@pytest.fixture
def pty_pair():
    master, slave = os.openpty()
    tty.setraw(slave)
    fds = [master, slave]
    yield fds, os.ttyname(slave)
    for fd in fds:
        os.close(fd)


def test_termios_uart_moves_all_bytes_unchanged(on_micropython, pty_pair):
    (master, _), path = pty_pair
    body = """
uart = TermiosUart(path, 19200)
said("ready")
data = wait_for(uart, 256)
said(str(uart.write(data)))
sys.stdin.readline()
said(str((uart.any(), uart.read())))
"""
    child = on_micropython(body, path)
    assert line(child) == "ready"
    everything = bytes(range(256))
    os.write(master, everything)
    assert line(child) == "256"
    assert heard(master, 256) == everything
    child.stdin.write(b"\n")
    child.stdin.flush()
    assert line(child) == "(0, b'')"


@pytest.mark.parametrize("baud", [1200, 9600, 19200, 38400, 57600, 115200, 230400])
@pytest.mark.parametrize("framing", ["8N1", "8N2", "8E2"])
def test_termios_uart_sets_every_speed(on_micropython, pty_pair, baud, framing):
    import termios

    (_, slave), path = pty_pair
    child = on_micropython(f"TermiosUart(path, {baud}, {framing!r})\nsaid('set')\n", path)
    assert line(child) == "set"
    attributes = termios.tcgetattr(slave)
    assert attributes[4] == attributes[5] == getattr(termios, f"B{baud}")
    assert bool(attributes[2] & termios.CSTOPB) is framing.endswith("2")


@pytest.mark.parametrize("framing", FRAMINGS)
def test_termios_uart_asks_for_every_framing_of_a_node_file(framing):
    import termios

    # A pseudo-terminal keeps no parity, so the flags themselves.
    uart = TermiosUart.__new__(TermiosUart)
    uart._framing = framing
    flags = termios.CSTOPB | termios.PARENB | termios.PARODD
    expected = {"N": 0, "E": termios.PARENB, "O": termios.PARENB | termios.PARODD}[framing[1]]
    expected |= termios.CSTOPB if framing.endswith("2") else 0
    for before in (0, flags):
        assert uart._control(before) == expected


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("path, 31250", "31250 baud is none of"),
        ("path, 9600, '8N1', True", "can't set rs485 = true"),
        ("'/dev/ttyNOWHERE', 9600", "port /dev/ttyNOWHERE: can't open it"),
    ],
)
def test_termios_uart_names_what_it_can_not_do(on_micropython, pty_pair, arguments, words):
    child = on_micropython(f"TermiosUart({arguments})\n", pty_pair[1])
    out, _ = child.communicate(timeout=60)
    assert words in out.decode()


def test_termios_uart_notices_that_the_port_is_gone_and_opens_it_again(on_micropython, tmp_path):
    link = tmp_path / "ttyUSB0"

    def plug():
        master, slave = os.openpty()
        tty.setraw(slave)
        link.symlink_to(os.ttyname(slave))
        return master, slave

    body = """
uart = TermiosUart(path, 38400)
said("ready")
try:
    while True:
        uart.any()
        time.sleep_ms(10)
except OSError as error:
    said("gone")
uart.close()
while True:
    try:
        uart.reopen()
        break
    except OSError:
        time.sleep_ms(20)
uart.write(b"again")
said("back")
time.sleep_ms(500)
"""
    fds = plug()
    child = on_micropython(body, str(link))
    assert line(child) == "ready"
    link.unlink()
    for fd in fds:
        os.close(fd)
    assert line(child) == "gone"
    time.sleep(0.1)
    fds = plug()
    assert line(child) == "back"
    assert heard(fds[0], 5) == b"again"
    for fd in fds:
        os.close(fd)


def test_termios_uart_never_waits_for_a_port_that_takes_nothing(on_micropython, pty_pair):
    body = """
uart = TermiosUart(path, 38400)
taken = [uart.write(b"x" * 200) for _ in range(200)]
said(str(taken[0]) + " " + str(taken[-1]))
"""
    child = on_micropython(body, pty_pair[1])
    assert line(child) == "200 0"
