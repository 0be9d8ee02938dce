"""A pseudo-terminal with the UART interface: the emulator's end of it, and the path that a master opens."""

import os
import termios
import tty

from edge.box.serial_port import PortError


class PseudoTerminal:
    """A raw pseudo-terminal; ``path`` is what the master of the line opens.

    Bytes that nobody reads are lost, as on a line. ``link``: a symbolic link to make to it; an old link
    of that name is replaced. Raises PortError.
    """

    def __init__(self, link=None):
        self._fd, self._other = os.openpty()
        tty.setraw(self._other, termios.TCSANOW)
        os.set_blocking(self._fd, False)
        self.path = os.ttyname(self._other)
        self._pending = b""
        self._link = None
        if link is not None:
            self._make_link(link)

    def _make_link(self, link: str):
        try:
            if os.path.islink(link):
                os.unlink(link)
            os.symlink(self.path, link)
        except OSError as error:
            self.close()
            raise PortError(f"link {link} can't be made: {error.strerror}; name a free path") from None
        self._link = link

    def any(self) -> int:
        """How many bytes can be read now (read ahead by one system call)."""
        if not self._pending:
            try:
                self._pending = os.read(self._fd, 4096)
            except BlockingIOError:
                return 0
        return len(self._pending)

    def read(self) -> bytes:
        data = self._pending
        self._pending = b""
        return data

    def write(self, data: bytes) -> int:
        try:
            return os.write(self._fd, data)
        except BlockingIOError:
            return 0

    def pollable(self) -> int:
        return self._fd

    def close(self):
        if self._link is not None and os.path.islink(self._link) and os.readlink(self._link) == self.path:
            os.unlink(self._link)
        os.close(self._fd)
        os.close(self._other)
