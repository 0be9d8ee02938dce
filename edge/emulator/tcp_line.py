"""Modbus RTU over TCP: the bytes of the line on a connection, as a transparent serial server passes them."""

from edge.emulator.tcp import Listener

IDLE_US = 1000000
# As on such a server, one master has the line; a second one is sent away.
MASTERS = 1


class TcpLine:
    """``address``: see edge.emulator.tcp.Listener. Raises PortError."""

    paced = False

    def __init__(self, address: str):
        self._listener = Listener(address, MASTERS)
        self.unplugged = False
        self._reopened = 0

    @property
    def path(self) -> str:
        return self._listener.path

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

    def unplug(self):
        """End the connection, and take no new one."""
        self.unplugged = True
        self._listener.close()

    def plug(self):
        """Listen again at the same port. Raises PortError."""
        self._listener.open()
        self.unplugged = False
        self._reopened += 1

    def pollables(self) -> list:
        return self._listener.pollables()

    def state(self) -> dict:
        return {
            "path": self.path,
            "lost": "unplugged" if self.unplugged else "",
            "reopened": self._reopened,
            "connections": len(self._listener.connections),
        }

    def close(self):
        self._listener.close()
