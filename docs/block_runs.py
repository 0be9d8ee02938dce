"""Short runs of the node's own blocks on virtual time, one for each picture of docs/blocks.md.

A run gives panels [(unit, [(label, times in s, values)])].
"""

import math

from edge.node.calc.kinds import build
from edge.node.guard import outputs as out
from edge.node.guard.condition import Condition, Limit
from tests.node.control import rig
from tests.node.control.test_cross_limit import Furnace, zone
from tests.node.control.test_loops import BURNER
from tests.node.fakes import HandSignal

DT_S = 0.25
CAPTIONS = {
    "vote": "Three thermocouples of a section: one drifts away; the median stays with the others, and goes on without it",
    "sum": "A weighted sum of two fan speeds",
    "product": "A gas flow from differential pressure, while the pressure of the gas falls",
    "table": "What a load asks of primary air, held beyond the ends",
    "filter": "A step behind a lag, a mean and a delay of 30 s",
    "lambda": "The air ratio from wet O2 of waste",
    "heat_release": "Heat from air and lambda",
    "heating_value": "The heating value follows the waste within hours, and holds while a reading is bad",
    "residence": "Residence falls with flow and temperature",
    "state": "A limit with its dead band and its delays",
    "pid": "A set-point step, then a trip for a minute: the loop follows, and goes on from where the guard held it",
    "ratio": "Secondary air follows primary air, within the limits and the rate of its output",
    "trim": "O2 too high: the factor falls, waits while there is no room, and stands while the O2 is bad",
    "burner": "It starts when the temperature falls through 870 degC, stays at low fire until it runs, and modulates",
    "select": "Steam leads until the furnace cools; the loser waits beside the winner, and takes over at once",
    "cross_limit": "Load up and down: air leads the rise, fuel leads the fall; then an air damper sticks",
    "split": "Three zones share the air; one reaches its end, then another is held by a trip",
}


def record(seconds, step, lines):
    """Step a run; ``lines``: label -> function that gives the value after each step."""
    times, found = [], {label: [] for label in lines}
    for i in range(int(seconds / DT_S)):
        step(i * DT_S)
        times.append((i + 1) * DT_S)
        for label, value in lines.items():
            found[label].append(value())
    return [(label, times, values) for label, values in found.items()]


def calc_run(spec, sources, seconds, drive, unit, calc_unit=None):
    """A calc beside what it reads; ``drive(t, sources)`` moves those."""
    calc = build("calc", {"unit": "", **spec})
    calc.connect(sources)

    def step(t):
        drive(t, sources)
        calc.update(DT_S, int(t * 1000))

    lines = {source.name: (lambda source=source: source.value) for source in sources}
    lines["result"] = lambda: calc.value if calc.quality < 2 else math.nan
    found = record(seconds, step, lines)
    if calc_unit is None:
        return [(unit, found)]
    return [(unit, found[:-1]), (calc_unit, found[-1:])]


def vote():
    def drive(t, points):
        drift = 0.0 if t < 60 else min(120.0, (t - 60) * 3.0) if t < 240 else 0.0
        for i, point in enumerate(points):
            point.good(905.0 + 3 * i + 2.0 * math.sin(t / 17.0 + i) + (drift if i == 2 else 0.0))

    points = [HandSignal(name) for name in ("roof_a1", "roof_a2", "roof_a3")]
    spec = {"kind": "vote", "of": "abc", "take": "median", "with_two": "lower", "least": 1, "apart": 40.0,
            "apart_after_s": 60.0}  # fmt: skip
    return calc_run(spec, points, 360, drive, "degC")


def sum_():
    def drive(t, fans):
        fans[0].good(60 + 10 * math.sin(t / 20))
        fans[1].good(50 if t < 60 else 30)

    spec = {"kind": "sum", "of": "ab", "weights": [0.65, 0.35], "constant": 0.0}
    return calc_run(spec, [HandSignal("primary"), HandSignal("secondary")], 120, drive, "%")


