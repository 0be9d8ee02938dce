"""The fuel guarantee on a whole node: the file of a reheating zone, its instruments on the line, bytes included.

The process around it is three lines: gas behind a valve, air behind a damper, and oxygen that follows from both.
"""

from pathlib import Path

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from edge.box.config import check
from edge.emulator.virtual import VirtualRun
from edge.node.signals import BAD

NODE = Path(__file__).parents[1] / "box" / "config" / "examples" / "reheat_zone.toml"
AIR_PER_FUEL = 0.266
LAMBDA_MIN = 1.02
GAS_K = 303.15
GAS_MBAR = 1013.0
TICK_S = 0.25
PLANT = """
[plant]
name = "reheat_zone"

[line]
baud = 38400

[values]
zone_c = 1230.0
before_c = 900.0
gas_c = 30.0
dp_pa = 4400.0
gas_mbar = 1013.0
air_nm3_s = 1.53
o2_pct = 2.5
gas_pct = 0.0
air_pct = 0.0

[instrument.thermo]
type = "m7019r"
unit = 1
ai0 = { sensor = "K", reads = "zone_c", noise = 0.5 }
ai1 = { sensor = "K", reads = "before_c", noise = 0.5 }
ai2 = { sensor = "K", reads = "gas_c", noise = 0.1 }

[instrument.flows]
type = "m7019r"
unit = 2
ai0 = { sensor = "4-20mA", reads = "dp_pa", at_4ma = 0, at_20ma = 20000 }
ai1 = { sensor = "4-20mA", reads = "gas_mbar", at_4ma = 800, at_20ma = 1400 }
ai2 = { sensor = "4-20mA", reads = "air_nm3_s", at_4ma = 0, at_20ma = 4, noise = 0.01 }
ai3 = { sensor = "4-20mA", reads = "o2_pct", at_4ma = 0, at_20ma = 21 }

[instrument.valves]
type = "m7024"
unit = 3
ao0 = { drives = "gas_pct", power_on_pct = 0 }
ao1 = { drives = "air_pct", power_on_pct = 20 }
"""
WHOLE_UNIT = ["silence", "mute", "late", "wrong_crc"]


class Zone:
    """The node and its line, with gas and air that move as valve and damper do (2 s, 6 s)."""

    def __init__(self, folder):
        plant = folder / "reheat_zone.toml"
        plant.write_text(PLANT)
        description = check("reheat_zone.toml", NODE.read_bytes()).description
        self.run = VirtualRun(str(plant), description, 5)
        self.model = self.run.bench.model
        node = self.run.node
        self.signals = {signal.name: signal for signal in node.signals}
        self.loops = {loop.name: loop for loop in node.loops}
        self.outputs = {output.name: output for output in node.guard.outputs}
        (self.cross,) = [block for block in node.chain if block.kind == "cross_limit"]
        self.gas_mw = 0.0
        self.stuck = set()
        self.possible = float("inf")
        self.most = 0.0

    def tick(self, count=1):
        for _ in range(count):
            self.run.run_for(TICK_S)
            self._flow()
            self.check()

    def _flow(self):
        model = self.model
        if "gas" not in self.stuck:
            self.gas_mw += TICK_S / 2.0 * (0.09 * model.gas_pct - self.gas_mw)
        if "air" not in self.stuck:
            model.air_nm3_s += TICK_S / 6.0 * (0.03 * model.air_pct - model.air_nm3_s)
        model.dp_pa = (self.gas_mw / 0.0412) ** 2 * GAS_K / GAS_MBAR
        need = AIR_PER_FUEL * self.gas_mw
        model.o2_pct = 21.0 * max(0.0, 1.0 - need / model.air_nm3_s) if model.air_nm3_s > 0.0 else 21.0

    def check(self):
        """What is asked for is what the air that the node measured can burn, in its last tick or the one before."""
        air = self.signals["air_2"]
        possible = air.value / (AIR_PER_FUEL * LAMBDA_MIN) if air.quality != BAD else 0.0
        asked = self.cross.fuel_demand.value
        driven = self.outputs["gas_2"].state == "auto"
        if driven:
            assert asked <= max(possible, self.possible) * (1.0 + 1e-9) + 1e-12, (asked, possible)
            self.most = max(self.most, asked)
        self.possible = possible


