"""The serial lines of a plant: the instruments on each, their end of it, and its faults."""

from edge.emulator.dcon_slave import slaves_of
from edge.emulator.faults import EVERY_UNIT, Faults
from edge.emulator.instruments.instrument import NEVER_US, FaultError


class BusLine:
    """One line. ``name`` as in the plant file, "" of a plant's only one; ``slaves``, ``faults`` of it."""

    def __init__(self, name: str, baud: int, char_bits: int, instruments: list, seed: int, silence_us=None):
        self.name = name
        self.baud = baud
        self.char_bits = char_bits
        self.instruments = instruments
        self.faults = Faults(instruments, seed)
        self.slaves = slaves_of(instruments, baud, char_bits, silence_us, self.faults)


class Lines:
    """All lines of a plant. ``wanted``: those of edge.emulator.plant_file.Plant. They are faulted by unit: an
    id, a name, or "all"; an id that two lines have is refused.
    """

    def __init__(self, wanted: list, seed: int, silence_us=None):
        self._lines = [BusLine(*line, seed, silence_us) for line in wanted]

    def __iter__(self):
        return iter(self._lines)

    def __len__(self):
        return len(self._lines)

    @property
    def first(self) -> BusLine:
        """The first of the plant file, of most plants the only one."""
        return self._lines[0]

    def named(self, name: str) -> BusLine:
        """The line for a node's bus of that name: of the same name, or the only one. Raises ValueError."""
        if len(self._lines) == 1 and not self.first.name:
            return self.first
        for line in self._lines:
            if line.name == name:
                return line
        known = ", ".join(line.name for line in self._lines)
        raise ValueError(f"the plant has no line {name!r}; it has {known}: give bus and line the same name")

    def step(self, now_us: int):
        """End the faults that are over."""
        for line in self._lines:
            if line.faults.armed:
                line.faults.step(now_us)

    def talk(self, now_us: int) -> int:
        """Let faults say what is due; when the next is, in us."""
        next_us = NEVER_US
        for line in self._lines:
            if line.faults.armed:
                next_us = min(next_us, line.faults.talk(now_us))
        return next_us

    def unit(self, unit) -> int:
        """The id of a unit by its id or name, 0 for "all". Raises FaultError."""
        if unit == "all":
            return EVERY_UNIT
        instruments = [instrument for line in self._lines for instrument in line.instruments]
        for instrument in instruments:
            if instrument.name == unit:
                return instrument.unit
        try:
            return int(unit)
        except ValueError:
            names = ", ".join(f"{instrument.name} ({instrument.unit})" for instrument in instruments)
            raise FaultError(f"there is no unit {unit!r}: give all, or one of {names}") from None

    def fault(self, unit, kind: str, arg, now_us: int, seconds, replies: int, where: dict):
        """Start a fault: see edge.emulator.faults.Faults.set(). Raises FaultError."""
        number = self.unit(unit)
        for line in self.having(unit):
            line.faults.set(number, kind, arg, now_us, seconds, replies, **where)

    def clear(self, unit, now_us: int):
        """End the faults of a unit, or of all units."""
        number = self.unit(unit)
        for line in self.having(unit):
            line.faults.clear(number, now_us)

    def active(self) -> list:
        """What is wrong now; with the line where there are several."""
        if len(self._lines) == 1:
            return self.first.faults.active()
        return [{"line": line.name, **fault} for line in self._lines for fault in line.faults.active()]

    def counts(self) -> dict:
        """What all lines have counted together."""
        names = ("requests", "replies", "crc_errors")
        return {name: sum(getattr(line.slaves, name) for line in self._lines) for name in names}

    def having(self, unit) -> list:
        """The lines that a unit names. Raises FaultError."""
        number = self.unit(unit)
        if number == EVERY_UNIT or len(self._lines) == 1:
            return self._lines
        having = []
        for line in self._lines:
            for instrument in line.instruments:
                if unit == instrument.name:
                    return [line]
                if number == instrument.unit and line not in having:
                    having.append(line)
        if len(having) > 1:
            names = " and ".join(line.name for line in having)
            raise FaultError(f"unit {number} is on the lines {names}: name the instrument")
        # Of none, the first says which units there are.
        return having or self._lines[:1]
