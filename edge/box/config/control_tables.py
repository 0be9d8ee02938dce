"""The tables of control: outputs, loops and the blocks between them, programmes, autotunes."""

from edge.box.config.chain_fields import (
    Forwards,
    IfBad,
    NumberOrList,
    Parts,
    Points,
    Policies,
    Segments,
    Taker,
)
from edge.box.config.fields import (
    OPTIONAL,
    Choice,
    Level,
    Number,
    Numbers,
    Reference,
    Switch,
    Text,
    Unit,
)
from edge.box.config.table import Table

DAY_S = 86400

OUTPUT = {
    "device": Reference("the device that drives it", "device"),
    "channel": Text("the output of that device"),
    "unit": Choice("the unit", ("%",)),
    "low": Number("the lowest value that control may ask for", 0, 100, "%", default=0.0),
    "high": Number("the highest value that control may ask for", 0, 100, "%", default=100.0),
    "rate_per_s": Number("the fastest change; 0 for any", 0, 1000, "%/s", default=0.0),
    "safe": Level(
        "when the node, the line or a signal fails that it depends on: a value from low to high, or 0, "
        'or "hold" where the device itself can hold',
        0,
        100,
        "%",
    ),
    "drive": Choice(
        "how it reaches the device: as it is, in pulses of a cycle, or on and off. A switch that no demand "
        "points to, a contactor, is on while nothing holds it",
        ("analogue", "time_proportioned", "switch"),
        default="analogue",
    ),
    "characteristic": Points(
        "of an analogue drive: the position for a value, both in %", monotone=True, default=OPTIONAL
    ),
    "cycle_s": Number("of time_proportioned: a cycle, at least ten ticks", 0, 3600, "s", default=OPTIONAL),
    "min_on_s": Number("of time_proportioned: the shortest pulse", 0, 3600, "s", default=0.0),
    "min_off_s": Number("of time_proportioned: the shortest pause", 0, 3600, "s", default=0.0),
    "dead_band": Number("of a switch: between on and off, around 50 %", 0, 90, "%", default=10.0),
    "fuel": Switch("it lets fuel in; loops to it and cross-limits say so by themselves", default=False),
}

LOOP = {
    "to": Taker("what takes its demand: output.NAME, loop.NAME, select.NAME, cross_limit.NAME, split.NAME"),
    "unit": Unit("the unit of its demand; that of the taker without it", default=OPTIONAL),
}
_RANGE = {
    "low": Number("the lowest demand; that of the taker without it", default=OPTIONAL),
    "high": Number("the highest demand; that of the taker without it", default=OPTIONAL),
}
_IF_BAD = {
    "if_bad": IfBad(
        "when it can't see: refuse, and the output goes to its safe value; hold; go on with the feed-forward "
        "and the last integral; or ask for this",
        ("refuse", "hold", "forward"),
        default="refuse",
    )
}
_LIMITS = {
    "set_point_low": Number("no set-point below this; the range of pv without it", default=OPTIONAL),
    "set_point_high": Number("no set-point above this; the range of pv without it", default=OPTIONAL),
}
_SET_POINT = {
    "pv": Reference("the process value", "value"),
    "set_point": Number(
        "what the process value shall be; of a slave: when its master refuses", default=OPTIONAL
    ),
    "set_point_from": Reference("a value or a programme that gives the set-point", "value", default=OPTIONAL),
    "set_point_old_s": Number(
        "a value older than this is not followed; 0 for any age", 0, DAY_S, "s", default=0.0
    ),
    **_LIMITS,
}
_GAIN = Number("in units of the demand per unit of the process value", 0, 1e6, above=True)
_TI = Number("integral time", 0, 1e6, "s", above=True)
LOOP_KINDS = {
    "pid": (
        "a PID controller: alone, master or slave",
        {
            **_SET_POINT,
            "action": Choice(
                "reverse: the demand rises when the process value is below the set-point",
                ("reverse", "direct"),
            ),
            "gain": NumberOrList(_GAIN.meaning, 0, 1e6, above=True),
            "ti_s": NumberOrList("integral time; 0 switches it off", 0, 1e6, "s"),
            "td_s": NumberOrList("derivative time; 0 switches it off", 0, 1e6, "s", default=0.0),
            "b": Number("set-point weight of the proportional part", 0, 1, default=1.0),
            "c": Number("set-point weight of the derivative part", 0, 1, default=0.0),
            "n": Number("filter of the derivative: td_s / n", 1, 100, default=10.0),
            "tt_s": Number("tracking time against wind-up; 0 for ti_s", 0, 1e6, "s", default=0.0),
            "dead_band": Number("no action within this around the set-point", 0, default=0.0),
            "schedule": Reference("gain, ti_s and td_s by this value", "value", default=OPTIONAL),
            "at": Numbers("the values for which they are given, rising", default=OPTIONAL),
            "forward": Forwards("values that are added to the demand, each times its gain", default=[]),
            "low_from": Reference(
                "the lowest demand from a value, within the range", "value", default=OPTIONAL
            ),
            "hold_unless_leading": Reference(
                "held while this loop does not lead", "loop_path", default=OPTIONAL
            ),
            **_RANGE,
            **_IF_BAD,
        },
    ),
    "ratio": (
        "the demand follows a value, or the demand that points to it: ratio x value x trim + bias",
        {
            "of": Reference(
                "the value that leads; none where a demand points here", "value", default=OPTIONAL
            ),
            "ratio": Number("the ratio", 0, 1e6, above=True),
            "bias": Number("what is added", default=0.0),
            **_RANGE,
            **_IF_BAD,
        },
    ),
    "trim": (
        "a factor, 1 when content, that corrects the ratio or the cross-limit that it points to",
        {
            **_SET_POINT,
            "gain": Number("factor per unit of the process value", 0, 1e6, above=True),
            "ti_s": _TI,
            "low": Number("the lowest factor, 1 or less", 0.01, 1),
            "high": Number("the highest factor, 1 or more", 1, 100),
            "hold_s": Number(
                "it waits for so long after it was held: the dead time of the analyser",
                0,
                3600,
                "s",
                above=True,
            ),
            "at_limit_told_after_s": Number("a factor at its limit is told", 0, DAY_S, "s", default=300.0),
        },
    ),
    "burner": (
        "an auxiliary burner that keeps a temperature: starts, modulates, stops",
        {
            "pv": Reference("the process value", "value"),
            "set_point": Number("what the process value shall be"),
            **_LIMITS,
            "release": Taker(
                "what releases the burner control: 100 % while the burner shall burn", default=OPTIONAL
            ),
            "running": Reference("1 while the burner control reports a proved main flame", "value"),
            "lockout": Reference("1 while the burner control is locked out", "value"),
            "start_falling_below": Number("it starts when the process value falls through this"),
            "start_below": Number("it starts when the process value is below this"),
            "stop_above": Number("it stops when the process value stays above this"),
            "stop_after_s": Number("for so long", 0, DAY_S, "s"),
            "minimum": Number("low fire: the lowest output while it runs, and for lighting", 0, 100, "%"),
            "lights_within_s": Number("it is told when it does not run by then", 1, 3600, "s", default=90.0),
            "gain": _GAIN,
            "ti_s": _TI,
            **_RANGE,
        },
    ),
}

