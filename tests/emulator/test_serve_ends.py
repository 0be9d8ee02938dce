"""The emulator's ends in real time: what it hears after junk, ports that go and come, people at terminals."""

import json
import os
import select
import subprocess
import sys
import time
import tty

import pytest

from edge.node.bus import modbus
from edge.node.devices import m7024
from tests.emulator.test_serve import (
    CHAR_US,
    MODULE,
    ROOF,
    WITHIN_S,
    Emulator,
    ask,
    complaint,
    wait_until,
)


@pytest.fixture(scope="module")
def emulator():
    emulator = Emulator("--attached")
    yield emulator
    emulator.end()


@pytest.fixture
def raw(emulator):
    """The port as a file descriptor, raw."""
    fd = os.open(emulator.port, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(fd)
    yield fd
    os.close(fd)


GOOD = modbus.read_request(ROOF, 4, 0, 8)
JUNK = (b"\x00", b"\xff" * 20, GOOD[:-1] + b"\x00", GOOD[:5])


@pytest.mark.parametrize("junk", JUNK)
def test_it_hears_a_request_that_comes_a_silence_after_junk(raw, junk):
    request = modbus.read_request(ROOF, 4, 0, 8)
    end = time.monotonic() + 2 * WITHIN_S
    reply = b""
    # Where this machine sleeps too long, the two come together, or too far apart to prove anything.
    while len(reply) != 21:
        assert time.monotonic() < end
        time.sleep(0.05)
        os.write(raw, junk)
        sent = time.monotonic()
        # On a pseudo-terminal the junk takes its time on the line after it has been written.
        time.sleep(len(junk) * CHAR_US / 1e6 + 0.004)
        os.write(raw, request)
        took_s = time.monotonic() - sent
        reply = ask(raw, b"", 0.3, 21)[0]
        if took_s > 0.015:
            reply = b""


def test_with_an_option_a_request_may_come_in_pieces():
    emulator = Emulator("--silence-ms", "500")
    try:
        fd = os.open(emulator.port, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(fd)
        request = modbus.read_request(ROOF, 4, 0, 8)
        end = time.monotonic() + 2 * WITHIN_S
        reply = b""
        while not reply:
            assert time.monotonic() < end
            os.write(fd, request[:3])
            time.sleep(0.05)
            reply = ask(fd, request[3:], 1, 21)[0]
        os.close(fd)
        assert len(reply) == 21
    finally:
        emulator.end()


class Cable:
    """A pseudo-terminal behind a symbolic link: an adapter that can be pulled out and put back."""

    def __init__(self, link):
        self._link = link
        self.plug()

    def plug(self):
        self.near, self._far = os.openpty()
        tty.setraw(self._far)
        os.symlink(os.ttyname(self._far), self._link)

    def pull(self):
        os.unlink(self._link)
        os.close(self.near)
        os.close(self._far)


def test_a_port_that_goes_away_and_comes_back_keeps_the_plant_and_is_told(tmp_path):
    link = tmp_path / "ttyUSB0"
    cable = Cable(link)
    emulator = Emulator("--port", str(link))
    try:
        write = modbus.write_registers(MODULE, m7024.AO_VALUE, [8000])
        assert ask(cable.near, write, 20, 8)[0] == write[:6] + modbus.sealed(write[:6])[-2:]
        wait_until(lambda: emulator.say("state")["outputs"]["burner"] == 25.0)
        for turn in (1, 2):
            cable.pull()
            wait_until(lambda: emulator.say("state")["port"]["lost"])
            before_s = emulator.say("state")["time_s"]
            wait_until(lambda before_s=before_s: emulator.say("state")["time_s"] > before_s)
            cable.plug()
            wait_until(lambda turn=turn: emulator.say("state")["port"]["reopened"] == turn)
            read = modbus.read_request(MODULE, 3, m7024.AO_VALUE, 1)
            assert ask(cable.near, read, 20, 7)[0][3:5] == (8000).to_bytes(2, "big")
        assert emulator.say("state")["outputs"]["burner"] == 25.0
        emulator.say("quit")
        code, said = emulator.left()
        assert code == 0
        assert said.count("ttyUSB0 is gone") == said.count("ttyUSB0 is back") == 2, said
        assert "Traceback" not in said
    finally:
        emulator.end()
        cable.pull()


def without_termios(*arguments):
    """The emulator on a system that has none."""
    code = (
        "import sys; sys.modules['termios'] = sys.modules['tty'] = None\n"
        "from edge.emulator import pytest_plugin, serve\n"
        f"sys.exit(serve.main({list(arguments)!r}))"
    )
    return subprocess.run(
        [sys.executable, "-c", code], input="quit\n", capture_output=True, text=True, timeout=2 * WITHIN_S
    )


@pytest.mark.parametrize("arguments", [(), ("--port", "/dev/ttyUSB0")])
def test_without_termios_it_says_so_in_a_sentence(arguments):
    done = without_termios("bishkek", *arguments)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "no serial ports and pseudo-terminals of POSIX (no termios): give --tcp PORT" in done.stderr


@pytest.mark.parametrize("line", ["--tcp", "--rtu-over-tcp"])
def test_without_termios_tcp_is_a_line(line):
    done = without_termios("bishkek", line, "0")
    assert done.returncode == 0, done.stderr
    first, answer = done.stdout.splitlines()
    assert json.loads(first)["port"].startswith("127.0.0.1:") and json.loads(answer) == {"ok": True}


@pytest.mark.parametrize("address", ["no", "127.0.0.1:70000", "127.0.0.1:", "256.1.1.1:0"])
def test_an_address_that_can_not_be_is_told(address):
    said = complaint("bishkek", "--tcp", address)
    assert "is no address to listen on; expected PORT or HOST:PORT" in said or "can't listen on" in said


def test_a_link_goes_with_a_pseudo_terminal_only(tmp_path):
    said = complaint("bishkek", "--tcp", "0", "--link", str(tmp_path / "line"))
    assert "it goes with a pseudo-terminal only" in said
    done = subprocess.run(
        [sys.executable, "-m", "edge.emulator.serve", "--tcp", "0", "--port", "/dev/ttyUSB0"],
        capture_output=True,
        text=True,
        timeout=2 * WITHIN_S,
    )
    assert done.returncode == 2 and "not allowed with argument" in done.stderr


def test_people_at_a_terminal_get_text_with_help_and_a_readable_state():
    near, far = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "edge.emulator.serve", "bishkek", "--seed", "1", "--timeline"],
        stdin=far,
        stdout=far,
        stderr=subprocess.PIPE,
    )
    os.close(far)
    said = b""

    def typed(text, wanted):
        nonlocal said
        os.write(near, text)
        end = time.monotonic() + 2 * WITHIN_S
        while not all(word in said for word in wanted):
            assert time.monotonic() < end and select.select([near], [], [], WITHIN_S)[0], said
            said += os.read(near, 65536)

    try:
        typed(b"", [b"port /dev/pts/", b"help lists the commands"])
        typed(b"help\n", [b"fault UNIT KIND", b"register NAME [VALUE]", b"quit"])
        typed(b"fault roof late 200 60s\n", [b"ok"])
        typed(b"state\n", [b"t_a1_c", b"burner", b" %", b"fault     unit 1: late 200", b"requests 0"])
        typed(b"timeline\n", [b"fault begins  unit 1: late 200"])
        typed(b"help roof\n", [b"burnt_out"])
        typed(b"quit\n", [])
        assert process.wait(timeout=2 * WITHIN_S) == 0
        assert b"{" not in said
    finally:
        process.kill()
        process.wait(timeout=WITHIN_S)
        process.stderr.close()
        os.close(near)
