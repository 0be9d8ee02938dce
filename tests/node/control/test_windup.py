"""No wind-up on any path: how long a chain was blocked does not change what it does when it is free again.

Random chains of up to five controllers, with selects between and a double cross-limit at the end. The top
process value can't reach its set-point while the chain is blocked. Then the blockage ends, and the same chain
is compared after a short and after a long one: every integral that had gone on meanwhile would show.
"""

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from edge.node.guard import outputs as out
from tests.node.control.rig import Chain, Source, output, pid

# A run takes a fifth of a second: shrinking a failure would take minutes and say little more.
RUNS = settings(
    max_examples=25, suppress_health_check=[HealthCheck.too_slow], phases=[Phase.explicit, Phase.generate]
)
DT_S = 1.0
SHORT_S = 3000
LONG_S = 9000


class Plant:
    """Level 0 is the top process value; each follows the one below it, the last follows the output."""

    def __init__(self, depth, selects, crossed):
        self.depth = depth
        self.crossed = crossed
        self.taus_s = [400.0 / 3.0**level for level in range(depth)]
        self.strength = 0.6
        self.stuck_air = None
        sources = [Source(f"pv{level}", 30.0) for level in range(depth)]
        loops, selectors, cross = {}, {}, {}
        for level in range(depth):
            below = "output.fuel" if level == depth - 1 else f"loop.l{level + 1}"
            if crossed and level == depth - 2:
                below = "cross_limit.zone"
            if level in selects:
                selectors[f"s{level}"] = {
                    "take": "lowest",
                    "to": below,
                    "unit": "%",
                    "if_bad": {f"l{level}": "refuse", f"o{level}": "refuse"},
                }
                sources.append(Source(f"override{level}", 0.0))
                loops[f"o{level}"] = pid(f"select.s{level}", f"override{level}", set_point=50.0, ti_s=30.0)
                below = f"select.s{level}"
            keys = {"set_point": 60.0} if level == 0 else {}
            loops[f"l{level}"] = pid(
                below, f"pv{level}", gain=1.0, ti_s=self.taus_s[level], set_point_high=100.0, **keys
            )
        outputs = [output("fuel", position=30.0)]
        if crossed:
            sources.append(Source("air", 30.0, "Nm3/s"))
            cross["zone"] = {
                "fuel": f"pv{depth - 1}",
                "air": "air",
                "air_per_fuel": 1.0,
                "lambda": 1.15,
                "lambda_min": 1.02,
                "bands": [0.05, 0.1, 0.05, 0.1],
                "air_min": 1.0,
                "fuel_to": f"loop.l{depth - 1}",
                "air_to": "loop.air",
                "trim_low": 1.0,
                "trim_high": 1.0,
            }
            loops["air"] = pid("output.damper", "air", gain=2.0, ti_s=4.0, set_point_high=200.0)
            outputs.append(output("damper", position=30.0))
        self.chain = Chain({"loop": loops, "select": selectors, "cross_limit": cross}, sources, outputs)

    def run(self, seconds, **tick):
        self.chain.tick(int(seconds / DT_S), after=self.physics, dt_s=DT_S, **tick)

    def physics(self, chain):
        value = chain.outputs["fuel"].device.position
        for level in range(self.depth - 1, -1, -1):
            source = chain.sources[f"pv{level}"]
            gain = self.strength if level == 0 else 1.0
            source.value += DT_S / (self.taus_s[level] + DT_S) * (gain * value - source.value)
            value = source.value
        if self.crossed and self.stuck_air is None:
            air = chain.sources["air"]
            air.value += DT_S / (3.0 + DT_S) * (1.4 * chain.outputs["damper"].device.position - air.value)

    def top(self):
        return self.chain.sources["pv0"].value


@st.composite
def plants(draw):
    depth = draw(st.integers(1, 5))
    crossed = depth >= 2 and draw(st.booleans())
    return depth, draw(st.frozensets(st.integers(0, depth - 1), max_size=2)), crossed


def blocked_for(plant, kind, seconds):
    """Block a plant that was at rest, so that its top can't reach the set-point; then release it."""
    chain = plant.chain
    plant.run(3000)
    if kind == "saturated":
        plant.strength = 0.3
        plant.run(seconds)
        plant.strength = 1.2
    elif kind == "trip":
        plant.run(seconds, forced={"fuel": out.TRIP})
    elif kind == "hand":
        chain[f"loop.l{plant.depth - 1}"].set_manual(True)
        chain[f"loop.l{plant.depth - 1}"].change_output(10.0)
        plant.run(seconds)
        chain[f"loop.l{plant.depth - 1}"].set_manual(False)
    elif kind == "blind":
        chain.sources[f"pv{plant.depth - 1}"].fail()
        plant.run(seconds)
        chain.sources[f"pv{plant.depth - 1}"].mend()
    elif kind == "override":
        for name, source in chain.sources.items():
            if name.startswith("override"):
                source.value = 60.0
        plant.run(seconds)
        for name, source in chain.sources.items():
            if name.startswith("override"):
                source.value = 0.0
    elif kind == "air":
        plant.stuck_air = True
        plant.run(seconds)
        plant.stuck_air = None


@RUNS
@given(plants(), st.sampled_from(["saturated", "trip", "hand", "blind", "override", "air"]))
def test_what_a_chain_does_after_a_blockage_does_not_depend_on_how_long_it_was(shape, kind):
    answers = []
    for seconds in (SHORT_S, LONG_S):
        plant = Plant(*shape)
        blocked_for(plant, kind, seconds)
        highest = plant.top()
        outputs = []
        for _ in range(40):
            plant.run(20)
            highest = max(highest, plant.top())
            outputs.append(plant.chain.outputs["fuel"].value)
        answers.append((highest, outputs))
    short, long = answers
    # The short one lasts seven times the slowest lag; a wound-up integral would show tens of percent.
    assert abs(short[0] - long[0]) < 1.0, (short[0], long[0])
    assert max(abs(one - other) for one, other in zip(short[1], long[1], strict=True)) < 3.0


@RUNS
@given(plants())
def test_full_output_is_left_soon_after_the_top_has_crossed_its_set_point(shape):
    plant = Plant(*shape)
    plant.run(2000)
    plant.strength = 0.3
    plant.run(LONG_S)
    fuel = plant.chain.outputs["fuel"]
    # A lower cross-limited fuel or an override may hold it below; then there is nothing to leave.
    full = fuel.value > 99.9
    plant.strength = 1.2
    waited = 0
    while plant.top() < 60.0 and waited < 4000:
        plant.run(1)
        waited += 1
    left = 0
    while full and fuel.value > 99.9 and left < 1000:
        plant.run(1)
        left += 1
    # Each slave hands the answer on in the tick in which it has it, and then unwinds over its own lag.
    assert left <= 1 + plant.taus_s[-1] * plant.depth + 2 * plant.depth, left


@RUNS
@given(plants(), st.floats(20.0, 70.0))
def test_hand_to_automatic_and_back_is_bumpless_at_every_level(shape, value):
    plant = Plant(*shape)
    plant.run(3000)
    chain = plant.chain
    fuel = chain.outputs["fuel"]
    for level in range(plant.depth):
        loop = chain[f"loop.l{level}"]
        before = fuel.value
        loop.set_manual(True)
        plant.run(1)
        assert abs(fuel.value - before) < 1.0, "to the hand"
        loop.change_output(value)
        plant.run(1500)
        before = fuel.value
        loop.set_manual(False)
        plant.run(1)
        assert abs(fuel.value - before) < 1.0, "to automatic"
        plant.run(2000)
