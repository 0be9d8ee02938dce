"""What the guard does with conditions: permits, trips and alarms.

A condition that can't be judged never counts as fulfilled: an interlock opens, a trip forces its outputs to
safe for as long as that lasts. That recovers by itself; a trip that has acted stays until it is reset. An
alarm stands as it was, and says that it can't be judged. ``if_bad = "stands"`` or ``"acts"`` says otherwise.

``acknowledged`` of a trip or an alarm: a person has seen its last coming. It releases nothing.
"""


class Interlock:
    """A permit: its outputs stand at their safe values until the condition is on."""

    def __init__(self, name: str, condition, acts: bool, outputs: list):
        self.name = name
        self.condition = condition
        self.outputs = outputs
        self._acts = acts
        self.on = False
        self.why = "not proven yet"

    def take_over(self, now_ms: int):
        """Judge it before anything is driven: no delay."""
        self.condition.take_over(now_ms)
        self.update(now_ms)

    def update(self, now_ms: int):
        """Judge it now."""
        condition = self.condition
        condition.update(now_ms)
        self.on = condition.on and (condition.judged or not self._acts)
        if condition.on and not condition.judged and self._acts:
            # A permit that could not be judged is proven anew.
            condition.on = False
        if self.on:
            self.why = ""
        elif condition.pending():
            self.why = condition.why + ", waits for its delay"
        else:
            self.why = condition.why


class Trip:
    """A condition that latches: its outputs stay at their safe values until reset()."""

    def __init__(self, name: str, condition, acts: bool, outputs: list):
        self.name = name
        self.condition = condition
        self.outputs = outputs
        self._acts = acts
        self.tripped = False
        self.acknowledged = True
        self.at_ms = -1
        self.value = 0.0

    def update(self, now_ms: int) -> bool:
        """True at the moment it trips."""
        self.condition.update(now_ms)
        if self.tripped or not self.condition.on:
            return False
        self.tripped = True
        self.acknowledged = False
        self.at_ms = now_ms
        self.value = self.condition.signal.value
        return True

    def blind(self) -> str:
        """Why its outputs stand at safe although it has not tripped, or nothing."""
        if self.condition.judged or not self._acts:
            return ""
        return self.name + " can't be judged: " + self.condition.why

    def reset(self, now_ms: int) -> bool:
        """Release it; refused (False) while the cause is there or can't be judged."""
        if not self.condition.clear(now_ms):
            return False
        self.tripped = False
        self.condition.on = False
        return True

    def acknowledge(self) -> bool:
        """A person has seen it; False where there was nothing to see."""
        return _acknowledge(self)


class Alarm:
    """A condition that is told and forces nothing. ``why``: what is wrong, also that it can't be judged."""

    def __init__(self, name: str, condition, acts: bool):
        self.name = name
        self.condition = condition
        self._acts = acts
        self.active = False
        self.acknowledged = True
        self.why = ""

    def update(self, now_ms: int):
        """Judge it now."""
        condition = self.condition
        condition.update(now_ms)
        active = condition.on or (self._acts and not condition.judged)
        if active and not self.active:
            self.acknowledged = False
        self.active = active
        self.why = condition.why if condition.judged else "can't be judged: " + condition.why

    def acknowledge(self) -> bool:
        """A person has seen it; False where there was nothing to see."""
        return _acknowledge(self)


def _acknowledge(condition) -> bool:
    waiting = not condition.acknowledged
    condition.acknowledged = True
    return waiting
