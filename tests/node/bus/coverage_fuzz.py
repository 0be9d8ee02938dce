"""A coverage-guided fuzzer for the masters: what reaches a new branch becomes seed for the next mutations.

    python -m tests.node.bus.coverage_fuzz SECONDS SEED

Coverage is the set of line pairs that follow each other in the masters' files, by sys.settrace. An input is
a request and what is heard after it; the checks are those of parser_fuzz.
"""

import random
import sys
import time

from edge.node.bus import dcon, master, modbus
from edge.node.bus.dcon import DconMaster
from edge.node.bus.master import Master
from tests.node.bus import parser_fuzz

TRACED = {dcon.__file__, master.__file__, modbus.__file__}
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


def targets() -> list:
    """(master, its request, check) of everything that is fuzzed."""
    found = []
    for echo in (False, True):
        for request in parser_fuzz.requests():
            found.append((Master(38400, 50, echo=echo), request, parser_fuzz.check_modbus))
        for text in DCON_TEXTS:
            for checked in (False, True):
                one = DconMaster(9600, 50, echo=echo, checked=checked)
                found.append((one, dcon.command(text, checked), parser_fuzz.check_dcon))
    return found


def mutate(heard: bytes, corpus: list, dice: random.Random) -> bytes:
    """A small change, or a splice of two inputs; the CRC is often made right again."""
    data = bytearray(heard)
    for _ in range(1 + dice.randrange(3)):
        kind = dice.randrange(6)
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
        elif kind == 5:
            data[at:at] = bytes([dice.choice((0, 1, 2, 3, 13, 33, 62, 63, 0x83, 247))])
    return bytes(data[:600])


def transaction(one, request: bytes, check, heard: bytes, cut: int):
    """One request and what is heard after it, in two pieces."""
    one.begin(request, one.reply_length(request), 0)
    answer = one.feed(heard[:cut], 0)
    check(one, answer, heard[:cut])
    if answer == modbus.PENDING:
        answer = one.feed(heard[cut:], 1000)
        check(one, answer, heard)
    one.late_reply(heard, request)


def fuzz(seconds: float, seed: int) -> dict:
    """Fuzz for so long; counts. AssertionError (or whatever it was) on a finding."""
    dice = random.Random(seed)
    everything = targets()
    corpus = [(place, request) for place, (_, request, _) in enumerate(everything)]
    seen = set()
    runs = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        place, heard = dice.choice(corpus)
        if runs >= len(corpus):
            heard = mutate(heard, corpus, dice)
        cut = dice.randrange(len(heard) + 1)
        with Coverage() as coverage:
            try:
                transaction(*everything[place], heard, cut)
            except Exception as error:
                error.add_note(f"target {place}, heard {heard[:cut].hex()} {heard[cut:].hex()}")
                raise
        runs += 1
        if not coverage.pairs <= seen:
            seen |= coverage.pairs
            corpus.append((place, heard))
    return {"runs": runs, "corpus": len(corpus), "line_pairs": len(seen)}


if __name__ == "__main__":
    print(fuzz(float(sys.argv[1]), int(sys.argv[2])))
