"""MqttClient on virtual time against a connection in memory: every wait ends, every fault is named."""

import errno

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.node.clock import VirtualClock
from edge.node.report import mqtt, packets

CONNACK = b"\x20\x02\x00\x00"


class MemoryStream:
    """The broker's side of a connection, driven by the test; has the methods of tcp.TcpStream."""

    def __init__(self):
        self.socket = None
        self.opened = 0
        self.accepts = True
        self.room = 1 << 30
        self.written = b""
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

    def send(self, data):
        count = min(len(data), self.room)
        self.room -= count
        self.written += bytes(data[:count])
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


@pytest.fixture
def stream():
    return MemoryStream()


def make(stream, **options):
    options.setdefault("will_topic", "n/state")
    return mqtt.MqttClient("192.0.2.1", 1883, "n", VirtualClock(), keepalive_s=20,
                           random=lambda n: b"\xff" * n, stream=stream, **options)


def go_online(client, stream, now_ms=0):
    client.step(now_ms)
    stream.incoming.append(CONNACK)
    client.step(now_ms)
    assert client.state == mqtt.ONLINE
    (birth,) = [body for first, body in stream.packets() if first & 0xF0 == packets.PUBLISH]
    stream.incoming.append(b"\x40\x02" + birth[9:11])
    client.step(now_ms)
    return client


def test_first_packet_is_connect_and_then_online_retained(stream):
    client = make(stream)
    client.step(0)
    ((first, body),) = stream.packets()
    assert first == packets.CONNECT
    assert body.endswith(b"\x00\x01n\x00\x07n/state\x00\x07offline")
    stream.incoming.append(CONNACK)
    client.step(1)
    assert stream.packets() == [(0x33, b"\x00\x07n/state\x00\x01online")]


def test_nothing_is_published_before_connack(stream):
    client = make(stream)
    client.publish("t", b"1")
    client.step(0)
    assert [first for first, _ in stream.packets()] == [packets.CONNECT]
    assert not client.stats["connected"]


def test_connection_has_a_deadline(stream):
    stream.accepts = False
    client = make(stream)
    assert client.step(0) == mqtt.BUSY_MS
    client.step(9999)
    assert client.state == mqtt.CONNECTING
    client.step(10000)
    assert client.state == mqtt.AWAY
    assert client.last_error == "192.0.2.1:1883: no connection within 10000 ms (connecting)"


def test_connack_has_a_deadline(stream):
    client = make(stream)
    assert client.step(0) == 10000
    client.step(10000)
    assert "no CONNACK within 10000 ms" in client.last_error


def test_puback_has_a_deadline_and_the_message_stays(stream):
    client = go_online(make(stream), stream)
    client.publish("t", b"1")
    client.step(100)
    client.step(10099)
    assert client.state == mqtt.ONLINE
    client.step(10100)
    assert client.state == mqtt.AWAY
    assert "no PUBACK" in client.last_error
    assert client.stats["queued"] == 1


def test_ping_after_half_the_keepalive_and_its_answer_has_a_deadline(stream):
    client = go_online(make(stream), stream)
    assert client.step(0) == 10000
    due = client.step(10000)
    assert stream.packets() == [(0xC0, b"")]
    assert due == 20000
    stream.incoming.append(b"\xd0\x00")
    assert client.step(10001) == 20000
    due = client.step(20000)
    assert stream.packets() == [(0xC0, b"")]
    client.step(due)
    assert "no PINGRESP" in client.last_error


def test_qos_0_alone_does_not_hide_a_dead_broker(stream):
    client = go_online(make(stream), stream)
    for second in range(1, 12):
        client.publish("t", b"1", qos=0)
        client.step(second * 1000)
    assert (0xC0, b"") in stream.packets()


def test_refused_connection_backs_off_from_half_a_second_to_thirty(stream):
    stream.refuses = True
    client = make(stream)
    now_ms, waits = 0, []
    for _ in range(9):
        due_ms = client.step(now_ms)
        waits.append(due_ms - now_ms)
        now_ms = due_ms
    assert waits == [998, 1996, 3992, 7984, 15968, 29941, 29941, 29941, 29941]
    assert stream.opened == 9
    client._random = bytes
    assert client.step(now_ms) - now_ms == 15000
    assert client.last_error == "192.0.2.1:1883: ECONNREFUSED (connecting)"


def test_back_off_is_short_again_after_a_stable_connection(stream):
    client = go_online(make(stream), stream)
    client._backoff_ms = mqtt.RETRY_MAX_MS
    stream.incoming.append(b"")
    assert client.step(mqtt.STABLE_MS) - mqtt.STABLE_MS == 998


def test_back_off_grows_when_the_broker_drops_every_connection(stream):
    client, now_ms, waits = make(stream), 0, []
    for _ in range(3):
        go_online(client, stream, now_ms)
        stream.incoming.append(b"")
        due_ms = client.step(now_ms)
        waits.append(due_ms - now_ms)
        now_ms = due_ms
    assert waits == [998, 1996, 3992]
    assert client.stats["reconnects"] == 2


def test_refusal_is_named(stream):
    client = make(stream)
    client.step(0)
    stream.incoming.append(b"\x20\x02\x00\x05")
    client.step(1)
    assert client.last_error == "192.0.2.1:1883: refused: not authorised (waiting for CONNACK)"
    assert client.stats["malformed"] == 0


