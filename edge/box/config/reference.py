"""The reference of the node file, written from the tables that check it.

python -m edge.box.config.reference > docs/node-file.md
"""

from edge.box.config.families import BY_HAND, BY_ITSELF, BY_NODE, FAMILIES, NEVER, THERMOCOUPLES
from edge.box.config.fields import LONGEST_NAME, OPTIONAL, REQUIRED, WIDEST, Field
from edge.box.config.problems import NodeFileError, number, shown
from edge.box.config.schema import check
from edge.box.config.tables import SCHEMA, TABLES, Table
from edge.box.config.units import UNITS

INTRODUCTION = """\
# The node file

<!-- Written by: python -m edge.box.config.reference > docs/node-file.md -->

A node is described by one TOML file. `furnace-edge check NODE.toml` says what is wrong with it, and what
it makes of a node; `furnace-edge run` starts from no file with a problem. A board gets the same description
as JSON, written by `furnace-edge check NODE.toml --write NODE.json`: two lines, the first with the schema
version and the SHA-256 of the second. A board refuses any other schema and any changed byte.

The way of one value: device -> signal -> calc -> loop and block -> interlock and trip -> output -> device. What a
loop asks for is a demand; `to` names its one taker, which answers what became of it: [blocks.md](blocks.md).

A complete example is [bishkek.toml](../edge/box/nodes/bishkek.toml).

## Rules for the whole file

- `schema = %(schema)d` stands above the first table.
- `[bus.NAME]` and the like make one entry each; a name has 1 to %(longest)d letters, digits, `-` or `_`.
- A key that nobody reads is an error. So is a number in quotes, `true` or `false` for a number, `inf`,
  `nan`, and a number beyond +-%(widest)s.
- Signals and calcs share their names. Whatever reads (`pv`, `of`, `signal`, `forward`, keys that end in `_from`)
  names a signal, a calc, or one of `output.NAME` (the value that the guard applied last), `loop.NAME` and
  `select.NAME` (their demands), `loop.NAME.set_point`, `state.NAME` (1 or 0), `level2.NAME`,
  `programme.NAME.set_point`, `programme.NAME.rate` (per minute) and `programme.NAME.EVENT` (1 or 0). Calcs never
  run in a circle.
- Blocks are worked masters first; a block that reads a demand or an output reads the one of the last tick.
- A limit that could never act is an error: set-points, thresholds of burners and conditions lie inside the range
  in which their signal can be good. For a calc it follows from what it reads.
- A 4-20 mA signal follows NAMUR NE 43: 3.8 to 20.5 mA measures, below 3.6 and above 21 mA is a failure; between, the
  value is that of the end, uncertain, and counts as beyond a limit on that side.
- What can't be meant so is an error too: two votes of one sensor, a trip or permit where a thermocouple is
  blind (B below 600 degC, R and S below 500), a set-point or programme target beyond its trip, a loop that is
  faster than its data, a PID on a channel that switches, an integral time below a tick, a bus that can't even
  be read in time.
- A password does not stand in the file, only the name of the file or of the systemd credential that holds it.
- Without `[report.mqtt]` nothing is sent. With it the plain JSON topics are on, Sparkplug and Home Assistant
  where they have a table; each has a connection of its own. A broker on another machine needs TLS.
- Names of files and folders are those of the machine that the node runs on.

Every problem is told with its line, all of them in one go:

```
%(example)s
```

Warnings stop nothing: a device that nobody reads, a bus without a device, a lease that one lost frame can
end, an interlock or trip on an output that holds, a line that is full, a heater that no trip cuts, a trip
that only a sensor blind in the cold can raise, gains, times and rates that nobody tunes with.

## Files of schema 1

Version 0.1.0 read `schema = 1`. Write `schema = 2`, then let `furnace-edge check` name what is left, line by line:

| schema 1 | schema 2 |
|---|---|
| calc `section_minimum`, `sections = [[a1, a2], [b1, b2]]` | one `vote` for each section with `take = \
"median"`; one over them with `take = "lowest"`, `least` = how many sections |
| calc `maximum`, `minimum`, `median` | `vote` with `take = "highest"`, `"lowest"`, `"median"` |
| calc `lambda_wet`, `of = ["o2"]` | `lambda`, `o2 = "o2"` |
| calc `weighted_sum` | `sum` |
| loop: `output = "x"` | `to = "output.x"` |
| loop: `feed_forward = "x"`, `feed_forward_gain = 1.0` | `forward = [["x", 1.0]]` |
| loop of kind `trim` with `of`, `ratio`, `output`, `trim_low`, `trim_high` | two loops: a `ratio` with `of`, \
`ratio` and `to = "output.x"`; a `trim` with `low`, `high`, `hold_s` and `to = "loop.RATIO"` |
| loop of kind `burner` | as well `running` and `lockout`, signals of its burner control, and `release`, the \
output that starts it |
| interlock: `on_at_least`, `off_below` | `above` with `dead_band`, or with `reset_below` |
| trip, alarm: `after_s` | `on_after_s`, and `dead_band` or a reset value; `off_after_s` against chatter |
| programme: `loop = "x"` | in the loop: `set_point_from = "programme.NAME"` |
| programme: `segments = [[600, 5, 30]]` | `[{ to = 600, at_per_min = 5 }, { stay_min = 30 }]` |
| programme: `wait_within` of soaks | `within` of each soak; `wait_within` is for ramps |
| programme | as well `after_power_cut`; it starts from the process value unless `start = "set_point"` |

What a condition does that can't be judged is said by `if_bad`: interlocks and trips act, alarms stand as they were.

## Tables
"""

