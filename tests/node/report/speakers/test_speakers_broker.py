"""The three speakers side by side over mosquitto: each its own connection, will and place in the outbox."""

import json

import pytest

from edge.box.paho_connection import PahoConnection
from edge.node.report.catalogue import FLOAT, Metric
from edge.node.report.connections.mqtt import MqttClient
from tests.node.report.brokers import Mosquitto, Subscriber, retained, wait_for
from tests.node.report.proxy import Proxy
from tests.node.report.rig import Rig
from tests.node.report.speakers import home_assistant_format
from tests.node.report.speakers.sparkplug_session import FIRST, GOOD, METRICS, ROOF_A1, T_FURNACE, TRIP
from tests.node.report.speakers.test_plain import SCHEMAS, strict

BASE = "furnace/bishkek/line1"
OWN = BASE + "/home_assistant/"
CONFIG = "homeassistant/device/furnace-bishkek-line1/config"
KINDS = {"json": {}, "sparkplug": {}, "home_assistant": {"period_ms": 200}}


@pytest.fixture
def rig(tmp_path, mosquitto, subscriber):
    rig = Rig(tmp_path, [mosquitto.port], KINDS, METRICS)
    rig.sample(*FIRST)
    assert rig.until(lambda: rig.engine.stats["connected"] and rig.idle())
    yield rig
    rig.close()


def test_all_three_tell_the_same(rig, subscriber):
    rig.sample((T_FURNACE, GOOD, 901.5), (ROOF_A1, GOOD, 905.25))
    rig.event("alarm", "o2_low", "came", True)
    assert rig.until(lambda: rig.idle() and subscriber.payloads(OWN + "event"))
    said = [one for payload in subscriber.payloads(BASE + "/samples") for one in strict(payload)["samples"]]
    assert said[-1]["values"] == {"t_furnace": 901.5, "roof_a1": 905.25}
    assert rig.until(lambda: json.loads(subscriber.payloads(OWN + "state")[-1])["t_furnace"] == 901.5)
    event = strict(subscriber.payloads(BASE + "/event")[-1])
    SCHEMAS["event"].validate(event)
    assert event == json.loads(subscriber.payloads(OWN + "event")[-1])
    topics = {topic.split("/")[2] for topic, *_ in subscriber.messages if topic.startswith("spBv1.0")}
    assert topics == {"NBIRTH", "DBIRTH", "NDATA", "DDATA"}


def test_who_comes_later_finds_what_there_is(rig, mosquitto):
    home_assistant_format.check(CONFIG, json.loads(retained(mosquitto.port, CONFIG)))
    assert retained(mosquitto.port, OWN + "availability") == b"online"
    assert retained(mosquitto.port, BASE + "/state") == b"online"
    SCHEMAS["catalogue"].validate(strict(retained(mosquitto.port, BASE + "/catalogue")))


def test_home_assistant_that_starts_is_told_again(rig, subscriber):
    before = len(subscriber.payloads(CONFIG))
    subscriber.publish("homeassistant/status", b"online", retain=True)
    assert rig.until(lambda: len(subscriber.payloads(CONFIG)) == before + 1)
    states = len(subscriber.payloads(OWN + "state"))
    assert states >= 2


def test_an_alarm_does_not_wait_for_the_period(tmp_path, mosquitto, subscriber):
    rig = Rig(tmp_path, [mosquitto.port], {"home_assistant": {"period_ms": 600000}}, METRICS)
    rig.sample(*FIRST)
    assert rig.until(lambda: subscriber.payloads(OWN + "state"))
    rig.sample((T_FURNACE, GOOD, 5.0))
    rig.sample((TRIP, GOOD, True))
    assert rig.until(lambda: json.loads(subscriber.payloads(OWN + "state")[-1])["trip.high_temperature"])
    rig.close()


def test_each_will_is_published(tmp_path, mosquitto, subscriber):
    with Proxy(mosquitto.port) as proxy:
        rig = Rig(tmp_path, [proxy.port], KINDS, METRICS)
        rig.sample(*FIRST)
        assert rig.until(lambda: rig.engine.stats["connected"] and rig.idle())
        proxy.cut()
        proxy.refuse()
        assert wait_for(lambda: {topic for topic, payload, _ in list(subscriber.messages)
                                 if payload == b"offline"} == {BASE + "/state", OWN + "availability"})
        assert wait_for(lambda: any("/NDEATH/" in topic for topic, *_ in list(subscriber.messages)))
    rig.outbox.close()


def test_ids_tell_duplicates_and_have_no_gaps(tmp_path, mosquitto):
    """Over connections that break: every id arrives, an id that comes twice is the same sample."""
    subscriber = Subscriber(mosquitto.port, BASE + "/samples")
    with Proxy(mosquitto.port) as proxy:
        rig = Rig(tmp_path, [proxy.port], {"json": {}}, METRICS)
        rig.sample(*FIRST)
        for number in range(400):
            rig.sample((T_FURNACE, GOOD, float(number)))
            rig.step()
            if number % 130 == 60:
                proxy.hold(up=False)
            elif number % 130 == 80:
                proxy.cut()
                proxy.release()
        assert rig.until(rig.idle, 60)
        rig.close()
    said = {}
    box = set()
    for payload in subscriber.payloads(BASE + "/samples"):
        content = strict(payload)
        SCHEMAS["samples"].validate(content)
        box.add(content["box"])
        for one in content["samples"]:
            assert said.setdefault(one["id"], one) == one
    subscriber.close()
    assert len(box) == 1
    assert sorted(said) == list(range(min(said), min(said) + 401))
    assert sorted(one["seq"] for one in said.values()) == list(range(1, 402))


@pytest.mark.parametrize("kind", ["json", "sparkplug"])
@pytest.mark.parametrize("connect", [PahoConnection, MqttClient])
def test_a_backlog_arrives_over_a_line_that_carries_little(tmp_path, mosquitto, kind, connect):
    wide = [Metric(f"zone_{number}", "degC", FLOAT) for number in range(20)]
    with Proxy(mosquitto.port) as proxy:
        proxy.bytes_per_s = 6000
        rig = Rig(tmp_path, [proxy.port], {kind: {}}, wide, connect=connect, keepalive_s=2)
        for k in range(40):
            rig.event("alarm", f"zone_{k}", "came", True)
            rig.sample(*[(index, GOOD, 800.0 + index + k / 8) for index in range(20)])
        assert rig.until(rig.idle, 60), rig.engine.stats
        assert rig.engine.stats["reconnects"] == 0
        proxy.bytes_per_s = None
        rig.close()


def test_a_backlog_of_many_signals_passes_a_broker_that_bounds_packets(tmp_path):
    wide = [Metric(f"zone_{number}_temperature", "degC", FLOAT) for number in range(200)]
    broker = Mosquitto(tmp_path, "max_packet_size 65536").start()
    try:
        rig = Rig(tmp_path, [broker.port], {"json": {}}, wide)
        for k in range(200):
            rig.sample(*[(index, GOOD, 800.0 + index + k / 8) for index in range(200)])
        assert rig.until(rig.idle, 60), rig.engine.stats
        assert rig.engine.stats["reconnects"] == 0
        rig.close()
    finally:
        broker.stop()
