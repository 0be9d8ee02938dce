"""The outbox: what was recorded and is not yet known to have arrived, kept on a disk within a bound.

``Store`` is the part that the outbox of the box (edge.box.outbox, SQLite) and that of a board
(edge.node.report.outbox.segments, files) share. Records get ids, counted from 1 in each lane (a lane is a
kind of record). Speakers fetch them, and mark as done what arrived. Records wait in memory and are committed

- as soon as an event waits (at most every 50 ms),
- when a sample waits for ``commit_ms``, or more than ``_commit_bytes`` wait together (or what a
  subclass writes best at a time).

What all speakers have done before that never reaches the disk: while the broker is there, next to nothing is
written. Blocks of which everything is done are deleted with the next commit. Ids are reserved ahead, so that
they are never given twice, whenever the power fails: after an end without ``close`` they go on behind those.
When the disk takes nothing for so long that they are used up, what comes has an epoch of its own until it
does.

Nothing here waits but for the disk. Times are ``now_ms`` as the caller counts them.
"""

import os
import struct

from edge.node.report import records
from edge.node.report.outbox.blocks import EVENT, SAMPLE
from edge.node.report.outbox.books import JUMP, RETRY_MIN_MS, Books
from edge.node.report.outbox.done import Done
from edge.node.report.outbox.lane import Lane
from edge.node.report.outbox.room import LEVELS, catalogue_key


