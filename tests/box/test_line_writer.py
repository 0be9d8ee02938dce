"""A console that nobody reads never holds up its writer."""

import os
import pty
import termios
import time

from edge.box.line_writer import WAITING_MOST, LineWriter


class Stream:
    """A file descriptor as sys.stderr has one."""

    def __init__(self, fd, encoding="utf-8"):
        self._fd = fd
        self.encoding = encoding

    def fileno(self):
        return self._fd


def read_until(fd, word):
    """What comes up to a line with a word in it; ends at the end of the stream at the latest."""
    said = b""
    while word not in said:
        data = os.read(fd, 65536)
        if not data:
            break
        said += data
    return said


def test_lines_come_in_order_and_what_the_encoding_has_not_is_escaped():
    reading, writing = os.pipe()
    with LineWriter(Stream(writing, "koi8-r")) as say:
        say("steam: \u2014 \u0436")
        say("end")
    assert os.read(reading, 100) == b"steam: \\u2014 \xd6\nend\n"
    os.close(reading)
    os.close(writing)


def test_a_terminal_stopped_by_ctrl_s_holds_nothing_up_and_is_told_later_how_much_it_missed():
    master, slave = pty.openpty()
    try:
        termios.tcflow(slave, termios.TCOOFF)
        with LineWriter(Stream(slave)) as say:
            for number in range(3 * WAITING_MOST):
                say(f"{number:6d} " + "x" * 200)
            termios.tcflow(slave, termios.TCOON)
            said = read_until(master, b"\n" + b"%6d " % (WAITING_MOST - 1))
            deadline = time.monotonic() + 30
            while b"lines could not be written here" not in said:
                assert time.monotonic() < deadline, said[-300:]
                say("there is room again")
                said += os.read(master, 65536)
    finally:
        os.close(master)
        os.close(slave)
    assert said.startswith(b"     0 xx")


def test_a_reader_that_is_gone_is_no_error():
    reading, writing = os.pipe()
    os.close(reading)
    with LineWriter(Stream(writing)) as say:
        say("one")
        say("two")
    os.close(writing)


def test_without_a_terminal_nothing_is_written():
    with LineWriter(None) as say:
        say("one")


def test_the_end_waits_for_a_stuck_terminal_no_longer_than_its_time():
    reading, writing = os.pipe()
    began = time.monotonic()
    with LineWriter(Stream(writing), within_s=0.2) as say:
        for _ in range(400):
            say("x" * 1000)
    # Its default would be a second, a terminal that is stopped an eternity.
    assert time.monotonic() - began < 60
    os.close(reading)
    os.close(writing)
