"""A serial port on CPython: pyserial opens and configures it, bytes move by its file descriptor."""

import os
import termios

import serial

PARITIES = {"N": serial.PARITY_NONE, "E": serial.PARITY_EVEN, "O": serial.PARITY_ODD}


class PortError(Exception):
    """A port that can't be used: says which one, why, and what to do."""


class SerialPort:
    """The UART interface of edge.node.bus.uart over a real port or a pseudo-terminal.

    ``path`` as /dev/ttyUSB0, ``framing`` as 8N1. Raises PortError.
    """

    def __init__(self, path: str, baud: int, framing: str = "8N1"):
        self.path = path
        try:
            self._serial = serial.Serial(
                path,
                baud,
                parity=PARITIES[framing[1]],
                stopbits=int(framing[2]),
                timeout=0,
                exclusive=True,
            )
        except serial.SerialException as error:
            raise PortError(_sentence(path, error)) from None
        self._fd = self._serial.fileno()
        # A read of nothing then means the port is gone, not that there is nothing yet.
        attributes = termios.tcgetattr(self._fd)
        attributes[6][termios.VMIN] = 1
        termios.tcsetattr(self._fd, termios.TCSANOW, attributes)
        self._pending = b""

    def any(self) -> int:
        """How many bytes can be read now (read ahead by one system call)."""
        if not self._pending:
            try:
                self._pending = os.read(self._fd, 4096)
            except BlockingIOError:
                return 0
            except OSError as error:
                raise PortError(f"port {self.path} failed: {error.strerror}") from None
            if not self._pending:
                raise PortError(f"port {self.path} hung up")
        return len(self._pending)

    def read(self) -> bytes:
        data = self._pending
        self._pending = b""
        return data

    def write(self, data: bytes) -> int:
        try:
            return os.write(self._fd, data)
        except BlockingIOError:
            # The other end takes nothing any more: the request counts as unanswered.
            return 0
        except OSError as error:
            raise PortError(f"port {self.path} failed: {error.strerror}") from None

    def pollable(self) -> int:
        return self._fd

    def close(self):
        self._serial.close()


def _sentence(path: str, error: serial.SerialException) -> str:
    text = str(error)
    if not os.path.exists(path):
        return f"port {path} does not exist: plug the adapter in, or name another port in the node file"
    if "exclusively lock" in text or "Resource temporarily unavailable" in text:
        return f"port {path} is in use by another program: stop it first (see: fuser -v {path})"
    if "Permission denied" in text or error.errno == 13:
        return f"port {path} may not be opened: add your user to the group that owns it (often dialout)"
    return f"port {path} can't be opened: {text}"
