"""The demo as a user runs it: its processes, its endings, its sentences."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

import pytest

from edge.box import micropython
from edge.box.config import find
from tests.node.report.brokers import Subscriber, wait_for
from tests.parts import missing_part

DEMO = [sys.executable, "-m", "edge.box.cli", "demo", "--json", "--broker-port", "0"]


@pytest.fixture(scope="module")
def patient(tmp_path_factory):
    """A node file that waits longer for replies: the emulator answers when the machine lets it."""
    path = tmp_path_factory.mktemp("demo") / "line1.toml"
    text = find("bishkek").read_text()
    assert "timeout_ms = 60 " in text
    path.write_text(text.replace("timeout_ms = 60 ", "timeout_ms = 400 "))
    return str(path)


@pytest.fixture
def start(patient):
    """Start a demo with arguments; it is gone after the test."""
    started = []

    def begin(*arguments):
        started.append(_start("--node", patient, *arguments))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def _start(*arguments):
    return subprocess.Popen(
        [*DEMO, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def descendants(pid):
    found = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            for child in file.read().split():
                found += [int(child), *descendants(int(child))]
    return found


def command_of(pid):
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().replace(b"\0", b" ").decode()
    return ""


def alive(pids):
    return [pid for pid in pids if "edge" in command_of(pid)]


def grown(process, wanted, within_s=90):
    """The demo's descendants once one of them runs each of the ``wanted`` modules."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        pids = descendants(process.pid)
        commands = {pid: command_of(pid) for pid in pids}
        if all(any(word in command for command in commands.values()) for word in wanted):
            return commands
        time.sleep(0.1)
    process.kill()
    raise AssertionError(f"the demo did not start {wanted}: {process.communicate()}")


def reporting(process):
    """The demo's processes once the node has been heard through the broker some times."""
    commands = grown(process, ["edge.box.cli run"])
    (port,) = set(re.findall(r"--broker 127.0.0.1:(\d+) ", "\n".join(commands.values())))
    with Subscriber(int(port), "furnace/bishkek/line1/telemetry") as subscriber:
        assert wait_for(lambda: len(subscriber.messages) > 2)
    # By now each has its own children.
    return grown(process, ["edge.box.cli run"])


def ended(process, within_s=180):
    out, err = process.communicate(timeout=within_s)
    assert "Traceback" not in err, err
    return process.returncode, json.loads(out) if out.strip() else None, err


ENDINGS = [("cpython", None), ("cpython", signal.SIGINT), ("micropython", signal.SIGTERM)]


@pytest.mark.parametrize(("runtime", "number"), ENDINGS)
def test_the_demo_controls_the_furnace_reports_and_ends_safe_by_its_time_or_a_signal(start, runtime, number):
    if runtime == "micropython":
        try:
            micropython.executable()
        except FileNotFoundError as error:
            missing_part(str(error))
    process = start("--runtime", runtime, *(["--for", "20s"] if number is None else []))
    commands = reporting(process)
    if number is not None:
        process.send_signal(number)
    code, summary, err = ended(process)
    assert (code, err) == (0, "")
    assert 850.0 < summary["process_values"]["t850"]["min"] <= summary["process_values"]["t850"]["max"] < 1050.0
    assert summary["report"]["acked"] >= 3
    assert summary["report"]["acked"] == summary["report"]["sent"]
    assert summary["outputs_safe"]
    assert summary["bus"]["field"]["requests"] > 0
    assert alive(commands) == []


def test_a_second_ctrl_c_does_not_wait_for_the_drives(start):
    process = start()
    commands = reporting(process)
    (node,) = [pid for pid, command in commands.items() if "edge.box.cli run" in command]
    process.send_signal(signal.SIGINT)
    # The node stops within a tick, the drives ramp for ten seconds.
    assert wait_for(lambda: not alive([node]))
    process.send_signal(signal.SIGINT)
    code, summary, err = ended(process)
    assert (code, summary["outputs_safe"]) == (1, False)
    assert "outputs were not seen at their safe values" in err
    assert alive(commands) == []


def test_a_time_that_is_none_is_named_with_what_was_expected(start):
    process = start("--for", "3x")
    code, _, err = ended(process)
    assert code == 2 and err.strip().endswith("argument --for: 3x: expected a time as 60s, 10m or 2h")


def test_a_killed_demo_leaves_no_orphan(start):
    process = start()
    commands = grown(process, ["edge.box.reporter"])
    process.kill()
    process.communicate(timeout=60)
    end = time.monotonic() + 60
    while alive(commands):
        assert time.monotonic() < end, [command_of(pid) for pid in alive(commands)]
        time.sleep(0.2)


@pytest.mark.parametrize("victim", ["edge.box.broker", "edge.emulator.serve", "edge.box.cli run"])
def test_a_dying_child_ends_the_demo_with_a_reason_and_no_orphan(start, victim):
    process = start()
    commands = reporting(process)
    os.kill(next(pid for pid, command in commands.items() if victim in command), signal.SIGKILL)
    code, summary, err = ended(process)
    assert code == 1
    assert "ended with code -9" in err
    # Without the emulator there is nothing left to look at.
    assert summary["outputs_safe"] == (victim != "edge.emulator.serve")
    assert alive(commands) == []


def test_a_port_in_use_is_said_in_one_sentence():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*DEMO[:-1], str(port)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 2
    assert str(port) in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
