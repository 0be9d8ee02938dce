"""The faults of one line that are on now, and what they do to a request and to its answer."""

from random import Random

from edge.emulator.faults.fault import EVERY_UNIT, Fault
from edge.emulator.faults.kind import Answer
from edge.emulator.faults.line_kinds import LINE_KINDS, SENSOR_KINDS
from edge.emulator.faults.possible import Possible
from edge.node.bus import modbus

_FOREVER_US = 1 << 62
_LONG_AGO_US = -_FOREVER_US


class Faults:
    """The faults of one line. ``armed`` is False while there are none, so that a sound line pays nothing.

    ``possible``: which there can be. ``told(at_us, what, unit, kind, arg)``, where it is set, hears of each
    that "begins" and "ends". ``say(start_us, data, request)`` puts on the line what somebody says unasked, as
    a ``request`` that is answered or not.
    """

    def __init__(self, instruments, seed: int = 1):
        self._instruments = {instrument.unit: instrument for instrument in instruments}
        self._random = Random(f"faults {seed}")
        self._active = []
        self._held = b""
        self._spoke_us = {}
        self._asked = {}
        self.possible = Possible(self._instruments)
        self.armed = False
        self.told = None
        self.say = None

    def set(self, unit: int, kind: str, arg=None, now_us: int = 0, seconds=None, replies: int = -1, **where):
        """Start a fault of ``unit`` (0: all), for ``seconds`` or so many ``replies``, or until it is cleared.

        ``arg`` as the kind takes one; ``where``: ``function`` and ``register`` of the requests that it is
        for, or ``channel`` of the sensor. Raises FaultError.
        """
        arg, narrow = self.possible.checked(unit, kind, arg, replies, where)
        until_us = _FOREVER_US if seconds is None else now_us + int(seconds * 1000000)
        fault = Fault(unit, kind, arg, until_us, replies, narrow, now_us)
        if kind in LINE_KINDS:
            self._active.append(fault)
        elif kind in SENSOR_KINDS:
            self._begin_sensor(fault)
        else:
            self._begin_own(fault, now_us)
        self.armed = bool(self._active)
        if self.told is not None:
            self.told(now_us, "begins", unit, kind, arg)

    def check(self, unit: int, kind: str, arg=None, replies: int = -1, **where):
        """Raise FaultError for a fault that can't be, before anything has begun: an instrument tries it."""
        self.possible.checked(unit, kind, arg, replies, where)
        if kind not in LINE_KINDS and kind not in SENSOR_KINDS:
            instrument = self._instruments[unit]
            if instrument.FAULTS[kind] and kind in instrument.ARGUMENTS:
                instrument.begin_fault(kind, arg, 0)
                instrument.end_fault(kind, arg, 0)

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
            if fault.kind in SENSOR_KINDS:
                fault.instrument.sensing.at_us = now_us
            (kept if now_us < fault.until_us and fault.replies != 0 else ended).append(fault)
        for fault in ended:
            if fault.kind in SENSOR_KINDS:
                fault.instrument.sensing.end(fault)
            elif fault.instrument is not None:
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
        return [fault.told() for fault in self._active]

    def _begin_sensor(self, fault: Fault):
        sensing = self._instruments[fault.unit].sensing
        if fault.narrow.channel is not None:
            fault.place = sensing.place(fault.narrow.channel)
        sensing.begin(fault)
        fault.instrument = self._instruments[fault.unit]
        self._active.append(fault)

    def _begin_own(self, fault: Fault, now_us: int):
        instrument = self._instruments[fault.unit]
        instrument.begin_fault(fault.kind, fault.arg, now_us)
        if instrument.FAULTS[fault.kind]:
            fault.instrument = instrument
            self._active.append(fault)
        if fault.kind == "reset":
            booted_us = now_us + instrument.BOOT_MS * 1000
            self._active.append(Fault(instrument.unit, "silence", None, booted_us))

    # Who talks unasked ----------------------------------------------------------------------------

    def talk(self, now_us: int) -> int:
        """Say what is due; when the next is, in us."""
        next_us = _FOREVER_US
        for fault in self._active:
            does = fault.does
            if does is None or does.talks is None or now_us >= fault.until_us or fault.replies == 0:
                continue
            if fault.next_us <= now_us:
                if self.say is not None:
                    data = does.talks(fault, self._addressed(fault.unit), self._asked, self._random)
                    fault.used()
                    self.say(now_us, data, does.asks)
                fault.next_us = now_us + int(fault.arg * 1000)
            next_us = min(next_us, fault.next_us)
        return next_us

    def _addressed(self, unit: int) -> list:
        return list(self._instruments.values()) if unit == EVERY_UNIT else [self._instruments[unit]]

    def unplugged(self, at_us: int) -> bool:
        """Whether the port itself is gone."""
        return any(
            fault.kind == "unplugged" and fault.unit == EVERY_UNIT and at_us < fault.until_us
            for fault in self._active
        )


    # What the slave asks ------------------------------------------------------------------------

    def deaf(self, unit: int, at_us: int, request=None, start_us=None) -> bool:
        """Whether a unit does not hear a request that began at ``start_us`` and ended at ``at_us``."""
        if request is not None:
            self._asked[unit] = request
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
            does = fault.does
            if does is not None and does.echoes is not None and fault.concerns(fault.unit, None, at_us):
                fault.used()
                return does.echoes(fault, data)
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
            if fault.instrument is not None:
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
