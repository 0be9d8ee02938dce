"""The targets: one interface, whatever the unit under test is and whatever its time is.

``telemetry()`` the node's latest message, ``events()`` what it told, ``state()`` the emulator's truth,
``fault(...)``/``clear()`` on the line, ``say(text)`` a command to the node's console,
``wait(condition, within_s)`` seconds of the target's time until it held, AssertionError when it never did.
"""

import json
import os
import signal
import time

from edge.box.child import Child
from edge.box.config import describe, find
from edge.emulator.virtual import VirtualRun
from edge.monitor.listen import Listener
from edge.node.commands import Commands
from edge.node.report.messages import base_topic
from tests.node.report.brokers import Mosquitto

PLANT = "bishkek"


def node_file(folder, changes: dict) -> str:
    """The packaged node file with some lines changed."""
    text = find(PLANT).read_text()
    for line, other in changes.items():
        assert line in text
        text = text.replace(line, other)
    path = folder / "line1.toml"
    path.write_text(text)
    return str(path)


class Target:
    """What the targets share."""

    name = ""
    can = set()
    # A shorter proof of 850 degC: each test waits less for the feeder.
    changes = {"on_after_s = 30": "on_after_s = 5"}

    def __init__(self, folder):
        self.folder = folder
        self.node_file = node_file(folder, self.changes)
        self.description, _ = describe(self.node_file)

    def quality(self, signal: str) -> str:
        telemetry = self.telemetry()
        return telemetry["signals"][signal][1] if telemetry else "bad"

    def output(self, name: str) -> list:
        """[value, state, why] as the node tells it."""
        telemetry = self.telemetry()
        return telemetry["outputs"][name] if telemetry else [None, "unknown"]

    def all_well(self) -> bool:
        """Every signal good and every output in automatic mode."""
        telemetry = self.telemetry()
        return (
            telemetry is not None
            and all(reading[1] == "good" for reading in telemetry["signals"].values())
            and all(state[1] == "auto" for state in telemetry["outputs"].values())
        )

    def safe_values(self) -> dict:
        """Output -> safe value, of those that don't hold."""
        return {
            name: spec["safe"] for name, spec in self.description["output"].items() if spec["safe"] != "hold"
        }

    def at_safe_values(self) -> bool:
        # Of outputs that move something; a burner control that is only released has no position.
        real = self.state()["outputs"]
        return all(abs(real[name] - value) < 1.0 for name, value in self.safe_values().items() if name in real)


class VirtualTarget(Target):
    """Node and emulator in this process, on a virtual clock."""

    name = "virtual"
    can = {"kill"}

    def start(self):
        self._latest = None
        self._told = []
        self._killed = False
        self._run = VirtualRun(PLANT, self.description, 1, self._receive)
        return self

    def _receive(self, topic, payload, retain):
        message = json.loads(payload)
        if topic.endswith("/telemetry"):
            self._latest = message
        else:
            self._told.append(message)

    def telemetry(self):
        return self._latest

    def events(self) -> list:
        return self._told

    def state(self) -> dict:
        return self._run.bench.state()

    def fault(self, unit, kind, argument=None, seconds=None):
        self._run.bench.fault(unit, kind, argument, seconds)

    def clear(self):
        self._run.bench.clear_faults()

    def set(self, name, value):
        self._run.bench.set(name, value)

    def say(self, text: str):
        Commands(self._run.node).execute(text)

    def kill(self):
        """The node stops dead: only the emulator's time goes on."""
        self._killed = True

    def wait(self, condition, within_s: float) -> float:
        clock = self._run.clock
        start_us = clock.now_us()
        while not condition():
            assert clock.now_us() - start_us < within_s * 1e6, f"not within {within_s} s of virtual time"
            if self._killed:
                clock.advance_to(clock.now_us() + 250000)
                self._run.bench.step(clock.now_us())
            else:
                self._run.run_for(0.25)
        return (clock.now_us() - start_us) / 1e6

    def ended(self) -> bool:
        return self._run.node.done(self._run.clock.now_us())

    def finish(self):
        self._run.node.close()


class ProcessTarget(Target):
    """`furnace-edge run` as a process, on a pseudo-terminal to the emulator's process; a real mosquitto."""

    name = "process"
    runtime = "cpython"
    can = {"kill", "signal"}
    # The emulator answers when the machine lets it: a unit must not seem silent because the machine is busy.
    changes = {**Target.changes, "timeout_ms = 60 ": "timeout_ms = 400"}
    # A condition may take so much longer than in virtual time, which alone is exact.
    patience_s = 120

    def start(self):
        self.broker = Mosquitto(self.folder).start()
        self.emulator = Child("emulator", "edge.emulator.serve", PLANT, "--seed", "1", "--attached")
        port = json.loads(self.emulator.line(60))["port"]
        settings = self.description["node"]
        self._listener = Listener(
            "127.0.0.1", self.broker.port, base_topic(settings["site"], settings["name"])
        )
        self._listener.start()
        arguments = [
            "run",
            self.node_file,
            "--port",
            port,
            "--broker",
            f"127.0.0.1:{self.broker.port}",
            "--state",
            str(self.folder / "state"),
            "--attached",
            "--json",
        ]
        self.node = Child("node", "edge.box.cli", *arguments, "--runtime", self.runtime)
        return self

    def telemetry(self):
        return self._listener.latest()["telemetry"]

    def events(self) -> list:
        return self._listener.latest()["events"]

    def _ask(self, text: str) -> dict:
        self.emulator.say(text)
        return json.loads(self.emulator.line(60))

    def state(self) -> dict:
        return self._ask("state")

    def fault(self, unit, kind, argument=None, seconds=None):
        words = ["fault", str(unit), kind]
        if argument is not None:
            words.append(str(argument))
        if seconds is not None:
            words.append(f"{seconds}s")
        self._ask(" ".join(words))

    def clear(self):
        self._ask("clear")

    def set(self, name, value):
        self._ask(f"set {name} {value}")

    def say(self, text: str):
        self.node.say(text)

    def kill(self):
        """kill -9, without any chance to say goodbye."""
        os.kill(self.node.pid, signal.SIGKILL)

    def wait(self, condition, within_s: float) -> float:
        start = time.monotonic()
        within_s += self.patience_s
        while not condition():
            assert time.monotonic() - start < within_s, f"not within {within_s} s; {self.node.complaints()}"
            assert self.emulator.alive(), self.emulator.complaints()
            time.sleep(0.05)
        return time.monotonic() - start

    def ended(self) -> bool:
        return not self.node.alive()

    def finish(self):
        self._listener.close()
        self.node.end()
        self.emulator.end()
        self.broker.stop()


class MicropythonTarget(ProcessTarget):
    """The same node on the MicroPython unix port."""

    name = "micropython"
    runtime = "micropython"

    def kill(self):
        """kill -9 of the interpreter itself, which is a child of the process that attends it."""
        (interpreter,) = self._children()
        os.kill(interpreter, signal.SIGKILL)

    def _children(self) -> list:
        with open(f"/proc/{self.node.pid}/task/{self.node.pid}/children") as file:
            return [int(pid) for pid in file.read().split()]


TARGETS = {target.name: target for target in (VirtualTarget, ProcessTarget, MicropythonTarget)}
