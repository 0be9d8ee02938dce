"""A node that hangs, and a reporter that hangs, are offline to all who listen: real processes and SIGSTOP."""

import json
import os
import pathlib
import signal

import pytest

from edge.box.child import Child
from edge.box.config import find
from tests.node.report.brokers import Mosquitto, Subscriber, process_state, wait_for

WITHIN_S = 40.0
BASE = "furnace/bishkek/line1"
STATE = f"{BASE}/state"
AVAILABILITY = f"{BASE}/home_assistant/availability"
BIRTH, DEATH = (f"spBv1.0/bishkek/{verb}/line1" for verb in ("NBIRTH", "NDEATH"))
LANGUAGES = "\n[report.sparkplug]\n[report.home_assistant]\n"


class Line:
    """The Bishkek line with all three languages, its broker and somebody who listens."""

    def __init__(self, folder):
        path = folder / "line1.toml"
        text = find("bishkek").read_text().replace("keepalive_s = 15", "keepalive_s = 5")
        path.write_text(text + LANGUAGES)
        self.broker = Mosquitto(folder).start()
        self.subscriber = Subscriber(self.broker.port)
        self.emulator = Child("emulator", "edge.emulator.serve", "bishkek", "--attached")
        port = json.loads(self.emulator.line(40))["port"]
        self.node = Child("node", "edge.box.cli", "run", str(path), "--port", port, "--broker",
                          f"127.0.0.1:{self.broker.port}", "--state", str(folder), "--attached")
        self._stopped = 0

    def stop(self, pid: int):
        self._stopped = pid
        os.kill(pid, signal.SIGSTOP)
        assert wait_for(lambda: process_state(pid) == "T")

    def go_on(self):
        if self._stopped:
            os.kill(self._stopped, signal.SIGCONT)
            self._stopped = 0

    def reporter(self) -> int:
        """Its process id; another child of the node keeps the state."""
        with open(f"/proc/{self.node.pid}/task/{self.node.pid}/children") as file:
            pids = [int(pid) for pid in file.read().split()]
        commands = {pid: pathlib.Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids}
        (found,) = [pid for pid, command in commands.items() if b"edge.box.reporter" in command]
        return found

    def newest(self, topic: str):
        return (self.subscriber.payloads(topic) or [None])[-1]

    def online(self, births: int) -> bool:
        return (self.newest(STATE) == self.newest(AVAILABILITY) == b"online"
                and len(self.subscriber.payloads(BIRTH)) >= births)

    def offline(self) -> bool:
        return (self.newest(STATE) == self.newest(AVAILABILITY) == b"offline"
                and len(self.subscriber.payloads(DEATH)) >= 1)

    def events(self, name: str) -> list:
        found = [json.loads(payload) for payload in self.subscriber.payloads(f"{BASE}/event")]
        return [(one["text"], one["alarm"]) for one in found if one["name"] == name]

    def close(self):
        self.go_on()
        self.node.end()
        self.emulator.end()
        self.subscriber.close()
        self.broker.kill()


@pytest.fixture
def line(tmp_path):
    line = Line(tmp_path)
    try:
        assert wait_for(lambda: line.online(1), WITHIN_S), line.node.complaints()
        yield line
    finally:
        line.close()


def test_a_hung_node_is_offline_dead_and_unavailable_and_born_again_when_it_speaks(line):
    line.stop(line.node.pid)
    assert wait_for(line.offline, WITHIN_S)
    assert wait_for(lambda: line.events("silent"), WITHIN_S)
    told = len(line.subscriber.payloads(f"{BASE}/reporter"))
    assert wait_for(lambda: len(line.subscriber.payloads(f"{BASE}/reporter")) > told, WITHIN_S)
    assert not line.online(1), "it was said to be back while it was stopped"
    line.go_on()
    assert wait_for(lambda: line.online(2) and len(line.events("silent")) == 2, WITHIN_S)
    (first, _), (second, _) = line.events("silent")
    assert first.startswith("nothing heard for 10 s") and second.startswith("speaks again")
    assert all(alarm for _, alarm in line.events("silent"))


def test_a_hung_reporter_is_declared_offline_by_the_broker_in_all_languages(line):
    line.stop(line.reporter())
    assert wait_for(line.offline, WITHIN_S)
    line.go_on()
    assert wait_for(lambda: line.online(2), WITHIN_S)
