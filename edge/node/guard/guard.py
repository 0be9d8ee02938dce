"""The guard has the last word: no demand reaches a device except through it."""

from edge.node.guard import outputs as out

# What forces an output: the stronger reason wins, and of equals the first.
_RANKS = (None, out.INTERLOCK, out.SAFE, out.TRIP, out.STOPPED)


class Guard:
    """Judges interlocks, trips and alarms once a tick, then applies every output.

    ``first_out``: name, value and time of the trip that came first, until all are reset. The time
    of one that was latched before the start is the start.
    """

    def __init__(self, outputs: list, interlocks: list, trips: list, alarms: list):
        self.outputs = outputs
        self.interlocks = interlocks
        self.trips = trips
        self.alarms = alarms
        self.first_out = None
        self.stopped = ""

    def look(self, now_ms: int) -> bool:
        """Before the node takes over: judge, drive nothing. True when every output's position is known.

        A permit that holds counts as proven: the plant has run with it.
        """
        for interlock in self.interlocks:
            interlock.take_over(now_ms)
        known = True
        for output in self.outputs:
            known = output.look() and known
        return known

    def step(self, dt_s: float, now_ms: int):
        """Judge everything, apply every output."""
        for output in self.outputs:
            output.forced = None
        for interlock in self.interlocks:
            interlock.update(now_ms)
            if not interlock.on:
                self._force(interlock.outputs, out.INTERLOCK, interlock.name + ": " + interlock.why)
        for trip in self.trips:
            if trip.update(now_ms) and self.first_out is None:
                self.first_out = (trip.name, trip.value, now_ms)
            if trip.tripped:
                self._force(trip.outputs, out.TRIP, trip.name)
            elif trip.blind():
                self._force(trip.outputs, out.SAFE, trip.blind())
        for alarm in self.alarms:
            alarm.update(now_ms)
        if self.stopped:
            self._force(self.outputs, out.STOPPED, self.stopped)
        for output in self.outputs:
            output.apply(dt_s, now_ms)

    def _force(self, outputs: list, state: str, why: str):
        rank = _RANKS.index(state)
        for output in outputs:
            if rank > _RANKS.index(output.forced):
                output.forced = state
                output.forced_why = why

    def unconfirmed(self) -> list:
        """The names of the outputs that no device is known to hold where they shall be."""
        return [one.name for one in self.outputs if one.unconfirmed or one.state == out.UNKNOWN]

    def restore(self, name: str, value: float, acknowledged: bool, first: bool, now_ms: int):
        """A trip that was latched before the start stays so until reset(); ValueError where there is none such."""
        for trip in self.trips:
            if trip.name == name:
                trip.tripped = True
                trip.value = value
                trip.acknowledged = acknowledged
                self._force(trip.outputs, out.TRIP, name)
                if first:
                    self.first_out = (name, value, now_ms)
                return
        raise ValueError("no trip is named %s" % name)

    def stop(self, why: str):
        """All outputs to their safe values from the next step on."""
        self.stopped = why

    def reset(self, now_ms: int, name: str = "") -> list:
        """Release the trips whose cause is gone, or only ``name``; the names of those asked for that stay."""
        staying = []
        for trip in self.trips:
            if trip.tripped and name in ("", trip.name) and not trip.reset(now_ms):
                staying.append(trip.name)
        if not any(trip.tripped for trip in self.trips):
            self.first_out = None
        return staying
