"""The emulator on a real serial line or a pseudo-terminal, in real time.

    python -m edge.emulator.serve bishkek

The first line on standard output is {"port": "/dev/pts/N"}. Then standard input is a console, one command a
line, and every command is answered by one line of JSON:

    fault UNIT KIND [ARG] [SECONDS]     UNIT: id, name or all; SECONDS as 5s           {"ok": true}
    clear [UNIT]                                                                       {"ok": true}
    set NAME VALUE                      a parameter of the model                       {"ok": true}
    state                               see edge.emulator.bench.Bench.state            {"time_s": ...}
    kinds UNIT                          the faults that a unit can have                {"kinds": [...]}
    timeline [AFTER]                    with --timeline; see edge.emulator.timeline    {"timeline": [...]}
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

from edge.box.serial_port import PortError, SerialPort
from edge.emulator.bench import Bench, PlantFailed
from edge.emulator.console import Console
from edge.emulator.fault_script import ScriptError
from edge.emulator.line import Line
from edge.emulator.plant_file import PlantFileError
from edge.emulator.pseudo_terminal import PseudoTerminal
from edge.emulator.record import Recorder
from edge.emulator.timeline import Timeline
from edge.node.clock import Clock

# Requests may come in pieces through USB adapters, or written byte by byte by another emulator.
SILENCE_US = 20000

FRAMINGS = ("8N1", "8N2", "8E1", "8O1")

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)

_PR_SET_TIMERSLACK = 29


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


class RecordError(ValueError):
    """A capture that can't be written: says which file and why."""


class Options:
    """``port``: a serial port as /dev/ttyUSB0; by default a new pseudo-terminal, with ``link`` as a symbolic
    link to it. ``framing`` of the port. ``attached``: the end of standard input ends the emulator.
    ``script``: file of faults, or ``chaos``: a seed that they are drawn from. ``record``: file of a capture.
    ``timeline``: keep one, for the console.
    """

    def __init__(self, port=None, link=None, framing="8N1", attached=False):
        self.port = port
        self.link = link
        self.framing = framing
        self.attached = attached
        self.script = None
        self.chaos = None
        self.record = None
        self.timeline = False


def serve(plant="bishkek", seed=None, options=None, clock=None) -> int:
    """Emulate a plant until told to stop; main thread only. Returns the exit code.

    ``options``: Options, or anything with its attributes. Raises PlantFileError, PortError, ScriptError,
    RecordError.
    """
    options = options or Options()
    clock = clock or Clock()
    _sleep_exactly()
    bench = Bench(plant, seed, clock, SILENCE_US)
    if options.script is not None:
        bench.play(options.script)
    elif options.chaos is not None:
        bench.chaos(options.chaos)
    taps = []
    timeline = None
    if options.timeline:
        timeline = Timeline(bench.start_us)
        bench.faults.told = timeline.fault
        taps.append(timeline.heard)
    recorder = None
    if options.record is not None:
        recorder = _recorder(options.record, clock)
        taps.append(recorder.heard)
    uart = None
    stopper = Stopper()
    try:
        if options.port is not None:
            uart = SerialPort(options.port, bench.baud, options.framing)
        else:
            uart = PseudoTerminal(options.link)
        line = Line(bench, uart, options.port is not None, taps)
        console = Console(bench, line, timeline)
        commands = Commands()
        _say({"port": uart.path})
        while not stopper.stopping and not console.quitting and not (options.attached and commands.ended):
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
        for part in (uart, recorder):
            if part is not None:
                part.close()
    return 0


def _recorder(path: str, clock) -> Recorder:
    try:
        return Recorder(path, clock.now_us(), clock.utc_ms())
    except OSError as error:
        raise RecordError(f"{path}: can't be written: {error.strerror}") from None


def _say(answer: dict):
    print(json.dumps(answer), flush=True)


def add_arguments(parser: argparse.ArgumentParser):
    """The arguments of the command."""
    parser.add_argument("plant", nargs="?", default="bishkek", help="name or file of a plant (%(default)s)")
    parser.add_argument("--port", help="serial port, as /dev/ttyUSB0; by default a new pseudo-terminal")
    parser.add_argument("--framing", default="8N1", choices=FRAMINGS, help="of --port (%(default)s)")
    parser.add_argument("--link", help="symbolic link to make to the pseudo-terminal")
    parser.add_argument("--seed", type=int, help="of waste and noise; by default that of the plant file")
    faults = parser.add_mutually_exclusive_group()
    faults.add_argument("--script", metavar="FILE.toml", help="faults at their times")
    faults.add_argument("--chaos", type=int, metavar="SEED", help="faults drawn from a seed")
    parser.add_argument("--record", metavar="FILE.pcap", help="capture the line, for Wireshark")
    parser.add_argument("--timeline", action="store_true", help="keep a time line for the console")
    parser.add_argument("--attached", action="store_true", help="end when standard input ends")


def run(args) -> int:
    """Do the command with parsed arguments; the exit code."""
    try:
        return serve(args.plant, args.seed, args)
    except (PlantFileError, PortError, ScriptError, RecordError) as error:
        print(f"emulate: {error}", file=sys.stderr)
        return 2
    except PlantFailed as error:
        print(f"emulate: {error}", file=sys.stderr)
        return 1


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
