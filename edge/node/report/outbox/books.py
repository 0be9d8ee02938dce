"""The books of an outbox: what is committed when, and the state that a restart finds again."""

import json
import os
import struct

from edge.node.report.outbox import blocks
from edge.node.report.outbox.blocks import ALARM, EVENT, SAMPLE
from edge.node.report.outbox.done import Done
from edge.node.report.outbox.marks import Marks

EVENTS_MS = 50  # between two commits for events
RESERVE = 1024  # ids
JUMP = 4096  # ids left out after an end without ``close``, beyond what was reserved: a disk may have lied
JUMP_DAMAGED = 1 << 20  # the same where the state is damaged, or older than what is known
RETRY_MIN_MS = 1000
RETRY_MAX_MS = 10000
IDLE_MS = 60000
BOOTS_MAX = 8


class Books(Marks):
    """The part of ``store.Store`` that commits and restores."""

    # When

    def _waits(self) -> bool:
        """Whether the disk has failed a moment ago."""
        return self._retry_ms is not None and self._now < self._retry_ms

    def _set_dirty(self):
        if self._dirty_ms is None:
            self._dirty_ms = self._now

    def _events_at(self):
        events = self._lanes[EVENT].pending
        if not events:
            return None
        if self._events_ms is None:
            return events[0][2]
        return max(events[0][2], self._events_ms + EVENTS_MS)

    def _samples_at(self):
        samples = self._lanes[SAMPLE].pending
        if not samples:
            return None
        return samples[0][2] if self._pending_bytes > self._commit_bytes else samples[0][2] + self._commit_ms

    def _due(self) -> int:
        if self._retry_ms is not None:
            return self._retry_ms
        due = self._now + IDLE_MS
        for at in (self._events_at(), self._samples_at()):
            if at is not None and at < due:
                due = at
        if self._dirty_ms is not None:
            due = min(due, self._dirty_ms + self._commit_ms)
        for lane in self._lanes.values():
            if lane.next_id + RESERVE // 4 > lane.reserved:
                due = min(due, self._now)
        return due

    def _flush_due(self) -> bool:
        """Whether what waits is to be written. What is young stays: it may be done before."""
        if self._retry_ms is not None:
            return True
        for at in (self._events_at(), self._samples_at()):
            if at is not None and at <= self._now:
                return True
        return False

    # A commit

    def _commit(self, flush: bool) -> bool:
        """Write what is to be written; False when the disk did not take it."""
        for number in self._lanes:
            self._prune(number)
        waiting = flush and (self._lanes[SAMPLE].pending or self._lanes[EVENT].pending)
        reserved = min([lane.reserved - lane.next_id for lane in self._lanes.values()])
        if not waiting and self._dirty_ms is None and not self._unsaved and reserved >= RESERVE // 4:
            self._retry_ms = None
            return True
        events = flush and self._lanes[EVENT].pending
        try:
            if self.on_disk is not None:
                self.on_disk("commit")
            self._write(flush)
        except self.ERRORS as error:
            self._fail(error)
            return False
        self._commits += 1
        self._return_to_names()
        if events:
            self._events_ms = self._now
            self._telling = []
        self._retry_ms = None
        self._retry_wait_ms = RETRY_MIN_MS
        self._dirty_ms = self._now - self._commit_ms if self._more_done else None
        return True

    def _fail(self, error):
        """Note an error of the disk and when to try again; the subclass mends what can be mended."""
        self._errors += 1
        self._last_error = "outbox: %s" % error
        self._retry_ms = self._now + self._retry_wait_ms
        self._retry_wait_ms = min(2 * self._retry_wait_ms, RETRY_MAX_MS)
        self._mend(error)

    def _write(self, flush: bool):
        """One commit, of several transactions where room has to be made."""
        self._raise_floors()
        self._begin_turn()
        ended = False
        try:
            self._clear_done()
            self._tidy()
            batch = self._make_room(self._batch() if flush else [])
            for name in sorted(self._unsaved):
                self._put_named(name, self._unsaved[name])
            self._forget_catalogues()
            for number, _, entries, head, body in batch:
                lane = self._lanes[number]
                lane.stored += len(entries)
                place = self._put(number, head, body)
                lane.insert(len(lane.first), blocks.read_head(head), place)
            self._put_state(flush)
            self._end()
            ended = True
        finally:
            if not ended:
                self._take_back()
        self._unsaved = {}
        self._saved = {}
        if flush:
            for lane in self._lanes.values():
                lane.pending = []
            self._pending_bytes = 0

    def _begin_turn(self):
        self._saved = {}
        self._lengths = {}
        for number, lane in self._lanes.items():
            self._lengths[number] = len(lane.first)
        self._saved_books = self._books_copy()
        self._begin()

    def _books_copy(self) -> tuple:
        return ([dict(entry) for entry in self._losses], self._thinned, self._lost_full, self._lost_damage,
                list(self._spans), [lane.stored for lane in self._lanes.values()])

    def _next_turn(self):
        """End a transaction and begin the next one."""
        self._put_state(False)
        self._end()
        self._begin_turn()

    def _take_back(self):
        """The transaction failed: as it was before."""
        for number, lane in self._lanes.items():
            if number in self._saved:
                lane.restore_blocks(self._saved[number])
            elif len(lane.first) > self._lengths[number]:
                lane.remove(self._lengths[number], len(lane.first))
        self._saved = {}
        self._cache = {}
        (self._losses, self._thinned, self._lost_full, self._lost_damage, self._spans,
         stored) = self._saved_books
        for lane, count in zip(self._lanes.values(), stored):
            lane.stored = count
        self._undo()

    def _mend(self, error):
        """What a subclass can do about an error but to try again."""

    def _shut(self):
        """What a subclass holds open is closed."""

    def _tidy(self):
        """Within a transaction: what a subclass has to put in order."""

    def _save_blocks(self, number: int):
        if number not in self._saved:
            self._saved[number] = self._lanes[number].copy_blocks()

    def _take_out(self, number: int, i: int, j: int):
        """Delete the blocks i … j-1, within a transaction."""
        self._save_blocks(number)
        self._remove(number, i, j)
        self._lanes[number].remove(i, j)
        self._cache = {}

    def _put_in(self, number: int, i: int, flags: int, first: int, last: int, entries: list):
        """Insert a block before the i-th, within a transaction."""
        self._save_blocks(number)
        head, body = self._made(number, flags, first, last, entries)
        self._lanes[number].insert(i, blocks.read_head(head), self._put(number, head, body))

    def _made(self, number: int, flags: int, first: int, last: int, entries: list) -> tuple:
        body = blocks.pack(entries, first)
        flags, body = self._packed(flags, body, entries)
        return blocks.make(number, flags, self._epoch, first, last, len(entries), body), body

    def _packed(self, flags: int, body: bytes, entries: list) -> tuple:
        """Flags and body as they are stored."""
        return flags, body

    def _unpacked(self, block, body: bytes) -> bytes:
        """The body as ``blocks.pack`` made it. ValueError where it is none."""
        return body

    def _batch(self) -> list:
        """What waits, as blocks: (lane, flags, entries, head, body), events first."""
        batch = []
        for number in (EVENT, SAMPLE):
            entries = []
            size = 0
            flags = 0
            for entry in self._lanes[number].pending:
                if self._done_by_all(number, entry[0]):
                    continue
                alarm = ALARM if entry[5] else 0
                if entries and (alarm != flags or number == EVENT and self._event_rows
                                or size + len(entry[1]) > self._block_bytes):
                    batch.append((number, flags, entries))
                    entries = []
                    size = 0
                entries.append((entry[0], entry[1]))
                size += len(entry[1])
                flags = alarm
            if entries:
                batch.append((number, flags, entries))
        made = []
        for number, flags, entries in batch:
            head, body = self._made(number, flags, entries[0][0], entries[-1][0], entries)
            made.append((number, blocks.read_head(head).flags, entries, head, body))
        return made

    # Names while the disk takes nothing

    def _reserve(self, lane):
        """The next id is beyond those that are reserved: after a crash it could be given again."""
        if not self._waits():
            self._commit(False)
        if lane.next_id > lane.reserved:
            self._leave_names()

    def _leave_names(self):
        """Go on under an epoch that no other start has."""
        if self._own_epoch is None:
            self._own_epoch = struct.unpack(">I", os.urandom(4))[0]
            self._left_at = {number: lane.next_id for number, lane in self._lanes.items()}

    def _return_to_names(self):
        """The disk has taken the state, and with it the ids given meanwhile."""
        if self._own_epoch is not None:
            self._own_epoch = None
            for number, first in self._left_at.items():
                if self._lanes[number].next_id > first:
                    self._note_loss("restart", number, 0, first, self._lanes[number].next_id - 1)

    # The state

    def _note_boot(self, boot: int, seq: int):
        if boot == 0:
            return
        boots = self._boots
        if boots and boots[-1][0] == boot:
            boots[-1][1] = max(boots[-1][1], seq)
            return
        for entry in boots:
            if entry[0] == boot:
                boots.remove(entry)
                boots.append([boot, max(entry[1], seq)])
                return
        boots.append([boot, seq])
        if len(boots) > BOOTS_MAX:
            boots.pop(0)

    def _put_state(self, flushed: bool):
        """Write the state as it is when this transaction has ended.

        What still waits in memory then counts as not given: when it dies there, its ids are told, and when
        only its block comes to the disk, that is newer than the state. Its ids are reserved all the same.
        """
        self._serial += 1
        clean = self._clean
        lanes = []
        for number in (SAMPLE, EVENT):
            lane = self._lanes[number]
            lane.reserved = lane.next_id + RESERVE
            next_id = lane.next_id
            if lane.pending and not flushed:
                next_id = lane.pending[0][0]
                clean = False
            first = lane.first[0] if lane.first else next_id
            total = lane.total - self._covered(number)
            lanes.append([next_id, lane.reserved, first, total, lane.stored])
        speakers = {}
        for name, marks in self._speakers.items():
            speakers[name] = [[marks[number].floor] + marks[number].spans for number in (SAMPLE, EVENT)]
        losses = self._losses
        if not (flushed and self._lanes[EVENT].pending):
            losses = self._telling + losses
        boots = self._boots if flushed else [list(self.stored(entry[0])) for entry in self._boots]
        state = {
            "clean": clean, "lanes": lanes, "speakers": speakers, "boots": boots, "spans": self._spans,
            "losses": losses, "counts": [self._thinned, self._lost_full, self._lost_damage],
        }
        self._add_to_state(state)
        body = json.dumps(state).encode()
        head = blocks.make(blocks.STATE, 0, self._epoch, self._serial, self._serial, 0, body)
        self._put_raw_state(head, body)

    def _add_to_state(self, state: dict):
        """What a subclass must know of its files."""

    def _take_added(self, state: dict):
        """The same at a restart."""

    def _take_state(self, block, body: bytes) -> list:
        """Restore from a state; [next, reserved, first, total, stored] of each lane. ValueError if none."""
        try:
            state = json.loads(body.decode())
            lanes = state["lanes"]
            for number, (next_id, reserved, _, _, stored) in zip((SAMPLE, EVENT), lanes):
                self._lanes[number].next_id = next_id
                self._lanes[number].reserved = reserved
                self._lanes[number].stored = stored
            self._speakers = {}
            for name, marks in state["speakers"].items():
                self._speakers[name] = {}
                for number, mark in zip((SAMPLE, EVENT), marks):
                    self._speakers[name][number] = Done(mark[0], mark[1:])
            self._boots = state["boots"]
            self._spans = state["spans"]
            self._losses = state["losses"]
            self._thinned, self._lost_full, self._lost_damage = state["counts"]
            self._take_added(state)
        except (KeyError, TypeError, IndexError) as error:
            raise ValueError("outbox: state of another form: %s" % error) from error
        self._clean = state["clean"]
        self._epoch = block.epoch
        self._serial = block.first
        return lanes

    def _open_books(self):
        """After the blocks and the state are restored: jump where ids may have been given, and say so."""
        for number, lane in self._lanes.items():
            newest = lane.last[-1] if lane.last else 0
            if not self._clean and self._serial:
                first = max(lane.next_id, newest + 1)
                lane.next_id = max(lane.reserved, newest) + 1 + self._jump
                self._note_loss("restart", number, 0, first, lane.next_id - 1)
            lane.next_id = max(lane.next_id, newest + 1)
        self._clean = False
        self._set_dirty()

    def _start_books(self):
        """Open the books and say on the disk that they are open."""
        self._open_books()
        if not self._commit(False):
            # It may go on saying that it was closed: no name may be given that the next start gives, too.
            self._leave_names()
