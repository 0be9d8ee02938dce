"""The guarantee of cross-limiting, searched for counter-examples over any history.

    The fuel demand never exceeds the measured, good-quality air / (L0 lambda_min); bad air shuts the fuel.

A burner with lags, an O2 trim and a cross-limiter live through load steps, slews, faults of every signal,
stuck actuators and changed fuels, in any order. All is judged after every tick, from what the controller was
given.
"""

import math
from fractions import Fraction

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from cext import ratio
from cext.ratio import CrossLimit, O2Trim

DT_S = 0.5
# Nothing, good looking values that are wrong, and what is not a measurement at all.
READINGS = st.one_of(
    st.none(),
    st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -0.0, -0.5, 1e9, 1e300, 5e-324]),
    st.floats(-10.0, 500.0),
)
QUALITY = st.booleans()


class Burner(RuleBasedStateMachine):
    @initialize(
        air0=st.floats(0.2, 12.0),
        lambda_min=st.floats(0.8, 1.5),
        trim_min=st.floats(0.5, 1.0),
        trim_max=st.floats(1.0, 1.6),
        bands=st.one_of(st.none(), st.tuples(*[st.floats(0.01, 0.3)] * 4)),
        # 1 is the edge of what is accepted, where nothing but rounding lies between limits and guarantee.
        margin=st.one_of(st.just(1.0), st.floats(1.0, 1.5)),
    )
    def build(self, air0, lambda_min, trim_min, trim_max, bands, margin):
        lambda_set = margin * lambda_min * (1.0 + (bands[0] if bands else 0.0)) / trim_min
        while lambda_set * trim_min < lambda_min * (1.0 + (bands[0] if bands else 0.0)):
            lambda_set = math.nextafter(lambda_set, math.inf)
        self.lambda_min = lambda_min
        self.lambda_floor = lambda_set
        self.limits = CrossLimit(air0, lambda_set, lambda_min, (trim_min, trim_max), bands, 0.5)
        self.trim = O2Trim(0.03, 20.0, (trim_min, trim_max))
        self.master = self.target = 0.0
        self.slew = math.inf
        self.fuel = self.air = 0.0
        self.stuck_air = self.stuck_fuel = False
        self.air_reading = self.fuel_reading = self.o2_reading = self.trim_reading = None
        self.air_good = self.fuel_good = self.o2_good = True

    @rule(load=st.one_of(st.floats(0.0, 100.0), st.sampled_from([0.0, -5.0, math.nan, math.inf])))
    def step_the_load(self, load):
        self.master = self.target = load

    @rule(load=st.floats(0.0, 100.0), slew=st.floats(0.1, 20.0))
    def slew_the_load(self, load, slew):
        self.target, self.slew = load, slew

    @rule(reading=READINGS, good=QUALITY)
    def air_meter(self, reading, good):
        self.air_reading, self.air_good = reading, good

    @rule(reading=READINGS, good=QUALITY)
    def fuel_meter(self, reading, good):
        self.fuel_reading, self.fuel_good = reading, good

    @rule(reading=READINGS, good=QUALITY)
    def o2_analyser(self, reading, good):
        self.o2_reading, self.o2_good = reading, good

    @rule(reading=READINGS)
    def trim_signal(self, reading):
        self.trim_reading = reading

    @rule()
    def mend_everything(self):
        self.air_reading = self.fuel_reading = self.o2_reading = self.trim_reading = None
        self.air_good = self.fuel_good = self.o2_good = True
        self.stuck_air = self.stuck_fuel = False

    @rule(air=st.booleans(), fuel=st.booleans())
    def stick(self, air, fuel):
        self.stuck_air, self.stuck_fuel = air, fuel

    @rule(loss=st.floats(0.0, 1.0))
    def air_collapses(self, loss):
        self.air *= loss

    @rule(air0=st.floats(0.2, 12.0), more=st.floats(1.0, 1.5))
    def another_fuel(self, air0, more):
        self.limits.configure(air0, self.lambda_floor * more)

    @rule(ticks=st.integers(1, 30))
    def run(self, ticks):
        for _ in range(ticks):
            self.tick()
            self.judge()

    def tick(self):
        gap = self.target - self.master
        if math.isfinite(gap):
            self.master += math.copysign(min(abs(gap), self.slew * DT_S), gap)
        self.given_air = self.air if self.air_reading is None else self.air_reading
        self.given_fuel = self.fuel if self.fuel_reading is None else self.fuel_reading
        lam = self.air / (self.limits.air0 * self.fuel) if self.fuel > 1e-9 else 1e9
        o2 = 20.95 * (lam - 1.0) / (lam - 0.1) if lam > 1.0 else 0.0
        if self.o2_reading is not None:
            o2 = self.o2_reading

        self.trim_before = self.trim.trim
        self.limiting_before = self.limits.limiting
        self.fuel_before = self.limits.fuel_demand
        self.air_before = self.limits.air_demand
        trim = self.trim.step(4.0, o2, self.o2_good, self.limits.limiting, DT_S)
        self.o2_bad = not self.o2_good or not math.isfinite(o2)
        if self.trim_reading is not None:
            trim = self.trim_reading
        self.returned = self.limits.step(
            self.master, self.given_fuel, self.fuel_good, self.given_air, self.air_good, trim
        )
        if not self.stuck_fuel:
            self.fuel += DT_S / 2.0 * (self.limits.fuel_demand - self.fuel)
        if not self.stuck_air:
            self.air += DT_S / 6.0 * (self.limits.air_demand - self.air)

    def judge(self):
        limits = self.limits
        air_bad = not self.air_good or not abs(self.given_air) < 1e9
        fuel_bad = not self.fuel_good or not abs(self.given_fuel) < 1e9
        demand = limits.fuel_demand
        assert self.returned == demand and 0.0 <= demand < math.inf, "not a demand"
        if air_bad:
            assert demand == 0.0, "bad air leaves fuel"
        else:
            air = max(self.given_air, 0.0)
            assert demand <= air / (limits.air0 * self.lambda_min), "more fuel than the measured air can burn"
            # The same without rounding in the judge: three operations of the controller, 2^-53 each.
            allowed = Fraction(air) / (Fraction(limits.air0) * Fraction(self.lambda_min))
            assert Fraction(demand) <= allowed * (1 + Fraction(3, 2**53)) + Fraction(1, 2**1070)
        if not self.master > 0.0 or self.master == math.inf:
            assert demand == 0.0, "fuel that nobody asked for"
        if fuel_bad:
            assert demand <= self.fuel_before, "more fuel without a fuel measurement"
        if fuel_bad or air_bad:
            assert limits.air_demand >= self.air_before, "less air without a measurement"
        elif self.master < math.inf:
            # Air for what burns: at least the measured fuel's, less k3.
            per_fuel = limits.air0 * limits.lambda_set * limits.trim
            needed = self.given_fuel * (1.0 - limits.k3) * per_fuel * (1.0 - 1e-12)
            assert limits.air_demand >= needed, "too little air for what burns"
        assert limits.air_min <= limits.air_demand < math.inf

        assert limits.trim_min <= limits.trim <= limits.trim_max
        assert limits.trim_min <= self.trim.trim <= limits.trim_max
        if self.o2_bad or self.limiting_before:
            assert self.trim.trim == self.trim_before, "the trim moved on a bad O2 or a limiter"
        if air_bad or fuel_bad or not math.isfinite(self.master):
            assert limits.limiting
        elif abs(demand - max(self.master, 0.0)) > 0.0101 * max(self.master, 0.0):
            assert limits.limiting and limits.state & (ratio.FUEL_HELD_BY_AIR | ratio.FUEL_KEPT_BY_AIR)


TestGuarantee = Burner.TestCase
TestGuarantee.settings = settings(
    max_examples=max(400, settings.default.max_examples), stateful_step_count=30, deadline=None
)
