"""What a node tells of its changes, on the Bishkek line on virtual time."""

import json

import pytest

from edge.box.config import check, find
from edge.emulator.virtual import VirtualRun


class Line:
    def __init__(self):
        path = find("bishkek")
        self.events = []
        self.run = VirtualRun("bishkek", check(path, path.read_bytes()).description, 3, self._receive)

    def _receive(self, topic, payload, retain):
        if topic.endswith("/event"):
            event = json.loads(payload)
            self.events.append((event["kind"], event["name"], event["text"]))

    def told(self, kind, name):
        return [text for one, other, text in self.events if (one, other) == (kind, name)]


@pytest.fixture
def line():
    return Line()


def test_a_signal_that_is_bad_from_the_start_is_told_once_and_when_it_comes_back(line):
    line.run.bench.fault("roof", "burnt_out", 0)
    line.run.run_for(9)
    assert line.told("signal", "roof_a1") == []
    line.run.run_for(30)
    assert line.told("signal", "roof_a1") == ["bad: broken wire or over range"]
    line.run.bench.clear_faults()
    line.run.run_for(5)
    assert line.told("signal", "roof_a1") == ["bad: broken wire or over range", "usable again"]


def test_the_first_readings_after_a_start_are_no_news(line):
    line.run.run_for(60)
    assert [event for event in line.events if event[0] == "signal"] == []


def test_a_signal_that_chatters_is_told_then_counted_then_at_rest(line):
    line.run.run_for(20)
    for _ in range(20):
        line.run.bench.fault("roof", "burnt_out", 0)
        line.run.run_for(2)
        line.run.bench.clear_faults()
        line.run.run_for(2)
    line.run.run_for(150)
    told = line.told("signal", "roof_a1")
    assert len(told) <= 11 and told[6].endswith("it chatters, and is counted from now on")
    counted = [text for text in told if text.startswith("chatters: ")]
    assert counted and all("changes in a minute, now: " in text for text in counted)
    assert told[-1] == "has come to rest: usable again"
