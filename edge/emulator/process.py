"""The emulator as a process: the lines of its standard input, and the signals that end it."""

import ctypes
import os
import select
import signal
import sys

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)

_PR_SET_TIMERSLACK = 29
# No command is longer.
_LONGEST = 65536


class Commands:
    """The lines of standard input; ``ended`` when there are no more."""

    def __init__(self):
        self._fd = sys.stdin.fileno() if sys.stdin is not None else None
        self._rest = b""
        self.ended = self._fd is None

    def pollables(self) -> list:
        return [] if self.ended else [self._fd]

    def read(self) -> list:
        """The lines that are complete now."""
        if self.ended or not select.select([self._fd], (), (), 0)[0]:
            return []
        data = os.read(self._fd, 4096)
        if not data:
            self.ended = True
        parts = (self._rest + data).split(b"\n")
        self._rest = parts.pop()[:_LONGEST]
        return [part.decode("utf-8", "replace") for part in parts]


class Stopper:
    """Turns SIGTERM and SIGINT into something that select can wait on."""

    def __init__(self):
        self._read_fd, self._write_fd = os.pipe()
        os.set_blocking(self._write_fd, False)
        self.stopping = False
        self._old = [(number, signal.signal(number, self._stop)) for number in STOP_SIGNALS]
        signal.set_wakeup_fd(self._write_fd)

    def _stop(self, number, frame):
        self.stopping = True

    def pollable(self) -> int:
        return self._read_fd

    def close(self):
        signal.set_wakeup_fd(-1)
        for number, handler in self._old:
            signal.signal(number, handler)
        os.close(self._read_fd)
        os.close(self._write_fd)


def sleep_exactly():
    """Have the kernel wake us when asked to, and not up to 50 us later."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)
