"""Outbox and senders behind one door, with parts in memory; runs on MicroPython as well."""

from edge.node.report import records
from edge.node.report.catalogue import Catalogue, Metric
from edge.node.report.engine import LOSSES_MS, OWN_BOOT, Engine
from edge.node.report.records import EVENT, SAMPLE
from edge.node.report.sender import BIRTHS_MS
from tests.node.report.fakes_report import FakeClock, FakeConnection, FakeOutbox, FakeSpeaker, event, sample

CATALOGUE = Catalogue([Metric("s", "K")], "site", "node")


class Bench:
    def __init__(self, *speakers):
        self.clock = FakeClock()
        self.outbox = FakeOutbox()
        self.speakers = list(speakers) or [FakeSpeaker(), FakeSpeaker("sparkplug", acknowledged=False)]
        self.connections = [FakeConnection() for _ in self.speakers]
        self.engine = Engine(self.outbox, self.speakers, self.connections, self.clock)

    def begin(self):
        self.engine.begin(CATALOGUE)

    def up(self):
        for connection in self.connections:
            connection.come_up()
        self.step()
        self.step()

    def step(self, ms=0):
        self.clock.ms += ms
        return self.engine.step(self.clock.ms)

    def settle(self, ms=1000):
        for _ in range(50):
            for connection in self.connections:
                connection.ack()
            self.step(ms)


def test_every_speaker_gets_every_record_on_its_own_connection():
    bench = Bench()
    bench.begin()
    bench.up()
    for seq in range(1, 6):
        assert bench.engine.record(sample(seq), 0)
    bench.engine.record(event(6), 0)
    bench.settle()
    for connection in bench.connections:
        assert b",".join(connection.payloads("samples")) == b"1,2,3,4,5"
        assert connection.payloads("event") == [b"1"]
    assert bench.speakers[0].observed == [1, 2, 3, 4, 5, 1]
    stats = bench.engine.stats
    assert (stats["queued"], stats["connected"]) == (0, True)
    assert stats["sent"] == stats["acked"] > 0
    assert list(sorted(stats["speakers"])) == ["json", "sparkplug"]


def test_a_record_that_comes_twice_is_stored_once_and_one_that_is_none_is_counted():
    bench = Bench()
    bench.begin()
    assert bench.engine.record(sample(1), 0)
    assert bench.engine.record(sample(1), 0)
    assert not bench.engine.record(b"nonsense", 0)
    assert bench.outbox.last_id(SAMPLE) == 1
    assert (bench.engine.duplicates, bench.engine.malformed) == (1, 1)
    assert "record" in bench.engine.stats["last_error"]


def test_losses_become_alarm_events_of_the_reporting_end():
    bench = Bench()
    bench.begin()
    loss = {"why": "full", "lane": SAMPLE, "count": 12, "first_id": 3, "last_id": 26, "first_t_ms": 5,
            "last_t_ms": 9}
    bench.outbox.lost = [loss]
    bench.step(1)
    bench.outbox.lost = [dict(loss)]
    bench.step(1)
    assert bench.outbox.last_id(EVENT) == 1  # not again at once
    bench.step(LOSSES_MS)
    first, second = [records.decode(record) for record in bench.outbox.rows[EVENT]]
    assert (first.boot, first.seq, first.kind, first.name, first.alarm) == (OWN_BOOT, 1, "loss", "full", True)
    assert first.text == "12 samples, ids 3..26, t 5..9"
    assert second.seq == 2
    again = Engine(bench.outbox, [FakeSpeaker()], [FakeConnection()], bench.clock)
    bench.outbox.lost = [dict(loss, lane=EVENT)]
    again.step(0)
    third = records.decode(bench.outbox.rows[EVENT][2])
    assert (third.seq, third.text) == (3, "12 events, ids 3..26, t 5..9")


def test_a_stored_record_that_cannot_be_read_is_told_once():
    bench = Bench()
    bench.begin()
    bench.up()
    bench.outbox.rows[SAMPLE].append(b"damaged")
    bench.settle()
    assert bench.engine.malformed == 1
    (told,) = [records.decode(record) for record in bench.outbox.rows[EVENT]]
    assert (told.name, told.text) == ("unreadable", "1 samples, ids 1..1, t 0..0")
    assert bench.engine.stats["queued"] == 0


