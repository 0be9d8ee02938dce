"""What the sensors of an instrument show of a process."""


class Sensing:
    """``get()`` reads the process; ``names``: for each of its values what it may be called.

    ``faults``: see edge.emulator.faults.sensors; ``at_us``: the time of the next reading, for these.
    """

    def __init__(self, get, names: list):
        self._get = get
        self.names = names
        self.faults = []
        # The numbers of the values that stand still: they have no noise.
        self.still = frozenset()
        self.at_us = 0

    def begin(self, fault):
        """A fault of a sensor begins; ``place``: of which value, None: of all."""
        self.faults.append(fault)
        self.at_us = fault.begun_us
        self._find_still()

    def end(self, fault):
        """It ends."""
        self.faults.remove(fault)
        self._find_still()

    def _find_still(self):
        places = set()
        for fault in self.faults:
            if fault.does.still:
                places.update(range(len(self.names)) if fault.place is None else (fault.place,))
        self.still = frozenset(places)

    def place(self, channel: str) -> int:
        """The number of a value by one of its names, -1 for none."""
        for place, names in enumerate(self.names):
            if channel in names:
                return place
        return -1

    def values(self) -> tuple:
        """What the sensors show."""
        values = self._get()
        if self.faults:
            values = list(values)
            for fault in self.faults:
                for place in range(len(values)) if fault.place is None else (fault.place,):
                    values[place] = fault.does.senses(fault, place, values[place], self.at_us)
        return values
