"""``furnace-edge command`` through a real broker, answered by a node's real door."""

import json
import os
import threading
from pathlib import Path

import paho.mqtt.client as paho
import pytest

from edge.box import credentials
from edge.box.cli import main
from edge.box.command import Operator
from edge.box.config import find
from edge.node.report.connections.connection import HEARD
from tests.node.remote_bench import Node, remote
from tests.node.report.brokers import Mosquitto, free_port, wait_for
from tests.node.report.certificates import Authority

BASE = "furnace/bishkek/line1"
REMOTE = """
[remote]
enabled = true
[remote.allow.steam]
action = "set_point"
loop = "steam"
low = 40
high = 48
rate_per_min = 2
"""


class Desk:
    """A node that lives at a broker: a tick for each command, so that its time is its own."""

    def __init__(self, port, username=None, password=None, **how):
        self.node = Node(remote(**how))
        self.overtaking = []
        self._lock = threading.Lock()
        self._subscribed = threading.Event()
        self._told = None
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        if username is not None:
            self._client.username_pw_set(username, password)
        self._client.on_connect = lambda client, *_: client.subscribe(f"{BASE}/command", qos=1)
        self._client.on_subscribe = self._begin
        self._client.on_message = lambda _client, _data, message: self.take(message.payload, message.retain)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._subscribed.wait(60)

    def _begin(self, *_):
        self._tell()
        self._subscribed.set()

    def _tell(self):
        if self.node.reporter.session != self._told:
            self._told = self.node.reporter.session
            payload = json.dumps({"session": self._told})
            self._client.publish(f"{BASE}/session", payload, qos=1, retain=True)

    def take(self, payload, retain=False):
        with self._lock:
            if self.overtaking:
                self.node.ask(*self.overtaking.pop())
            answers = len(self.node.reporter.answers)
            self.node.put(payload, retain)
            self.node.tick()
            for answer in self.node.reporter.answers[answers:]:
                self._client.publish(f"{BASE}/answer", json.dumps(answer), qos=1)
            self._tell()

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def broker(tmp_path):
    with Mosquitto(tmp_path) as one:
        yield one


@pytest.fixture
def desk(broker):
    one = Desk(broker.port)
    yield one
    one.close()


@pytest.fixture
def line1(tmp_path):
    path = tmp_path / "line1.toml"
    path.write_text(find("bishkek").read_text() + REMOTE)
    return str(path)


def command(line1, broker, *words):
    return main(["command", line1, *words, "--broker", f"127.0.0.1:{broker.port}", "--wait", "60"])