def product():
    def drive(t, sources):
        sources[0].good(900 + 300 * math.sin(t / 30))
        sources[1].good(120 if t < 60 else 120 - 0.4 * (t - 60))
        sources[2].good(300)

    spec = {"kind": "product", "of": "abc", "powers": [0.5, 0.5, -0.5], "factor": 0.4}
    sources = [HandSignal("dp, Pa"), HandSignal("pressure, kPa"), HandSignal("temperature, K")]
    return calc_run(spec, sources, 120, drive, "inputs", "flow, MW")


def table():
    spec = {"kind": "table", "of": "a", "points": [[27.6, 30], [36.8, 46], [46.0, 61], [50.6, 63]]}
    return calc_run(spec, [HandSignal("steam asked for")], 80, lambda t, s: s[0].good(20 + t * 0.45), "t/h", "air, %")


def filters():
    source = HandSignal("input")
    made = {}
    for does, spec in (("lag", {}), ("mean", {}), ("delay", {})):
        made[does] = build(does, {"unit": "", "kind": "filter", "of": "a", "does": does, "time_s": 30.0, **spec})
        made[does].connect([source])

    def step(t):
        source.good(1.0 if 20 <= t < 100 else 0.0)
        for calc in made.values():
            calc.update(DT_S, int(t * 1000))

    lines = {"input": lambda: source.value}
    lines.update({does: (lambda calc=calc: calc.value) for does, calc in made.items()})
    return [("", record(180, step, lines))]


def air_ratio():
    spec = {"kind": "lambda", "o2": "a", "gas_ratio": 1.398}
    return calc_run(spec, [HandSignal("O2, %")], 60, lambda t, s: s[0].good(3 + 0.15 * t), "%", "lambda")


def heat_release():
    def drive(t, sources):
        sources[0].good(16 + 0.05 * t)
        sources[1].good(1.65 + 0.1 * math.sin(t / 15))

    spec = {"kind": "heat_release", "air": "a", "lambda": "b", "heat_per_air_mj": 3.2}
    return calc_run(spec, [HandSignal("air, Nm3/s"), HandSignal("lambda")], 120, drive, "inputs", "MW")


def heating_value():
    calc = build("calc", {"unit": "MJ/kg", "kind": "heating_value", "start": 6.95, "low": 4.0, "high": 9.0,
                          "time_s": 7200.0, "residence_s": 2400.0, "feed_least": 1.0})  # fmt: skip
    heat, feed = HandSignal("heat, MW", 34.0), HandSignal("feed, kg/s", 4.9)
    calc.connect([heat, feed])
    times, learned, true = [], [], []
    for minute in range(24 * 60):
        value = 6.95 if minute < 360 else 6.0
        heat.good(4.9 * value)
        if 900 <= minute < 1000:
            feed.bad("no reply")
        else:
            feed.good(4.9)
        calc.update(60.0, minute * 60000)
        times.append(minute * 60.0)
        learned.append(calc.value)
        true.append(value)
    return [("MJ/kg", [("true", times, true), ("learned", times, learned)])]


def residence():
    def drive(t, sources):
        sources[0].good(18 + 0.15 * t)
        sources[1].good(950)

    spec = {"kind": "residence", "flow": "a", "temperature": "b", "volume_m3": 280.0}
    return calc_run(spec, [HandSignal("flow, Nm3/s"), HandSignal("degC")], 80, drive, "inputs", "s")


def state():
    signal = HandSignal("t")
    condition = Condition(Limit(signal, 850.0, None, 845.0, True), 5000, 10000)

    def step(t):
        signal.good(850 + 9 * math.sin(t / 13) + 3 * math.sin(t / 1.7))
        condition.update(int(t * 1000))

    lines = record(160, step, {"t": lambda: signal.value, "on": lambda: float(condition.on)})
    return [("degC", lines[:1]), ("state", lines[1:])]