SELECT = {
    "take": Choice("which of the demands that point to it", ("lowest", "highest")),
    "if_bad": Policies("for each input what it counts as when it is refused"),
    "to": Taker("what takes the demand"),
    "highest_to_fuel": Switch("the highest of several demands for fuel is meant", default=False),
}
CROSS_LIMIT = {
    "fuel": Reference("the measured fuel", "value"),
    "air": Reference("the measured air", "value"),
    "air_per_fuel": Number("stoichiometric air per unit of fuel", 0, 1e6, above=True),
    "lambda": Number("air ratio at trim 1", 0.5, 10, default=OPTIONAL),
    "lambda_from": Reference("the air ratio by load, a calc of kind table", "value", default=OPTIONAL),
    "lambda_min": Number("never less air than this, by the measured flows", 0.5, 10),
    "bands": Numbers("k1..k4 of double cross-limiting, such as [0.05, 0.10, 0.05, 0.10]", default=OPTIONAL),
    "air_min": Number("the least air", 0, 1e6, above=True),
    "fuel_to": Taker("what takes the demand for fuel"),
    "air_to": Taker("what takes the demand for air"),
}
SPLIT = {
    "parts": Parts("the takers"),
    "shares": Numbers("one share for each, in any unit"),
}
PROGRAMME = {
    "segments": Segments("ramps, jumps, soaks and repeats, one after the other"),
    "start": Choice("where it starts from", ("process_value", "set_point"), default="process_value"),
    "wait_within": Number(
        "a ramp stands still while the process value is further than this from the set-point",
        0,
        above=True,
        default=OPTIONAL,
    ),
    "at_end": Choice(
        "the set-point stays, or is taken away and the output goes to its safe value",
        ("hold", "off"),
        default="hold",
    ),
    "after_power_cut": Choice(
        "go on; stand still until a person says go_on; begin the segment anew from the process value; end",
        ("continue", "hold", "ramp_back", "abort"),
    ),
    "continue_if_within": Number("colder by no more than this it goes on all the same", 0, default=0.0),
}
AUTOTUNE = {
    "loop": Reference("the pid loop", "loop"),
    "swing": Number("the output goes so far either side of where it rests", 0, above=True),
    "hysteresis": Number("three times the noise of the process value", 0, above=True),
    "furthest": Number(
        "it ends when the process value is further than this from the set-point", 0, above=True
    ),
    "longest_min": Number("it ends after so long", 1, 10080, "min"),
    "settings": Choice("what becomes of the proposal: a person takes it", ("ask",), default="ask"),
}
PRESSURE_BALANCE = {
    "fan": Reference("the output of the induced-draught fan", "output"),
    "needs": Forwards("what it must draw at the safe values: [output.NAME, % of the fan per %]"),
    "at_rest": Number("what it must draw beside them", 0, 100, "%", default=0.0),
}

CONTROL_TABLES = (
    Table("output", "a value that is driven", OUTPUT),
    Table("loop", "a controller and its demand", LOOP, "kind", LOOP_KINDS),
    Table("select", "the lowest or highest of the demands that point to it", SELECT),
    Table("cross_limit", "fuel and air in step: air leads a rise, fuel leads a fall", CROSS_LIMIT),
    Table("split", "one demand over several takers, by shares, within the range of each", SPLIT),
    Table("programme", "ramps and soaks that lead the set-point of a loop", PROGRAMME),
    Table("autotune", "a relay experiment on a loop, started by a person", AUTOTUNE),
    Table("pressure_balance", "whether the safe values draw", PRESSURE_BALANCE, named=False),
)
