"""The golden traces on the chip's floats: what the chip is asked, and what it has to answer."""

import struct
from types import SimpleNamespace

from hil_tests.chip_floats import Bounded, ChipFloat, interpreted, literals
from hil_tests.microbit import pieces
from tests.cext import golden
from tests.cext.traces import pid as pid_trace


def on_chip_floats(chip, *modules) -> SimpleNamespace:
    """Modules of the core on CPython, with the chip's floats and with the chip's own values of literals."""
    source = "\n".join(pieces(*modules))
    chip.repl.execute("from struct import pack")
    values = {}
    for number in literals(source):
        bits = chip.repl.execute(f"uart.write(pack('<f',{number!r}))", size=4)
        (values[number],) = struct.unpack("<f", bits)
    return SimpleNamespace(**interpreted(source, values=values))


def with_bounds(*modules) -> SimpleNamespace:
    """Modules of the core on CPython whose numbers carry how far the chip's may be from them."""
    return SimpleNamespace(**interpreted("\n".join(pieces(*modules)), Bounded))


def same(a: float, b: float) -> bool:
    return a == b or (a != a and b != b)


class Recorder(pid_trace.Loop):
    """The loop of the golden trace, which tells of every call."""

    NAMES = ("step", "follow", "realised", "tune", "limit", "set", "restart")

    def __init__(self, tell):
        super().__init__()
        for name in self.NAMES:
            setattr(self, name, self._told(name, getattr(self, name), tell))

    @staticmethod
    def _told(name, call, tell):
        def told(*arguments):
            result = call(*arguments)
            tell(name, arguments)
            return result

        return told


def follower(pid_class):
    """PID on the chip's floats, and its calls by name."""
    pid = pid_class(ChipFloat(2.0), ChipFloat(120.0), ChipFloat(20.0))

    def set_(direction, dead_band, tt_s):
        pid.direction, pid.dead_band, pid.tt_s = direction, dead_band, tt_s

    calls = {name: getattr(pid, name) for name in ("step", "follow", "realised", "tune", "limit")}
    return pid, {**calls, "set": set_, "restart": lambda: pid.restore(pid.state())}


RESULTS = ("out", "demand", "integral", "derivative", "saturated", "flag")


def results(pid) -> tuple:
    return tuple(getattr(pid, name) for name in RESULTS)


def drive(count, tell):
    """Drive the 64-bit PID through the golden trace; tell(pid, name, arguments) after each call of it.

    What the driver computes is held to the golden trace in the file, at the end of each block of it.
    """
    recorder = Recorder(lambda name, arguments: tell(recorder.pid, name, arguments))
    blocks = {int(line[0]): line[2:8] for line in golden.read("pid")}
    for number, *_ in pid_trace.drive(recorder, count):
        if number in blocks:
            reached = list(map(repr, map(float, results(recorder.pid))))
            assert reached == blocks[number], f"not the golden trace at step {number}"
