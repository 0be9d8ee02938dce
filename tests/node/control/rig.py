"""A chain of blocks with outputs whose devices obey, and processes where a test wants them; virtual time."""

from edge.box.config.schema import check
from edge.node.control import table
from edge.node.guard import drive
from edge.node.guard.outputs import Output
from edge.node.signals import BAD, GOOD

DT_S = 0.25


class Source:
    """A value that a test sets; it reads like a signal."""

    def __init__(self, name, value=0.0, unit="%"):
        self.name = name
        self.value = value
        self.unit = unit
        self.quality = GOOD
        self.why = ""
        self.age_ms = 0
        self.at_end = 0

    def fail(self, why="burnt out"):
        self.quality = BAD
        self.why = why

    def mend(self):
        self.quality = GOOD
        self.why = ""


class Device:
    """A device that is where it was driven to; ``stuck``: it stays where it is and nothing tells."""

    def __init__(self, position=50.0):
        self.position = position
        self.ready = True
        self.fault = ""
        self.not_following = ""
        self.stuck = False

    def actual(self, channel):
        return self.position

    def drive(self, channel, percent, now_ms):
        self.commanded = percent
        if not self.stuck:
            self.position = percent

    def confirmed(self, channel):
        return self.commanded


def output(name, position=50.0, low=0.0, high=100.0, rate_per_s=0.0, safe=0.0, **spec):
    spec = {"drive": "analogue", **spec}
    return Output(name, "%", Device(position), 0, low, high, rate_per_s, safe, drive.build(spec))


def pid(to, pv, **keys):
    """The spec of a pid as the configuration completes it."""
    spec = {
        "kind": "pid",
        "to": to,
        "pv": pv,
        "unit": "%",
        "low": 0.0,
        "high": 100.0,
        "set_point_low": 0.0,
        "set_point_high": 1000.0,
        "action": "reverse",
        "gain": [1.0],
        "ti_s": [60.0],
        "td_s": [0.0],
        "b": 1.0,
        "c": 0.0,
        "n": 10.0,
        "tt_s": 0.0,
        "dead_band": 0.0,
        "forward": [],
        "if_bad": "refuse",
    }
    spec.update(keys)
    for key in ("gain", "ti_s", "td_s"):
        if not isinstance(spec[key], list):
            spec[key] = [spec[key]]
    return spec


class Chain:
    """``specs``: table -> name -> spec; ``sources`` and ``outputs``: lists. tick() is one tick of the node."""

    def __init__(self, specs, sources, outputs):
        self.sources = {source.name: source for source in sources}
        self.outputs = {one.name: one for one in outputs}
        known = dict(self.sources)
        known.update({"output." + one.name: one for one in outputs})
        description = {"order": {}}
        for kind in ("loop", "select", "cross_limit", "split"):
            description[kind] = specs.get(kind, {})
            description["order"][kind] = list(description[kind])
        self.blocks = table.build(description, known, self.outputs)
        self.known = known
        self.now_ms = 0
        for one in outputs:
            one.look()
        self.answer(0.0)

    def __getitem__(self, reference):
        return next(block for block in self.blocks if block.reference == reference)

    def answer(self, dt_s):
        for one in self.outputs.values():
            one.answer()
        for block in reversed(self.blocks):
            block.backward(dt_s)

    def tick(self, count=1, forced=None, after=None, dt_s=DT_S):
        """``forced``: name of an output -> state that the guard forces; ``after(self)`` once a tick: a process."""
        for _ in range(count):
            self.now_ms += int(dt_s * 1000)
            for block in self.blocks:
                block.forward(dt_s, self.now_ms)
            for name, one in self.outputs.items():
                one.forced = (forced or {}).get(name)
                one.forced_why = "test"
                one.apply(dt_s, self.now_ms)
            self.answer(dt_s)
            if after is not None:
                after(self)


def described(text: str) -> dict:
    """The description of a node file's text, as ``check`` completes it."""
    return check("test.toml", text.encode()).description
