"""pysparkplug, an independent Sparkplug host, watches the node over mosquitto.

It needs an older paho, so it has a virtual environment of its own, made once in pytest's cache.
"""

import fcntl
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading

import pytest

from tests.node.report.brokers import Subscriber, free_port, wait_for
from tests.node.report.proxy import Proxy
from tests.node.report.rig import Rig
from tests.node.report.speakers.sparkplug_session import (
    BAD,
    FIRST,
    GOOD,
    METRICS,
    ROOF_A1,
    ROOF_LINK,
    STROKES,
    T_FURNACE,
)
from tests.parts import missing_part

PACKAGE = "pysparkplug==0.6.1"
SCRIPT = pathlib.Path(__file__).parent / "sparkplug_host.py"


@pytest.fixture(scope="session")
def host_python(request) -> str:
    """The Python of an environment that has pysparkplug."""
    folder = pathlib.Path(request.config.cache.mkdir("sparkplug_host"))
    home = folder / f"{PACKAGE}-{sys.version_info[0]}.{sys.version_info[1]}"
    python = home / "bin" / "python"
    done = home / "installed"
    with open(folder / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several workers may want it at once
        if not done.exists():
            shutil.rmtree(home, ignore_errors=True)
            try:
                for command in ([sys.executable, "-m", "venv", "--without-pip", str(home)],
                                [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet",
                                 "--disable-pip-version-check", PACKAGE]):
                    subprocess.run(command, check=True, capture_output=True, text=True, timeout=180)
            except (OSError, subprocess.SubprocessError) as error:
                missing_part(f"{PACKAGE} can't be installed: {getattr(error, 'stderr', '') or error}")
            done.touch()
    return str(python)


class Host:
    """The process, and what it has said."""

    def __init__(self, python: str, port: int, *names):
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        self._process = subprocess.Popen([python, str(SCRIPT), str(port), *names], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, text=True, env=environment)
        self.messages = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert wait_for(lambda: self.messages, 60), "the host did not connect"
        self.messages.pop()

    def _read(self):
        for line in self._process.stdout:
            self.messages.append(json.loads(line))

    def say(self, line: str):
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    @property
    def verbs(self) -> list:
        return [message["verb"] for message in list(self.messages)]

    def values(self, name: str) -> list:
        """[(value, historical)] of a metric, in order."""
        return [(value, historical) for message in list(self.messages)
                for metric, value, historical in message["metrics"] if metric == name]

    def live(self, name: str) -> list:
        """Its values that are not historical, after the first birth."""
        return [value for value, historical in self.values(name) if not historical][1:]

    def close(self):
        self._process.stdin.close()
        try:
            assert self._process.wait(timeout=60) == 0
        finally:
            self._process.kill()
            self._process.wait(timeout=60)
            self._reader.join(timeout=60)
            self._process.stdout.close()


@pytest.fixture
def host(host_python, mosquitto):
    host = Host(host_python, mosquitto.port, "bishkek", "line1")
    yield host
    host.close()


@pytest.mark.parametrize("typed", [False, True])
def test_host_understands_a_whole_session(tmp_path, mosquitto, host, typed):
    settings = {"sparkplug": {"commands": True, "datatype_in_data": typed, "primary_host": "scada"}}
    rig = Rig(tmp_path, [mosquitto.port], settings, METRICS)
    rig.sample(*FIRST)
    assert rig.until(lambda: rig.connections[0].connected)
    assert not host.messages
    host.say("online 1000")
    assert rig.until(lambda: host.verbs[:4] == ["NBIRTH", "DBIRTH", "DBIRTH", "DBIRTH"])
    birth = {name: value for name, value, _ in host.messages[0]["metrics"]}
    assert birth["t_furnace"] == 871.25 and birth["node/mode"] == "local" and birth["strokes"] == -7
    assert birth["trip/high_temperature"] is False and birth["Node Control/Rebirth"] is False
    for number in range(5):
        rig.sample((T_FURNACE, GOOD, 900.0 + number), (STROKES, GOOD, -number),
                   (ROOF_A1, GOOD, 910.0 + number))
        rig.step()
    assert rig.until(lambda: rig.idle() and len(host.live("roof_a1")) == 5)
    assert host.live("t_furnace") == [900.0 + number for number in range(5)]
    assert host.live("strokes") == [-number for number in range(5)]
    assert host.live("roof_a1") == [910.0 + number for number in range(5)]
    rig.sample((ROOF_A1, BAD, None), (ROOF_LINK, GOOD, False))
    assert rig.until(lambda: host.verbs[-1] == "DDEATH")
    rig.event("alarm", "o2_low", "came", True)
    assert rig.until(lambda: host.values("Node Info/Event")[-1][0] and
                     json.loads(host.values("Node Info/Event")[-1][0])["name"] == "o2_low")
    host.say("rebirth")
    assert rig.until(lambda: host.verbs.count("NBIRTH") == 2)
    host.say('write Node_Control/Command {"v":1,"do":"acknowledge"}')
    commands = []
    assert rig.until(lambda: commands or commands.extend(rig.engine.commands()))
    assert commands == [("sparkplug", b'{"v":1,"do":"acknowledge"}', False)]
    rig.engine.reply("sparkplug", b'{"v":1,"answer":"accepted"}')
    assert rig.until(lambda: ('{"v":1,"answer":"accepted"}', False) in host.values("Node Control/Answer"))
    numbers = [message["seq"] for message in host.messages if message["verb"] != "NDEATH"]
    first = host.verbs.index("NBIRTH", 1)
    assert numbers == [*range(first), *range(len(numbers) - first)]
    host.say("offline 2000")
    assert rig.until(lambda: host.verbs[-1] == "NDEATH")
    assert host.messages[-1]["metrics"] == [["bdSeq", birth["bdSeq"], False]]
    host.say("online 2001")
    assert rig.until(lambda: host.verbs.count("NBIRTH") == 3)
    rig.close()
    assert wait_for(lambda: host.verbs[-1] == "NDEATH")


def test_host_gets_what_was_stored_while_the_broker_was_away(tmp_path, mosquitto, host):
    with Proxy(mosquitto.port) as proxy:
        rig = Rig(tmp_path, [proxy.port], {"sparkplug": {}}, METRICS)
        rig.sample(*FIRST)
        assert rig.until(lambda: host.verbs.count("DBIRTH") == 3)
        proxy.cut()
        proxy.refuse()
        assert rig.until(lambda: host.verbs[-1] == "NDEATH")
        for number in range(300):
            rig.sample((T_FURNACE, GOOD, 500.0 + number), (ROOF_A1, GOOD, 600.0 + number))
            rig.step()
        proxy.accept()
        assert rig.until(lambda: rig.idle() and len(host.values("roof_a1")) > 300, 60)
        rig.close()
    for name, base in (("t_furnace", 500.0), ("roof_a1", 600.0)):
        assert host.live(name)[-1] == base + 299
        assert {base + number for number in range(300)} <= {
            value for value, historical in host.values(name) if historical}


def test_the_example_watches_the_demo(host_python):
    """As the README shows it: births after its rebirth, then data with names."""
    port = str(free_port())
    demo = subprocess.Popen(
        [sys.executable, "-m", "edge.box.cli", "demo", "--json", "--broker-port", port,
         "--speak", "sparkplug"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        observer = Subscriber(int(port))
        assert wait_for(lambda: len(observer.payloads("furnace/bishkek/line1/telemetry")) > 2, 60)
        observer.close()
        example = SCRIPT.parents[4] / "examples" / "sparkplug_watch.py"
        watched = subprocess.run([host_python, str(example), port, "bishkek", "line1", "12"],
                                 capture_output=True, text=True, timeout=120)
        demo.send_signal(signal.SIGINT)
        _, complaints = demo.communicate(timeout=60)
    finally:
        demo.kill()
        demo.communicate()
    assert (watched.returncode, watched.stderr) == (0, "")
    lines = watched.stdout.splitlines()
    assert "DBIRTH roof device/roof/link = True" in lines
    assert any(line.startswith("NBIRTH line1 t850 = ") for line in lines)
    assert any(line.startswith("DDATA roof roof_a1 = ") for line in lines)
    assert (demo.returncode, complaints) == (0, "")
