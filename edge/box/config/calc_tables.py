"""The tables of calculated signals and of conditions."""

from edge.box.config.chain_fields import Points
from edge.box.config.fields import (
    OPTIONAL,
    Choice,
    Field,
    Integer,
    Number,
    Numbers,
    Reference,
    References,
    Unfit,
    Unit,
)

DAY_S = 86400
POWERS = (-1.0, -0.5, 0.5, 1.0, 2.0)


class Powers(Numbers):
    """A list of powers."""

    def expected(self) -> str:
        return "a list of powers, each -1, -0.5, 0.5, 1 or 2"

    def read(self, value) -> list:
        powers = Numbers.read(self, value)
        if any(power not in POWERS for power in powers):
            raise Unfit("choose among those")
        return powers


_OF = References("what it reads", "value")
_ONE = Reference("what it reads", "value")
_APART_AFTER = Number("it must be so for so long", 0, DAY_S, "s", default=60.0)
CALC = {"unit": Unit("the unit of the result")}
CALC_KINDS = {
    "vote": (
        "one value from several measurements of the same quantity",
        {
            "of": References("the points", "value", most=12),
            "take": Choice("what counts of the usable points", ("median", "lowest", "highest")),
            "with_two": Choice(
                "of an even number of points, which of the middle two: the side of the danger",
                ("lower", "higher"),
                default="lower",
            ),
            "least": Integer("with fewer usable points the result is bad", 1, 12, default=1),
            "apart": Number(
                "a point further than this from the others is left out, and told; none without it",
                0,
                above=True,
                default=OPTIONAL,
            ),
            "apart_after_s": _APART_AFTER,
        },
    ),
    "sum": (
        "constant + the sum of the values, each times its weight",
        {
            "of": _OF,
            "weights": Numbers(
                "one weight for each value; they carry the conversion of units", default=OPTIONAL
            ),
            "constant": Number("what is added", default=0.0),
        },
    ),
    "product": (
        "factor x the product of the values, each to its power",
        {
            "of": _OF,
            "powers": Powers("one power for each value; 1 without it", default=OPTIONAL),
            "factor": Number("the factor; it carries the conversion of units", default=1.0),
        },
    ),
    "table": (
        "a curve through points, straight between them, held beyond the ends",
        {"of": _ONE, "points": Points("the points [value, result]")},
    ),
    "filter": (
        "the value in time",
        {
            "of": _ONE,
            "does": Choice(
                "lag and lead_lag smooth; mean over time_s; rate of change per minute; median of the last "
                "length readings; delay by time_s",
                ("lag", "lead_lag", "mean", "rate", "median", "delay"),
            ),
            "time_s": Number("its time; not for median", 0, DAY_S, "s", default=OPTIONAL, above=True),
            "lead_s": Number("the lead of lead_lag", 0, DAY_S, "s", default=OPTIONAL),
            "length": Integer("readings of the median", 3, 31, default=OPTIONAL),
        },
    ),
    "lambda": (
        "the air ratio from O2",
        {
            "o2": Reference("O2, in %, wet or dry", "value"),
            "gas_ratio": Number("stoichiometric flue gas / air of the fuel, wet for wet O2", 0.5, 3),
        },
    ),
    "heat_release": (
        "the heat that the air releases, in MW: air x heat of its Nm3 / lambda",
        {
            "air": Reference("all dry air that goes in, in Nm3/s", "value"),
            "lambda": Reference("the air ratio behind it", "value"),
            "heat_per_air_mj": Number("heating value / stoichiometric air of the fuel", 1, 6, "MJ/Nm3"),
        },
    ),
    "heating_value": (
        "what the fuel is worth, learned slowly from heat and feed, in MJ/kg",
        {
            "heat": Reference("the heat released, in MW", "value"),
            "feed": Reference("the fuel fed, in kg/s", "value"),
            "start": Number("to begin with", 0, 100, "MJ/kg", above=True),
            "low": Number("never below", 0, 100, "MJ/kg", above=True),
            "high": Number("never above", 0, 100, "MJ/kg", above=True),
            "time_s": Number("it averages over so long", 60, DAY_S, "s", default=7200.0),
            "residence_s": Number("fuel burns so long after it was fed", 0, DAY_S, "s", default=2400.0),
            "feed_least": Number("below this there is nothing to judge by", 0, 1e6, "kg/s", above=True),
        },
    ),
    "residence": (
        "the time of the gas in a section, in s",
        {
            "flow": Reference("the flue gas, in Nm3/s", "value"),
            "temperature": Reference("its temperature, in degC", "value"),
            "volume_m3": Number("the section", 0, 1e6, "m3", above=True),
            "least_s": Number(
                "refuse the file where the highest flow at the highest temperature is faster than this",
                0,
                3600,
                "s",
                default=2.0,
            ),
        },
    ),
}

_MOVE = "the value {} by more than this within in_s, while `when` is on"
_REST = "the value {} by less than this although `when` has lasted in_s"


def _number(meaning: str) -> Field:
    return Number(meaning, default=OPTIONAL)


def condition(if_bad: str, permit: bool = False) -> dict:
    """The keys of a condition; ``if_bad`` the default of that key."""
    acts = "the permit goes" if permit else "it acts"
    return {
        "signal": Reference("the value that is watched", "value", default=OPTIONAL),
        "all": References("on when all of these states are", "state", default=OPTIONAL),
        "any": References("on when any of these states is", "state", default=OPTIONAL),
        "not": Reference("on when this state is not", "state", default=OPTIONAL),
        "above": _number("on above this"),
        "below": _number("on below this"),
        "dead_band": Number(
            "it is left only by so much; this or a reset value is required", 0, default=OPTIONAL, above=True
        ),
        "reset_below": _number("of above: it is left only below this"),
        "reset_above": _number("of below: it is left only above this"),
        "repeats": Integer("on after so many equal readings: stuck", 3, 100000, default=OPTIONAL),
        "rises_more_than": _number(_MOVE.format("rises")),
        "falls_more_than": _number(_MOVE.format("falls")),
        "rises_less_than": _number(_REST.format("rises")),
        "falls_less_than": _number(_REST.format("falls")),
        "in_s": Number("the time of the four", 1, DAY_S, "s", default=OPTIONAL),
        "when": Reference("only while this state is on", "state", default=OPTIONAL),
        "on_after_s": Number("on after so long", 0, DAY_S, "s", default=0.0),
        "off_after_s": Number("off after so long", 0, DAY_S, "s", default=0.0),
        "beyond_range": Choice(
            "a reading at the end of its range counts as beyond a limit on that side, or as bad",
            ("counts", "bad"),
            default="counts",
        ),
        "if_bad": Choice(
            f"where it can't be judged, {acts} or stands as it was", ("acts", "stands"), default=if_bad
        ),
    }