DEVICES_INTRODUCTION = """
## Device types

Registers and commands, and what of them is assumed, are in [instruments.md](instruments.md).

A digital input is a signal of 0 or 1 with a quality as any other: write `unit = ""`, `low = 0`, `high = 1`. A
digital output is on where its demand is 50 % or more, and its `safe` is 0 or 100.

Every device has five more inputs, which tell of its line in the last minute: `bus.load`, the share of the
line's time in % that it takes, `bus.line_load`, that of all devices on its line, `bus.errors`, its requests
that failed, `bus.late`, its replies that came after their time-out, and `bus.foreign`, requests of another master.
"""

SENSORS_INTRODUCTION = """\
- Sensors, thermocouples in the range of their ITS-90 function. A signal with `4-20mA` has a unit of its own
  and needs `at_4ma` and `at_20ma`. `0-20mA` is given in mA as it is: it can't tell a broken wire from 0.

"""

THERMOCOUPLES_INTRODUCTION = """\
- Sensors, in the range that the module has for them:

"""

UNITS_INTRODUCTION = """
## Units

A unit is written as here; another spelling is an error that names the right one.

| unit | |
|---|---|
"""

_EXAMPLE = b"""schema = 2
node = {site = "bishkek", name = "line 1"}
bus.field = {port = "/dev/ttyS1", baud = 38000, framing = "8N1", timeout_ms = 60}
[device.roof]
type = "m7019r"
bus = "feild"
unit = 1
perod_ms = 250
"""


def page() -> str:
    """The whole page as Markdown."""
    facts = {"schema": SCHEMA, "widest": number(WIDEST), "longest": LONGEST_NAME, "example": _example()}
    parts = [INTRODUCTION % facts]
    for table in TABLES.values():
        parts.append(_table(table))
    parts.append(_families())
    parts.append(
        UNITS_INTRODUCTION + "".join(f"| `{shown(name)}` | {text} |\n" for name, text in UNITS.items())
    )
    return "".join(parts)


def _example() -> str:
    try:
        check("line1.toml", _EXAMPLE)
    except NodeFileError as error:
        return str(error)
    raise AssertionError("the example of a wrong file is right")


