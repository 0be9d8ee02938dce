"""A serial port whose adapter may be pulled out and put back while the plant behind it goes on."""

from edge.box.descriptor import PortError

RETRY_US = 500000
IDLE_US = 1000000


class LastingPort:
    """``port``: an open edge.box.serial_port.SerialPort; ``say(text)`` is told when it goes and comes back.

    While it is gone, nothing comes in, and what goes out is lost.
    """

    paced = True

    def __init__(self, port, say):
        self.path = port.path
        self.unplugged = False
        self._port = port
        self._say = say
        self._retry_us = 0
        self._lost = ""
        self._reopened = 0

    def step(self, now_us: int) -> int:
        """Try to open it again when it is time to; the next deadline in us."""
        if not self._lost:
            return now_us + IDLE_US
        if now_us >= self._retry_us:
            self._retry_us = now_us + RETRY_US
            try:
                self._port.reopen()
            except PortError:
                # As long as it isn't there.
                return self._retry_us
            self._lost = ""
            self._reopened += 1
            self._say(f"port {self.path} is back")
        return self._retry_us

    def _lose(self, error: OSError):
        self._lost = error.strerror or str(error)
        self._port.close()
        self._say(
            f"port {self.path} is gone ({self._lost}); the plant goes on, and the port is opened again "
            "when it is there"
        )

    def any(self) -> int:
        """How many bytes can be read now."""
        if self._lost:
            return 0
        try:
            count = self._port.any()
        except OSError as error:
            self._lose(error)
            return 0
        if count and self.unplugged:
            self._port.read()
            return 0
        return count

    def read(self) -> bytes:
        return self._port.read()

    def write(self, data: bytes):
        if self._lost or self.unplugged:
            return
        try:
            self._port.write(data)
        except OSError as error:
            self._lose(error)

    def unplug(self):
        """An adapter can't be pulled out from here: the line is dead."""
        self.unplugged = True

    def plug(self):
        self.unplugged = False

    def pollables(self) -> list:
        return [] if self._lost else [self._port.pollable()]

    def state(self) -> dict:
        """``lost``: why it is gone, empty while it is there; ``reopened``: how often it has come back."""
        return {"path": self.path, "lost": self._lost, "reopened": self._reopened}

    def close(self):
        if not self._lost:
            self._port.close()
