"""The emulator's console: commands, each answered by what goes out as one line of JSON.

At a terminal the answers are text: see edge.emulator.readable.
"""

from math import isfinite

from edge.emulator.faults import narrow

NAMED = ("replies", *narrow.KEYS)
FAULT = "fault UNIT KIND [ARG] [SECONDS] " + " ".join(f"[{key}=...]" for key in NAMED)
HELP = (
    ("help", "these lines; help UNIT: the faults that a unit can have, and what they do"),
    (FAULT, "UNIT: id, name or all; SECONDS as 5s; without it the fault stays"),
    ("clear [UNIT]", "end the faults of a unit, or all"),
    ("kinds UNIT", "the names of the faults that a unit can have"),
    ("set NAME VALUE", "a parameter or free input of the model, or a value of a plant without a model"),
    ("register NAME [VALUE]", "read or set INSTRUMENT.REGISTER, or INSTRUMENT.TABLE.ADDRESS"),
    ("state", "process, outputs, watchdogs, faults, port and counts of the line"),
    ("timeline [AFTER]", "with --timeline: what was on the line since the entry of that number"),
    ("quit", "end the emulator"),
)


class Console:
    """Commands, one a line, each answered by one line of JSON. ``served``: None for a bench in no time."""

    def __init__(self, bench, served=None, timeline=None):
        self._bench = bench
        self._served = served
        self._timeline = timeline
        self._commands = {
            "fault": self._fault,
            "clear": self._clear,
            "set": self._set,
            "register": self._register,
            "state": self._state,
            "kinds": self._kinds,
            "timeline": self._entries,
            "help": self._help,
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
        named = _named([word for word in words if "=" in word])
        words = [word for word in words if "=" not in word]
        if not 2 <= len(words) <= 4:
            raise ValueError(f"expected {FAULT}")
        unit, kind, *rest = words
        takes_argument = self._bench.faults_of(unit).possible.takes_argument(self._bench.unit(unit), kind)
        seconds = None
        if rest and (rest[-1].endswith("s") or len(rest) == 2 or not takes_argument):
            seconds = _number("SECONDS", rest.pop().removesuffix("s"))
        arg = _number_or_text(rest[0]) if rest else None
        self._bench.fault(unit, kind, arg, seconds, **named)
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

    def _register(self, words: list) -> dict:
        if not 1 <= len(words) <= 2:
            raise ValueError("expected register NAME [VALUE]")
        if len(words) == 2:
            # nan: the register has no value.
            value = float("nan") if words[1] == "nan" else _number("VALUE", words[1])
            self._bench.set_register(words[0], value)
        value = self._bench.register(words[0])
        # JSON knows no nan.
        return {"register": words[0], "value": value if value == value else None}

    def _help(self, words: list) -> dict:
        if len(words) > 1:
            raise ValueError("expected help [UNIT]")
        if not words:
            width = 24
            return {"help": [f"{what:{width}} {says}" for what, says in HELP]}
        unit = self._bench.unit(words[0])
        return {"help": self._bench.faults_of(words[0]).possible.described(unit)}

    def _state(self, words: list) -> dict:
        state = self._bench.state()
        if self._served is not None:
            state["line"].update(self._served.counts())
            state["port"] = self._served.state()
        return state

    def _kinds(self, words: list) -> dict:
        if len(words) != 1:
            raise ValueError("expected kinds UNIT")
        return {"kinds": self._bench.faults_of(words[0]).possible.kinds(self._bench.unit(words[0]))}

    def _entries(self, words: list) -> dict:
        if self._timeline is None:
            raise ValueError("no time line is kept: start with --timeline")
        if len(words) > 1:
            raise ValueError("expected timeline [AFTER]")
        after = _number("AFTER", words[0]) if words else 0
        return {"timeline": [entry.as_list() for entry in self._timeline.entries(after)]}

    def _quit(self, words: list) -> dict:
        self.quitting = True
        return {"ok": True}


def _named(words: list) -> dict:
    """The words KEY=N of a fault."""
    found = {}
    for word in words:
        key, _, text = word.partition("=")
        if key not in NAMED:
            raise ValueError(f"a fault has no {key!r}; expected {FAULT}")
        value = text if key == "channel" else _number_or_text(text)
        if key != "channel" and (not isinstance(value, int) or (key == "replies" and value < 1)):
            raise ValueError(f"{key} is {text!r}; expected a whole number")
        found[key] = value
    return found


def _number_or_text(word: str):
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return word


def _number(what: str, word: str) -> float:
    value = _number_or_text(word)
    if isinstance(value, str) or not isfinite(value):
        raise ValueError(f"{what} is {word!r}; expected a number")
    return value
