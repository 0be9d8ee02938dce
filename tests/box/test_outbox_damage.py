"""An outbox whose files were damaged: nothing crashes, what can be read is there, the rest is counted."""

import random
import shutil

import pytest

from edge.box import outbox_salvage
from edge.node.report import records
from edge.node.report.outbox import blocks
from tests.box.outbox_tools import ALL, EVENT, KINDS, SAMPLE, copied, disk_bytes, event, held, make, sample

BYTES_MAX = 2_000_000
LANES = (SAMPLE, EVENT)


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """Folders by (kind, closed): 1,500 samples, some done, 60 events; closed, or as a kill leaves them."""
    made = {}
    for kind in KINDS:
        folder = tmp_path_factory.mktemp(kind)
        (folder / "live").mkdir()
        box = make(kind, folder / "live", BYTES_MAX, 2000)
        box.attach(["a", "b"])
        now_ms = 0
        for seq in range(1, 1561):
            now_ms += 250
            box.append(event(seq, seq % 2 == 0) if seq % 26 == 0 else sample(seq, 12), now_ms)
            box.step(now_ms)
        box.done("a", SAMPLE, 1, 700)
        box.done("b", SAMPLE, 1, 400)
        box.done("b", SAMPLE, 801, 900)
        box.keep("bdSeq", b"17")
        box.keep_catalogue(77, b"catalogue" * 300)
        box.commit(now_ms)
        open_now = {name: {lane: dict(held(box, name, lane)) for lane in LANES} for name in ("a", "b")}
        made[kind, False] = (copied(folder / "live", folder / "killed"), open_now, box.epoch)
        box.close()
        made[kind, True] = (folder / "live", open_now, box.epoch)
    return made


def look(kind, folder, before, epoch, seq=5000):
    """Open what was damaged, use it, and check the account. Returns how many are missing."""
    box = make(kind, folder, BYTES_MAX, 2000)
    box.attach(["a", "b"])
    missing = 0
    for lane in LANES:
        union = {**before["a"][lane], **before["b"][lane]}
        found = {}
        for name in ("a", "b"):
            for number, record in patiently(box, name, lane):
                assert union.get(number, record) == record
                if number not in union:  # done by both before, and not known to be any more
                    assert box.epoch == epoch
                found[number] = record
        missing += len(union.keys() - found.keys())
    losses = box.losses()
    told = sum(loss["count"] for loss in losses if loss["why"] == "damage")
    unknown = any(loss["why"] == "damage" and loss["count"] == 0 for loss in losses)
    assert missing <= told or unknown, f"{missing} missing, {told} told"
    # It goes on: ids are new ones, records are stored, and a restart finds them.
    last = max([0, *(number for lane in before["a"].values() for number in lane)])
    for each in range(seq, seq + 20):
        number = box.append(sample(each), 1_000_000)
        assert number > last or box.epoch != epoch
    assert box.commit(2_000_000), box.stats
    box.keep("bdSeq", b"18")
    box.close()
    box = make(kind, folder, BYTES_MAX, 2000)
    box.attach(["a", "b"])
    newest = [record for _, record in held(box, "a", SAMPLE)][-20:]
    assert newest == [sample(each) for each in range(seq, seq + 20)]
    assert box.recall("bdSeq") == b"18"
    assert disk_bytes(folder) <= BYTES_MAX
    box.close()
    return missing


def patiently(box, name: str, lane: int) -> list:
    """What is held. An error while it reads may end a fetch early: it is asked again."""
    found = held(box, name, lane)
    return found + box.fetch(name, lane, found[-1][0] if found else 0, ALL)


def files(folder) -> list:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size)


def damage_byte(chance, path):
    data = bytearray(path.read_bytes())
    place = chance.randrange(len(data))
    data[place] ^= 1 << chance.randrange(8)
    path.write_bytes(data)


def damage_page(chance, path):
    data = bytearray(path.read_bytes())
    place = chance.randrange(len(data)) & ~511
    data[place:place + 512] = chance.randbytes(len(data[place:place + 512]))
    path.write_bytes(data)


def damage_zeros(chance, path):
    data = bytearray(path.read_bytes())
    place = chance.randrange(len(data)) & ~4095
    data[place:place + 4096] = bytes(len(data[place:place + 4096]))
    path.write_bytes(data)


def damage_end(chance, path):
    data = path.read_bytes()
    path.write_bytes(data[:chance.randrange(len(data))])


def damage_all(chance, path):
    path.write_bytes(chance.randbytes(path.stat().st_size))


def damage_gone(chance, path):
    path.unlink()


WAYS = (damage_byte, damage_page, damage_zeros, damage_end, damage_all, damage_gone)


