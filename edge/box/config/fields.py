"""The kinds of values that a node file holds. Each reads one TOML value or says why it can't."""

import datetime
import math
import re

from edge.box.config.problems import did_you_mean, listed, number, shown
from edge.box.config.units import OTHERS, SPELLINGS, UNITS

REQUIRED = object()
OPTIONAL = object()

# Nothing measured here comes near; it keeps 32-bit floats of the boards far from infinity.
WIDEST = 1e9
LONGEST_NAME = 32
_NAME = re.compile(r"[A-Za-z0-9_-]+\Z")


class Unfit(ValueError):
    """A value does not fit its field; the text says what to do about it."""


def is_number(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_name(text: str) -> bool:
    """Whether a name can stand in a topic, in a path and in a message as it is."""
    return _NAME.match(text) is not None and len(text) <= LONGEST_NAME


NAME_RULE = f"1 to {LONGEST_NAME} letters, digits, - or _"


class Field:
    """``meaning``: what it says, for people; ``default``: a value, REQUIRED or OPTIONAL."""

    kind = ""  # one word for the reference

    def __init__(self, meaning: str, default=REQUIRED):
        self.meaning = meaning
        self.default = default

    def expected(self) -> str:
        """What the value must be, as the end of a sentence."""
        raise NotImplementedError

    def read(self, value):
        """The value as the node gets it; Unfit with what to do where it does not fit."""
        raise NotImplementedError

    def references(self, value) -> list:
        """(table, name, place in the value) of everything that a read value names."""
        return []


class Number(Field):
    """A finite float from ``low`` to ``high``; with ``above`` the lower end itself is excluded."""

    kind = "number"

    def __init__(self, meaning, low=-WIDEST, high=WIDEST, unit="", default=REQUIRED, above=False):
        Field.__init__(self, meaning, default)
        self.low = low
        self.high = high
        self.unit = unit
        self.above = above

    def expected(self) -> str:
        unit = " " + self.unit if self.unit else ""
        if self.low == -WIDEST and self.high == WIDEST:
            return f"a number in {self.unit}" if unit else "a number"
        if self.above:
            return f"a number above {number(self.low)}, up to {number(self.high)}{unit}"
        return f"a number from {number(self.low)} to {number(self.high)}{unit}"

    def read(self, value) -> float:
        if not is_number(value):
            raise Unfit(_as_number(value))
        try:
            result = float(value)
        except OverflowError:
            result = math.inf
        if not math.isfinite(result) or abs(result) > WIDEST:
            raise Unfit(f"write a finite number, at most {number(WIDEST)} in size")
        if result < self.low or result > self.high or (self.above and result == self.low):
            raise Unfit("choose a number in that range")
        return result + 0.0  # -0.0 is 0.0


class Integer(Field):
    """A whole number from ``low`` to ``high``, in steps of ``step``."""

    kind = "whole number"

    def __init__(self, meaning, low, high, unit="", default=REQUIRED, step=1):
        Field.__init__(self, meaning, default)
        self.low = low
        self.high = high
        self.unit = unit
        self.step = step

    def expected(self) -> str:
        unit = " " + self.unit if self.unit else ""
        steps = f" in steps of {self.step}{unit}" if self.step > 1 else ""
        return f"a whole number from {self.low} to {self.high}{unit}{steps}"

    def read(self, value) -> int:
        if not is_number(value):
            raise Unfit(_as_number(value))
        if isinstance(value, float):
            raise Unfit("write it without a decimal point")
        if value < self.low or value > self.high:
            raise Unfit("choose a number in that range")
        if value % self.step:
            below = value - value % self.step
            raise Unfit(f"the nearest are {below} and {below + self.step}")
        return value


class Choice(Field):
    """One of a few words or numbers."""

    kind = "choice"

    def __init__(self, meaning, options, default=REQUIRED):
        Field.__init__(self, meaning, default)
        self.options = tuple(options)

    def expected(self) -> str:
        return listed(shown(option) for option in self.options)

    def read(self, value):
        for option in self.options:
            if value == option and type(value) is type(option):
                return value
        if isinstance(self.options[0], str):
            one = "one of them" if len(self.options) > 1 else "that"
            if isinstance(value, str):
                raise Unfit(did_you_mean(value, self.options, f"write {one}"))
            raise Unfit(f"write {one} in quotes")
        if is_number(value) and value == value:
            raise Unfit(f"the nearest is {min(self.options, key=lambda option: abs(option - value))}")
        raise Unfit(_as_number(value))


class Text(Field):
    """Printable text of 1 to ``longest`` characters."""

    kind = "text"

    def __init__(self, meaning, default=REQUIRED, longest=200):
        Field.__init__(self, meaning, default)
        self.longest = longest

    def expected(self) -> str:
        return f"a text of 1 to {self.longest} printable characters"

    def read(self, value) -> str:
        if not isinstance(value, str):
            raise Unfit("write it in quotes")
        if not value:
            raise Unfit("write at least one character")
        if len(value) > self.longest:
            raise Unfit("shorten it")
        if not value.isprintable():
            raise Unfit("remove the control characters")
        return value


class Switch(Field):
    """true or false."""

    kind = "true or false"

    def expected(self) -> str:
        return "true or false"

    def read(self, value) -> bool:
        if not isinstance(value, bool):
            raise Unfit("write one of them, without quotes")
        return value


class Date(Field):
    """A day, written as TOML has it."""

    kind = "date"

    def expected(self) -> str:
        return "a date as 2026-11-01, without quotes"

    def read(self, value) -> str:
        if isinstance(value, datetime.datetime) or not isinstance(value, datetime.date):
            raise Unfit("write the day alone")
        return value.isoformat()


class Name(Text):
    """A text that is safe in topics and paths."""

    kind = "name"

    def expected(self) -> str:
        return NAME_RULE

    def read(self, value) -> str:
        if not isinstance(value, str):
            raise Unfit("write it in quotes")
        if not is_name(value):
            raise Unfit("it becomes a part of topics and paths: use only those")
        return value


class Unit(Field):
    """A known unit; other spellings are named, not guessed."""

    kind = "unit"

    def expected(self) -> str:
        return "a known unit"

    def read(self, value) -> str:
        if not isinstance(value, str):
            raise Unfit("write it in quotes")
        if value in UNITS:
            return value
        if value in OTHERS:
            raise Unfit(OTHERS[value])
        spelt = [name for name in UNITS if name.lower() == value.lower()] + [SPELLINGS.get(value)]
        if spelt[0] is not None:
            raise Unfit(f'write "{spelt[0]}"')
        raise Unfit(f"write one of {listed(map(shown, UNITS))}")


class Level(Number):
    """A number or "hold"."""

    kind = 'number or "hold"'

    def expected(self) -> str:
        return Number.expected(self) + ', or "hold"'

    def read(self, value):
        if value == "hold":
            return value
        if isinstance(value, str) and not _looks_like_a_number(value):
            raise Unfit(did_you_mean(value, ["hold"], "write such a value"))
        return Number.read(self, value)


_NOUNS = {
    "bus": ("a bus", "buses"),
    "device": ("a device", "devices"),
    "output": ("an output", "outputs"),
    "loop": ("a loop", "loops"),
    "trip": ("a trip", "trips"),
    "alarm": ("an alarm", "alarms"),
    "programme": ("a programme", "programmes"),
    "source": ("a signal or calc", "signals or calcs"),
    "state": ("a state", "states"),
    "level2": ("a value of level2", "values of level2"),
    "value": ("what can be read: a signal, a calc, output.NAME and so on", "what can be read"),
    "taker": ("what takes a demand, such as output.NAME", "what takes a demand"),
    "loop_path": ("a loop, as loop.NAME", "loops, as loop.NAME"),
}


class Reference(Field):
    """The name of one entry of ``table``: a table of the file, or one of those below.

    "source": a signal or a calc; "value": all that can be read; "taker": what takes a demand.
    """

    kind = "name"

    def __init__(self, meaning, table, default=REQUIRED):
        Field.__init__(self, meaning, default)
        self.table = table

    def expected(self) -> str:
        return f"the name of {_NOUNS[self.table][0]}"

    def read(self, value) -> str:
        if not isinstance(value, str):
            raise Unfit("write the name in quotes")
        return value

    def references(self, value) -> list:
        return [(self.table, value, ())]


class References(Reference):
    """A list of 1 to ``most`` different names of ``table``."""

    kind = "list of names"

    def __init__(self, meaning, table, most=64, default=REQUIRED):
        Reference.__init__(self, meaning, table, default)
        self.most = most

    def expected(self) -> str:
        if self.most == 1:
            return f"a list with one name of {_NOUNS[self.table][0]}"
        return f"a list of 1 to {self.most} different names of {_NOUNS[self.table][1]}"

    def read(self, value) -> list:
        if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
            raise Unfit('write names in quotes between brackets, such as ["a", "b"]')
        for i, name in enumerate(value):
            if name in value[:i]:
                raise Unfit(f"'{name}' is named twice: name it once")
        if not value:
            raise Unfit("name at least one")
        if len(value) > self.most:
            raise Unfit(f"name no more than {self.most}")
        return list(value)

    def references(self, value) -> list:
        return [(self.table, name, (i,)) for i, name in enumerate(value)]


class Numbers(Field):
    """A list of finite numbers."""

    kind = "list of numbers"

    def expected(self) -> str:
        return "a list of numbers"

    def read(self, value) -> list:
        if not isinstance(value, list):
            raise Unfit("write numbers between brackets, such as [0.6, 0.4]")
        one = Number("")
        return [one.read(element) for element in value]


def _looks_like_a_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _as_number(value) -> str:
    """What to do where a number was expected and none was found."""
    if isinstance(value, bool):
        return "true and false are no numbers: write a number"
    if isinstance(value, str) and _looks_like_a_number(value):
        return "write it without quotes"
    if isinstance(value, str) and _looks_like_a_number(value.replace(",", ".", 1)):
        return f"write {value.replace(',', '.')}, with a decimal point and without quotes"
    return "write a number"
