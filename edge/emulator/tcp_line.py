"""Modbus RTU over TCP: the bytes of the line on a connection, as a transparent serial server passes them."""

from edge.emulator.tcp_end import IDLE_US, TcpEnd

# As on such a server, one master has the line; a second one is sent away.
MASTERS = 1


class TcpLine(TcpEnd):
    """``address``: see edge.emulator.tcp.Listener. Raises PortError."""

    def __init__(self, address: str):
        TcpEnd.__init__(self, address, MASTERS)

    def any(self) -> int:
        """How many bytes can be read now."""
        self._listener.accept()
        for connection in self._listener.connections:
            connection.read()
            return len(connection.kept)
        return 0

    def read(self) -> bytes:
        for connection in self._listener.connections:
            data, connection.kept = connection.kept, b""
            return data
        return b""

    def write(self, data: bytes):
        for connection in self._listener.connections:
            connection.write(data)

    def step(self, now_us: int) -> int:
        """Nothing to do."""
        return now_us + IDLE_US
