"""MqttClient on virtual time against a connection in memory: every wait ends, every fault is named."""

import errno

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.node.clock import VirtualClock
from edge.node.report.connections import connection, mqtt, packets

CONNACK = b"\x20\x02\x00\x00"
PINGREQ = (0xC0, b"", 0)


class MemoryStream:
    """The broker's side of a connection, driven by the test; has the methods of tcp.TcpStream."""

    def __init__(self, *_address):
        self.socket = None
        self.opened = 0
        self.accepts = True
        self.room = 1 << 30
        self.written = b""
        self.writes = 0
        self.incoming = []
        self.refuses = False

    def open(self):
        self.opened += 1
        self.socket = self
        self.written = b""
        self.incoming = []
        if self.refuses:
            raise OSError(errno.ECONNREFUSED, "")

    def connected(self):
        return self.accepts

    def worked(self):
        pass

    def hint(self, _greeting):
        return ""

    def send(self, data):
        count = min(len(data), self.room)
        self.room -= count
        self.written += bytes(data[:count])
        self.writes += 1
        return count

    def recv(self):
        return self.incoming.pop(0) if self.incoming else None

    def close(self):
        self.socket = None

    def packets(self):
        """What the client has written on this connection, and forget it."""
        parser = packets.Parser(100000)
        parser.feed(self.written)
        self.written = b""
        return list(iter(parser.take, None))


class Bench:
    """A client, its stream (of the first broker) and its clock."""

    def __init__(self, brokers=(("192.0.2.1", 1883),), online=True, **options):
        self.clock = VirtualClock()
        self.streams = []
        options.setdefault("keepalive_s", 20)
        options.setdefault("random", lambda n: b"\xff" * n)
        self.client = mqtt.MqttClient(list(brokers), "n", self.clock, stream=self.make, **options)
        self.stream = self.streams[0]
        if online:
            self.go_online()

    def make(self, *address):
        self.streams.append(MemoryStream(*address))
        return self.streams[-1]

    def at(self, now_ms):
        """Step at a time; returns the deadline."""
        self.clock.advance_to(now_ms * 1000)
        return self.client.step(now_ms)

    def hear(self, now_ms, *data):
        """Bytes of the broker, then a step; returns the events."""
        self.stream.incoming += data
        self.at(now_ms)
        return self.client.events()

    def go_online(self, now_ms=0):
        self.at(now_ms)
        assert self.hear(now_ms, CONNACK) == [("up", self.client.generation)]
        assert self.client.connected
        self.stream.packets()


def test_first_packet_is_connect_with_the_will_set_just_before():
    bench = Bench(online=False)
    bench.client.before_connect = lambda: bench.client.set_will("n/state", b"off", 1, True)
    bench.at(0)
    ((first, body, _),) = bench.stream.packets()
    assert first == packets.CONNECT
    assert body.endswith(b"\x2e\x00\x14\x00\x01n\x00\x07n/state\x00\x03off")
    assert not bench.client.connected and bench.client.room() == 0


def test_nothing_is_published_before_connack():
    bench = Bench(online=False)
    assert bench.client.publish("t", b"1") == -1
    bench.at(0)
    assert bench.client.publish("t", b"1") == -1
    assert not bench.client.subscribe([("t", 1)])
    assert [first for first, _, _ in bench.stream.packets()] == [packets.CONNECT]


def test_connection_has_a_deadline():
    bench = Bench(online=False)
    bench.stream.accepts = False
    assert bench.at(0) == mqtt.BUSY_MS
    bench.at(3999)
    assert bench.client.state == connection.CONNECTING
    bench.at(4000)
    assert bench.client.last_error == "192.0.2.1:1883: no connection within 4000 ms (connecting)"
    assert bench.client.events() == []


def test_connack_has_a_deadline():
    bench = Bench(online=False)
    assert bench.at(0) == 10000
    bench.at(10000)
    assert "no CONNACK within 10000 ms" in bench.client.last_error


def test_acknowledgement_has_a_deadline():
    bench = Bench()
    assert bench.client.publish("t", b"1") == 1
    assert bench.at(0) == 10000
    bench.at(9999)
    assert bench.client.connected
    bench.at(10000)
    assert not bench.client.connected
    assert bench.client.events() == [("down", "no acknowledgement within 10000 ms")]
    assert bench.client.stats["losses"] == 1


def test_subscription_has_a_deadline():
    bench = Bench()
    assert bench.client.subscribe([("a", 1)])
    assert bench.stream.packets() == [(0x82, b"\x00\x01\x00\x01a\x01", 0)]
    assert not bench.client.subscribe([("b", 1)])  # one at a time
    bench.at(10000)
    assert bench.client.events() == [("down", "no acknowledgement within 10000 ms")]