def pid():
    chain = rig.Chain({"loop": {"heat": rig.pid("output.valve", "pv", set_point=50.0, gain=3.0, ti_s=40.0)}},
                      [rig.Source("pv", 50.0)], [rig.output("valve", rate_per_s=5.0)])  # fmt: skip

    def after(chain):
        pv = chain.sources["pv"]
        pv.value += DT_S / 40.0 * (chain.outputs["valve"].device.position - pv.value)

    def step(t):
        if t == 20:
            chain["loop.heat"].set_point.change(65.0)
        chain.tick(after=after, forced={"valve": out.TRIP} if 220 <= t < 280 else None)

    loop = chain["loop.heat"]
    lines = record(480, step, {
        "set-point": lambda: loop.set_point.value, "process value": lambda: chain.sources["pv"].value,
        "output": lambda: chain.outputs["valve"].value,
    })  # fmt: skip
    return [("", lines[:2]), ("%", lines[2:])]


def ratio():
    spec = {"kind": "ratio", "to": "output.secondary", "of": "primary", "ratio": 0.92, "bias": 0.0, "unit": "%",
            "low": 20.0, "high": 100.0}  # fmt: skip
    chain = rig.Chain({"loop": {"air": spec}}, [rig.Source("primary", 60.0)],
                      [rig.output("secondary", position=55.0, low=20.0, rate_per_s=2.0)])  # fmt: skip

    def step(t):
        chain.sources["primary"].value = 60.0 if t < 20 else 80.0 if t < 60 else 15.0
        chain.tick()

    lines = {"primary": lambda: chain.sources["primary"].value, "secondary": lambda: chain.outputs["secondary"].value}
    return [("%", record(120, step, lines))]


def trim():
    loops = {
        "o2": {"kind": "trim", "to": "loop.air", "pv": "o2", "unit": "", "set_point": 6.6, "set_point_low": 0.0,
               "set_point_high": 21.0, "low": 0.5, "high": 1.6, "gain": 0.03, "ti_s": 60.0, "hold_s": 20.0,
               "at_limit_told_after_s": 300.0},
        "air": {"kind": "ratio", "to": "output.fan", "of": "primary", "ratio": 0.92, "bias": 0.0, "unit": "%",
                "low": 0.0, "high": 100.0},
    }  # fmt: skip
    chain = rig.Chain({"loop": loops}, [rig.Source("o2", 6.6), rig.Source("primary", 60.0)],
                      [rig.output("fan", position=55.2, low=45.0)])  # fmt: skip
    o2 = chain.sources["o2"]

    def step(t):
        o2.value = 6.6 if t < 20 else 9.0 if t < 200 else 4.5
        if t == 300:
            o2.fail()
        chain.tick()

    lines = record(420, step, {
        "O2": lambda: o2.value if o2.quality < 2 else math.nan, "factor": lambda: chain["loop.o2"].demand.value,
        "secondary air": lambda: chain.outputs["fan"].value,
    })  # fmt: skip
    return [("%", lines[:1]), ("", lines[1:2]), ("%", lines[2:])]


def burner():
    outputs = [rig.output("burner", position=0.0, rate_per_s=5.0), rig.output("release", position=0.0, drive="switch",
                                                                            dead_band=10.0)]  # fmt: skip
    sources = [rig.Source("t", 900.0), rig.Source("running", 0.0), rig.Source("lockout", 0.0)]
    chain = rig.Chain({"loop": {"burner": dict(BURNER)}}, sources, outputs)
    waited = [0.0]

    def step(t):
        released = chain.outputs["release"].device.position > 50.0
        waited[0] = waited[0] + DT_S if released else 0.0
        chain.sources["running"].value = 1.0 if waited[0] > 50.0 else 0.0
        lit = chain.outputs["burner"].value * chain.sources["running"].value
        chain.sources["t"].value += DT_S * (-0.25 + 0.006 * lit)
        chain.tick()

    lines = record(600, step, {
        "temperature": lambda: chain.sources["t"].value, "output": lambda: chain.outputs["burner"].value,
        "runs": lambda: 100.0 * chain.sources["running"].value,
    })  # fmt: skip
    return [("degC", lines[:1]), ("%", lines[1:])]


