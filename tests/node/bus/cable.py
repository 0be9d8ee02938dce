"""Two pseudo-terminals joined crosswise, so that two programs that each open a port can talk."""

import contextlib
import os
import select
import threading
import tty


class Cable:
    """``ends``: the paths of both ports. ``unplug()`` ends it."""

    def __init__(self):
        self._pairs = [os.openpty(), os.openpty()]
        for _, slave in self._pairs:
            tty.setraw(slave)
        self.ends = [os.ttyname(slave) for _, slave in self._pairs]
        self._stop_read, self._stop_write = os.pipe()
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def _carry(self):
        first, second = (master for master, _ in self._pairs)
        other = {first: second, second: first}
        while True:
            ready, _, _ = select.select([first, second, self._stop_read], [], [], 1.0)
            if self._stop_read in ready:
                return
            for fd in ready:
                with contextlib.suppress(OSError):
                    os.write(other[fd], os.read(fd, 4096))

    def unplug(self):
        os.write(self._stop_write, b"x")
        self._thread.join(timeout=60)
        for pair in self._pairs:
            for fd in pair:
                os.close(fd)
        os.close(self._stop_read)
        os.close(self._stop_write)
