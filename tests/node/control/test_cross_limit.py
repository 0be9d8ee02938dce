"""Fuel and air of a zone through the node's own chain: master, double cross-limit, trim, two slaves.

The guarantee is checked on the measured flows of the chain, not on the class: whatever fails or sticks, no more
fuel is asked for than the measured air can burn at the least lambda.
"""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from edge.node.guard import outputs as out
from edge.node.signals import BAD
from tests.node.control.rig import DT_S, Chain, Source, output, pid

AIR0 = 0.266
LAMBDA_MIN = 1.02


def zone(trimmed=True, sp=1230.0):
    """The zone of shared/examples, with fuel in MW and air in Nm3/s."""
    sources = [Source("t", sp, "degC"), Source("gas", 5.0, "MW"), Source("air", 1.53, "Nm3/s"), Source("o2", 2.0)]
    loops = {
        "zone": pid("cross_limit.zone", "t", set_point=sp, set_point_high=1290.0, low=0.8, high=9.0, gain=0.09,
                    ti_s=420.0, unit="MW"),
        "gas": pid("output.gas", "gas", gain=4.0, ti_s=6.0, set_point_high=9.0),
        "air": pid("output.air", "air", gain=8.0, ti_s=8.0, set_point_high=3.5),
    }  # fmt: skip
    if trimmed:
        loops["o2"] = {
            "kind": "trim", "to": "cross_limit.zone", "pv": "o2", "unit": "", "set_point": 2.0, "set_point_low": 0.0,
            "set_point_high": 21.0, "low": 0.97, "high": 1.10, "gain": 0.02, "ti_s": 90.0, "hold_s": 15.0,
            "at_limit_told_after_s": 300.0,
        }  # fmt: skip
    cross = {
        "zone": {
            "fuel": "gas", "air": "air", "air_per_fuel": AIR0, "lambda": 1.15, "lambda_min": LAMBDA_MIN,
            "bands": [0.05, 0.10, 0.05, 0.10], "air_min": 0.28, "fuel_to": "loop.gas", "air_to": "loop.air",
            "trim_low": 0.97 if trimmed else 1.0, "trim_high": 1.10 if trimmed else 1.0,
        }
    }  # fmt: skip
    outputs = [output("gas", position=55.6, safe=0.0), output("air", position=51.0, safe=51.0)]
    return Chain({"loop": loops, "cross_limit": cross}, sources, outputs)


class Furnace:
    """Flows behind valve and damper (2 s, 6 s), and a zone of 150 K/MW and 3,000 s."""

    def __init__(self, chain):
        self.chain = chain
        self.load_mw = 0.0

    def __call__(self, chain):
        gas, air, t = (chain.sources[name] for name in ("gas", "air", "t"))
        gas.value += DT_S / 2.0 * (0.09 * chain.outputs["gas"].device.position - gas.value)
        air.value += DT_S / 6.0 * (0.03 * chain.outputs["air"].device.position - air.value)
        t.value += DT_S / 3000.0 * (45.0 + 150.0 * (1.58 * gas.value - self.load_mw) - t.value)


def overshoot(answering):
    """How far the zone goes over its set-point after an air damper that stuck for 20 min is free again."""
    chain = zone(trimmed=False)
    furnace = Furnace(chain)
    chain.tick(4 * 3600, after=furnace)
    assert chain.sources["t"].value == pytest.approx(1230.0, abs=0.5)
    if not answering:
        # What the chain would do without the rule: the master never learns what became of its demand.
        cross = chain["cross_limit.zone"]
        cross.backward = lambda dt_s: cross.master.answer(cross.master.value, 3)
    chain.outputs["air"].device.stuck = True
    furnace.load_mw = 0.9  # the zone cools by some 25 K meanwhile
    chain.tick(4 * 1200, after=furnace)
    chain.outputs["air"].device.stuck = False
    highest = 0.0
    for _ in range(4 * 7200):
        chain.tick(after=furnace)
        highest = max(highest, chain.sources["t"].value)
    return highest - 1230.0


def test_a_master_waits_while_a_stuck_damper_holds_its_fuel_back():
    assert overshoot(answering=True) <= 3.0
    assert overshoot(answering=False) > 10.0, "the test can fail"