@pytest.mark.parametrize("closed", [True, False], ids=["closed", "killed"])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_damage(kind, way, closed, filled, tmp_path):
    torment(kind, way, closed, filled, tmp_path, 3)


@pytest.mark.long
@pytest.mark.parametrize("closed", [True, False], ids=["closed", "killed"])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_damage_in_many_places(kind, way, closed, filled, tmp_path):
    torment(kind, way, closed, filled, tmp_path, 200)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_damage_of_a_file_that_consists_of_spares(way, tmp_path):
    """Full once, and most of it delivered: the rows that are left lie between spares."""
    (tmp_path / "live").mkdir()
    box = make("sqlite", tmp_path / "live", BYTES_MAX, 2000)
    box.attach(["a", "b"])
    seq = 0
    while not box.stats["thinned"]:
        seq += 1
        box.append(event(seq, True) if seq % 40 == 0 else sample(seq, 40), 1000 * seq)
        box.step(1000 * seq)
    for name in ("a", "b"):
        ids = [number for number, _ in held(box, name, SAMPLE)]
        for i in range(0, len(ids) - 900, 1000):
            box.done(name, SAMPLE, ids[i], ids[i + 900])
    for turn in range(20):
        box.step(1000 * seq + 10_000 * turn)
    assert box._slots.spare_pages > 1000
    while box.losses() or box._losses:
        seq += 1000
        box.append(event(seq), 1000 * seq)
        box.commit(1000 * seq)
    before = {name: {lane: dict(held(box, name, lane)) for lane in LANES} for name in ("a", "b")}
    copied(tmp_path / "live", tmp_path / "killed")
    filled = {("sqlite", False): (tmp_path / "killed", before, box.epoch)}
    box.close()
    torment("sqlite", way, False, filled, tmp_path, 3)


def torment(kind, way, closed, filled, folder, count):
    source, before, epoch = filled[kind, closed]
    chance = random.Random(f"{kind} {way.__name__} {closed}")
    missing = 0
    for turn in range(count):
        target = copied(source, folder / str(turn))
        path = chance.choice(files(target))
        way(chance, path)
        try:
            missing += look(kind, target, before, epoch)
        except Exception as error:
            raise AssertionError(f"turn {turn}, {path.name}: {error!r}") from error
        shutil.rmtree(target)
    print(f"{kind} {way.__name__} {'closed' if closed else 'killed'}: {count} times, {missing} records gone")


def test_the_damaged_log_of_sqlite_is_not_left_out_without_a_word(filled, tmp_path):
    """SQLite reads a log up to the first frame that is wrong and forgets the rest."""
    source, before, epoch = filled["sqlite", False]
    wal = source / "outbox.db-wal"
    frames = outbox_salvage.wal_frames(str(wal))
    assert len(frames) > 10 and not outbox_salvage.wal_damaged(str(source / "outbox.db"))
    target = copied(source, tmp_path / "t")
    data = bytearray(wal.read_bytes())
    data[frames[2][1] + 100] ^= 0xFF
    (target / "outbox.db-wal").write_bytes(data)
    assert outbox_salvage.wal_damaged(str(target / "outbox.db"))
    assert look("sqlite", target, before, epoch) < 100


def test_one_bad_block_costs_only_its_records(kind, filled, tmp_path):
    source, before, epoch = filled[kind, True]
    target = copied(source, tmp_path / "t")
    for path in files(target):
        data = bytearray(path.read_bytes())
        place = data.find(b"fB\x01")
        while place >= 0:
            block = blocks.read_head(data[place:place + blocks.HEAD_SIZE])
            if block is not None and block.first <= 1200 <= block.last:
                data[place + blocks.HEAD_SIZE] ^= 0x01
            place = data.find(b"fB\x01", place + 1)
        path.write_bytes(data)
    missing = look(kind, target, before, epoch)
    assert 0 < missing < 100


@pytest.mark.parametrize("lane", LANES)
def test_a_block_in_the_place_of_another_is_damage(kind, lane, tmp_path):
    """As where SQLite finds another row under a key that is damaged."""
    box = make(kind, tmp_path, BYTES_MAX, 0)
    box.attach(["a"])
    for seq in range(1, 31):
        box.append(sample(seq) if lane == SAMPLE else event(seq), 100 * seq)
        box.step(100 * seq)
    places, sizes = box._lanes[lane].place, box._lanes[lane].size
    read, there = box._get, places[11]
    box._get = lambda number, place, size: \
        read(number, places[20], sizes[20]) if place == there else read(number, place, size)
    assert len(held(box, "a", lane)) == 29
    assert box.stats["lost_damage"] == 1
    box.close()


