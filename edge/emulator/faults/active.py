"""The faults of one line that are on now, and what they do to a request and to its answer."""

from random import Random

from edge.emulator.faults.kind import Answer
from edge.emulator.faults.line_kinds import LINE_KINDS
from edge.emulator.faults.narrow import Narrow
from edge.emulator.instruments.instrument import FaultError
from edge.node.bus import modbus

EVERY_UNIT = 0
_FOREVER_US = 1 << 62
_LONG_AGO_US = -_FOREVER_US


class Fault:
    """One active fault; ``unit`` 0: of every unit. ``replies``: how many answers it still bends, -1: all.

    ``narrow``: which requests it is for. ``instrument``: whose own fault it is, and has been since
    ``begun_us``; None for a fault of the line.
    """

    def __init__(self, unit, kind: str, arg, until_us: int, replies=-1, narrow=None):
        self.unit = unit
        self.kind = kind
        self.arg = arg
        self.until_us = until_us
        self.replies = replies
        self.narrow = narrow or Narrow()
        self.does = LINE_KINDS.get(kind)
        self.instrument = None
        self.begun_us = 0

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


class Faults:
    """The faults of one line. ``armed`` is False while there are none, so that a sound line pays nothing.

    ``told(at_us, what, unit, kind, arg)``, where it is set, hears of each that "begins" and "ends".
    """

    def __init__(self, instruments, seed: int = 1):
        self._instruments = {instrument.unit: instrument for instrument in instruments}
        self._random = Random(f"faults {seed}")
        self._active = []
        self._held = b""
        self._spoke_us = {}
        self.armed = False
        self.told = None

    def set(self, unit: int, kind: str, arg=None, now_us: int = 0, seconds=None, replies: int = -1, **where):
        """Start a fault of ``unit`` (0: all), for ``seconds`` or so many ``replies``, or until it is cleared.

        ``arg`` as the kind takes one; ``where``: ``function`` and ``register`` of the requests that it is
        for. Raises FaultError.
        """
        arg, narrow = self._checked(unit, kind, arg, {"replies": replies, **where})
        until_us = _FOREVER_US if seconds is None else now_us + int(seconds * 1000000)
        fault = Fault(unit, kind, arg, until_us, replies, narrow)
        if kind in LINE_KINDS:
            self._active.append(fault)
        else:
            self._begin_own(fault, now_us)
        self.armed = bool(self._active)
        if self.told is not None:
            self.told(now_us, "begins", unit, kind, arg)

    def check(self, unit: int, kind: str, arg=None, **where):
        """Raise FaultError for a fault that can't be, before anything has begun: an instrument tries it."""
        self._checked(unit, kind, arg, dict(where))
        if kind not in LINE_KINDS:
            instrument = self._instruments[unit]
            if instrument.FAULTS[kind] and kind in instrument.ARGUMENTS:
                instrument.begin_fault(kind, arg, 0)
                instrument.end_fault(kind, arg, 0)

    def units(self) -> list:
        """All units of the line."""
        return sorted(self._instruments)

    def kinds(self, unit: int) -> list:
        """All kinds of fault that a unit can have, those of the line first; of all units for 0."""
        if unit == EVERY_UNIT:
            return list(LINE_KINDS)
        self._known(unit)
        dcon = self._in_dcon(unit)
        line = [
            name for name, kind in LINE_KINDS.items() if not kind.whole_line and not (dcon and kind.modbus)
        ]
        return line + sorted(self._instruments[unit].FAULTS)

    def takes_argument(self, unit: int, kind: str) -> bool:
        """Whether a kind of fault has an argument; False for what is no fault at all."""
        if kind in LINE_KINDS:
            return LINE_KINDS[kind].argument is not None
        return unit in self._instruments and kind in self._instruments[unit].ARGUMENTS

    def clear(self, unit: int = EVERY_UNIT, now_us: int = 0):
        """End the faults of a unit (0: all of all units)."""
        for fault in self._active:
            if unit in (EVERY_UNIT, fault.unit):
                fault.until_us = min(fault.until_us, now_us)
        self.step(now_us)

    def step(self, now_us: int):
        """End what is over."""
        if not self.armed:
            return
        kept = []
        ended = []
        for fault in self._active:
            (kept if now_us < fault.until_us and fault.replies != 0 else ended).append(fault)
        for fault in ended:
            if fault.instrument is not None:
                fault.instrument.end_fault(fault.kind, fault.arg, now_us)
                _go_on(kept, fault)
            if self.told is not None:
                self.told(min(fault.until_us, now_us), "ends", fault.unit, fault.kind, fault.arg)
        self._active = kept
        self.armed = bool(kept)
        if self._held and not any(fault.kind == "merged" for fault in kept):
            self._held = b""

    def active(self) -> list:
        """What is wrong now, as dictionaries for a report."""
        return [
            {"unit": fault.unit, "kind": fault.kind, "arg": fault.arg, **fault.narrow.told()}
            for fault in self._active
        ]

    # What can be --------------------------------------------------------------------------------

    def _checked(self, unit: int, kind: str, arg, where: dict) -> tuple:
        """Argument and requests of a fault. Raises FaultError."""
        self._known(unit)
        replies = where.pop("replies", -1)
        if not isinstance(replies, int) or isinstance(replies, bool) or (replies < 1 and replies != -1):
            raise FaultError(f"replies is {replies!r}; expected a whole number from 1")
        narrow = Narrow(**where)
        if kind not in LINE_KINDS:
            instrument = self._instrument(unit, kind, arg)
            narrow.refuse(f"{kind} is a fault of the whole {instrument.name}")
            return arg, narrow
        does = LINE_KINDS[kind]
        if does.whole_line:
            narrow.refuse(f"{kind} is a fault of the whole line")
            if unit != EVERY_UNIT:
                raise FaultError(f"{kind} is a fault of the whole line: name all units")
        if unit != EVERY_UNIT and self._in_dcon(unit):
            name = self._instruments[unit].name
            narrow.refuse(f"{name} speaks DCON")
            if does.modbus:
                raise FaultError(f"{kind} is a fault of units in Modbus, and {name} speaks DCON")
        return does.checked(arg), narrow

    def _in_dcon(self, unit: int) -> bool:
        return getattr(self._instruments[unit], "protocol", "") == "dcon"

    def _known(self, unit: int):
        if unit != EVERY_UNIT and unit not in self._instruments:
            units = ", ".join(str(known) for known in self.units())
            raise FaultError(f"there is no unit {unit} on the line: it has {units}")

    def _instrument(self, unit: int, kind: str, arg):
        """Whose own fault this is."""
        if unit == EVERY_UNIT:
            raise FaultError(f"{kind} is no fault of the line ({', '.join(LINE_KINDS)}): name one unit")
        instrument = self._instruments[unit]
        if kind not in instrument.FAULTS:
            known = ", ".join(self.kinds(unit))
            raise FaultError(f"{instrument.name} ({instrument.TYPE}) has no fault {kind!r}: it knows {known}")
        if arg is not None and kind not in instrument.ARGUMENTS:
            raise FaultError(f"the fault {kind} takes no argument, but got {arg!r}")
        return instrument

    def _begin_own(self, fault: Fault, now_us: int):
        instrument = self._instruments[fault.unit]
        instrument.begin_fault(fault.kind, fault.arg, now_us)
        if instrument.FAULTS[fault.kind]:
            fault.instrument = instrument
            fault.begun_us = now_us
            self._active.append(fault)
        if fault.kind == "reset":
            booted_us = now_us + instrument.BOOT_MS * 1000
            self._active.append(Fault(instrument.unit, "silence", None, booted_us))

    # What the slave asks ------------------------------------------------------------------------

    def deaf(self, unit: int, at_us: int, request=None, start_us=None) -> bool:
        """Whether a unit does not hear a request that began at ``start_us`` and ended at ``at_us``."""
        spoke_us = self._spoke_us.get(unit, _LONG_AGO_US)
        start_us = at_us if start_us is None else start_us
        for fault in self._active:
            does = fault.does
            if does is not None and does.deafens is not None and fault.concerns(unit, request, at_us):
                if does.deafens(fault, spoke_us, start_us):
                    fault.used()
                    return True
        return False

    def refusal(self, unit: int, at_us: int, request=None) -> int:
        """The exception code with which a unit refuses a request; 0: it does not."""
        for fault in self._active:
            does = fault.does
            if does is not None and does.refuses is not None and fault.concerns(unit, request, at_us):
                fault.used()
                return does.refuses(fault)
        return 0

    def taken(self, unit: int, at_us: int, request: tuple, frame: bytes) -> bytes:
        """A write of registers with the values that the unit takes; the CRC is not made again."""
        for fault in self._active:
            does = fault.does
            if does is not None and does.takes is not None and fault.concerns(unit, request, at_us):
                changed = _taken(fault, request, frame)
                if changed != frame:
                    fault.used()
                    frame = changed
        return frame

    def echo(self, data: bytes, at_us: int) -> bytes:
        """What of a request comes back to the master at this time."""
        for fault in self._active:
            if fault.does is not None and fault.does.echoes is not None and at_us < fault.until_us:
                return fault.does.echoes(fault, data)
        return b""

    def bend(self, unit: int, reply: bytes, start_us: int, char_us: float, dcon=None, request=None) -> tuple:
        """What becomes of a reply: (start in us, bytes) of everything that goes on the wire.

        ``dcon``: None for Modbus, else whether the DCON reply ends with a checksum. ``request``: function,
        address and count, where there are such.
        """
        answer = Answer(reply, start_us, dcon)
        for fault in self._active:
            if not fault.concerns(unit, request, answer.start_us):
                continue
            if fault.does is None:
                fault.used()
            elif fault.does.bends is not None:
                fault.used()
                fault.does.bends(fault, answer, self._random)
                if answer.lost:
                    return ()
        if answer.held and not self._held:
            self._held = answer.data
            return ()
        answer.data = self._held + answer.data
        self._held = b""
        parts = answer.parts(char_us)
        if parts:
            last_us, last = parts[-1]
            self._spoke_us[unit] = last_us + int(len(last) * char_us)
        return parts


def _taken(fault: Fault, request: tuple, frame: bytes) -> bytes:
    """A write of registers as one fault has it."""
    function, address, _ = request
    if function == modbus.WRITE_SINGLE_REGISTER:
        first, size = 4, 2
    elif function == modbus.WRITE_MULTIPLE_REGISTERS:
        first, size = 7, frame[6]
    elif function == modbus.READ_WRITE_REGISTERS:
        first, size = 11, frame[10]
    else:
        return frame
    data = bytearray(frame)
    for place in range(first, first + size - 1, 2):
        register = address + (place - first) // 2
        if fault.narrow.register in (None, register):
            value = data[place] << 8 | data[place + 1]
            data[place : place + 2] = fault.does.takes(fault, register, value).to_bytes(2, "big")
    return bytes(data)


def _go_on(faults: list, ended: Fault):
    """What is wrong with an instrument a second time stays wrong when the first ends."""
    for fault in faults:
        if fault.instrument is ended.instrument and fault.kind == ended.kind:
            fault.instrument.begin_fault(fault.kind, fault.arg, fault.begun_us)
