"""The types of instruments that a plant file may name."""

from edge.emulator.instruments.ach550 import Ach550
from edge.emulator.instruments.m7019r import M7019R
from edge.emulator.instruments.m7024 import M7024
from edge.emulator.instruments.o2_analyser import O2Analyser

TYPES = {family.TYPE: family for family in (M7019R, M7024, O2Analyser, Ach550)}


def build(name: str, keys):
    """An instrument from its table of a plant file; ``keys`` is an edge.emulator.plant_file.Keys."""
    return TYPES[keys.text("type", TYPES)].from_keys(name, keys)
