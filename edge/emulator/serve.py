"""The emulator on a real serial line or a pseudo-terminal, in real time.

    python -m edge.emulator.serve bishkek

The first line on standard output is {"port": "/dev/pts/N"}, of a plant with several lines also "ports" by their
names. Then standard input is a console, one command a
line, and every command is answered by one line of JSON:

    help [UNIT]                         the commands; the faults of a unit             {"help": [...]}
    fault UNIT KIND [ARG] [SECONDS]     UNIT: id, name or all; SECONDS as 5s           {"ok": true}
          [replies=N] [function=N] [register=N] [channel=NAME]
    clear [UNIT]                                                                       {"ok": true}
    set NAME VALUE                      a parameter of the model                       {"ok": true}
    register NAME [VALUE]               see edge.emulator.register_access              {"register": ...}
    state                               see edge.emulator.bench.Bench.state            {"time_s": ...}
    kinds UNIT                          the faults that a unit can have                {"kinds": [...]}
    timeline [AFTER]                    with --timeline; see edge.emulator.timeline    {"timeline": [...]}
    quit                                                                               {"ok": true}

A command that can't be done is answered by {"error": "what, and what was expected"}. At a terminal the
answers are text.
"""

import argparse
import json
import sys

from edge.box.descriptor import PortError
from edge.emulator.bench import Bench, PlantFailed
from edge.emulator.console import Console
from edge.emulator.fault_script import ScriptError
from edge.emulator.plant_file import PlantFileError
from edge.emulator.process import Commands, Stopper, sleep_exactly
from edge.emulator.readable import readable
from edge.emulator.record import Recorder
from edge.emulator.served import Served
from edge.emulator.timeline import Timeline
from edge.node.clock import Clock

FRAMINGS = ("8N1", "8N2", "8E1", "8O1", "8E2", "8O2")


class RecordError(ValueError):
    """A capture that can't be written: says which file and why."""


class Options:
    """``port``: a serial port as /dev/ttyUSB0; by default a new pseudo-terminal, with ``link`` as a symbolic
    link to it. ``framing`` of the port. ``tcp``, ``rtu_over_tcp``: PORT or HOST:PORT to listen on instead.
    ``silence_ms``: a pause that long ends a request; by default 3.5 characters. ``attached``: the end of
    standard input ends the emulator. ``script``: file of faults, or ``chaos``: a seed that they are drawn
    from. ``record``: file of a capture. ``timeline``: keep one, for the console.
    """

    def __init__(self, port=None, link=None, framing="8N1", attached=False):
        self.port = port
        self.link = link
        self.framing = framing
        self.attached = attached
        self.tcp = None
        self.rtu_over_tcp = None
        self.silence_ms = None
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
    sleep_exactly()
    silence_us = None if options.silence_ms is None else int(options.silence_ms * 1000)
    bench = Bench(plant, seed, clock, silence_us)
    if options.script is not None:
        bench.play(options.script)
    elif options.chaos is not None:
        bench.chaos(options.chaos)
    timeline = Timeline(bench.start_us) if options.timeline else None
    taps = []
    if timeline is not None:
        bench.faults.told = timeline.fault
        taps.append(timeline.heard)
    recorder = _recorder(options.record, clock) if options.record is not None else None
    if recorder is not None:
        taps.append(recorder.heard)
    served = None
    stopper = Stopper()
    try:
        served = Served(bench, options, taps)
        console = Console(bench, served, timeline)
        commands = Commands()
        _say(served.paths())
        while not stopper.stopping and not console.quitting and not (options.attached and commands.ended):
            now_us = clock.now_us()
            served.plug(now_us)
            next_us = min(bench.step(now_us), served.step(now_us))
            clock.wait(next_us, [*served.pollables(), stopper.pollable(), *commands.pollables()])
            for text in commands.read():
                _say(console.obey(text))
    except BrokenPipeError:
        # Whoever read the answers is gone.
        sys.stdout = None
    finally:
        stopper.close()
        for part in (served, recorder):
            if part is not None:
                part.close()
    return 0


def _recorder(path: str, clock) -> Recorder:
    try:
        return Recorder(path, clock.now_us(), clock.utc_ms())
    except OSError as error:
        raise RecordError(f"{path}: can't be written: {error.strerror}") from None


def _say(answer: dict):
    """One line of JSON for a program, text for people at a terminal."""
    print(readable(answer) if sys.stdout.isatty() else json.dumps(answer), flush=True)


def _milliseconds(text: str) -> float:
    value = float(text)
    if not 0.0 < value <= 10000.0:
        raise argparse.ArgumentTypeError(f"{text} is not above 0 and up to 10000")
    return value


def add_arguments(parser: argparse.ArgumentParser):
    """The arguments of the command."""
    parser.add_argument("plant", nargs="?", default="bishkek", help="name or file of a plant (%(default)s)")
    others = parser.add_mutually_exclusive_group()
    others.add_argument("--port", help="serial port, as /dev/ttyUSB0; by default a new pseudo-terminal")
    others.add_argument("--tcp", metavar="[HOST:]PORT", help="listen for Modbus TCP instead (127.0.0.1)")
    others.add_argument("--rtu-over-tcp", metavar="[HOST:]PORT", help="listen for the line's bytes instead")
    parser.add_argument("--framing", default="8N1", choices=FRAMINGS, help="of --port (%(default)s)")
    parser.add_argument(
        "--silence-ms",
        type=_milliseconds,
        metavar="MS",
        help="a pause that long ends a request (3.5 characters); 20 where they come in pieces, as over USB",
    )
    parser.add_argument("--link", help="symbolic link to make to the pseudo-terminal; LINK-NAME of several")
    parser.add_argument("--seed", type=int, help="of waste and noise; by default that of the plant file")
    faults = parser.add_mutually_exclusive_group()
    faults.add_argument("--script", metavar="FILE.toml", help="faults at their times")
    faults.add_argument("--chaos", type=int, metavar="SEED", help="faults drawn from a seed")
    parser.add_argument("--record", metavar="FILE.pcapng", help="capture the line, for Wireshark")
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
