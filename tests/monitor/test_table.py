"""The table in windows of every size, and on every kind of terminal."""

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from edge.box.config import describe, find
from edge.emulator.virtual import VirtualRun
from edge.monitor.table import fit, view
from tests.node.report.brokers import Mosquitto, Subscriber

BASE = "furnace/bishkek/line1"
HEARD = {"connected": True, "trouble": "", "state": "online", "events": [], "unreadable": 0, "age_s": 0.0}


@pytest.fixture(scope="module")
def telemetry():
    """Of a node whose roof module has fallen silent, with a trip and everything it has to say."""
    messages = []
    run = VirtualRun("bishkek", describe(find("bishkek"))[0], 1, lambda *message: messages.append(message))
    run.run_for(40)
    trip = next(one for one in run.node.guard.trips if one.name == "high_temperature")
    limit = trip.condition.test
    limit.above = limit.reset = -1.0e9
    run.run_for(5)
    run.bench.fault(1, "silence")
    run.run_for(10)
    events = [json.loads(payload) for topic, payload, _ in messages if topic.endswith("/event")]
    last = next(payload for topic, payload, _ in reversed(messages) if topic.endswith("/telemetry"))
    return json.loads(last), events


def lines_of(telemetry, width, height, **heard):
    message, events = telemetry
    latest = {**HEARD, "telemetry": message, "events": events, **heard}
    return view(latest, "bishkek/line1", "Ctrl-C ends", height).lines(width, height)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (100, 30), (132, 50)])
def test_alarms_loops_and_counters_are_whole_in_the_usual_windows_and_all_in_a_large_one(
    telemetry, width, height
):
    message, _ = telemetry
    text = [line.plain for line in lines_of(telemetry, width, height)]
    assert len(text) <= height and max(map(len, text)) <= width
    assert text[1].startswith("TRIP high_temperature at ") and text[1].rstrip().endswith("not acknowledged")
    assert text[2].startswith("BAD (") and "roof_a1, roof_a2, steam, power" in text[2]
    at = next(number for number, line in enumerate(text) if line.startswith("loop "))
    for number, (name, (_, _, output, _)) in enumerate(message["loops"].items(), at + 1):
        assert text[number].startswith(name + " "), "one line for each loop"
        assert f" {output} " in text[number] and message["outputs"][output][1] in text[number]
    body = "\n".join(text)
    assert all(name[:15] in body for name in message["outputs"])
    if height == 50:
        assert all(name[:15] in body for name in message["signals"])
        assert "the window is too small" not in body
    assert "bus field: " in body and "ticks: " in body and "messages: " in body


@settings(max_examples=60)
@given(width=st.integers(1, 220), height=st.integers(1, 70), age_s=st.sampled_from([0.0, 90.0]))
def test_in_no_window_is_a_line_too_many_or_too_long_and_alarms_come_first(telemetry, width, height, age_s):
    found = lines_of(telemetry, width, height, age_s=age_s, connected=age_s == 0.0)
    assert len(found) <= height and all(line.cell_len <= width for line in found)
    if height > 2 and width > 40:
        assert found[1].plain.startswith("BROKER AWAY" if age_s else "TRIP")
    whole = lines_of(telemetry, width, None)
    assert len(whole) > height or found[0].plain == whole[0].plain


def test_what_is_left_out_is_counted(telemetry):
    text = "\n".join(line.plain for line in lines_of(telemetry, 80, 9))
    assert re.search(r"\+ \d+ lines more: the window is too small", text)


def test_values_that_are_old_and_a_broker_that_is_away_are_alarms(telemetry):
    found = lines_of(telemetry, 80, 24, age_s=75.4, connected=False, trouble="x")
    text = [line.plain.rstrip() for line in found]
    assert text[1:3] == ["BROKER AWAY: x", "OLD VALUES: the last came 75 s ago"]


def test_no_colour_is_used_that_a_light_terminal_swallows_and_none_says_anything_alone(telemetry):
    found = lines_of(telemetry, 100, 30)
    styles = {str(span.style) for line in found for span in line.spans} | {str(line.style) for line in found}
    assert styles <= {"", "dim", "reverse", "bold red", "magenta"}


