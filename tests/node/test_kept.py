"""What outlives a power cut, on virtual time: the node of Bishkek with a programme, killed and built again."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.box import micropython
from edge.box.config import check, find
from edge.emulator.virtual import VirtualRun
from edge.node import kept, kept_file
from edge.node.commands import Commands
from edge.node.kept import Kept
from edge.node.kept_file import FileKeeper, dump, parse
from edge.node.report import messages
from tests.box.config.edits import put
from tests.node.fakes import HandSignal
from tests.node.remote_bench import Node
from tests.parts import missing_part

ROOT = Path(__file__).parents[2]
PROGRAMME = """
[programme.load_change]
segments = [{ to = 42, at_per_min = 2 }, { stay_min = 5 }, { to = 46, at_per_min = 4 }, { stay_min = 1 }]
start = "set_point"
after_power_cut = "continue"
"""
TEXT = put(find("bishkek").read_text(), "loop.steam", "set_point_from", '"programme.load_change"') + PROGRAMME
DESCRIPTION = check("line1.toml", TEXT.encode()).description


class Bench(Node):
    """The node of one furnace with what it keeps; ``cut()`` is the next one, in the same furnace."""

    def __init__(self, keeper, **options):
        self.base_topic = "furnace/works/line1"
        self.started_us = 1000000
        self.alarms = []
        self.kept = None
        super().__init__(**options)
        self.kept = Kept(self, keeper)
        self.kept.restore()

    @property
    def first_out(self):
        return self.guard.first_out[0] if self.guard.first_out else ""

    def event(self, kind, name, text, alarm=False):
        super().event(kind, name, text)
        if alarm:
            self.alarms.append(text)

    def tick(self, count=1):
        for _ in range(count):
            super().tick()
            if self.kept is not None:
                self.kept.step(self.clock.ms)


class Memory:
    """A keeper that counts, and refuses where a test says so."""

    def __init__(self, data=None):
        self.data = data
        self.fault = ""
        self.takes = True
        self.times_ms = []

    def load(self):
        return (None if self.data is None else parse(self.data)), []

    def keep(self, data, now_ms):
        if self.takes:
            self.data = data
            self.times_ms.append(now_ms)
        return self.takes

    def step(self, now_ms):
        pass

    def close(self):
        pass


def content_of(memory):
    return parse(memory.data)


def test_a_change_is_handed_over_at_once_progress_every_five_seconds_and_rest_not_at_all():
    memory = Memory()
    node = Bench(memory)
    node.tick(2000)
    assert len(memory.times_ms) == 2, "once for each generation"
    node.programmes[0].start()
    started_ms = node.clock.ms
    node.tick()
    assert memory.times_ms[-1] == node.clock.ms
    assert content_of(memory)["programmes"][0][2]["segment"] == 0
    del memory.times_ms[:]
    node.tick(80)
    assert memory.times_ms == [started_ms + 250 + 5000 * i for i in (1, 2, 3, 4)]
    node.programmes[0].stop()
    node.tick(8)
    assert content_of(memory)["programmes"] == []
    del memory.times_ms[:]
    node.tick(2000)
    assert len(memory.times_ms) == 1, "the older generation has a stopped programme as well"


def test_what_can_not_be_handed_over_is_tried_again_and_a_fault_is_told_once_and_when_it_has_gone():
    memory = Memory()
    node = Bench(memory)
    memory.takes = False
    node.programmes[0].start()
    node.tick(40)
    assert memory.times_ms == []
    memory.takes = True
    node.tick()
    assert content_of(memory)["programmes"][0][0] == "heat_up"
    node.programmes[0].stop()
    node.tick(100)
    del memory.times_ms[:]
    memory.fault = "/x can't be written: No space left on device"
    node.tick(100)
    assert len(memory.times_ms) >= 4, "it tries while it is not on the disk"
    assert node.alarms == ["not kept over a power cut: " + memory.fault]
    memory.fault = ""
    node.tick()
    assert node.alarms[1:] == ["kept again"]


def test_a_latched_trip_is_latched_after_the_cut_with_its_first_out_and_a_person_resets_it():
    memory = Memory()
    node = Bench(memory)
    node.draught.good(150.0)
    node.tick()
    node.t.good(1040.0)
    node.tick(8)
    node.trips[0].acknowledge()
    node.tick(8)
    again = Bench(Memory(memory.data), programme={})
    peak, pressure = again.trips
    assert peak.tripped and pressure.tripped and again.first_out == "pressure"
    assert (peak.value, peak.acknowledged, pressure.acknowledged) == (1040.0, True, False)
    again.tick()
    assert (again.burner.state, again.burner.value) == ("trip", 0.0)
    assert again.guard.reset(again.clock.ms) == [] and again.first_out == ""
    again.tick(8)
    assert again.burner.state == "auto"
    third = Bench(Memory(again.kept._keeper.data))
    assert not any(one.tripped for one in third.trips)


def test_a_latched_trip_whose_cause_stands_is_not_reset_after_the_cut():
    memory = Memory()
    node = Bench(memory)
    node.draught.good(150.0)
    node.tick(8)
    again = Bench(Memory(memory.data))
    again.draught.good(150.0)
    again.tick()
    assert again.guard.reset(again.clock.ms) == ["pressure"]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"segments": [{"to": 850.0, "at_per_min": 29.0}, {"stay_min": 1.0}]}, "heat_up has other segments now"),
        ({"name": "other"}, "none is named heat_up"),
    ],
)
def test_a_position_that_does_not_fit_the_node_file_is_told_and_the_programme_stays_idle(change, text):
    memory = Memory()
    node = Bench(memory)
    node.programmes[0].start()
    node.tick(40)
    content = content_of(memory)
    name = change.pop("name", None)
    if name:
        content["programmes"][0][0] = name
        text = text.replace("heat_up", name)
    again = Bench(Memory(dump(content)), programme=change)
    again.tick(4)
    assert [one for one in again.alarms if text in one], again.alarms
    assert again.programmes[0].state == "idle" and not again.programmes[0].running


@pytest.mark.parametrize(
    "change",
    [
        {"node": "furnace/works/line2"},
        {"node": None},
        {"trips": 5, "programmes": {"heat_up": 1}},
        {"trips": [None, 5, "peak", ["peak"], [["peak"], 1, 1, 1], ["none", 1.0, False, False]]},
        {"programmes": [None, 5, "heat_up", ["heat_up"], [["heat_up"], "x", {}], ["heat_up", None, {}]]},
        {"programmes": [["heat_up", "MARK", None]]},
        {"trips": [["x" * 300, 1.0, False, False]] + [1] * 2000},
        {"programmes": [["heat_up", "MARK", {"segment": "0"}]]},
    ],
)
def test_nothing_of_the_file_is_taken_on_trust(change):
    memory = Memory()
    node = Bench(memory)
    mark = kept.mark_of(node.programmes[0])
    content = json.loads(json.dumps(dict(content_of_new(node), **change)).replace("MARK", mark))
    again = Bench(Memory(dump(content)))
    again.tick(4)
    assert not any(one.tripped for one in again.trips)
    assert again.programmes[0].state == "idle" and again.burner.state == "auto"
    assert 1 <= len(again.alarms) <= 1001 and all(len(text) <= 200 for text in again.alarms)


def content_of_new(node):
    return {"node": node.base_topic, "trips": [], "programmes": []}


@settings(max_examples=25)
@given(st.lists(st.integers(1, 700), min_size=1, max_size=3), st.sampled_from(["continue", "abort", "hold"]))
def test_a_cut_at_any_moment_costs_no_more_than_what_was_not_kept_yet(lengths, policy):
    spec = {"after_power_cut": policy, "continue_if_within": 2000.0}
    memory = Memory()
    node = Bench(memory, programme=spec)
    node.programmes[0].start()
    ran = 0
    for length in lengths:
        for _ in range(length):
            node.tick()
            node.t.good(node.furnace.set_point.value)
        ran += length
        before = node.programmes[0]
        told = content_of(memory)["programmes"]
        memory = Memory(memory.data)
        node = Bench(memory, programme=spec)
        node.tick()
        after = node.programmes[0]
        assert after.running == bool(told)
        if before.running and after.running:
            # One tick to resume, and at most the interval.
            lost = _ran_ms(before) - _ran_ms(after)
            assert 0 <= lost <= kept.PERIOD_MS, (before.position(), after.position())
        elif before.running != after.running:
            assert not before.running and _ran_ms(after) >= 200000 - kept.PERIOD_MS


def _ran_ms(programme):
    """Where the programme of the bench stands, in ms of its 100 s, 60 s, 30 s and 30 s."""
    position = programme.position()
    return (0, 100000, 160000, 190000)[position["segment"]] + position["elapsed_ms"]


# The whole node ------------------------------------------------------------------------------------


class Line(VirtualRun):
    """The line of Bishkek, whose node keeps its state in a folder."""

    def __init__(self, folder, description=DESCRIPTION):
        self.events = []
        self.alarms = []
        self.keeper = FileKeeper(str(folder / "line1.kept"))
        super().__init__("bishkek", description, 7, self._receive, keeper=self.keeper)
        (self.programme,) = self.node.programmes
        self.steam = next(loop for loop in self.node.loops if loop.name == "steam")

    def _receive(self, topic, payload, retain):
        if topic.endswith("/" + messages.EVENT):
            event = json.loads(payload)
            self.events.append((event["kind"], event["name"], event["text"]))
            if event["alarm"]:
                self.alarms.append(event["text"])


def test_a_node_that_was_killed_goes_on_with_its_programme_when_it_sees_the_steam(tmp_path):
    line = Line(tmp_path)
    line.run_for(60)
    line.programme.start()
    line.run_for(240)
    assert line.programme.state == "soak 2"
    position = line.programme.position()
    again = Line(tmp_path)
    assert again.programme.state == "interrupted 2" and not again.node.in_charge
    again.run_for(20)
    assert again.programme.state == "soak 2" and again.steam.set_point.value == 42.0
    said = [text for kind, name, text in again.events if (kind, name) == ("programme", "load_change")]
    assert said[0] == "interrupted 2" and said[1].startswith("soak 2: goes on after a power cut: steam_made ")
    assert len(said) == 2
    soaked_ms = again.programme.position()["elapsed_ms"]
    assert position["elapsed_ms"] - 5000 <= soaked_ms <= position["elapsed_ms"] + 20000
    again.run_for(600)
    assert again.programme.state == "done"
    again.run_for(20)
    third = Line(tmp_path)
    third.run_for(20)
    assert third.programme.state == "idle"


def test_aborted_is_told_as_an_alarm_and_never_as_done(tmp_path):
    text = TEXT.replace('"continue"', '"abort"')
    description = check("line1.toml", text.encode()).description
    line = Line(tmp_path, description)
    line.run_for(60)
    line.programme.start()
    line.run_for(240)
    # A furnace that stood still: the steam is far below.
    again = Line(tmp_path, description)
    steam = again.steam.pv
    steam.update = lambda *now: None
    steam.quality, steam.value, steam.age_ms = HandSignal("steam").quality, 20.0, 0
    again.run_for(20)
    said = [text for kind, name, text in again.events if (kind, name) == ("programme", "load_change")]
    assert said == ["interrupted 2", "aborted: power cut in segment 2"]
    assert "aborted: power cut in segment 2" in again.alarms
    assert again.programme.state == "aborted" and again.steam.set_point.value is None


def test_a_trip_that_was_latched_holds_its_outputs_from_the_first_tick_until_it_is_reset(tmp_path):
    latched = [["high_temperature", 1161.5, False, True]]
    content = {"node": "furnace/bishkek/line1", "trips": latched, "programmes": []}
    kept_file.save(str(tmp_path / "line1.kept"), dump(content))
    line = Line(tmp_path)
    (trip,) = [one for one in line.node.guard.trips if one.name == "high_temperature"]
    seen = set()
    for output in trip.outputs:
        output.answer = lambda output=output, real=output.answer: (seen.add(output.state), real())
    line.run_for(20)
    assert line.node.in_charge and seen == {"unknown", "trip"}
    assert ("trip", "high_temperature", "tripped at 1161.5 before the restart, still latched") in line.events
    first = json.loads(messages.telemetry(line.node, line.clock.now_ms(), 0))["first_out"]
    assert (first["trip"], first["value"]) == ("high_temperature", 1161.5)
    assert {output.state for output in trip.outputs} == {"trip"}
    console = Commands(line.node)
    assert console.execute("reset high_temperature") == "reset"
    line.run_for(10)
    assert "trip" not in {output.state for output in trip.outputs}
    third = Line(tmp_path)
    third.run_for(10)
    assert not any(one.tripped for one in third.node.guard.trips)


SCRIPT = """
import sys
sys.path.insert(0, {root!r})
from edge.node.kept import Kept
from edge.node.kept_file import FileKeeper
from tests.node.remote_bench import Node

