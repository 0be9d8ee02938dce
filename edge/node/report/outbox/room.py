"""How an outbox stays within its bound, and the account of what that cost.

When there is no room, the oldest blocks of the level that takes most of it are thinned: neighbours are merged
and every second record is left out, twice, which makes blocks of the next level. (Twice at once, because each
time costs a write of what is left.) So each level gets an equal share, and the older a sample the fewer of
its neighbours are left: with the deepest level at every 64th record, a bound that holds an hour in full holds
21 hours, the last quarter of an hour in full. Only at the deepest level blocks are dropped. Events that are
no alarms go when there are no samples left, and never for a sample; an alarm goes for another alarm only,
when there is nothing else.
"""

from edge.node.report.outbox import blocks
from edge.node.report.outbox.blocks import ALARM, EVENT, LEVEL, SAMPLE

LEVELS = 2  # in one go, where a subclass says nothing else: every fourth record is left
DEEPEST = 6  # every 64th record
MERGED = 4  # blocks
LOSS_PERIOD_MS = 600000  # between two accounts of what the bound costs
CATALOGUES_MAX = 8
RANK_SAMPLE = 0
RANK_PLAIN = 1
RANK_ALARM = 2


def rank(lane: int, flags: int) -> int:
    """What a block is worth: a block goes for one of the same or a higher rank only."""
    if lane == SAMPLE:
        return RANK_SAMPLE
    return RANK_ALARM if flags & ALARM else RANK_PLAIN


def catalogue_key(number: int) -> str:
    return "catalogue.%08x" % number


