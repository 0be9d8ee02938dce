"""The whole node while its USB adapter is pulled out and put back, on both runtimes."""

import json
import time

import pytest

from edge.box import micropython
from edge.box.child import Child
from tests.parts import missing_part


class Bench:
    """An emulator behind a symbolic link, as udev gives one to a USB adapter."""

    def __init__(self, link):
        self._link = str(link)
        self._child = None

    def plug(self):
        self._child = Child("emulator", "edge.emulator.serve", "bishkek", "--attached", "--link", self._link)
        json.loads(self._child.line(60))

    def unplug(self):
        if self._child is not None:
            self._child.end()
            self._child = None

    def state(self) -> dict:
        self._child.say("state")
        return json.loads(self._child.line(60))

    def wait_for(self, condition, within_s: float, what: str):
        end = time.monotonic() + within_s
        while not condition(self.state()):
            assert time.monotonic() < end, f"{what} not within {within_s} s"
            time.sleep(0.1)


@pytest.mark.parametrize("runtime", ["cpython", "micropython"])
def test_the_node_outlives_its_port_and_controls_again_when_it_is_back(tmp_path, runtime):
    if runtime == "micropython":
        try:
            micropython.executable()
        except FileNotFoundError as error:
            missing_part(str(error))
    link = tmp_path / "ttyUSB0"
    bench = Bench(link)
    node = None
    try:
        bench.plug()
        arguments = ["bishkek", "--port", str(link), "--broker", "127.0.0.1:9", "--attached", "--json"]
        node = Child("node", "edge.box.cli", "run", *arguments, "--runtime", runtime)

        def in_charge(state):
            return all(lease["armed"] and not lease["expired"] for lease in state["leases"].values())

        bench.wait_for(in_charge, 60, "leases armed")
        bench.unplug()
        time.sleep(1.5)  # some attempts to open what is not there
        assert node.alive(), node.complaints()
        bench.plug()
        # A new emulator: all its instruments have lost their settings, and are verified and set anew.
        bench.wait_for(in_charge, 120, "leases armed anew")
        bench.wait_for(lambda state: state["line"]["requests"] > 100, 120, "polled again")
        node.say("stop")
        last = json.loads(node.line(60))
        assert node.end(60) == 0
    finally:
        if node is not None and node.alive():
            node.end()
        bench.unplug()
    assert {reading[1] for reading in last["signals"].values()} <= {"good", "uncertain"}
