"""What the node keeps of its records until the reporter process has stored them."""

from edge.node.report import records

RING_BYTES = 262144
# What Python's lists and bytes add to a record.
_OVERHEAD = 64
_DOUBTS_MAX = 127  # odd: they are merged in pairs when there is one more


class Ring:
    """Records that nobody has confirmed yet, oldest first, in at most ``bytes_max`` bytes.

    ``unsent`` still have to be handed over, ``sent`` have been. When it is full, the oldest sample goes first
    and never an alarm before a sample. One that had been handed over counts as lost only when its reporter
    dies without having confirmed it; ``lost`` and ``lost_alarms`` count since ``take_losses``. All records
    are of one start of the node.
    """

    def __init__(self, bytes_max: int = RING_BYTES):
        self.sent = []
        self.unsent = []
        self.bytes = 0
        self.bytes_max = bytes_max
        self.lost = 0
        self.lost_alarms = 0
        # [newest seq, records, alarms among them] of what was pushed out after it had been handed over.
        self._doubtful = []

    def put(self, record: bytes) -> bool:
        """Keep a record; False where it is larger than the whole ring."""
        size = len(record) + _OVERHEAD
        if size > self.bytes_max:
            self._count(records.peek(record)[3])
            return False
        self.unsent.append(record)
        self.bytes += size
        while self.bytes > self.bytes_max:
            self._push_out()
        return True

    def handed_over(self, count: int):
        """The first ``count`` unsent records have been sent."""
        self.sent += self.unsent[:count]
        del self.unsent[:count]

    def confirm(self, boot: int, seq: int):
        """All records of this start of the node up to ``seq`` are stored, also those that wait anew."""
        for queue in (self.sent, self.unsent):
            count = 0
            for record in queue:
                _, its_boot, its_seq, _ = records.peek(record)
                if its_boot != boot or its_seq > seq:
                    break
                self.bytes -= len(record) + _OVERHEAD
                count += 1
            if count:
                del queue[:count]
        if self._doubtful:
            self._doubtful = [doubt for doubt in self._doubtful if doubt[0] > seq]

    def again(self):
        """Whoever had the sent records is gone: all have to be sent again."""
        self.unsent = self.sent + self.unsent
        self.sent = []
        for _, count, alarms in self._doubtful:
            self.lost += count
            self.lost_alarms += alarms
        self._doubtful = []

    def take_losses(self) -> tuple:
        """(all, alarms among them) that were lost since the last call."""
        losses = self.lost, self.lost_alarms
        self.lost = 0
        self.lost_alarms = 0
        return losses

    def _push_out(self):
        for queue in (self.sent, self.unsent):
            for place, record in enumerate(queue):
                if not records.peek(record)[3]:
                    self._drop(queue, place)
                    return
        self._drop(self.sent or self.unsent, 0)

    def _drop(self, queue: list, place: int):
        record = queue.pop(place)
        self.bytes -= len(record) + _OVERHEAD
        _, _, seq, alarm = records.peek(record)
        if queue is not self.sent:
            self._count(alarm)
            return
        doubtful = self._doubtful
        doubtful.append([seq, 1, 1 if alarm else 0])
        if len(doubtful) > _DOUBTS_MAX:
            # Coarser, but never too few.
            self._doubtful = [
                [max(a[0], b[0]), a[1] + b[1], a[2] + b[2]] for a, b in zip(doubtful[::2], doubtful[1::2])
            ]

    def _count(self, alarm: bool):
        self.lost += 1
        if alarm:
            self.lost_alarms += 1
