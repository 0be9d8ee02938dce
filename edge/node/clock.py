"""Time: the only room of the node that asks for it or waits.

Time is an integer of microseconds (milliseconds for everything slower than the wire) that
never wraps and never jumps. Wall-clock time is separate and only ever reported.
"""

import select
import time

_MICROPYTHON = hasattr(time, "ticks_us")
# The kernel is asked so often whether its clock is synchronised.
_SYNCHRONISED_PERIOD_MS = 10000


class Clock:
    """The real clock of the machine the node runs on, CPython or MicroPython.

    ``kernel``: a function that says whether something like NTP keeps the wall clock, where that can be asked.
    """

    def __init__(self, kernel=None):
        self._last = time.ticks_us() if _MICROPYTHON else 0
        self._total = 0
        self._kernel = kernel
        self._synchronised = False
        self._ask_kernel_ms = 0

    def now_us(self) -> int:
        """Microseconds since some fixed moment, monotonic."""
        if not _MICROPYTHON:
            return time.monotonic_ns() // 1000
        ticks = time.ticks_us()
        self._total += time.ticks_diff(ticks, self._last)
        self._last = ticks
        return self._total

    def now_ms(self) -> int:
        """Milliseconds on the same scale as now_us()."""
        return self.now_us() // 1000

    def utc_ms(self) -> int:
        """Wall-clock milliseconds since 1970-01-01 UTC; may jump."""
        return time.time_ns() // 1000000

    def synchronised(self) -> bool:
        """Whether utc_ms() is known to be right: as the kernel says, or as it was set."""
        if self._kernel is not None:
            now_ms = self.now_ms()
            if now_ms >= self._ask_kernel_ms:
                self._ask_kernel_ms = now_ms + _SYNCHRONISED_PERIOD_MS
                self._synchronised = self._kernel()
        return self._synchronised

    def set_synchronised(self, synchronised: bool):
        """For boards: whoever sets their clock says so here."""
        self._kernel = None
        self._synchronised = synchronised

    def wait(self, until_us: int, pollables: list):
        """Sleep until ``until_us`` or until one of ``pollables`` has bytes to read."""
        left_us = until_us - self.now_us()
        if left_us <= 0:
            return
        if _MICROPYTHON:
            self._wait_micropython(left_us, pollables)
        else:
            select.select(pollables, (), (), left_us / 1e6)

    def _wait_micropython(self, left_us: int, pollables: list):
        poller = select.poll()
        for pollable in pollables:
            poller.register(pollable, select.POLLIN)
        # poll() counts whole milliseconds: the rest is slept, unless bytes are there already.
        if not poller.poll(left_us // 1000):
            time.sleep_us(left_us % 1000)


class VirtualClock:
    """A clock that stands still until it is moved: runs on it are exact and repeatable.

    ``start_utc_ms``: the wall-clock time at its zero. It counts as synchronised until told otherwise.
    """

    def __init__(self, start_utc_ms: int = 1767225600000):
        self._now_us = 0
        self._start_utc_ms = start_utc_ms
        self._synchronised = True

    def now_us(self) -> int:
        return self._now_us

    def now_ms(self) -> int:
        return self._now_us // 1000

    def utc_ms(self) -> int:
        return self._start_utc_ms + self._now_us // 1000

    def advance_to(self, until_us: int):
        """Move on to ``until_us``; never backwards."""
        if until_us < self._now_us:
            raise ValueError("virtual clock: can't go back from %d to %d us" % (self._now_us, until_us))
        self._now_us = until_us

    def jump(self, by_ms: int):
        """Set the wall clock forwards or back; the monotonic time does not notice."""
        self._start_utc_ms += by_ms

    def synchronised(self) -> bool:
        return self._synchronised

    def set_synchronised(self, synchronised: bool):
        self._synchronised = synchronised
