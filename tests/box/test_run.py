"""``furnace-edge run``: what it says when something must be mended, and its reporter's death."""

import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time

import pytest

from edge.box.child import Child
from edge.box.config import find

RUN = [sys.executable, "-m", "edge.box.cli", "run"]


def refused(*arguments):
    done = subprocess.run(
        [*RUN, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    return done.stderr.strip()


def test_a_port_that_does_not_exist_is_named():
    for runtime in ("cpython", "micropython"):
        said = refused("bishkek", "--port", "/dev/ttyNOWHERE", "--runtime", runtime)
        assert said.startswith("port /dev/ttyNOWHERE does not exist")
        assert len(said.splitlines()) == 1


def test_a_port_of_the_file_is_named_with_its_line(tmp_path):
    text = find("bishkek").read_text().replace("/dev/ttyUSB0", "/dev/ttyNOWHERE")
    path = tmp_path / "line1.toml"
    path.write_text(text)
    line = text[: text.index("/dev/ttyNOWHERE")].count("\n") + 1
    assert refused(str(path)).startswith(f"{path}:{line}: port /dev/ttyNOWHERE does not exist")


def test_a_port_in_use_is_named():
    master, slave = pty.openpty()
    path = os.ttyname(slave)
    import fcntl

    fcntl.flock(slave, fcntl.LOCK_EX)
    runtimes = ("cpython", "micropython")
    said = [refused("bishkek", "--port", path, "--runtime", runtime) for runtime in runtimes]
    os.close(master)
    os.close(slave)
    assert all(f"port {path} is in use" in sentence for sentence in said)


def test_a_wrong_node_file_is_named_by_line_and_nothing_is_written_to_the_line(tmp_path):
    master, slave = pty.openpty()
    text = find("bishkek").read_text().replace("gain = 1.5", "gian = 1.5")
    path = tmp_path / "line1.toml"
    path.write_text(text)
    line = text[: text.index("gian")].count("\n") + 1
    said = refused(str(path), "--port", os.ttyname(slave))
    assert f"line1.toml:{line}:" in said
    assert "gain" in said
    os.set_blocking(master, False)
    with pytest.raises(BlockingIOError):
        os.read(master, 1)
    os.close(master)
    os.close(slave)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--port", "other=/dev/null"], "no bus is named other"),
        (["--broker", "localhost"], "expected HOST:PORT"),
        (["--broker", "localhost:99999"], "expected HOST:PORT"),
        (["--broker", "broker.example:1883"], "a broker on another machine, broker.example, but no TLS"),
        (["--state", "/dev/null"], "the outbox can't be kept in /dev/null"),
    ],
)
def test_overrides_that_do_not_fit_are_refused(arguments, words):
    assert words in refused("bishkek", *arguments)


CREDENTIALS = [
    ('ca_file = "/nowhere/ca.pem"', 0o600, "/nowhere/ca.pem"),
    ('username = "n"\npassword_file = "{secret}"', 0o644, "{secret} has mode 0644"),
    ('username = "n"\npassword_file = "{secret}x"', 0o600, "{secret}x"),
]


@pytest.mark.parametrize("runtime", ["cpython", "micropython"])
@pytest.mark.parametrize(("rows", "mode", "named"), CREDENTIALS)
def test_credentials_that_can_not_be_used_are_named(tmp_path, runtime, rows, mode, named):
    secret = tmp_path / "secret"
    secret.write_text("sesame\n")
    secret.chmod(mode)
    path = tmp_path / "line1.toml"
    rows = rows.format(secret=secret)
    path.write_text(find("bishkek").read_text().replace("port = 1883\n", f"port = 1883\n{rows}\n"))
    master, slave = pty.openpty()
    said = refused(str(path), "--port", os.ttyname(slave), "--runtime", runtime)
    os.close(master)
    os.close(slave)
    assert named.format(secret=secret) in said and "sesame" not in said and len(said.splitlines()) == 1


def children(pid):
    """The reporters among them; another child keeps the state."""
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        found = [int(child) for child in file.read().split()]
    return [child for child in found if b"edge.box.reporter" in command_line(child)]


def command_line(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""  # it has ended meanwhile


def test_a_reporter_that_dies_is_started_anew_and_the_node_goes_on():
    emulator = Child("emulator", "edge.emulator.serve", "bishkek", "--attached")
    node = None
    try:
        port = json.loads(emulator.line(20))["port"]
        # Nobody listens on this port: the reporter has no broker and lives all the same.
        node = Child(
            "node",
            "edge.box.cli",
            "run",
            "bishkek",
            "--port",
            port,
            "--broker",
            "127.0.0.1:9",
            "--attached",
            "--json",
        )
        end = time.monotonic() + 20
        while not children(node.pid):
            assert time.monotonic() < end, node.complaints()
            time.sleep(0.05)
        (first,) = children(node.pid)
        time.sleep(2)
        os.kill(first, signal.SIGKILL)
        while children(node.pid) in ([first], []):
            assert time.monotonic() < end, "not started anew"
            time.sleep(0.05)
        time.sleep(1)
        node.say("stop")
        last = json.loads(node.line(15))
    finally:
        for child in (node, emulator):
            if child is not None:
                child.end()
    assert last["report"]["restarts"] == 1, last["report"]
    # Nobody took anything: all records wait in the outbox, from the first on.
    assert last["report"]["unconfirmed"] == 0, last["report"]
    assert last["report"]["speakers"]["json"]["backlog"] >= 5
    assert last["tick"]["missed"] == 0


def test_a_broker_that_stays_away_is_said_in_one_line_and_the_node_goes_on():
    emulator = Child("emulator", "edge.emulator.serve", "bishkek", "--attached")
    try:
        port = json.loads(emulator.line(20))["port"]
        node = subprocess.Popen(
            [*RUN, "bishkek", "--port", port, "--broker", "127.0.0.1:9"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        deadline = threading.Timer(40, node.kill)
        deadline.start()
        try:
            line = node.stderr.readline()
            reason = "127.0.0.1:9: ECONNREFUSED (connecting)"
            assert line == f"reporter: not connected, what is reported is stored: {reason}\n"
            node.send_signal(signal.SIGINT)
            out, err = node.communicate(timeout=20)
        finally:
            deadline.cancel()
            node.kill()
            node.communicate()
    finally:
        emulator.end()
    assert (node.returncode, out, err) == (0, "", "")
