"""A sensor that shows something else than the process: between the model and what an instrument makes of it.

The arguments are in the unit of the process value. A fault of one ``channel`` (an input as "ai0", or the name
of the process value) leaves the others alone.
"""

from edge.emulator.faults.kind import Argument, Kind

MINUTE_US = 60000000


def _jump(fault, place: int, value: float, at_us: int) -> float:
    return value + fault.arg


def _drift(fault, place: int, value: float, at_us: int) -> float:
    return value + fault.arg * (at_us - fault.begun_us) / MINUTE_US


def _stuck(fault, place: int, value: float, at_us: int) -> float:
    return fault.held.setdefault(place, value)


KINDS = (
    Kind("jump", "a sensor shows so much more", Argument("of its unit", 50.0, -1.0e6, 1.0e6), senses=_jump),
    Kind(
        "drift",
        "a sensor shows more and more",
        Argument("of its unit a minute", 1.0, -1.0e6, 1.0e6),
        senses=_drift,
    ),
    Kind("stuck", "a sensor shows what it last did", senses=_stuck, still=True),
)
