"""A node of one furnace and one fan on virtual time, with the real loops, guard, programmes and door.

Runs on MicroPython as well: it imports the node and tests.node.fakes only.
"""

import json

from edge.node.commands import Commands
from edge.node.control import table
from edge.node.control.programme import Programme
from edge.node.guard.guard import Guard
from edge.node.remote import Door
from tests.node.fakes import HandSignal, alarm, interlock, output, trip

TICK_MS = 250
FURNACE = {
    "kind": "pid", "to": "output.burner", "unit": "%", "low": 5.0, "high": 90.0, "pv": "t", "set_point": 800.0,
    "set_point_low": 20.0, "set_point_high": 1100.0, "action": "reverse", "gain": [0.5], "ti_s": [60.0],
    "td_s": [5.0], "b": 0.5, "c": 0.0, "n": 10.0, "tt_s": 0.0, "dead_band": 0.0, "forward": [],
}  # fmt: skip
FAN = dict(FURNACE, to="output.fan", low=30.0, high=100.0, pv="draught", set_point=-80.0, set_point_low=-150.0,
           set_point_high=-30.0, gain=[0.1], action="direct", td_s=[0.0])  # fmt: skip

SET_POINT = {"action": "set_point", "loop": "furnace", "low": 700.0, "high": 900.0, "rate_per_min": 60.0}
OUTPUT = {"action": "output", "loop": "furnace", "low": 10.0, "high": 70.0, "rate_per_min": 240.0}
ALLOW = {
    "a": SET_POINT,
    "b": {"action": "mode", "loop": "furnace", "modes": ["auto", "manual"]},
    "c": OUTPUT,
    "d": {"action": "acknowledge", "alarms": ["hot"], "trips": ["peak", "pressure"]},
    "e": {"action": "programme", "programme": "heat_up"},
    "f": {"action": "reset", "trips": ["pressure"]},
}
SEGMENTS = [
    {"to": 850.0, "at_per_min": 30.0}, {"stay_min": 1.0}, {"to": 820.0, "at_per_min": 60.0}, {"stay_min": 0.5},
]  # fmt: skip
PROGRAMME = {
    "segments": SEGMENTS, "unit": "degC", "start": "set_point", "at_end": "hold", "after_power_cut": "hold",
    "continue_if_within": 0.0,
}  # fmt: skip


class Clock:
    def __init__(self):
        self.ms = 1000

    def now_ms(self):
        return self.ms


class Reporter:
    """Hands over what a test has put in, keeps what comes out."""

    def __init__(self):
        self.stats = {"connected": True, "reconnects": 0}
        self.waiting = []
        self.answers = []
        self.session = None
        self.sessions = 0

    def commands(self):
        came, self.waiting = self.waiting, []
        return came

    def reply(self, speaker, payload):
        message = json.loads(payload)
        if "session" in message:
            assert speaker == ""
            self.session = message["session"]
            self.sessions += 1
        else:
            self.answers.append(message)


class Node:
    """``step()`` is one tick; ``follow_plant``: the temperature follows the output, else a test sets it."""

    def __init__(self, remote=None, programme=None, follow_plant=False, random=None):
        self.clock = Clock()
        self.reporter = Reporter()
        self.events = []
        self.stopped = ""
        self.t = HandSignal("t", 800.0)
        self.draught = HandSignal("draught", -80.0)
        self.burner = output("burner", position=40.0, low=5.0, high=90.0, rate_per_s=5.0, safe=0.0)
        self.fan = output("fan", position=50.0, low=30.0, high=100.0, rate_per_s=5.0, safe=60.0)
        known = {"t": self.t, "draught": self.draught}
        outputs = {"burner": self.burner, "fan": self.fan}
        order = {"loop": ["furnace", "draught"], "select": [], "split": [], "cross_limit": []}
        description = {"order": order, "loop": {"furnace": FURNACE, "draught": FAN}}
        self.chain = table.build(description, known, outputs)
        self.loops = [block for name in order["loop"] for block in self.chain if block.name == name]
        self.furnace = self.loops[0]
        self.above = []
        self.autotunes = []
        self.trips = [
            trip("peak", self.t, above=1000.0, outputs=[self.burner]),
            trip("pressure", self.draught, above=100.0, outputs=[self.burner]),
        ]
        self.permit = interlock("permit", self.draught, -200.0, 0, [self.burner])
        self.guard = Guard(
            [self.burner, self.fan],
            [self.permit],
            self.trips,
            [alarm("hot", self.t, above=950.0), alarm("other", self.t, above=950.0)],
        )
        self.programmes = [Programme("heat_up", dict(PROGRAMME, **(programme or {})))]
        self.programmes[0].loop = self.furnace
        self.remote = None
        self._count = 0
        if random is not None:
            self.entropy = random
        if remote is not None and remote["enabled"]:
            self.remote = Door(self, remote)
        self.follow_plant = follow_plant
        self.console = Commands(self)
        # A node that takes over a running furnace.
        self.guard.look(self.clock.ms)
        self.answer(0.0)
        self.tick(4)

    def entropy(self, count):
        self._count += 1
        return self._count.to_bytes(count, "big")

    def event(self, kind, name, text, alarm=False):
        self.events.append((kind, name, text))

    def stop(self, why):
        self.stopped = why

    def answer(self, dt_s):
        for one in self.guard.outputs:
            one.answer()
        for i in range(len(self.chain) - 1, -1, -1):
            self.chain[i].backward(dt_s)

    def tick(self, count=1):
        for _ in range(count):
            self.clock.ms += TICK_MS
            if self.remote is not None:
                self.remote.step(self.clock.ms)
            for programme in self.programmes:
                programme.step(TICK_MS)
            for block in self.chain:
                block.forward(TICK_MS / 1000.0, self.clock.ms)
            self.guard.step(TICK_MS / 1000.0, self.clock.ms)
            self.answer(TICK_MS / 1000.0)
            for one in self.guard.outputs:
                del one.device.driven[:]
            if self.follow_plant:
                # 20 degC and 20 K per percent, 100 s.
                self.t.good(self.t.value + (20.0 + 20.0 * self.burner.value - self.t.value) * 0.25 / 100.0)

    # From afar ----------------------------------------------------------------------------------

    def put(self, payload, retained=False):
        self.reporter.waiting.append(("json", payload, retained))

    def ask(self, do, name, value=None, n=None, nonce=None, **other):
        """One command in the form of the session, and the answer to it one tick later."""
        session = self.reporter.session
        command = {
            "v": 1, "nonce": session["nonce"] if nonce is None else nonce,
            "n": session["n"] + 1 if n is None else n, "by": "anna", "do": do, "name": name,
        }  # fmt: skip
        if value is not None:
            command["value"] = value
        command.update(other)
        self.put(json.dumps(command).encode())
        self.tick()
        return self.reporter.answers[-1]


def remote(start="remote", nonce_s=60, allow=None, min_interval_ms=0):
    """A table [remote] as the node description has it."""
    entries = {}
    for name, spec in (ALLOW if allow is None else allow).items():
        entries[name] = dict(spec, min_interval_ms=min_interval_ms)
    return {"enabled": True, "start": start, "nonce_s": nonce_s, "allow": entries}
