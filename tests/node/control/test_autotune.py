"""The relay experiment in the node: bounded, ended by limits, proposed and not taken, without a bump."""

import math

import numpy as np
import pytest

from edge.node.control.autotune import Autotune
from edge.node.guard import outputs as out
from tests.node.control.rig import Chain, Source, output, pid

SPEC = {"loop": "heat", "swing": 15.0, "hysteresis": 0.3, "furthest": 30.0, "longest_min": 600.0, "settings": "ask"}
DT_S = 0.5


class Process:
    """Lags in a row and a dead time, 1 K per percent above 20 degC per 50 %, at rest at 50 %."""

    def __init__(self, lags_s, dead_s, gain=1.0, integrates=False):
        self.lags_s = lags_s
        self.gain = gain
        self.integrates = integrates
        self.states = [50.0] * len(lags_s)
        self.delayed = [50.0] * max(1, int(dead_s / DT_S))
        self.level = 50.0

    def __call__(self, chain):
        self.delayed.append(chain.outputs["heater"].device.position)
        value = self.delayed.pop(0)
        for i, lag_s in enumerate(self.lags_s):
            self.states[i] += (1.0 - math.exp(-DT_S / lag_s)) * (value - self.states[i])
            value = self.states[i]
        if self.integrates:
            self.level += DT_S * self.gain * (value - 50.0)
            value = self.level
        chain.sources["t"].value = value


def bench(process, **spec):
    chain = Chain(
        {"loop": {"heat": pid("output.heater", "t", set_point=50.0, gain=0.2, ti_s=500.0)}},
        [Source("t", 50.0)],
        [output("heater", position=50.0)],
    )
    tune = Autotune("heat", {**SPEC, **spec})
    tune.loop = chain["loop.heat"]
    chain.tick(8, dt_s=DT_S)

    def tick(count=1, **forced):
        for _ in range(count):
            tune.step(DT_S)
            chain.tick(after=process, dt_s=DT_S, **forced)

    return chain, tune, tick


def sensitivity(process, dead_s, gain, ti_s):
    """Ms of a PI on the process; infinite where the loop is not stable."""
    w = np.logspace(-5, 1, 20000)
    s = 1j * w
    loop = np.exp(-s * dead_s) * gain * (1.0 + 1.0 / (s * ti_s))
    for lag_s in process.lags_s:
        loop = loop / (1.0 + s * lag_s)
    if process.integrates:
        loop = loop * process.gain / s
    phase = np.unwrap(np.angle(loop))
    crossings = np.where(np.diff(np.sign(phase + math.pi)))[0]
    if any(abs(loop[at]) >= 1.0 for at in crossings):
        return math.inf
    return float(np.max(np.abs(1.0 / (1.0 + loop))))


MODELS = [
    ([60.0], 12.0), ([60.0], 60.0), ([20.0], 200.0), ([60.0, 60.0], 4.0), ([60.0, 6.0], 2.0), ([60.0] * 3, 1.0),
    ([40.0] * 4, 1.0), ([30.0] * 5, 1.0), ([120.0, 30.0, 8.0], 5.0),
]  # fmt: skip


@pytest.mark.parametrize(("lags_s", "dead_s"), MODELS)
def test_what_is_proposed_is_calm_on_every_process(lags_s, dead_s):
    process = Process(lags_s, dead_s)
    chain, tune, tick = bench(process, longest_min=10000.0)
    tune.start()
    for _ in range(200000):
        tick()
        if not tune.running:
            break
    assert tune.state == "proposes", tune.why
    gain, ti_s = tune.proposal
    assert 1.0 < sensitivity(process, dead_s, gain, ti_s) <= 2.0


def test_the_output_swings_as_far_as_it_may_and_ends_where_it_rested():
    chain, tune, tick = bench(Process([60.0], 12.0))
    tune.start()
    seen = set()
    while tune.running:
        tick()
        seen.add(round(chain.outputs["heater"].value, 9))
    assert seen == {35.0, 50.0, 65.0} or seen == {35.0, 65.0}
    before = chain.outputs["heater"].value
    old = chain["loop.heat"].pid.gain
    tick()
    assert abs(chain.outputs["heater"].value - before) < 15.1
    assert chain["loop.heat"].pid.gain == old, "a proposal changes nothing"
    rest = chain.outputs["heater"].value
    tune.accept()
    tick()
    assert chain["loop.heat"].pid.gain == pytest.approx(tune.GAIN_OF_ULTIMATE * tune.cycle[2])
    assert chain.outputs["heater"].value == pytest.approx(rest, abs=0.5), "and taking it is no step"
    with pytest.raises(ValueError, match="nothing to accept"):
        tune.accept()


@pytest.mark.parametrize(
    ("end", "why"),
    [("far", "went too far"), ("long", "time is over"), ("trip", "trip"), ("lost", "burnt out"), ("stop", "")],
)
def test_it_ends_by_its_limits_by_the_guard_and_by_a_person_and_the_old_settings_stay(end, why):
    chain, tune, tick = bench(Process([60.0], 12.0), longest_min=1.5 if end == "long" else 600.0)
    tune.start()
    tick(40)
    if end == "far":
        chain.sources["t"].value = 81.0
        tune.step(DT_S)
    elif end == "trip":
        tick(2, forced={"heater": out.TRIP})
    elif end == "lost":
        chain.sources["t"].fail()
        tick(2)
    elif end == "stop":
        tune.stop()
    else:
        tick(2000)
    assert not tune.running and why in tune.why and tune.proposal is None
    assert not chain["loop.heat"].hand.on and chain["loop.heat"].pid.gain == 0.2


def test_it_begins_only_at_rest_with_room_for_its_swing_and_where_the_loop_controls():
    chain, tune, tick = bench(Process([60.0], 12.0), swing=60.0)
    with pytest.raises(ValueError, match="does not fit"):
        tune.start()
    chain, tune, tick = bench(Process([60.0], 12.0))
    chain.sources["t"].value = 60.0
    with pytest.raises(ValueError, match="not at rest"):
        tune.start()
    chain.sources["t"].value = 50.0
    chain["loop.heat"].set_manual(True)
    with pytest.raises(ValueError, match="does not control"):
        tune.start()
    with pytest.raises(ValueError, match="does not run"):
        tune.stop()
