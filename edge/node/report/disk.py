"""The disk of an outbox that had to begin in memory: tried again until it is there, and then gone over to.

Records, counters and what is said on every connection go on behind another engine, whose outbox is on the
disk. The present one takes leave of its brokers first, as at its end, so that what is under way is known to
have arrived; what has not arrived goes along and gets new ids there.
"""

import os

from edge.node.report.connections.tcp import Untrusted
from edge.node.report.engine import OWN_SEQ_KEY
from edge.node.report.outbox.memory import MemoryOutbox

RETRY_MIN_MS = 1000
RETRY_MAX_MS = 30000
SLOWER = 10  # times as long as a try took it waits for the next one: most of the time belongs to reporting
LEAVE_MS = 2000  # for what is under way and the goodbyes
LOOK_AGAIN_MS = 20  # while connections close
IDLE_MS = 60000


def stand_in(bytes_max: int, memory_max: int, error) -> MemoryOutbox:
    """The outbox in memory in place of one of these bounds, which can't be had because of ``error``."""
    outbox = MemoryOutbox(bytes_max, memory_max, error)
    # How far an outbox on the disk has counted its own records is not known: this one counts far from there.
    number = 0x80000000 + (int.from_bytes(os.urandom(4), "big") >> 2)
    outbox.keep(OWN_SEQ_KEY, b"%d" % number)
    return outbox


class Disk:
    """Looks for the disk for an engine whose outbox is in memory only.

    ``open_outbox()``: the outbox on the disk; OSError, ValueError or MemoryError where it can't be had.
    ``make_engine(outbox)``: the engine on it, not begun; the same errors, and Untrusted.
    """

    def __init__(self, open_outbox, make_engine, clock):
        self.due_ms = 0  # when to call ``step`` again
        self._open = open_outbox
        self._make = make_engine
        self._clock = clock
        self._next = None  # the engine on the disk, while the present one takes leave
        self._wait_ms = RETRY_MIN_MS
        self._try_ms = clock.now_ms() + RETRY_MIN_MS

    def step(self, engine, now_ms: int):
        """The engine that goes on from here: this one, or another that has its outbox on the disk."""
        if not engine.outbox.IN_MEMORY:
            self.due_ms = now_ms + IDLE_MS
            return engine
        self.due_ms = self._try_ms
        if self._next is None:
            if now_ms < self._try_ms or not self._found(engine):
                return engine
            engine.begin_close(now_ms, LEAVE_MS)
        if not self._has_left(engine, now_ms):
            self.due_ms = now_ms + LOOK_AGAIN_MS
            return engine
        self.due_ms = now_ms
        return self._go_over(engine)

    def last(self, engine, now_ms: int):
        """At the end, when the engine is closed: the one to be finished, on the disk if that is there now."""
        if not engine.outbox.IN_MEMORY:
            return engine
        return self._go_over(engine) if self._next is not None or self._found(engine) else engine

    def _found(self, engine) -> bool:
        """Try to have an engine on the disk."""
        begin_ms = self._clock.now_ms()
        outbox = None
        try:
            outbox = self._open()
            self._next = self._make(outbox)
        except (OSError, ValueError, MemoryError, Untrusted) as error:
            if outbox is not None:
                outbox.close()
            engine.outbox.refused(error)
            now_ms = self._clock.now_ms()
            self._try_ms = self.due_ms = now_ms + max(self._wait_ms, SLOWER * (now_ms - begin_ms))
            self._wait_ms = min(2 * self._wait_ms, RETRY_MAX_MS)
        return self._next is not None

    def _has_left(self, engine, now_ms: int) -> bool:
        if not engine.closed():
            return False
        left = True
        for sender in engine.senders:
            # A sender has its deadline; its connection has another one.
            connection = sender.connection
            if not connection.closed:
                connection.disconnect(now_ms)
                connection.step(now_ms)
                left = left and connection.closed
        return left

    def _go_over(self, engine):
        following = self._next
        self._next = None
        following.take_over(engine, self._clock.now_ms())
        return following
