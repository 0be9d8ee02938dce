"""The serial port as the node sees it: shaped like machine.UART.

Every line end has ``any()`` (bytes ready now), ``read()`` (what is ready, b"" when nothing),
``write(data)`` (bytes taken), ``close()`` and ``pollable()`` (what select can wait on). One that can go
away raises OSError from then on, and has ``reopen()``. One whose direction the node must turn has
``turns`` True and ``turned()``. On the MicroPython unix port this is a file in raw mode (TermiosUart),
on boards machine.UART behind MachineUart, on an industrial box edge.box.serial_port, on the bench the
emulator's wire in memory.
"""

import select


class TermiosUart:
    """A serial device of the MicroPython unix port: ``path`` as /dev/ttyUSB0, ``framing`` as 8N1.

    That port's termios knows some speeds by name only; the numbers here are Linux's for all of them.
    """

    SPEEDS = {
        1200: 9,
        2400: 11,
        4800: 12,
        9600: 13,
        19200: 14,
        38400: 15,
        57600: 0o10001,
        115200: 0o10002,
        230400: 0o10003,
    }
    CSTOPB = 0o100
    PARENB = 0o400
    PARODD = 0o1000

    def __init__(self, path: str, baud: int, framing: str = "8N1", rs485: bool = False):
        if rs485:
            text = "port %s: MicroPython can't set rs485 = true: use an adapter that turns the line by itself"
            raise ValueError(text % path)
        if baud not in self.SPEEDS:
            raise ValueError("port %s: %d baud is none of %s" % (path, baud, sorted(self.SPEEDS)))
        self.path = path
        self._baud = baud
        self._framing = framing
        self._buffer = bytearray(512)
        self._opened = False
        self.reopen()
        self._opened = True

    def reopen(self):
        """Open and configure the port; OSError while it isn't there."""
        import termios

        if self._opened and self.path.startswith("/dev/pts/"):
            raise OSError("port %s has gone, and its number may be another program's now" % self.path)
        try:
            self._file = open(self.path, "r+b")
        except OSError as error:
            text = "port %s: can't open it (%s): is it there and free?"
            raise OSError(text % (self.path, error)) from None
        fd = self._file.fileno()
        try:
            termios.setraw(fd)
            attributes = termios.tcgetattr(fd)
            attributes[2] = self._control(attributes[2])
            attributes[4] = attributes[5] = self.SPEEDS[self._baud]
            # VTIME and VMIN 0: a read returns at once with what there is.
            attributes[6][5] = 0
            attributes[6][6] = 0
            termios.tcsetattr(fd, termios.TCSANOW, attributes)
        except OSError as error:
            self._file.close()
            raise OSError("port %s: can't set it up (%s)" % (self.path, error)) from None
        self._poll = select.poll()
        self._poll.register(self._file, select.POLLIN)
        self._room = select.poll()
        self._room.register(self._file, select.POLLOUT)
        # What came before is nobody's reply.
        while self.any() and self.read():
            pass

    def _control(self, control: int) -> int:
        control &= ~(self.PARENB | self.PARODD | self.CSTOPB)
        if self._framing[1] != "N":
            control |= self.PARENB
            if self._framing[1] == "O":
                control |= self.PARODD
        if self._framing[2] == "2":
            control |= self.CSTOPB
        return control

    def any(self) -> int:
        """1 when there is something to read, else 0."""
        for _, event in self._poll.ipoll(0):
            if event & (select.POLLHUP | select.POLLERR):
                raise OSError("port %s hung up" % self.path)
            return 1
        return 0

    def read(self) -> bytes:
        count = self._file.readinto(self._buffer)
        return bytes(self._buffer[:count]) if count else b""

    def write(self, data: bytes) -> int:
        # A write to a port that is full would wait.
        for _ in self._room.ipoll(0):
            return self._file.write(data)
        return 0

    def pollable(self):
        return self._file

    def close(self):
        self._file.close()


class MachineUart:
    """An open machine.UART of a board, made with ``timeout=0``; ``direction``: a machine.Pin as output.

    The pin is high while the node sends on a two-wire RS-485 line; ``None`` where the transceiver turns
    by itself. The bus calls turned() from the end of its bytes on until they have left the UART.
    """

    def __init__(self, uart, direction=None):
        self._uart = uart
        self._direction = direction
        self.turns = direction is not None
        if self.turns:
            direction.value(0)

    def any(self) -> int:
        return self._uart.any()

    def read(self) -> bytes:
        return self._uart.read() or b""

    def write(self, data: bytes) -> int:
        if self.turns:
            self._direction.value(1)
        return self._uart.write(data) or 0

    def turned(self) -> bool:
        """Whether the last character is out; then the line is free for the reply."""
        if not self._uart.txdone():
            return False
        self._direction.value(0)
        return True

    def pollable(self):
        return self._uart

    def close(self):
        self._uart.deinit()
