"""Commands from afar and programmes on the Bishkek line, bytes included, on virtual time."""

import json

import pytest

from edge.box.config import check, find
from edge.emulator.virtual import VirtualRun
from edge.node.report import messages
from tests.box.config.edits import put

REMOTE = """
[programme.load_change]
segments = [{ to = 42, at_per_min = 2 }, { stay_min = 5 }, { to = 46, at_per_min = 4 }, { stay_min = 1 }]
start = "set_point"
wait_within = 1.5
after_power_cut = "hold"

[remote]
enabled = true
start = "remote"

[remote.allow.steam]
action = "set_point"
loop = "steam"
low = 40
high = 48
rate_per_min = 1.2

[remote.allow.feed_mode]
action = "mode"
loop = "feed"

[remote.allow.feed_hand]
action = "output"
loop = "feed"
low = 20
high = 70
rate_per_min = 30

[remote.allow.load_change]
action = "programme"
programme = "load_change"
"""
TICK_S = 0.25
LED = put(find("bishkek").read_text(), "loop.steam", "set_point_from", '"programme.load_change"')


class Line:
    """The line after ten minutes, and somebody who commands it from afar."""

    def __init__(self):
        self.events = []
        text = LED + REMOTE
        self.run = VirtualRun("bishkek", check("line1.toml", text.encode()).description, 7, self._receive)
        self.node = self.run.node
        self.loops = {loop.name: loop for loop in self.node.loops}
        self.run.run_for(600)

    def _receive(self, topic, payload, retain):
        if topic.endswith("/" + messages.EVENT):
            event = json.loads(payload)
            self.events.append((event["kind"], event["name"], event["text"]))

    def ticks(self, count, *values):
        """The values of some functions after each tick."""
        rows = []
        for _ in range(count):
            self.run.run_for(TICK_S)
            rows.append([value() for value in values])
        return rows

    def ask(self, do, name, value=None):
        answers = [json.loads(payload) for _, payload in self.run.reporter.answers]
        session = next(one["session"] for one in reversed(answers) if "session" in one)
        command = {"v": 1, "nonce": session["nonce"], "n": session["n"] + 1, "by": "anna", "do": do}
        command["name"] = name
        if value is not None:
            command["value"] = value
        self.run.reporter.put_command("json", json.dumps(command).encode())
        self.run.run_for(2.0)
        speaker, payload = next(one for one in reversed(self.run.reporter.answers) if one[0])
        assert speaker == "json"
        return json.loads(payload)


@pytest.fixture(scope="module")
def steady():
    """Each test of the module goes on where the last one left the line, as an operator does."""
    return Line()


def steps(rows):
    return [abs(b - a) for (a,), (b,) in zip(rows, rows[1:], strict=False)]


def test_a_set_point_from_afar_moves_steam_at_its_rate(steady):
    assert steady.ask("set_point", "steam", 44.0)["accepted"]
    assert steady.events[-1] == (
        "command", "set_point steam", "accepted: 44.0, by anna (as they say), over json",
    )  # fmt: skip
    rows = steady.ticks(480, lambda: steady.loops["steam"].set_point.value)
    assert max(steps(rows)) <= 1.2 / 240 + 1e-9
    assert rows[-1] == [44.0]
    answer = steady.ask("set_point", "steam", 49.0)
    assert "outside 40.0..48.0" in answer["why"]
    steam = next(signal for signal in steady.node.signals if signal.name == "steam")
    near = 0
    for _ in range(240):
        steady.run.run_for(30)
        near = near + 1 if abs(steam.value - 44.0) <= 1.5 else 0
        if near >= 10:
            break
    assert near >= 10, "within two hours the steam stays there"


def test_the_feeder_by_hand_and_back_without_a_bump_of_the_line(steady):
    feeder = next(one for one in steady.node.guard.outputs if one.name == "feeder")
    before = feeder.value
    assert steady.ask("mode", "feed", "manual")["accepted"]
    assert feeder.value == pytest.approx(before, abs=0.2)
    assert steady.loops["feed"].mode == "manual"
    held = feeder.value
    assert set(row[0] for row in steady.ticks(40, lambda: feeder.value)) == {held}
    target = held + 4.0
    assert steady.ask("output", "feed", target)["accepted"]
    rows = steady.ticks(240, lambda: feeder.value)
    assert max(steps(rows)) <= 30.0 / 240 + 1e-9
    assert rows[-1] == [pytest.approx(target)]
    air = steady.loops["feed"].pv
    before = air.value
    assert steady.ask("mode", "feed", "auto")["accepted"]
    rows = [[target, before]] + steady.ticks(40, lambda: feeder.value, lambda: air.value)
    # What moves it is its gain on what the primary air did a tick ago, and the integral of an hour.
    moved = [abs(after[1] - row[1]) for row, after in zip(rows, rows[1:], strict=False)]
    for i in range(1, len(moved)):
        assert abs(rows[i + 1][0] - rows[i][0]) <= 0.6 * max(moved[i - 1], moved[i]) + 0.02
    # Held while steam does not lead, by the node file.
    assert steady.loops["feed"].mode in ("auto", "held") and not steady.loops["feed"].hand.on


def test_a_programme_runs_on_the_line_and_says_what_it_does(steady):
    del steady.events[:]
    assert steady.ask("programme", "load_change", "start")["accepted"]
    (programme,) = steady.node.programmes
    for _ in range(200):
        steady.run.run_for(30)
        if not programme.running:
            break
    assert programme.state == "done"
    assert steady.loops["steam"].set_point.value == 46.0
    told = [text for kind, name, text in steady.events if (kind, name) == ("programme", "load_change")]
    stages = [text for text in told if "waiting" not in text]
    for i, stage in enumerate(["ramp 1", "soak 2", "ramp 3", "soak 4", "done"]):
        assert stage in stages, (i, told)
    assert told[-1] == "done"
