"""Outbox, speaker and connection in memory, for tests of the sender and the engine on both runtimes."""

from edge.node.report import records
from edge.node.report.records import EVENT, SAMPLE


def sample(seq, boot=7, catalogue_number=1):
    return records.encode_sample(boot, seq, 1000 * seq, 10 * seq, True, catalogue_number, [(0, 0, seq + 0.5)])


def event(seq, boot=7, alarm=False):
    return records.encode_event(boot, seq, 1000 * seq, 10 * seq, True, "signal", "s", "text", alarm)


class FakeClock:
    def __init__(self):
        self.ms = 0

    def now_ms(self):
        return self.ms

    def now_us(self):
        return self.ms * 1000

    def utc_ms(self):
        return 1760000000000 + self.ms


class FakeOutbox:
    """Everything in memory, nothing lost, done by single ids."""

    IN_MEMORY = False
    PATIENCE_MS = 10000

    def __init__(self):
        self.memory_only = False
        self.waiting = 0
        self.epoch = "0000beef"
        self.rows = {SAMPLE: [], EVENT: []}
        self.names = []
        self.finished = {}
        self.catalogues = {}
        self.kept = {}
        self.lost = []
        self.commits = 0
        self.closed = False

    def attach(self, names):
        self.names = names
        for name in names:
            self.finished[name] = {SAMPLE: set(), EVENT: set()}

    def append(self, record, now_ms):
        lane = records.peek(record)[0]
        self.rows[lane].append(record)
        return len(self.rows[lane])

    def fetch(self, speaker, lane, after_id, count, until_id=None):
        rows = self.rows[lane]
        found = []
        number = after_id + 1
        while number <= len(rows) and len(found) < count and (until_id is None or number <= until_id):
            if number not in self.finished[speaker][lane]:
                found.append((number, rows[number - 1]))
            number += 1
        return found

    def done(self, speaker, lane, first_id, last_id):
        for number in range(first_id, last_id + 1):
            self.finished[speaker][lane].add(number)

    def first_open(self, speaker, lane):
        for number in range(1, len(self.rows[lane]) + 1):
            if number not in self.finished[speaker][lane]:
                return number
        return 0

    def last_id(self, lane):
        return len(self.rows[lane])

    def open_count(self, speaker, lane):
        return len(self.rows[lane]) - len(self.finished[speaker][lane])

    def has(self, boot, seq):
        for rows in self.rows.values():
            for record in rows:
                if records.peek(record)[1:3] == (boot, seq):
                    return True
        return False

    def stored(self):
        return 0, 0

    def catalogue(self, number):
        return self.catalogues.get(number)

    def keep_catalogue(self, number, data):
        self.catalogues[number] = data

    def keep(self, key, data):
        self.kept[key] = data

    def recall(self, key):
        return self.kept.get(key)

    def losses(self):
        lost = self.lost
        self.lost = []
        return lost

    def step(self, now_ms):
        return now_ms + 60000

    def commit(self, now_ms):
        self.commits += 1

    def close(self):
        self.closed = True

    @property
    def stats(self):
        return {
            "bytes": 0, "bytes_max": 1, "rows": 0, "commits": self.commits, "thinned": 0, "lost_full": 0,
            "lost_damage": 0, "errors": 0, "last_error": "", "memory_only": self.memory_only,
        }


