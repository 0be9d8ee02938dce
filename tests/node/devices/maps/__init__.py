"""Register maps transcribed from data sheets: one CSV per driver module, and the DCON commands in dcon.csv.

Columns: ``models`` (as in a node file), ``number`` as the data sheet has it, ``count``, ``name``,
``access``, ``unit`` and ``scale`` of one count, ``constant`` of the driver module, empty where neither
driver nor emulator has it, ``source`` and its ``page``, ``status``: "read" there, or "assumed".
"""

import csv
from pathlib import Path

FOLDER = Path(__file__).parent
COMMANDS = "dcon"
# Maps whose numbers aren't those of Modicon's five digits: what is taken off for a data address.
FIRST = {"uk24mod": 1, "eurotherm3200": 0}
TABLES = {"0": "coil", "1": "discrete", "3": "input", "4": "holding"}


def rows(name: str) -> list:
    """The rows of one CSV."""
    with open(FOLDER / f"{name}.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def names() -> list:
    """All register maps."""
    return sorted(path.stem for path in FOLDER.glob("*.csv") if path.stem != COMMANDS)


def place(name: str, number: str) -> tuple:
    """(table, data address) of a data sheet's number in the map ``name``."""
    if name in FIRST:
        return "holding", int(number) - FIRST[name]
    return TABLES[number[0]], int(number[1:]) - 1
