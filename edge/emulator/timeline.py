"""What happened on a line: requests, replies, faults, each with its time; bounded.

Wire and Line tell it what went over the line (``heard``), the faults when they begin and end (``fault``).
"""

from collections import deque

from edge.emulator.decoded import Decoded
from edge.emulator.wire import ECHO, FOREIGN, RECEIVED, SENT

# Some minutes of a busy line.
KEPT = 20000

_WHAT = {SENT: "request", RECEIVED: "reply", ECHO: "echo", FOREIGN: "foreign"}


class Entry:
    """``what``: "request", "reply", "echo", "foreign" (of who was not asked, or is no slave), "fault begins",
    "fault ends". ``at_s`` from the start, of the last character. ``unit`` of a fault, 0: of all, or the first
    byte of a frame in Modbus. ``data``: the bytes; ``function``, ``address``, ``count``, ``exception``: see
    edge.emulator.decoded. ``kind``, ``arg`` of a fault.
    """

    __slots__ = ("number", "at_s", "what", "unit", "data", "kind", "arg", "decoded")

    def __init__(self, number: int, at_s: float, what: str, unit: int, data, kind="", arg=None, asked=None):
        self.number = number
        self.at_s = at_s
        self.what = what
        self.unit = unit
        self.data = data
        self.kind = kind
        self.arg = arg
        self.decoded = Decoded(data, what in ("request", "echo"), asked)

    @property
    def function(self) -> int:
        return self.decoded.function

    @property
    def address(self) -> int:
        return self.decoded.address

    @property
    def count(self) -> int:
        return self.decoded.count

    @property
    def exception(self) -> int:
        return self.decoded.exception

    def as_list(self) -> list:
        """For JSON; see from_list()."""
        where = [self.address, self.count]
        return [self.number, self.at_s, self.what, self.unit, self.data.hex(), self.kind, self.arg, *where]

    @classmethod
    def from_list(cls, values: list) -> "Entry":
        number, at_s, what, unit, data, kind, arg, address, count = values
        entry = cls(number, at_s, what, unit, bytes.fromhex(data), kind, arg)
        entry.decoded.address, entry.decoded.count = address, count
        return entry

    def __str__(self) -> str:
        if self.kind:
            detail = self.kind if self.arg is None else f"{self.kind} {self.arg}"
            return f"{self.at_s:12.6f} s  {self.what:12}  unit {self.unit or 'all'}: {detail}"
        said = f"unit {self.unit}: {self.decoded}" if self.function else str(self.decoded)
        return f"{self.at_s:12.6f} s  {self.what:12}  {said}  [{self.data.hex(' ')}]"


class Timeline:
    """The last ``kept`` entries; ``start_us``: the clock at second 0."""

    def __init__(self, start_us: int = 0, kept: int = KEPT):
        self._start_us = start_us
        self._entries = deque(maxlen=kept)
        self._number = 0
        # Unit -> its last request, by which a reply is read.
        self._asked = {}

    def heard(self, at_us: int, direction: str, data: bytes):
        """Bytes that were on the line; a tap of Wire and Line."""
        unit = data[0] if data else 0
        asked = self._asked.get(unit) if direction == RECEIVED else None
        entry = self._add(at_us, _WHAT[direction], unit, bytes(data), asked=asked)
        if direction == SENT:
            self._asked[unit] = entry.decoded

    def fault(self, at_us: int, what: str, unit: int, kind: str, arg):
        """A fault "begins" or "ends"."""
        self._add(at_us, f"fault {what}", unit, b"", kind, arg)

    def _add(self, at_us, what, unit, data=b"", kind="", arg=None, asked=None) -> Entry:
        self._number += 1
        at_s = (at_us - self._start_us) / 1e6
        entry = Entry(self._number, at_s, what, unit, data, kind, arg, asked)
        self._entries.append(entry)
        return entry

    def entries(self, after: int = 0) -> list:
        """Those with a number above ``after``, in order of time."""
        return sorted((entry for entry in self._entries if entry.number > after), key=lambda e: e.at_s)
