"""The tables of commands from afar."""

from edge.box.config.fields import (
    OPTIONAL,
    REQUIRED,
    WIDEST,
    Choice,
    Field,
    Integer,
    Number,
    Reference,
    References,
    Switch,
    Unfit,
)
from edge.box.config.problems import did_you_mean, listed, shown
from edge.box.config.table import Table

MODES = ("auto", "manual")
HOUR_MS = 3600000


class Words(Field):
    """A list of different words out of a few."""

    kind = "list of words"

    def __init__(self, meaning, options, default=REQUIRED):
        Field.__init__(self, meaning, default)
        self.options = options

    def expected(self) -> str:
        return f"a list of {listed(map(shown, self.options))}"

    def read(self, value) -> list:
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            raise Unfit("write words in quotes between brackets")
        if not value:
            raise Unfit("name at least one")
        for i, word in enumerate(value):
            if word not in self.options:
                raise Unfit(did_you_mean(word, self.options, f"'{word}' is none of them"))
            if word in value[:i]:
                raise Unfit(f"'{word}' is named twice: name it once")
        return list(value)


REMOTE = {
    "enabled": Switch("whether anybody may command from afar at all", default=False),
    "start": Choice(
        "the mode after a start; while the node runs, only its own console changes it",
        ("local", "remote"),
        default="local",
    ),
    "nonce_s": Integer(
        "a nonce is issued so often; a command older than two of these is refused", 5, 3600, "s", default=60
    ),
}

_LOOP = Reference("the loop", "loop")
_RATE = Number("it moves no faster than this, in its unit per minute", 0, WIDEST, above=True)
ALLOW = {
    "min_interval_ms": Integer("two of these are at least so far apart", 0, HOUR_MS, "ms", default=1000),
}
ALLOW_ACTIONS = {
    "set_point": (
        "moving the set-point of a loop",
        {
            "loop": _LOOP,
            "low": Number("no set-point below this is accepted from afar"),
            "high": Number("no set-point above this is accepted from afar"),
            "rate_per_min": _RATE,
        },
    ),
    "value": (
        "giving a value of level2, such as a set-point from the plant's own control system",
        {"level2": Reference("the value", "level2")},
    ),
    "mode": (
        "putting a loop into automatic or manual",
        {"loop": _LOOP, "modes": Words("the modes that may be asked for", MODES, default=list(MODES))},
    ),
    "output": (
        "moving the hand of a loop that is in manual; the guard limits it like any demand",
        {
            "loop": _LOOP,
            "low": Number("nothing below this is accepted from afar"),
            "high": Number("nothing above this is accepted from afar"),
            "rate_per_min": _RATE,
        },
    ),
    "programme": (
        "starting and stopping a programme",
        {"programme": Reference("the programme", "programme")},
    ),
    "acknowledge": (
        "acknowledging alarms and trips; that releases nothing",
        {
            "alarms": References("these alarms", "alarm", default=OPTIONAL),
            "trips": References("these trips", "trip", default=OPTIONAL),
        },
    ),
    "reset": (
        "resetting trips whose cause is gone; without such a table nothing from afar can",
        {"trips": References("these trips, and no others", "trip")},
    ),
}

REMOTE_TABLES = (
    Table("remote", "commands from afar, off without this table: docs/commands.md", REMOTE, named=False),
    Table("remote.allow", "one thing that is allowed from afar", ALLOW, "action", ALLOW_ACTIONS),
)
