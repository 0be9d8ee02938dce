"""The reporting end of a board: what goes wrong in it never reaches the node. Runs on MicroPython as well."""

from edge.node.report.catalogue import Catalogue, Metric
from edge.node.report.connections.tcp import Untrusted
from edge.node.report.onboard import REOPEN_MS, OnboardReporter
from edge.node.report.outbox.memory import MemoryOutbox
from edge.node.report.records import SAMPLE
from tests.node.report.fakes_report import FakeClock, FakeConnection, FakeOutbox, sample

CATALOGUE = Catalogue([Metric("s", "K")], "site", "node")


class Bench:
    def __init__(self, **more):
        self.clock = FakeClock()
        self.outbox = FakeOutbox()
        self.connections = []
        self.trouble = None
        self.connect_trouble = None
        mqtt = {"brokers": [["h", 1]], "keepalive_s": 5}
        mqtt.update(more)
        self.description = {
            "node": {"site": "site", "name": "node"},
            "report": {"json": {}, "mqtt": mqtt, "outbox": {"path": "p"}},
        }
        self.end = OnboardReporter(self.description, self.clock, self.connect, self.open)

    def connect(self, mqtt, name, clock):
        if self.connect_trouble is not None:
            raise self.connect_trouble
        self.connections.append(FakeConnection())
        return self.connections[-1]

    def open(self, settings):
        if self.trouble is not None:
            raise self.trouble
        return self.outbox

    def begin(self):
        self.end.begin(CATALOGUE)
        self.connections[-1].come_up()
        self.step()
        self.step()

    def step(self, ms=0):
        self.clock.ms += ms
        return self.end.step(self.clock.ms)


def fails(*arguments):
    raise MemoryError("allocating 4024 bytes")


def test_records_live_messages_and_commands():
    bench = Bench()
    bench.begin()
    assert bench.end.record(sample(1, catalogue_number=CATALOGUE.number))
    bench.step()
    connection = bench.connections[0]
    assert len(connection.payloads("furnace/site/node/samples")) == 1
    assert bench.end.publish("furnace/site/node/telemetry", b"{}")
    assert bench.end.losses() == []
    assert bench.end.stats["connected"]
    assert bench.end.commands() == []


def test_without_memory_the_node_goes_on_and_reporting_begins_again_from_the_disk():
    bench = Bench()
    bench.begin()
    bench.end.record(sample(1, catalogue_number=CATALOGUE.number))
    bench.connections[0].publish = fails
    bench.step()
    assert bench.outbox.closed
    assert bench.connections[0].dropped
    assert not bench.end.record(sample(2))
    assert not bench.end.publish("t", b"x")
    assert bench.end.pollables() == []
    stats = bench.end.stats
    assert (stats["dropped"], stats["connected"]) == (1, False)
    assert "4024 bytes" in stats["last_error"]
    due = bench.step()
    assert due == bench.clock.ms + REOPEN_MS
    bench.step(REOPEN_MS)
    assert len(bench.connections) == 2
    bench.connections[1].come_up()
    bench.step()
    bench.step()
    assert bench.end.losses() == [(1, "the board could not store them")]
    assert len(bench.connections[1].payloads("furnace/site/node/samples")) == 1
    assert bench.outbox.last_id(SAMPLE) == 1
    assert bench.end.stats["last_error"] == ""


def without_disk() -> Bench:
    bench = Bench()
    bench.trouble = OSError(5)
    bench.outbox = SegmentLogInMemory()
    bench.connections = []
    bench.end = OnboardReporter(bench.description, bench.clock, bench.connect, bench.open)
    bench.begin()
    return bench


class SegmentLogInMemory(MemoryOutbox):
    """Stands for the outbox in the folder."""

    IN_MEMORY = False
    memory_only = False
    closed = False

    def __init__(self):
        MemoryOutbox.__init__(self, 1000000, 16384, "")

    def close(self):
        self.closed = True


def test_while_the_folder_can_not_be_used_reporting_goes_on_from_memory():
    bench = without_disk()
    assert bench.end.record(sample(1, catalogue_number=CATALOGUE.number))
    bench.step()
    assert len(bench.connections[0].payloads("furnace/site/node/samples")) == 1
    events = bench.connections[0].payloads("furnace/site/node/event")
    assert b'"kind":"outbox","name":"disk","text":"gone: outbox: ' in events[0]
    stats = bench.end.stats
    assert stats["outbox"]["memory_only"] and stats["dropped"] == 0 and stats["last_error"]
    bench.trouble = None
    for _ in range(4):
        bench.step(REOPEN_MS)
    bench.connections[1].come_up()
    bench.step()
    bench.step()
    assert bench.end._engine.outbox is bench.outbox
    assert not bench.end.stats["outbox"]["memory_only"]
    told = bench.connections[1].payloads("furnace/site/node/event")
    assert b'"text":"is back: ' in told[-1]
    # It had not been acknowledged.
    assert len(bench.connections[1].payloads("furnace/site/node/samples")) == 1


def test_what_ends_in_memory_is_counted_as_lost():
    bench = without_disk()
    for seq in (1, 2, 3):
        bench.end.record(sample(seq, catalogue_number=CATALOGUE.number))
    bench.connections[0].publish = fails
    bench.step()
    assert bench.end.stats["dropped"] == 4  # and the event of the disk
    bench.step(REOPEN_MS)
    assert bench.end.losses() == [(4, "the board could not store them")]


def test_at_the_end_what_is_in_memory_goes_to_a_folder_that_is_there():
    bench = without_disk()
    bench.clock.wait = lambda until_us, pollables: setattr(bench.clock, "ms", bench.clock.ms + 100)
    bench.end.record(sample(1, catalogue_number=CATALOGUE.number))
    bench.trouble = None
    bench.end.close(bench.clock.ms)
    assert bench.outbox.closed and bench.outbox.last_id(SAMPLE) == 1


def test_credentials_that_cannot_be_used_stop_the_start():
    for more in ({"credential": "broker"}, {"username": "u", "password_file": "/no/such/file"}):
        try:
            Bench(**more)
        except (OSError, ValueError):
            continue
        raise AssertionError(more)


def test_credentials_that_cannot_be_used_stop_no_node_that_runs():
    for error in (Untrusted("ca.pem: no such file"), ValueError("password has mode 0644"), OSError(2)):
        bench = Bench()
        bench.begin()
        bench.end._engine.step = fails
        bench.step()
        bench.connect_trouble = error
        bench.step(REOPEN_MS)
        assert "it can't begin: " + str(error) in bench.end.stats["last_error"]
        assert not bench.end.record(sample(1))
        bench.connect_trouble = None
        bench.step(REOPEN_MS)
        assert bench.end.record(sample(2))


def test_closing_says_goodbye():
    bench = Bench()
    bench.clock.wait = lambda until_us, pollables: bench.connections[0].ack()
    bench.begin()
    bench.end.record(sample(1, catalogue_number=CATALOGUE.number))
    bench.end.close(bench.clock.ms)
    assert bench.connections[0].payloads("furnace/site/node/state")[-1] == b"offline"
    assert bench.outbox.closed


def test_without_the_memory_to_begin_nothing_is_connected():
    bench = Bench()
    bench.outbox.keep_catalogue = fails
    bench.end.begin(CATALOGUE)
    connection = bench.connections[0]
    assert connection.closed
    assert not connection.dropped
    del bench.outbox.keep_catalogue
    bench.step(REOPEN_MS)
    assert len(bench.connections) == 2
    assert bench.end.record(sample(1))
