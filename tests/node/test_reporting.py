"""What a whole node records, on virtual time: exact, in order, whatever the wall clock does."""

import json

import pytest

from edge.box.config import find, load
from edge.emulator.virtual import VirtualRun
from edge.node.guard.outputs import AUTO
from edge.node.report import records

START_MS = 1767225600000
TICK_MS = 250


class Run:
    """The Bishkek line and all that it has told."""

    def __init__(self, seed: int = 1):
        self.raw = []
        self.seen = 0
        self.live = []
        self.run = VirtualRun(
            "bishkek",
            load(find("bishkek")),
            seed,
            lambda *message: self.live.append(message),
            self.raw.append,
        )
        self.node = self.run.node
        self.clock = self.run.clock
        self.reporter = self.run.reporter

    def for_s(self, seconds: float) -> list:
        """Go on; the records since the last call."""
        self.run.run_for(seconds)
        told = [records.decode(record) for record in self.raw[self.seen :]]
        self.seen = len(self.raw)
        return told

    def named(self, sample) -> dict:
        metrics = self.reporter.catalogue.metrics
        return {metrics[index].name: (quality, value) for index, quality, value in sample.values}


def samples(told: list) -> list:
    return [record for record in told if record.record_kind == records.SAMPLE]


def events(told: list) -> list:
    found = [record for record in told if record.record_kind == records.EVENT]
    return [(event.kind, event.name, event.text, event.alarm) for event in found]


def consistent(told: list, first_seq: int = 1) -> bool:
    """No record lost, doubled or out of order, by seq and by the monotonic time."""
    ups = [record.up_ms for record in told]
    return [record.seq for record in told] == list(range(first_seq, first_seq + len(told))) and ups == sorted(
        ups
    )


def test_every_record_has_its_place_and_its_time():
    run = Run()
    told = run.for_s(60)
    assert consistent(told)
    assert {record.boot for record in told} == {run.node.boot}
    assert all(record.t_ms == START_MS + record.up_ms and record.synced for record in told)
    assert all(record.up_ms % TICK_MS == 0 for record in told)
    # At most one sample a tick.
    ups = [sample.up_ms for sample in samples(told)]
    assert len(set(ups)) == len(ups) <= 60000 // TICK_MS
    assert run.reporter.catalogue.number == samples(told)[0].catalogue_number


def test_the_first_records_say_who_starts_and_how_all_stands():
    run = Run()
    told = run.for_s(0.1)
    assert events(told) == [("node", "start", f"boot {run.node.boot:08x}", False)]
    (sample,) = samples(told)
    first = run.named(sample)
    assert len(first) == len(run.reporter.catalogue.metrics)
    assert first["roof_a1"] == (records.BAD, None)
    assert first["output.feeder.state"] == (records.GOOD, "unknown")
    assert first["device.roof.link"] == (records.GOOD, False)
    assert first["node.mode"] == (records.GOOD, "local")
    assert first["loop.steam.set_point"] == (records.GOOD, 46.0)


def test_the_receiver_can_rebuild_every_value():
    run = Run()
    dead_bands = {metric.name: metric.dead_band for metric in run.reporter.catalogue.metrics}
    held = {}
    for _ in range(40):
        for sample in samples(run.for_s(1)):
            held.update(run.named(sample))
        for source in run.node.sources:
            quality, value = held[source.name]
            assert quality == source.quality
            if value is not None:
                assert abs(value - source.value) <= dead_bands[source.name] + 1e-6 * abs(value)
        for output in run.node.guard.outputs:
            assert held["output." + output.name + ".state"][1] == output.shown
            assert held["output." + output.name][1] == pytest.approx(output.value, abs=0.1)
    assert held["device.roof.link"] == (records.GOOD, True)


def test_an_hour_on_the_same_seed_is_the_same_to_the_byte():
    one, two, other = Run(), Run(), Run(seed=2)
    for run in (one, two, other):
        run.for_s(60)
    assert one.raw == two.raw
    assert one.live == two.live
    assert one.node.boot == two.node.boot != other.node.boot


def test_without_jumps_the_clock_is_no_event():
    assert not [event for event in events(Run().for_s(30)) if event[0] == "clock"]


