"""Outputs that are on or off: their demand is rounded to one of the two, and read back as 0 or 1."""


def switched(percent: float) -> int:
    """A digital output is on from 50 % on."""
    return 1 if percent >= 50.0 else 0


class Switched:
    """What a leased module of such outputs does otherwise; stands before Leased among the bases.

    Its inputs begin with the read-back of its outputs.
    """

    def raw(self, percent: float) -> int:
        return switched(percent)

    def actual(self, channel: int):
        return self.values[channel] * 100.0 if self.faults[channel] == "" else None


class SwitchedCoils(Switched):
    """Where the outputs are Modbus coils, from data address DO_VALUE on."""

    DO_VALUE = 0

    def write(self, tag, first: int, values: list) -> bool:
        if len(values) == 1:
            return self.write_coil(tag, self.DO_VALUE + first, values[0])
        return self.write_coils(tag, self.DO_VALUE + first, values)
