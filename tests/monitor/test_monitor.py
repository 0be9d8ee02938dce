"""The monitor shows what a node says and survives whatever else a broker hands it."""

import json
import re

import pytest
from rich.console import Console

from edge.box import cli
from edge.box.cli import main
from edge.box.config import describe, find
from edge.emulator.virtual import VirtualRun
from edge.monitor import watch
from edge.monitor.listen import Listener, shaped
from edge.monitor.table import view
from tests.node.report.brokers import Mosquitto, wait_for
from tests.node.report.certificates import Authority

BASE = "furnace/bishkek/line1"


@pytest.fixture(scope="module")
def said():
    """Telemetry and events of a real node with a burnt-out thermocouple."""
    description, _ = describe(find("bishkek"))
    messages = []
    run = VirtualRun(
        "bishkek", description, 1, lambda topic, payload, retain: messages.append((topic, payload))
    )
    run.run_for(40)
    run.bench.fault(1, "burnt_out", 0)
    run.run_for(5)
    return messages


def shown(latest) -> str:
    console = Console(record=True, width=150)
    console.print(view(latest, "line1"))
    return console.export_text()


@pytest.fixture
def listening(tmp_path):
    broker = Mosquitto(tmp_path).start()
    listener = Listener("127.0.0.1", broker.port, BASE)
    listener.start()
    try:
        assert wait_for(lambda: listener.latest()["connected"])
        yield broker, listener
    finally:
        listener.close()
        broker.stop()


def publish(broker, topic, payload, retain=False):
    import paho.mqtt.publish

    paho.mqtt.publish.single(topic, payload, qos=1, retain=retain, hostname="127.0.0.1", port=broker.port)


def test_the_table_shows_loops_signals_alarms_and_counters(listening, said):
    broker, listener = listening
    last = said[-6:]
    for topic, payload in last:
        publish(broker, topic, payload)
    told = sum(topic.endswith("/telemetry") for topic, _ in last)
    assert wait_for(lambda: listener.latest()["count"] == told > 0)
    text = shown(listener.latest())
    for words in (
        "steam",
        "46.0",
        "BAD (broken wire or over range) roof_a1",
        "requests",
        "late p99",
    ):
        assert words in text


def test_an_event_of_these_years_is_shown_with_its_time(listening):
    broker, listener = listening
    now = {"v": 2, "id": 9, "t": 1795321183362, "kind": "output", "name": "feeder", "text": "stopped"}
    publish(broker, f"{BASE}/event", json.dumps(now))
    assert wait_for(lambda: listener.latest()["events"] or listener.latest()["unreadable"])
    latest = listener.latest()
    assert (latest["events"], latest["unreadable"]) == ([now], 0)
    telemetry = {"signals": {}, "outputs": {}, "loops": {}, "bus": {}, "tick": {}, "report": {}, "alarms": []}
    telemetry["tick"] = {"ticks": 1, "missed": 0, "late_p99_ms": 0.0, "late_max_ms": 0.0}
    assert "04:19:43Z output feeder: stopped" in shown({**latest, "telemetry": telemetry, "age_s": 0.0})


def test_the_table_shows_that_the_disk_of_the_outbox_is_gone(said):
    telemetry = json.loads(next(payload for topic, payload in reversed(said) if topic.endswith("/telemetry")))
    latest = {"connected": True, "state": "online", "telemetry": telemetry, "events": [], "count": 1,
              "unreadable": 0, "age_s": 0.0, "trouble": "", "spans": {}}
    assert "in memory only" not in shown(latest)
    telemetry["report"]["outbox"] = {"memory_only": True, "last_error": "outbox: [Errno 30] [red]"}
    assert "OUTBOX in memory only: outbox: [Errno 30] [red]" in shown(latest)
    telemetry["report"]["outbox"] = 5
    assert "in memory only" not in shown(latest)


HOSTILE = [b"[]", b"{}", b"\xff", b"5", b'{"v": 1}', b'{"v": 1, "signals": {"a": 3}}', b"null"]


