"""Report by exception: what is told in which tick, exactly."""

import math
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.box import micropython
from edge.node.report import records
from edge.node.report.catalogue import BOOLEAN, FLOAT, TEXT, Catalogue, Metric
from edge.node.report.sampling import Sampler
from edge.node.signals import BAD, GOOD, UNCERTAIN
from tests.parts import missing_part

SCRIPT = Path(__file__).with_name("sampling_script.py")


class Thing:
    """A source, an output, a loop: whatever has attributes."""

    def __init__(self, **attributes):
        self.__dict__.update(attributes)


class Bench:
    """One source, one number, one text, one bool."""

    def __init__(self, dead_band=1.0, period_ms=0):
        self.source = Thing(value=100.0, quality=GOOD)
        self.output = Thing(value=None, state="unknown")
        self.trip = Thing(tripped=False)
        metrics = [
            Metric("source", "degC", FLOAT, "", dead_band, period_ms),
            Metric("output", "%", FLOAT, "", dead_band, period_ms),
            Metric("state", "", TEXT, "", 0.0, period_ms),
            Metric("trip", "", BOOLEAN, "", 0.0, period_ms),
        ]
        numbers = [(self.output, "value")]
        states = [(self.output, "state"), (self.trip, "tripped")]
        self.sampler = Sampler(Catalogue(metrics, "s", "n"), [self.source], numbers, states)
        self.now_ms = 0

    def tick(self) -> dict:
        """What is told now, by index; 250 ms pass."""
        told = {}
        if self.sampler.look(self.now_ms):
            sample = records.decode(self.sampler.record(7, 1, 2, self.now_ms, True))
            assert sample.catalogue_number == self.sampler.catalogue.number
            told = {index: (quality, value) for index, quality, value in sample.values}
        self.now_ms += 250
        return told


def test_the_first_look_tells_everything_and_the_next_nothing():
    bench = Bench()
    assert bench.tick() == {0: (GOOD, 100.0), 1: (BAD, None), 2: (GOOD, "unknown"), 3: (GOOD, False)}
    assert bench.tick() == {}


def test_a_dead_band_counts_from_what_was_told():
    bench = Bench(dead_band=1.0)
    bench.tick()
    for value in (100.5, 100.99, 99.01):
        bench.source.value = value
        assert bench.tick() == {}
    bench.source.value = 101.0
    assert bench.tick() == {0: (GOOD, 101.0)}
    bench.source.value = 100.25
    assert bench.tick() == {}
    bench.source.value = 100.0
    assert bench.tick() == {0: (GOOD, 100.0)}


def test_without_a_dead_band_any_change_is_told():
    bench = Bench(dead_band=0.0)
    bench.tick()
    bench.source.value = 100.0000001
    assert list(bench.tick()) == [0]
    assert bench.tick() == {}


def test_a_quality_is_told_whatever_the_value():
    bench = Bench()
    bench.tick()
    bench.source.quality = UNCERTAIN
    assert bench.tick() == {0: (UNCERTAIN, 100.0)}
    bench.source.quality = BAD
    assert bench.tick() == {0: (BAD, None)}
    bench.source.value = 500.0
    assert bench.tick() == {}
    bench.source.quality = GOOD
    assert bench.tick() == {0: (GOOD, 500.0)}


def test_a_period_is_told_without_any_change():
    bench = Bench(period_ms=1000)
    told = [sorted(bench.tick()) for _ in range(9)]
    assert told == [[0, 1, 2, 3], [], [], [], [0, 1, 2, 3], [], [], [], [0, 1, 2, 3]]


def test_a_change_starts_the_period_anew():
    bench = Bench(period_ms=1000)
    bench.tick()
    bench.source.value = 150.0
    told = [sorted(bench.tick()) for _ in range(8)]
    assert told == [[0], [], [], [1, 2, 3], [0], [], [], [1, 2, 3]]


def test_numbers_may_come_and_go():
    bench = Bench()
    bench.tick()
    bench.output.value = 50.0
    assert bench.tick() == {1: (GOOD, 50.0)}
    bench.output.value = 50.5
    assert bench.tick() == {}
    bench.output.value = None
    assert bench.tick() == {1: (BAD, None)}
    assert bench.tick() == {}


def test_states_are_told_on_change():
    bench = Bench()
    bench.tick()
    bench.output.state = "auto"
    bench.trip.tripped = True
    assert bench.tick() == {2: (GOOD, "auto"), 3: (GOOD, True)}
    assert bench.tick() == {}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_told_once_as_bad(value):
    bench = Bench(period_ms=1000)
    bench.tick()
    bench.source.value = bench.output.value = value
    assert bench.tick() == {0: (BAD, None)}
    assert bench.tick() == {}
    assert bench.tick() == {}
    assert sorted(bench.tick()) == [1, 2, 3]
    assert bench.tick() == {0: (BAD, None)}
    bench.source.value = 100.0
    bench.output.value = 1.0
    assert bench.tick() == {0: (GOOD, 100.0), 1: (GOOD, 1.0)}


def test_a_snapshot_tells_everything_once():
    bench = Bench()
    bench.tick()
    bench.sampler.snapshot()
    assert sorted(bench.tick()) == [0, 1, 2, 3]
    assert bench.tick() == {}


def test_what_does_not_fit_into_one_record_follows_in_the_next():
    things = [Thing(text="x" * 255) for _ in range(600)]
    metrics = [Metric(f"m{number}", "", TEXT) for number in range(600)]
    sampler = Sampler(Catalogue(metrics, "s", "n"), [], [], [(thing, "text") for thing in things])
    told = []
    for tick in range(4):
        if sampler.look(250 * tick):
            sample = records.decode(sampler.record(1, 1, 0, 0, True))
            told.append([index for index, _, _ in sample.values])
    assert len(told) == 3
    assert sorted(sum(told, [])) == list(range(600))


def test_a_catalogue_of_something_else():
    with pytest.raises(ValueError, match="other metrics"):
        Sampler(Catalogue([Metric("a")], "s", "n"), [], [], [])


def test_a_node_without_anything_to_tell():
    sampler = Sampler(Catalogue([], "s", "n"), [], [], [])
    assert not sampler.look(0)
    sampler.snapshot()
    assert not sampler.look(250)


VALUES = st.floats(-1e6, 1e6) | st.sampled_from([math.nan, math.inf, 0.0])


@given(
    st.lists(st.tuples(VALUES, st.integers(0, 2)), max_size=40),
    st.sampled_from([0.0, 0.5, 100.0]),
    st.sampled_from([0, 250, 1000, 2250]),
)
def test_the_receiver_is_never_further_away_than_the_dead_band_or_the_period(course, band, period_ms):
    bench = Bench(dead_band=band, period_ms=period_ms)
    held = None
    since = 0
    for value, quality in course:
        bench.source.value = value
        bench.source.quality = quality
        told = bench.tick()
        since += 1
        if 0 in told:
            held = told[0]
            since = 0
        if quality == BAD or not math.isfinite(value):
            assert held == (BAD, None)
        else:
            assert held[0] == quality
            # As a 32-bit float says it.
            assert abs(held[1] - value) <= band + 1e-6 * abs(value) + 1e-37
        if period_ms:
            assert since * 250 < period_ms or since == 0


def test_both_runtimes_tell_the_same():
    try:
        executable = micropython.executable()
    except FileNotFoundError as error:
        missing_part(str(error))
    said = []
    for command in (sys.executable, executable):
        done = subprocess.run(
            [command, str(SCRIPT)],
            env=micropython.environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        said.append(done.stdout)
    assert said[0] == said[1]
    assert int(said[0].split()[0]) > 1000
