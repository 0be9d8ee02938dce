"""docs/instruments.md, made again by: python docs/make_instruments.py

From the register maps (tests/node/devices/maps), the drivers and the emulated instruments.
"""

import importlib
import inspect
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from edge.box.config.families import BY_HAND, BY_ITSELF, BY_NODE, FAMILIES, NEVER  # noqa: E402
from edge.emulator.instruments import table as emulated  # noqa: E402
from edge.emulator.instruments.instrument import Instrument  # noqa: E402
from edge.node.devices import table as drivers  # noqa: E402
from tests.node.devices import maps  # noqa: E402

PAGE = HERE / "instruments.md"

HEAD = """# Instruments

<!-- Written by: python docs/make_instruments.py -->

What is known of each instrument, and from where. *Read* stands in the maker's document that is named, on
that page. **Assumed** does not: it was taken from a sister, from somebody else's list or from memory, or the
document leaves it open. Check what is assumed on the instrument before a plant depends on it. Driver and
emulation share these maps, and so agree where both are wrong.

What all drivers do: when an instrument answers for the first time, or again after a power cycle, an exchange
or a silence, its settings are read before anything else. Those of wiring and range must be as the node file
says; the rest (watchdog, safe values) is written where it differs. Until then its signals are bad and its
outputs are not driven. What it is driven to is taken over from where it stands. What doesn't stay when it is
written is told, and not written on and on.

Keys and channels of each type: [node-file.md](node-file.md). A node and a plant with all of them:
[all_types](../tests/node/devices/all_types/node.toml).

| type | instrument | speaks | without its node |
|---|---|---|---|
"""

DESCRIBED = """
## Any other Modbus device

Type `modbus`: the node file has a table for each register, and the plant file too. Two readings of a meter
whose manual says "40101-40102, float, low word first, 7F7FFFFF if there is none" and "40110 bits 4-6: state":

    [device.meter]
    type = "modbus"
    bus = "field"
    unit = 5
    period_ms = 1000
    pause_ms = 20               # the manual: "allow 20 ms after each response"
    max_registers = 16          # "at most 16 registers per request"

    [device.meter.register.flow]
    role = "read"
    table = "holding"
    address = 100               # 40101 is the 101st, and the first is 0
    type = "f32"
    byte_order = "CDAB"
    bad = ["0x7F7FFFFF"]        # in quotes: its bits
    unit = "Nm3/h"

    [device.meter.register.state]
    role = "read"
    table = "holding"
    address = 109
    type = "u16"
    bit = 4
    bits = 3
    period_ms = 10000           # not as often as the rest
    unit = ""
"""

EMULATED = """
The emulated device, in a plant file:
"""

REGISTERS = """
| register | name | | unit | scale | types | source | page | |
|---|---|---|---|---|---|---|---|---|
"""

COMMANDS = """
## DCON commands

`AA` is the address, two hexadecimal digits, behind the character that leads. Commands carry a checksum where
the node file says so.

| command | answer | meaning | types | source | page | |
|---|---|---|---|---|---|---|
"""

LEASES = {
    None: "",
    BY_NODE: "goes to its safe values after `lease_ms`",
    BY_HAND: "goes to its safe values after `lease_ms`, if somebody armed it with its tool (`armed`)",
    BY_ITSELF: "goes back to its own operation after 120 s",
    NEVER: "**stays where it is**",
}


def page() -> str:
    """The whole page as Markdown."""
    parts = [HEAD]
    for name, family in FAMILIES.items():
        speaks = "Modbus, DCON" if family.dcon else "Modbus"
        parts.append(f"| `{name}` | {family.meaning} | {speaks} | {LEASES[family.lease]} |\n")
    for module in dict.fromkeys(drivers.FAMILIES.values()):
        if module != "modbus_device":
            parts.append(_family(module))
    parts.append(_section("icpdas", "What ICP DAS modules have in common", ["icpdas", "icpdas_dcon"], []))
    notes = [_notes(module) for module in ("modbus_device", "register_codec", "register_blocks")]
    emulated_so = _notes("modbus_device", "edge.emulator.instruments.")
    parts.append(DESCRIBED + "".join(notes) + EMULATED + emulated_so + _faults(["modbus"]))
    parts.append(COMMANDS)
    for row in maps.rows(maps.COMMANDS):
        answer = f"`{row['reply']}`" if row["reply"] else "none"
        cells = [f"`{row['command']}`", answer, row["meaning"], row["models"].replace(" ", ", ")]
        parts.append(_row([*cells, row["source"], row["page"], _status(row)]))
    return "".join(parts)


def _family(module: str) -> str:
    types = [kind for kind, family in drivers.FAMILIES.items() if family == module]
    title = ", ".join(FAMILIES[kind].meaning.partition(":")[0] for kind in types)
    notes = [module] + ([module + "_dcon"] if FAMILIES[types[0]].dcon else [])
    return _section(module, title, notes, types)


def _section(name: str, title: str, notes: list, types: list) -> str:
    """A family: what its drivers say of their sources, what the emulator can do to it, its registers."""
    text = f"\n## {title[0].upper()}{title[1:]}\n"
    if types:
        text += "\nTypes " + ", ".join(f"`{kind}`" for kind in types) + ".\n"
    text += "".join(_notes(module) for module in notes) + _faults(types)
    text += REGISTERS
    for row in maps.rows(name):
        first, count = row["number"], int(row["count"])
        last = str(int(first) + count - 1).zfill(len(first))
        cells = [first if count == 1 else f"{first}-{last}", row["name"], row["access"], row["unit"]]
        cells += [row["scale"], row["models"].replace(" ", ", "), row["source"], row["page"], _status(row)]
        text += _row(cells)
    return text


def _notes(module: str, package: str = "edge.node.devices.") -> str:
    """The text of a driver's module without its first paragraph, which is its title."""
    found = importlib.import_module(package + module)
    paragraphs = inspect.getdoc(found).split("\n\n")[1:]
    text = "".join(f"\n{paragraph}\n" for paragraph in paragraphs)
    return text.replace("~", "\\~").replace("*", "\\*").replace("``", "`")


def _faults(types: list) -> str:
    """The faults that an emulated instrument has beside those that all have."""
    own = {
        kind: [fault for fault in emulated.TYPES[kind].FAULTS if fault not in Instrument.FAULTS]
        for kind in types
    }
    if not any(own.values()):
        return ""
    told = ", ".join(f"`{fault}`" for fault in own[types[0]])
    assert all(faults == own[types[0]] for faults in own.values()), own
    return f"\nFaults in the emulator beside [those of all](bench-testing.md#faults): {told}.\n"


def _status(row: dict) -> str:
    return "read" if row["status"] == "read" else "**assumed**"


def _row(cells: list) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
