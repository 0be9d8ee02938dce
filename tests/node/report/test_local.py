"""The reporting end of a node that reports to functions of the same process, or to nobody."""

import json

from edge.node.report import records
from edge.node.report.catalogue import Catalogue, Metric
from edge.node.report.local import LocalReporter

EVENT = records.encode_event(7, 1, 1000, 250, True, "trip", "high", "tripped", True)
SAMPLE = records.encode_sample(7, 2, 1000, 250, True, 5, [(0, 0, 1.5)])


def test_to_nobody():
    end = LocalReporter()
    end.begin(Catalogue([Metric("a")], "s", "n"))
    assert end.record(EVENT) and end.record(SAMPLE) and end.publish("t", b"x")
    assert end.stats == {"sent": 3}
    assert (end.pollable(), end.pollables(), end.losses(), end.commands()) == (None, [], [], [])
    assert end.step(5) == 60005
    end.close(0)


def test_to_functions():
    live, told = [], []
    end = LocalReporter(lambda *message: live.append(message), told.append)
    end.begin(Catalogue([Metric("a")], "s", "n"))
    end.record(EVENT)
    end.record(SAMPLE)
    end.publish("furnace/s/n/telemetry", b"{}", True)
    assert told == [EVENT, SAMPLE]
    (topic, payload, retain), second = live
    assert (topic, retain) == ("furnace/s/n/event", False)
    assert json.loads(payload) == {
        "v": 2, "boot": 7, "seq": 1, "t": 1000, "up": 250, "sync": True,
        "kind": "trip", "name": "high", "text": "tripped", "alarm": True,
    }  # fmt: skip
    assert second == ("furnace/s/n/telemetry", b"{}", True)


def test_a_far_side_that_is_here():
    end = LocalReporter()
    assert not end.snapshot_wanted()
    end.ask_snapshot()
    assert end.snapshot_wanted() and not end.snapshot_wanted()
    for number in range(end.COMMANDS_MAX + 3):
        end.put_command("json", b"%d" % number)
    assert [payload for _, payload, _ in end.commands()] == [b"%d" % number for number in range(32)]
    assert end.commands() == []
    for number in range(40):
        end.reply("json", b"%d" % number)
    assert len(end.answers) == 32 and end.answers[-1] == ("json", b"39")
