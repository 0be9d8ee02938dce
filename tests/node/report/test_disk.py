"""A disk that can't be used at the start, and what is done when it can. Runs on MicroPython as well."""

from edge.node.report import records
from edge.node.report.catalogue import Catalogue, Metric
from edge.node.report.disk import LEAVE_MS, RETRY_MAX_MS, RETRY_MIN_MS, Disk, stand_in
from edge.node.report.engine import OWN_BOOT, OWN_SEQ_KEY, Engine
from edge.node.report.outbox.memory import MemoryOutbox
from edge.node.report.records import EVENT, SAMPLE
from tests.node.report.fakes_report import FakeClock, FakeConnection, FakeSpeaker, event, sample

CATALOGUE = Catalogue([Metric("s", "K")], "site", "node")
GONE = OSError(30, "read-only file system")


class OnDisk(MemoryOutbox):
    """Stands for an outbox on a disk."""

    IN_MEMORY = False
    PATIENCE_MS = 10000
    memory_only = False
    closed = False

    def close(self):
        self.closed = True


class Bench:
    """``trouble``: what opening the disk raises; ``slow_ms``: how long a try of it takes."""

    def __init__(self, memory_max=100000, carried=()):
        self.clock = FakeClock()
        self.trouble = GONE
        self.refusal = None
        self.slow_ms = 0
        self.tries = 0
        self.carried = carried
        self.outbox = OnDisk(4000000, 100000, "")
        self.connections = []
        self.engine = self.make(stand_in(4000000, memory_max, GONE))
        self.memory = self.engine.outbox
        self.disk = Disk(self.open, self.make, self.clock)
        self.engine.begin(CATALOGUE)

    def open(self):
        self.tries += 1
        self.clock.ms += self.slow_ms
        if self.trouble is not None:
            raise self.trouble
        return self.outbox

    def make(self, outbox):
        if self.refusal is not None:
            raise self.refusal
        speakers = [FakeSpeaker(), FakeSpeaker("home_assistant")]
        for one in speakers:
            one.carried = self.carried
        self.connections = [FakeConnection() for _ in speakers]
        return Engine(outbox, speakers, self.connections, self.clock)

    def up(self):
        for connection in self.connections:
            connection.come_up()
        self.step()
        self.step()

    def ack(self):
        for sender in self.engine.senders:
            sender.connection.ack()

    def step(self, ms=0):
        self.clock.ms += ms
        self.engine.step(self.clock.ms)
        self.engine = self.disk.step(self.engine, self.clock.ms)

    def settle(self, ms=100):
        for _ in range(50):
            self.ack()
            self.step(ms)

    def go_over(self):
        self.trouble = None
        self.step(RETRY_MAX_MS)
        for _ in range(20):
            self.ack()
            self.step(LEAVE_MS // 10)
        assert self.engine.outbox is self.outbox


def own_events(outbox) -> list:
    found = []
    for entry in outbox._lanes[EVENT].pending:
        item = records.decode(entry[1])
        if item.boot == OWN_BOOT:
            found.append((item.kind, item.name, item.text, item.alarm))
    return found


def waiting(outbox, lane) -> list:
    return [records.peek(entry[1])[2] for entry in outbox._lanes[lane].pending]


def test_what_is_told_meanwhile_goes_out_and_that_the_disk_is_gone_is_an_alarm():
    bench = Bench()
    bench.step()
    assert own_events(bench.memory) == [("outbox", "disk", f"gone: outbox: {GONE}", True)]
    assert bench.engine.disk_fault == f"outbox: {GONE}"
    bench.up()
    bench.engine.record(sample(1), bench.clock.ms)
    bench.settle()
    assert len(bench.connections[0].payloads("old_event")) == 1  # it came before the births
    assert bench.connections[0].payloads("samples") == [b"1"]
    stats = bench.engine.stats["outbox"]
    assert stats["memory_only"] and stats["errors"] >= 1 and "read-only" in stats["last_error"]


def test_only_what_every_speaker_has_done_is_confirmed_to_the_node():
    bench = Bench()
    bench.up()
    for seq in (1, 2, 3):
        bench.engine.record(sample(seq), bench.clock.ms)
    bench.step()
    assert not bench.engine.outbox.commit(bench.clock.ms)
    assert bench.memory.stored(7) == (7, 0)
    bench.connections[0].ack()
    bench.step()
    assert bench.memory.stored(7) == (7, 0)
    bench.settle()
    assert bench.memory.stored(7) == (7, 3)


def test_the_disk_is_tried_less_and_less_and_a_slow_one_less_still():
    bench = Bench()
    times = []
    for _ in range(100000 // 50):
        before = bench.tries
        bench.step(50)
        if bench.tries > before:
            times.append(bench.clock.ms)
    waits = [times[i + 1] - times[i] for i in range(len(times) - 1)]
    assert waits[:5] == [1000, 2000, 4000, 8000, 16000] and set(waits[5:]) == {RETRY_MAX_MS}
    assert times[0] == RETRY_MIN_MS
    bench.slow_ms = 5000
    bench.step(RETRY_MAX_MS)
    assert bench.disk.due_ms == bench.clock.ms + 50000


def test_records_go_over_with_what_each_speaker_has_done():
    bench = Bench()
    for seq in range(1, 6):
        bench.engine.record(sample(seq) if seq != 3 else event(3, alarm=True), bench.clock.ms)
    names = [sender.name for sender in bench.engine.senders]
    bench.memory.done(names[0], SAMPLE, 1, 2)  # seq 1 and 2
    bench.memory.done(names[1], SAMPLE, 2, 2)
    bench.outbox.attach(names)
    bench.outbox.append(sample(900, boot=6), 0)  # from before
    bench.go_over()
    outbox = bench.outbox
    assert waiting(outbox, SAMPLE) == [900, 1, 4, 5]
    opened = [records.peek(record)[2] for _, record in outbox.fetch(names[0], SAMPLE, 0, 10)]
    assert opened == [900, 4, 5]
    opened = [records.peek(record)[2] for _, record in outbox.fetch(names[1], SAMPLE, 0, 10)]
    assert opened == [900, 1, 4, 5]
    assert 3 in waiting(outbox, EVENT)
    assert outbox.has(7, 5) and outbox.epoch != bench.memory.epoch
    assert bench.engine.disk_fault == ""
    told = own_events(outbox)
    assert told[-1][:2] == ("outbox", "disk") and told[-1][2].startswith("is back: 5 records of box ")
    assert bench.memory.epoch in told[-1][2]


def test_what_the_disk_has_from_before_is_not_told_under_a_second_name():
    bench = Bench()
    names = [sender.name for sender in bench.engine.senders]
    bench.outbox.attach(names)
    for seq in (1, 2, 3):
        bench.outbox.append(sample(seq), 0)
    for seq in (2, 3, 4, 5):  # the node sent again what had not been confirmed
        bench.engine.record(sample(seq), bench.clock.ms)
    bench.go_over()
    assert waiting(bench.outbox, SAMPLE) == [1, 2, 3, 4, 5]


def test_what_was_delivered_from_memory_is_known_on_the_disk():
    bench = Bench()
    bench.up()
    for seq in (1, 2, 3):
        bench.engine.record(sample(seq), bench.clock.ms)
    bench.settle()
    bench.go_over()
    assert bench.outbox.has(7, 3) and waiting(bench.outbox, SAMPLE) == []
    assert bench.engine.duplicates == 0
    bench.engine.record(sample(3), bench.clock.ms)
    assert bench.engine.duplicates == 1


def test_samples_keep_their_catalogues():
    bench = Bench()
    older = Catalogue([Metric("old", "K")], "site", "node")
    bench.engine.begin(older)
    bench.engine.record(sample(1, catalogue_number=older.number), 0)
    bench.engine.begin(CATALOGUE)
    bench.engine.record(sample(2, catalogue_number=CATALOGUE.number), 0)
    bench.go_over()
    assert bench.outbox.catalogue(older.number) == older.to_json()
    assert [span[1] for span in bench.outbox._spans] == [older.number, CATALOGUE.number]
    assert bench.outbox._spans[1][0] == 1


def test_counters_and_what_is_said_on_every_connection_go_on():
    bench = Bench(carried=("bd",))
    bench.up()
    bench.memory.keep("bd", b"41")
    bench.memory.keep("other", b"1")
    bench.engine.reply("", b"session")  # retained
    bench.engine.record(sample(1), bench.clock.ms)
    bench.settle()
    before = bench.engine.stats
    bench.go_over()
    bench.up()
    bench.settle()
    stats = bench.engine.stats
    assert stats["reconnects"] == before["reconnects"] + 2  # of each speaker
    assert stats["acked"] > before["acked"] > 0 and stats["sent"] == stats["acked"]
    assert b"session" not in bench.connections[0].payloads("birth")
    assert len(bench.connections[0].payloads("answer")) == 1
    assert bench.outbox.recall("bd") == b"41" and bench.outbox.recall("other") is None


def test_every_broker_is_left_before_the_next_engine_speaks():
    bench = Bench()
    bench.up()
    old = bench.connections
    bench.trouble = None
    bench.step(RETRY_MIN_MS)
    assert bench.engine.outbox is bench.memory
    for _ in range(3):
        for sender in bench.engine.senders:
            sender.connection.ack(3)  # births, what was told, but not the goodbye
        bench.step(1)
    assert [connection.payloads("state") for connection in old] == [[b"offline"]] * 2
    assert not bench.engine.live("t", b"x", False, 0)
    bench.engine.record(sample(1), bench.clock.ms)
    bench.go_over()
    assert [connection.closed for connection in old] == [True, True]
    assert old[0].payloads("samples") == []
    assert waiting(bench.outbox, SAMPLE) == [1]


def test_a_disk_that_is_there_and_a_configuration_that_is_wrong_now():
    bench = Bench()
    bench.trouble = None
    bench.refusal = ValueError("no password file")
    bench.step(RETRY_MIN_MS)
    assert bench.engine.outbox is bench.memory and bench.outbox.closed
    assert "no password file" in bench.engine.stats["last_error"]
    bench.refusal = None
    bench.go_over()


def test_losses_in_memory_name_their_box_and_are_counted_on():
    bench = Bench(memory_max=4000)
    for seq in range(1, 200):
        bench.engine.record(sample(seq), bench.clock.ms)
    bench.step(1000)
    thinned = bench.memory.stats["thinned"]
    assert thinned > 0
    told = [text for kind, _, text, _ in own_events(bench.memory) if kind == "loss"]
    assert told[0].endswith(", box " + bench.memory.epoch)
    for seq in range(200, 400):
        bench.engine.record(sample(seq), bench.clock.ms)
    assert bench.memory._losses  # not told again so soon
    later = bench.memory.stats["thinned"] - thinned
    assert later > 0
    bench.go_over()
    bench.step(20000)
    left = len([entry for entry in bench.outbox._lanes[SAMPLE].pending])
    assert bench.outbox.stats["thinned"] == thinned + later == 399 - left
    lines = [text for kind, _, text, _ in own_events(bench.outbox) if kind == "loss"]
    assert sum([int(text.split()[0]) for text in lines]) == thinned + later
    assert ", ids 0..0, " in lines[-1]


def test_the_bound_holds_in_memory_and_alarms_stay():
    bench = Bench(memory_max=4000)
    for seq in range(1, 1000):
        bench.engine.record(sample(seq) if seq % 100 else event(seq, alarm=True), bench.clock.ms)
        bench.step(10)
    assert bench.memory.stats["bytes"] <= 4000 == bench.memory.stats["bytes_max"]
    assert [seq for seq in waiting(bench.memory, EVENT) if seq < 1000] == list(range(100, 1000, 100))


def test_its_own_records_are_counted_far_from_those_of_a_disk():
    first = int(stand_in(4000000, 10000, GONE).recall(OWN_SEQ_KEY))
    second = int(stand_in(4000000, 10000, GONE).recall(OWN_SEQ_KEY))
    assert 0x80000000 <= min(first, second) and max(first, second) < 0xC0000000 and first != second


def test_at_the_end_what_is_left_goes_to_a_disk_that_is_there():
    bench = Bench()
    bench.engine.record(sample(1), 0)
    bench.engine.begin_close(0, 100)
    bench.step(200)
    bench.disk._try_ms = 10**9
    assert bench.disk.last(bench.engine, 200) is bench.engine and bench.engine.outbox.waiting
    bench.trouble = None
    last = bench.disk.last(bench.engine, 200)
    assert last.outbox is bench.outbox and waiting(bench.outbox, SAMPLE) == [1]
    assert bench.disk.last(last, 300) is last
