"""An outbox in memory only: it stands in for the one on a disk that can't be used at the start.

It has an epoch of its own, and is bounded as the memory of every outbox is: what is beyond that thins out and
is told. ``stored`` confirms what every speaker has done and what was told as lost: nothing else is safe here.
When the disk is there, ``move_to`` hands over what is left.
"""

from edge.node.report.outbox.blocks import EVENT, SAMPLE
from edge.node.report.outbox.books import IDLE_MS
from edge.node.report.outbox.store import Store

BLOCK_BYTES = 4096  # no block is ever made


class MemoryOutbox(Store):
    """``bytes_max``, ``memory_max``: of the outbox that it stands in for; ``error``: why it has to."""

    IN_MEMORY = True
    PATIENCE_MS = 0  # what is lost when the power fails is told at once

    def __init__(self, bytes_max: int, memory_max: int, error):
        Store.__init__(self, bytes_max, 0, memory_max, BLOCK_BYTES)
        self.bytes_max = memory_max
        self.refused(error)

    @property
    def memory_only(self) -> bool:
        return True

    def refused(self, error):
        """Count another error of the disk."""
        self._errors += 1
        self._last_error = "outbox: %s" % error

    def losses(self) -> list:
        found = Store.losses(self)
        self._telling = []  # there is nothing that they could be told again from
        return found

    def step(self, now_ms: int) -> int:
        self._now = now_ms
        self._commit(False)
        return now_ms + IDLE_MS

    def close(self):
        """What is left is lost: see ``move_to``."""

    def move_to(self, outbox, now_ms: int) -> int:
        """Append what is not done to another outbox, attached to the same speakers; returns how many records.

        They get ids of the other one. What that has from before, by the node's own count, is passed over.
        """
        moved = 0
        for number, record, boot, seq, lane in self._waiting():
            if outbox.has(boot, seq):
                continue
            if lane == SAMPLE:
                self._hand_over_catalogue(number, outbox)
            given = outbox.append(record, now_ms)
            moved += 1
            for name in self._speakers:
                if given and self._speakers[name][lane].has(number):
                    outbox.done(name, lane, given, given)
        for boot, seq in self._boots:
            outbox._note_boot(boot, seq)  # also where all of it has been delivered
        self._hand_over_account(outbox)
        return moved

    def _waiting(self) -> list:
        """(id, record, boot, seq, lane) of what is not done, in the order in which it came: see ``has``."""
        found = []
        for lane in (EVENT, SAMPLE):
            for number, record, at_ms, boot, seq, _ in self._lanes[lane].pending:
                if not self._done_by_all(lane, number):
                    found.append((at_ms, seq, number, record, boot, lane))
        found.sort(key=lambda entry: entry[:2])
        return [(number, record, boot, seq, lane) for _, seq, number, record, boot, lane in found]

    def _hand_over_catalogue(self, number: int, outbox):
        while len(self._spans) > 1 and self._spans[1][0] < number:
            self._spans = self._spans[1:]
        if self._spans:
            data = self.catalogue(self._spans[0][1])
            if data is not None:
                outbox.keep_catalogue(self._spans[0][1], data)

    def _hand_over_account(self, outbox):
        """The counters, and losses that were not told yet: their ids mean nothing there."""
        counts = (outbox._thinned + self._thinned, outbox._lost_full + self._lost_full,
                  outbox._lost_damage + self._lost_damage)
        for loss in self._losses:
            outbox._note_loss(loss["why"], loss["lane"], loss["count"], 0, 0, loss["first_t_ms"],
                              loss["last_t_ms"])
        outbox._thinned, outbox._lost_full, outbox._lost_damage = counts

    # In place of a disk

    def _commit(self, flush: bool) -> bool:
        for number in self._lanes:
            self._prune(number)
        self._raise_floors()
        self._dirty_ms = None
        return False

    def _get_named(self, name: str):
        return None

    def _bytes(self) -> int:
        return self._pending_bytes