@pytest.mark.parametrize("jump_ms", [3600000, -3600000, -START_MS, 86400000 * 365 * 20])
def test_a_clock_that_jumps_loses_doubles_and_moves_nothing(jump_ms):
    still, jumping = Run(), Run()
    before = [still.for_s(20), jumping.for_s(20)]
    assert len(before[0]) == len(before[1])
    jumping.clock.jump(jump_ms)
    expected, found = still.for_s(40), jumping.for_s(40)
    assert consistent(before[1] + found)
    jumps = [event for event in events(found) if event[0] == "clock"]
    assert jumps == [("clock", "set", "by %+.1f s" % (jump_ms / 1000), False)]
    # But for that one event the same is told at the same monotonic moments.
    assert [(s.up_ms, s.values) for s in samples(found)] == [(s.up_ms, s.values) for s in samples(expected)]
    assert [event for event in events(found) if event[0] != "clock"] == events(expected)
    assert all(sample.t_ms == START_MS + jump_ms + sample.up_ms for sample in samples(found))


def test_a_clock_that_is_slewed_is_no_event():
    run = Run()
    run.for_s(5)
    told = []
    for _ in range(20):
        run.clock.jump(400)
        told += run.for_s(0.25)
    assert not [event for event in events(told) if event[0] == "clock"]


def test_a_clock_that_is_not_synchronised_says_so():
    run = Run()
    assert all(record.synced for record in run.for_s(5))
    run.clock.set_synchronised(False)
    assert not any(record.synced for record in run.for_s(5))


def test_a_snapshot_is_given_on_demand_and_once():
    run = Run()
    run.for_s(10)
    run.reporter.ask_snapshot()
    told = samples(run.for_s(5))
    full = [sample for sample in told if len(sample.values) == len(run.reporter.catalogue.metrics)]
    assert len(full) == 1
    assert full[0].up_ms == 10000


def test_what_was_lost_is_told_as_an_alarm():
    run = Run()
    run.for_s(1)
    losses = [[(17, "the ring was full")]]
    run.reporter.losses = lambda: losses.pop() if losses else []
    assert ("lost", "records", "17: the ring was full", True) in events(run.for_s(1))


def test_alarms_trips_and_outputs_that_are_not_good_are_alarms():
    run = Run()
    run.for_s(60)
    run.run.bench.fault(1, "silence")
    told = events(run.for_s(60))
    kinds = {(kind, alarm) for kind, _, _, alarm in told}
    assert ("output", True) in kinds and ("signal", False) in kinds
    for kind, _, text, alarm in told:
        if kind == "output":
            assert alarm == (not text.startswith(AUTO))
    run.run.bench.clear_faults()
    run.for_s(60)
    run.node.guard.alarms[0].active = not run.node.guard.alarms[0].active
    run.node.announcer._trips[0] = True
    told = events(run.for_s(0.5))
    told += events(run.for_s(60))
    assert ("trip", run.node.guard.trips[0].name, "reset", True) in told
    assert all(alarm for kind, _, _, alarm in told if kind == "alarm")


def test_a_device_that_falls_silent_loses_its_link():
    run = Run()
    run.for_s(30)
    run.run.bench.fault(1, "silence")
    held = {}
    for sample in samples(run.for_s(30)):
        held.update(run.named(sample))
    assert held["device.roof.link"] == (records.GOOD, False)
    assert held["roof_a1"] == (records.BAD, None)
    run.run.bench.clear_faults()
    for sample in samples(run.for_s(30)):
        held.update(run.named(sample))
    assert held["device.roof.link"] == (records.GOOD, True)


def test_events_go_to_the_same_topic_as_ever():
    run = Run()
    run.for_s(1)
    topic, payload, retain = run.live[0]
    assert (topic, retain) == ("furnace/bishkek/line1/event", False)
    event = json.loads(payload)
    assert event["v"] == 2 and event["seq"] == 1 and event["boot"] == run.node.boot
    assert (event["kind"], event["name"], event["alarm"]) == ("node", "start", False)
    assert (event["t"], event["up"], event["sync"]) == (START_MS, 0, True)


def test_telemetry_counts_its_own_messages():
    run = Run()
    run.for_s(5.5)
    told = [json.loads(payload) for topic, payload, _ in run.live if topic.endswith("/telemetry")]
    assert [message["seq"] for message in told] == [1, 2, 3, 4, 5]


def test_telemetry_names_what_nobody_has_acknowledged():
    run = Run()
    run.for_s(2)
    run.node.guard.trips[0].acknowledged = False
    run.node.guard.alarms[1].acknowledged = False
    run.for_s(2)
    told = [json.loads(payload) for topic, payload, _ in run.live if topic.endswith("/telemetry")]
    assert told[0]["unacknowledged"] == []
    assert told[-1]["unacknowledged"] == ["trip " + run.node.guard.trips[0].name, run.node.guard.alarms[1].name]
