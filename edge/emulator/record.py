"""A capture of a line that Wireshark opens, of link type 147 (USER0), one frame a packet.

A file whose name ends in .pcapng says the direction of each packet too, as the master's interface has it:
outbound is what the master sends, inbound what comes to it. Any other is a classic pcap file, which can't.

Link type 147 says nothing by itself: Wireshark and tshark are told that it is Modbus RTU, by

    tshark -r FILE -o 'uat:user_dlts:"User 0 (DLT=147)","mbrtu","0","","0",""' -o mbrtu.crc_verification:TRUE

or in Wireshark under Preferences, Protocols, DLT_USER, Encapsulations: payload protocol mbrtu. Which packet
is a request and which a reply the dissector tells by its length. Commands and replies in DCON are text.

Source: pcap file format (draft-ietf-opsawg-pcap), pcapng (draft-ietf-opsawg-pcapng: section header, interface
description, enhanced packet with its flags), LINKTYPE_USER0.
"""

from struct import Struct

from edge.emulator.wire import SENT

LINKTYPE_USER0 = 147
SNAP_LENGTH = 65535


class Pcap:
    """A classic capture file: its head, and its packets."""

    _HEADER = Struct("<IHHiIII")
    _PACKET = Struct("<IIII")
    _MAGIC_US = 0xA1B2C3D4

    def head(self) -> bytes:
        return self._HEADER.pack(self._MAGIC_US, 2, 4, 0, 0, SNAP_LENGTH, LINKTYPE_USER0)

    def packet(self, utc_us: int, direction: str, kept: bytes, size: int) -> bytes:
        seconds, us = divmod(utc_us, 1000000)
        return self._PACKET.pack(seconds & 0xFFFFFFFF, us, len(kept), size) + kept


class PcapNg:
    """A capture file of blocks: each has its type, its length, its body, and its length again."""

    _SECTION = Struct("<IHHq")
    _INTERFACE = Struct("<HHI")
    _PACKET = Struct("<IIIII")
    _OPTION_32 = Struct("<HHI")
    _BYTE_ORDER_MAGIC = 0x1A2B3C4D
    # Flags of a packet: its option code, and the two directions.
    _FLAGS = 2
    _INBOUND, _OUTBOUND = 1, 2

    def head(self) -> bytes:
        # Times are in microseconds where the interface does not say otherwise.
        section = self._SECTION.pack(self._BYTE_ORDER_MAGIC, 1, 0, -1)
        return _block(0x0A0D0D0A, section) + _block(1, self._INTERFACE.pack(LINKTYPE_USER0, 0, SNAP_LENGTH))

    def packet(self, utc_us: int, direction: str, kept: bytes, size: int) -> bytes:
        way = self._OUTBOUND if direction == SENT else self._INBOUND
        head = self._PACKET.pack(0, utc_us >> 32 & 0xFFFFFFFF, utc_us & 0xFFFFFFFF, len(kept), size)
        flags = self._OPTION_32.pack(self._FLAGS, 4, way) + bytes(4)
        return _block(6, head + kept + bytes(-len(kept) % 4) + flags)


def _block(kind: int, body: bytes) -> bytes:
    size = len(body) + 12
    return kind.to_bytes(4, "little") + size.to_bytes(4, "little") + body + size.to_bytes(4, "little")


class Recorder:
    """Writes to ``path``; ``start_us`` on the line's clock was ``start_utc_ms`` of wall-clock time.

    Every packet is on its way to the file when heard() returns. Raises OSError when it can't be written.
    """

    def __init__(self, path: str, start_us: int, start_utc_ms: int):
        self._offset_us = start_utc_ms * 1000 - start_us
        self._format = PcapNg() if path.endswith(".pcapng") else Pcap()
        self._file = open(path, "wb", buffering=0)
        self._file.write(self._format.head())

    def heard(self, at_us: int, direction: str, data: bytes):
        """A frame whose last character was on the line at ``at_us``; a tap of Wire and Line."""
        if data:
            kept = data[:SNAP_LENGTH]
            self._file.write(self._format.packet(at_us + self._offset_us, direction, kept, len(data)))

    def close(self):
        self._file.close()