@pytest.mark.parametrize(("code", "ok"), [(b"\x01", True), (b"\x80", False)])
def test_subscription_is_answered(code, ok):
    bench = Bench()
    bench.client.subscribe([("a", 1)])
    assert bench.hear(1, b"\x90\x03\x00\x01" + code) == [("subscribed", ok)]
    assert bench.client.subscribe([("b", 1)])


def test_ping_after_half_the_keepalive_and_its_answer_has_a_deadline():
    bench = Bench()
    assert bench.at(0) == 10000
    due = bench.at(10000)
    assert bench.stream.packets() == [PINGREQ]
    assert due == 20000
    bench.stream.incoming.append(b"\xd0\x00")
    assert bench.at(10001) == 20000
    due = bench.at(20000)
    assert bench.stream.packets() == [PINGREQ]
    bench.at(due)
    assert "no sign of life" in bench.client.last_error


def test_qos_0_alone_does_not_hide_a_dead_broker():
    bench = Bench()
    for second in range(1, 20):
        assert bench.client.publish("t", b"1", 0) == 0
        bench.at(second * 1000)
    assert PINGREQ in bench.stream.packets()
    bench.at(20000)
    assert not bench.client.connected


def test_socket_that_takes_nothing_has_a_deadline_and_a_bound():
    bench = Bench(send_max=1000)
    bench.stream.room = 10
    taken = 0
    while bench.client.publish("t", bytes(100), 0) == 0:
        taken += 1
    assert taken == 9
    assert bench.client.room() > 0  # one more would still fit
    assert bench.client.publish("t", b"1") > 0
    assert bench.at(0) == mqtt.BUSY_MS
    bench.at(10000)
    assert bench.client.events()[0][0] == "down"


def test_message_of_any_length_is_taken_when_nothing_waits():
    bench = Bench(send_max=1000)
    bench.stream.room = 0
    assert bench.client.publish("t", bytes(5000)) == 1
    assert bench.client.publish("t", b"1") == -1
    assert bench.client.room() == 0
    bench.stream.room = 1 << 30
    bench.at(1)
    assert bench.client.room() == 49


def test_acknowledgements_are_events_and_make_room():
    bench = Bench(window=3)
    assert [bench.client.publish("t", b"1") for _ in range(4)] == [1, 2, 3, -1]
    assert bench.hear(1, b"\x40\x02\x00\x02", b"\x40\x02\x00\x01\x40\x02\x00\x03") == [
        ("ack", 2), ("ack", 1), ("ack", 3)]
    assert bench.client.room() == 3
    assert (bench.client.stats["sent"], bench.client.stats["acked"]) == (3, 3)


def test_each_packet_is_one_write_and_acknowledgements_are_one_together():
    bench = Bench()
    before = bench.stream.writes
    for _ in range(10):
        bench.client.publish("t", b"x")
    assert bench.stream.writes == before + 10
    messages = b"".join(packets.encode_publish("c", b"x", 1, False, number) for number in range(1, 8))
    assert len(bench.hear(1, messages)) == 7
    assert bench.stream.writes == before + 11
    assert bench.stream.written.endswith(b"".join(packets.encode_puback(number) for number in range(1, 8)))


def test_messages_that_nobody_fetches_stop_the_reading():
    bench = Bench(receive_max=100)
    message = packets.encode_publish("c", bytes(50), 1, False, 1)
    bench.stream.incoming = [message] * 50
    for now_ms in range(1, 20):
        assert bench.at(now_ms) == now_ms + 1
    assert len(bench.stream.incoming) > 40
    heard = []
    for now_ms in range(20, 200):
        heard += bench.client.events()
        bench.at(now_ms)
    assert len(heard) == 50


def test_message_too_long_is_acknowledged_and_left_out():
    bench = Bench(receive_max=100)
    message = packets.encode_publish("c", bytes(5000), 1, False, 77)
    assert bench.hear(1, message[:300], message[300:], b"\x31\x04\x00\x01cx") == [("heard", "c", b"x", True)]
    assert bench.stream.packets() == [(0x40, b"\x00\x4d", 0)]
    assert bench.client.stats["too_long"] == 1


