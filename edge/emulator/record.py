"""A capture of a line that Wireshark opens: a classic pcap file of link type 147 (USER0), one frame a packet.

Link type 147 says nothing by itself: Wireshark and tshark are told that it is Modbus RTU, by

    tshark -r FILE -o 'uat:user_dlts:"User 0 (DLT=147)","mbrtu","0","","0",""' -o mbrtu.crc_verification:TRUE

or in Wireshark under Preferences, Protocols, DLT_USER, Encapsulations: payload protocol mbrtu. Which packet
is a request and which a reply the dissector tells by its length. Commands and replies in DCON are text.

Source: pcap file format (draft-ietf-opsawg-pcap), LINKTYPE_USER0.
"""

from struct import Struct

LINKTYPE_USER0 = 147
SNAP_LENGTH = 65535

_HEADER = Struct("<IHHiIII")
_PACKET = Struct("<IIII")
_MAGIC_US = 0xA1B2C3D4


class Recorder:
    """Writes to ``path``; ``start_us`` on the line's clock was ``start_utc_ms`` of wall-clock time.

    Every packet is on its way to the file when heard() returns. Raises OSError when it can't be written.
    """

    def __init__(self, path: str, start_us: int, start_utc_ms: int):
        self._offset_us = start_utc_ms * 1000 - start_us
        self._file = open(path, "wb", buffering=0)
        self._file.write(_HEADER.pack(_MAGIC_US, 2, 4, 0, 0, SNAP_LENGTH, LINKTYPE_USER0))

    def heard(self, at_us: int, direction: str, data: bytes):
        """A frame whose last character was on the line at ``at_us``; a tap of Wire and Line."""
        if not data:
            return
        seconds, us = divmod(at_us + self._offset_us, 1000000)
        size = len(data)
        kept = data[:SNAP_LENGTH]
        self._file.write(_PACKET.pack(seconds & 0xFFFFFFFF, us, len(kept), size) + kept)

    def close(self):
        self._file.close()
