"""The interface of connection.py, by each implementation on each runtime, against a real mosquitto."""

import time

import pytest

from tests.node.report.brokers import free_port, password_broker, wait_for
from tests.node.report.connections.agents import KINDS, RemoteConnection


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


def numbers(subscriber, topic) -> list:
    return [int(payload) for payload in subscriber.payloads(topic)]


def test_messages_at_both_qualities_arrive_as_they_were_sent(mosquitto, subscriber, kind):
    with RemoteConnection(kind, mosquitto.port) as node:
        node.up()
        node.order("publish", "n/zero", "grün", 0, False)
        assert node.wait("published")[1] == ["published", 0]
        node.order("publish", "n/one", "", 1, True)
        assert node.wait("published", count=2)[1][1] > 0
        node.order("burst", "n/many", 300, 20)
        node.wait("burst")
        assert wait_for(lambda: len(subscriber.payloads("n/many")) == 300)
        assert numbers(subscriber, "n/many") == list(range(300))
        assert ("n/zero", "grün".encode(), False) in subscriber.messages
        assert ("n/one", b"", False) in subscriber.messages
        stats = node.stats()
        assert (stats["connected"], stats["sent"], stats["acked"]) == (True, 302, 301)


def test_subscription_is_confirmed_and_messages_are_heard_once(mosquitto, subscriber, kind):
    with RemoteConnection(kind, mosquitto.port) as node:
        subscriber.publish("n/kept", b"old", retain=True)
        node.up()
        node.order("subscribe", [["n/command", 1], ["n/kept", 0]])
        assert node.wait("subscribing")[1] == ["subscribing", True]
        assert node.wait("subscribed")[1] == ["subscribed", True]
        assert node.wait("heard")[1] == ["heard", "n/kept", "old", True]
        for number in range(60):  # three times as many as mosquitto sends without an acknowledgement
            subscriber.publish("n/command", b"%d" % number)
        node.wait("heard", "n/command", count=60)
        heard = [what for _, what in node.all("heard", "n/command")]
        assert heard == [["heard", "n/command", str(number), False] for number in range(60)]


def test_subscription_to_nothing_is_confirmed(mosquitto, kind):
    with RemoteConnection(kind, mosquitto.port) as node:
        node.up()
        node.order("subscribe", [])
        assert node.wait("subscribed")[1] == ["subscribed", True]


def test_message_longer_than_allowed_is_left_out_and_counted(mosquitto, subscriber, kind):
    with RemoteConnection(kind, mosquitto.port, receive_max=1000) as node:
        node.up()
        node.order("subscribe", [["n/command", 1]])
        node.wait("subscribed")
        for payload in (b"x" * 100000, b"short"):
            subscriber.publish("n/command", payload)
        assert node.wait("heard")[1] == ["heard", "n/command", "short", False]
        stats = node.stats()
        assert (stats["too_long"], stats["heard"], stats["losses"]) == (1, 1, 0)
        assert "message of 100000 bytes on n/command was left out" in stats["last_error"]


def test_will_is_made_for_each_connection_and_fires_when_the_node_is_killed(mosquitto, subscriber, kind):
    with RemoteConnection(kind, mosquitto.port, will=["n/state", "offline %d", 1, True]) as node:
        node.up()
        node.order("drop", "for the test")
        node.up(2)
        assert wait_for(lambda: subscriber.payloads("n/state") == [b"offline 1"])
        node.process.kill()
        assert wait_for(lambda: subscriber.payloads("n/state") == [b"offline 1", b"offline 2"])


def test_disconnect_after_what_is_in_flight_lets_no_will_fire(mosquitto, subscriber, kind):
    with RemoteConnection(kind, mosquitto.port, will=["n/state", "offline %d", 1, True]) as node:
        node.up()
        for number in range(20):
            node.order("publish", "n/event", str(number), 1, False)
        node.order("disconnect")
        node.wait("closed")
        assert node.wait("down")[1] == ["down", "disconnected"]
        assert wait_for(lambda: len(subscriber.payloads("n/event")) == 20)
        node.order("publish", "n/event", "too late", 1, False)
        assert node.wait("published", count=21)[1] == ["published", -1]
        node.order("connect")
        node.up(2)
        assert subscriber.payloads("n/state") == []
        assert node.stats()["last_error"] == ""


def test_disconnect_while_messages_come_in_lets_no_will_fire(mosquitto, subscriber, kind):
    """Closing a socket with bytes unread resets the connection, and a reset would overtake DISCONNECT."""
    with RemoteConnection(kind, mosquitto.port, will=["n/state", "offline %d", 1, True]) as node:
        for count in (1, 2, 3):
            node.up(count)
            node.order("subscribe", [["n/command", 0]])
            node.wait("subscribed", count=count)
            node.order("disconnect")
            for _ in range(400):
                subscriber.publish("n/command", bytes(1000), 0)
            node.wait("closed", count=count)
            node.order("connect")
        node.up(4)
        assert subscriber.payloads("n/state") == []


def test_clean_drop_lets_no_will_fire_and_connects_again(mosquitto, subscriber, kind):
    with RemoteConnection(kind, mosquitto.port, will=["n/state", "offline %d", 1, True]) as node:
        node.up()
        node.order("drop", "primary host offline", True)
        node.up(2)
        assert node.all("wills") and node.wait("wills", 2)
        assert subscriber.payloads("n/state") == []
        assert node.stats()["last_error"] == ""  # it is connected again


def test_nothing_is_taken_while_there_is_no_broker(kind):
    with RemoteConnection(kind, free_port()) as node:
        node.order("publish", "n/event", "1", 1, False)
        assert node.wait("published")[1] == ["published", -1]
        assert wait_for(lambda: "ECONNREFUSED" in node.stats()["last_error"])
        stats = node.stats()
        assert (stats["connected"], stats["generation"], node.all("down"), node.all("wills")) == (
            False, 0, [], [])


def test_password_and_user_name(tmp_path, kind):
    broker = password_broker(tmp_path, "node", "gänse")
    try:
        with RemoteConnection(kind, broker.port, username="node", password="gänse") as node:
            node.up()
        with RemoteConnection(kind, broker.port, username="node", password="wrong") as node:
            assert wait_for(lambda: "authori" in node.stats()["last_error"])
            time.sleep(1.5)
            stats = node.stats()
            assert "refused" in stats["last_error"] and "wrong" not in str(stats)
            assert stats["attempts"] <= 3  # 0.5..1 s, then 1..2 s
    finally:
        broker.kill()