@pytest.fixture
def zone(tmp_path):
    return Zone(tmp_path)


def test_the_zone_burns_and_the_measured_gas_follows_its_demand(zone):
    zone.model.zone_c = 1170.0
    zone.tick(4 * 450)
    assert zone.outputs["gas_2"].state == zone.outputs["air_2"].state == "auto"
    # Behind a demand that rises: by the valve's 2 s and the slave's lag.
    assert zone.gas_mw == pytest.approx(zone.cross.fuel_demand.value, rel=0.1) and zone.gas_mw > 3.0
    assert zone.model.air_nm3_s > AIR_PER_FUEL * LAMBDA_MIN * zone.gas_mw


def test_an_air_signal_that_is_lost_takes_the_fuel_away(zone):
    zone.model.zone_c = 1170.0
    zone.tick(4 * 120)
    zone.run.bench.fault("flows", "silence")
    zone.tick(4 * 5)
    assert zone.outputs["gas_2"].state == "safe" and zone.outputs["gas_2"].value == 0.0
    zone.tick(4 * 20)
    assert zone.model.gas_pct == 0.0


class Guarantee(RuleBasedStateMachine):
    """Random loads, slews, hands and trips, and faults of every instrument, one by one and together."""

    folder = None

    @initialize()
    def start(self):
        self.zone = Zone(self.folder)
        self.zone.tick(4 * 40)
        assert self.zone.most > 0.0, "it burns before anything fails"

    @rule(zone_c=st.floats(1150.0, 1290.0), seconds=st.integers(1, 30))
    def load(self, zone_c, seconds):
        self.zone.model.zone_c = zone_c
        self.zone.tick(4 * seconds)

    @rule(before_c=st.floats(850.0, 1050.0))
    def recuperator(self, before_c):
        self.zone.model.before_c = before_c
        self.zone.tick(8)

    @rule(unit=st.sampled_from(["thermo", "flows", "valves"]), kind=st.sampled_from(WHOLE_UNIT))
    def instrument_fails(self, unit, kind):
        self.zone.run.bench.fault(unit, kind, 200 if kind == "late" else None)
        self.zone.tick(16)

    @rule(unit=st.sampled_from(["thermo", "flows"]), channel=st.integers(0, 3))
    def channel_fails(self, unit, channel):
        self.zone.run.bench.fault(unit, "burnt_out", channel if unit == "flows" else channel % 3)
        self.zone.tick(8)

    @rule()
    def all_come_back(self):
        self.zone.run.bench.clear_faults()
        self.zone.tick(24)

    @rule(name=st.sampled_from(["gas", "air"]), stuck=st.booleans())
    def actuator_sticks(self, name, stuck):
        (self.zone.stuck.add if stuck else self.zone.stuck.discard)(name)
        self.zone.tick(8)

    @rule(air=st.floats(0.0, 3.0))
    def air_slews(self, air):
        self.zone.model.air_nm3_s = air
        self.zone.tick(4)

    @rule(manual=st.booleans(), name=st.sampled_from(["zone_2", "air_2"]), share=st.floats(0.0, 1.0))
    def hand(self, manual, name, share):
        # A person who moves the fuel itself has taken the guarantee away; load and air may be moved.
        loop = self.zone.loops[name]
        try:
            loop.set_manual(manual)
        except ValueError:
            return  # where its output stands is not known yet
        if manual:
            loop.change_output(loop.low + share * (loop.high - loop.low))
        self.zone.tick(8)

    @rule()
    def trip_and_reset(self):
        self.zone.model.zone_c = 1350.0
        self.zone.tick(4 * 6)
        self.zone.model.zone_c = 1230.0
        self.zone.tick(4 * 2)
        node = self.zone.run.node
        node.guard.reset(node.clock.now_ms(), "")
        self.zone.tick(8)


@pytest.fixture(autouse=True, scope="module")
def folder(tmp_path_factory):
    Guarantee.folder = tmp_path_factory.mktemp("zone")


TestGuarantee = Guarantee.TestCase
TestGuarantee.settings = settings(
    max_examples=10, stateful_step_count=12, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate]
)
