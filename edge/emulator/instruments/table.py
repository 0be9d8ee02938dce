"""The types of instruments that a plant file may name."""

from edge.emulator.diagnostics import Identity
from edge.emulator.instruments.ach550 import Ach550
from edge.emulator.instruments.adam4018 import Adam4018, Adam4118
from edge.emulator.instruments.adam4024 import Adam4024
from edge.emulator.instruments.adam4055 import Adam4055, Adam4056
from edge.emulator.instruments.eurotherm3200 import Eurotherm3200
from edge.emulator.instruments.m7019r import M7018, M7019R
from edge.emulator.instruments.m7024 import M7024
from edge.emulator.instruments.m7065 import M7055, M7065
from edge.emulator.instruments.modbus_device import ModbusDevice
from edge.emulator.instruments.o2_analyser import O2Analyser
from edge.emulator.instruments.s7800 import S7800
from edge.emulator.instruments.uk24mod import Uk24Mod

TYPES = {
    family.TYPE: family
    for family in (
        M7019R,
        M7018,
        Adam4018,
        Adam4118,
        O2Analyser,
        M7024,
        Adam4024,
        M7055,
        M7065,
        Adam4055,
        Adam4056,
        Ach550,
        Uk24Mod,
        Eurotherm3200,
        S7800,
        ModbusDevice,
    )
}


def build(name: str, keys):
    """An instrument from its table of a plant file; ``keys`` is an edge.emulator.plant_file.Keys."""
    kind = keys.text("type", TYPES)
    identity = Identity.from_keys(name, f"furnace-edge {kind}", keys.table("identity"))
    instrument = TYPES[kind].from_keys(name, keys)
    instrument.identity = identity
    return instrument
