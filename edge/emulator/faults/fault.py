"""One fault that is on."""

from edge.emulator.faults.line_kinds import LINE_KINDS, SENSOR_KINDS
from edge.emulator.faults.narrow import Narrow

EVERY_UNIT = 0


class Fault:
    """``unit`` 0: of every unit. ``replies``: in how many answers it will still be felt, -1: all.

    ``narrow``: which part it is for. ``instrument``: whose own fault it is, and has been since ``begun_us``;
    None for a fault of the line.
    """

    def __init__(self, unit, kind: str, arg, until_us: int, replies=-1, narrow=None, begun_us: int = 0):
        self.unit = unit
        self.kind = kind
        self.arg = arg
        self.until_us = until_us
        self.replies = replies
        self.narrow = narrow or Narrow()
        self.does = LINE_KINDS.get(kind) or SENSOR_KINDS.get(kind)
        self.instrument = None
        self.begun_us = begun_us
        # Of one that talks: when next, and how often it has.
        self.next_us = begun_us
        self.turn = 0
        # Of a sensor: the number of its value, None for all; and what it has held so far.
        self.place = None
        self.held = {}

    def concerns(self, unit: int, request, at_us: int) -> bool:
        """Whether it is for a request (function, address, count; None in DCON) of this unit at this time."""
        return (
            self.unit in (EVERY_UNIT, unit)
            and at_us < self.until_us
            and self.replies != 0
            and self.narrow.fits(request)
        )

    def used(self):
        """It has been felt in one answer."""
        if self.replies > 0:
            self.replies -= 1

    def told(self) -> dict:
        """For a report."""
        return {"unit": self.unit, "kind": self.kind, "arg": self.arg, **self.narrow.told()}
