"""The serial port as the node sees it: shaped like machine.UART.

Every line end has ``any()`` (bytes ready now), ``read()`` (what is ready, b"" when nothing),
``write(data)``, ``close()`` and ``pollable()`` (what select can wait on). On boards this is
machine.UART behind MachineUart; on the MicroPython unix port a file in raw mode (TermiosUart); on an
industrial box edge.box.serial_port; on the bench the emulator's wire in memory.
"""

import select


class TermiosUart:
    """A serial device of the MicroPython unix port. Its speed must be set beforehand or by ``baud``.

    The port's termios knows some speeds by name only; the numbers of the others are Linux's.
    """

    SPEEDS = {1200: 9, 2400: 11, 4800: 12, 9600: 13, 19200: 14, 38400: 15}
    FAST = {57600: "B57600", 115200: "B115200", 230400: "B230400"}
    PARENB = 0o400
    PARODD = 0o1000
    CSTOPB = 0o100

    def __init__(self, path: str, baud: int, framing: str = "8N1"):
        import termios

        try:
            self._file = open(path, "r+b")
        except OSError as error:
            raise OSError("port %s: can't open it (%s): is it there and free?" % (path, error)) from None
        fd = self._file.fileno()
        termios.setraw(fd)
        attributes = termios.tcgetattr(fd)
        speed = self.SPEEDS[baud] if baud in self.SPEEDS else getattr(termios, self.FAST[baud])
        attributes[4] = speed
        attributes[5] = speed
        control = attributes[2]
        if framing[1] != "N":
            control |= self.PARENB
            if framing[1] == "O":
                control |= self.PARODD
        if framing[2] == "2":
            control |= self.CSTOPB
        attributes[2] = control
        # VTIME and VMIN 0: a read returns at once with what there is.
        attributes[6][5] = 0
        attributes[6][6] = 0
        termios.tcsetattr(fd, termios.TCSANOW, attributes)
        self._poll = select.poll()
        self._poll.register(self._file, select.POLLIN)
        self._buffer = bytearray(512)

    def any(self) -> int:
        """1 when there is something to read, else 0."""
        for _, event in self._poll.ipoll(0):
            if event & (select.POLLHUP | select.POLLERR):
                raise OSError("the serial port hung up")
            return 1
        return 0

    def read(self) -> bytes:
        count = self._file.readinto(self._buffer)
        return bytes(self._buffer[:count]) if count else b""

    def write(self, data: bytes) -> int:
        return self._file.write(data)

    def pollable(self):
        return self._file

    def close(self):
        self._file.close()
