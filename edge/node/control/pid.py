"""A PID controller in the chain: master, slave, or alone. The arithmetic is cext.pid."""

from cext.pid import PID
from edge.node.control.block import Block
from edge.node.control.demand import BOTH, DOWN, UP
from edge.node.control.set_point import SetPoint
from edge.node.signals import BAD

REVERSE = 1.0
DIRECT = -1.0
_NAN = float("nan")


class Pid(Block):
    """One PID from a process value to a demand, with feed-forwards and a gain schedule where given.

    ``forwards``: (source, gain) pairs that are added to the output; one that is bad keeps its last share, and
    makes the demand uncertain. ``low_from``: a source for the lower limit, within low..high. ``leader``: a
    block that must lead, else this one is held; ``schedule``: the source of the gain schedule.
    """

    def __init__(self, name: str, spec: dict, lookup, leader=None):
        pv = lookup(spec["pv"])
        Block.__init__(self, "loop", name, spec, [pv])
        self.pv = pv
        source = lookup(spec["set_point_from"]) if "set_point_from" in spec else None
        self.set_point = SetPoint(self.reference, pv.unit, spec, source)
        self.leader = leader
        self.forwards = [(lookup(source), gain) for source, gain in spec["forward"]]
        self._shares = [0.0] * len(self.forwards)
        self._low_from = lookup(spec["low_from"]) if "low_from" in spec else None
        pid = PID(spec["gain"][0], spec["ti_s"][0], spec["td_s"][0])
        pid.b = spec["b"]
        pid.c = spec["c"]
        pid.n = spec["n"]
        pid.tt_s = spec["tt_s"]
        pid.dead_band = spec["dead_band"]
        pid.direction = REVERSE if spec["action"] == "reverse" else DIRECT
        pid.out_min = self.low
        pid.out_max = self.high
        self.pid = pid
        self._schedule = None
        if "schedule" in spec:
            from cext.cascade import GainSchedule
            from cext.characterisers import Table

            self._scheduled_by = lookup(spec["schedule"])
            tables = []
            for key in ("gain", "ti_s", "td_s"):
                tables.append(Table([(spec["at"][i], spec[key][i]) for i in range(len(spec["at"]))], False))
            self._schedule = GainSchedule(*tables)
        # Whether the controller worked in this tick; whether it asked for where its demand stood.
        self._stepped = False
        self._joined = False
        self._ready = False

    def forward(self, dt_s: float, now_ms: int):
        """Give this tick's demand."""
        self._ready = self._stepped or self._joined
        self._stepped = False
        self._joined = False
        Block.forward(self, dt_s, now_ms)

    def calculate(self, dt_s: float, now_ms: int) -> float:
        """The controller's output; where it stands while another has the demand, or it is held."""
        pid = self.pid
        self._limit()
        if self._schedule is not None and self._scheduled_by.quality != BAD:
            self._schedule.apply(pid, self._scheduled_by.value)
        if self.demand.away:
            self._joined = True
            return self.demand.realised
        if self.leader is not None and not self.leader.demand.leads:
            self.mode = "held"
            self._stepped = True
            return pid.follow(self.set_point.value, self.pv.value, self._forward(), self._within(pid.out), dt_s)
        self._stepped = True
        if not self._ready:
            # It takes over from where the demand stands, whatever the process value does in this tick.
            standing = self._within(self.demand.realised)
            return pid.follow(self.set_point.value, self.pv.value, self._forward(), standing, dt_s)
        return pid.step(self.set_point.value, self.pv.value, self._forward(), dt_s)

    def without(self, dt_s: float) -> float:
        """The feed-forward with the last integral."""
        return self._within(self.pid.integral + self._forward())

    def backward(self, dt_s: float):
        """Let the controller know what its output came to, and the master what its demand came to."""
        demand = self.demand
        if demand.realised is not None:
            if self._stepped and not demand.away:
                self.pid.realised(demand.realised)
            elif self.mode != "forward":
                # With "forward" the integral is what it goes on with.
                self._follow(0.0 if self._stepped else dt_s)
        master = self.set_point.master
        if master is not None:
            self._answer(master)

    def _follow(self, dt_s: float):
        # Without a process value the controller starts its derivative anew when there is one again.
        value = self.pv.value if self.pv.quality != BAD else _NAN
        set_point = self.set_point.value
        set_point = _NAN if set_point is None else set_point
        self.pid.follow(set_point, value, self._forward(), self._within(self.demand.realised), dt_s)

    def _within(self, value: float) -> float:
        """Within the limits: from a safe value outside them the demand comes back to a limit."""
        pid = self.pid
        return pid.out_min if value < pid.out_min else pid.out_max if value > pid.out_max else value

    def _answer(self, master):
        """What became of a master's demand, which is this block's set-point."""
        demand = self.demand
        pv = self.pv
        if demand.realised is None:
            master.answer(None, BOTH, demand.away or "unknown")
            return
        away = "hand" if self.hand.on else demand.away or ("" if self._stepped else "safe")
        if away:
            # The process value, so that the error is 0 when this block comes back; blind, it stays.
            standing = pv.value if pv.quality != BAD else self.set_point.value
            master.answer(standing, BOTH, away)
            return
        set_point = self.set_point.value
        room = BOTH
        if master.value > set_point:
            room &= ~UP
        elif master.value < set_point:
            room &= ~DOWN
        pushes = self.pid.direction * (set_point - pv.value)
        blocked = self.pid.saturated
        if blocked == 0:
            blocked = 1 if not demand.room & UP else -1 if not demand.room & DOWN else 0
        if blocked * pushes > 0.0:
            room &= ~UP if set_point > pv.value else ~DOWN
            set_point = pv.value
        master.answer(set_point, room)

    def _limit(self):
        source = self._low_from
        if source is not None and source.quality != BAD:
            low = source.value
            self.pid.out_min = self.low if low < self.low else self.high if low > self.high else low

    def _forward(self) -> float:
        total = 0.0
        for i in range(len(self.forwards)):
            source, gain = self.forwards[i]
            if source.quality != BAD:
                self._shares[i] = gain * source.value
            total += self._shares[i]
        return total

    def _doubt(self) -> str:
        for source, _ in self.forwards:
            if source.quality == BAD:
                return source.name + ": " + source.why
        return Block._doubt(self)