@pytest.mark.parametrize("payload", HOSTILE)
def test_a_message_that_is_no_telemetry_is_counted_and_the_next_good_one_is_shown(listening, said, payload):
    broker, listener = listening
    for kind in ("telemetry", "event"):
        publish(broker, f"{BASE}/{kind}", payload)
    good = next(payload for topic, payload in reversed(said) if topic.endswith("/telemetry"))
    publish(broker, f"{BASE}/telemetry", good)
    publish(broker, f"{BASE}/state", b"offline", retain=True)
    assert wait_for(lambda: listener.latest()["count"] == 1 and listener.latest()["state"] == "offline")
    assert listener.latest()["unreadable"] == 2
    assert "2 unreadable messages" in shown(listener.latest())


def test_telemetry_with_any_part_of_the_wrong_form_is_refused(said):
    good = json.loads(next(payload for topic, payload in reversed(said) if topic.endswith("/telemetry")))
    assert shaped(good)
    for key in ("signals", "outputs", "loops", "bus", "tick", "report", "alarms"):
        for wrong in (None, 5, "x", {"a": 1}, ["a"]):
            changed = dict(good, **{key: wrong})
            if shaped(changed):
                latest = {"telemetry": changed, "connected": True, "state": "online", "events": []}
                shown({**latest, "age_s": 0.0, "unreadable": 0})


@pytest.mark.parametrize(
    "arguments", [["bishkek"], ["bishkek/line1", "--broker", ":1883"], ["a/b", "--broker", "h:0"]]
)
def test_wrong_arguments_are_refused_in_one_sentence(arguments, capsys):
    assert main(["monitor", *arguments]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_what_a_broker_hands_out_can_not_break_the_terminal_or_the_monitor(listening, said):
    broker, listener = listening
    good = json.loads(next(payload for topic, payload in reversed(said) if topic.endswith("/telemetry")))
    coloured = dict(good, alarms=["\x1b[2J", "[/bold]"], signals={**good["signals"], "[/x]": [1.0, "good"]})
    for content in (b"[" * 60000, json.dumps(dict(good, signals={"a": [10**400, "good"]})).encode()):
        publish(broker, f"{BASE}/telemetry", content)
    publish(broker, f"{BASE}/event", b'{"t": 1e300, "kind": "a", "name": "b", "text": "c"}')
    publish(broker, f"{BASE}/state", b"[/bold]\x1b[2J" + b"x" * 1000, retain=True)
    publish(broker, f"{BASE}/telemetry", json.dumps(coloured))
    assert wait_for(lambda: listener.latest()["count"] == 1)
    latest = listener.latest()
    assert latest["unreadable"] == 3 and latest["events"] == []
    text = shown(latest)
    assert "\x1b[2J" not in text and "node [/bold]\\x1b[2Jxxx" in text and re.search(r"\[/x\] +1\.00", text)


@pytest.fixture
def guarded(tmp_path):
    """A broker with TLS that wants to know who comes, and the arguments of who may."""
    authority = Authority(tmp_path)
    password = tmp_path / "password"
    password.write_text("secret\n")
    password.chmod(0o600)
    files = {"ca": authority.ca, **authority.issue("broker", ["127.0.0.1"])}
    with Mosquitto(tmp_path, users={"monitor": "secret"}, tls=files) as broker:
        yield broker, ["--ca-file", authority.ca, "--username", "monitor", "--password-file", str(password)]


def told(broker, words, awaited):
    parser = cli.parser_for("monitor")
    args = parser.parse_args(["monitor", "bishkek/line1", "--broker", f"127.0.0.1:{broker.port}", *words])
    listener = watch.listener_of(args)
    listener.start()
    try:
        assert wait_for(lambda: awaited(listener.latest())), listener.latest()
    finally:
        listener.close()


def test_it_shows_itself_by_tls_and_password(guarded, tmp_path):
    broker, words = guarded
    told(broker, words, lambda latest: latest["connected"])
    wrong = tmp_path / "wrong"
    wrong.write_text("another\n")
    wrong.chmod(0o600)
    told(broker, [*words[:-1], str(wrong)], lambda latest: "refused: Not authorized" in latest["trouble"])
    foreign = Authority(tmp_path, "foreign").ca
    told(broker, ["--ca-file", foreign], lambda latest: "certificate verify failed" in latest["trouble"])


def test_beyond_this_machine_there_is_no_way_without_tls(capsys):
    assert main(["monitor", "bishkek/line1", "--broker", "plant.example:1883"]) == 2
    assert "plant.example, but no TLS" in capsys.readouterr().err
