"""The outbox of the box: a bounded SQLite file. See edge.node.report.outbox.store for what it promises.

The file is in WAL mode with synchronous=FULL: a commit is one write and one sync of the log, and on the disk
when it returns. The bound covers the file and its log; the index of the log is in memory, because the file is
locked for this process alone (locking_mode=EXCLUSIVE). Bodies of blocks are compressed.

Three tables (sample, event, keep) have the same columns: a key, the head of a block and its body. So all that
counts lies in the file with its own check sum, and a damaged file is searched for it (outbox_salvage) and
written anew. Pages are small: what changes with every commit (the state, the last leaf) costs a page each.
Rows of samples are written again in place (outbox_slots).
"""

import contextlib
import fcntl
import os
import sqlite3
import zlib

from edge.box import outbox_salvage
from edge.box.outbox_rebuild import TABLES, Rebuilding, finish_swap
from edge.box.outbox_salvage import PAGE_SIZE, Damaged, file_size
from edge.box.outbox_slots import NO_HEAD, Slots
from edge.node.report.outbox import blocks
from edge.node.report.outbox.blocks import EVENT, LEVEL, PACKED, SAMPLE, TURNED
from edge.node.report.outbox.room import DEEPEST

BYTES_MIN = 512 * 1024
STATE_KEY = 0
_READ_ERRORS = (266, 522)  # SQLITE_IOERR_READ, SQLITE_IOERR_SHORT_READ
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT, sqlite3.SQLITE_ERROR,
           sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG)


def is_damage(error) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(error, Damaged) or code is not None and (code & 0xFF in _DAMAGE or code in _READ_ERRORS)


def _sound(head, body):
    """The Block of a row, None where it is damaged."""
    if isinstance(head, bytes) and isinstance(body, bytes):
        return blocks.sound(head, body)
    return None


def _within(low: int, value: int, high: int) -> int:
    return max(low, min(value, high))


class InUse(OSError):
    """Another process has the outbox."""


