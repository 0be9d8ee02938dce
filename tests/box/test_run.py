"""``furnace-edge run``: what it says when something must be mended, and its reporter's death."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time

import pytest

from edge.box import micropython
from edge.box.child import Child
from edge.box.config import describe, find
from tests.parts import missing_part

RUN = [sys.executable, "-m", "edge.box.cli", "run"]


def refused(*arguments):
    done = subprocess.run(
        [*RUN, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False
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


def until(reached, within_s: float = 60):
    end = time.monotonic() + within_s
    while not reached():
        assert time.monotonic() < end, f"not within {within_s} s"
        time.sleep(0.1)


class Node:
    """``furnace-edge run bishkek`` beside its emulator, without a broker; its console is read line by line.

    On port 9 of this machine nothing listens: the reporter has no broker and lives all the same.
    """

    def __init__(self, *arguments, runtime="cpython"):
        self.emulator = Child("emulator", "edge.emulator.serve", "bishkek", "--attached")
        self.said = b""
        try:
            port = json.loads(self.emulator.line(60))["port"]
            given = ["bishkek", "--port", port, "--broker", "127.0.0.1:9", "--runtime", runtime, *arguments]
            self.process = subprocess.Popen(
                [*RUN, *given], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        except BaseException:
            self.emulator.end()
            raise
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()
        self.emulator.end()

    def type(self, text: str):
        self.process.stdin.write(text.encode() + b"\n")
        self.process.stdin.flush()

    def heard(self, words: str, within_s: float = 60) -> str:
        """The next line of its console that has ``words`` in it."""
        end = time.monotonic() + within_s
        fd = self.process.stderr.fileno()
        while True:
            *lines, self.said = self.said.split(b"\n")
            for at, line in enumerate(lines):
                if words in line.decode():
                    self.said = b"\n".join([*lines[at + 1 :], self.said])
                    return line.decode()
            left = end - time.monotonic()
            assert left > 0 and select.select([fd], [], [], left)[0], f"{words} not heard"
            data = os.read(fd, 65536)
            assert data, f"the node has ended without {words}"
            self.said += data

    def waiting(self) -> int:
        """How many records its reporter has stored and not got rid of, as it was last told."""
        self.type("status")
        return int(self.heard("report     NOT CONNECTED").split()[-2])

    def stopped(self) -> tuple:
        """(exit code, standard output, the rest of its console)"""
        self.type("stop")
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out.decode(), (self.said + err).decode()


def test_a_reporter_that_dies_is_started_anew_and_the_node_goes_on():
    with Node("--attached", "--json") as node:
        until(lambda: node.waiting() > 2)
        (first,) = children(node.pid)
        os.kill(first, signal.SIGKILL)
        until(lambda: children(node.pid) not in ([first], []))
        # What the dead one said stands still; the new one stores on.
        before = node.waiting()
        until(lambda: node.waiting() > before)
        code, out, err = node.stopped()
    assert (code, "Traceback" in err) == (0, False), err
    last = json.loads(out)
    assert last["report"]["restarts"] == 1, last["report"]
    # No broker took anything: all records wait in the outbox, from the first on.
    assert last["report"]["unconfirmed"] == 0, last["report"]
    assert last["report"]["speakers"]["json"]["backlog"] >= 5
    assert last["tick"]["ticks"] > 0


def test_a_broker_that_stays_away_is_said_in_one_line_and_the_node_goes_on():
    with Node() as node:
        said = node.heard("reporter: ")
        reason = "127.0.0.1:9: ECONNREFUSED (connecting)"
        assert said == f"reporter: not connected, what is reported is stored: {reason}"
        node.type("status")
        assert reason in node.heard("report     NOT CONNECTED")
        node.process.send_signal(signal.SIGINT)
        node.heard("node stop: stopped by SIGINT")
        code, out, err = node.stopped()
    assert (code, out, "reporter" in err) == (0, "", False)


@pytest.mark.parametrize("runtime", ["cpython", "micropython"])
def test_the_console_shows_what_happens_and_answers_on_every_runtime(runtime):
    if runtime == "micropython":
        try:
            micropython.executable()
        except FileNotFoundError as error:
            missing_part(str(error))
    with Node(runtime=runtime) as node:
        devices = len(describe(find("bishkek"))[0]["device"])
        assert f"bishkek/line1 starts: {devices} devices, bus field on /dev/pts/" in node.heard("starts")
        node.type("status")
        node.heard("trips      none")
        node.type("help")
        node.heard("reset [TRIP]")
        node.emulator.say("fault roof burnt_out ai0")
        assert node.heard("signal roof_a1: bad: broken wire")[19:22] == "Z  "
        node.type("set steam 45")
        node.heard("command set steam: set-point of steam is 45.0, by the console")
        code, out, err = node.stopped()
    assert (code, out) == (0, "")
    assert "stopping: outputs go to their safe values" in err
    assert "Z ! output burner: stopped: " in err, "! marks an alarm"
