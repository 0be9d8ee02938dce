"""What stands behind a reporting end: the outbox and its senders as one part, on a box and on a board.

The node's records go into the outbox, whose losses come out as events; senders take them from there.

An event that tells of a loss is a record of the reporting end, not of the node: its boot is 0, which no node
has, and its seq counts on over restarts. Its kind is "loss", its name says why ("full", "damage" ...), its
text is

    COUNT samples, ids FIRST..LAST, t FIRST_T..LAST_T

with "events" in their place where it was events, so that a receiver can close the gap in its books. It is an
alarm unless COUNT is 0: then ids were left out, after a crash; see ``room.Room.losses``. A text that ends in
", box BOX" speaks of the ids of that box: one that was in memory only.

A disk that takes nothing is an alarm as well, of the kind "outbox", name "disk": "gone: WHY" and "is back".
So is a node that has fallen silent, of the kind "node", name "silent": see ``node_silent``; and another
node of the same name: name "identity", see identity.py.
"""

from edge.node.report import records
from edge.node.report.catalogue import from_json
from edge.node.report.identity import Claim, Identity
from edge.node.report.sender import Sender
from edge.node.report.speakers import speaker

OWN_BOOT = 0
OWN_SEQ_KEY = "own_seq"
LOSSES_MS = 10000  # the shortest time between two looks for losses: telling them must not fill the outbox
ASK_AGAIN_MS = 5000  # for all values, while a speaker does not know one
IDLE_MS = 60000
DAMAGED_MAX = 256
RIVAL = "another node has this one's site and name, %s/%s, and they throw each other out: rename one of them"
OUTBOX_STATS = ("bytes", "bytes_max", "memory_only", "errors", "last_error")


def client_id(site: str, node: str, kind: str) -> str:
    """Who a speaker is at the broker: two with one name would throw each other out."""
    name = "furnace-edge-" + site + "-" + node
    return name if kind == speaker.JSON else name + "-" + kind.replace("_", "-")