def test_broker_that_is_away_is_tried_again_soon_and_one_that_refuses_less_and_less():
    bench = Bench(online=False)
    bench.stream.refuses = True
    now_ms = 0
    for attempt in range(5):
        now_ms = bench.at(now_ms)
        assert now_ms == 1500 * (attempt + 1)
    assert bench.client.last_error == "192.0.2.1:1883: ECONNREFUSED (connecting)"
    bench.stream.refuses = False
    waits = []
    for _ in range(3):
        bench.at(now_ms)
        bench.stream.incoming.append(b"\x20\x02\x00\x05")
        due_ms = bench.at(now_ms)
        waits.append(due_ms - now_ms)
        now_ms = due_ms
    assert waits == [998, 1996, 3992]
    assert bench.client.last_error == "192.0.2.1:1883: refused: not authorised (waiting for CONNACK)"


def test_server_unavailable_is_no_refusal():
    bench = Bench(online=False)
    for now_ms in (0, 1500, 3000):
        bench.at(now_ms)
        bench.stream.incoming.append(b"\x20\x02\x00\x03")
        assert bench.at(now_ms) == now_ms + 1500
    assert "server unavailable" in bench.client.last_error


def test_stable_connection_clears_what_was_before():
    bench = Bench()
    for now_ms in (0, 1500, 3000):
        bench.hear(now_ms, b"")
        bench.go_online(now_ms + 1500)
    bench.hear(4500 + connection.STABLE_MS, b"")
    assert bench.at(4500 + connection.STABLE_MS) == 4500 + connection.STABLE_MS + 1500


def test_packet_ids_go_on_in_the_next_generation():
    bench = Bench(last_id=65534)
    assert bench.client.publish("t", b"1") == 65535
    assert bench.hear(1, b"") == [("down", "closed by the broker")]
    bench.go_online(1501)
    assert bench.client.generation == 2
    assert bench.client.publish("t", b"1") == 1
    assert bench.hear(1502, b"\x40\x02\xff\xff") == []  # of the connection before
    assert "packet id 65535" in bench.client.last_error and bench.client.connected


@pytest.mark.parametrize("answer", [
    CONNACK, b"\x34\x05\x00\x01a\x00\x01", b"\x40\x02\x00\x00", b"\xd0\x80\x80\x80\x80", b"\x40\xff\x7f",
    b"\x90\x03\x00\x01\x00", b"\x30\x03\x00\x01#",
])
def test_malformed_answer_drops_the_connection_and_is_counted(answer):
    bench = Bench(receive_max=100)
    bench.hear(1, answer)
    assert not bench.client.connected
    assert bench.client.stats["malformed"] == 1


def test_message_before_connack_drops_the_connection():
    bench = Bench(online=False)
    bench.at(0)
    assert bench.hear(0, b"\x31\x04\x00\x01cx") == []
    assert "PUBLISH while waiting for CONNACK" in bench.client.last_error


def test_puback_for_nothing_is_counted_and_survived():
    bench = Bench()
    bench.hear(1, b"\x40\x02\x12\x34")
    assert bench.client.connected
    assert "packet id 4660" in bench.client.last_error


def test_puback_for_a_subscription_is_none():
    bench = Bench()
    bench.client.subscribe([("a", 1)])
    assert bench.hear(1, b"\x40\x02\x00\x01") == []
    assert bench.client.malformed == 1


def test_error_of_a_publish_is_told_by_the_next_step():
    bench = Bench()

    def fail(_data):
        raise OSError(errno.ECONNRESET, "")

    bench.stream.send = fail
    assert bench.client.publish("t", b"1") == 1
    assert bench.client.publish("t", b"1") == -1
    assert not bench.client.connected
    assert bench.at(0) == 1500
    assert bench.client.events() == [("down", "ECONNRESET")]


def test_partial_writes_are_continued():
    bench = Bench()
    bench.stream.room = 7
    bench.client.publish("t", b"x" * 100)
    while len(bench.stream.written) < 107:
        bench.stream.room = 10
        assert bench.at(0) <= mqtt.BUSY_MS or len(bench.stream.written) >= 107
    ((first, body, _),) = bench.stream.packets()
    assert (first, body[5:]) == (0x32, b"x" * 100)


def test_disconnect_waits_for_what_is_in_flight_and_for_the_brokers_end():
    bench = Bench()
    bench.client.publish("t", b"1")
    bench.client.disconnect(0)
    assert bench.client.publish("t", b"2") == -1
    assert bench.at(0) == 1000
    bench.stream.packets()
    assert bench.hear(1, b"\x40\x02\x00\x01") == [("ack", 1)]
    assert bench.stream.packets() == [(0xE0, b"", 0)]
    assert not bench.client.closed
    assert bench.hear(2, b"late bytes", b"") == [("down", "disconnected")]
    assert bench.client.closed and bench.client.last_error == "" and bench.client.pollable() is None
    bench.at(100000)
    assert bench.stream.opened == 1
    bench.client.connect(100000)
    bench.go_online(100000)


