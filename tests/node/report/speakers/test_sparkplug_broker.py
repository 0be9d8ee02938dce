"""Sparkplug as sender, connection and mosquitto really carry it: the assertions again, over bytes of MQTT."""

import pytest

from edge.box.paho_connection import PahoConnection
from edge.node.report.connections.mqtt import MqttClient
from tests.node.report.brokers import Mosquitto, Subscriber, wait_for
from tests.node.report.proxy import Proxy
from tests.node.report.rig import Rig
from tests.node.report.speakers.assertions import CHECKS, Unseen
from tests.node.report.speakers.sparkplug_session import (
    BAD,
    FIRST,
    GOOD,
    HOST,
    METRICS,
    NODE,
    ROOF_A1,
    ROOF_LINK,
    T_FURNACE,
    state,
    written,
)
from tests.node.report.speakers.wire import Message, from_bytes

# What only a real connection can show; the rest it shows too, as far as it comes up.
OF_THE_CONNECTION = [
    "principles-persistence-clean-session-311", "message-flow-edge-node-birth-publish-will-message",
    "message-flow-edge-node-birth-publish-will-message-qos", "payloads-ndeath-will-message-retain",
    "message-flow-edge-node-ncmd-subscribe", "message-flow-device-dcmd-subscribe",
    "principles-birth-certificates-order", "topics-nbirth-bdseq-matching", "topics-nbirth-bdseq-increment",
    "operational-behavior-edge-node-intentional-disconnect-ndeath", "payloads-ndata-order",
    "payloads-sequence-num-always-included", "topics-ndata-mqtt", "topics-ddeath-mqtt",
    "operational-behavior-device-ddeath",
]


def read(subscriber) -> list:
    """What arrived in Sparkplug's namespace, as messages."""
    return [Message(topic, payload, 0, retain) for topic, payload, retain in list(subscriber.messages)
            if topic.startswith("spBv1.0/") and "/STATE/" not in topic and "CMD/" not in topic]


def verbs(subscriber) -> list:
    return [message.verb for message in read(subscriber)]


@pytest.mark.parametrize("connect", [MqttClient, PahoConnection])
def test_the_assertions_hold_on_a_real_connection(tmp_path, mosquitto, subscriber, connect):
    with Proxy(mosquitto.port) as proxy:
        rig = Rig(tmp_path, [proxy.port], {"sparkplug": {"commands": True}}, METRICS, connect)
        rig.sample(*FIRST)
        assert rig.until(lambda: "DBIRTH" in verbs(subscriber))
        for number in range(140):
            rig.sample((T_FURNACE, GOOD, 870.0 + number), (ROOF_A1, GOOD, 880.0 + number))
            rig.step()
        rig.sample((ROOF_A1, BAD, None), (ROOF_LINK, GOOD, False))
        rig.event("alarm", "o2_low", "came", True)
        assert rig.until(lambda: "DDEATH" in verbs(subscriber))
        subscriber.publish(NODE % "NCMD", written("Node Control/Rebirth", True))
        assert rig.until(lambda: verbs(subscriber).count("NBIRTH") == 2)
        rig.sample((ROOF_A1, GOOD, 890.0), (ROOF_LINK, GOOD, True))
        assert rig.until(lambda: rig.idle() and "DBIRTH" in verbs(subscriber)[-2:])
        proxy.cut()
        assert rig.until(lambda: verbs(subscriber).count("NBIRTH") == 3)
        rig.sample((T_FURNACE, GOOD, 1.0))
        assert rig.until(rig.idle)
        rig.close()
        assert wait_for(lambda: verbs(subscriber)[-1] == "NDEATH")
        wire = from_bytes(bytes(proxy.heard))
    assert len(wire) == 2
    seen = set()
    for name, function in CHECKS.items():
        try:
            function(wire)
            seen.add(name)
        except Unseen:
            continue
    assert {"tck-id-" + name for name in OF_THE_CONNECTION} <= seen
    assert len(seen) > 125


