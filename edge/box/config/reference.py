"""The reference of the node file, written from the tables that check it.

python -m edge.box.config.reference > docs/node-file.md
"""

from edge.box.config.families import FAMILIES, THERMOCOUPLES
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

The way of one value: device -> signal -> calc -> loop -> interlock and trip -> output -> device.

A complete example is [bishkek.toml](../edge/box/nodes/bishkek.toml).

## Rules for the whole file

- `schema = %(schema)d` stands above the first table.
- `[bus.NAME]` and the like make one entry each; a name has 1 to %(longest)d letters, digits, `-` or `_`.
- A key that nobody reads is an error. So is a number in quotes, `true` or `false` for a number, `inf`,
  `nan`, and a number beyond +-%(widest)s.
- Signals and calcs share their names. `pv`, `feed_forward`, `signal` and the `of` of a loop name a signal,
  a calc, or an output as `output.NAME`, which is the value that the guard applied last. `of` and `sections`
  of a calc name signals and calcs, and never run in a circle.
- Loops are worked from top to bottom.
- A limit that could never act is an error: set-points, thresholds of burners, interlocks, trips and alarms
  lie inside the range in which their signal can be good. For a calc it follows from what it reads.
- A password does not stand in the file, only the name of the file that holds it.

Every problem is told with its line, all of them in one go:

```
%(example)s
```

Warnings stop nothing: a device that nobody reads, a bus without a device, a lease that one lost frame can
end, an interlock or trip on an output that holds, a line that is full.

## Tables
"""

SENSORS_INTRODUCTION = """\
- Sensors, thermocouples in the range of their ITS-90 function. A signal with `4-20mA` has a unit of its own
  and needs `at_4ma` and `at_20ma`. `0-20mA` is given in mA as it is: it can't tell a broken wire from 0.

| sensor | from | to | unit |
|---|---|---|---|
"""

UNITS_INTRODUCTION = """
## Units

A unit is written as here; another spelling is an error that names the right one.

| unit | |
|---|---|
"""

_EXAMPLE = b"""schema = 1
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


def _families() -> str:
    text = "\n## Device types\n"
    for name, family in FAMILIES.items():
        text += f"\n### `{name}`\n\n{family.meaning[0].upper()}{family.meaning[1:]}.\n\n"
        text += "- Inputs: " + ", ".join(_input(family, name) for name in family.inputs) + ".\n"
        if family.outputs:
            low, high, step = family.lease_ms
            end = "takes its safe value or holds" if family.holds else "takes its safe value"
            text += "- Channels: " + ", ".join(f"`{name}`" for name in family.outputs) + ", in %.\n"
            text += f"- Lease: {low} to {high} ms in steps of {step} ms; when it ends the device {end}.\n"
        if family.sensors:
            text += SENSORS_INTRODUCTION
            for sensor, (low, high, unit) in family.sensors.items():
                label = f"`{sensor}`" + (" thermocouple" if sensor in THERMOCOUPLES else "")
                text += f"| {label} | {number(low)} | {number(high)} | {unit} |\n"
    return text


def _input(family, name: str) -> str:
    unit = family.units.get(name)
    return f"`{name}`" + (f" in {unit}" if unit else "")


if __name__ == "__main__":
    print(page(), end="")
