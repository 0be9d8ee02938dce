"""Signals and standard input of a process that waits in one place."""

import contextlib
import os
import signal


@contextlib.contextmanager
def wakeable():
    """SIGTERM and SIGINT become bytes, their numbers, on a pipe: its end for reading.

    A line written in the background of a terminal does not stop the process, whatever `stty tostop` says.
    """
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGTERM, signal.SIGINT)}
    before[signal.SIGTTOU] = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    wakeup = signal.set_wakeup_fd(writing)
    try:
        yield reading
    finally:
        signal.set_wakeup_fd(wakeup)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reading)
        os.close(writing)


def foreground(stdin: int) -> bool:
    """Whether standard input may be read: a background job that touches its terminal is stopped dead."""
    if stdin < 0:
        return False
    return not os.isatty(stdin) or os.tcgetpgrp(stdin) == os.getpgrp()
