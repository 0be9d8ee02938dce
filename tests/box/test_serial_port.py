"""The serial port of a box on real pseudo-terminals: what is said when it can't be used, and its replug."""

import os
import select
import termios
import time
import tty
from pathlib import Path

import pytest

from edge.box import run
from edge.box.config.tables import FRAMINGS
from edge.box.serial_port import PortError, SerialPort


class Adapter:
    """A pseudo-terminal behind a symbolic link, as udev makes one for a USB adapter."""

    def __init__(self, path):
        self.path = str(path)
        self._fds = ()

    def plug(self):
        master, slave = os.openpty()
        tty.setraw(slave)
        os.symlink(os.ttyname(slave), self.path)
        self._fds = (master, slave)
        return self

    def unplug(self):
        if self._fds:
            os.unlink(self.path)
            for fd in self._fds:
                os.close(fd)
            self._fds = ()

    def hear(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            assert select.select([self._fds[0]], [], [], 2)[0], f"only {data} came"
            data += os.read(self._fds[0], 100)
        return data

    def say(self, data: bytes):
        os.write(self._fds[0], data)


@pytest.fixture
def adapter(tmp_path):
    adapter = Adapter(tmp_path / "ttyUSB0").plug()
    yield adapter
    adapter.unplug()


@pytest.fixture
def port(adapter):
    port = SerialPort(adapter.path, 38400)
    yield port
    port.close()


def wait_for(port, size):
    data = b""
    while len(data) < size:
        assert select.select([port.pollable()], [], [], 2)[0], f"only {data} came"
        if port.any():
            data += port.read()
    return data


def test_bytes_go_both_ways_unchanged(adapter, port):
    everything = bytes(range(256))
    assert port.any() == 0
    assert port.read() == b""
    assert port.write(everything) == 256
    assert adapter.hear(256) == everything
    adapter.say(everything)
    assert wait_for(port, 256) == everything


def test_a_missing_port_is_named():
    with pytest.raises(PortError, match="port /dev/ttyNOWHERE does not exist: plug the adapter in"):
        SerialPort("/dev/ttyNOWHERE", 9600)


def test_a_port_in_use_is_named(adapter, port):
    with pytest.raises(PortError, match="is in use by another program"):
        SerialPort(adapter.path, 9600)


def test_something_that_is_no_serial_port_is_named(tmp_path):
    path = tmp_path / "file"
    path.write_text("no port")
    for one in (path, tmp_path, "/dev/null"):
        with pytest.raises(PortError) as refused:
            SerialPort(str(one), 9600)
        assert str(refused.value) == f"port {one} can't be opened: it is no serial port; name another one"


def test_a_driver_without_rs485_mode_is_named_and_the_port_is_left_free(adapter):
    with pytest.raises(PortError, match="has no RS-485 mode in its driver"):
        SerialPort(adapter.path, 9600, rs485=True)
    SerialPort(adapter.path, 9600).close()


def test_a_pseudo_terminal_has_no_low_latency_mode_and_that_is_no_error(port):
    assert port.low_latency is False


def test_speed_and_framing_are_set(adapter):
    port = SerialPort(adapter.path, 115200, "8N2")
    attributes = termios.tcgetattr(port.pollable())
    assert attributes[4] == attributes[5] == termios.B115200
    assert attributes[2] & termios.CSTOPB
    assert not attributes[2] & termios.CRTSCTS
    port.close()


@pytest.mark.parametrize("framing", FRAMINGS)
def test_every_framing_of_a_node_file_is_set(adapter, framing):
    port = SerialPort(adapter.path, 9600, framing)
    attributes = termios.tcgetattr(port.pollable())
    assert bool(attributes[2] & termios.CSTOPB) is framing.endswith("2")
    # A pseudo-terminal keeps no parity: what pyserial asked for has to do.
    assert port._serial.parity == framing[1]
    port.close()


def test_an_unplugged_port_is_an_error_of_the_system_and_opens_again_when_it_is_back(adapter, port):
    adapter.unplug()
    with pytest.raises(OSError, match="hung up|Input/output"):
        for _ in range(200):
            port.any()
            time.sleep(0.01)
    port.close()
    with pytest.raises(PortError, match="does not exist"):
        port.reopen()
    adapter.plug()
    port.reopen()
    assert port.write(b"again") == 5
    assert adapter.hear(5) == b"again"


def next_terminal_of(path, most=64):
    """A pseudo-terminal that has got the number of one that is gone, as a shell would; [] where none does."""
    pairs = []
    try:
        for _ in range(most):
            pairs.append(os.openpty())
            if os.ttyname(pairs[-1][1]) == path:
                return pairs.pop()
    finally:
        for pair in pairs:
            os.close(pair[0])
            os.close(pair[1])
    pytest.fail(f"no new pseudo-terminal was {path}")


@pytest.mark.parametrize("by_link", [False, True])
def test_a_port_that_outlives_its_emulator_does_not_take_the_terminal_that_gets_its_number(tmp_path, by_link):
    master, slave = os.openpty()
    tty.setraw(slave)
    path = os.ttyname(slave)
    link = tmp_path / "furnace"
    link.symlink_to(path)
    port = SerialPort(str(link) if by_link else path, 38400)
    os.close(master)
    os.close(slave)
    port.close()
    others = next_terminal_of(path)
    with pytest.raises(PortError, match="whose other end has gone: .* of another program"):
        port.reopen()
    if by_link:
        # An emulator that was started anew and has made its link anew.
        link.unlink()
        link.symlink_to(path)
        port.reopen()
        port.write(b"again")
        assert os.read(others[0], 10) == b"again"
        port.close()
    for fd in others:
        os.close(fd)


def test_writing_to_an_unplugged_port_is_an_error_of_the_system(adapter, port):
    adapter.unplug()
    with pytest.raises(OSError, match="Input/output"):
        port.write(b"gone")


def test_a_port_whose_other_end_takes_nothing_never_waits(adapter, port):
    taken = sum(port.write(b"\x55" * 200) for _ in range(1000))
    assert 0 < taken < 200000
    assert port.write(b"\x55" * 200) == 0


def test_the_kernel_wakes_a_node_when_asked_to():
    assert run.wake_on_time()
    slack = Path("/proc/self/timerslack_ns")
    assert not slack.exists() or slack.read_text().strip() == "1"
