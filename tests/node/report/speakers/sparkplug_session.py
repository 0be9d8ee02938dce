"""Sparkplug sessions of an edge node as its sender conducts them, on either runtime, without a broker.

Every session is a list of lines: what goes over the wire and what comes in, fields separated by tabs, bytes
in hex. As a script it prints them all, each under its name.
"""

import json
from binascii import hexlify

from edge.node.report import records
from edge.node.report.catalogue import BOOLEAN, FLOAT, INTEGER, TEXT, Catalogue, Metric
from edge.node.report.records import EVENT, SAMPLE
from edge.node.report.speakers import protobuf
from edge.node.report.speakers.speaker import make

START_MS = 1760000000000
BOOT = 0xC0FFEE11
NODE = "spBv1.0/bishkek/%s/line1"
HOST = "spBv1.0/STATE/scada"

METRICS = [
    Metric("t_furnace", "degC", FLOAT),
    Metric("loop.steam.set_point", "t/h", FLOAT, low=25.0, high=50.0),
    Metric("loop.steam.mode", "", TEXT),
    Metric("trip.high_temperature", "", BOOLEAN),
    Metric("node.mode", "", TEXT),
    Metric("strokes", "", INTEGER),
    Metric("roof_a1", "degC", FLOAT, "roof"),
    Metric("roof_b1", "degC", FLOAT, "roof"),
    Metric("device.roof.link", "", BOOLEAN, "roof"),
    Metric("output.feeder", "%", FLOAT, "feeder"),
    Metric("output.feeder.state", "", TEXT, "feeder"),
    Metric("device.feeder.link", "", BOOLEAN, "feeder"),
    Metric("pump_speed", "%", FLOAT, "pump"),
]
T_FURNACE, SET_POINT, MODE, TRIP, NODE_MODE, STROKES, ROOF_A1, ROOF_B1, ROOF_LINK = range(9)
FEEDER, FEEDER_STATE, FEEDER_LINK, PUMP = range(9, 13)
GOOD, UNCERTAIN, BAD = 0, 1, 2

FIRST = [
    (T_FURNACE, GOOD, 871.25), (SET_POINT, GOOD, 46.0), (MODE, GOOD, "automatic"), (TRIP, GOOD, False),
    (NODE_MODE, GOOD, "local"), (STROKES, GOOD, -7), (ROOF_A1, GOOD, 880.5), (ROOF_B1, BAD, None),
    (ROOF_LINK, GOOD, True), (FEEDER, UNCERTAIN, 40.0), (FEEDER_STATE, GOOD, "following"),
    (FEEDER_LINK, GOOD, True), (PUMP, GOOD, 12.5),
]


class Clock:
    def __init__(self):
        self.ms = START_MS

    def utc_ms(self):
        return self.ms


