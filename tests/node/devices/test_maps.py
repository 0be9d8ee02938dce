"""Every register map against the CSV transcribed from the data sheet, and the emulation against both."""

import inspect
import re

import pytest

from docs import make_instruments
from edge.emulator.instruments.adam4018 import Adam4018, Adam4118
from edge.emulator.instruments.adam4024 import Adam4024
from edge.emulator.instruments.adam4055 import Adam4055, Adam4056
from edge.emulator.instruments.digital import Contacts
from edge.emulator.instruments.eurotherm3200 import Eurotherm3200
from edge.emulator.instruments.m7019r import M7018, M7019R, Channel
from edge.emulator.instruments.m7024 import M7024
from edge.emulator.instruments.m7065 import M7055, M7065
from edge.emulator.instruments.o2_analyser import O2Analyser
from edge.emulator.instruments.s7800 import S7800
from edge.emulator.instruments.uk24mod import Uk24Mod
from edge.node.bus import modbus
from edge.node.devices import icpdas, table
from edge.node.devices.modbus_device import TABLES
from tests.node.devices import maps

WIRED = {"ai0": ("K", "t", 0.0)}
CHANNELS = {"ai0": Channel("K", "t")}
INSTRUMENTS = {
    "m7018": lambda: M7018("i", 1, 5, CHANNELS),
    "m7019r": lambda: M7019R("i", 1, 5, CHANNELS),
    "adam4018+": lambda: Adam4018("i", 1, 5, WIRED),
    "adam4118": lambda: Adam4118("i", 1, 5, WIRED),
    "m7024": lambda: M7024("i", 1, 5, {}),
    "adam4024": lambda: Adam4024("i", 1, 5, {}),
    "m7055": lambda: M7055("i", 1, 5, {}, Contacts([])),
    "m7065": lambda: M7065("i", 1, 5, {}, Contacts([])),
    "adam4055": lambda: Adam4055("i", 1, 5, {}),
    "adam4056": lambda: Adam4056("i", 1, 5, {}),
    "ach550": lambda: table_instrument(),
    "uk24mod": lambda: Uk24Mod("i", 1, 5, {"mp1": "a"}),
    "eurotherm3200": lambda: Eurotherm3200("i", 1, 5, "t"),
    "s7800": lambda: S7800("i", 1, 5),
    "o2_analyser": lambda: O2Analyser("i", 1, 5, "o2"),
}


def table_instrument():
    from edge.emulator.instruments.ach550 import Ach550

    return Ach550("i", 1, 5, None)


def module(name):
    """The driver module that a map belongs to."""
    return icpdas if name == "icpdas" else table.family(maps.rows(name)[0]["models"].split()[0])


def of_model(kind):
    """(map, row) of every row of one type of device."""
    found = [(name, row) for name in maps.names() for row in maps.rows(name)]
    return [(name, row) for name, row in found if kind in row["models"].split()]


@pytest.mark.parametrize("name", maps.names())
def test_constants_of_the_driver_are_the_addresses_of_the_data_sheet(name):
    for row in maps.rows(name):
        _, address = maps.place(name, row["number"])
        assert row["count"].isdigit() and row["name"] and row["access"] in ("R", "R/W")
        if row["constant"]:
            assert getattr(module(name), row["constant"]) == address, row


@pytest.mark.parametrize("name", [*maps.names(), maps.COMMANDS])
def test_every_row_says_where_it_is_from(name):
    for row in maps.rows(name):
        assert None not in row and None not in row.values(), row
        assert row["status"] in ("read", "assumed") and row["source"], row
        assert row["page"] and (row["page"] != "-" or row["status"] == "assumed"), row
        assert set(row["models"].split()) <= set(table.FAMILIES), row


# AI_VALUE = 0x0000  # 30001-30008, ..., but not "# 0.1 Hz"; and CONST_SPEED_7 = parameter(1208).
NUMBERED = re.compile(r"^([A-Z][A-Z0-9_]+) = [^#\n]+#\s*(\d{1,5})(?:-(\d{5}))?(?![.\d])", re.M)
PARAMETER = re.compile(r"^([A-Z][A-Z0-9_]+) = parameter\((\d{4})\)", re.M)


@pytest.mark.parametrize("name", maps.names())
def test_every_register_that_a_driver_numbers_stands_in_the_map(name):
    known = {(row["constant"], int(row["number"])): int(row["count"]) for row in maps.rows(name)}
    source = inspect.getsource(module(name))
    numbered = NUMBERED.findall(source)
    assert len(numbered) >= 3
    numbered += [(constant, "4" + number, "") for constant, number in PARAMETER.findall(source)]
    for constant, first, last in numbered:
        count = known[constant, int(first)]
        if last:
            assert int(last) - int(first) + 1 >= count, f"{constant} goes to {last}"


