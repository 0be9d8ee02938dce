"""An outbox at its bound: what goes first, what stays, and that all of it is counted."""

import random

import pytest

from edge.box.outbox_rebuild import Rebuilding
from edge.node.report import records
from edge.node.report.outbox import blocks
from tests.box.outbox_tools import (
    BOOT,
    CATALOGUE,
    EVENT,
    KINDS,
    SAMPLE,
    disk_bytes,
    event,
    held,
    make,
    sample,
    seqs,
)

BYTES_MAX = {"sqlite": 524_288, "segments": 131_072}


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def box(kind, tmp_path):
    outbox = make(kind, tmp_path, BYTES_MAX[kind])
    outbox.attach(["a"])
    yield outbox
    outbox.close()


class Watched:
    """Feeds an outbox and looks at the disk after every step."""

    def __init__(self, box, folder):
        self.box = box
        self.folder = folder
        self.now_ms = 0
        self.seq = 0
        self.most = 0
        self.commits = 0

    def add(self, make_record, step_ms=250):
        self.seq += 1
        self.now_ms += step_ms
        self.box.append(make_record(self.seq), self.now_ms)
        self.box.step(self.now_ms)
        if self.commits != self.box.stats["commits"]:
            self.commits = self.box.stats["commits"]
            self.most = max(self.most, disk_bytes(self.folder))


def ages(found: list) -> list:
    """seqs of samples, oldest first."""
    return [records.peek(record)[2] for _, record in found]


def test_the_oldest_samples_thin_out_first_and_all_are_counted(box, kind, tmp_path):
    feed = Watched(box, tmp_path)
    count = {"sqlite": 6000, "segments": 3000}[kind]
    for _ in range(count):
        feed.add(lambda seq: sample(seq, 20))
    assert feed.most <= BYTES_MAX[kind]
    left = ages(held(box, "a", SAMPLE))
    stats = box.stats
    assert len(left) + stats["thinned"] + stats["lost_full"] == count
    assert stats["thinned"] > count // 6
    # The newest are complete, and the gaps grow with age.
    assert left[-100:] == list(range(count - 99, count + 1))
    gaps = [b - a for a, b in zip(left, left[1:], strict=False)]
    fourth = len(gaps) // 4
    assert sum(gaps[:fourth]) > 2 * sum(gaps[-fourth:])
    assert sum(gaps[:fourth]) >= sum(gaps[fourth:2 * fourth]) >= sum(gaps[2 * fourth:3 * fourth])


def test_samples_are_dropped_at_the_deepest_level_only(box, kind, tmp_path):
    feed = Watched(box, tmp_path)
    while not box.stats["lost_full"]:
        feed.add(lambda seq: sample(seq, 150), 2000)
        assert feed.seq < 60_000
    left = ages(held(box, "a", SAMPLE))
    assert len(left) + box.stats["thinned"] + box.stats["lost_full"] == feed.seq
    # Every level has its share: what is left reaches far back.
    full = BYTES_MAX[kind] // len(sample(1, 150))
    assert feed.seq - left[0] > 4 * full
    assert feed.most <= BYTES_MAX[kind]


def test_alarms_stay_when_samples_must_go(box, kind, tmp_path):
    feed = Watched(box, tmp_path)
    alarms = []
    for turn in range(3000):
        feed.add(lambda seq: sample(seq, 30))
        if turn % 20 == 0:
            feed.add(lambda seq: event(seq, True))
            alarms.append(feed.seq)
    assert seqs(box, "a", EVENT) == alarms
    assert box.stats["thinned"] > 0
    assert feed.most <= BYTES_MAX[kind]


