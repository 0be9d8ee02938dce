"""Bytes to and from a file descriptor that does not block, with the UART interface of edge.node.bus.uart."""

import errno
import os

_READ = 4096


class PortError(OSError):
    """A port that can't be used: says which one, why, and what to do."""


class Descriptor:
    """One end of a line; ``path`` names it. Who opens it calls use().

    any() and write() raise OSError once the line is gone.
    """

    path = ""

    def use(self, fd: int):
        """Move bytes by this descriptor from now on; what was read ahead of another is forgotten."""
        self._fd = fd
        self._pending = b""

    def any(self) -> int:
        """How many bytes can be read now (read ahead by one system call)."""
        if not self._pending:
            try:
                self._pending = os.read(self._fd, _READ)
            except BlockingIOError:
                return 0
            if not self._pending:
                raise OSError(errno.EIO, f"port {self.path} hung up")
        return len(self._pending)

    def read(self) -> bytes:
        data = self._pending
        self._pending = b""
        return data

    def write(self, data: bytes) -> int:
        """How many bytes were taken; 0 where there is no room."""
        try:
            return os.write(self._fd, data)
        except BlockingIOError:
            return 0

    def pollable(self) -> int:
        return self._fd
