"""What a kind of fault of the line is: its argument, whose fault it can be, and what it does where."""

from edge.emulator.instruments.instrument import FaultError


class Argument:
    """The argument of a kind, in ``unit``: a number of ``lowest``..``highest``, whole where these are.

    ``default``: what it is where none is given; None: see the kind.
    """

    def __init__(self, unit: str, default, lowest, highest):
        self.unit = unit
        self.default = default
        self.lowest = lowest
        self.highest = highest

    def told(self) -> str:
        """Unit and default, for a table."""
        return self.unit if self.default is None else f"{self.unit} ({self.default})"

    def checked(self, kind: str, value):
        """The value, or the default for None. Raises FaultError."""
        if value is None:
            return self.default
        whole = isinstance(self.highest, int)
        number = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
        if not number or not self.lowest <= value <= self.highest:
            what = "whole number" if whole else "number"
            raise FaultError(
                f"the fault {kind} takes a {what} of {self.lowest}..{self.highest}, but got {value!r}"
            )
        return value


class Kind:
    """A kind of fault of the line.

    ``about``: what it does, in a sentence for the reader of a table. ``argument``: an Argument, or None.
    ``whole_line``: of all units only. ``modbus``: of units in Modbus only.

    What it does, where that is not None:
    ``deafens(fault, spoke_us, start_us)``  whether a request is not heard that begins at ``start_us``, when
                                            the unit's last reply ended at ``spoke_us``
    ``refuses(fault)``                      the exception code of the reply
    ``takes(fault, address, value)``        what a register becomes instead of ``value``
    ``bends(fault, answer, random)``        changes an Answer
    ``echoes(fault, data)``                 what of a request comes back to its sender
    ``talks(fault, instruments, asked, random)``
                                            what is said unasked, every ``arg`` ms; ``asked``: the last
                                            request of each unit; ``asks``: it is a request, which is answered
    ``senses(fault, place, value, at_us)``  what a sensor shows instead of ``value``; ``still``: without noise
    """

    def __init__(self, name: str, about: str, argument=None, whole_line=False, modbus=False, **does):
        self.name = name
        self.about = about
        self.argument = argument
        self.whole_line = whole_line
        self.modbus = modbus
        self.deafens = does.get("deafens")
        self.refuses = does.get("refuses")
        self.takes = does.get("takes")
        self.bends = does.get("bends")
        self.echoes = does.get("echoes")
        self.talks = does.get("talks")
        self.asks = does.get("asks", False)
        self.senses = does.get("senses")
        self.still = does.get("still", False)

    def checked(self, arg):
        """The argument of such a fault. Raises FaultError."""
        if self.argument is not None:
            return self.argument.checked(self.name, arg)
        if arg is not None:
            raise FaultError(f"the fault {self.name} takes no argument, but got {arg!r}")
        return None


class Answer:
    """An answer on its way: ``data`` goes out at ``start_us``.

    ``dcon``: None for Modbus, else whether a DCON reply ends with a checksum. ``lost``: it never goes out.
    ``pause_us`` in its middle. ``again_us``: it comes a second time, so long after its end; None: only once.
    ``held``: it is to come before the next one.
    """

    def __init__(self, data: bytes, start_us: int, dcon=None):
        self.data = data
        self.start_us = start_us
        self.dcon = dcon
        self.lost = False
        self.pause_us = 0
        self.again_us = None
        self.held = False

    def parts(self, char_us: float) -> tuple:
        """(start in us, bytes) of everything that goes on the wire."""
        data = self.data
        if not data:
            return ()
        if self.pause_us:
            half = len(data) // 2
            rest_us = self.start_us + int(half * char_us + 0.999) + self.pause_us
            parts = ((self.start_us, data[:half]), (rest_us, data[half:])) if half else ((rest_us, data),)
        else:
            parts = ((self.start_us, data),)
        if self.again_us is not None:
            last_us, last = parts[-1]
            parts += ((last_us + int(len(last) * char_us + 0.999) + self.again_us, data),)
        return parts
