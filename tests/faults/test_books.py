"""The books themselves: what they would say of losses."""

import json
import time

import pytest

from edge.node.report import records
from edge.node.report.catalogue import Catalogue, Metric
from edge.node.report.onboard import OnboardReporter
from edge.node.report.outbox.segments import SegmentLog
from tests.box.outbox_tools import copied
from tests.faults.observer import Books
from tests.faults.rig import Rig
from tests.faults.segments import stored_in
from tests.node.report.brokers import Subscriber, wait_for
from tests.node.report.fakes_report import FakeClock, FakeConnection

BOOT = 7
CATALOGUE = Catalogue([Metric("s", "K")], "site", "node")


def sample(seq: int, boot: int = BOOT) -> bytes:
    return records.encode_sample(boot, seq, 0, 0, True, CATALOGUE.number, [(0, 0, 1.5)])


def event(seq: int, boot: int = BOOT) -> bytes:
    return records.encode_event(boot, seq, 0, 0, True, "alarm", "n", "came", True)


class Told(Books):
    """Books on samples and losses that are told here."""

    def samples(self, *numbers):
        samples = [{"id": number, "boot": BOOT, "seq": number, "t": 0} for number in numbers]
        self.take("furnace/b/k/samples", json.dumps({"box": "aa", "samples": samples}).encode())
        return self

    def loss(self, number: int, text: str):
        told = {"box": "aa", "id": number, "boot": 0, "seq": number, "t": 0, "kind": "loss"}
        told.update(name="restart", text=text)
        self.take("furnace/b/k/event", json.dumps(told).encode())
        return self


def test_ids_that_came_or_were_told_are_accounted_for():
    books = Told().samples(1, 2).samples(2, 6, 9).loss(1, "0 samples, ids 3..5, t 0..0")
    assert books.loss(2, "2 samples, ids 7..8, t 0..0").untold() == []


@pytest.mark.parametrize(("text", "gone"), [
    ("0 samples, ids 4..5, t 0..0", (3, 3)),
    ("0 samples, ids 3..4, t 0..0", (5, 5)),
    ("0 events, ids 3..5, t 0..0", (3, 5)),
])
def test_ids_that_are_gone_without_a_word_are_found(text, gone):
    assert Told().samples(1, 2, 6).loss(1, text).untold() == [("aa", "samples", *gone)]


def test_ids_before_the_first_that_came_count():
    assert Told().samples(2, 3).untold() == [("aa", "samples", 1, 1)]


def test_what_is_in_the_segments_on_the_disk_is_stored(tmp_path):
    log = SegmentLog(str(tmp_path / "log"), block_bytes=100)
    log.attach(["a"])
    for seq in (1, 2, 3, 5, 6):
        log.append(sample(seq), 0)
    log.append(event(4), 0)
    log.append(event(1, boot=0), 0)
    log.commit(0)
    log.append(sample(7), 0)
    files = list((tmp_path / "log").iterdir())
    assert stored_in(files) == {(BOOT, seq) for seq in range(1, 7)}
    (segment,) = [path for path in files if path.name.startswith("s0")]
    data = segment.read_bytes()
    segment.write_bytes(data[:-1])
    assert stored_in(files) == {(BOOT, seq) for seq in (1, 2, 3, 4, 5)}, "the last block is torn"
    segment.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    assert stored_in(files) == {(BOOT, seq) for seq in (3, 4, 5, 6)}, "the first block is damaged"
    log.close()


def test_what_live_samples_overtook_in_memory_is_told_after_a_kill(tmp_path):
    """What came has a gap then, without a stored record lost: the ids that are told close it."""
    clock = FakeClock()
    connections = []

    def connect(_mqtt, _client_id, _clock):
        connections.append(FakeConnection())
        return connections[-1]

    def started(folder):
        described = {
            "node": {"site": "site", "name": "node"},
            "report": {"json": {}, "mqtt": {"brokers": [["h", 1]], "keepalive_s": 5},
                       "outbox": {"path": f"{folder}/node.outbox", "size_mb": 1, "commit_s": 1}},
        }
        reporter = OnboardReporter(described, clock, connect)
        reporter.begin(CATALOGUE)
        return reporter

    books = Books()

    def read():
        for _, topic, payload in connections[-1].sent:
            books.take(topic, payload)

    reporter = started(tmp_path / "live")
    for seq in range(1, 13):
        reporter.record(sample(seq))
    connections[-1].come_up()
    for seq in (13, 14):  # no acknowledgement yet: the rest of the backlog waits
        reporter.step(clock.ms)
        reporter.record(sample(seq))
    reporter.step(clock.ms)
    read()
    died = books.missing(BOOT, 14)
    assert died and max(books.seqs[BOOT]) == 14
    stored = stored_in((tmp_path / "live").rglob("*"))
    copied(tmp_path / "live", tmp_path / "after")
    reporter = started(tmp_path / "after")
    connections[-1].come_up()
    reporter.record(sample(1, BOOT + 1))
    for _ in range(10):
        clock.ms += 100
        reporter.step(clock.ms)
        connections[-1].ack()
    read()
    assert not stored & {(BOOT, seq) for seq in died}
    assert books.missing(BOOT, 14) == died and books.seqs[BOOT + 1]
    assert books.untold() == []
    assert books.lost == 0


def test_what_a_broker_had_acknowledged_is_read_before_it_is_killed(tmp_path):
    """A slow observer would not read the rest after the broker's death, and count it as lost by the node."""
    rig = Rig(tmp_path)
    publisher = Subscriber(rig.broker.port, "nothing")
    try:
        listener = rig.observer.subscriber
        keep = listener._client.on_message

        def keep_slowly(*arguments):
            time.sleep(0.02)
            keep(*arguments)

        listener._client.on_message = keep_slowly
        for number in range(20):
            publisher.publish(f"{rig.observer.base}/state", b"%d" % number)
        assert len(listener.messages) < 20
        rig.kill_broker()
        assert wait_for(lambda: len(listener.messages) == 20), listener.messages
    finally:
        publisher.close()
        rig.__exit__()
