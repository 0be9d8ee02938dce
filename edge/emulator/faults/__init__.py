"""What goes wrong on purpose: faults of a unit's line, and faults of the instrument itself.

Faults of the line are the kinds in ``LINE_KINDS``: each module here has one sort of them, and says of each
in a sentence what it does. Faults of the instrument (frozen, reset, burnt_out, watchdog, trip ...) are listed
by its class in ``FAULTS``.

A fault lasts until it is cleared, or for so many seconds, or for so many replies. It can be narrowed down to
requests of one function, or to those that touch one register.
"""

from edge.emulator.faults.active import EVERY_UNIT, Faults
from edge.emulator.faults.line_kinds import LINE_KINDS
from edge.emulator.instruments.instrument import FaultError

__all__ = ["EVERY_UNIT", "LINE_KINDS", "FaultError", "Faults"]
