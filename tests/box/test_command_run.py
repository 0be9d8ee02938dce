"""A running node on either runtime, its reporter, a real broker, and ``furnace-edge command``."""

import json

import pytest

from edge.box import micropython
from edge.box.child import Child
from edge.box.cli import main
from edge.box.config import find
from tests.node.report.brokers import Mosquitto, Subscriber, wait_for
from tests.parts import missing_part

BASE = "furnace/bishkek/line1"
REMOTE = """
[remote]
enabled = true

[remote.allow.steam]
action = "set_point"
loop = "steam"
low = 40
high = 48
rate_per_min = 60
"""


@pytest.fixture(params=["cpython", "micropython"])
def line(request, tmp_path):
    """(node as a child, the port of its broker, the path of its node file)"""
    if request.param == "micropython":
        try:
            micropython.executable()
        except FileNotFoundError as error:
            missing_part(str(error))
    path = tmp_path / "line1.toml"
    path.write_text(find("bishkek").read_text() + REMOTE)
    emulator = Child("emulator", "edge.emulator.serve", "bishkek", "--attached")
    node = None
    try:
        port = json.loads(emulator.line(60))["port"]
        with Mosquitto(tmp_path) as broker:
            node = Child(
                "node", "edge.box.cli", "run", str(path), "--port", port, "--attached",
                "--broker", f"127.0.0.1:{broker.port}", "--state", str(tmp_path / "state"),
                "--runtime", request.param,
            )  # fmt: skip
            yield node, broker, path
    finally:
        if node is not None:
            node.end()
        emulator.end()


def test_asked_from_afar_and_only_in_remote_mode(line, capsys):
    node, broker, path = line

    def ask(*words):
        here = f"127.0.0.1:{broker.port}"
        code = main(["command", str(path), *words, "--by", "anna", "--broker", here, "--wait", "20"])
        return code, "".join(capsys.readouterr())

    def told(topic):
        return [json.loads(payload) for payload in listener.payloads(f"{BASE}/{topic}")]

    def answer():
        return listener.payloads(BASE + "/answer")[-1]

    def set_point():
        return told("telemetry")[-1]["loops"]["steam"][0]

    listener = Subscriber(broker.port, BASE + "/#")
    try:
        assert ask("set_point", "steam", "45") == (
            1, "refused: the node is in local mode; only its own console changes that\n",
        ), node.complaints()  # fmt: skip
        node.say("remote on")
        assert wait_for(lambda: told("session")[-1]["session"]["mode"] == "remote")
        assert ask("set_point", "steam", "45") == (0, "accepted: 45.0\n")
        assert ask("set_point", "steam", "49")[0] == 1
        done = listener.payloads(BASE + "/command")[1]
        listener.publish(BASE + "/command", done)
        assert wait_for(lambda: b"replayed" in answer() or b"nonce is not valid" in answer()), answer()
        listener.publish(BASE + "/command", b"\xff" * 100000)
        listener.publish(BASE + "/command", b"[" * 1000)
        assert wait_for(lambda: b"one flat object" in answer())
        assert wait_for(lambda: set_point() == 45.0)
        # Events come by the outbox, so later than the answers.
        texts = [
            "accepted: 45.0, by anna (as they say), over json",
            "node is in remote mode, by the console",
            "refused: expected one flat object",
        ]
        assert wait_for(lambda: all(any(e["text"].startswith(t) for e in told("event")) for t in texts))
    finally:
        listener.close()