@pytest.mark.parametrize("kind", list(INSTRUMENTS))
def test_the_emulation_has_what_the_map_has_and_nothing_else(kind):
    instrument = INSTRUMENTS[kind]()
    mapped = {name: set() for name in TABLES}
    for name, row in of_model(kind):
        place, address = maps.place(name, row["number"])
        mapped[place] |= set(range(address, address + int(row["count"])))
        if row["constant"]:
            found = instrument.tables[TABLES[place]].place(address, int(row["count"]))
            assert found >= 0, f"the emulated {kind} has no {row['number']}"
    if kind == "eurotherm3200":
        # Each parameter once more as a float, and for both functions.
        mapped["holding"] |= {0x8000 + 2 * number + i for number in mapped["holding"] for i in (0, 1)}
        mapped["input"] = mapped["holding"]
    for place, function in TABLES.items():
        for first, end, _ in instrument.tables[function]._spans:
            extra = set(range(first, end)) - mapped[place]
            assert not extra, f"the emulated {kind} has {place} {sorted(extra)}, which no row names"


@pytest.mark.parametrize("kind", list(INSTRUMENTS))
def test_what_the_map_calls_read_only_can_not_be_written_and_the_rest_can(kind):
    for name, row in of_model(kind):
        place, address = maps.place(name, row["number"])
        if not row["constant"] or place not in ("coil", "holding"):
            continue
        instrument = INSTRUMENTS[kind]()
        values = [instrument.tables[TABLES[place]].get(address + i) for i in range(int(row["count"]))]
        write = instrument.write_coils if place == "coil" else instrument.write_registers
        if kind == "s7800":
            values = [1]
        code = write(address, values, 5000000)
        if row["access"] == "R":
            assert code, f"{row['number']} was written"
        elif row["constant"] != "OVER_CURRENT":
            assert code == 0, f"{row['number']} was refused with exception {code}"


def _pattern(reply: str) -> str:
    """A reply of the manual as a regular expression."""
    text = re.escape(reply).replace(r"\(fields\)", "(?:[+-][0-9.]{4,7}| {7}){8}")
    text = text.replace(r"\(field\)", "(?:[+-][0-9.]{4,7}| {7})")
    text = text.replace(r"\(data\)", r"[0-9]{2}\.[0-9]{3}").replace(r"\(name\)", "[A-Z0-9]+")
    head = text.replace("AA", "01", 1)
    return re.sub("CiRrr$", "C0R[0-9A-F]{2}", re.sub("(?<=01)([A-Z0]+)$", _digits, head))


def _digits(found) -> str:
    return "00" if found.group() == "00" else "".join("0" if c == "0" else "[0-9A-F]" for c in found.group())


COMMANDS = [
    pytest.param(kind, row, id=f"{kind} {row['command']}")
    for row in maps.rows(maps.COMMANDS)
    for kind in row["models"].split()
]


@pytest.mark.parametrize(("kind", "row"), COMMANDS)
def test_the_emulation_answers_commands_in_the_form_of_the_manual(kind, row):
    instrument = INSTRUMENTS[kind]()
    reply = instrument.dcon(row["example"].encode(), 1000000).decode()
    pattern = _pattern(row["reply"])
    if row["reply"] == ">OOII":
        pattern = ">[0-9A-F]{4}"
    assert re.fullmatch(pattern, reply), f"{reply!r} is not of the form {row['reply']}"


def test_all_types_of_the_node_file_have_a_map():
    described = {"modbus"}
    mapped = {kind for name in maps.names() for row in maps.rows(name) for kind in row["models"].split()}
    assert mapped == set(table.FAMILIES) - described
    assert set(INSTRUMENTS) == mapped


@pytest.mark.parametrize("kind", sorted({param.values[0] for param in COMMANDS}))
def test_a_command_to_another_module_or_of_nobody_is_not_obeyed(kind):
    instrument = INSTRUMENTS[kind]()
    assert instrument.dcon(b"$022", 0) == b""
    assert instrument.dcon(b"$01Z", 0) == b"?01"


def test_the_page_is_up_to_date():
    assert make_instruments.PAGE.read_text(encoding="utf-8") == make_instruments.page(), (
        "run: python docs/make_instruments.py"
    )


def test_functions_of_every_map_are_those_of_modbus():
    assert TABLES == {
        "coil": modbus.READ_COILS,
        "discrete": modbus.READ_DISCRETE_INPUTS,
        "holding": modbus.READ_HOLDING_REGISTERS,
        "input": modbus.READ_INPUT_REGISTERS,
    }