class Store(Books):
    """An outbox without its disk.

    ``bytes_max``: bound of all that it has on the disk; ``memory_max``: of the records (bytes) that wait in
    memory while the disk takes none; ``commit_ms``: see above; ``block_bytes``: of the records in a block.
    ``on_disk``: a function(what) called before each "commit" and "read", for tests: it may sleep or raise
    OSError.

    A subclass has the disk: _begin, _put, _remove, _put_named, _put_raw_state and _end (durable) or _undo
    make up a transaction; _get reads a block, _get_named a value; _short tells whether there is room, _bytes
    what is taken; _mend does what can be done about an error of ``ERRORS``; _shut ends.
    """

    ERRORS = (OSError,)
    ENTRY_BYTES = 16  # added to a record's own in memory
    IN_MEMORY = False  # it has a disk, whatever state that is in
    PATIENCE_MS = 10000  # a disk that takes nothing for less is no news

    def __init__(self, bytes_max: int, commit_ms: int, memory_max: int, block_bytes: int):
        self.bytes_max = bytes_max
        self.on_disk = None
        self._commit_ms = commit_ms
        self._memory_max = memory_max
        self._commit_bytes = min(memory_max // 2, 262144)
        self._record_max = min(records.RECORD_MAX, bytes_max // 16)
        self._block_bytes = block_bytes
        self._merged_bytes = block_bytes  # more blocks than need be are thinned together up to this size
        self._turns_max = 8
        self._levels = LEVELS
        self._rows_max = 256
        self._event_rows = True  # a block for each event
        self._cached = 8
        self._jump = JUMP
        self._now = 0
        self._dirty_ms = None
        self._retry_ms = None
        self._retry_wait_ms = RETRY_MIN_MS
        self._events_ms = None  # of the last commit of events
        self._commits = 0
        self._errors = 0
        self._last_error = ""
        self._told = {}
        self._reset()

    def _reset(self):
        """An empty outbox with an epoch of its own."""
        self._epoch = struct.unpack(">I", os.urandom(4))[0]
        self._own_epoch = None
        self._left_at = {}
        self._serial = 0
        self._lanes = {SAMPLE: Lane(), EVENT: Lane()}
        self._speakers = {}
        self._adopt = False  # the state was lost: the next speakers begin with what was saved
        self._boots = []  # [boot, newest seq], the newest boot last
        self._spans = []  # [the last id before, catalogue number], rising
        self._unsaved = {}  # named values that the disk would not take
        self._losses = []
        self._telling = []  # told, and not yet in a stored event
        self._thinned = 0
        self._lost_full = 0
        self._lost_damage = 0
        self._pending_bytes = 0
        self._cache = {}
        self._more_done = False  # more blocks can be deleted
        self._saved = {}
        self._lengths = {}
        self._clean = False

    # What the reporting end calls

    @property
    def epoch(self) -> str:
        """8 hex digits made with the file; (epoch, lane, id) names a record for ever.

        While the disk takes nothing and the reserved ids are used up, others: see ``_leave_names``.
        """
        return "%08x" % (self._epoch if self._own_epoch is None else self._own_epoch)

    def attach(self, names: list):
        """The speakers that exist. A new one begins at the present end; the marks of others are forgotten."""
        speakers = {}
        for name in names:
            marks = self._speakers.get(name)
            if marks is None:
                marks = {}
                for number, lane in self._lanes.items():
                    marks[number] = Done(0 if self._adopt else lane.next_id - 1)
            speakers[name] = marks
        self._adopt = False
        if sorted(speakers) != sorted(self._speakers):
            self._speakers = speakers
            for number in self._lanes:
                self._prune(number)
            self._set_dirty()
            self._commit(False)

    def append(self, record: bytes, now_ms: int) -> int:
        """Take a record in; its id, or 0 for one that is too large (which is counted).

        ValueError when ``records.peek`` knows it not. It is committed by ``step``.
        """
        self._now = now_ms
        number, boot, seq, alarm = records.peek(record)
        lane = self._lanes[number]
        if len(record) > self._record_max:
            self._note_loss("full", number, 1, 0, 0)
            return 0
        if lane.next_id > lane.reserved and not self.IN_MEMORY:
            self._reserve(lane)
        number_given = lane.next_id
        lane.next_id += 1
        lane.pending.append((number_given, record, now_ms, boot, seq, alarm))
        self._pending_bytes += len(record) + self.ENTRY_BYTES
        self._note_boot(boot, seq)
        if not self._speakers:
            self._prune(number)
        if self._pending_bytes > self._memory_max:
            if not self._waits():
                self._commit(True)
            self._shed()
        return number_given

    def done(self, speaker: str, lane: int, first_id: int, last_id: int):
        """The records first_id … last_id need not be sent by this speaker again. In any order."""
        rows = self._lanes[lane]
        last_id = min(last_id, rows.next_id - 1)
        if first_id <= last_id and self._speakers[speaker][lane].add(max(first_id, 1), last_id):
            if rows.last and first_id <= rows.last[-1]:
                self._set_dirty()
            self._prune(lane)

    def last_id(self, lane: int) -> int:
        """The newest id given, or 0."""
        return self._lanes[lane].next_id - 1

    def stored(self, boot=None) -> tuple:
        """(boot, seq): all that was appended of this boot up to seq is committed or done by every speaker.

        Without ``boot``: of the one that appended last, (0, 0) when none has. Boot 0 does not count.
        """
        if boot is None:
            boot = self._boots[-1][0] if self._boots else 0
        newest = 0
        for entry in self._boots:
            if entry[0] == boot:
                newest = entry[1]
        for lane in self._lanes.values():
            for entry in lane.pending:
                if entry[3] == boot:
                    newest = min(newest, entry[4] - 1)
                    break
        return boot, newest

    def has(self, boot: int, seq: int) -> bool:
        """Whether this record was appended before: the records of a boot come in rising order."""
        for entry in self._boots:
            if entry[0] == boot:
                return seq <= entry[1]
        return False

    def keep(self, key: str, value: bytes) -> bool:
        """Keep a small value. Durable on return, else (False) it waits in memory until the disk takes it."""
        if len(key) > 100 or len(value) > self._record_max:
            raise ValueError("outbox: value %s of %d bytes, at most %d" % (key, len(value), self._record_max))
        if self.recall(key) == value:
            return key not in self._unsaved
        self._unsaved[key] = value
        return not self._waits() and self._commit(False)

    def recall(self, key: str):
        """The value kept under ``key``, or None."""
        if key in self._unsaved:
            return self._unsaved[key]
        try:
            return self._get_named(key)
        except self.ERRORS as error:
            self._fail(error)
            return None

    def keep_catalogue(self, number: int, data: bytes) -> bool:
        """Keep what describes the samples from now on, as long as one of them is held."""
        if not self._spans or self._spans[-1][1] != number:
            self._spans.append([self._lanes[SAMPLE].next_id - 1, number])
            self._set_dirty()
        return self.keep(catalogue_key(number), data)

    def catalogue(self, number: int):
        """What ``keep_catalogue`` was given, or None."""
        return self.recall(catalogue_key(number))

    def step(self, now_ms: int) -> int:
        """Commit what is due. Returns when to be called again."""
        self._now = now_ms
        if self._due() <= now_ms:
            self._commit(self._flush_due())
        return max(self._due(), now_ms)

    def commit(self, now_ms: int) -> bool:
        """Commit all that waits, unless the disk has failed a moment ago; whether it is on the disk."""
        self._now = now_ms
        return not self._waits() and self._commit(True)

    def close(self):
        """Commit, and note that nothing is open: ids go on without a jump."""
        self._clean = True
        self._set_dirty()
        self._commit(True)
        self._shut()

    @property
    def memory_only(self) -> bool:
        """Whether the disk takes nothing now: what is new is lost when the power fails."""
        return self._retry_ms is not None

    @property
    def waiting(self) -> int:
        """How many records are in memory and not on the disk."""
        count = 0
        for lane in self._lanes.values():
            count += len(lane.pending)
        return count

    @property
    def stats(self) -> dict:
        """Bytes on the disk and their bound, rows (blocks and events) and records there, counters."""
        return {
            "bytes": self._bytes(), "bytes_max": self.bytes_max,
            "rows": sum([len(lane.first) for lane in self._lanes.values()]),
            "records": sum([lane.total for lane in self._lanes.values()]),
            "waiting": self.waiting,
            "commits": self._commits, "thinned": self._thinned, "lost_full": self._lost_full,
            "lost_damage": self._lost_damage, "errors": self._errors, "last_error": self._last_error,
            "memory_only": self.memory_only,
        }
