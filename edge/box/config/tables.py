"""Every table and key that a node file may hold. What is not listed here is an error."""

from edge.box.config.calc_tables import CALC, CALC_KINDS, condition
from edge.box.config.control_tables import CONTROL_TABLES
from edge.box.config.families import FAMILIES, HOUR_MS
from edge.box.config.fields import (
    OPTIONAL,
    Choice,
    Integer,
    Name,
    Number,
    Reference,
    References,
    Switch,
    Text,
    Unit,
)
from edge.box.config.register_tables import REGISTER
from edge.box.config.remote_tables import REMOTE_TABLES
from edge.box.config.report_tables import REFUSED_KEYS as REFUSED_REPORT_KEYS
from edge.box.config.report_tables import REPORT_TABLES
from edge.box.config.table import Table

SCHEMA = 2
BAUDS = (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400)
FRAMINGS = ("8N1", "8E1", "8O1", "8N2", "8E2", "8O2")
FASTEST_TICK_MS = 50
SLOWEST_TICK_MS = 10000


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

SIGNAL = {
    "device": Reference("the device that reads it", "device"),
    "input": Text("the input of that device"),
    "sensor": Text("what is wired to the input, where the device can read several", default=OPTIONAL),
    "at_4ma": Number("the value at 4 mA", default=OPTIONAL),
    "at_20ma": Number("the value at 20 mA", default=OPTIONAL),
    "unit": Unit("the unit of the value"),
    "low": Number("below this the value is bad"),
    "high": Number("above this the value is bad"),
    "repeats": Integer(
        "so many equal readings are a stuck instrument, where the input is noisy; 0 for any number",
        0,
        100000,
        default=0,
    ),
    "stale_ms": Integer(
        "older than this (or than period + time-out budget) the value is bad; more than two periods",
        100,
        2 * HOUR_MS,
        "ms",
    ),
}

LEVEL2 = {
    "unit": Unit("the unit of the value"),
    "low": Number("nothing below this is taken"),
    "high": Number("nothing above this is taken"),
}

INTERLOCK = {
    **condition("acts", permit=True),
    "outputs": References("the outputs that stand at their safe values without the permit", "output"),
}
TRIP = {
    **condition("acts"),
    "outputs": References("the outputs that go to their safe values until a reset", "output"),
}
ALARM = condition("stands")
STATE = condition("stands")

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
        Table("level2", "a value that a command from afar gives", LEVEL2),
        Table("calc", "a value calculated from others", CALC, "kind", CALC_KINDS),
        Table("state", "a condition with a name", STATE),
        *CONTROL_TABLES,
        Table("interlock", "a permit that outputs need", INTERLOCK),
        Table("trip", "a condition that latches", TRIP),
        Table("alarm", "a condition that is told, and does nothing else", ALARM),
        *REMOTE_TABLES,
        *REPORT_TABLES,
    )
}

# Keys that people try, and why there is another way.
REFUSED_KEYS = dict(REFUSED_REPORT_KEYS)
REFUSED_KEYS.update(
    {
        ("loop", "output"): 'the key \'output\' of schema 1; write to = "output.NAME"',
        ("loop", "feed_forward"): 'the key \'feed_forward\' of schema 1; write forward = [["NAME", GAIN]]',
        ("loop", "trim_low"): "the key 'trim_low' of schema 1; a trim is a loop of its own with low and high",
        ("loop", "trim_high"): "the key 'trim_high' of schema 1; a trim is a loop of its own with low and high",
        ("interlock", "on_at_least"): "the key 'on_at_least' of schema 1; write above and dead_band",
        ("interlock", "off_below"): "the key 'off_below' of schema 1; write reset_below",
        ("trip", "after_s"): "the key 'after_s' of schema 1; write on_after_s",
        ("alarm", "after_s"): "the key 'after_s' of schema 1; write on_after_s",
        ("programme", "loop"): 'the key \'loop\' of schema 1; the loop says set_point_from = "programme.NAME"',
    }
)
