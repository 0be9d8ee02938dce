"""Topic rights as mosquitto carries them out, for nodes, a monitor, a commander and a stranger."""

import copy

import pytest

from edge.box import acl, cli
from edge.box.config.schema import find, read
from edge.node.clock import VirtualClock
from edge.node.report.catalogue import FLOAT, Catalogue, Metric
from edge.node.report.speakers import speaker
from tests.node.report.brokers import Mosquitto, Subscriber, wait_for

USERS = ("line1", "line2", "monitor", "commander", "homeassistant", "stranger")
REPORT = {"json": {"enabled": True}, "home_assistant": {"prefix": "homeassistant"},
          "sparkplug": {"group": "plant", "datatype_in_data": False, "primary_host": "scada"}}


def description(name: str, commands: bool = True) -> dict:
    """What of a node's description the rights are made from."""
    report = copy.deepcopy(REPORT)
    report["sparkplug"]["edge_node"] = name
    report["mqtt"] = {"username": name}
    return {"node": {"site": "site", "name": name}, "report": report, "remote": {"enabled": commands}}


def rights(*descriptions) -> str:
    made = acl.Rights()
    for one in descriptions:
        acl.grant(made, one, acl.node_user(one), ["monitor"], ["commander"], "homeassistant")
    return str(made)


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    text = rights(description("line1"), description("line2", commands=False))
    users = {user: f"{user} secret" for user in USERS}
    with Mosquitto(tmp_path_factory.mktemp("acl"), users=users, acl=text) as running:
        yield running


@pytest.fixture(scope="module")
def clients(broker):
    """A client of each user, subscribed to everything: the broker hands out what the user may read."""
    found = {user: Subscriber(broker.port, "#", user, f"{user} secret") for user in USERS}
    yield found
    for client in found.values():
        client.close()


def readers(clients, writer: str, topic: str) -> set:
    """Publishes on ``topic`` as ``writer``; returns the users that get it."""
    readers.count = getattr(readers, "count", 0) + 1
    payload = b"%d" % readers.count
    clients[writer].publish(topic, payload)
    # What everybody may read comes after it, so that who has not got the first by then never will.
    clients["line1"].publish("furnace/site/line1/state", b"mark" + payload)
    clients["homeassistant"].publish("homeassistant/status", b"mark" + payload)
    for topic_of_mark, users in (("furnace/site/line1/state", ("monitor", "commander")),
                                 ("homeassistant/status", ("line1", "line2"))):
        heard = [clients[user] for user in users]
        assert wait_for(lambda heard=heard, mark=topic_of_mark: all(
            b"mark" + payload in client.payloads(mark) for client in heard))
    return {user for user in USERS if payload in clients[user].payloads(topic)}


WATCHERS = {"monitor", "commander"}


@pytest.mark.parametrize(("writer", "topic", "expected"), [
    ("line1", "furnace/site/line1/samples", WATCHERS),
    ("line1", "furnace/site/line1/event", WATCHERS),
    ("line1", "spBv1.0/plant/NDATA/line1", WATCHERS),
    ("line1", "spBv1.0/plant/DDATA/line1/drive", WATCHERS),
    ("line1", "homeassistant/device/furnace-site-line1/config", WATCHERS | {"homeassistant"}),
    ("line1", "furnace/site/line1/home_assistant/state", WATCHERS | {"homeassistant"}),
    ("line2", "furnace/site/line2/samples", {"monitor"}),  # it takes no commands, so no commander reads it
    # A node writes nothing of another's, and no commands, not even its own.
    ("line2", "furnace/site/line1/samples", set()),
    ("line1", "furnace/site/line2/samples", set()),
    ("line1", "furnace/site/line1/alive", {"line1"}),
    ("line2", "furnace/site/line1/alive", set()),
    ("line2", "furnace/site/line1/command", set()),
    ("line1", "furnace/site/line1/command", set()),
    ("line2", "spBv1.0/plant/NDATA/line1", set()),
    ("line2", "spBv1.0/plant/NCMD/line1", set()),
    ("line2", "homeassistant/device/furnace-site-line1/config", set()),
    ("line1", "spBv1.0/STATE/scada", set()),
    # Who only reads can't write.
    ("monitor", "furnace/site/line1/samples", set()),
    ("monitor", "furnace/site/line1/command", set()),
    ("monitor", "spBv1.0/plant/NCMD/line1", set()),
    ("homeassistant", "furnace/site/line1/command", set()),
    # A commander reaches the node that takes commands, and that one alone.
    ("commander", "furnace/site/line1/command", {"line1"}),
    ("commander", "spBv1.0/plant/NCMD/line1", {"line1"}),
    ("commander", "spBv1.0/plant/DCMD/line1/drive", {"line1"}),
    ("commander", "spBv1.0/STATE/scada", {"line1", "line2"} | WATCHERS),
    ("commander", "furnace/site/line2/command", set()),
    ("commander", "furnace/site/line1/samples", set()),
    # A user without a line.
    ("stranger", "furnace/site/line1/samples", set()),
    ("stranger", "furnace/site/line1/command", set()),
])
def test_who_may_write_and_who_reads_it(clients, writer, topic, expected):
    assert readers(clients, writer, topic) == expected