def _table(table: Table) -> str:
    head = f"[{table.name}.NAME]" if table.named else f"[{table.name}]"
    needed = ", at least one" if table.required and table.named else ", required" if table.required else ""
    text = f"\n### `{head}`\n\n{table.meaning[0].upper()}{table.meaning[1:]}{needed}.\n\n"
    keys = dict(table.keys)
    if table.chooser:
        keys = {table.chooser: table.fields()[table.chooser], **keys}
    text += _keys(keys)
    for kind, (meaning, kind_keys) in table.kinds.items():
        text += f'\n`{table.chooser} = "{kind}"`: {meaning}.'
        text += f" Its own keys:\n\n{_keys(kind_keys)}" if kind_keys else "\n"
    for kind in table.below:
        for key, below in table.below[kind].items():
            text += _below(table, kind, key, below)
    return text


def _below(table: Table, kind: str, key: str, below: Table) -> str:
    """The section of tables that stand below an entry of one kind."""
    text = f"\n#### `[{table.name}.NAME.{key}.{key.upper()}]`\n\n"
    text += f"{below.meaning[0].upper()}{below.meaning[1:]} of {table.chooser} `{kind}`.\n\n"
    text += _keys({below.chooser: below.fields()[below.chooser], **below.keys})
    for role, (meaning, keys) in below.kinds.items():
        text += f'\n`{below.chooser} = "{role}"`: {meaning}. Its own keys:\n\n{_keys(keys)}'
    return text


def _keys(keys: dict) -> str:
    rows = ["| key | value | default | meaning |", "|---|---|---|---|"]
    for key, field in keys.items():
        rows.append(f"| `{key}` | {_cell(field.expected())} | {_default(field)} | {_cell(field.meaning)} |")
    return "\n".join(rows) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _default(field: Field) -> str:
    if field.default is REQUIRED:
        return "required"
    if field.default is OPTIONAL:
        return "none"
    return f"`{number(field.default) if isinstance(field.default, float) else shown(field.default)}`"


LEASES = {
    BY_NODE: "the node arms it and refreshes it",
    BY_HAND: "somebody arms it with the device's tool, on the day that `armed` says; the node verifies that "
    "it is armed, and refreshes it",
}


def _families() -> str:
    text = DEVICES_INTRODUCTION
    for name, family in FAMILIES.items():
        text += f"\n### `{name}`\n\n{family.meaning[0].upper()}{family.meaning[1:]}.\n\n"
        if family.described:
            text += "- Inputs: its registers with the role `read` or `write`.\n"
            text += "- Channels: its registers with the role `write`, in %.\n"
        else:
            units = family.units()
            text += "- Inputs: " + _inputs(family, units) + ".\n"
        if family.outputs():
            names = ", ".join(f"`{name}`" for name in family.outputs())
            text += f"- Channels: {names}, in %{', on from 50 % on' if family.digital else ''}.\n"
        if family.lease:
            text += f"- Lease: {_lease(family)}.\n"
        if family.dcon:
            text += "- Modbus RTU or DCON.\n"
        if family.sensors:
            text += _sensors(family)
    return text


def _lease(family) -> str:
    if family.lease == NEVER:
        return "none: when the node dies its outputs stay where they are"
    if family.lease == BY_ITSELF:
        return "a command holds for 120 s; then the device goes on by itself, which is not off"
    low, high, step = family.lease_ms
    end = "takes its safe value or holds" if family.holds else "takes its safe value"
    return f"{low} to {high} ms in steps of {step} ms; {LEASES[family.lease]}; when it ends the device {end}"


def _sensors(family) -> str:
    text = SENSORS_INTRODUCTION if "4-20mA" in family.sensors else THERMOCOUPLES_INTRODUCTION
    text += "| sensor | from | to | unit |\n|---|---|---|---|\n"
    for sensor, (low, high, unit) in family.sensors.items():
        label = f"`{sensor}`" + (" thermocouple" if sensor in THERMOCOUPLES else "")
        text += f"| {label} | {number(low)} | {number(high)} | {unit} |\n"
    return text


def _inputs(family, units: dict) -> str:
    names = family.inputs()
    return ", ".join(f"`{name}`" + (f" in {units[name]}" if units.get(name) else "") for name in names)


if __name__ == "__main__":
    print(page(), end="")
