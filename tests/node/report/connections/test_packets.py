"""Packets against bytes worked out by hand from MQTT 3.1.1, and properties that hold for any bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.node.report.connections import packets

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
    packet = packets.encode_connect("node", 60, ("a/b", b"off", 1, True), "u", b"\x00pw")
    # flags: user name 80, password 40, will retain 20, will QoS 1 08, will 04, clean session 02
    assert packet == (b"\x10\x22\x00\x04MQTT\x04\xee\x00\x3c" b"\x00\x04node" b"\x00\x03a/b" b"\x00\x03off"
                      b"\x00\x01u" b"\x00\x03\x00pw")


def test_connect_with_a_will_at_qos_0_not_retained():
    packet = packets.encode_connect("n", 60, ("t", b"", 0, False))
    assert packet == b"\x10\x12\x00\x04MQTT\x04\x06\x00\x3c\x00\x01n\x00\x01t\x00\x00"


def test_password_needs_a_user_name():
    with pytest.raises(ValueError, match="user name"):
        packets.encode_connect("n", 10, password=b"x")


def test_publish_qos_1_as_in_figure_3_11():
    assert packets.encode_publish("a/b", b"hi", 1, False, 10) == b"\x32\x09\x00\x03a/b\x00\x0ahi"


def test_publish_longer_than_one_byte_of_length():
    packet = packets.encode_publish("a/b", bytes(200), 1, True, 65535)
    assert packet == b"\x33\xcf\x01\x00\x03a/b\xff\xff" + bytes(200)


def test_puback_as_in_figure_3_13():
    assert packets.encode_puback(0x1234) == b"\x40\x02\x12\x34"


def test_subscribe_as_in_figure_3_23():
    packet = packets.encode_subscribe(10, [("a/b", 1), ("c/d", 0)])
    assert packet == b"\x82\x0e\x00\x0a\x00\x03a/b\x01\x00\x03c/d\x00"


@pytest.mark.parametrize("topics", [[], [("", 1)], [("a", 2)], [("x" * 65536, 1)]])
def test_subscription_that_can_not_be_made(topics):
    with pytest.raises(ValueError, match="mqtt"):
        packets.encode_subscribe(1, topics)


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
    packet = packets.encode_publish(topic, payload, qos, retain, packet_id)
    ((first, body, left_out),) = parse_all(packets.Parser(1000), packet, piece)
    assert left_out == 0
    assert packets.decode_publish(first, body) == (topic, payload, retain, packet_id if qos else 0)


@given(st.binary(max_size=2000), st.integers(1, 300))
def test_any_bytes_are_cut_into_packets_or_refused(data, piece):
    parser = packets.Parser(64)
    try:
        found = parse_all(parser, data, piece)
    except packets.ProtocolError:
        return
    assert all(len(body) <= 64 for _, body, _ in found)
    assert all(first & 0xF0 == packets.PUBLISH for first, _, left_out in found if left_out)
    assert sum(2 + len(body) for _, body, _ in found) <= len(data)


@given(st.integers(0, 255), st.binary(max_size=6))
def test_decode_knows_four_packets_and_refuses_all_others(first, body):
    try:
        answer = packets.decode(first, body)
    except packets.ProtocolError:
        return
    assert first == answer[0]
    assert (answer[0], len(body)) in ((packets.CONNACK, 2), (packets.PUBACK, 2), (packets.PINGRESP, 0)) or (
        answer[0] == packets.SUBACK and len(body) > 2)
    assert 0 <= answer[1] <= 65535


@given(st.integers(0x30, 0x3F), st.binary(max_size=12))
def test_any_publish_is_decoded_or_refused(first, body):
    try:
        topic, payload, retain, packet_id = packets.decode_publish(first, body)
    except packets.ProtocolError:
        return
    assert topic and not set("+#\x00") & set(topic)
    assert len(topic.encode()) + len(payload) + (4 if packet_id else 2) == len(body)


def test_answers_of_a_broker():
    stream = bytes.fromhex("20020000 40021234 d000 20020105 9004000a0100 9003000b80")
    answers = [packets.decode(*packet[:2]) for packet in parse_all(packets.Parser(), stream, 3)]
    assert answers == [(packets.CONNACK, 0), (packets.PUBACK, 0x1234), (packets.PINGRESP, 0),
                       (packets.CONNACK, 5), (packets.SUBACK, 10, True), (packets.SUBACK, 11, False)]


@pytest.mark.parametrize("stream", [
    "4002 0000", "4102 0001", "d001 00", "2002 0200", "0000", "9002 0001", "9003 0000 00", "9003 0001 02",
    "6202 0001", "b002 0001", "e000",
])
def test_answer_that_is_not_allowed(stream):
    with pytest.raises(packets.ProtocolError):
        packets.decode(*parse_all(packets.Parser(), bytes.fromhex(stream))[0][:2])


@pytest.mark.parametrize("stream", [
    "3000", "3001 00", "3002 0000", "3003 0002 61", "3003 0001 2b", "3003 0001 00", "3003 0001 ff",
    "3205 0001 61 0000", "3204 0001 61 00", "3405 0001 61 0001", "3605 0001 61 0001",
])
def test_message_that_is_not_allowed(stream):
    with pytest.raises(packets.ProtocolError):
        packets.decode_publish(*parse_all(packets.Parser(), bytes.fromhex(stream))[0][:2])


def test_packet_above_the_limit_is_refused_at_its_length():
    parser = packets.Parser(256)
    parser.feed(b"\x40\xff\x7f")
    with pytest.raises(packets.ProtocolError, match="of 16383 bytes, expected at most 256"):
        parser.take()


def test_a_message_beyond_what_is_passed_over_is_refused_at_its_length():
    for length in (packets.PACKET_MAX + 1, packets.REMAINING_LENGTH_MAX):
        parser = packets.Parser(256)
        parser.feed(b"\x30" + packets.encode_length(length))
        with pytest.raises(packets.ProtocolError, match=f"of {length} bytes, expected at most 262144"):
            parser.take()
    parser = packets.Parser(256)
    parser.feed(b"\x30" + packets.encode_length(packets.PACKET_MAX) + bytes(300))
    assert parser.take() == (0x30, bytes(256), packets.PACKET_MAX - 256)


@pytest.mark.parametrize("piece", [1, 7, 300, 5000])
def test_of_a_message_above_the_limit_the_head_is_kept(piece):
    message = packets.encode_publish("t", b"\x40" * 3000, 1, True, 9)
    puback = b"\x40\x02\x00\x07"
    found = parse_all(packets.Parser(256), puback + message + puback + puback, piece)
    acknowledged = (0x40, b"\x00\x07", 0)
    assert found == [acknowledged, (0x33, b"\x00\x01t\x00\x09" + b"\x40" * 251, 2749), acknowledged,
                     acknowledged]
    assert packets.decode_publish(*found[1][:2]) == ("t", b"\x40" * 251, True, 9)


@pytest.mark.parametrize("stream", ["4080808080 00", "3080808080 00", "308080808000"])
def test_length_of_five_bytes_is_refused(stream):
    parser = packets.Parser(256)
    parser.feed(bytes.fromhex(stream))
    with pytest.raises(packets.ProtocolError, match="4 bytes"):
        parser.take()


@given(st.one_of(st.binary(max_size=6), st.text(max_size=6).map(lambda text: text.encode())))
def test_well_formed_is_what_a_strict_decoder_takes(encoded):
    try:
        encoded.decode()
        strict = True
    except UnicodeDecodeError:
        strict = False
    assert packets.well_formed(encoded) == strict


@pytest.mark.parametrize("encoded", ["c080", "c1bf", "eda080", "f5808080", "f4908080", "e08080", "f0808080",
                                     "80", "c3", "e282", "c361", "f888808080"])
def test_utf_8_that_is_none(encoded):
    assert not packets.well_formed(bytes.fromhex(encoded))


def test_refusals_have_names():
    assert packets.refusal(5) == "refused: not authorised"
    assert packets.refusal(77) == "refused with return code 77"
