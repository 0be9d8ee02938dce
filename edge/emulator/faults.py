"""What goes wrong on purpose: faults of a unit's line, and faults of the instrument itself.

Faults of the line bend what a unit answers:

    silence              it hears nothing and answers nothing
    mute                 it obeys, but its answer is lost
    truncated N          only the first N bytes of the answer arrive (default: half of them)
    wrong_crc            the check word is wrong
    wrong_unit N         the answer says it is from unit N (default: the next one), with a right CRC
    wrong_function N     the answer has function N (default: 3 for 4 and so on), with a right CRC
    late MS              the answer starts so much later (default: 150 ms)
    stray N              N zero bytes come right before the answer (default: 1)
    noise P              every byte of the answer is hit with probability P (default: 0.01), from a seed
    duplicated           the answer comes twice, back to back
    split MS             the answer pauses so long in its middle (default: 20 ms), as behind a USB adapter
    merged               every second answer is held back, and comes right before the next one of the line
    echo                 of the whole line: what the master sends comes back to it

An answer in DCON has its checksum for a CRC (nothing is wrong where it has none), names its unit only after
"!", and ">" and "!" for functions.

Faults of the instrument (frozen, reset, burnt_out, watchdog, trip ...) are listed by its class in ``FAULTS``.
"""

from random import Random

from cext.crc import crc16
from edge.emulator.instruments.instrument import FaultError
from edge.node.bus.dcon import checksum

EVERY_UNIT = 0
_FOREVER_US = 1 << 62

# kind -> (default argument, lowest, highest); None: it takes no argument.
LINE_KINDS = {
    "silence": None,
    "mute": None,
    "truncated": (None, 0, 256),
    "wrong_crc": None,
    "wrong_unit": (None, 0, 255),
    "wrong_function": (None, 0, 255),
    "late": (150, 0, 600000),
    "stray": (1, 1, 256),
    "noise": (0.01, 0.0, 1.0),
    "duplicated": None,
    "split": (20, 0, 10000),
    "merged": None,
    "echo": None,
}

# What may call itself a fault of the whole line only.
WHOLE_LINE = frozenset(("echo",))


class Fault:
    """One active fault; ``unit`` 0: of every unit. ``replies``: how many answers it still bends, -1: all.

    ``instrument``: whose own fault it is, and has been since ``begun_us``; None for a fault of the line.
    """

    def __init__(self, unit, kind: str, arg, until_us: int, replies=-1, instrument=None, begun_us: int = 0):
        self.unit = unit
        self.kind = kind
        self.arg = arg
        self.until_us = until_us
        self.replies = replies
        self.instrument = instrument
        self.begun_us = begun_us