class Driver:
    """The node, the outbox and the sender in one: only what the speaker needs of them."""

    def __init__(self, settings=None, store=None, metrics=METRICS):
        self.clock = Clock()
        self.store = {} if store is None else store
        self.catalogue = Catalogue(metrics, "bishkek", "line1")
        self.speaker = make("sparkplug", "bishkek", "line1", settings or {}, self.clock)
        self.speaker.begin(self.catalogue, "0badcafe", self.store.get, self._keep)
        self.lines = []
        self.actions = []
        self.ids = {SAMPLE: 0, EVENT: 0}
        self.entries = []
        self.born = False
        self._seq = 0

    def _keep(self, key, value):
        self.store[key] = value

    def note(self, *fields):
        texts = []
        for field in fields:
            if isinstance(field, bytes):
                texts.append(hexlify(field).decode())
            elif isinstance(field, bool):
                texts.append(str(int(field)))
            else:
                texts.append(str(field))
        self.lines.append("\t".join(texts))

    # The node -------------------------------------------------------------------------------

    def sample(self, values, later_ms=250, synced=True, catalogue=None):
        """One sample, stored, and observed as the engine does; (id, decoded)."""
        self.clock.ms += later_ms
        self._seq += 1
        number = (catalogue or self.catalogue).number
        up_ms = self.clock.ms - START_MS
        record = records.encode_sample(BOOT, self._seq, self.clock.ms, up_ms, synced, number, sorted(values))
        return self._store(SAMPLE, record)

    def event(self, kind, name, text, alarm=False):
        self.clock.ms += 10
        self._seq += 1
        up_ms = self.clock.ms - START_MS
        record = records.encode_event(BOOT, self._seq, self.clock.ms, up_ms, True, kind, name, text, alarm)
        return self._store(EVENT, record)

    def _store(self, lane, record):
        self.ids[lane] += 1
        item = records.decode(record)
        self.speaker.observe(item, self.ids[lane])
        return self.ids[lane], item

    # The sender -----------------------------------------------------------------------------

    def connect(self):
        topic, payload, qos, retain = self.speaker.before_connect()
        self.note("connect", 1, topic, payload, qos, retain)
        for topic, qos in self.speaker.subscriptions():
            self.note("subscribe", topic, qos)
        self.born = False
        self.look()

    def look(self):
        if not self.born and self.speaker.known() and self.speaker.ready():
            self.born = True
            self.publish(self.speaker.births(self.clock.ms))

    def publish(self, messages):
        for message in messages:
            self.note("publish", message[0], message[1], message[2], message[3])

    def live(self, *entries):
        """Store and send at once; each entry is the values of a sample."""
        stored = [self.sample(values) for values in entries]
        self.publish(self.speaker.messages(SAMPLE, stored, False))

    def late(self, lane, entries):
        self.publish(self.speaker.messages(lane, entries, True))

    def barrier(self):
        self.publish([self.speaker.barrier()])

    def hear(self, topic, payload, retain=False):
        self.note("heard", topic, payload, retain)
        for action in self.speaker.heard(topic, payload, retain):
            self.actions.append(action)
            if action[0] == "rebirth":
                self.publish(self.speaker.births(self.clock.ms))
            elif action[0] == "host" and action[1]:
                self.look()
            elif action[0] == "host":
                self.disconnect()

    def disconnect(self):
        if self.born:
            self.publish(self.speaker.goodbye(self.clock.ms))
        self.born = False
        self.note("disconnect")

    def lose(self):
        """The connection ends without a word."""
        self.born = False
        self.note("lost")


def written(name, value, alias=None, seq=None, t_ms=START_MS):
    """An NCMD or DCMD as a host writes it."""
    body = protobuf.name(name) if alias is None else protobuf.alias(alias)
    body += protobuf.timestamp(t_ms)
    if value is True or value is False:
        body += protobuf.datatype(protobuf.BOOLEAN) + protobuf.boolean_value(value)
    elif isinstance(value, str):
        body += protobuf.datatype(protobuf.STRING) + protobuf.string_value(value)
    else:
        body += protobuf.datatype(protobuf.FLOAT) + protobuf.float_value(value)
    return protobuf.payload(t_ms, [protobuf.metric(body)], -1 if seq is None else seq)


def state(online, t_ms):
    return json.dumps({"online": online, "timestamp": t_ms}).encode()


def long_session():
    """Births, 600 messages of data, a device that goes and comes, history, events, rebirths, the end."""
    driver = Driver({"commands": True})
    driver.sample(FIRST)
    driver.event("node", "start", "started")
    driver.connect()
    for number in range(300):
        driver.live([(T_FURNACE, GOOD, 870.0 + number / 8), (ROOF_A1, GOOD, 880.0 + number / 4)])
    driver.barrier()
    # Nothing has changed: nothing is to be said.
    driver.live([(T_FURNACE, GOOD, 870.0 + 299 / 8)])
    driver.live([(STROKES, GOOD, 2**40), (TRIP, GOOD, True), (MODE, GOOD, "manual \u00e4"),
                 (T_FURNACE, UNCERTAIN, 900.0)],
                [(T_FURNACE, GOOD, 901.0), (ROOF_B1, GOOD, 17.0), (PUMP, GOOD, 13.0)])
    number, event = driver.event("trip", "high_temperature", 'tripped at 1201.3 "\u00e4"', True)
    driver.publish(driver.speaker.messages(EVENT, [(number, event)], False))
    # The roof module's link is lost, and later the pump's, which has no metric for it.
    driver.live([(ROOF_A1, BAD, None), (ROOF_B1, BAD, None), (ROOF_LINK, GOOD, False)])
    driver.live([(T_FURNACE, BAD, None), (PUMP, BAD, None)])
    driver.live([(T_FURNACE, GOOD, 880.0)])
    # The feeder goes: what is known of its output meanwhile is said when it is back.
    driver.live([(FEEDER_LINK, GOOD, False)])
    driver.live([(FEEDER, GOOD, 30.0)])
    driver.live([(FEEDER, GOOD, 20.0), (FEEDER_STATE, GOOD, "safe")])
    driver.live([(FEEDER, GOOD, 10.0), (FEEDER_LINK, GOOD, True)])
    # History, also of a device that is away now.
    old = [driver.sample([(T_FURNACE, GOOD, 850.0 + n), (ROOF_A1, GOOD, 860.0 + n)]) for n in range(3)]
    driver.late(SAMPLE, old)
    driver.late(EVENT, [driver.event("alarm", "o2_low", "came", True)])
    driver.live([(ROOF_A1, GOOD, 885.0), (ROOF_B1, GOOD, 886.0), (ROOF_LINK, GOOD, True), (PUMP, GOOD, 1.0)])
    # A clock that jumps back.
    driver.clock.ms -= 3600000
    driver.live([(T_FURNACE, GOOD, 881.0)], [(T_FURNACE, GOOD, 882.0)])
    driver.hear(NODE % "NCMD", written("Node Control/Rebirth", True))
    driver.live([(T_FURNACE, GOOD, 883.0)])
    driver.publish(driver.speaker.replies(b'{"session": {"v": 1, "nonce": "5f0c"}}'))
    driver.hear(NODE % "NCMD", written("Node Control/Command", '{"v":1,"do":"acknowledge"}'))
    driver.publish(driver.speaker.replies(b'{"v": 1, "answer": "accepted"}'))
    driver.hear(NODE % "NCMD", written("Node Control/Rebirth", True))
    driver.live([(T_FURNACE, GOOD, 884.0), (PUMP, GOOD, 3.0)])
    driver.disconnect()
    return driver