class Engine:
    """``speakers`` and their ``connections``, in the same order; ``outbox``: see segments.py.

    ``clock`` of edge.node.clock; ``budget``: records that a sender may turn into messages in one step;
    ``cached``: decoded records that are kept, so that several speakers need not each decode them.
    """

    def __init__(self, outbox, speakers: list, connections: list, clock, budget: int = 64, cached: int = 64):
        self.outbox = outbox
        self.malformed = 0
        self.duplicates = 0
        self.last_error = ""
        self.disk_fault = ""  # why the outbox is in memory only, once that has been told
        self._off_disk_ms = -1  # since when it is
        self._contested = False  # another node has the same name
        self._clock = clock
        self._catalogue = None
        self._catalogues = {}
        self._epoch = ""
        self._cached = cached
        self._cache = {}
        self._cache_order = []
        self._damaged = {}
        self._losses_due_ms = 0
        self._ask_due_ms = -1
        self._closing = False
        outbox.attach([one.name for one in speakers])
        self.senders = []
        identity = Identity(speakers[0].base) if speakers else None
        for one, connection in zip(speakers, connections):
            one.catalogue_of = self.catalogue_of
            claim = Claim(identity)
            self.senders.append(Sender(one, connection, outbox, self._decoded, clock, budget, claim))
        self._by_name = {sender.name: sender for sender in self.senders}

    # What the node hands over --------------------------------------------------------------

    def begin(self, catalogue):
        """The catalogue of the records that will come."""
        self._catalogue = catalogue
        self._catalogues[catalogue.number] = catalogue
        self.outbox.keep_catalogue(catalogue.number, catalogue.to_json())
        self._begin_speakers()

    def record(self, record: bytes, now_ms: int) -> int:
        """Store a record that is not there yet; its boot, or 0 for one that is no record."""
        try:
            item = records.decode(record)
        except ValueError as error:
            self.malformed += 1
            self.last_error = "record of the node: %s" % error
            return 0
        if self.outbox.has(item.boot, item.seq):
            self.duplicates += 1
        else:
            self._append(record, item, now_ms)
        return item.boot

    def live(self, topic: str, payload: bytes, retain: bool, qos: int) -> bool:
        """A message that is not stored goes to the speaker of plain topics, if there is one."""
        sender = self._by_name.get(speaker.JSON)
        return sender is not None and sender.live(topic, payload, retain, qos)

    def take_over(self, old, now_ms: int):
        """Go on where ``old`` has ended, which is closed and whose outbox is in memory only."""
        moved = old.outbox.move_to(self.outbox, now_ms)
        self.malformed += old.malformed
        self.duplicates += old.duplicates
        self._contested = old._contested
        for sender, before in zip(self.senders, old.senders):
            sender.take_over(before)
            for key in sender.speaker.carried:
                value = old.outbox.recall(key)
                if value is not None:
                    self.outbox.keep(key, value)
        if old._catalogue is not None:
            self.begin(old._catalogue)
        if old.disk_fault:
            text = "is back: %d records of box %s go on under other ids" % (moved, old.outbox.epoch)
            self._tell_own("outbox", "disk", text, True, now_ms)

    def reply(self, name: str, payload: bytes):
        """An answer for the speaker that brought the command; "" for all of them."""
        for sender in self.senders:
            if name in ("", sender.name):
                sender.reply(payload)

    def node_silent(self, silent: bool, now_ms: int, text: str):
        """The node hangs, or speaks again: tell it as offline, or be born again. ``text``: of the alarm."""
        if self._catalogue is not None:
            self._tell_own("node", "silent", text, True, now_ms)
        for sender in self.senders:
            sender.node_silent(silent, now_ms)

    def commands(self) -> list:
        """(speaker, payload, retained) since the last call."""
        found = []
        for sender in self.senders:
            for payload, retained in sender.commands():
                found.append((sender.name, payload, retained))
        return found

    def snapshot_wanted(self, now_ms: int) -> bool:
        """Whether the node should tell all values: once, and again while a speaker still lacks one."""
        if self._catalogue is None or now_ms < self._ask_due_ms:
            return False
        for sender in self.senders:
            if not sender.speaker.known():
                self._ask_due_ms = now_ms + ASK_AGAIN_MS
                return True
        return False

    # Running -------------------------------------------------------------------------------

    def step(self, now_ms: int) -> int:
        """Store, send and hear, without waiting for the network. Returns when to be called again."""
        due_ms = self.outbox.step(now_ms)
        self._watch_disk(now_ms)
        self._watch_name(now_ms)
        if now_ms >= self._losses_due_ms:
            self._tell_losses(now_ms)
        if self._epoch != self.outbox.epoch and self._catalogue is not None:
            self._begin_speakers()
        for sender in self.senders:
            due_ms = min(due_ms, sender.step(now_ms))
        return due_ms

    def pollables(self) -> list:
        found = [sender.pollable() for sender in self.senders]
        return [pollable for pollable in found if pollable is not None]

    def begin_close(self, now_ms: int, within_ms: int):
        """Commit, and let the senders say goodbye; ``closed()`` tells when they have."""
        if not self._closing:
            self._closing = True
            self._tell_losses(now_ms)
            self.outbox.commit(now_ms)
            for sender in self.senders:
                sender.begin_close(now_ms, within_ms)

    def closed(self) -> bool:
        for sender in self.senders:
            if not sender.closed:
                return False
        return self._closing

    def finish(self, now_ms: int):
        """Commit what was acknowledged meanwhile and close the outbox."""
        self.outbox.commit(now_ms)
        self.outbox.close()

    @property
    def stats(self) -> dict:
        """The sum over the speakers, and each of them by name.

        ``connected``: all are; ``dropped``: entries lost to the bound or to damage, each of them told;
        ``queued``: entries that the slowest speaker with history has not got rid of.
        """
        total = {"connected": bool(self.senders), "sent": 0, "acked": 0, "resent": 0, "reconnects": 0}
        speakers = {}
        queued = 0
        last_error = self.last_error
        for sender in self.senders:
            one = sender.stats
            speakers[sender.name] = one
            total["connected"] = total["connected"] and one["connected"]
            for key in ("sent", "acked", "resent", "reconnects"):
                total[key] += one[key]
            if sender.speaker.history:
                queued = max(queued, one["backlog"])
            last_error = one["last_error"] or last_error
        box = self.outbox.stats
        total["dropped"] = box["thinned"] + box["lost_full"] + box["lost_damage"]
        total["queued"] = queued
        total["malformed"] = self.malformed
        if self._contested:
            last_error = RIVAL % (self._catalogue.site, self._catalogue.node)
        total["last_error"] = last_error or box["last_error"]
        total["outbox"] = {key: box[key] for key in OUTBOX_STATS}
        total["speakers"] = speakers
        return total

    # Inside --------------------------------------------------------------------------------

    def catalogue_of(self, number: int):
        """The Catalogue of a stored record, None where it is not known any more."""
        if number not in self._catalogues:
            data = self.outbox.catalogue(number)
            found = None
            if data is not None:
                found = _catalogue(data)
            self._catalogues[number] = found
        return self._catalogues[number]

    def _begin_speakers(self):
        outbox = self.outbox
        self._epoch = outbox.epoch
        self._ask_due_ms = -1
        for sender in self.senders:
            sender.speaker.begin(self._catalogue, outbox.epoch, outbox.recall, outbox.keep)
            sender.begin()

    def _append(self, record: bytes, item, now_ms: int):
        number = self.outbox.append(record, now_ms)
        if number:
            self._remember(item.record_kind, number, item)
        if self._catalogue is not None:
            for sender in self.senders:
                sender.speaker.observe(item, number)

    def _remember(self, lane: int, number: int, item):
        if len(self._cache_order) >= self._cached:
            self._cache.pop(self._cache_order.pop(0), None)
        self._cache_order.append((lane, number))
        self._cache[(lane, number)] = item

    def _decoded(self, lane: int, number: int, record: bytes):
        item = self._cache.get((lane, number))
        if item is None:
            try:
                item = records.decode(record)
            except ValueError as error:
                self._count_damaged(lane, number, str(error))
        return item

    def _count_damaged(self, lane: int, number: int, why: str):
        """Told once, however many speakers stumble over it."""
        if (lane, number) in self._damaged:
            return
        if len(self._damaged) >= DAMAGED_MAX:
            self._damaged = {}
        self._damaged[(lane, number)] = True
        self.malformed += 1
        self.last_error = "stored record %d of lane %d: %s" % (number, lane, why)
        loss = {"why": "unreadable", "lane": lane, "count": 1, "first_id": number, "last_id": number}
        self._tell(loss, self._clock.now_ms())

    def _tell_losses(self, now_ms: int):
        losses = self.outbox.losses()
        for loss in losses:
            self._tell(loss, now_ms)
        if losses:
            self._losses_due_ms = now_ms + LOSSES_MS

    def _watch_disk(self, now_ms: int):
        """An event when the outbox has been in memory only for a while, and one when that is over."""
        box = self.outbox
        if not box.memory_only:
            self._off_disk_ms = -1
            if self.disk_fault:
                self.disk_fault = ""
                self._tell_own("outbox", "disk", "is back", True, now_ms)
            return
        if self._off_disk_ms < 0:
            self._off_disk_ms = now_ms
        if not self.disk_fault and now_ms - self._off_disk_ms >= box.PATIENCE_MS:
            self.disk_fault = box.stats["last_error"] or "no reason is known"
            self._tell_own("outbox", "disk", "gone: " + self.disk_fault, True, now_ms)

    def _watch_name(self, now_ms: int):
        contested = False
        for sender in self.senders:
            contested = contested or now_ms < sender.connection.contested_until_ms
        if contested and not self._contested and self._catalogue is not None:
            text = RIVAL % (self._catalogue.site, self._catalogue.node)
            self._tell_own("node", "identity", text, True, now_ms)
        self._contested = contested

    def _tell(self, loss: dict, now_ms: int):
        what = "samples" if loss["lane"] == records.SAMPLE else "events"
        text = "%d %s, ids %d..%d, t %d..%d" % (
            loss["count"], what, loss["first_id"], loss["last_id"],
            loss.get("first_t_ms", 0), loss.get("last_t_ms", 0),
        )
        if self.outbox.IN_MEMORY:
            text += ", box " + self.outbox.epoch
        self._tell_own("loss", loss["why"], text, loss["count"] > 0, now_ms)

    def _tell_own(self, kind: str, name: str, text: str, alarm: bool, now_ms: int):
        """An event of the reporting end's own."""
        kept = self.outbox.recall(OWN_SEQ_KEY)
        seq = (int(kept) if kept else 0) + 1
        self.outbox.keep(OWN_SEQ_KEY, b"%d" % seq)
        clock = self._clock
        record = records.encode_event(
            OWN_BOOT, seq, clock.utc_ms(), clock.now_ms(), False, kind, name, text, alarm
        )
        self._append(record, records.decode(record), now_ms)


def _catalogue(data: bytes):
    try:
        return from_json(data)
    except ValueError:
        return None
