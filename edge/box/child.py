"""A child process with a lifeline: it ends when its standard input does."""

import os
import select
import subprocess
import sys
import tempfile
import time


class ChildError(Exception):
    """A child that did not start or died: says which, and what it said last."""


class Child:
    """``python -m MODULE ARGUMENTS`` in its own session, with pipes to its input and output.

    Its own session keeps a Ctrl-C at the terminal from reaching it: its parent decides when it ends.
    """

    def __init__(self, name: str, module: str, *arguments: str):
        self.name = name
        self._complaints = tempfile.TemporaryFile()
        self._output = b""
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def alive(self) -> bool:
        return self._process.poll() is None

    def code(self):
        """Exit code, None while it lives."""
        return self._process.poll()

    def complaints(self) -> str:
        """What it wrote to its standard error, the last lines of it."""
        self._complaints.seek(0)
        return "\n".join(self._complaints.read().decode(errors="replace").splitlines()[-5:])

    def line(self, within_s: float) -> str:
        """Its next line of output; ChildError when it ends or says nothing within the time."""
        end = time.monotonic() + within_s
        fd = self._process.stdout.fileno()
        while b"\n" not in self._output:
            left = end - time.monotonic()
            if left <= 0 or not select.select([fd], [], [], left)[0]:
                raise ChildError(f"{self.name}: no answer within {within_s:g} s. {self.complaints()}".strip())
            data = os.read(fd, 65536)
            if not data:
                self._process.wait(timeout=5)
                raise ChildError(
                    self.complaints() or f"{self.name} ended with code {self._process.returncode}"
                )
            self._output += data
        line, self._output = self._output.split(b"\n", 1)
        return line.decode()

    def say(self, text: str):
        """A line to its standard input; nothing when it is gone already."""
        try:
            self._process.stdin.write(text.encode() + b"\n")
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError):
            return

    def say_no_more(self):
        """Close its standard input: an attached child ends then."""
        try:
            self._process.stdin.close()
        except BrokenPipeError:
            return

    def end(self, within_s: float = 5.0):
        """Close its input and wait; what does not end by itself is terminated, then killed. Its exit code."""
        self.say_no_more()
        for action in (None, self._process.terminate, self._process.kill):
            if action is not None:
                action()
            try:
                self._process.wait(timeout=within_s)
                break
            except subprocess.TimeoutExpired:
                continue
        self._process.stdout.close()
        self._complaints.close()
        return self._process.returncode
