"""The bench: a plant's physics, the instruments on it, and their end of the serial line.

Physics advance in steps of 250 ms: drives and outputs move, the model takes them and steps, and the
instruments measure it. The same seed and the same bytes at the same times give the same bits.
"""

from edge.emulator import fault_script, models, plant_file
from edge.emulator.lines import Lines
from edge.emulator.register_access import Registers
from edge.emulator.values import Values
from edge.emulator.wire import Wire

STEP_US = 250000
STEP_S = STEP_US / 1e6


class PlantFailed(RuntimeError):
    """The plant is destroyed: the run ends here. Says when, and by what."""


class Bench:
    """``plant``: name of a plant, path of a plant file, or an edge.emulator.plant_file.Plant.

    ``seed``: of the waste and of all noise, by default the plant file's. ``clock``: with now_us(); without
    one the bench begins at time 0. ``silence_us``: see edge.emulator.slave. Raises PlantFileError.
    """

    def __init__(self, plant="bishkek", seed=None, clock=None, silence_us=None):
        if isinstance(plant, str):
            plant = plant_file.load(plant, seed)
        self.plant = plant
        self.clock = clock
        self.lines = Lines(plant.lines, seed or 0, silence_us)
        # Those of the first line: what serves one line in real time, and scripts, work with them.
        self.baud = self.lines.first.baud
        self.faults = self.lines.first.faults
        self.slaves = self.lines.first.slaves
        self.model = plant.model
        self.instruments = {instrument.name: instrument for instrument in plant.instruments}
        self.registers = Registers(self.instruments)
        self._script = None
        self._actuators = [instrument for instrument in plant.instruments if instrument.drives]
        self._sensors = [instrument for instrument in plant.instruments if not instrument.drives]
        self._wires = [
            (attribute, instrument.percent, place)
            for instrument in self._actuators
            for attribute, place in instrument.drives
        ]
        # Why the plant can't go on, where its kind can tell.
        self._failure = getattr(models.table(plant.kind), "failure", None) if plant.kind else None
        self._measured = sorted({name for instrument in plant.instruments for name in instrument.reads})
        self._start_us = clock.now_us() if clock is not None else 0
        self._next_us = self._start_us + STEP_US
        for instrument in plant.instruments:
            instrument.start(self._start_us)
            instrument.step(self._start_us)

    def wire(self, clock=None, tap=None, bus: str = "") -> Wire:
        """A line in memory with these instruments on it; ``bus``: which of several. Raises ValueError."""
        line = self.lines.named(bus)
        return Wire(clock or self.clock, line.baud, line.slaves, line.char_bits, tap)

    def step(self, now_us: int) -> int:
        """Bring everything up to ``now_us``; the time in us at which it wants to be called again."""
        script = self._script
        while self._next_us <= now_us:
            if script is not None and script.next_us <= self._next_us:
                script.step(self._next_us)
            self._advance(self._next_us)
            self._next_us += STEP_US
        next_us = self._next_us
        talk_us = self.lines.talk(now_us)
        if talk_us < next_us:
            next_us = talk_us
        if script is not None:
            script.step(now_us)
            if script.next_us < next_us:
                next_us = script.next_us
        for instrument in self._actuators:
            if instrument.expires_us <= now_us:
                instrument.expire(now_us)
            if instrument.expires_us < next_us:
                next_us = instrument.expires_us
        return next_us

    def _advance(self, now_us: int):
        self.lines.step(now_us)
        model = self.model
        for instrument in self._actuators:
            instrument.step(now_us)
        for attribute, percent, place in self._wires:
            setattr(model, attribute, percent[place])
        model.step(STEP_S)
        if self._failure is not None:
            why = self._failure(model)
            if why:
                raise PlantFailed(f"after {(now_us - self._start_us) / 1e6:.1f} s: {why}; the run ends here")
        for instrument in self._sensors:
            instrument.step(now_us)

    def play(self, path: str):
        """Play a script of faults from the start of the bench on. Raises fault_script.ScriptError."""
        self._script = fault_script.Script(fault_script.load(path, self), self.faults, self._start_us)

    def chaos(self, seed: int):
        """Draw faults from a seed, without end."""
        self._script = fault_script.Script(fault_script.drawn(seed, self.faults), self.faults, self._start_us)

    @property
    def start_us(self) -> int:
        """The clock when the bench began."""
        return self._start_us

    def fault(self, unit, kind: str, arg=None, seconds=None, replies: int = -1, **where):
        """Start a fault of a unit, by id or name, or of "all": see edge.emulator.faults.Faults.set()."""
        self.lines.fault(unit, kind, arg, self._now_us(), seconds, replies, where)

    def clear_faults(self, unit="all"):
        """End the faults of a unit, or of all units."""
        self.lines.clear(unit, self._now_us())

    def unit(self, unit) -> int:
        """The id of a unit by its id or name, 0 for "all". Raises FaultError."""
        return self.lines.unit(unit)

    def faults_of(self, unit):
        """The faults of the line that has a unit, by id or name; of the first for "all". Raises FaultError."""
        return self.lines.having(unit)[0].faults

    def set(self, name: str, value: float):
        """Set a parameter of the model, or an input that no instrument drives; a value of a plant without a
        model. Raises ValueError.
        """
        if isinstance(self.model, Values):
            self.model.configure({name: value})
        elif name in self.plant.inputs:
            if any(attribute == name for attribute, _, _ in self._wires):
                raise ValueError(f"{name} is driven by an instrument of the line")
            setattr(self.model, name, float(value))
        else:
            models.configure(self.model, {name: value})

    def outputs(self) -> dict:
        """What really reaches the plant, in percent, by the model's input less its _pct."""
        return {attribute.removesuffix("_pct"): percent[place] for attribute, percent, place in self._wires}

    def state(self) -> dict:
        """Time, process values, real outputs in percent, leases, faults and what the line has counted."""
        model = self.model
        # Of a plant without a model all values, whether somebody measures them or not.
        names = model.names if isinstance(model, Values) else self._measured
        return {
            "time_s": (self._next_us - STEP_US - self._start_us) / 1e6,
            "process": {name: getattr(model, name) for name in names},
            "outputs": self.outputs(),
            "leases": {instrument.name: instrument.lease_state() for instrument in self._actuators},
            "faults": self.lines.active(),
            "line": self.lines.counts(),
        }

    def register(self, name: str) -> float:
        """What a register holds: see edge.emulator.register_access. Raises FaultError."""
        return self.registers.get(name)

    def set_register(self, name: str, value: float):
        """Let a register hold a value. Raises FaultError."""
        self.registers.set(name, value, self._now_us())

    def _now_us(self) -> int:
        return self._next_us - STEP_US if self.clock is None else self.clock.now_us()
