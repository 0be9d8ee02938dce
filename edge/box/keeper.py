"""Keeps the state of a node on the disk of a box, in a process of its own: no tick waits for a disk.

    python -m edge.box.keeper --fd 5 --path /var/lib/furnace-edge/works-line1.kept

It takes datagrams, the bytes of edge.node.kept_file, from the socket pair that it was started with; of several
that wait only the newest counts. Each that is on the disk is answered by "k", one that could not be written by
the reason. It ends when the node's end of the pair is closed, however that came about, and not before. Two
never write the same file: the second waits until the first has ended.

It is no part of the reporter, because a node without [report.mqtt] has none, and because an outbox that waits
for its disk must not keep the state waiting.
"""

import argparse
import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time

from edge.node import kept_file

RESTART_AFTER_MS = 1000
RESTART_AT_MOST_MS = 30000
SILENT_MS = 30000
LOCK_WITHIN_S = 2.0
CLOSE_WITHIN_S = 2.0
_KEPT = b"k"
_ANSWER_MAX = 1000


class ChildKeeper:
    """A keeper as of edge.node.kept: load() reads the file and starts the process, which comes back if it dies.

    ``fault``: why the newest state may not be on the disk, or nothing.
    """

    def __init__(self, path: str, module: str = "edge.box.keeper"):
        self.path = path
        self.fault = ""
        self._module = module
        self._process = None
        self._socket = None
        self._asked_ms = -1  # the oldest that has not been answered
        self._start_ms = 0
        self._wait_ms = RESTART_AFTER_MS

    def load(self) -> tuple:
        """As kept_file.load(); before that the process of a node that was killed finishes what it writes."""
        lock, wrong = wait_for_the_last(self.path)
        content, more = kept_file.load(self.path)
        self._start_again(0, lock)
        if lock >= 0:
            os.close(lock)  # the process holds it from here on
        return content, wrong + more

    def keep(self, data: bytes, now_ms: int) -> bool:
        """Hand this over; False where the process can't take it now."""
        if self._socket is None:
            return False
        try:
            self._socket.send(data)
        except BlockingIOError:
            return False
        except OSError as error:
            self._lost(error, now_ms)
            return False
        if self._asked_ms < 0:
            self._asked_ms = now_ms
        return True

    def step(self, now_ms: int):
        """Hear the answers; start the process anew where it is gone."""
        while self._socket is not None:
            try:
                answer = self._socket.recv(_ANSWER_MAX)
            except BlockingIOError:
                break
            except OSError as error:
                self._lost(error, now_ms)
                return
            if not answer:
                self._lost("it has ended", now_ms)
                return
            self._asked_ms = -1
            self._wait_ms = RESTART_AFTER_MS
            self.fault = "" if answer == _KEPT else answer.decode(errors="replace")
        if self._socket is None and now_ms >= self._start_ms:
            if self._process is not None:
                self._process.poll()
            self._start_again(now_ms)
        elif self._asked_ms >= 0 and now_ms - self._asked_ms >= SILENT_MS:
            self.fault = f"{self.path}: no answer for {SILENT_MS // 1000} s: its disk may hang"

    def close(self):
        """Let the process write what it has; one that does not end in time is left to its disk."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(CLOSE_WITHIN_S)

    def _start(self, lock: int):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, "-m", self._module, "--fd", str(theirs.fileno()), "--path", self.path]
            passed = [theirs.fileno()]
            if lock >= 0:
                command += ["--lock", str(lock)]
                passed.append(lock)
            self._process = subprocess.Popen(
                command, pass_fds=passed, start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
            )
        ours.setblocking(False)
        self._socket = ours

    def _start_again(self, now_ms: int, lock: int = -1):
        self._start_ms = now_ms + self._wait_ms
        self._wait_ms = min(2 * self._wait_ms, RESTART_AT_MOST_MS)
        try:
            self._start(lock)
        except OSError as error:
            self.fault = f"the process that writes {self.path} can't be started: {error}"

    def _lost(self, why, now_ms: int):
        self.fault = f"the process that writes {self.path} is gone: {why}"
        self._socket.close()
        self._socket = None
        self._asked_ms = -1
        self._start_ms = now_ms + self._wait_ms


def _lock(path: str, wait: bool) -> int:
    """A descriptor that holds the lock of this file; BlockingIOError where another holds it."""
    fd = os.open(path + ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        os.close(fd)
        raise
    return fd


def wait_for_the_last(path: str) -> tuple:
    """(descriptor that holds the lock, or -1; list of what is wrong)"""
    end = time.monotonic() + LOCK_WITHIN_S
    while True:
        try:
            return _lock(path, wait=False), []
        except BlockingIOError:
            if time.monotonic() < end:
                time.sleep(0.02)
                continue
            return -1, [f"{path} is still in use by another process; a node of this name may run already"]
        except OSError as error:
            return -1, [f"{path}.lock: {error.strerror}"]


def serve(sock, path: str, locked: bool):
    """Write what comes until the far end is closed; ``locked``: this process holds the lock already."""
    while True:
        data = sock.recv(kept_file.BYTES_MAX + 1)
        with contextlib.suppress(BlockingIOError):
            while data:
                newer = sock.recv(kept_file.BYTES_MAX + 1, socket.MSG_DONTWAIT)
                if not newer:
                    break  # the node has closed its end: this is the last
                data = newer
        if not data:
            return
        try:
            if not locked:
                _lock(path, wait=True)
                locked = True
            kept_file.save(path, data)
            answer = _KEPT
        except OSError as error:
            answer = f"{path} can't be written: {error.strerror}".encode()[:_ANSWER_MAX]
        # A node that does not read, or is gone, has no use for it.
        with contextlib.suppress(OSError):
            sock.send(answer, socket.MSG_DONTWAIT)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m edge.box.keeper")
    parser.add_argument("--fd", type=int, required=True, help="its end of a SOCK_SEQPACKET pair")
    parser.add_argument("--path", required=True, help="the file")
    parser.add_argument("--lock", type=int, help="a descriptor that holds the file's lock")
    options = parser.parse_args(argv)
    # A service manager ends all processes at once: this one has to hear the node's last word.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.umask(0o077)
    serve(socket.socket(fileno=options.fd), options.path, options.lock is not None)
    return 0


if __name__ == "__main__":
    sys.exit(main())