def test_wide_characters_are_cut_by_the_cells_that_they_take():
    assert [fit("温度" * 10, 7).cell_len, fit("温度", 7).plain] == [7, "温度   "]
    assert fit("temperature", 7).plain == "tempera"[:6] + "~"


# On a pseudo-terminal ------------------------------------------------------------------------


class Terminal:
    """``furnace-edge monitor`` on a pseudo-terminal."""

    def __init__(self, port, term="xterm-256color", encoding="utf-8"):
        self._master, slave = pty.openpty()
        self._said = b""
        self.resize(80, 24)
        own = ("COLUMNS", "LINES", "NO_COLOR")
        keep = {key: value for key, value in os.environ.items() if key not in own}
        arguments = ["monitor", "bishkek/line1", "--broker", f"127.0.0.1:{port}"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "edge.box.cli", *arguments],
            stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            env={**keep, "TERM": term, "PYTHONIOENCODING": encoding},
        )  # fmt: skip
        os.close(slave)

    def resize(self, columns, lines):
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def until(self, words: bytes, within_s=60) -> bytes:
        """What it writes, up to some words."""
        end = time.monotonic() + within_s
        while words not in self._said:
            left = end - time.monotonic()
            assert left > 0 and select.select([self._master], [], [], left)[0], self._said[-2000:]
            self._said += os.read(self._master, 65536)
        said, self._said = self._said.split(words, 1)
        return said + words

    def end(self) -> bytes:
        """What it writes after a Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        said = b""
        # The end of a pseudo-terminal is an error of the system.
        with contextlib.suppress(OSError):
            while True:
                said += os.read(self._master, 65536)
        assert self.process.wait(timeout=60) == 0, said
        return said

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self._master)


@pytest.fixture
def broker(tmp_path, telemetry):
    """It keeps a telemetry whose first reason has letters of three alphabets."""
    message, _ = telemetry
    message = json.loads(json.dumps(message))
    message["signals"]["roof_a1"][2] = "обрыв – größer 900 °C 温"
    with Mosquitto(tmp_path) as broker:
        publisher = Subscriber(broker.port, "none")
        publisher.publish(f"{BASE}/telemetry", json.dumps(message).encode(), retain=True)
        publisher.close()
        yield broker


@pytest.fixture
def terminal(broker, request):
    made = Terminal(broker.port, **getattr(request, "param", {}))
    yield made
    made.close()


def test_it_takes_the_whole_window_follows_its_size_and_leaves_what_was_there(terminal):
    said = terminal.until(b"messages: ")
    assert b"\x1b[?1049h" in said, "a screen of its own"
    terminal.resize(100, 30)
    # Each frame starts at the upper left corner and fills every line.
    terminal.until(b"\x1b[H")
    for _ in range(60):
        frame = terminal.until(b"\x1b[H")[:-3]
        rows = re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]", b"", frame).decode().replace("\r", "").split("\n")
        if len(rows) == 30:
            break
    assert len(rows) == 30 and set(map(cell_len, rows)) == {100}
    assert b"\x1b[?1049l" in terminal.end(), "back to what was there before"


ENCODINGS = [{"encoding": "koi8-r"}, {"encoding": "iso-8859-1"}, {"encoding": "ascii"}]


@pytest.mark.parametrize("terminal", ENCODINGS, indirect=True, ids=lambda given: given["encoding"])
def test_a_locale_that_has_not_the_letters_shows_others_and_ends_in_no_traceback(terminal):
    said = terminal.until(b"messages: ")
    assert b"BAD (" in said and b"900" in said and "温".encode() not in said
    assert b"Traceback" not in said + terminal.end()


@pytest.mark.parametrize("terminal", [{"term": "dumb"}], indirect=True)
def test_a_dumb_terminal_gets_lines(terminal):
    said = terminal.until(b"alarms: trip high_temperature")
    assert b"\x1b" not in said + terminal.end()