def test_rights_cover_every_topic_of_every_speaker():
    """What a speaker publishes or subscribes to is the node's to write or read."""
    one = description("line1")
    lines = rights(one).split("user monitor")[0].splitlines()
    catalogue = Catalogue([Metric("t", "C", FLOAT, "drive"), Metric("u", "C", FLOAT, "")], "site", "line1")
    for kind in speaker.KINDS:
        voice = speaker.make(kind, "site", "line1", {**one["report"][kind], "commands": True}, VirtualClock())
        voice.begin(catalogue, "00000000", lambda _key: None, lambda _key, _value: True)
        said = [voice.before_connect(), *voice.births(0), *voice.goodbye(0)]
        for topic in {message[0] for message in said}:
            assert allowed(lines, "write", topic), (kind, topic)
        for topic, _ in voice.subscriptions():
            assert allowed(lines, "read", topic), (kind, topic)


def allowed(lines: list, access: str, topic: str) -> bool:
    levels = topic.split("/")
    for line in lines:
        if line.startswith(f"topic {access} "):
            wanted = line.split(" ", 2)[2].split("/")
            if len(wanted) == len(levels) and all(a in ("+", b) for a, b in zip(wanted, levels, strict=True)):
                return True
    return False


def test_command_line_prints_the_rights_of_a_packaged_node(capsys):
    assert cli.main(["acl", "bishkek", "--user", "grate", "--monitor", "hall", "--monitor", "office"]) == 0
    printed = capsys.readouterr().out
    node = read(find("bishkek")).description["node"]
    base = f"furnace/{node['site']}/{node['name']}"
    assert f"user grate\ntopic readwrite {base}/alive\ntopic write {base}/state\n" in printed
    for user in ("hall", "office"):
        assert f"user {user}\ntopic read {base}/state\n" in printed
    assert "NODE" not in printed and "#\n" not in printed


def test_two_nodes_with_one_user_are_refused(capsys):
    assert cli.main(["acl", "bishkek", "bishkek"]) == 2
    assert "each node needs its own" in capsys.readouterr().err


def test_node_that_is_also_the_monitor_is_refused(capsys):
    assert cli.main(["acl", "bishkek", "--user", "monitor"]) == 2
    assert "somebody else" in capsys.readouterr().err


def test_wrong_node_file_is_told(tmp_path, capsys):
    path = tmp_path / "wrong.toml"
    path.write_text("[node]\n")
    assert cli.main(["acl", str(path)]) == 2
    assert str(path) in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--user", "--monitor", "--commander", "--home-assistant"])
@pytest.mark.parametrize("name", ["anna\ntopic readwrite #", "", " anna", "a\rb"])
def test_name_that_would_be_more_than_a_name_is_refused(option, name, capsys):
    assert cli.main(["acl", "bishkek", option, name]) == 2
    said = capsys.readouterr()
    assert not said.out and "expected a user's name on one line" in said.err