def test_damage_while_it_is_open(kind, filled, tmp_path):
    source, before, _ = filled[kind, True]
    target = copied(source, tmp_path / "t")
    box = make(kind, target, BYTES_MAX, 2000)
    box.attach(["a", "b"])
    for path in files(target):
        data = bytearray(path.read_bytes())
        for place in range(len(data) // 3, len(data) * 2 // 3):
            data[place] ^= 0x55
        path.write_bytes(data)
    found = dict(held(box, "a", SAMPLE))
    for _ in range(5):  # a read error may end a fetch early
        found.update(box.fetch("a", SAMPLE, max(found, default=0), 10**6))
    assert found.items() <= before["a"][SAMPLE].items()
    for seq in range(6000, 6010):
        box.append(sample(seq), 500_000)
    box.step(520_000)
    box.step(540_000)
    assert box.commit(600_000), box.stats
    told = sum(loss["count"] for loss in box.losses() if loss["why"] == "damage")
    left = dict(held(box, "a", SAMPLE))
    assert len(before["a"][SAMPLE].keys() - left.keys()) <= told
    assert [records.peek(record)[2] for record in list(left.values())[-10:]] == list(range(6000, 6010))
    box.close()


def test_rubbish_in_place_of_the_file(tmp_path):
    (tmp_path / "outbox.db").write_bytes(random.Random(1).randbytes(50_000))
    box = make("sqlite", tmp_path, BYTES_MAX)
    assert [loss["why"] for loss in box.losses()].count("damage") == 1
    box.attach(["a"])
    box.append(sample(1), 0)
    assert box.commit(0)
    box.close()


def test_a_file_written_anew_is_put_in_place_at_the_next_start(filled, tmp_path):
    source, before, epoch = filled["sqlite", True]
    target = copied(source, tmp_path / "t")
    (target / "outbox.db").rename(target / "outbox.db.ready")
    (target / "outbox.db").write_bytes(b"the old one")
    (target / "outbox.db-wal").write_bytes(b"its log")
    (target / "outbox.db.new").write_bytes(b"half written")
    assert look("sqlite", target, before, epoch) == 0
    assert sorted(path.name for path in target.iterdir()) == ["outbox.db", "outbox.db.lock"]


def test_a_second_process_is_refused(tmp_path):
    box = make("sqlite", tmp_path)
    with pytest.raises(OSError, match="in use by another process"):
        make("sqlite", tmp_path)
    box.close()
    make("sqlite", tmp_path).close()


def full(folder, share, bytes_max=1_000_000) -> tuple:
    """A closed outbox that is full, ``share`` of its records alarms; (its counters, {lane: what is held})."""
    box = make("sqlite", folder, bytes_max)
    box.attach(["a"])
    chance = random.Random(share)
    seq = 0
    while box.stats["thinned"] + box.stats["lost_full"] < 1000:
        seq += 1
        alarm = chance.random() < share
        text = "x" * chance.choice((5, 100, 300, 900))
        record = event(seq, True, text=text) if alarm else sample(seq, chance.choice((1, 20, 40)))
        box.append(record, 250 * seq)
        box.step(250 * seq)
    assert box.commit(250 * seq)
    found = box.stats, {lane: held(box, "a", lane) for lane in LANES}
    box.close()
    path = folder / "outbox.db"
    data = bytearray(path.read_bytes())
    data[0] ^= 1  # SQLite does not know it any more; all of the blocks are sound
    path.write_bytes(data)
    return found


@pytest.mark.parametrize("share", [0, 0.3, 1])
def test_a_full_file_that_is_written_anew_loses_nothing_for_want_of_room(share, tmp_path):
    stats, before = full(tmp_path, share)
    box = make("sqlite", tmp_path, 1_000_000)
    box.attach(["a"])
    assert {lane: held(box, "a", lane) for lane in LANES} == before
    for key in ("thinned", "lost_full", "lost_damage", "errors"):
        assert box.stats[key] == stats[key]
    assert disk_bytes(tmp_path) <= 1_000_000
    box.close()


@pytest.mark.parametrize("share", [0.05, 1])
def test_written_anew_within_a_smaller_bound_the_oldest_samples_go_first(share, tmp_path):
    stats, before = full(tmp_path, share)
    box = make("sqlite", tmp_path, 600_000)
    box.attach(["a"])
    left = {lane: held(box, "a", lane) for lane in LANES}
    lane = EVENT if share == 1 else SAMPLE
    assert 100 < len(left[lane]) < len(before[lane]) and left[lane][-100:] == before[lane][-100:]
    assert share == 1 or left[EVENT] == before[EVENT]
    lost = box.stats["lost_full"] - stats["lost_full"] + box.stats["thinned"] - stats["thinned"]
    assert lost == len(before[lane]) - len(left[lane])
    assert box.stats["lost_damage"] == box.stats["errors"] == 0
    assert disk_bytes(tmp_path) <= 600_000
    box.close()
