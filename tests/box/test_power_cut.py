"""A running ``furnace-edge run`` is killed in the midst of a programme, and the next one goes on with it."""

import json
import os
import signal
import time

from edge.box.child import Child
from edge.box.keeper import wait_for_the_last
from edge.node.kept_file import OLDER, load
from tests.node.test_kept import TEXT

SLOW = TEXT.replace("at_per_min = 2 }", "at_per_min = 0.5 }")
WITHIN_S = 60


def start(node_file, port, state):
    # Nobody listens at the broker's port: nothing here depends on reporting.
    return Child(
        "node", "edge.box.cli", "run", str(node_file), "--port", port, "--state", str(state), "--broker",
        "127.0.0.1:9", "--attached", "--json",
    )  # fmt: skip


def position(path, node, more_than_ms):
    """The kept position of the programme, once it is further than this."""
    end = time.monotonic() + WITHIN_S
    while True:
        content, _ = load(path)
        for _, _, at in content["programmes"] if content else []:
            if at["elapsed_ms"] > more_than_ms:
                return at
        assert time.monotonic() < end and node.alive(), (content, node.complaints())
        time.sleep(0.1)


def test_a_programme_outlives_kill_9_and_a_state_file_that_is_half_written(tmp_path):
    node_file = tmp_path / "line1.toml"
    node_file.write_text(SLOW)
    state = tmp_path / "state"
    path = str(state / "bishkek-line1.kept")
    emulator = Child("emulator", "edge.emulator.serve", "bishkek", "--attached")
    node = None
    try:
        port = json.loads(emulator.line(WITHIN_S))["port"]
        node = start(node_file, port, state)
        node.say("programme load_change start")
        before = position(path, node, 0)
        before = position(path, node, before["elapsed_ms"])
        os.kill(node.pid, signal.SIGKILL)
        node.end()
        lock, wrong = wait_for_the_last(path)
        assert wrong == []
        older, _ = load(path + OLDER)
        with open(path, "rb+") as file:
            file.truncate(os.path.getsize(path) // 2)
        os.close(lock)
        node = start(node_file, port, state)
        again = position(path, node, older["programmes"][0][2]["elapsed_ms"] + 1)
        node.say("stop")
        last = json.loads(node.line(WITHIN_S))
    finally:
        for child in (node, emulator):
            if child is not None:
                child.end()
    for at in (before, again):
        # The ramp of 0.5 t/h per minute, as if there had been no cut.
        assert at["segment"] == 0 and at["from"] == before["from"] and at["to"] == 42.0
        assert abs(at["set_point"] - (at["from"] - 0.5 * at["elapsed_ms"] / 60000.0)) < 1e-6
    # Telemetry gives a set-point rounded to three decimals.
    assert last["loops"]["steam"][0] < again["set_point"] + 5e-4