class FakeConnection:
    """Takes what fits its window; the test acknowledges with ack()."""

    def __init__(self, window=8):
        self.window = window
        self.choices = 1
        self.connected = False
        self.generation = 0
        self.address = "broker:1883"
        self.last_error = ""
        self.before_connect = None
        self.question = None
        self.contested_until_ms = -1
        self.will = None
        self.sent = []  # (packet id, topic, payload) of this connection
        self.subscribed = []
        self.flight = []
        self.left = 0
        self.closed = False
        self.dropped = ""
        self.stuck = False  # publish() has no room
        self.too_large = 1000000
        self._events = []
        self._id = 0

    def come_up(self):
        self.before_connect()
        self.connected = True
        self.generation += 1
        self.sent = []
        self.flight = []
        self._events.append(("up", self.generation))

    def go_down(self, reason="lost"):
        self.connected = False
        self._events.append(("down", reason))

    def ack(self, count=1000000):
        """Acknowledge the oldest that are in flight."""
        while self.flight and count:
            self._events.append(("ack", self.flight.pop(0)))
            count -= 1

    def hear(self, topic, payload, retain=False):
        self._events.append(("heard", topic, payload, retain))

    def payloads(self, topic=None):
        return [payload for _, name, payload in self.sent if topic is None or name == topic]

    # The interface of connection.py.

    def set_will(self, topic, payload, qos, retain):
        self.will = (topic, payload, qos, retain)

    def publish(self, topic, payload, qos, retain):
        if len(payload) > self.too_large:
            raise ValueError("payload too large: bytes " + str(len(payload)))
        if not self.connected or self.stuck or (qos and len(self.flight) >= self.window):
            return -1
        packet_id = 0
        if qos:
            self._id = self._id % 65535 + 1
            packet_id = self._id
            self.flight.append(packet_id)
        self.sent.append((packet_id, topic, payload))
        return packet_id

    def subscribe(self, topics):
        self.subscribed.append(topics)
        self._events.append(("subscribed", True))
        return True

    def room(self):
        return self.window - len(self.flight) if self.connected and not self.stuck else 0

    def events(self):
        events = self._events
        self._events = []
        return events

    def step(self, now_ms):
        return now_ms + 60000

    def pollable(self):
        return None

    def disconnect(self, now_ms):
        self.left += 1
        if self.connected:
            self.go_down("disconnected")
        self.closed = True

    def connect(self, now_ms):
        self.closed = False

    def drop(self, reason, clean=False):
        self.dropped = reason
        if self.connected:
            self.go_down(reason)


class FakeSpeaker:
    """Says the ids of a lane: topics samples, old, event, old_event; payload b"1,2,3"."""

    def __init__(self, name="json", acknowledged=True, history=True, live_batch=2, backlog_batch=4):
        self.name = name
        self.base = "furnace/site/node"
        self.acknowledged = acknowledged
        self.history = history
        self.live_batch = live_batch
        self.backlog_batch = backlog_batch
        self.period_ms = 0
        self.urgent = False
        self.is_known = True
        self.is_ready = True
        self.topics = [("in", 1)]
        self.born = 0
        self.begun = 0
        self.observed = []
        self.split = 1  # messages that one entry becomes
        self.padding = 0  # blanks before the ids
        self.silent = False
        self.node_silent = False
        self.carried = ()
        self.catalogue_of = None
        self.untold = 0
        self.refused = 0
        self.last_error = ""

    def begin(self, catalogue, epoch, recall, keep):
        self.begun += 1

    def observe(self, record, number):
        self.observed.append(number)

    def known(self):
        return self.is_known

    def ready(self):
        return self.is_ready and (self.acknowledged or not self.node_silent)

    def before_connect(self):
        return "state", b"offline", 1, True

    def subscriptions(self):
        return self.topics

    def births(self, t_ms):
        self.born += 1
        return [("birth", b"%d" % self.born, 1 if self.acknowledged else 0, False)]

    def messages(self, lane, entries, historical):
        if self.silent:
            return []
        topic = ("old_" if historical else "") + ("event" if lane == EVENT else "samples")
        ids = b" " * self.padding + b",".join([b"%d" % number for number, _ in entries])
        qos = 1 if self.acknowledged else 0
        return [(topic, ids, qos, False, entries[0][0], entries[-1][0])] * self.split

    def barrier(self):
        return "barrier", b"", 1, False

    def heard(self, topic, payload, retain):
        if payload == b"rebirth":
            return [("rebirth",)]
        if payload in (b"online", b"offline"):
            self.is_ready = payload == b"online"
            return [("host", self.is_ready)]
        return [("command", payload, retain)]

    def replies(self, payload):
        return [("answer", payload, 1, payload == b"session")]

    def goodbye(self, t_ms):
        return [("state", b"offline", 1, True)]
