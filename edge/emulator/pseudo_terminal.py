"""A pseudo-terminal: the emulator's end of it, and the path that a master opens."""

import os
import termios
import tty

from edge.box.descriptor import Descriptor, PortError

IDLE_US = 1000000


class PseudoTerminal(Descriptor):
    """A raw pseudo-terminal; ``path`` is what the master of the line opens.

    Bytes that nobody reads are lost, as on a line. It holds the other end open too, so that it does not hang
    up when a master leaves. ``link``: a symbolic link to make to it; an old link of that name is replaced.
    Raises PortError.
    """

    paced = False

    def __init__(self, link=None):
        self._link = link
        self._reopened = -1
        self.unplugged = True
        self.plug()

    def plug(self):
        """Make the pseudo-terminal, and the link to it: after unplug() a new one. Raises PortError."""
        fd, self._other = os.openpty()
        tty.setraw(self._other, termios.TCSANOW)
        os.set_blocking(fd, False)
        self.use(fd)
        self.path = os.ttyname(self._other)
        self.unplugged = False
        self._reopened += 1
        if self._link is not None:
            self._make_link(self._link)

    def unplug(self):
        """Both ends go: a master's reads and writes fail from now on."""
        if self.unplugged:
            return
        if self._link is not None and os.path.islink(self._link) and os.readlink(self._link) == self.path:
            os.unlink(self._link)
        self.unplugged = True
        os.close(self._fd)
        os.close(self._other)

    def _make_link(self, link: str):
        try:
            if os.path.islink(link):
                os.unlink(link)
            os.symlink(self.path, link)
        except OSError as error:
            self._link = None
            self.unplug()
            raise PortError(f"link {link} can't be made: {error.strerror}; name a free path") from None

    def any(self) -> int:
        return 0 if self.unplugged else Descriptor.any(self)

    def write(self, data: bytes) -> int:
        return 0 if self.unplugged else Descriptor.write(self, data)

    def step(self, now_us: int) -> int:
        """Nothing to do."""
        return now_us + IDLE_US

    def pollables(self) -> list:
        return [] if self.unplugged else [self._fd]

    def state(self) -> dict:
        """``lost``: why it is gone; ``reopened``: how often it has been plugged in again."""
        return {"path": self.path, "lost": "unplugged" if self.unplugged else "", "reopened": self._reopened}

    def close(self):
        self.unplug()
