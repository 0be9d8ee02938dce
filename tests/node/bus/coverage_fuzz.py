"""A coverage-guided fuzzer for masters and slaves: what reaches a new branch is seed for the next mutations.

    python -m tests.node.bus.coverage_fuzz SECONDS SEED

Coverage is the set of line pairs that follow each other in their files, by sys.settrace. An input is what a
master hears after its request, with the checks of parser_fuzz, or what the slaves of a line hear.
"""

import random
import sys
import time
from pathlib import Path

from edge.emulator import dcon_slave, plant_file, slave
from edge.emulator.instruments import dcon_module, instrument
from edge.node.bus import dcon, master, modbus
from edge.node.bus.dcon import DconMaster
from edge.node.bus.master import Master
from tests.node.bus import parser_fuzz

TRACED = {
    module.__file__ for module in (dcon, master, modbus, slave, dcon_slave, instrument, dcon_module)
}
ALL_TYPES = Path(__file__).parents[1] / "devices" / "all_types" / "plant.toml"
DCON_TEXTS = ("#01", "#010", "$012", "$016", "@01", "~010", "~**")


class Coverage:
    """Which line followed which, in the traced files, while ``with`` it."""

    def __init__(self):
        self.pairs = set()

    def __enter__(self):
        sys.settrace(self._call)
        return self

    def __exit__(self, *_):
        sys.settrace(None)

    def _call(self, frame, event, argument):
        if frame.f_code.co_filename not in TRACED:
            return None
        last = [0]

        def line(frame, event, argument):
            if event == "line":
                self.pairs.add((frame.f_code.co_name, last[0], frame.f_lineno))
                last[0] = frame.f_lineno
            return line

        return line


class MasterTarget:
    """One request of a master, and what is heard after it."""

    def __init__(self, one, request: bytes, check):
        self.one = one
        self.seeds = [request]
        self._request = request
        self._check = check

    def run(self, heard: bytes, cut: int):
        """Hear it in two pieces."""
        one = self.one
        one.begin(self._request, one.reply_length(self._request), 0)
        answer = one.feed(heard[:cut], 0)
        self._check(one, answer, heard[:cut])
        if answer == modbus.PENDING:
            answer = one.feed(heard[cut:], 1000)
            self._check(one, answer, heard)
        one.late_reply(heard, self._request)


class SlavesTarget:
    """Every instrument that there is, on a line of both protocols."""

    def __init__(self):
        plant = plant_file.load(str(ALL_TYPES))
        self._slaves = dcon_slave.slaves_of(plant.instruments, 115200)
        self._now_us = 0
        self.seeds = []
        for each in plant.instruments:
            if getattr(each, "protocol", "modbus") == "dcon":
                for text in ("#%02X", "$%02X2", "@%02X", "~%02X0", "%%%02X0102050600"):
                    self.seeds.append(dcon.command(text % each.unit, each.checksum))
            else:
                self.seeds += [modbus.read_request(each.unit, function, 0, 4) for function in (1, 2, 3, 4)]
                self.seeds.append(modbus.write_register(each.unit, 0, 1))
                self.seeds.append(modbus.write_registers(each.unit, 0, [1, 2]))
                self.seeds.append(modbus.write_coils(each.unit, 0, [1, 0, 1]))
        self.seeds += [request for request in parser_fuzz.requests() if request[1] > 4]

    def run(self, heard: bytes, cut: int):
        """Hear it in two pieces after a silence; every answer has a right CRC or is one of DCON."""
        self._now_us += 1000000
        for piece in (heard[:cut], heard[cut:]):
            if piece:
                self._now_us += 96 * len(piece)
                for start_us, reply in self._slaves.received(piece, self._now_us):
                    assert start_us >= self._now_us - 96 * len(piece), "answered before it was asked"
                    if reply[-1:] == b"\r" and reply[:1] in b">!?":
                        assert len(reply) <= dcon_slave.LONGEST, "length"
                    else:
                        assert parser_fuzz.with_crc(reply[:-2]) == reply and len(reply) <= 256, "answer"


def targets() -> list:
    """Everything that is fuzzed."""
    found = []
    for echo in (False, True):
        for request in parser_fuzz.requests():
            found.append(MasterTarget(Master(38400, 50, echo=echo), request, parser_fuzz.check_modbus))
        for text in DCON_TEXTS:
            for checked in (False, True):
                one = DconMaster(9600, 50, echo=echo, checked=checked)
                found.append(MasterTarget(one, dcon.command(text, checked), parser_fuzz.check_dcon))
    found.append(SlavesTarget())
    return found


def mutate(heard: bytes, corpus: list, dice: random.Random) -> bytes:
    """A small change, or a splice of two inputs; CRC or checksum is often made right again."""
    data = bytearray(heard)
    for _ in range(1 + dice.randrange(3)):
        kind = dice.randrange(7)
        at = dice.randrange(len(data) + 1)
        if kind == 0 and data:
            data[at % len(data)] = dice.randrange(256)
        elif kind == 1:
            data[at:at] = dice.randbytes(1 + dice.randrange(4))
        elif kind == 2:
            del data[at : at + 1 + dice.randrange(4)]
        elif kind == 3:
            data[at:] = dice.choice(corpus)[1]
        elif kind == 4 and len(data) > 3:
            data[:] = parser_fuzz.with_crc(bytes(data[:-2]))
        elif kind == 6 and len(data) > 3:
            text = bytes(data[:-3])
            data[:] = text + dcon.checksum(text) + b"\r"
        elif kind == 5:
            data[at:at] = bytes([dice.choice((0, 1, 2, 3, 13, 33, 62, 63, 0x83, 247))])
    return bytes(data[:600])


def fuzz(seconds: float, seed: int) -> dict:
    """Fuzz for so long; counts. AssertionError (or whatever it was) on a finding."""
    dice = random.Random(seed)
    everything = targets()
    corpus = [(place, seed) for place, target in enumerate(everything) for seed in target.seeds]
    first = len(corpus)
    slaves = 0
    seen = set()
    runs = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        place, heard = corpus[runs] if runs < first else dice.choice(corpus)
        if runs >= first:
            heard = mutate(heard, corpus, dice)
        cut = dice.randrange(len(heard) + 1)
        with Coverage() as coverage:
            try:
                everything[place].run(heard, cut)
            except Exception as error:
                error.add_note(f"target {place}, heard {heard[:cut].hex()} {heard[cut:].hex()}")
                raise
        runs += 1
        slaves += place == len(everything) - 1
        if not coverage.pairs <= seen:
            seen |= coverage.pairs
            corpus.append((place, heard))
    return {"runs": runs, "slaves": slaves, "corpus": len(corpus), "line_pairs": len(seen)}


if __name__ == "__main__":
    print(fuzz(float(sys.argv[1]), int(sys.argv[2])))
