"""Frames against known bytes, and lengths."""

import pytest

from edge.node.bus import modbus

# Modbus_over_serial_line V1.02 and widely published examples.
KNOWN = [
    (modbus.read_request(0x11, 3, 0x006B, 3), "1103006b00037687"),
    (modbus.read_request(0x11, 1, 0x0013, 0x25), "1101001300250e84"),
    (modbus.write_register(0x11, 1, 3), "1106000100039a9b"),
    (modbus.write_coil(0x11, 0x00AC, True), "110500acff004e8b"),
    (modbus.write_registers(0x11, 1, [0x000A, 0x0102]), "11100001000204000a0102c6f0"),
    (modbus.write_coils(0x11, 0x13, [1, 0, 1, 1, 0, 0, 1, 1, 1, 0]), "110f0013000a02cd01bf0b"),
    # Application Protocol V1.1b3, examples of 6.16 and 6.17, behind unit 0x11 and with its CRC.
    (modbus.mask_write(0x11, 4, 0x00F2, 0x0025), "1116000400f20025" "66e2"),
    (
        modbus.read_write(0x11, 3, 6, 14, [0x00FF, 0x00FF, 0x00FF]),
        "111700030006000e00030600ff00ff00ff" "4b54",
    ),
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
        (modbus.mask_write(1, 0, 1, 2), 10),
        (modbus.read_write(1, 0, 4, 9, [1]), 13),
    ],
)
def test_the_length_of_a_reply_follows_from_the_request(request_frame, length):
    assert modbus.reply_length(request_frame) == length


@pytest.mark.parametrize(
    "make",
    [
        lambda: modbus.read_request(0, 3, 0, 1),
        lambda: modbus.read_request(256, 3, 0, 1),
        lambda: modbus.read_request(1, 3, 0, 126),
        lambda: modbus.read_request(1, 1, 0, 2001),
        lambda: modbus.read_request(1, 3, 65535, 2),
        lambda: modbus.read_request(1, 5, 0, 1),
        lambda: modbus.write_register(1, 0, 65536),
        lambda: modbus.write_registers(1, 0, []),
        lambda: modbus.write_registers(1, 0, [0] * 124),
        lambda: modbus.write_coils(1, 0, []),
        lambda: modbus.write_coils(1, 0, [0] * 1969),
        lambda: modbus.mask_write(1, 0, 65536, 0),
        lambda: modbus.mask_write(1, 65536, 0, 0),
        lambda: modbus.read_write(0, 0, 1, 0, [1]),
        lambda: modbus.read_write(1, 0, 126, 0, [1]),
        lambda: modbus.read_write(1, 0, 1, 0, [1] * 122),
        lambda: modbus.read_write(1, 0, 1, 65535, [1, 1]),
    ],
)
def test_a_request_that_no_slave_may_see_is_refused(make):
    with pytest.raises(ValueError, match="modbus: .* is outside"):
        make()


@pytest.mark.parametrize(
    ("reply", "length"),
    [
        (b"\x01\x03\x04", 9),
        (b"\x01\x01\x02", 7),
        (b"\x01\x17\x04", 9),
        (b"\x01\x10\x00", 8),
        (b"\x01\x06\x00", 8),
        (b"\x01\x16\x00", 10),
        (b"\x01\x83\x02", 5),
        (b"\x01\x03", 0),
    ],
)
def test_a_reply_claims_its_own_length(reply, length):
    assert modbus.claimed_length(reply) == length


def test_every_exception_of_the_specification_has_its_name():
    assert [code for code in modbus.EXCEPTIONS if code] == [1, 2, 3, 4, 5, 6, 8, 10, 11]