def test_air_leads_a_rise_and_fuel_leads_a_fall():
    chain = zone(trimmed=False)
    furnace = Furnace(chain)
    chain.tick(4 * 1800, after=furnace)
    relative = []
    for high in (8.0, 3.0):
        chain["loop.zone"].set_manual(True)
        chain["loop.zone"].change_output(high)
        ratios = []
        for _ in range(4 * 90):
            chain.tick(after=furnace)
            gas, air = chain.sources["gas"].value, chain.sources["air"].value
            ratios.append(air / (gas * AIR0 * 1.15))
        relative.append((min(ratios), max(ratios)))
    # Double cross-limiting with bands of 5 and 10 %: neither rich nor far too lean.
    assert relative[0][0] >= 0.94 and relative[1][1] <= 1.15


def test_the_trim_is_held_while_the_cross_limit_acts():
    chain = zone()
    furnace = Furnace(chain)
    chain.tick(4 * 600, after=furnace)
    trim = chain["loop.o2"]
    chain.sources["o2"].value = 2.6
    chain.tick(4 * 60, after=furnace)
    moved = trim.demand.value
    assert moved < 1.0
    chain.outputs["air"].device.stuck = True
    chain["loop.zone"].set_manual(True)
    chain["loop.zone"].change_output(8.0)
    chain.tick(8, after=furnace)
    held = trim.demand.value
    chain.tick(4 * 120, after=furnace)
    assert trim.demand.value == held and chain["cross_limit.zone"].mode == "limits"


class Guarantee(RuleBasedStateMachine):
    """Random loads, slews, hands, trips and failures of every instrument; the fuel asked for never needs more."""

    @initialize()
    def start(self):
        self.chain = zone()
        self.furnace = Furnace(self.chain)
        self.chain.tick(240, after=self.furnace)

    def run(self, ticks=8, **forced):
        for _ in range(ticks):
            self.chain.tick(after=self.furnace, **forced)
            self.burns()

    @rule(mw=st.floats(-2.0, 12.0), seconds=st.integers(1, 40))
    def load(self, mw, seconds):
        self.chain.sources["t"].value = 1230.0 - 100.0 * (mw - 5.0)
        self.run(4 * seconds)

    @rule(name=st.sampled_from(["t", "gas", "air", "o2"]))
    def instrument_fails(self, name):
        self.chain.sources[name].fail()
        self.run()

    @rule(name=st.sampled_from(["t", "gas", "air", "o2"]))
    def instrument_comes_back(self, name):
        self.chain.sources[name].mend()
        self.run()

    @rule(name=st.sampled_from(["gas", "air"]), stuck=st.booleans())
    def actuator_sticks(self, name, stuck):
        self.chain.outputs[name].device.stuck = stuck
        self.run()

    @rule(name=st.sampled_from(["gas", "air"]))
    def guard_acts(self, name):
        self.run(8, forced={name: out.TRIP})

    @rule(o2=st.floats(0.0, 20.0))
    def oxygen(self, o2):
        self.chain.sources["o2"].value = o2
        self.run(40)

    @rule(name=st.sampled_from(["zone", "gas", "air"]), manual=st.booleans(), share=st.floats(0.0, 1.0))
    def hand(self, name, manual, share):
        loop = self.chain["loop." + name]
        # A person who moves the fuel by hand has taken the guarantee away; the air and the load may be moved.
        if name != "gas" or not manual:
            loop.set_manual(manual)
            if manual:
                loop.change_output(loop.low + share * (loop.high - loop.low))
        self.run()

    def burns(self):
        cross = self.chain["cross_limit.zone"]
        air = self.chain.sources["air"]
        possible = air.value / (AIR0 * LAMBDA_MIN) if air.quality != BAD else 0.0
        # The air of this tick's forward pass is what the chain has seen; the process moved it afterwards.
        self.asked = cross.fuel_demand.value
        assert self.asked <= max(possible, self.before) * (1.0 + 1e-9) + 1e-12
        self.before = possible

    before = float("inf")

    @invariant()
    def the_demand_is_finite(self):
        if hasattr(self, "chain"):
            cross = self.chain["cross_limit.zone"]
            assert 0.0 <= cross.fuel_demand.value < 20.0 and 0.28 <= cross.air_demand.value < 20.0


TestGuarantee = Guarantee.TestCase
TestGuarantee.settings = settings(max_examples=20, stateful_step_count=15)