def test_a_command_is_accepted_and_done(line1, broker, desk, capsys):
    assert command(line1, broker, "set_point", "furnace", "850", "--by", "anna") == 0
    assert capsys.readouterr().out == "accepted: 850.0\n"
    assert desk.node.furnace.set_point.value == 800.25
    assert command(line1, broker, "mode", "furnace", "manual", "--by", "anna", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["accepted"] and answer["n"] == 2 and answer["value"] == "manual"
    assert "by anna" in desk.node.events[-1][2]


def test_a_message_of_another_topic_does_no_harm(broker, desk):
    """The demo's broker has handed its catalogue to a subscriber of answer and session."""
    operator = Operator(BASE, [("127.0.0.1", broker.port)], credentials.of({}))
    operator._take(HEARD, f"{BASE}/catalogue", b'{"metrics": []}', True)
    sent = {"v": 1, "by": "anna", "do": "set_point", "name": "furnace", "value": 850.0}
    assert operator.ask(sent, 60)["accepted"]


def test_a_refusal_is_told_with_its_reason(line1, broker, desk, capsys):
    assert command(line1, broker, "set_point", "furnace", "950") == 1
    said = capsys.readouterr()
    assert said.err == "refused: 950.0 is outside 700.0..900.0, which is allowed from afar\n" and not said.out
    assert command(line1, broker, "set_point", "draught", "-70") == 1
    assert "does not allow set_point of draught" in capsys.readouterr().err
    desk.node.console.execute("remote off")
    assert command(line1, broker, "reset", "pressure") == 1
    assert "the node is in local mode" in capsys.readouterr().err


def test_who_is_overtaken_by_another_asks_once_more(line1, broker, desk, capsys):
    desk.overtaking.append(("mode", "furnace", "manual"))
    assert command(line1, broker, "set_point", "furnace", "850") == 0
    said = [(answer["n"], answer["accepted"]) for answer in desk.node.reporter.answers]
    assert said == [(1, True), (1, False), (2, True)]


def test_without_a_node_without_a_broker_and_without_rights_nothing_hangs(line1, broker, tmp_path, capsys):
    here = f"127.0.0.1:{broker.port}"
    assert main(["command", line1, "reset", "x", "--broker", here, "--wait", "0.3"]) == 2
    assert "the node has told no session: is it running" in capsys.readouterr().err
    assert main(["command", line1, "reset", "x", "--broker", f"127.0.0.1:{free_port()}"]) == 2
    assert "no broker lets you in" in capsys.readouterr().err
    with Mosquitto(tmp_path, users={"anna": "secret"}) as closed:
        assert command(line1, closed, "reset", "x") == 2
        assert "no broker lets you in" in capsys.readouterr().err


def test_your_own_name_and_password(line1, tmp_path, capsys):
    secret = tmp_path / "secret"
    secret.write_text("sesame\n")
    secret.chmod(0o600)
    users = {"node": "n", "anna": "sesame"}
    acl = f"user node\ntopic readwrite {BASE}/#\nuser anna\ntopic read {BASE}/#\ntopic write {BASE}/command\n"
    with Mosquitto(tmp_path, users=users, acl=acl) as broker:
        desk = Desk(broker.port, "node", "n")
        try:
            mine = ["--username", "anna", "--password-file", str(secret)]
            assert command(line1, broker, "set_point", "furnace", "850", *mine) == 0
        finally:
            desk.close()


def test_by_tls_from_a_machine_that_has_none_of_the_nodes_files(line1, tmp_path, capsys):
    authority = Authority(tmp_path)
    path = Path(line1)
    path.write_text(path.read_text().replace("[report.mqtt]", """[report.mqtt]
username = "node"
password_file = "/nowhere/password"
ca_file = "/nowhere/ca"
cert_file = "/nowhere/cert"
key_file = "/nowhere/key"
"""))
    secret = tmp_path / "secret"
    secret.write_text("sesame\n")
    secret.chmod(0o600)
    files = {"ca": authority.ca, **authority.issue("broker", ["127.0.0.1"])}
    with Mosquitto(tmp_path, users={"anna": "sesame"}, tls=files) as broker:
        mine = ["--username", "anna", "--password-file", str(secret), "--ca-file", authority.ca]
        here = ["--broker", f"127.0.0.1:{broker.port}", "--wait", "1"]
        assert main(["command", line1, "reset", "pressure", *mine, *here]) == 2
        assert "the node has told no session" in capsys.readouterr().err  # so the broker let anna in
        assert main(["command", line1, "reset", "pressure", *mine[:4], *here]) == 2
        assert "ca_file /nowhere/ca: No such file" in capsys.readouterr().err


WRONG = [
    (["--broker", "plant.example:1883"], "a broker on another machine, plant.example, but no TLS"),
    (["--wait", "inf"], "--wait inf: expected seconds, up to 3600"),
    (["--wait", "-1"], "--wait -1.0: expected"),
    (["--ca-file", "/dev/null"], "TLS: /dev/null: "),
    (["--ca-file", "/nowhere"], "ca_file /nowhere: No such file"),
    (["--cert-file", "/dev/null", "--ca-file", "/dev/null"], "expected both or neither"),
]


@pytest.mark.parametrize(("words", "said"), WRONG)
def test_wrong_arguments_are_refused_in_one_line(line1, capsys, words, said):
    assert main(["command", line1, "reset", "pressure", *words]) == 2
    told = capsys.readouterr().err
    assert said in told and len(told.splitlines()) == 1


def test_a_user_without_a_name_is_asked_for_one(line1, monkeypatch, capsys):
    """As in a container that runs under a number."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 4000000001)
    assert main(["command", line1, "reset", "pressure", "--wait", "1"]) == 2
    told = capsys.readouterr().err
    assert "--by" in told and len(told.splitlines()) == 1


def test_what_lies_in_the_broker_is_not_believed(line1, broker, desk, capsys):
    payloads = [b"\xff", b"[]", b'{"session": 5}', b'{"session": {"nonce": [1], "n": "x"}}', b"[" * 60000]
    for payload in payloads:
        desk._client.publish(f"{BASE}/session", payload, qos=1, retain=True).wait_for_publish(5)
        code = main(
            ["command", line1, "reset", "pressure", "--broker", f"127.0.0.1:{broker.port}", "--wait", "0.5"]
        )
        assert code in (1, 2), payload
    assert "Traceback" not in capsys.readouterr().err


def test_a_node_that_takes_no_commands_is_named_before_anything_is_sent(tmp_path, capsys):
    assert main(["command", "bishkek", "reset", "x"]) == 2
    assert "takes no commands from afar: [remote] has no enabled = true" in capsys.readouterr().err
    assert main(["command", str(tmp_path / "none.toml"), "reset", "x"]) == 2
    assert "can't be read" in capsys.readouterr().err


def test_the_session_at_the_broker_follows_the_node(desk, broker):
    heard = []
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.on_message = lambda _client, _data, message: heard.append(json.loads(message.payload))
    client.on_connect = lambda one, *_: one.subscribe(f"{BASE}/session", qos=1)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    try:
        assert wait_for(lambda: heard)
        desk.take(b"nonsense")
        desk.node.tick(240)
        desk.take(b"nonsense")
        assert wait_for(lambda: len(heard) > 1 and heard[-1]["session"] == desk.node.reporter.session)
    finally:
        client.disconnect()
        client.loop_stop()