def test_alarms_go_last_and_the_oldest_first(box, kind, tmp_path):
    feed = Watched(box, tmp_path)
    for _ in range(200):
        feed.add(lambda seq: sample(seq, 30))
    for _ in range(50):
        feed.add(lambda seq: event(seq, False))
    plain = feed.seq
    while not any(loss["lane"] == EVENT for loss in box._losses):
        feed.add(lambda seq: event(seq, True, text="x" * 900), 60)
        assert feed.seq < 20_000
    # The first event that went is one that is no alarm, after all samples.
    assert box.stats["lost_full"] >= 1
    assert held(box, "a", SAMPLE) == []
    left = seqs(box, "a", EVENT)
    assert [seq for seq in left if seq > plain] == list(range(plain + 1, feed.seq + 1))
    while seqs(box, "a", EVENT)[0] <= plain + 1:
        for _ in range(20):
            feed.add(lambda seq: event(seq, True, text="x" * 900), 60)
        assert feed.seq < 40_000
    left = seqs(box, "a", EVENT)
    assert left == list(range(left[0], feed.seq + 1))
    assert feed.most <= BYTES_MAX[kind]
    # For samples there is no room any more, and no alarm goes for one.
    before = seqs(box, "a", EVENT)
    lost = box.stats["lost_full"]
    for _ in range(100):
        feed.add(lambda seq: sample(seq, 30), 1000)
    box.commit(feed.now_ms)
    assert seqs(box, "a", EVENT) == before
    assert box.stats["lost_full"] + box.stats["thinned"] > lost
    assert feed.most <= BYTES_MAX[kind]


def test_what_is_done_goes_before_anything_is_thinned(box, kind, tmp_path):
    feed = Watched(box, tmp_path)
    for _ in range(4000):
        feed.add(lambda seq: sample(seq, 40))
        if feed.seq % 200 == 0:
            box.done("a", SAMPLE, 1, feed.seq - 100)
    assert box.stats["thinned"] == box.stats["lost_full"] == 0
    assert len(held(box, "a", SAMPLE)) == 100


def test_losses_are_told_once_and_not_too_often(box, kind, tmp_path):
    feed = Watched(box, tmp_path)
    told = []
    for _ in range(4000):
        feed.add(lambda seq: sample(seq, 40), 1000)
        told += [(feed.now_ms, loss) for loss in box.losses()]
    assert {loss["why"] for _, loss in told} <= {"thinned", "full"}
    times = [at for at, loss in told if loss["why"] == "thinned"]
    assert len(times) >= 4
    assert all(b - a >= 600_000 for a, b in zip(times, times[1:], strict=False))
    rest = sum(loss["count"] for loss in box._losses)
    assert sum(loss["count"] for _, loss in told) + rest == box.stats["thinned"] + box.stats["lost_full"]
    first = told[0][1]
    assert first["first_id"] >= 1 and first["first_t_ms"] < first["last_t_ms"]


def test_losses_survive_a_restart_until_they_are_told(box, kind, tmp_path):
    feed = Watched(box, tmp_path)
    while not box.stats["thinned"]:
        feed.add(lambda seq: sample(seq, 30))
    box.close()
    again = make(kind, tmp_path, BYTES_MAX[kind])
    again.attach(["a"])
    told = again.losses()
    assert told[0]["why"] == "thinned" and told[0]["count"] == again.stats["thinned"]
    again.keep("own_seq", b"1")
    again.close()
    again = make(kind, tmp_path, BYTES_MAX[kind])
    again.attach(["a"])
    assert again.losses() == told  # no event of it was stored
    again.append(event(feed.seq + 1, True), feed.now_ms)
    again.commit(feed.now_ms)
    again.close()
    again = make(kind, tmp_path, BYTES_MAX[kind])
    more = sum(loss["count"] for loss in again.losses())
    assert told[0]["count"] + more == again.stats["thinned"]
    again.close()
    box._lock = None
    box.close = lambda: None


def test_thinning_carries_what_would_never_be_told_again():
    """A change is told once: the next record that stays has it, unless it has a newer one."""
    def change(seq, values):
        return seq, records.encode_sample(BOOT, seq, seq, seq, True, CATALOGUE, values)

    kept = blocks.thinned([change(1, [(0, 0, True), (1, 0, 1.0)]), change(2, [(1, 0, 2.0)]),
                           change(3, [(2, 2, None)])])
    values = [records.decode(record).values for _, record in kept]
    assert [number for number, _ in kept] == [2, 3]
    assert values == [[(0, 0, True), (1, 0, 2.0)], [(2, 2, None)]]


def test_thinning_never_mixes_catalogues_or_starts_of_the_node():
    a = records.encode_sample(1, 1, 1, 1, True, 5, [(0, 0, True)])
    for boot, catalogue in ((2, 5), (1, 6)):
        b = records.encode_sample(boot, 2, 2, 2, True, catalogue, [(1, 0, 2.0)])
        assert blocks.thinned([(1, a), (2, b)]) == [(2, b)]


