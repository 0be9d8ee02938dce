"""What the two TCP ends of a line share: where they listen, and how they are unplugged and plugged in again."""

from edge.emulator.tcp import Listener

IDLE_US = 1000000


class TcpEnd:
    """``address``: see edge.emulator.tcp.Listener; ``most``: so many masters at once. Raises PortError."""

    paced = False

    def __init__(self, address: str, most: int):
        self._listener = Listener(address, most)
        self.unplugged = False
        self._reopened = 0

    @property
    def path(self) -> str:
        return self._listener.path

    def unplug(self):
        """End the connections, and take no new one."""
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
