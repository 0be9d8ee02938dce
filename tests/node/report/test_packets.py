"""Packets against bytes worked out by hand from MQTT 3.1.1, and properties that hold for any bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.node.report import packets

LETTERS = st.characters(exclude_characters="+#\x00", exclude_categories=["Cs"])
TOPICS = st.text(LETTERS, min_size=1, max_size=40)


def parse_all(parser, data, piece=None):
    """Every packet in ``data``, fed in pieces."""
    found = []
    piece = piece or max(len(data), 1)
    for at in range(0, len(data), piece):
        parser.feed(data[at:at + piece])
        packet = parser.take()
        while packet is not None:
            found.append(packet)
            packet = parser.take()
    return found


@pytest.mark.parametrize(("length", "encoded"), [  # table 2.4 of the specification
    (0, "00"), (127, "7f"), (128, "8001"), (16383, "ff7f"), (16384, "808001"), (2097151, "ffff7f"),
    (2097152, "80808001"), (268435455, "ffffff7f"),
])
def test_remaining_length_as_in_table_2_4(length, encoded):
    assert packets.encode_length(length).hex() == encoded


@pytest.mark.parametrize("length", [-1, 268435456])
def test_remaining_length_out_of_range(length):
    with pytest.raises(ValueError, match=r"0\.\.268435455"):
        packets.encode_length(length)


def test_string_as_in_figure_1_2():
    assert packets.encode_text("A\U0002a6d4") == bytes.fromhex("000541f0aa9b94")


def test_connect_of_a_bare_client():
    assert packets.encode_connect("n", 10) == b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x0a\x00\x01n"


def test_connect_with_all_its_fields():
    packet = packets.encode_connect("node", 60, "a/b", b"off", "u", b"\x00pw")
    # flags: user name 80, password 40, will retain 20, will QoS 1 08, will 04, clean session 02
    assert packet == (b"\x10\x22\x00\x04MQTT\x04\xee\x00\x3c" b"\x00\x04node" b"\x00\x03a/b" b"\x00\x03off"
                      b"\x00\x01u" b"\x00\x03\x00pw")


def test_password_needs_a_user_name():
    with pytest.raises(ValueError, match="user name"):
        packets.encode_connect("n", 10, password=b"x")


def test_publish_qos_1_as_in_figure_3_11():
    packet = packets.encode_publish("a/b", b"hi", 1, False)
    packets.set_packet_id(packet, 10)
    assert packet == b"\x32\x09\x00\x03a/b\x00\x0ahi"
    packet[0] |= packets.DUP
    assert packet[0] == 0x3A


def test_publish_qos_0_retained():
    assert packets.encode_publish("a/b", b"", 0, True) == b"\x31\x05\x00\x03a/b"


@pytest.mark.parametrize("topic", ["", "a/+", "#", "a\x00b", "x" * 65536])
def test_topic_that_can_not_be_published_to(topic):
    with pytest.raises(ValueError, match="mqtt"):
        packets.encode_publish(topic, b"", 1, False)


def test_payload_must_be_bytes_because_characters_are_not_bytes():
    with pytest.raises(TypeError, match="expected bytes"):
        packets.encode_publish("a", "°C", 1, False)


@given(TOPICS, st.binary(max_size=300), st.sampled_from([0, 1]), st.booleans(), st.integers(1, 65535),
       st.integers(1, 50))
def test_publish_comes_back_from_the_parser(topic, payload, qos, retain, packet_id, piece):
    packet = packets.encode_publish(topic, payload, qos, retain)
    if qos:
        packets.set_packet_id(packet, packet_id)
    ((first, body),) = parse_all(packets.Parser(1000), bytes(packet), piece)
    assert (first & 0xF0, first >> 1 & 3, first & 1) == (packets.PUBLISH, qos, retain)
    length = int.from_bytes(body[:2], "big")
    assert body[2:2 + length].decode() == topic
    rest = body[2 + length:]
    assert rest == (packet_id.to_bytes(2, "big") if qos else b"") + payload


@given(st.binary(max_size=2000), st.integers(1, 300))
def test_any_bytes_are_cut_into_packets_or_refused(data, piece):
    parser = packets.Parser(64)
    try:
        found = parse_all(parser, data, piece)
    except packets.ProtocolError:
        return
    assert all(len(body) <= 64 for _, body in found if body is not None)
    assert all(first & 0xF0 == packets.PUBLISH for first, body in found if body is None)
    assert sum(2 + len(body or b"") for _, body in found) <= len(data)


@given(st.integers(0, 255), st.binary(max_size=5))
def test_decode_knows_four_packets_and_refuses_all_others(first, body):
    try:
        kind, value = packets.decode(first, body)
    except packets.ProtocolError:
        return
    assert first == kind or (kind, first) == (packets.PUBLISH, 0x31)
    assert kind == packets.PUBLISH or (kind, len(body)) in (
        (packets.CONNACK, 2), (packets.PUBACK, 2), (packets.PINGRESP, 0))
    assert 0 <= value <= 65535


def test_answers_of_a_broker():
    stream = bytes.fromhex("20020000 40021234 d000 20020105")
    answers = [packets.decode(*packet) for packet in parse_all(packets.Parser(), stream, 3)]
    assert answers == [(packets.CONNACK, 0), (packets.PUBACK, 0x1234), (packets.PINGRESP, 0),
                       (packets.CONNACK, 5)]


@pytest.mark.parametrize("stream", [
    "4002 0000", "4102 0001", "d001 00", "2002 0200", "3205 0001 61 0001", "0000",
])
def test_answer_that_is_not_allowed(stream):
    with pytest.raises(packets.ProtocolError):
        packets.decode(*parse_all(packets.Parser(), bytes.fromhex(stream))[0])


def test_packet_above_the_limit_is_refused_at_its_length():
    parser = packets.Parser(256)
    parser.feed(b"\x40\xff\x7f")
    with pytest.raises(packets.ProtocolError, match="of 16383 bytes, expected at most 256"):
        parser.take()


@pytest.mark.parametrize("piece", [1, 7, 300, 5000])
def test_long_message_nobody_asked_for_is_passed_over(piece):
    message = bytes(packets.encode_publish("t", b"\x40" * 3000, 0, True))
    puback = b"\x40\x02\x00\x07"
    found = parse_all(packets.Parser(256), puback + message + puback + puback, piece)
    assert found == [(0x40, b"\x00\x07"), (0x31, None), (0x40, b"\x00\x07"), (0x40, b"\x00\x07")]


def test_length_of_five_bytes_is_refused():
    parser = packets.Parser(256)
    parser.feed(b"\x40\x80\x80\x80\x80\x00")
    with pytest.raises(packets.ProtocolError, match="4 bytes"):
        parser.take()


def test_refusals_have_names():
    assert packets.refusal(5) == "refused: not authorised"
    assert packets.refusal(77) == "refused with return code 77"