def restarts():
    """Lost connections, a restart of the reporter, and bdSeq once around."""
    store = {}
    driver = Driver(store=store)
    driver.sample(FIRST)
    driver.connect()
    driver.live([(T_FURNACE, GOOD, 880.0)])
    driver.lose()
    driver.connect()
    driver.live([(T_FURNACE, GOOD, 881.0)])
    driver.hear(NODE % "NCMD", written("Node Control/Rebirth", True))
    driver.lose()
    lines = driver.lines
    driver = Driver(store=store)  # kill -9
    driver.lines = lines
    driver.sample(FIRST)
    for _ in range(257):
        driver.connect()
        driver.lose()
    driver.connect()
    driver.live([(T_FURNACE, GOOD, 882.0)])
    driver.disconnect()
    return driver


def primary_host():
    """A host that is waited for, comes, goes, and is away on one broker while it is there on the next."""
    driver = Driver({"primary_host": "scada"})
    driver.sample(FIRST)
    driver.connect()
    driver.hear("spBv1.0/STATE/other", state(True, START_MS), True)
    driver.hear(HOST, b"ONLINE", True)
    driver.hear(HOST, state(False, START_MS), True)  # disconnects: the next broker
    driver.connect()
    driver.hear(HOST, state(True, START_MS + 10), True)
    driver.live([(T_FURNACE, GOOD, 880.0)])
    driver.hear(HOST, state(False, START_MS + 9))  # older than the online one
    driver.live([(T_FURNACE, GOOD, 881.0)])
    driver.hear(HOST, state(True, START_MS + 20))
    driver.live([(T_FURNACE, GOOD, 882.0)])
    driver.hear(HOST, state(False, START_MS + 20))
    driver.connect()
    driver.hear(HOST, state(True, START_MS + 5), True)  # this broker's first: it counts
    driver.live([(T_FURNACE, GOOD, 883.0)])
    driver.disconnect()
    return driver


def typed():
    """With the datatype in data."""
    driver = Driver({"datatype_in_data": True, "group": "G", "edge_node": "E"})
    driver.sample(FIRST)
    driver.connect()
    driver.live([(T_FURNACE, GOOD, 880.0), (ROOF_A1, GOOD, 880.0), (STROKES, GOOD, 5), (TRIP, GOOD, True),
                 (MODE, GOOD, "off")])
    driver.late(SAMPLE, [driver.sample([(T_FURNACE, GOOD, 881.0)], synced=False)])
    driver.late(EVENT, [driver.event("alarm", "a", "came", True)])
    driver.live([(T_FURNACE, GOOD, 882.0)])
    driver.disconnect()
    return driver


SESSIONS = (("long", long_session), ("restarts", restarts), ("primary_host", primary_host), ("typed", typed))


def main():
    for name, conduct in SESSIONS:
        print("# " + name)
        for line in conduct().lines:
            print(line)


if __name__ == "__main__":
    main()