@pytest.mark.parametrize("answer", [
    b"\x20\x02\x00\x00", b"\x32\x05\x00\x01a\x00\x01", b"\x40\x02\x00\x00", b"\xd0\x80\x80\x80\x80",
    b"\x40\xff\x7f",
])
def test_malformed_answer_drops_the_connection_and_is_counted(stream, answer):
    client = go_online(make(stream), stream)
    stream.incoming.append(answer)
    client.step(1)
    assert client.state == mqtt.AWAY
    assert client.stats["malformed"] == 1


def test_puback_for_nothing_is_counted_and_survived(stream):
    client = go_online(make(stream), stream)
    stream.incoming.append(b"\x40\x02\x12\x34")
    client.step(1)
    assert client.state == mqtt.ONLINE
    assert "packet id 4660" in client.last_error


def test_message_nobody_asked_for_is_counted_and_survived(stream):
    client = go_online(make(stream), stream)
    stream.incoming.append(b"\x31\x10\x00\x07n/stateoffline")
    client.step(1)
    assert client.state == mqtt.ONLINE
    assert client.stats["unasked"] == 1


def test_partial_writes_are_continued(stream):
    client = go_online(make(stream), stream)
    client.publish("t", b"x" * 100)
    stream.room = 7
    assert client.step(0) == mqtt.BUSY_MS
    while stream.written[-1:] != b"x" or len(stream.written) < 107:
        stream.room = 10
        client.step(0)
    ((first, body),) = stream.packets()
    assert (first, body[5:]) == (0x32, b"x" * 100)


def test_packet_cut_off_by_a_lost_connection_is_sent_whole_again(stream):
    client = go_online(make(stream), stream)
    client.publish("t", b"x" * 100)
    stream.room = 7
    client.step(0)
    stream.incoming.append(b"")
    now_ms = client.step(0)
    stream.room = 1 << 30
    client.step(now_ms)
    stream.incoming.append(CONNACK)
    client.step(now_ms)
    assert [(first, body[-100:]) for first, body in stream.packets()][-1] == (0x3A, b"x" * 100)


def test_queue_bound_is_counted(stream):
    client = make(stream, queue_messages=5)
    assert [client.publish("t", b"1") for _ in range(7)] == [True] * 5 + [False] * 2
    assert (client.stats["queued"], client.stats["dropped"]) == (5, 2)


def test_message_that_can_never_fit_is_named(stream):
    client = make(stream, queue_bytes=100)
    assert not client.publish("t", bytes(200))
    assert client.last_error == "packet of 208 bytes on t, expected at most 100"


def test_close_sends_the_queue_then_offline_then_disconnect(stream):
    client = go_online(make(stream), stream)
    client.publish("t", b"1")
    client.begin_close(0)
    assert not client.publish("t", b"2")
    client.step(0)
    assert [body[5:] for _, body in stream.packets()] == [b"1"]
    stream.incoming.append(b"\x40\x02\x00\x02")
    client.step(1)
    assert stream.packets() == [(0x33, b"\x00\x07n/state\x00\x03offline")]
    stream.incoming.append(b"\x40\x02\x00\x03")
    client.step(2)
    assert stream.packets() == [(0xE0, b"")]
    assert client.state == mqtt.CLOSED
    assert client.pollable() is None


def test_close_says_offline_after_half_its_time_and_gives_up_at_the_end(stream):
    client = go_online(make(stream), stream)
    client.publish("t", b"1")
    client.step(0)
    client.begin_close(0)
    assert client.step(0) == 1000
    stream.packets()
    assert client.step(1000) == 2000
    assert stream.packets() == [(0x33, b"\x00\x07n/state\x00\x03offline")]
    client.step(2000)
    assert client.state == mqtt.CLOSED
    assert client.last_error == "192.0.2.1:1883: closed with 1 messages queued"


def test_close_while_away_is_over_at_once(stream):
    client = make(stream)
    client.close(0)
    assert client.state == mqtt.CLOSED
    client.step(100000)
    assert stream.opened == 0


@pytest.mark.parametrize("keepalive_s", [0, 1, 65536])
def test_keepalive_out_of_range(keepalive_s):
    with pytest.raises(ValueError, match=r"expected 2\.\.65535"):
        mqtt.MqttClient("192.0.2.1", 1883, "n", VirtualClock(), keepalive_s=keepalive_s)


ANSWERS = st.one_of(st.binary(max_size=8), st.sampled_from([CONNACK, b"\xd0\x00", b"\x40\x02\x00\x01"]))


@given(st.lists(ANSWERS, max_size=30))
def test_no_bytes_of_a_broker_can_break_or_stall_the_client(answers):
    stream = MemoryStream()
    client = make(stream, queue_messages=10)
    now_ms = 0
    for answer in answers:
        client.publish("t", b"x")
        due_ms = client.step(now_ms)
        assert due_ms > now_ms
        if client.state == mqtt.AWAY:
            now_ms = due_ms
        elif stream.socket is not None:
            stream.incoming.append(answer)
    stats = client.stats
    assert stats["acked"] + stats["queued"] + stats["dropped"] == len(answers)
