"""CRC-16/Modbus against its published check value, a bitwise reference and known frames."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cext.crc import crc16


def bitwise_crc16(data: bytes) -> int:
    """The algorithm as MODBUS over Serial Line V1.02, section 6.2.2, words it."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            carry = crc & 1
            crc >>= 1
            if carry:
                crc ^= 0xA001
    return crc


@pytest.mark.parametrize(
    ("data", "crc"),
    [
        (b"123456789", 0x4B37),  # check value of the CRC catalogues
        (b"", 0xFFFF),
        (bytes.fromhex("0207"), 0x1241),  # the specification's own example, section 6.2.2
        (bytes.fromhex("01030000000a"), 0xCDC5),  # on the wire: C5 CD
    ],
)
def test_published_values(data, crc):
    assert crc16(data) == crc


@given(st.binary(max_size=256))
def test_agrees_with_the_bitwise_algorithm(data):
    assert crc16(data) == bitwise_crc16(data)


@given(st.binary(max_size=254))
def test_sound_frame_gives_zero(data):
    assert crc16(data + crc16(data).to_bytes(2, "little")) == 0


def test_anything_but_bytes_raises():
    with pytest.raises(TypeError):
        crc16(None)
