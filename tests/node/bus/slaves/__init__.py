"""Slaves that nobody here wrote, each a process of its own, all with the same registers in units 1 and 2."""

COUNT = 100


def holding(address: int) -> int:
    """What a holding register is at the start."""
    return 1000 + address


def inputs(address: int) -> int:
    """What an input register is."""
    return 2000 + address


def coils(address: int) -> bool:
    """What a coil is at the start."""
    return address % 3 == 0


def discrete_inputs(address: int) -> bool:
    """What a discrete input is."""
    return address % 4 == 0
