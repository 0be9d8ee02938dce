"""The rows of samples in the outbox file are written again in place, and found again by whoever reads it."""

import random
import sqlite3

import pytest

from edge.box import outbox_salvage
from edge.box.outbox import Outbox
from edge.box.outbox_salvage import PAGE_SIZE, SLOT_LOCAL, Damaged, Salvage, slot_pages, slot_size
from edge.box.outbox_slots import NO_HEAD, Slots
from edge.node.report import records
from edge.node.report.outbox import blocks
from tests.box.outbox_tools import EVENT, SAMPLE, disk_bytes, event, held, make, sample

BYTES_MAX = 1_000_000
# Where a length takes a byte more, and around whole pages.
SIZES = sorted({*range(0, 70), *range(440, 640), *range(8150, 8230), 5000, 16384, 20000, 70000})


@pytest.fixture
def database(tmp_path):
    connection = sqlite3.connect(tmp_path / "slots.db", isolation_level=None)
    connection.execute(f"PRAGMA page_size={PAGE_SIZE}")
    for table in ("sample", "event"):
        connection.execute(f"CREATE TABLE {table} (key INTEGER PRIMARY KEY, head BLOB, body BLOB)")
    yield connection
    connection.close()


def block_of(first: int, size: int) -> tuple:
    body = random.Random(first).randbytes(size)
    return blocks.make(SAMPLE, 0, 7, first, first, 1, body), body


@pytest.mark.parametrize("size", SIZES)
def test_a_slot_is_as_long_as_its_pages_say(size):
    pages = slot_pages(size)
    stored = slot_size(pages)
    assert stored >= size
    assert slot_pages(stored) == pages and slot_pages(stored + 1) == pages + 1
    payload = outbox_salvage._before(stored) + blocks.HEAD_SIZE + stored
    assert SLOT_LOCAL + pages * (PAGE_SIZE - 4) - payload in (0, 1)