@pytest.mark.parametrize("seed", range(3))
def test_the_account_agrees_whatever_happens(kind, tmp_path, seed):
    """At random: records of all sizes, acknowledgements, restarts. Nothing goes without being counted."""
    chance = random.Random(seed)
    box = make(kind, tmp_path, BYTES_MAX[kind])
    box.attach(["a"])
    seq = now_ms = most = 0
    given = {SAMPLE: set(), EVENT: set()}
    done = {SAMPLE: set(), EVENT: set()}
    for _ in range(800):
        now_ms += chance.choice((20, 250, 5000))
        for _ in range(chance.choice((1, 1, 5))):
            seq += 1
            if chance.random() < 0.9:
                given[SAMPLE].add(box.append(sample(seq, chance.choice((2, 40, 200))), now_ms))
            else:
                alarm = chance.random() < 0.5
                given[EVENT].add(box.append(event(seq, alarm, text="y" * chance.choice((5, 900))), now_ms))
        box.step(now_ms)
        most = max(most, disk_bytes(tmp_path))
        if chance.random() < 0.01:
            lane = chance.choice((SAMPLE, EVENT))
            after = chance.randrange(max(box.last_id(lane), 1))
            part = [number for number, _ in box.fetch("a", lane, after, 60)]
            if part:
                box.done("a", lane, part[0], part[-1])
                done[lane].update(part)
        if chance.random() < 0.01:
            box.close()
            box = make(kind, tmp_path, BYTES_MAX[kind])
            box.attach(["a"])
    left = [number for lane in (SAMPLE, EVENT) for number, _ in held(box, "a", lane)]
    stats = box.stats
    everything = len(given[SAMPLE]) + len(given[EVENT]) - len(done[SAMPLE]) - len(done[EVENT])
    assert len(left) + stats["thinned"] + stats["lost_full"] == everything
    assert stats["lost_damage"] == stats["errors"] == 0
    assert most <= BYTES_MAX[kind]
    box.close()


@pytest.mark.parametrize("delivered", [False, True])
def test_a_smaller_bound_holds_from_the_next_start_on(kind, tmp_path, delivered):
    box = make(kind, tmp_path, 2_000_000)
    box.attach(["a"])
    feed = Watched(box, tmp_path)
    while not box.stats["thinned"]:
        feed.add(lambda seq: sample(seq, 40) if seq % 40 else event(seq, True), 1000)
    box.commit(feed.now_ms)
    last = box.last_id(SAMPLE) - 50 if delivered else 0
    box.done("a", SAMPLE, 1, last)
    alarms = held(box, "a", EVENT)
    box.close()
    assert delivered or disk_bytes(tmp_path) > 1_000_000
    smaller = make(kind, tmp_path, 700_000)
    assert disk_bytes(tmp_path) <= 700_000
    smaller.attach(["a"])
    feed.box, feed.most = smaller, 0
    for _ in range(3000):
        feed.add(lambda seq: sample(seq, 40), 1000)
    assert feed.most <= 700_000
    assert held(smaller, "a", EVENT) == alarms
    left = [number for number, _ in held(smaller, "a", SAMPLE)]
    stats = smaller.stats
    assert stats["lost_damage"] == stats["errors"] == 0
    if not delivered:
        assert len(alarms) + len(left) + stats["thinned"] + stats["lost_full"] == feed.seq
    smaller.close()


def test_a_file_that_can_not_be_made_smaller_is_used_as_it_is(tmp_path, monkeypatch):
    box = make("sqlite", tmp_path, 2_000_000)
    box.attach(["a"])
    feed = Watched(box, tmp_path)
    while not box.stats["thinned"]:
        feed.add(lambda seq: sample(seq, 40), 1000)
    box.commit(feed.now_ms)
    box.close()
    with monkeypatch.context() as patch:
        patch.setattr(Rebuilding, "_put_in_place", no_space)
        box = make("sqlite", tmp_path, 700_000)
    box.attach(["a"])
    feed.box = box
    for _ in range(200):
        feed.add(lambda seq: sample(seq, 40), 1000)
    assert len(held(box, "a", SAMPLE)) + box.stats["thinned"] == feed.seq
    assert box.stats["errors"] == 1 and "no space" in box.stats["last_error"] and not box.memory_only
    assert not (tmp_path / "outbox.db.new").exists()
    box.close()
    box = make("sqlite", tmp_path, 700_000)
    assert disk_bytes(tmp_path) <= 700_000
    box.close()


def no_space(*_):
    raise OSError(28, "no space left on the device (injected)")
