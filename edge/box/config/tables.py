"""Every table and key that a node file may hold. What is not listed here is an error."""

from edge.box.config.families import FAMILIES, HOUR_MS
from edge.box.config.fields import (
    OPTIONAL,
    Choice,
    Integer,
    Level,
    Name,
    Number,
    Numbers,
    Reference,
    References,
    Sections,
    Switch,
    Text,
    Unit,
)
from edge.box.config.remote_tables import REMOTE_TABLES
from edge.box.config.report_tables import REFUSED_KEYS as REFUSED_REPORT_KEYS
from edge.box.config.report_tables import REPORT_TABLES
from edge.box.config.table import Table

SCHEMA = 1
BAUDS = (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400)
FRAMINGS = ("8N1", "8E1", "8O1", "8N2")
FASTEST_TICK_MS = 50
SLOWEST_TICK_MS = 10000
DAY_S = 86400


NODE = {
    "site": Name("the plant, first part of every topic"),
    "name": Name("the node, second part of every topic"),
    "tick_ms": Integer("the period of control", FASTEST_TICK_MS, SLOWEST_TICK_MS, "ms", default=250),
}

BUS = {
    "port": Text("serial port: a device file, or the number of a UART on a board"),
    "baud": Choice("speed of the line in bit/s", BAUDS),
    "framing": Choice("data bits, parity, stop bits", FRAMINGS),
    "timeout_ms": Integer("from the end of a request to the first character of the reply", 5, 5000, "ms"),
    "late_ms": Integer("after a time-out a unit is left alone for so long", 0, 60000, "ms", default=1000),
    "echo": Switch("own bytes come back, as on some two-wire adapters", default=False),
    "rs485": Switch("the port's driver turns an RS-485 line; adapters do it by themselves", default=False),
}

DEVICE = {
    "bus": Reference("the line that it hangs on", "bus"),
    "unit": Integer("its Modbus unit id, once per bus", 1, 247),
    "period_ms": Integer("it is read so often", FASTEST_TICK_MS, HOUR_MS, "ms"),
    "timeout_ms": Integer("as that of its bus, where it needs its own", 5, 5000, "ms", default=OPTIONAL),
    "pause_ms": Integer(
        "after each of its replies it is asked nothing for so long", 0, 5000, "ms", default=OPTIONAL
    ),
    "retries": Integer(
        "so many more attempts may fail in a row before it counts as down", 0, 10, default=OPTIONAL
    ),
}


DEVICE_TYPES = {name: (family.meaning, family.keys) for name, family in FAMILIES.items()}

_PLACE = {
    "table": Choice("which of the four Modbus tables", ("coil", "discrete", "holding", "input")),
    "address": Integer("its data address, 0 for the first: 40001 is 0 of holding", 0, 65535),
    "type": Choice("what it holds", ("bit", "u16", "s16", "u32", "s32", "f32")),
    "word_order": Choice(
        "of two registers, which comes first", ("high_first", "low_first"), default="high_first"
    ),
}
_SCALED = {
    "scale": Number("value = register x scale + offset; not 0", default=1.0),
    "offset": Number("what is added", default=0.0),
}
_READING = {
    "unit": Unit("the unit of the value"),
    "bad": Numbers("register values that stand for no value; not a number always does", default=OPTIONAL),
}
REGISTER_ROLES = {
    "read": (
        "an input",
        {
            **_SCALED,
            **_READING,
            "bit": Integer("only this bit of an u16, 0 the lowest", 0, 15, default=OPTIONAL),
        },
    ),
    "write": (
        "an output, called by the register's name, and an input that reads it back",
        {
            **_SCALED,
            **_READING,
            "at_0": Number("the value at 0 %; a coil is off below 50 %", default=0.0),
            "at_100": Number("the value at 100 %", default=100.0),
            "actual": Text(
                "the register that tells where it stands, where it can't be read back", default=OPTIONAL
            ),
        },
    ),
    "setting": (
        "it must hold a value: verified when the link comes up, and written where it is wrong",
        {**_SCALED, "value": Number("that value")},
    ),
    "safe": (
        "it must hold the safe value of an output, as a setting",
        {"output": Text("the register of that output")},
    ),
    "lease": (
        "it must hold the lease_ms of the device, as a setting",
        {"unit_ms": Integer("what it counts", 1, 3600000, "ms")},
    ),
}
REGISTER = Table("register", "a register of the device", _PLACE, "role", REGISTER_ROLES)

SIGNAL = {
    "device": Reference("the device that reads it", "device"),
    "input": Text("the input of that device"),
    "sensor": Text("what is wired to the input, where the device can read several", default=OPTIONAL),
    "at_4ma": Number("the value at 4 mA", default=OPTIONAL),
    "at_20ma": Number("the value at 20 mA", default=OPTIONAL),
    "unit": Unit("the unit of the value"),
    "low": Number("below this the value is bad"),
    "high": Number("above this the value is bad"),
    "stale_ms": Integer(
        "older than this (or than period + time-out budget) the value is bad; more than two periods",
        100,
        2 * HOUR_MS,
        "ms",
    ),
}