def test_sqlite_lays_a_slot_out_as_the_salvage_reads_it(database, tmp_path):
    """Also where a short block lies in a long slot."""
    slots = Slots()
    written = {}
    for number, size in enumerate(SIZES, 1):
        head, body = block_of(number, size)
        slots.put(database, head, body, 10**6)
        written[number] = body
    for number, size in enumerate(SIZES, 1):
        if number % 3 == 0:
            slots.free(database, number)
            head, body = block_of(10_000 + number, max(size - size // 6, 0))
            slots.put(database, head, body, 10**6)
            del written[number]
            written[10_000 + number] = body
    salvage = Salvage(str(tmp_path / "slots.db"))
    found = {block.first: salvage.read(place)[1] for block, place in salvage.found}
    salvage.close()
    assert found == written


def test_a_spare_takes_what_is_a_little_shorter_and_nothing_else(database):
    slots = Slots()
    head, body = block_of(1, 5000)
    key = slots.put(database, head, body, 10**6)
    pages = slots._pages[key]
    slots.free(database, key)
    assert slots.spare_pages == pages
    (zeros,) = database.execute("SELECT head FROM sample").fetchone()
    assert zeros == NO_HEAD
    assert slots.put(database, *block_of(2, 1000), 10**6) != key  # would waste most of it
    assert slots.put(database, *block_of(3, slot_size(pages) + 1), 10**6) != key  # does not fit
    assert slots.put(database, *block_of(4, 4700), 10**6) == key
    assert slots.spare_pages == 0


def test_spares_are_given_up_where_the_file_may_not_grow(database):
    slots = Slots()
    keys = [slots.put(database, *block_of(number, 3000), 10**6) for number in range(1, 11)]
    for key in keys:
        slots.free(database, key)
    count = database.execute("PRAGMA page_count").fetchone()[0]
    for number in range(20, 22):
        free = database.execute("PRAGMA freelist_count").fetchone()[0]
        slots.put(database, *block_of(number, 9000), free)
    assert database.execute("PRAGMA page_count").fetchone()[0] <= count + 1
    assert 0 < slots.spare_pages < 10 * slot_pages(3000)


def full(folder):
    """An outbox that has been full for long, and the next seq."""
    box = make("sqlite", folder, BYTES_MAX)
    box.attach(["a"])
    seq = 0
    for _ in range(20_000):
        seq += 1
        box.append(sample(seq, 20), seq * 250)
        box.step(seq * 250)
    assert box.commit(seq * 250)
    return box, seq


def test_a_full_outbox_writes_in_place(tmp_path):
    box, seq = full(tmp_path)
    statements = []
    box._db.set_trace_callback(statements.append)
    pages = box._db.execute("PRAGMA page_count").fetchone()[0]
    for _ in range(4000):
        seq += 1
        box.append(sample(seq, 20), seq * 250)
        box.step(seq * 250)
    stored = [text[:6] for text in statements if " sample " in text and text.count("x'") == 2]
    new = stored.count("INSERT")
    assert len(stored) > 100
    assert new <= len(stored) // 20
    assert box._db.execute("PRAGMA page_count").fetchone()[0] <= pages + pages // 50
    box.close()


@pytest.mark.parametrize("delivered", [False, True], ids=["full", "delivered"])
def test_events_and_values_are_stored_where_spares_have_taken_the_file(tmp_path, delivered):
    """Also when all of the samples have been delivered: what they took is room for everything."""
    box, seq = full(tmp_path)
    now_ms = seq * 250
    if delivered:
        box.done("a", SAMPLE, 1, box.last_id(SAMPLE))
        while box._lanes[SAMPLE].first:
            now_ms += 10_000
            box.step(now_ms)
    alarms = range(seq + 1, seq + 801)
    for each in alarms:
        now_ms += 250
        box.append(event(each, True, text="x" * 500), now_ms)
        box.step(now_ms)
    for number in range(8):
        assert box.keep(f"value{number}", random.Random(number).randbytes(10_000))
    assert [records.peek(record)[2] for _, record in held(box, "a", EVENT)] == list(alarms)
    assert box.stats["errors"] == box.stats["waiting"] == 0
    assert disk_bytes(tmp_path) <= BYTES_MAX
    box.close()


def test_spares_are_known_after_a_restart_and_are_no_blocks(tmp_path):
    box, _ = full(tmp_path)
    before = held(box, "a", SAMPLE)
    spares, rows = box._slots.spare_pages, dict(box._slots._pages)
    box.close()
    again = make("sqlite", tmp_path, BYTES_MAX)
    again.attach(["a"])
    assert held(again, "a", SAMPLE)[:len(before)] == before
    assert (again._slots.spare_pages, again._slots._pages) == (spares, rows)
    assert again.stats["lost_damage"] == 0
    again.close()


def test_a_transaction_that_fails_leaves_slots_and_blocks_as_they_were(tmp_path, monkeypatch):
    box, seq = full(tmp_path)
    left = set(range(1, seq + 1)) - {number for number, _ in held(box, "a", SAMPLE)}
    assert len(left) == box.stats["thinned"] + box.stats["lost_full"]
    calls = []

    def refused(self, head, body):
        calls.append(dict(self._slots._pages))
        raise sqlite3.OperationalError("disk I/O error")

    tries = 0
    while tries < 30:
        seq += 1
        box.append(sample(seq, 20), seq * 250)
        with monkeypatch.context() as patch:
            if seq % 40 == 0:
                patch.setattr(Outbox, "_put_raw_state", refused)
                tries += 1
                rows, spares, thinned = dict(box._slots._pages), box._slots.spare_pages, box.stats["thinned"]
                box.commit(seq * 250)
                assert (box._slots._pages, box._slots.spare_pages) == (rows, spares)
                assert box.stats["thinned"] == thinned
            box.step(seq * 250)
    assert calls and any(rows != call for call in calls)
    assert box.commit(seq * 250 + 60_000)
    gone = box.stats["thinned"] + box.stats["lost_full"]
    assert len(held(box, "a", SAMPLE)) == seq - gone
    assert box.stats["lost_damage"] == 0
    box.close()


def test_a_key_that_is_damaged_costs_no_block(tmp_path):
    """The key of a spare becomes that of a block: what is stored next must not go over that one."""
    box, seq = full(tmp_path)
    before = held(box, "a", SAMPLE)
    box.done("a", SAMPLE, before[0][0], before[len(before) // 2][0])
    box.step(seq * 250 + 10_000)
    before = held(box, "a", SAMPLE)
    rows, thinned = set(box._lanes[SAMPLE].place), box.stats["thinned"]
    spares = {key for keys in box._slots._spares.values() for key in keys}
    key = next(key for key in sorted(spares) if key + 1 in rows and 128 <= key < 16383 and (key + 1) & 127)
    box.close()
    path = tmp_path / "outbox.db"
    data = bytearray(path.read_bytes())
    place = data.find(bytes([0x80 | key >> 7, key & 127, 5, 0, 12 + 2 * blocks.HEAD_SIZE]))
    assert place >= 0 and data.count(data[place:place + 5]) == 1
    data[place + 1] += 1
    path.write_bytes(data)
    box = make("sqlite", tmp_path, BYTES_MAX)
    box.attach(["a"])
    while key + 1 in {each for keys in box._slots._spares.values() for each in keys}:
        seq += 1
        box.append(sample(seq, 20), seq * 250)
        box.step(seq * 250)
        assert box.stats["thinned"] == thinned
    left = dict(held(box, "a", SAMPLE))
    assert [each for each in before if each[0] not in left] == []
    assert box.stats["lost_damage"] == 0
    box.close()


def test_a_spare_that_is_not_found_is_damage(database):
    slots = Slots()
    slots.free(database, slots.put(database, *block_of(1, 3000), 10**6))
    database.execute("DELETE FROM sample")
    with pytest.raises(Damaged):
        slots.put(database, *block_of(2, 3000), 10**6)
