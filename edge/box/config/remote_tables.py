"""The tables of commands from afar and of programmes."""

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
    is_number,
)
from edge.box.config.problems import did_you_mean, listed, number, shown
from edge.box.config.table import Table

MODES = ("auto", "manual")
LONGEST_PROGRAMME = 32
HOUR_MS = 3600000
WEEK_MIN = 10080


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


class Segments(Field):
    """A list of [target, rate_per_min, soak_min]."""

    kind = "list of segments"

    def expected(self) -> str:
        return f"a list of 1 to {LONGEST_PROGRAMME} segments, each [target, rate per minute, minutes of soak]"

    def read(self, value) -> list:
        if not isinstance(value, list) or not all(isinstance(segment, list) for segment in value):
            raise Unfit("write one list for each segment, such as [[600, 5, 30], [900, 2.5, 120]]")
        if not value:
            raise Unfit("write at least one segment")
        if len(value) > LONGEST_PROGRAMME:
            raise Unfit(f"write no more than {LONGEST_PROGRAMME}")
        return [self._segment(i + 1, segment) for i, segment in enumerate(value)]

    def _segment(self, place: int, segment: list) -> list:
        if len(segment) != 3 or not all(is_number(element) for element in segment):
            raise Unfit(f"segment {place} needs three numbers: target, rate per minute, minutes of soak")
        read = Number("", -WIDEST, WIDEST).read
        target, rate_per_min, soak_min = (read(element) for element in segment)
        if rate_per_min <= 0.0:
            raise Unfit(
                f"segment {place} has rate {number(rate_per_min)}: choose one above 0, up or down alike"
            )
        if not 0.0 <= soak_min <= WEEK_MIN:
            raise Unfit(f"segment {place} soaks {number(soak_min)} min: choose 0 to {WEEK_MIN}")
        return [target, rate_per_min, soak_min]


PROGRAMME = {
    "loop": Reference("the loop whose set-point it leads", "loop"),
    "segments": Segments("ramps and soaks, one after the other; targets within the loop's set-point limits"),
    "wait_within": Number(
        "while the process value is further than this from the set-point, the ramp stands still and the soak "
        "is not counted",
        0,
        WIDEST,
        above=True,
        default=OPTIONAL,
    ),
}

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
    "mode": (
        "putting a loop into automatic or manual",
        {"loop": _LOOP, "modes": Words("the modes that may be asked for", MODES, default=list(MODES))},
    ),
    "output": (
        "moving the hand of a loop that is in manual; the guard limits it like any demand",
        {
            "loop": _LOOP,
            "low": Number("nothing below this is accepted from afar", 0, 100, "%"),
            "high": Number("nothing above this is accepted from afar", 0, 100, "%"),
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
    Table("programme", "ramps and soaks that lead the set-point of a loop", PROGRAMME),
    Table("remote", "commands from afar, off without this table: docs/commands.md", REMOTE, named=False),
    Table("remote.allow", "one thing that is allowed from afar", ALLOW, "action", ALLOW_ACTIONS),
)
