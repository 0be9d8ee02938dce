"""Frames against known bytes, and what the master accepts as the reply to its question."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.node.bus import modbus

# Modbus_over_serial_line V1.02 and widely published examples.
KNOWN = [
    (modbus.read_request(0x11, 3, 0x006B, 3), "1103006b00037687"),
    (modbus.read_request(0x11, 1, 0x0013, 0x25), "1101001300250e84"),
    (modbus.write_register(0x11, 1, 3), "1106000100039a9b"),
    (modbus.write_coil(0x11, 0x00AC, True), "110500acff004e8b"),
    (modbus.write_registers(0x11, 1, [0x000A, 0x0102]), "11100001000204000a0102c6f0"),
    (modbus.write_coils(0x11, 0x13, [1, 0, 1, 1, 0, 0, 1, 1, 1, 0]), "110f0013000a02cd01bf0b"),
]


@pytest.mark.parametrize(("frame", "expected"), KNOWN)
def test_requests_have_the_published_bytes(frame, expected):
    assert frame.hex() == expected


@pytest.mark.parametrize(
    ("request_frame", "length"),
    [
        (modbus.read_request(1, 1, 0, 9), 7),
        (modbus.read_request(1, 2, 0, 8), 6),
        (modbus.read_request(1, 3, 0, 8), 21),
        (modbus.read_request(1, 4, 0, 125), 255),
        (modbus.write_coil(1, 0, True), 8),
        (modbus.write_registers(1, 0, [1, 2, 3]), 8),
        (modbus.write_register(0, 0, 1), 0),
    ],
)
def test_the_length_of_a_reply_follows_from_the_request(request_frame, length):
    assert modbus.reply_length(request_frame) == length


@pytest.mark.parametrize(
    "make",
    [
        lambda: modbus.read_request(0, 3, 0, 1),
        lambda: modbus.read_request(248, 3, 0, 1),
        lambda: modbus.read_request(1, 3, 0, 126),
        lambda: modbus.read_request(1, 1, 0, 2001),
        lambda: modbus.read_request(1, 3, 65535, 2),
        lambda: modbus.read_request(1, 5, 0, 1),
        lambda: modbus.write_register(1, 0, 65536),
        lambda: modbus.write_registers(1, 0, []),
        lambda: modbus.write_registers(1, 0, [0] * 124),
    ],
)
def test_a_request_that_no_slave_may_see_is_refused(make):
    with pytest.raises(ValueError, match="modbus: .* is outside"):
        make()


def asked(request=None, timeout_ms=50):
    master = modbus.Master(38400, timeout_ms)
    request = request or modbus.read_request(1, 4, 0, 2)
    master.begin(request, modbus.reply_length(request), 0)
    return master


REPLY = modbus.sealed(bytes([1, 4, 4, 0x12, 0x34, 0x56, 0x78]))


def test_the_reply_gives_its_data():
    master = asked()
    assert master.feed(REPLY, 1000) == modbus.DONE
    assert modbus.unpack_registers(master.data) == (0x1234, 0x5678)


@pytest.mark.parametrize("before", [b"\x00", b"\x00\x00\xff", b"\x01", b"\x01\x04", b"\x01\x04\x04\x12"])
def test_a_reply_behind_stray_bytes_is_found(before):
    assert asked().feed(before + REPLY, 1000) == modbus.DONE


def test_an_echo_of_the_request_is_not_taken_for_the_reply():
    request = modbus.read_request(1, 3, 0x0400, 1)
    master = asked(request)
    reply = modbus.sealed(bytes([1, 3, 2, 0xAB, 0xCD]))
    assert master.feed(request + reply, 1000) == modbus.DONE
    assert modbus.unpack_registers(master.data) == (0xABCD,)


@given(st.lists(st.integers(1, len(REPLY) - 1), max_size=4))
def test_a_reply_in_pieces_is_the_same_reply(cuts):
    master = asked()
    places = [0, *sorted(set(cuts)), len(REPLY)]
    answers = [master.feed(REPLY[a:b], 1000) for a, b in zip(places, places[1:], strict=False)]
    assert answers == [modbus.PENDING] * (len(answers) - 1) + [modbus.DONE]


def test_an_exception_reply_is_told_by_its_code():
    master = asked()
    assert master.feed(modbus.sealed(bytes([1, 0x84, 2])), 1000) == modbus.REFUSED
    assert master.exception == 2


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (b"", "silence"),
        (REPLY[:-1], "truncated"),
        (REPLY[:-1] + bytes([REPLY[-1] ^ 1]), "wrong crc"),
        (modbus.sealed(bytes([2, 4, 4, 0, 1, 0, 2])), "wrong unit"),
        (modbus.sealed(bytes([1, 3, 4, 0, 1, 0, 2])), "wrong function"),
        (modbus.sealed(bytes([1, 4, 2, 0, 1])), "wrong length"),
    ],
)
def test_what_is_not_the_reply_is_never_accepted_and_named(frame, why):
    master = asked()
    if frame:
        assert master.feed(frame, 1000) == modbus.PENDING
    assert master.why() == why


def test_a_write_is_confirmed_only_by_its_own_address_and_value():
    request = modbus.write_register(1, 7, 42)
    other = modbus.write_register(1, 8, 42)
    assert asked(request).feed(other, 1000) == modbus.PENDING
    assert asked(request).feed(request, 1000) == modbus.DONE


@settings(max_examples=300)
@given(st.binary(max_size=400), st.integers(0, 5))
def test_no_bytes_crash_the_parser_or_pass_with_a_wrong_crc(noise, pieces):
    master = asked()
    step = max(1, len(noise) // (pieces + 1))
    for at in range(0, len(noise), step):
        answer = master.feed(noise[at : at + step], 1000)
        if answer == modbus.DONE:
            sent = bytes([1, 4, len(master.data)]) + master.data
            assert modbus.sealed(sent) in noise
            return
    assert len(master.buffer) <= master.expected + 256
    assert master.why()


def test_the_silence_is_three_and_a_half_characters_and_never_less_than_1750_us_above_19200_baud():
    assert modbus.Master(9600, 50).silence_us == pytest.approx(3.5 * 11e6 / 9600, abs=4)
    assert modbus.Master(19200, 50).silence_us == pytest.approx(3.5 * 11e6 / 19200, abs=4)
    assert modbus.Master(38400, 50).silence_us == 1750
    assert modbus.Master(115200, 50).silence_us == 1750