def memory_of(bytes_max: int) -> int:
    """Bytes of records that an outbox of this bound holds in memory while the disk takes none."""
    return _within(32768, bytes_max // 16, 2097152)


class Outbox(Rebuilding):
    """The outbox in the file ``path``, made when there is none.

    ``bytes_max``: bound of the file and its log, 512 kB or more; ``commit_ms``: how long a sample may wait in
    memory. InUse when another process has it, OSError when the disk is to blame.
    """

    ERRORS = (OSError, sqlite3.Error)

    def __init__(self, path: str, bytes_max: int = 64000000, commit_ms: int = 10000):
        if bytes_max < BYTES_MIN:
            raise ValueError(f"outbox: {bytes_max} bytes, expected {BYTES_MIN} or more")
        block_bytes = _within(4096, bytes_max // 64, 16384)
        memory_max = memory_of(bytes_max)
        super().__init__(bytes_max, commit_ms, memory_max, block_bytes)
        self._merged_bytes = 4096  # so that the blocks of all levels fit in slots of one size
        self.path = str(path)
        log_soft = _within(32768, bytes_max // 8, 1048576)
        self._log_max = log_soft + memory_max * 9 // 8 + self._turns_max * (block_bytes + 8192)
        self._rows_max = _within(16, log_soft // 4096, 256)
        self._run = _within(12, bytes_max // 160_000, 64)
        self._log_pages = log_soft // outbox_salvage.FRAME
        pages = (bytes_max - self._log_max) // PAGE_SIZE
        self._pages_max = pages
        self._pages_short = pages - max(32768 // PAGE_SIZE, pages // 50)
        self._db = None
        self._names = {}
        self._names_before = {}
        self._slots = Slots()
        self._slots_before = self._slots
        self._rescued = None  # rows that were read and could not be written anew yet
        self._restored = False  # the state in memory is the one that counts
        self._marked = False  # the file says that it is in use
        self._lock = self._locked()
        try:
            self._start()
        except BaseException:
            self._shut()
            os.close(self._lock)
            raise

    def _locked(self) -> int:
        """A file beside, locked as long as this process has the outbox."""
        lock = os.open(self.path + ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(lock)
            raise InUse(error.errno, f"outbox {self.path}: in use by another process") from error
        except OSError:
            os.close(lock)
            raise
        return lock

    def _start(self):
        finish_swap(self.path)
        try:
            if outbox_salvage.wal_damaged(self.path):
                self._rebuild()
            else:
                self._db = self._opened(self.path)
                self._restore()
        except self.ERRORS as error:
            self._start_again(error)
        self._ask_witness()
        self._restored = True
        self._start_books()
        self._shrink()

    def _start_again(self, error):
        self._shut()
        try:
            if is_damage(error):
                self._rebuild()
            elif file_size(self.path):
                raise error
            else:
                self._fail(error)  # there is nothing to lose: it begins in memory
        except self.ERRORS as last:
            raise OSError(f"outbox {self.path}: {last}") from last

    # The file

    def _opened(self, path: str, journal: str = "WAL"):
        """The file as a database, with its tables."""
        database = sqlite3.connect(path, timeout=0, isolation_level=None)
        try:
            self._prepare(database, journal)
        except sqlite3.Error:
            database.close()
            raise
        return database

    def _prepare(self, database, journal: str):
        database.text_factory = bytes  # a damaged column may be text, and not UTF-8
        for pragma in (f"page_size={PAGE_SIZE}", "locking_mode=EXCLUSIVE", f"journal_mode={journal}",
                       "synchronous=FULL", "secure_delete=OFF", "temp_store=MEMORY", "cell_size_check=ON",
                       f"wal_autocheckpoint={self._log_pages}",
                       f"journal_size_limit={self._log_max}", f"max_page_count={self._pages_max}"):
            database.execute("PRAGMA " + pragma).fetchall()
        if not database.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            database.execute("BEGIN IMMEDIATE")
            for table in ("sample", "event", "keep"):
                database.execute(f"CREATE TABLE {table} (key INTEGER PRIMARY KEY, head BLOB, body BLOB)")
            database.execute("COMMIT")

    def _open_again(self):
        """What this process knows counts; the file has the blocks."""
        if self._rescued is not None:
            self._rebuild()
            return
        self._db = self._opened(self.path)
        self._index()

    def _mend(self, error):
        if not is_damage(error):
            return
        try:
            self._rebuild()
            self._retry_ms = self._now
        except self.ERRORS as another:
            self._shut()
            self._last_error = f"outbox: {error}; mending it: {another}"

    def _restore(self):
        """The state, the names of the values kept and the blocks. What is damaged raises sqlite3.Error."""
        rows = self._db.execute("SELECT head, body FROM keep WHERE key = ?", (STATE_KEY,)).fetchall()
        totals = None
        if rows:
            block = _sound(*rows[0])
            if block is None:
                raise Damaged("state")
            try:
                totals = self._take_state(block, rows[0][1])
            except ValueError as error:
                raise Damaged(str(error)) from error
        self._index()
        if totals is not None:
            for (_, _, _, total, _), (number, lane) in zip(totals, self._lanes.items(), strict=True):
                held = lane.total - self._covered(number)
                if total != held:
                    raise Damaged(f"{held} records, expected {total}")
        elif any(lane.total for lane in self._lanes.values()):
            raise Damaged("no state")

    def _index(self):
        """List the blocks. Their heads are looked at, their check sums when they are read."""
        for lane in self._lanes.values():
            lane.clear()
        for key, head in self._db.execute("SELECT key, head FROM event ORDER BY key"):
            block = self._block_of(head, key)
            if key != block.first:
                raise Damaged(f"event {key}")
            self._list(EVENT, block, key)
        self._slots = Slots()
        found = []
        for key, head, size in self._db.execute("SELECT key, head, length(body) FROM sample ORDER BY key"):
            spare = head == NO_HEAD
            self._slots.lay(key, size, spare)
            if not spare:
                found.append((self._block_of(head, key), key))
        for block, key in sorted(found, key=lambda each: each[0].first):
            self._list(SAMPLE, block, key)
        self._names = {}
        for key, head, body in self._db.execute("SELECT key, head, body FROM keep WHERE key > 0"):
            if _sound(head, body) is None:
                raise Damaged(f"value {key}")
            self._names[blocks.unpack_named(body)[0]] = key
        self._cache = {}

    def _block_of(self, head, key: int):
        block = blocks.read_head(head) if isinstance(head, bytes) else None
        if block is None:
            raise Damaged(f"block {key}")
        return block

    def _list(self, number: int, block, key: int):
        lane = self._lanes[number]
        if block.lane != number or block.epoch != self._epoch or lane.last and lane.last[-1] >= block.first:
            raise Damaged(f"block {key}")
        lane.insert(len(lane.first), block, key)

    def _bytes(self) -> int:
        return file_size(self.path) + file_size(self.path + "-wal")

    def _shut(self):
        if self._db is not None:
            with contextlib.suppress(sqlite3.Error):
                self._db.close()  # puts the log into the file; else that is done at the next start
            self._db = None

    def close(self):
        super().close()
        os.close(self._lock)

    # Transactions

    def _begin(self):
        if self._db is None:
            self._open_again()
        if file_size(self.path + "-wal") > self._log_max:
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            if file_size(self.path + "-wal") > self._log_max:
                raise OSError("the log does not go into the file")
        self._names_before = dict(self._names)
        self._slots_before = self._slots.copy()
        self._db.execute("BEGIN IMMEDIATE")

    def _end(self):
        self._db.execute("COMMIT")
        if not self._marked:
            self._marked = True
            # That it is in use must not hang on the log, which may be damaged.
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        self._write_witness()

    def _undo(self):
        self._names = self._names_before
        self._slots = self._slots_before
        if self._db is not None and self._db.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")

    def _short(self, need: int, rows: int) -> bool:
        return self._room() + self._slots.spare_pages < (need * 8 // 7 + rows * 768) // PAGE_SIZE + 12

    def _room(self) -> int:
        """Pages that may still be taken."""
        count = self._db.execute("PRAGMA page_count").fetchone()[0]
        free = self._db.execute("PRAGMA freelist_count").fetchone()[0]
        return self._pages_short - count + free

    def _put(self, number: int, head: bytes, body: bytes) -> int:
        if number == SAMPLE:
            return self._slots.put(self._db, head, body, self._room())
        key = blocks.read_head(head).first
        self._take_from_spares(len(body))
        self._db.execute("INSERT INTO event VALUES (?, ?, ?)", (key, head, body))
        return key

    def _take_from_spares(self, size: int):
        """Pages for a row of ``size`` bytes that is no sample's."""
        self._slots.make_room(self._db, size // (PAGE_SIZE - 4) + 4 - self._room())

    def _remove(self, number: int, i: int, j: int):
        lane = self._lanes[number]
        if number == SAMPLE:
            for place in lane.place[i:j]:
                self._slots.free(self._db, place)
        else:
            ends = (lane.place[i], lane.place[j - 1])
            self._db.execute("DELETE FROM event WHERE key BETWEEN ? AND ?", ends)

    def _get(self, number: int, place: int, size: int) -> tuple:
        row = self._db.execute(f"SELECT head, body FROM {TABLES[number]} WHERE key = ?", (place,)).fetchone()
        if row is None or not isinstance(row[0], bytes) or not isinstance(row[1], bytes):
            return b"", b""
        return row[0], row[1][:size]

    def _unit(self, number: int, level: int) -> tuple:
        """Many neighbours at once: where they lay, what comes next lies side by side as well."""
        i, j = super()._unit(number, level)
        flags = self._lanes[number].flags
        most = i + min(self._run, sum(1 for each in flags if min(each & LEVEL, DEEPEST) == level) // 4)
        while j < len(flags) and min(flags[j] & LEVEL, DEEPEST) == level and \
                (end := self._together(number, j)) <= most:
            j = end
        return i, j

    def _put_raw_state(self, head: bytes, body: bytes):
        self._take_from_spares(len(body))
        self._db.execute("INSERT OR REPLACE INTO keep VALUES (?, ?, ?)", (STATE_KEY, head, body))

    def _put_named(self, name: str, value):
        key = self._names.get(name)
        if value is None:
            if key is not None:
                self._db.execute("DELETE FROM keep WHERE key = ?", (key,))
                del self._names[name]
            return
        if key is None:
            key = self._names[name] = max(self._names.values(), default=STATE_KEY) + 1
        body = blocks.pack_named(name, value)
        head = blocks.make(blocks.NAMED, 0, self._epoch, self._serial, self._serial, 0, body)
        self._take_from_spares(len(body))
        self._db.execute("INSERT OR REPLACE INTO keep VALUES (?, ?, ?)", (key, head, body))

    def _get_named(self, name: str):
        key = self._names.get(name)
        if key is None or self._db is None:
            return None
        row = self._db.execute("SELECT head, body FROM keep WHERE key = ?", (key,)).fetchone()
        if row is None or _sound(*row) is None:
            return None
        return blocks.unpack_named(row[1])[1]

    def _packed(self, flags: int, body: bytes, entries: list) -> tuple:
        count = len(entries)
        size = len(entries[0][1])
        if count > 1 and all(len(record) == size for _, record in entries):
            # Samples of the same signals: what hardly changes comes to lie side by side.
            turned = body[:6 * count] + _turned(body[6 * count:], size)
            flags, packed = flags | TURNED, zlib.compress(turned, 6)
        else:
            packed = zlib.compress(body, 3)
        return (flags | PACKED, packed) if len(packed) < len(body) else (flags & ~TURNED, body)

    def _unpacked(self, block, body: bytes) -> bytes:
        if not block.flags & PACKED:
            return body
        try:
            body = zlib.decompress(body)
        except zlib.error as error:
            raise ValueError(f"outbox: {error}") from error
        if block.flags & TURNED:
            return body[:6 * block.count] + _turned(body[6 * block.count:], block.count)
        return body


def _turned(data: bytes, size: int) -> bytes:
    """The first bytes of all rows of ``size`` bytes, then the second bytes of all, …"""
    return b"".join([data[column::size] for column in range(size)])