_OF = References("the signals and calcs that it reads", "source")
CALC = {"unit": Unit("the unit of the result")}
CALC_KINDS = {
    "section_minimum": (
        "the median of the valid values of each section, and of these the lowest",
        {"sections": Sections("the signals of each section")},
    ),
    "maximum": ("the highest valid value", {"of": _OF}),
    "minimum": ("the lowest valid value", {"of": _OF}),
    "median": ("the median of the valid values", {"of": _OF}),
    "lambda_wet": (
        "the air ratio from wet O2",
        {
            "of": References("wet O2, in %", "source", most=1),
            "gas_ratio": Number("wet stoichiometric flue gas / air of the fuel", 0.5, 3),
        },
    ),
    "weighted_sum": (
        "the sum of the values, each times its weight",
        {"of": _OF, "weights": Numbers("one weight for each value; they carry the conversion of units")},
    ),
}

OUTPUT = {
    "device": Reference("the device that drives it", "device"),
    "channel": Text("the output of that device"),
    "unit": Choice("the unit", ("%",)),
    "low": Number("the lowest value that control may ask for", 0, 100, "%"),
    "high": Number("the highest value that control may ask for", 0, 100, "%"),
    "rate_per_s": Number("the fastest change", 0, 1000, "%/s", above=True),
    "safe": Level(
        "when the node, the line or a signal fails that it depends on: a value from low to high, or 0, "
        'or "hold" where the device itself can hold',
        0,
        100,
        "%",
    ),
}

_SET_POINT = {
    "pv": Reference("the process value", "value"),
    "set_point": Number("what the process value shall be"),
    "set_point_low": Number("no set-point below this is accepted"),
    "set_point_high": Number("no set-point above this is accepted"),
}
_GAIN = Number("proportional gain, in % of output per unit of the process value", 0, 1e6, above=True)
_TI = Number("integral time", 0, 1e6, "s", above=True)
LOOP = {"output": Reference("the output that it drives; each output has exactly one loop", "output")}
LOOP_KINDS = {
    "pid": (
        "a PID controller",
        {
            **_SET_POINT,
            "action": Choice(
                "reverse: the output rises when the process value is below the set-point",
                ("reverse", "direct"),
            ),
            "gain": _GAIN,
            "ti_s": Number("integral time; 0 switches it off", 0, 1e6, "s"),
            "td_s": Number("derivative time; 0 switches it off", 0, 1e6, "s", default=0.0),
            "b": Number("set-point weight of the proportional part", 0, 1, default=1.0),
            "feed_forward": Reference("a value that is added to the output", "value", default=OPTIONAL),
            "feed_forward_gain": Number("what that value is multiplied with", default=OPTIONAL),
        },
    ),
    "ratio": (
        "the output follows a value: ratio x value + bias",
        {
            "of": Reference("the value that leads", "value"),
            "ratio": Number("the ratio", 0, 1000, above=True),
            "bias": Number("what is added", -1000, 1000, "%", default=0.0),
        },
    ),
    "trim": (
        "the output follows a value, corrected by a slow controller: ratio x value x trim",
        {
            **_SET_POINT,
            "of": Reference("the value that leads", "value"),
            "ratio": Number("the ratio at trim 1", 0, 1000, above=True),
            "gain": Number("trim per unit of the process value", 0, 1e6, above=True),
            "ti_s": _TI,
            "trim_low": Number("the lowest trim, below 1", 0, 100),
            "trim_high": Number("the highest trim, above 1", 0, 100),
        },
    ),
    "burner": (
        "an auxiliary burner that keeps a temperature: starts, modulates, stops",
        {
            **_SET_POINT,
            "start_falling_below": Number("it starts when the process value falls through this"),
            "start_below": Number("it starts when the process value is below this"),
            "stop_above": Number("it stops when the process value stays above this"),
            "stop_after_s": Number("for so long", 0, DAY_S, "s"),
            "minimum": Number("the lowest output while it runs", 0, 100, "%"),
            "gain": _GAIN,
            "ti_s": _TI,
        },
    ),
}

INTERLOCK = {
    "signal": Reference("the value that permits", "value"),
    "on_at_least": Number("the permit comes at this value"),
    "on_after_s": Number("after so long", 0, DAY_S, "s"),
    "off_below": Number("the permit goes below this value, at once"),
    "outputs": References("the outputs that stand at their safe values without the permit", "output"),
}

_LIMIT = {
    "signal": Reference("the value that is watched", "value"),
    "above": Number("it acts above this; exactly one of above and below", default=OPTIONAL),
    "below": Number("it acts below this", default=OPTIONAL),
    "after_s": Number("after so long", 0, DAY_S, "s"),
}
TRIP = {**_LIMIT, "outputs": References("the outputs that go to their safe values until a reset", "output")}
ALARM = dict(_LIMIT)

TABLES = {
    table.name: table
    for table in (
        Table("node", "who the node is", NODE, named=False, required=True),
        Table("bus", "a serial line", BUS, required=True),
        Table(
            "device",
            "an instrument on a line",
            DEVICE,
            "type",
            DEVICE_TYPES,
            required=True,
            below={"modbus": {"register": REGISTER}},
        ),
        Table("signal", "a measured value", SIGNAL),
        Table("calc", "a value calculated from others", CALC, "kind", CALC_KINDS),
        Table("output", "a value that is driven", OUTPUT),
        Table("loop", "what drives an output; worked from top to bottom", LOOP, "kind", LOOP_KINDS),
        Table("interlock", "a permit that outputs need", INTERLOCK),
        Table("trip", "a limit that latches", TRIP),
        Table("alarm", "a limit that is told, and does nothing else", ALARM),
        *REMOTE_TABLES,
        *REPORT_TABLES,
    )
}

# Keys that people try, and why there is another way.
REFUSED_KEYS = dict(REFUSED_REPORT_KEYS)
