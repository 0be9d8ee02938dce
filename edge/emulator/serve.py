"""The emulator on a real serial line or a pseudo-terminal, in real time.

    python -m edge.emulator.serve bishkek

The first line on standard output is {"port": "/dev/pts/N"}. Then standard input is a console, one command a
line, and every command is answered by one line of JSON:

    fault UNIT KIND [ARG] [SECONDS]     UNIT: id, name or all; SECONDS as 5s           {"ok": true}
    clear [UNIT]                                                                       {"ok": true}
    set NAME VALUE                      a parameter of the model                       {"ok": true}
    state                               see edge.emulator.bench.Bench.state            {"time_s": ...}
    quit                                                                               {"ok": true}

A command that can't be done is answered by {"error": "what, and what was expected"}.
"""

import argparse
import ctypes
import json
import os
import select
import signal
import sys
import termios
import tty

from edge.box.serial_port import PortError, SerialPort
from edge.emulator.bench import Bench
from edge.emulator.plant_file import PlantFileError
from edge.emulator.wire import garbled
from edge.node.clock import Clock

# A UART hands over what its FIFO holds; the last group of a frame ends on time.
GROUP = 8
# Requests may come in pieces through USB adapters, or written byte by byte by another emulator.
SILENCE_US = 20000
# Nothing to do: how long to sleep at most.
IDLE_US = 1000000

FRAMINGS = ("8N1", "8N2", "8E1", "8O1")

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)

_PR_SET_TIMERSLACK = 29


class PseudoTerminal:
    """A raw pseudo-terminal; ``path`` is what the master of the line opens.

    Bytes that nobody reads are lost, as on a line. ``link``: a symbolic link to make to it; an old link
    of that name is replaced. Raises PortError.
    """

    def __init__(self, link=None):
        self._fd, self._other = os.openpty()
        tty.setraw(self._other, termios.TCSANOW)
        os.set_blocking(self._fd, False)
        self.path = os.ttyname(self._other)
        self._pending = b""
        self._link = None
        if link is not None:
            self._make_link(link)

    def _make_link(self, link: str):
        try:
            if os.path.islink(link):
                os.unlink(link)
            os.symlink(self.path, link)
        except OSError as error:
            self.close()
            raise PortError(f"link {link} can't be made: {error.strerror}; name a free path") from None
        self._link = link

    def any(self) -> int:
        """How many bytes can be read now (read ahead by one system call)."""
        if not self._pending:
            try:
                self._pending = os.read(self._fd, 4096)
            except BlockingIOError:
                return 0
        return len(self._pending)

    def read(self) -> bytes:
        data = self._pending
        self._pending = b""
        return data

    def write(self, data: bytes) -> int:
        try:
            return os.write(self._fd, data)
        except BlockingIOError:
            return 0

    def pollable(self) -> int:
        return self._fd

    def close(self):
        if self._link is not None and os.path.islink(self._link) and os.readlink(self._link) == self.path:
            os.unlink(self._link)
        os.close(self._fd)
        os.close(self._other)


class Line:
    """Between a port and the slaves: paces what comes and goes at the line's speed.

    ``paced``: bytes come at the line's speed already, as on a real line; a pseudo-terminal has none.
    """

    def __init__(self, bench: Bench, port, paced: bool):
        self._slaves = bench.slaves
        self._port = port
        self._paced = paced
        self._char_us = bench.slaves.char_us
        self._silence_us = 1750 if bench.baud > 19200 else int(3.5 * self._char_us)
        self._groups = []
        self._sent_us = 0
        self._heard_us = 0
        self.violations = 0
        self.collisions = 0

    def step(self, now_us: int) -> int:
        """Move what there is to move; the next deadline in us."""
        if self._port.any():
            self._received(self._port.read(), now_us)
        while self._groups and self._groups[0][0] <= now_us:
            _, self._sent_us, group = self._groups.pop(0)
            self._port.write(group)
        return self._groups[0][0] if self._groups else now_us + IDLE_US

    def _received(self, data: bytes, now_us: int):
        duration_us = int(len(data) * self._char_us)
        if self._paced:
            end_us = now_us
            start_us = now_us - duration_us
        else:
            start_us = now_us if now_us > self._heard_us else self._heard_us
            end_us = start_us + duration_us
        if self._talked_over(start_us, end_us):
            self.collisions += 1
            data = garbled(data)
        elif self._sent_us and start_us < self._sent_us + self._silence_us and not self._slaves.partial():
            self.violations += 1
        self._heard_us = end_us
        for reply_us, reply in self._slaves.received(data, end_us):
            self._send(reply, reply_us)

    def _talked_over(self, start_us: int, end_us: int) -> bool:
        """Garble what a slave sends between these times; whether there is any."""
        overlap = False
        for i, (due_us, sent_us, group) in enumerate(self._groups):
            if sent_us - len(group) * self._char_us < end_us and start_us < sent_us:
                self._groups[i] = (due_us, sent_us, garbled(group))
                overlap = True
        return overlap

    def _send(self, reply: bytes, start_us: int):
        """Note what to write when: (write in us, last character out in us, bytes)."""
        size = len(reply)
        if self._paced:
            self._groups.append((start_us, start_us + int(size * self._char_us), reply))
        else:
            for first in range(0, size, GROUP):
                last = min(first + GROUP, size)
                end_us = start_us + int(last * self._char_us + 0.5)
                self._groups.append((end_us, end_us, reply[first:last]))
        self._groups.sort()


