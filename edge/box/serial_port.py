"""A serial port on CPython: pyserial opens and configures it, bytes move by its file descriptor."""

import errno
import os
import termios

import serial
import serial.rs485

from edge.box.descriptor import Descriptor, PortError

# Where systems keep the other ends of pseudo-terminals.
PSEUDO = ("/dev/pts/", "/dev/ttys")
PARITIES = {"N": serial.PARITY_NONE, "E": serial.PARITY_EVEN, "O": serial.PARITY_ODD}


class SerialPort(Descriptor):
    """A real port or a pseudo-terminal.

    ``path`` as /dev/ttyUSB0, ``framing`` as 8N1; ``rs485``: the kernel turns the line's direction with
    RTS. Raises PortError when it can't be opened; once it is gone, reopen() opens it anew. A pseudo-terminal
    never comes back, and the next one, of any program, may have its number: it is opened anew only by a
    symbolic link that has been made anew.
    """

    def __init__(self, path: str, baud: int, framing: str = "8N1", rs485: bool = False):
        self.path = path
        self._baud = baud
        self._framing = framing
        self._rs485 = rs485
        # Whether the driver hands over what it has at once (an FTDI adapter waits 16 ms otherwise).
        self.low_latency = False
        self._links = None
        self.reopen()

    def reopen(self):
        """Open and configure the port; PortError while that can't be done."""
        links = _links(self.path)
        if links is not None and links == self._links:
            raise PortError(
                f"port {self.path} was a pseudo-terminal whose other end has gone: what is there now may be "
                "of another program; start the node again, on the port that the emulator names"
            )
        try:
            port = serial.Serial(
                self.path,
                self._baud,
                parity=PARITIES[self._framing[1]],
                stopbits=int(self._framing[2]),
                timeout=0,
                exclusive=True,
            )
        except serial.SerialException as error:
            raise PortError(_sentence(self.path, error)) from None
        except termios.error as error:
            # It went away between opening and configuring.
            raise PortError(f"port {self.path} can't be set up: {error.args[-1]}") from None
        try:
            self._set_up(port)
        except BaseException:
            port.close()
            raise
        self._serial = port
        self._links = links
        self.use(port.fileno())

    def _set_up(self, port: serial.Serial):
        if self._rs485:
            try:
                port.rs485_mode = serial.rs485.RS485Settings()
            except (ValueError, OSError) as error:
                raise PortError(
                    f"port {self.path} has no RS-485 mode in its driver ({error}): write rs485 = false, "
                    "with an adapter that turns the line by itself"
                ) from None
        try:
            port.set_low_latency_mode(True)
            self.low_latency = True
        except (ValueError, OSError):
            # Pseudo-terminals and many drivers have no such mode, and no such delay.
            self.low_latency = False
        try:
            # A read of nothing then means the port is gone, not that there is nothing yet.
            attributes = termios.tcgetattr(port.fileno())
            attributes[6][termios.VMIN] = 1
            termios.tcsetattr(port.fileno(), termios.TCSANOW, attributes)
        except termios.error as error:
            raise PortError(f"port {self.path} can't be set up: {error.args[-1]}") from None

    def close(self):
        self._serial.close()


def _links(path: str):
    """The symbolic links on the way to a pseudo-terminal, by what tells a new one; None for other ports."""
    links = []
    try:
        while os.path.islink(path):
            link = os.lstat(path)
            links.append((link.st_dev, link.st_ino, link.st_ctime_ns))
            path = os.path.join(os.path.dirname(path), os.readlink(path))
    except OSError:
        return None
    return links if os.path.normpath(path).startswith(PSEUDO) else None


def _sentence(path: str, error: serial.SerialException) -> str:
    text = str(error)
    if not os.path.exists(path):
        return f"port {path} does not exist: plug the adapter in, or name another port"
    if "exclusively lock" in text or "Resource temporarily unavailable" in text:
        return f"port {path} is in use by another program: stop it first (see: fuser -v {path})"
    if "Permission denied" in text or error.errno == 13:
        return f"port {path} may not be opened: add your user to the group that owns it (often dialout)"
    if error.errno == errno.EISDIR or "Inappropriate ioctl" in text:
        return f"port {path} can't be opened: it is no serial port; name another one"
    return f"port {path} can't be opened: {text}"