def test_disconnect_says_so_after_half_its_time_and_gives_up_at_the_end():
    bench = Bench()
    bench.client.publish("t", b"1")
    bench.client.disconnect(0)
    bench.stream.packets()
    assert bench.at(1000) == 1500
    assert bench.stream.packets() == [(0xE0, b"", 0)]
    bench.at(1500)
    assert bench.client.closed
    assert bench.client.last_error == "192.0.2.1:1883: closed with 1 messages in flight"


def test_disconnect_while_the_socket_takes_nothing_ends_all_the_same():
    bench = Bench()
    bench.stream.room = 3
    bench.client.publish("t", b"1")
    bench.client.disconnect(0)
    bench.at(1000)
    bench.at(2000)
    assert bench.client.closed


def test_disconnect_while_away_is_over_at_once():
    bench = Bench(online=False)
    bench.client.disconnect(0)
    assert bench.client.closed
    bench.at(100000)
    assert bench.stream.opened == 0


def test_drop_goes_on_to_the_next_broker():
    bench = Bench([("192.0.2.1", 1883), ("192.0.2.2", 1884)])
    bench.client.drop("the primary host is elsewhere")
    assert not bench.client.connected and bench.client.publish("t", b"1") == -1
    bench.at(1)
    assert bench.client.events() == [("down", "the primary host is elsewhere")]
    bench.at(301)
    assert bench.client.address == "192.0.2.2:1884"
    assert bench.streams[1].opened == 1


def test_clean_drop_disconnects_first_and_comes_back():
    bench = Bench()
    bench.client.drop("primary host offline", clean=True)
    bench.at(0)
    assert bench.stream.packets() == [(0xE0, b"", 0)]
    assert bench.hear(1, b"") == [("down", "disconnected")]
    assert not bench.client.closed
    bench.go_online(1501)


def test_who_drops_one_connection_after_the_other_goes_round_slower_and_slower():
    bench = Bench(online=False)
    now_ms, waits = 0, []
    for attempt in range(1, 13):
        left_ms = now_ms
        bench.at(now_ms)
        while bench.client.attempts < attempt:
            now_ms += 50
            bench.at(now_ms)
            assert now_ms - left_ms < 61000
        waits.append(now_ms - left_ms)
        bench.go_online(now_ms)
        bench.client.drop("no primary host", clean=True)
        bench.at(now_ms)
        bench.hear(now_ms, b"")
    assert max(waits[:4]) <= 1550 and min(waits[-2:]) >= 1000 and max(waits) <= 4050


@pytest.mark.parametrize("arguments", [
    {"keepalive_s": 1}, {"window": 0}, {"password": b"x"}, {"brokers": []}, {"brokers": [("", 1)]},
])
def test_arguments_that_can_not_be(arguments):
    with pytest.raises(ValueError, match="mqtt"):
        Bench(online=False, **arguments)


@pytest.mark.parametrize(("topic", "payload", "qos"), [("", b"", 1), ("a/#", b"", 1), ("a", "text", 1),
                                                       ("a", b"", 2)])
def test_message_that_mqtt_can_not_carry(topic, payload, qos):
    bench = Bench()
    for call in (bench.client.publish, bench.client.set_will):
        with pytest.raises((ValueError, TypeError), match="mqtt"):
            call(topic, payload, qos)
    assert bench.client.connected


def test_many_topics_are_not_kept_for_ever():
    bench = Bench()
    for number in range(1000):
        bench.client.publish(f"t/{number}", b"", 0)
    assert len(bench.client._names) <= mqtt.NAMES_MAX


ANSWERS = st.one_of(st.binary(max_size=8), st.sampled_from(
    [CONNACK, b"\xd0\x00", b"\x40\x02\x00\x01", b"\x90\x03\x00\x02\x01", b"\x32\x06\x00\x01c\x00\x09x"]))


@given(st.lists(ANSWERS, max_size=30))
def test_no_bytes_of_a_broker_can_break_or_stall_the_client(answers):
    bench = Bench(online=False)
    now_ms = 0
    for answer in answers:
        bench.client.publish("t", b"x")
        bench.client.subscribe([("c", 1)])
        due_ms = bench.at(now_ms)
        assert due_ms > now_ms
        bench.client.events()
        if bench.client.state == connection.AWAY:
            now_ms = due_ms
        elif bench.stream.socket is not None:
            bench.stream.incoming.append(answer)
    assert bench.client.acked <= bench.client.sent
