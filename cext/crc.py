"""CRC-16/Modbus, the check word that ends every Modbus RTU frame.

Polynomial 0x8005 reflected (0xA001), start value 0xFFFF, no final exclusive or; check value of b"123456789"
is 0x4B37. Source: MODBUS over Serial Line, Specification and Implementation Guide V1.02, section 6.2.2.
"""

TABLE = [0] * 256


def _fill_table():
    for index in range(256):
        crc = index
        for _bit in range(8):
            if crc & 1:
                crc = (crc >> 1) ^ 0xA001
            else:
                crc = crc >> 1
        TABLE[index] = crc


_fill_table()


def crc16(data):
    """Return the check word of `data` (bytes) as an int of 0..65535.

    The frame carries it low byte first. Over a frame with its check word the result is 0.
    """
    crc = 0xFFFF
    for byte in data:
        crc = (crc >> 8) ^ TABLE[(crc ^ byte) & 0xFF]
    return crc