class Room:
    """The part of ``store.Store`` that makes room and keeps account of losses."""

    def _note_loss(self, why: str, lane: int, count: int, first_id: int, last_id: int, first_t_ms: int = 0,
                   last_t_ms: int = 0):
        """Add to the account. One entry for each reason and lane, until ``losses`` has told it."""
        if why == "thinned":
            self._thinned += count
        elif why == "full" or why == "catalogue":
            self._lost_full += count
        elif why == "damage":
            self._lost_damage += count
        self._set_dirty()
        for entry in self._losses:
            if entry["why"] == why and entry["lane"] == lane:
                entry["count"] += count
                if first_id and (first_id < entry["first_id"] or not entry["first_id"]):
                    entry["first_id"] = first_id
                if first_t_ms and (first_t_ms < entry["first_t_ms"] or not entry["first_t_ms"]):
                    entry["first_t_ms"] = first_t_ms
                entry["last_id"] = max(entry["last_id"], last_id)
                entry["last_t_ms"] = max(entry["last_t_ms"], last_t_ms)
                return
        self._losses.append({"why": why, "lane": lane, "count": count, "first_id": first_id,
                             "last_id": last_id, "first_t_ms": first_t_ms, "last_t_ms": last_t_ms})

    def _note_lost(self, why: str, lane: int, entries: list):
        """Add (id, record) pairs to the account."""
        if entries:
            self._note_loss(why, lane, len(entries), entries[0][0], entries[-1][0],
                            blocks.time_of(entries[0][1]), blocks.time_of(entries[-1][1]))

    def losses(self) -> list:
        """What was lost and has not been told yet: dicts with "why", "lane", "count", "first_id", "last_id",
        "first_t_ms", "last_t_ms" (0 = not known).

        why: "thinned" (left out for want of room), "full" (dropped for want of room), "damage", "catalogue"
        (their catalogue had to go), "restart" (count 0: after an end without ``close`` these ids were never
        given, or their records died in memory, or were delivered but not noted). "thinned" and "full" come at
        most every 10 minutes.
        They are forgotten for good by the next commit that takes an event along: append the one that tells
        them at once. After a restart before that they are told again.
        """
        found = []
        kept = []
        for entry in self._losses:
            key = (entry["why"], entry["lane"])
            told_ms = self._told.get(key)
            if entry["why"] in ("thinned", "full") and told_ms is not None and \
                    self._now - told_ms < LOSS_PERIOD_MS:
                kept.append(entry)
            else:
                self._told[key] = self._now
                found.append(entry)
        if found:
            self._losses = kept
            self._telling = self._telling + found
            self._set_dirty()
        return found

    def _make_room(self, batch: list) -> list:
        """Within a transaction: delete, thin and drop until the batch fits. Returns what of it does fit.

        ``batch``: (lane, flags, entries, head, body), as ``Store._batch`` makes it.
        """
        turns = 0
        named = sum([len(value) + 100 for value in self._unsaved.values()])
        need = named + sum([len(row[4]) for row in batch])
        while self._short(need, len(batch) + len(self._unsaved)):
            if self._more_done:
                self._next_turn()
                self._clear_done()
                continue
            worth = max([rank(row[0], row[1]) for row in batch] or [RANK_SAMPLE])
            if self._sacrifice(worth):
                turns += 1
                if self._ends_turn(turns, need, len(batch) + len(self._unsaved)):
                    turns = 0
                    self._next_turn()
                continue
            # Nothing that is worth less is left: the least of what is new stays outside.
            least = min([rank(row[0], row[1]) for row in batch] or [RANK_ALARM])
            kept = []
            for row in batch:
                if rank(row[0], row[1]) == least:
                    self._note_lost("full", row[0], row[2])
                else:
                    kept.append(row)
            if len(kept) == len(batch):
                break
            batch = kept
            need = named + sum([len(row[4]) for row in batch])
        return batch

    def _ends_turn(self, turns: int, need: int, rows: int) -> bool:
        """Whether the transaction is to end after so many sacrifices, before ``need`` bytes in ``rows``."""
        return turns == self._turns_max

    def _sacrifice(self, worth: int) -> bool:
        """Give up what is worth least, for something of rank ``worth``; False when nothing may go."""
        lane = self._lanes[SAMPLE]
        if lane.first:
            sums = [0] * (DEEPEST + 1)
            for flags, size in zip(lane.flags, lane.size):
                sums[min(flags & LEVEL, DEEPEST)] += size
            level = sums.index(max(sums))
            i, j = self._unit(SAMPLE, level)
            if level == DEEPEST:
                self._drop(SAMPLE, i, j, "full")
            else:
                self._thin(i, j, level + self._levels)
            return True
        flags = self._lanes[EVENT].flags
        for going in range(RANK_PLAIN, worth + 1):
            for i in range(len(flags)):
                if rank(EVENT, flags[i]) == going:
                    self._drop_events(i, going)
                    return True
        return False

    def _unit(self, number: int, level: int) -> tuple:
        """The oldest blocks of a level that are given up together: indices from, to (exclusive)."""
        flags = self._lanes[number].flags
        i = 0
        while min(flags[i] & LEVEL, DEEPEST) != level:
            i += 1
        return i, self._together(number, i)

    def _together(self, number: int, i: int) -> int:
        """The end (exclusive) of the blocks from the i-th on that are merged into one, of one level."""
        lane = self._lanes[number]
        j = i + 1
        size = lane.size[i]
        while j < len(lane.first) and j - i < 16 and lane.flags[j] & LEVEL == lane.flags[i] & LEVEL and \
                (j < i + MERGED or size + lane.size[j] <= self._merged_bytes):
            size += lane.size[j]
            j += 1
        return j

    def _drop(self, number: int, i: int, j: int, why: str):
        lane = self._lanes[number]
        first = self._open_entries(number, i)
        last = self._open_entries(number, j - 1) if j - 1 > i else first
        # Only the ends are read, for the times, and what a speaker has done in part.
        count = len(first) + (len(last) if j - 1 > i else 0)
        for k in range(i + 1, j - 1):
            count += len(self._open_entries(number, k)) if self._touched(number, k) else lane.count[k]
        if count:
            ends = (first or last, last or first)
            self._note_loss(why, number, count,
                            ends[0][0][0] if ends[0] else lane.first[i],
                            ends[1][-1][0] if ends[1] else lane.last[j - 1],
                            blocks.time_of(ends[0][0][1]) if ends[0] else 0,
                            blocks.time_of(ends[1][-1][1]) if ends[1] else 0)
        self._take_out(number, i, j)

    def _touched(self, number: int, i: int) -> bool:
        """Whether every speaker may have done some of a block."""
        for marks in self._speakers.values():
            if not marks[number].touches(self._lanes[number].first[i], self._lanes[number].last[i]):
                return False
        return True

    def _drop_events(self, i: int, going: int):
        """Give up the oldest event of a rank."""
        self._drop(EVENT, i, i + 1, "full")

    def _thin(self, i: int, j: int, level: int):
        """Merge the blocks i … j-1 of the samples, most of their records left out."""
        lane = self._lanes[SAMPLE]
        while i < j:
            k = min(self._together(SAMPLE, i), j)
            before = len(lane.first)
            self._merge(i, k, level)
            j -= before - len(lane.first)
            i = k - before + len(lane.first)

    def _merge(self, i: int, j: int, level: int):
        """Make one block of the next level of the blocks i … j-1 of the samples."""
        lane = self._lanes[SAMPLE]
        first = lane.first[i]
        last = lane.last[j - 1]
        kept = self._take_thinned(i, j)
        if kept:
            self._put_in(SAMPLE, i, level, first, last, kept)

    def _take_thinned(self, i: int, j: int) -> list:
        """Take the blocks i … j-1 of the samples out; what is left of their (id, record)."""
        entries = []
        for k in range(i, j):
            entries.extend(self._open_entries(SAMPLE, k))
        kept = entries
        for _ in range(self._levels):
            kept = blocks.thinned(kept)
        left = [number for number, _ in kept]
        self._note_lost("thinned", SAMPLE, [entry for entry in entries if entry[0] not in left])
        self._take_out(SAMPLE, i, j)
        return kept

    def _open_entries(self, number: int, i: int) -> list:
        """(id, record) of a block without those that every speaker has done; what is damaged is counted."""
        lane = self._lanes[number]
        found = self._load(number, i)
        if found is None:
            self._note_loss("damage", number, lane.count[i], lane.first[i], lane.last[i])
            return []
        return [(a, b) for a, b in zip(found[0], found[1]) if not self._done_by_all(number, a)]

    def _forget_catalogues(self):
        """Drop catalogues that no held sample needs, and the samples of the oldest of too many."""
        lane = self._lanes[SAMPLE]
        while len(self._spans) > CATALOGUES_MAX:
            k = lane.find(self._spans[1][0] + 1)
            if k:
                self._drop(SAMPLE, 0, k, "catalogue")
            self._forget_span()
        while len(self._spans) > 1 and self._spans[1][0] < lane.oldest():
            self._forget_span()

    def _forget_span(self):
        number = self._spans[0][1]
        self._spans = self._spans[1:]
        if number not in [span[1] for span in self._spans]:
            self._put_named(catalogue_key(number), None)

    def _shed(self):
        """Keep the records in memory within their bound while the disk takes none."""
        pending = self._lanes[SAMPLE].pending
        while self._pending_bytes > self._memory_max and len(pending) > 1:
            half = max(len(pending) // 2, 2)
            entries = [(entry[0], entry[1]) for entry in pending[:half]]
            kept = blocks.thinned(entries)
            self._note_lost("thinned", SAMPLE, entries[:-1:2])
            meant = {}
            for number, record in kept:
                meant[number] = record
            pending[:half] = [(entry[0], meant[entry[0]]) + entry[2:] for entry in pending[:half]
                              if entry[0] in meant]
            self._count_pending()
        while self._pending_bytes > self._memory_max and self._shed_one(pending, self._lanes[EVENT].pending):
            pass

    def _shed_one(self, samples: list, events: list) -> bool:
        """Drop the record in memory that is worth least, the oldest of its kind; False when there is none."""
        number = SAMPLE
        going = samples
        at = 0
        if not samples:
            number = EVENT
            going = events
            while at < len(events) and events[at][5]:
                at += 1
            if at == len(events):
                at = 0
        if not going:
            return False
        entry = going.pop(at)
        self._pending_bytes -= len(entry[1]) + self.ENTRY_BYTES
        self._note_lost("full", number, [entry[:2]])
        return True

    def _count_pending(self):
        total = 0
        for lane in self._lanes.values():
            for entry in lane.pending:
                total += len(entry[1]) + self.ENTRY_BYTES
        self._pending_bytes = total