def select():
    sources = [rig.Source("steam", 44.0), rig.Source("t", 900.0)]
    loops = {
        "steam": rig.pid("select.air", "steam", set_point=46.0, set_point_high=60.0, gain=1.5, ti_s=100.0),
        "keep_hot": rig.pid("select.air", "t", set_point=872.0, action="direct", gain=0.8, ti_s=100.0),
    }
    spec = {"air": {"take": "lowest", "to": "output.air", "unit": "%", "if_bad": {"steam": "leave_out",
                                                                              "keep_hot": 25.0}}}  # fmt: skip
    chain = rig.Chain({"loop": loops, "select": spec}, sources, [rig.output("air", position=60.0, low=25.0)])

    def step(t):
        chain.sources["t"].value = 900.0 if t < 60 else max(860.0, 900.0 - (t - 60)) if t < 200 else min(
            900.0, 860.0 + 0.5 * (t - 200))  # fmt: skip
        chain.tick()

    lines = record(360, step, {
        "temperature": lambda: chain.sources["t"].value, "steam asks": lambda: chain["loop.steam"].demand.value,
        "keep_hot asks": lambda: chain["loop.keep_hot"].demand.value, "output": lambda: chain.outputs["air"].value,
    })  # fmt: skip
    return [("degC", lines[:1]), ("%", lines[1:])]


def cross_limit():
    chain = zone(trimmed=False)
    furnace = Furnace(chain)
    chain.tick(4 * 600, after=furnace)
    master = chain["loop.zone"]
    master.set_manual(True)

    def step(t):
        if t in (10, 100, 190):
            master.change_output({10: 8.0, 100: 3.0, 190: 8.0}[int(t)])
        chain.outputs["air"].device.stuck = t >= 180
        chain.tick(after=furnace)

    lines = record(260, step, {
        "master asks": lambda: master.demand.value, "fuel": lambda: chain.sources["gas"].value,
        "lambda": lambda: chain.sources["air"].value / (0.266 * chain.sources["gas"].value),
    })  # fmt: skip
    return [("MW", lines[:2]), ("", lines[2:])]


def split():
    specs = {
        "loop": {"load": rig.pid("split.air", "pv", set_point=50.0, high=250.0)},
        "split": {"air": {"parts": ["output.z1", "output.z2", "output.z3"], "shares": [2.0, 5.0, 3.0], "unit": "%",
                          "lows": [5.0] * 3, "highs": [100.0] * 3}},
    }  # fmt: skip
    outputs = [rig.output(f"z{i}", position=20.0 * i, low=5.0, safe=5.0) for i in (1, 2, 3)]
    chain = rig.Chain(specs, [rig.Source("pv", 50.0)], outputs)
    chain["loop.load"].set_manual(True)

    def step(t):
        chain["loop.load"].change_output(min(230.0, 100.0 + max(0.0, t - 10.0)))
        chain.tick(forced={"z3": out.TRIP} if t > 160 else None)

    lines = {f"zone {i}": (lambda i=i: chain.outputs[f"z{i}"].value) for i in (1, 2, 3)}
    lines["sum"] = lambda: sum(one.value for one in chain.outputs.values())
    return [("%", record(220, step, lines))]


RUNS = {
    "vote": vote, "sum": sum_, "product": product, "table": table, "filter": filters, "lambda": air_ratio,
    "heat_release": heat_release, "heating_value": heating_value, "residence": residence, "state": state, "pid": pid,
    "ratio": ratio, "trim": trim, "burner": burner, "select": select, "cross_limit": cross_limit, "split": split,
}  # fmt: skip