class Faults:
    """The faults of one line. ``armed`` is False while there are none, so that a sound line pays nothing.

    ``told(at_us, what, unit, kind, arg)``, where it is set, hears of each that "begins" and "ends".
    """

    def __init__(self, instruments, seed: int = 1):
        self._instruments = {instrument.unit: instrument for instrument in instruments}
        self._random = Random(f"faults {seed}")
        self._active = []
        self._held = b""
        self.armed = False
        self.told = None

    def set(self, unit: int, kind: str, arg=None, now_us: int = 0, seconds=None, replies: int = -1):
        """Start a fault of ``unit`` (0: all), for ``seconds`` or so many ``replies``, or until it is cleared.

        ``arg`` as in the tables above. Raises FaultError.
        """
        self._known(unit)
        until_us = _FOREVER_US if seconds is None else now_us + int(seconds * 1000000)
        if kind in LINE_KINDS:
            arg = _line_argument(unit, kind, arg)
            self._active.append(Fault(unit, kind, arg, until_us, replies))
        else:
            self._set_instrument(self._instrument(unit, kind, arg), kind, arg, now_us, until_us)
        self.armed = bool(self._active)
        if self.told is not None:
            self.told(now_us, "begins", unit, kind, arg)

    def check(self, unit: int, kind: str, arg=None):
        """Raise FaultError for a fault that can't be, before anything has begun: an instrument tries it."""
        self._known(unit)
        if kind in LINE_KINDS:
            _line_argument(unit, kind, arg)
            return
        instrument = self._instrument(unit, kind, arg)
        if instrument.FAULTS[kind] and kind in instrument.ARGUMENTS:
            instrument.begin_fault(kind, arg, 0)
            instrument.end_fault(kind, arg, 0)

    def units(self) -> list:
        """All units of the line."""
        return sorted(self._instruments)

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

    def kinds(self, unit: int) -> list:
        """All kinds of fault that a unit can have, those of the line first; of all units for 0."""
        if unit == EVERY_UNIT:
            return list(LINE_KINDS)
        self._known(unit)
        own = sorted(self._instruments[unit].FAULTS)
        return [kind for kind in LINE_KINDS if kind not in WHOLE_LINE] + own

    def takes_argument(self, unit: int, kind: str) -> bool:
        """Whether a kind of fault has an argument; False for what is no fault at all."""
        if kind in LINE_KINDS:
            return LINE_KINDS[kind] is not None
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
        return [{"unit": fault.unit, "kind": fault.kind, "arg": fault.arg} for fault in self._active]

    def _set_instrument(self, instrument, kind: str, arg, now_us: int, until_us: int):
        instrument.begin_fault(kind, arg, now_us)
        if instrument.FAULTS[kind]:
            self._active.append(Fault(instrument.unit, kind, arg, until_us, -1, instrument, now_us))
        if kind == "reset":
            booted_us = now_us + instrument.BOOT_MS * 1000
            self._active.append(Fault(instrument.unit, "silence", None, booted_us))

    # What the slave asks ------------------------------------------------------------------------

    def deaf(self, unit: int, at_us: int) -> bool:
        """Whether a unit hears nothing at this time."""
        for fault in self._active:
            if fault.kind == "silence" and fault.unit in (EVERY_UNIT, unit) and at_us < fault.until_us:
                if fault.replies > 0:
                    fault.replies -= 1
                elif fault.replies == 0:
                    continue
                return True
        return False

    def echoes(self, at_us: int) -> bool:
        """Whether the master hears itself at this time."""
        return any(fault.kind == "echo" and at_us < fault.until_us for fault in self._active)

    def bend(self, unit: int, reply: bytes, start_us: int, char_us: float, dcon=None) -> tuple:
        """What becomes of a reply: (start in us, bytes) of everything that goes on the wire.

        ``dcon``: None for Modbus, else whether the DCON reply ends with a checksum.
        """
        again = False
        hold = False
        pause_us = 0
        for fault in self._active:
            if fault.unit not in (EVERY_UNIT, unit) or start_us >= fault.until_us or fault.replies == 0:
                continue
            kind = fault.kind
            if kind == "silence" or kind not in LINE_KINDS or kind in WHOLE_LINE:
                continue
            if fault.replies > 0:
                fault.replies -= 1
            if kind == "mute":
                return ()
            if kind == "late":
                start_us += int(fault.arg * 1000)
            elif kind == "duplicated":
                again = True
            elif kind == "split":
                pause_us += int(fault.arg * 1000)
            elif kind == "merged":
                hold = True
            else:
                reply = self._bend_bytes(kind, fault.arg, reply, dcon)
        if hold and not self._held:
            self._held = reply
            return ()
        reply = self._held + reply
        self._held = b""
        if not reply:
            return ()
        if pause_us:
            half = len(reply) // 2
            rest_us = start_us + int(half * char_us + 0.999) + pause_us
            parts = ((start_us, reply[:half]), (rest_us, reply[half:])) if half else ((rest_us, reply),)
        else:
            parts = ((start_us, reply),)
        if again:
            last_us, last = parts[-1]
            parts += ((last_us + int(len(last) * char_us + 0.999), reply),)
        return parts

    def _bend_bytes(self, kind: str, arg, reply: bytes, dcon) -> bytes:
        if kind == "truncated":
            return reply[: len(reply) // 2 if arg is None else arg]
        if kind == "stray":
            return bytes(arg) + reply
        if kind == "noise":
            draw = self._random.random
            return bytes(byte ^ (1 + int(draw() * 255)) if draw() < arg else byte for byte in reply)
        if dcon is not None:
            return _bend_dcon(kind, arg, reply, dcon)
        if kind == "wrong_crc":
            return reply[:-1] + bytes((reply[-1] ^ 0xFF,))
        if kind == "wrong_unit":
            unit = reply[0] % 247 + 1 if arg is None else arg
            return _sealed(bytes((unit,)) + reply[1:-2])
        function = reply[1] ^ 0x07 if arg is None else arg
        return _sealed(reply[:1] + bytes((function,)) + reply[2:-2])


def _go_on(faults: list, ended: Fault):
    """What is wrong with an instrument a second time stays wrong when the first ends."""
    for fault in faults:
        if fault.instrument is ended.instrument and fault.kind == ended.kind:
            fault.instrument.begin_fault(fault.kind, fault.arg, fault.begun_us)


def _sealed(body: bytes) -> bytes:
    crc = crc16(body)
    return body + bytes((crc & 0xFF, crc >> 8))


def _bend_dcon(kind: str, arg, reply: bytes, checked: bool) -> bytes:
    """A reply in DCON, with its carriage return, of a wrong checksum, unit or leading character."""
    text = reply[:-3] if checked else reply[:-1]
    if kind == "wrong_crc":
        if not checked:
            return reply
        last = b"0" if reply[-2:-1] != b"0" else b"1"
        return reply[:-2] + last + reply[-1:]
    if kind == "wrong_function":
        text = (b"!" if text[:1] == b">" else b">") + text[1:]
    elif text[:1] in b"!?" and len(text) >= 3:
        unit = (int(text[1:3], 16) + 1) & 0xFF if arg is None else arg
        text = text[:1] + b"%02X" % unit + text[3:]
    return text + checksum(text) + b"\r" if checked else text + b"\r"


def _line_argument(unit: int, kind: str, arg):
    """The checked argument of a fault of the line."""
    if kind in WHOLE_LINE and unit != EVERY_UNIT:
        raise FaultError(f"{kind} is a fault of the whole line: name all units")
    limits = LINE_KINDS[kind]
    if limits is None:
        if arg is not None:
            raise FaultError(f"the fault {kind} takes no argument, but got {arg!r}")
        return None
    default, low, high = limits
    if arg is None:
        return default
    whole = isinstance(high, int)
    number = isinstance(arg, int if whole else int | float) and not isinstance(arg, bool)
    if not number or not low <= arg <= high:
        what = "whole number" if whole else "number"
        raise FaultError(f"the fault {kind} takes a {what} of {low}..{high}, but got {arg!r}")
    return arg