def test_all_values_are_asked_for_until_the_speakers_know_them():
    bench = Bench()
    assert not bench.engine.snapshot_wanted(0)
    bench.speakers[1].is_known = False
    bench.begin()
    assert bench.engine.snapshot_wanted(0)
    assert not bench.engine.snapshot_wanted(1000)
    assert bench.engine.snapshot_wanted(5000)
    bench.speakers[1].is_known = True
    assert not bench.engine.snapshot_wanted(20000)


def test_another_catalogue_begins_the_speakers_anew_and_the_old_one_is_remembered():
    bench = Bench()
    bench.begin()
    bench.up()
    other = Catalogue([Metric("s", "K"), Metric("t", "K")], "site", "node")
    bench.engine.begin(other)
    bench.step(BIRTHS_MS)
    assert [speaker.begun for speaker in bench.speakers] == [2, 2]
    assert [speaker.born for speaker in bench.speakers] == [2, 2]
    assert bench.engine.catalogue_of(CATALOGUE.number) is CATALOGUE
    fresh = Engine(bench.outbox, [FakeSpeaker()], [FakeConnection()], bench.clock)
    assert fresh.catalogue_of(CATALOGUE.number).metrics[0].name == "s"
    assert fresh.catalogue_of(5) is None


def test_another_epoch_of_the_outbox_begins_the_speakers_anew():
    bench = Bench()
    bench.begin()
    bench.outbox.epoch = "0000cafe"
    bench.step()
    assert [speaker.begun for speaker in bench.speakers] == [2, 2]


def test_commands_name_their_speaker_and_answers_find_it():
    bench = Bench()
    bench.begin()
    bench.up()
    bench.connections[1].hear("in", b"do")
    bench.step()
    assert bench.engine.commands() == [("sparkplug", b"do", False)]
    bench.engine.reply("sparkplug", b"done")
    bench.engine.reply("", b"session")
    bench.engine.reply("nobody", b"lost")
    bench.settle()
    assert bench.connections[0].payloads("answer") == [b"session"]
    assert bench.connections[1].payloads("answer") == [b"done", b"session"]


def test_a_silent_node_is_an_alarm_and_its_speakers_know_of_it():
    bench = Bench()
    bench.begin()
    bench.up()
    for silent, text in ((True, "nothing heard"), (False, "speaks again")):
        bench.engine.node_silent(silent, bench.clock.ms, text)
        assert [speaker.node_silent for speaker in bench.speakers] == [silent, silent]
        told = records.decode(bench.outbox.rows[EVENT][-1])
        assert (told.boot, told.kind, told.name, told.text, told.alarm) == (
            OWN_BOOT, "node", "silent", text, True)


def test_live_messages_go_to_the_plain_speaker_only():
    bench = Bench()
    bench.begin()
    bench.up()
    assert bench.engine.live("telemetry", b"x", False, 1)
    assert bench.connections[0].payloads("telemetry") == [b"x"]
    assert bench.connections[1].payloads("telemetry") == []
    assert not Bench(FakeSpeaker("sparkplug")).engine.live("telemetry", b"x", False, 1)


def test_closing_commits_first_and_ends_when_all_have_said_goodbye():
    bench = Bench()
    bench.begin()
    bench.up()
    bench.engine.record(sample(1), 0)
    bench.engine.begin_close(bench.clock.ms, 2000)
    assert bench.outbox.commits == 1
    assert not bench.engine.closed()
    bench.settle(10)
    assert bench.engine.closed()
    bench.engine.finish(bench.clock.ms)
    assert bench.outbox.closed


def test_a_disk_that_takes_nothing_for_long_is_an_alarm_and_so_is_its_return():
    bench = Bench()
    bench.begin()
    bench.outbox.memory_only = True
    bench.step(1)
    bench.step(bench.outbox.PATIENCE_MS - 1)
    bench.outbox.memory_only = False
    bench.step(1)
    assert bench.outbox.last_id(EVENT) == 0  # over so soon
    bench.outbox.memory_only = True
    bench.step(1)
    for _ in range(3):
        bench.step(bench.outbox.PATIENCE_MS)
    assert bench.engine.stats["outbox"]["memory_only"]
    bench.outbox.memory_only = False
    bench.step(1)
    bench.step(1)
    told = [records.decode(record) for record in bench.outbox.rows[EVENT]]
    assert [(one.kind, one.name, one.text, one.alarm, one.boot) for one in told] == [
        ("outbox", "disk", "gone: no reason is known", True, OWN_BOOT),
        ("outbox", "disk", "is back", True, OWN_BOOT)]