def test_the_will_is_published_when_the_node_is_lost(tmp_path, mosquitto, subscriber):
    with Proxy(mosquitto.port) as proxy:
        rig = Rig(tmp_path, [proxy.port], {"sparkplug": {}}, METRICS)
        rig.sample(*FIRST)
        assert rig.until(lambda: "DBIRTH" in verbs(subscriber))
        proxy.cut()
        proxy.refuse()
        assert wait_for(lambda: verbs(subscriber)[-1] == "NDEATH")
    birth = next(message for message in read(subscriber) if message.verb == "NBIRTH")
    death = read(subscriber)[-1]
    assert death.metric("bdSeq").long_value == birth.metric("bdSeq").long_value
    rig.outbox.close()


def test_nothing_is_lost_over_a_connection_that_breaks(tmp_path, mosquitto, subscriber):
    """Every value arrives, live or as history: what the broker had not confirmed is sent again."""
    expected = [870.0 + number for number in range(200)]
    with Proxy(mosquitto.port) as proxy:
        rig = Rig(tmp_path, [proxy.port], {"sparkplug": {}}, METRICS)
        rig.sample(*FIRST)
        assert rig.until(lambda: "DBIRTH" in verbs(subscriber))
        for place, value in enumerate(expected):
            rig.sample((T_FURNACE, GOOD, value))
            rig.step()
            if place % 70 == 30:
                proxy.hold()
            elif place % 70 == 40:
                proxy.cut()
                proxy.release()
        assert rig.until(rig.idle, 60)

        def arrived():
            return [(metric.float_value, metric.is_historical) for message in read(subscriber)
                    if message.verb in ("NDATA", "NBIRTH") for metric in message.metrics
                    if metric.alias == T_FURNACE + 1]

        # The broker has it all; the subscriber may still be reading.
        wait_for(lambda: {value for value, _ in arrived()} >= set(expected))
        rig.close()
    arrived = arrived()
    assert {value for value, _ in arrived} >= set(expected)
    assert any(historical for _, historical in arrived)


def test_walks_to_the_broker_where_the_host_is(tmp_path, mosquitto, subscriber):
    """Two brokers, never both at once: the host leaves the first and is on the second."""
    second = Mosquitto(tmp_path).start()
    there = Subscriber(second.port)
    try:
        with Proxy(mosquitto.port) as one, Proxy(second.port) as two:
            subscriber.publish(HOST, state(True, 1000), retain=True)
            there.publish(HOST, state(True, 900), retain=True)
            rig = Rig(tmp_path, [one.port, two.port], {"sparkplug": {"primary_host": "scada"}}, METRICS)
            rig.sample(*FIRST)
            together = []

            def alone(condition):
                together.append(one.open + two.open)
                return condition()

            assert rig.until(lambda: alone(lambda: "DBIRTH" in verbs(subscriber)))
            subscriber.publish(HOST, state(False, 1000), retain=True)
            assert rig.until(lambda: alone(lambda: "DBIRTH" in verbs(there)))
            assert verbs(subscriber)[-1] == "NDEATH"
            assert "NDEATH" not in verbs(there)
            assert max(together) == 1
            rig.close()
        first = from_bytes(bytes(one.heard))
        assert [item if isinstance(item, str) else item.verb for item in first[0].items[-2:]] == [
            "NDEATH", "disconnect"]
    finally:
        there.close()
        second.stop()


def test_waits_on_a_broker_until_the_host_comes(tmp_path, mosquitto, subscriber):
    rig = Rig(tmp_path, [mosquitto.port], {"sparkplug": {"primary_host": "scada"}}, METRICS)
    rig.sample(*FIRST)
    assert rig.until(lambda: rig.connections[0].connected)
    assert not rig.until(lambda: verbs(subscriber), 0.5)
    subscriber.publish(HOST, state(True, 1000), retain=True)
    assert rig.until(lambda: "DBIRTH" in verbs(subscriber))
    rig.close()
