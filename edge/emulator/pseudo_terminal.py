"""A pseudo-terminal: the emulator's end of it, and the path that a master opens."""

import os
import termios
import tty

from edge.box.descriptor import Descriptor
from edge.box.serial_port import PortError


class PseudoTerminal(Descriptor):
    """A raw pseudo-terminal; ``path`` is what the master of the line opens.

    Bytes that nobody reads are lost, as on a line. It holds the other end open too, so that it does not hang
    up when a master leaves. ``link``: a symbolic link to make to it; an old link of that name is replaced.
    Raises PortError.
    """

    def __init__(self, link=None):
        fd, self._other = os.openpty()
        tty.setraw(self._other, termios.TCSANOW)
        os.set_blocking(fd, False)
        self.use(fd)
        self.path = os.ttyname(self._other)
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

    def close(self):
        if self._link is not None and os.path.islink(self._link) and os.readlink(self._link) == self.path:
            os.unlink(self._link)
        os.close(self._fd)
        os.close(self._other)
