"""Modbus TCP: a gateway between connections and the line behind it, one request at a time.

Source: MODBUS Messaging on TCP/IP Implementation Guide V1.0b, the header of an ADU.

The faults are those of the line: an answer that is damaged on it (its CRC is wrong) does not get through, and
nothing is answered to a request that nobody answers.
"""

from collections import deque
from struct import Struct

from cext.crc import crc16
from edge.emulator.tcp_end import IDLE_US, TcpEnd
from edge.emulator.wire import RECEIVED
from edge.node.bus import modbus

MASTERS = 8
# Requests that wait for the line; the rest waits in its connection.
WAITING = 16

_HEADER = Struct(">HHHB")
# Unit and a PDU of 253 bytes.
LONGEST = 254


class ModbusTcp(TcpEnd):
    """``address``: see edge.emulator.tcp.Listener. Raises PortError.

    To the Line it is a port that hands over one request at a time, when the line is idle; join() it.
    """

    def __init__(self, address: str):
        TcpEnd.__init__(self, address, MASTERS)
        self._line = None
        # (connection, transaction, request as on the line)
        self._waiting = deque()
        self._asked = None
        self._silent_until_us = 0
        self._now_us = 0

    def join(self, line):
        """The line behind it."""
        self._line = line
        line.add_tap(self._heard)

    def any(self) -> int:
        """The size of the next request, when the line is free for it."""
        self._listener.accept()
        for connection in self._listener.connections:
            connection.read()
            self._take(connection)
        if not self._waiting or not self._line.idle() or self._now_us < self._line.free_us():
            return 0
        return len(self._waiting[0][2])

    def read(self) -> bytes:
        self._asked = self._waiting.popleft()
        return self._asked[2]

    def write(self, data: bytes):
        """Whole frames come by the tap."""

    def _take(self, connection):
        """The requests that are complete."""
        while len(self._waiting) < WAITING and len(connection.kept) >= _HEADER.size:
            transaction, protocol, length, unit = _HEADER.unpack_from(connection.kept)
            if protocol != 0 or not 2 <= length <= LONGEST:
                # There is no way to find the next header.
                connection.close()
                return
            size = _HEADER.size + length - 1
            if len(connection.kept) < size:
                return
            body = connection.kept[_HEADER.size - 1 : size]
            connection.kept = connection.kept[size:]
            self._waiting.append((connection, transaction, modbus.sealed(body)))

    def _heard(self, at_us: int, direction: str, data: bytes):
        if direction != RECEIVED or self._asked is None or len(data) < 4 or crc16(data) != 0:
            return
        connection, transaction, _ = self._asked
        connection.write(_HEADER.pack(transaction, 0, len(data) - 2, data[0]) + data[1:-2])

    def step(self, now_us: int) -> int:
        """When the next request may go on the line."""
        self._now_us = now_us
        if self._waiting and self._line.idle():
            return self._line.free_us()
        return now_us + IDLE_US

    def unplug(self):
        """End the connections and what they have asked, and take no new one."""
        TcpEnd.unplug(self)
        self._waiting.clear()
        self._asked = None