class Console:
    """Commands, one a line, each answered by one line of JSON."""

    def __init__(self, bench: Bench, line: Line):
        self._bench = bench
        self._line = line
        self._commands = {
            "fault": self._fault,
            "clear": self._clear,
            "set": self._set,
            "state": self._state,
            "quit": self._quit,
        }
        self.quitting = False

    def obey(self, text: str) -> dict:
        """Do one command; its answer."""
        words = text.split()
        if not words:
            return {"error": f"an empty command; expected {', '.join(self._commands)}"}
        command = self._commands.get(words[0])
        if command is None:
            return {"error": f"no command {words[0]!r}; expected {', '.join(self._commands)}"}
        try:
            return command(words[1:])
        except ValueError as error:
            return {"error": str(error)}

    def _fault(self, words: list) -> dict:
        if not 2 <= len(words) <= 4:
            raise ValueError("expected fault UNIT KIND [ARG] [SECONDS]")
        unit, kind, *rest = words
        takes_argument = self._bench.faults.takes_argument(self._bench.unit(unit), kind)
        seconds = None
        if rest and (rest[-1].endswith("s") or len(rest) == 2 or not takes_argument):
            seconds = _number("SECONDS", rest.pop().removesuffix("s"))
        arg = _number_or_text(rest[0]) if rest else None
        self._bench.fault(unit, kind, arg, seconds)
        return {"ok": True}

    def _clear(self, words: list) -> dict:
        if len(words) > 1:
            raise ValueError("expected clear [UNIT]")
        self._bench.clear_faults(words[0] if words else "all")
        return {"ok": True}

    def _set(self, words: list) -> dict:
        if len(words) != 2:
            raise ValueError("expected set NAME VALUE")
        self._bench.set(words[0], _number("VALUE", words[1]))
        return {"ok": True}

    def _state(self, words: list) -> dict:
        state = self._bench.state()
        state["line"]["violations"] = self._line.violations
        state["line"]["collisions"] = self._line.collisions
        return state

    def _quit(self, words: list) -> dict:
        self.quitting = True
        return {"ok": True}


def _number_or_text(word: str):
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return word


def _number(what: str, word: str) -> float:
    value = _number_or_text(word)
    if isinstance(value, str):
        raise ValueError(f"{what} is {word!r}; expected a number")
    return value


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
        self._rest = parts.pop()
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


def _sleep_exactly():
    """Have the kernel wake us when asked to, and not up to 50 us later."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)


def serve(plant="bishkek", port=None, seed=None, link=None, attached=False, framing="8N1", clock=None) -> int:
    """Emulate a plant until told to stop; main thread only. Returns the exit code.

    ``port``: a serial port as /dev/ttyUSB0; by default a new pseudo-terminal, with ``link`` as a symbolic
    link to it. ``attached``: the end of standard input ends it too. Raises PlantFileError, PortError.
    """
    clock = clock or Clock()
    _sleep_exactly()
    bench = Bench(plant, seed, clock, SILENCE_US)
    uart = SerialPort(port, bench.baud, framing) if port else PseudoTerminal(link)
    line = Line(bench, uart, paced=port is not None)
    console = Console(bench, line)
    commands = Commands()
    stopper = Stopper()
    try:
        _say({"port": uart.path})
        while not stopper.stopping and not console.quitting and not (attached and commands.ended):
            now_us = clock.now_us()
            next_us = min(bench.step(now_us), line.step(now_us))
            clock.wait(next_us, [uart.pollable(), stopper.pollable()] + commands.pollables())
            for text in commands.read():
                _say(console.obey(text))
    except BrokenPipeError:
        # Whoever read the answers is gone.
        sys.stdout = None
    finally:
        stopper.close()
        uart.close()
    return 0


def _say(answer: dict):
    print(json.dumps(answer), flush=True)


def add_arguments(parser: argparse.ArgumentParser):
    """The arguments of the command."""
    parser.add_argument("plant", nargs="?", default="bishkek", help="name or file of a plant (%(default)s)")
    parser.add_argument("--port", help="serial port, as /dev/ttyUSB0; by default a new pseudo-terminal")
    parser.add_argument("--framing", default="8N1", choices=FRAMINGS, help="of --port (%(default)s)")
    parser.add_argument("--link", help="symbolic link to make to the pseudo-terminal")
    parser.add_argument("--seed", type=int, help="of waste and noise; by default that of the plant file")
    parser.add_argument("--attached", action="store_true", help="end when standard input ends")


def run(args) -> int:
    """Do the command with parsed arguments; the exit code."""
    try:
        return serve(args.plant, args.port, args.seed, args.link, args.attached, args.framing)
    except (PlantFileError, PortError) as error:
        print(f"emulate: {error}", file=sys.stderr)
        return 2


def main(argv=None) -> int:
    """The command line of this module."""
    parser = argparse.ArgumentParser(
        prog="python -m edge.emulator.serve",
        description="The other end of the serial line: a plant and its instruments, in real time.",
        epilog="example: python -m edge.emulator.serve bishkek --link /tmp/furnace",
    )
    add_arguments(parser)
    return run(parser.parse_args(argv))


if __name__ == "__main__":
    sys.exit(main())
