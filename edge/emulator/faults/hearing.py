"""A unit that does not hear what it is asked."""

from edge.emulator.faults.kind import Argument, Kind


def _silence(fault, spoke_us: int, start_us: int) -> bool:
    return True


def _deaf(fault, spoke_us: int, start_us: int) -> bool:
    return start_us < spoke_us + int(fault.arg * 1000)


KINDS = (
    Kind("silence", "hears nothing and answers nothing", deafens=_silence),
    Kind(
        "unplugged",
        "its cable is out; for `all` the port itself is gone, and is there again when the fault ends",
        deafens=_silence,
    ),
    Kind(
        "deaf",
        "after each of its answers it hears nothing for so long",
        Argument("ms", 20, 0, 600000),
        deafens=_deaf,
    ),
)
