"""A broker, a node's reporting on either runtime, and an observer: what the fault tests are made of."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

from edge.box import micropython
from tests.box.outbox_tools import bytes_of
from tests.faults.observer import Observer, SparkplugObserver
from tests.faults.segments import stored_in
from tests.node.report.brokers import Mosquitto, process_state, wait_for
from tests.node.report.proxy import Proxy
from tests.parts import missing_part

FEEDER = Path(__file__).with_name("feeder.py")
# The broker hands everything on at once: what it has acknowledged is on its way to the observer.
PROMPT = ("max_inflight_messages 0", "max_queued_messages 0")
KEEPALIVE_S = 2
ANSWER_S = 30.0


def description(folder, brokers, speakers=("json",), **more) -> dict:
    """As much of a node description as the reporting end reads; ``more``: keys of its mqtt and outbox."""
    mqtt = {"brokers": brokers, "keepalive_s": KEEPALIVE_S, "tls": False}
    outbox = {"path": str(folder / "node.outbox"), "size_mb": 4, "commit_s": 1}
    for key, value in more.items():
        (outbox if key in outbox else mqtt)[key] = value
    settings = {
        "json": {"enabled": True},
        "sparkplug": {"group": "bench", "edge_node": "k1", "datatype_in_data": True},
        "home_assistant": {"prefix": "homeassistant"},
    }
    report = {"period_ms": 1000, "mqtt": mqtt, "outbox": outbox}
    for name in speakers:
        report[name] = settings[name]
    return {"schema": 2, "node": {"site": "bench", "name": "k1"}, "report": report}


class Node:
    """The feeder as a process, as often as it is started."""

    def __init__(self, folder, runtime: str, rate: int, metrics: int = 5):
        self.runtime = runtime
        self.rate = rate
        self.metrics = metrics
        self.file = folder / "description.json"
        self.errors = folder / "errors.txt"
        self.process = None
        self.last = []  # what each start of it told at its end, if it came to an end

    def start(self):
        words = [str(FEEDER), str(self.file), str(self.rate), str(self.metrics)]
        environment = dict(os.environ, PYTHONPATH=str(micropython.root()))
        command = [sys.executable, *words]
        if self.runtime == "micropython":
            try:
                command = [micropython.executable(), "-X", "heapsize=4m", *words]
            except FileNotFoundError as error:
                missing_part(str(error))
            environment = micropython.environment()
        with open(self.errors, "ab") as errors:
            self.process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, stderr=errors, start_new_session=True)
        return self

    def say(self, text: str):
        self.process.stdin.write(text.encode() + b"\n")
        self.process.stdin.flush()

    def told(self) -> dict:
        """What it knows now: boot, seq, stats."""
        self.say("told")
        return json.loads(self._line())

    def _line(self) -> bytes:
        ready, _, _ = select.select([self.process.stdout], [], [], ANSWER_S)
        line = self.process.stdout.readline() if ready else b""
        assert line, f"the node says nothing: {self.errors.read_text()[-2000:]}"
        return line

    def reporter(self) -> int:
        """Process id of its reporter; -1 while there is none, or where the node reports itself."""
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as file:
            children = file.read().split()
        for child in children:
            # Another child keeps the state.
            if b"edge.box.reporter" in Path(f"/proc/{child}/cmdline").read_bytes():
                return int(child)
        return -1

    def kill(self):
        """kill -9; its reporter ends by itself, and is waited for."""
        child = self.reporter()
        self.process.kill()
        self._ended()
        assert wait_for(lambda: child < 0 or not alive(child), 60), "the reporter outlives its node"

    def kill_reporter(self) -> bool:
        """kill -9 of the reporter; False when there is none now."""
        child = self.reporter()
        if child < 0:
            return False
        os.kill(child, signal.SIGKILL)
        return True

    def stop(self) -> dict:
        """The orderly end; what it told last."""
        self.say("stop")
        said, _ = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, self.errors.read_text()[-2000:]
        self.last.append(json.loads(said.splitlines()[-1]))
        return self.last[-1]

    def _ended(self):
        self.process.wait(timeout=60)
        self.process.stdin.close()
        self.process.stdout.close()

    def end(self):
        if self.process is not None and self.process.poll() is None:
            child = self.reporter()
            self.process.kill()
            self._ended()
            if child > 0 and alive(child):
                os.kill(child, signal.SIGKILL)


def alive(pid: int) -> bool:
    """Whether a process still runs; a zombie waits for its new parent only."""
    try:
        return process_state(pid) != "Z"
    except FileNotFoundError:
        return False


class Rig:
    """The node connects through ``proxy``, the observer does not; ``more``: see ``description``.

    ``broker``: another one, started; ``access``: of the observer to it.
    """

    def __init__(self, folder, runtime="cpython", rate=20, speakers=("json",), metrics=5, broker=None,
                 access=None, **more):
        self.folder = folder
        self.broker = broker or Mosquitto(folder, *PROMPT).start()
        access = access or {}
        self.proxy = Proxy(self.broker.port)
        self.node = Node(folder, runtime, rate, metrics)
        more.setdefault("brokers", [["127.0.0.1", self.proxy.port]])
        self.description = description(folder, speakers=speakers, **more)
        self.node.file.write_text(json.dumps(self.description))
        self.observer = Observer(self.broker.port, **access)
        self.host = SparkplugObserver(self.broker.port) if "sparkplug" in speakers else None

    def __enter__(self):
        self.node.start()
        return self

    def __exit__(self, *_):
        self.node.end()
        self.observer.close()
        if self.host is not None:
            self.host.close()
        self.proxy.close()
        self.broker.kill()

    def kill_broker(self):
        """kill -9, once the observers have read what it had written to them: it has acknowledged that."""
        self.proxy.refuse()
        if self.broker.running:
            self.broker.freeze()
            self.observer.subscriber.read_all()
            if self.host is not None:
                self.host.subscriber.read_all()
        self.broker.kill()

    def restore_broker(self):
        """A new broker, with nothing, that lets the observer in first: it shall miss nothing."""
        self.broker.start()
        self.observer.subscriber.wait_subscribed()
        if self.host is not None:
            self.host.subscriber.wait_subscribed()
        self.proxy.accept()

    def outbox_files(self) -> list:
        return [path for path in self.folder.rglob("*") if path.is_file() and "node.outbox" in str(path)]

    def stored(self) -> set:
        """(boot, seq) of the records that an outbox of segments has on the disk; nobody may be writing."""
        return stored_in(self.outbox_files())

    def outbox_bytes(self) -> int:
        """What the outbox takes of the disk."""
        return bytes_of(self.outbox_files())

    def arrived(self, boot: int, seq: int, within_s: float = 60.0) -> bool:
        """Whether every record up to ``seq`` comes within the time."""
        return wait_for(lambda: not self.observer.read().missing(boot, seq), within_s)

    def caught_up(self, within_s: float = 60.0) -> bool:
        """Whether what the node has told so far arrives within the time."""
        told = self.node.told()
        return self.arrived(told["boot"], told["seq"], within_s)

    def connected(self, within_s: float = 60.0):
        def born() -> bool:
            stats = self.node.told()["stats"]
            return stats["connected"] and stats["acked"] > 0

        assert wait_for(born, within_s, lambda: time.sleep(0.1)), (
            self.node.told(), self.node.errors.read_text()[-2000:])
        return self