class Board(Node):
    base_topic = "furnace/works/line1"
    started_us = 0
    first_out = "pressure"

def started():
    node = Board(programme={{"after_power_cut": "continue"}})
    node.kept = Kept(node, FileKeeper({path!r}))
    node.kept.restore()
    return node

def ticks(node, count):
    for _ in range(count):
        node.tick()
        node.t.good(node.furnace.set_point.value)
        node.kept.step(node.clock.ms)

node = started()
node.programmes[0].start()
ticks(node, 440)
node.trips[1].tripped = True
ticks(node, 8)
again = started()
print(again.programmes[0].state, again.trips[1].tripped, again.guard.first_out[0])
again.guard.reset(again.clock.ms)
ticks(again, 3)
print(again.programmes[0].state, again.programmes[0].why, [event[2] for event in again.events])
"""


def test_on_micropython_a_node_keeps_the_same(tmp_path):
    try:
        executable = micropython.executable()
    except FileNotFoundError as error:
        missing_part(str(error))
    said = []
    for runtime in (executable, sys.executable):
        script = tmp_path / "script.py"
        path = tmp_path / f"{len(said)}.kept"
        script.write_text(SCRIPT.format(root=str(ROOT), path=str(path)))
        done = subprocess.run(
            [runtime, str(script)], env=micropython.environment(), capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        said.append(done.stdout.splitlines())
    assert said[0] == said[1]
    assert said[0][0] == "interrupted 2 True pressure" and said[0][1].startswith("soak 2 ")
