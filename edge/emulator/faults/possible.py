"""Which faults the units of a line can have."""

from edge.emulator.faults import own_kinds
from edge.emulator.faults.fault import EVERY_UNIT
from edge.emulator.faults.line_kinds import LINE_KINDS, SENSOR_KINDS
from edge.emulator.faults.narrow import Narrow
from edge.emulator.instruments.instrument import FaultError


class Possible:
    """``instruments`` of the line by unit."""

    def __init__(self, instruments: dict):
        self._instruments = instruments

    def units(self) -> list:
        """All units of the line."""
        return sorted(self._instruments)

    def kinds(self, unit: int) -> list:
        """All kinds of fault that a unit can have, those of the line first; of all units for 0."""
        if unit == EVERY_UNIT:
            return list(LINE_KINDS)
        self._known(unit)
        instrument = self._instruments[unit]
        dcon = in_dcon(instrument)
        line = [name for name, kind in LINE_KINDS.items() if not (kind.whole_line or dcon and kind.modbus)]
        sensors = list(SENSOR_KINDS) if instrument.reads and instrument.sensing is not None else []
        return line + sensors + sorted(instrument.FAULTS)

    def described(self, unit: int) -> list:
        """Each of kinds() with its argument and what it does, a line each."""
        lines = []
        for kind in self.kinds(unit):
            does = LINE_KINDS.get(kind) or SENSOR_KINDS.get(kind)
            if does is not None:
                argument, about = does.argument.told() if does.argument else "", does.about
            else:
                argument, about = own_kinds.about(self._instruments[unit], kind)
            lines.append(f"{kind:15} {argument:28} {about}".rstrip())
        return lines

    def takes_argument(self, unit: int, kind: str) -> bool:
        """Whether a kind of fault has an argument; False for what is no fault at all."""
        does = LINE_KINDS.get(kind) or SENSOR_KINDS.get(kind)
        if does is not None:
            return does.argument is not None
        return unit in self._instruments and kind in self._instruments[unit].ARGUMENTS

    def checked(self, unit: int, kind: str, arg, replies, where: dict) -> tuple:
        """Argument and Narrow of a fault. Raises FaultError for one that can't be."""
        self._known(unit)
        whole = isinstance(replies, int) and not isinstance(replies, bool)
        if not whole or (replies < 1 and replies != -1):
            raise FaultError(f"replies is {replies!r}; expected a whole number from 1")
        narrow = Narrow(**where)
        if kind == "unplugged" and unit == EVERY_UNIT and replies != -1:
            raise FaultError("an unplugged port has no replies that could be counted: give it seconds")
        if kind in LINE_KINDS:
            narrow.refuse_channel(kind)
            return self._of_line(unit, LINE_KINDS[kind], arg, narrow), narrow
        instrument = self._instrument(unit, kind)
        narrow.refuse_requests(f"{kind} is a fault of {instrument.name} itself")
        if kind in SENSOR_KINDS:
            if narrow.channel is not None and instrument.sensing.place(narrow.channel) < 0:
                known = ", ".join(names[-1] for names in instrument.sensing.names)
                raise FaultError(f"{instrument.name} has no channel {narrow.channel!r}: it has {known}")
            return SENSOR_KINDS[kind].checked(arg), narrow
        narrow.refuse_channel(kind)
        if arg is not None and kind not in instrument.ARGUMENTS:
            raise FaultError(f"the fault {kind} takes no argument, but got {arg!r}")
        return arg, narrow

    def _of_line(self, unit: int, kind, arg, narrow: Narrow):
        if kind.whole_line:
            narrow.refuse_requests(f"{kind.name} is a fault of the whole line")
            if unit != EVERY_UNIT:
                raise FaultError(f"{kind.name} is a fault of the whole line: name all units")
        if unit != EVERY_UNIT and in_dcon(self._instruments[unit]):
            name = self._instruments[unit].name
            narrow.refuse_requests(f"{name} speaks DCON")
            if kind.modbus:
                raise FaultError(f"{kind.name} is a fault of units in Modbus, and {name} speaks DCON")
        return kind.checked(arg)

    def _known(self, unit: int):
        if unit != EVERY_UNIT and unit not in self._instruments:
            units = ", ".join(str(known) for known in self.units())
            raise FaultError(f"there is no unit {unit} on the line: it has {units}")

    def _instrument(self, unit: int, kind: str):
        """Whose own fault this is."""
        if unit == EVERY_UNIT:
            raise FaultError(f"{kind} is no fault of the line ({', '.join(LINE_KINDS)}): name one unit")
        instrument = self._instruments[unit]
        if kind not in self.kinds(unit):
            known = ", ".join(self.kinds(unit))
            raise FaultError(f"{instrument.name} ({instrument.TYPE}) has no fault {kind!r}: it knows {known}")
        return instrument


def in_dcon(instrument) -> bool:
    """Whether an instrument speaks DCON."""
    return getattr(instrument, "protocol", "") == "dcon"
