"""Faults at their times: from a file, or drawn from a seed. The same on every run.

A script is a TOML file of tables:

    [[fault]]
    at_s = 30               # seconds from the start
    unit = "roof"           # id or name of a unit, or "all"
    kind = "late"           # see edge.emulator.faults, and FAULTS of the instruments
    argument = 150          # where the kind takes one
    for_s = 10              # seconds; without it the fault stays
    replies = 3             # is felt in so many answers only
    function = 3            # only in requests of this function
    register = 100          # only in requests that touch this data address
"""

from pathlib import Path
from random import Random

from edge.box.config import toml_text
from edge.box.config.lines import nearest_line
from edge.emulator.faults import EVERY_UNIT, FaultError, narrow

NEVER_US = 1 << 62

KEYS = ("at_s", "unit", "kind", "argument", "for_s", "replies", *narrow.KEYS)

# Drawn faults: mean seconds between two, and how long one lasts on the mean.
MEAN_S = 15.0
LASTS_S = 4.0
LONGEST_S = 30.0


class ScriptError(ValueError):
    """A script that can't be played: says which file, which fault, and what was expected."""


class Event:
    """One fault to come. ``at_us`` from the start; ``for_s`` None: it stays; ``replies`` -1: all; ``where``:
    of which requests.
    """

    def __init__(self, at_us, unit: int, kind: str, argument=None, for_s=None, replies=-1, where=None):
        self.at_us = at_us
        self.unit = unit
        self.kind = kind
        self.argument = argument
        self.for_s = for_s
        self.replies = replies
        self.where = where or {}


class Script:
    """Plays events, earliest first, on the faults of a line; ``next_us``: when it wants to be called."""

    def __init__(self, events, faults, start_us: int = 0):
        self._events = iter(events)
        self._faults = faults
        self._start_us = start_us
        self._next = None
        self.next_us = NEVER_US
        self._advance()

    def _advance(self):
        self._next = next(self._events, None)
        self.next_us = NEVER_US if self._next is None else self._start_us + self._next.at_us

    def step(self, now_us: int):
        """Begin what is due."""
        while self.next_us <= now_us:
            event = self._next
            self._faults.set(
                event.unit,
                event.kind,
                event.argument,
                self.next_us,
                event.for_s,
                event.replies,
                **event.where,
            )
            self._advance()


def load(path: str, bench) -> list:
    """The events of a script for a bench, earliest first; each is tried on it. Raises ScriptError."""
    name = Path(path).name
    try:
        values, lines = toml_text.read(Path(path).read_bytes())
    except OSError as error:
        raise ScriptError(f"{path}: can't be read: {error.strerror}") from None
    except toml_text.TomlError as error:
        raise ScriptError(f"{name}:{error.line}: {error}") from None
    tables = values.pop("fault", [])
    if values:
        other = next(iter(values))
        where = f"{name}:{lines[(other,)]}"
        raise ScriptError(f"{where}: [{other}]: nobody knows this table; expected [[fault]]")
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ScriptError(f"{name}:{lines[('fault',)]}: fault: expected tables [[fault]]")
    events = []
    for i, table in enumerate(tables):

        def at(key, i=i):
            return f"{name}:{nearest_line(lines, ('fault', i, key))}: [[fault]] number {i + 1}"

        events.append(_event(at, table, bench))
    return sorted(events, key=lambda event: event.at_us)


def _event(at, table: dict, bench) -> Event:
    """``at``: from a key to where it stands, for messages."""
    for key in table:
        if key not in KEYS:
            raise ScriptError(f"{at(key)}: {key}: is not known here; known are {', '.join(KEYS)}")
    for key in ("at_s", "unit", "kind"):
        if key not in table:
            raise ScriptError(f"{at(key)}: {key}: is missing")
    at_s = _seconds(at("at_s"), "at_s", table["at_s"])
    for_s = _seconds(at("for_s"), "for_s", table["for_s"]) if "for_s" in table else None
    replies = table.get("replies", -1)
    if "replies" in table and (not isinstance(replies, int) or isinstance(replies, bool) or replies < 1):
        raise ScriptError(f"{at('replies')}: replies: is {replies!r}; expected a whole number from 1")
    requests = {key: table[key] for key in narrow.KEYS if key in table}
    try:
        unit = bench.unit(table["unit"])
        bench.faults.check(unit, table["kind"], table.get("argument"), **requests)
    except FaultError as error:
        raise ScriptError(f"{at('')}: {error}") from None
    return Event(int(at_s * 1000000), unit, table["kind"], table.get("argument"), for_s, replies, requests)


def _seconds(where: str, key: str, value) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1e9:
        raise ScriptError(f"{where}: {key}: is {value!r}; expected a number of seconds from 0")
    return value


def drawn(seed: int, faults, mean_s: float = MEAN_S, lasts_s: float = LASTS_S):
    """Faults without end, drawn from a seed: any kind of any unit, one every ``mean_s`` on the mean, each for
    ``lasts_s`` on the mean and LONGEST_S at most (exponential distributions).
    """
    rng = Random(f"chaos {seed}")
    can_be = {unit: _possible(faults, unit) for unit in [EVERY_UNIT, *faults.possible.units()]}
    at_s = 0.0
    while True:
        at_s += rng.expovariate(1.0 / mean_s)
        unit = EVERY_UNIT if rng.random() < 0.1 else rng.choice(faults.possible.units())
        kind, argument = rng.choice(can_be[unit])
        if kind in _DRAWN:
            argument = _DRAWN[kind](rng)
        for_s = min(LONGEST_S, rng.expovariate(1.0 / lasts_s))
        yield Event(int(at_s * 1000000), unit, kind, argument, for_s)


def _possible(faults, unit: int) -> list:
    """(kind, argument) of all faults that a unit can have."""
    found = []
    for kind in faults.possible.kinds(unit):
        for argument in (None, *INPUTS):
            try:
                faults.check(unit, kind, argument)
            except FaultError:
                # As an input that is not wired.
                continue
            found.append((kind, argument))
            if argument is None:
                break
    return found


INPUTS = [f"ai{i}" for i in range(8)]

_DRAWN = {
    "late": lambda rng: rng.randrange(20, 600),
    "split": lambda rng: rng.randrange(1, 60),
    "stray": lambda rng: rng.randrange(1, 9),
    "noise": lambda rng: round(rng.uniform(0.001, 0.1), 3),
    "truncated": lambda rng: rng.randrange(0, 9),
    "exception": lambda rng: rng.choice((1, 2, 3, 4, 5, 6, 10, 11)),
    "deaf": lambda rng: rng.randrange(1, 200),
    "clamping": lambda rng: rng.randrange(65536),
    "duplicated": lambda rng: rng.randrange(60),
    "babbling": lambda rng: rng.randrange(20, 600),
    "second_master": lambda rng: rng.randrange(20, 600),
    "cut_echo": lambda rng: rng.randrange(9),
    "jump": lambda rng: round(rng.uniform(-100.0, 100.0), 1),
    "drift": lambda rng: round(rng.uniform(-100.0, 100.0), 1),
}
