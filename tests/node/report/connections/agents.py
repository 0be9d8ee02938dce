"""The test's end of connection_agent.py: a connection of one of three kinds as a process of its own."""

import json
import os
import socket
import subprocess
import sys
import threading
import time

from tests.node.report.brokers import wait_for
from tests.parts import require_command

KINDS = ("paho", "cpython", "micropython")
ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), *[".."] * 4))
SCRIPT = os.path.join(os.path.dirname(__file__), "connection_agent.py")


def micropython() -> str:
    """Path of the interpreter, or the test is skipped by name."""
    beside = os.path.join(os.path.dirname(sys.executable), "micropython")
    return beside if os.path.exists(beside) else require_command("micropython")


def interpreter(kind: str, *options: str) -> list:
    """The start of a command line for one of KINDS."""
    return [micropython(), *options] if kind == "micropython" else [sys.executable]


def environment() -> dict:
    """The environment in which both runtimes find the packages of the project."""
    return dict(os.environ, MICROPYPATH=ROOT + ":.frozen", PYTHONPATH=ROOT)


class RemoteConnection:
    """``kind``: one of KINDS; ``port``: of the broker, or ``brokers``: a list of (host, port).

    ``events``: (seconds on time.monotonic when it came in, what was said), in order.
    """

    def __init__(self, kind: str, port: int = 0, will=None, brokers=None, **options):
        options.setdefault("client_id", f"node-{kind}-{port}")
        options.setdefault("keepalive_s", 10)
        options["brokers"] = brokers or [("127.0.0.1", port)]
        settings = {"kind": "paho" if kind == "paho" else "own", "options": options, "will": will}
        self.said = []
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            listener.settimeout(60)
            self.process = subprocess.Popen(
                [*interpreter(kind, "-X", "heapsize=512k"), SCRIPT, str(listener.getsockname()[1])],
                env=environment(), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            self._control, _ = listener.accept()
        self._control.sendall(json.dumps(settings).encode() + b"\n")
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        with self._control.makefile("rb") as lines:
            for line in lines:
                self.said.append((time.monotonic(), json.loads(line)))

    def order(self, *words):
        """Send an order; see connection_agent.py."""
        self._control.sendall(json.dumps(words).encode() + b"\n")

    def all(self, *words, since: float = 0.0) -> list:
        """(when, what) of all that begins with ``words``; of an event "event" and its time are left out."""
        found = []
        for when, what in list(self.said):
            body = what[2:] if what[0] == "event" else what
            if when >= since and body[:len(words)] == list(words):
                found.append((when, body))
        return found

    def wait(self, *words, count: int = 1, timeout_s: float = 60.0, since: float = 0.0):
        """The ``count``-th of ``all``, waited for; fails with what was said instead."""
        assert wait_for(lambda: len(self.all(*words, since=since)) >= count, timeout_s), (
            f"no {words} within {timeout_s} s, but {[what for _, what in self.said][-8:]}, {self.error()}")
        return self.all(*words, since=since)[count - 1]

    def up(self, count: int = 1, timeout_s: float = 60.0):
        """Wait for its ``count``-th connection."""
        return self.wait("up", count, timeout_s=timeout_s)

    def stats(self) -> dict:
        since = time.monotonic()
        self.order("stats")
        return self.wait("stats", since=since)[1][1]

    def error(self) -> str:
        """What an agent that ended in an error has said of it."""
        return self.process.stdout.read().decode() if self.process.poll() else ""

    def close(self):
        self._control.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(timeout=60)
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
