"""Lines to a terminal, a pipe or a journal that may stop reading: the caller never waits for it."""

import os
import queue
import threading

# Lines that wait while nobody reads; what comes beyond that is counted.
WAITING_MOST = 500


class LineWriter:
    """``say(text)`` writes a line to ``stream`` (as sys.stderr, or None) in a thread of its own.

    A terminal stopped by Ctrl-S holds up a write without end; a furnace can't wait for that. Lines that found
    no room are counted, and the count is written when there is room again. Once the stream is closed at its
    other end nothing is written any more. A context manager: at its end what waits is written, for
    ``within_s`` at most.
    """

    def __init__(self, stream, within_s: float = 1.0):
        self._fd = -1 if stream is None else stream.fileno()
        self._encoding = getattr(stream, "encoding", None) or "utf-8"
        self._within_s = within_s
        self._waiting = queue.Queue(WAITING_MOST)
        self._lost = 0
        self._thread = threading.Thread(target=self._work, name="console", daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        try:
            self._waiting.put_nowait(None)
        except queue.Full:
            return
        self._thread.join(self._within_s)

    def __call__(self, text: str):
        """Write a line as soon as there is room for it."""
        lost = self._lost
        try:
            if lost:
                self._waiting.put_nowait(f"{lost} lines could not be written here")
                self._lost = 0
            self._waiting.put_nowait(text)
        except queue.Full:
            self._lost += 1

    def _work(self):
        while True:
            text = self._waiting.get()
            if text is None:
                return
            data = (text + "\n").encode(self._encoding, "backslashreplace")
            try:
                while data and self._fd >= 0:
                    data = data[os.write(self._fd, data) :]
            except OSError:
                # The reader is gone. That is no reason to stop a furnace.
                self._fd = -1
