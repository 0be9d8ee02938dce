"""A Sparkplug B 3.0 edge node with its instruments as devices. What it owes: docs/sparkplug-assertions.md.

The group is the site, the edge node the node, a device each [device.X] of the node file with its signals and
outputs; what belongs to none of them (calculations, loops, trips, alarms) is the edge node's own. Names are
those of the catalogue with / for the dot.

A value that is bad is null with the property Quality = 0 (bad), one that is uncertain has Quality = 500
(stale); no such property says good. What has not changed is not said again. A device whose link is lost gets
a DDEATH, and a DBIRTH when it answers again; what is known of it meanwhile follows the DBIRTH as historical.
Sparkplug has no events: they are the String metric "Node Info/Event", in the JSON of the topic <base>/event.

Data is QoS 0, so nobody says that it has arrived: the sender publishes the barrier (<base>/barrier, empty,
QoS 1, outside of Sparkplug's namespace) after it on the same connection, which a broker works in order.

``settings``: "group", "edge_node" (site and node where absent), "primary_host" (id of the host to wait for),
"datatype_in_data" (bool: for decoders that need it), "commands" (bool: whether commands are listened to).
Commands are the JSON of docs/commands.md, written to "Node Control/Command"; nothing else is writable.
"""

import json

from edge.node.report.records import BAD, EVENT
from edge.node.report.speakers import protobuf
from edge.node.report.speakers import sparkplug_metrics as words
from edge.node.report.speakers.speaker import (
    HEARD_MAX,
    SPARKPLUG,
    Latest,
    Speaker,
    event_json,
    is_session,
    quote,
)

NAMESPACE = "spBv1.0/"
BD_SEQ_KEY = "sparkplug.bdseq"

MESSAGE_MAX = 8000  # bytes of metrics after which a message is closed
HELD_MAX = 200  # values held for a device that does not answer
NAME_MAX = 64  # characters of a name from afar that are passed on


class Sparkplug(Speaker):
    """See above. ValueError for a group, edge node, host or device whose name can't be part of a topic."""

    name = SPARKPLUG
    acknowledged = False
    carried = (BD_SEQ_KEY,)

    def __init__(self, base: str, site: str, node: str, settings: dict, clock):
        super().__init__(base, site, node, settings, clock)
        self.group = settings.get("group") or site
        self.edge_node = settings.get("edge_node") or node
        self.primary_host = settings.get("primary_host")
        for text in (self.group, self.edge_node, self.primary_host or "-"):
            words.check_id(text)
        self.latest = None
        self._commands = bool(settings.get("commands"))
        self._bd_seq = -1
        self._seq = -1
        self._born = False  # on this connection
        self._host_online = None
        self._host_ms = -1
        self._session = self._answer = b""
        self._held = []  # by device: what became known while it did not answer
        self._out = []

    def begin(self, catalogue, epoch: str, recall, keep):
        super().begin(catalogue, epoch, recall, keep)
        if self.latest is None or self.latest.number != catalogue.number:
            self.latest = Latest(catalogue)
        self._words = words.Vocabulary(catalogue, bool(self.settings.get("datatype_in_data")))
        self._devices = self._words.devices
        count = len(self._devices)
        self._alive = [True] * count
        for held in self._held:
            self.untold += len(held)
        self._held = [[] for _ in range(count)]
        self._groups = [[] for _ in range(count)]  # metrics of the message that is being made
        self._sizes = [0] * count
        self._newest_ms = [0] * count
        self._told = [None] * len(catalogue.metrics)
        self._told_synced = None
        self._born_sample = self._born_event = 0

    def observe(self, record, number: int):
        self.latest.observe(record, number)

    def known(self) -> bool:
        return self.latest.unseen == 0

    def ready(self) -> bool:
        return not self.node_silent and (self.primary_host is None or self._host_online is True)

    # The session ----------------------------------------------------------------------------

    def before_connect(self) -> tuple:
        """The will: NDEATH with a bdSeq one higher than that of the last CONNECT, also over a restart."""
        last = self.recall(BD_SEQ_KEY)
        try:
            self._bd_seq = (int(last) + 1) & 0xFF if last is not None else 0
        except ValueError:
            self._bd_seq = 0
        self.keep(BD_SEQ_KEY, b"%d" % self._bd_seq)
        # Each broker retains a STATE of its own, so the first one on a connection counts.
        self._host_online = None
        self._host_ms = -1
        self._born = False
        return self._topic("NDEATH"), words.death(self.clock.utc_ms(), self._bd_seq), 1, False

    def subscriptions(self) -> list:
        topics = [(self._topic("NCMD"), 1)]
        if self._commands:
            topics += [(self._topic("DCMD", device), 1) for device in self._devices if device]
        if self.primary_host is not None:
            topics.append((NAMESPACE + "STATE/" + self.primary_host, 1))
        return topics

    def births(self, t_ms: int) -> list:
        self._seq = -1
        self._born = True
        self._out = []
        latest = self.latest
        self._told = list(latest.values)
        self._told_synced = latest.synced
        self._born_sample = latest.sample_id
        self._born_event = latest.event_id
        for place in range(len(self._devices)):
            self._groups[place] = []
            self._sizes[place] = 0
            self._newest_ms[place] = 0
            self._alive[place] = place == 0 or self._answers(place)
        for place, alive in enumerate(self._alive):
            if alive:
                self._birth(place, t_ms)
        for place, alive in enumerate(self._alive):
            if alive and self._held[place]:
                self._release(place, t_ms)
        return [(topic, payload, 0, False) for topic, payload in self._out]

    def goodbye(self, t_ms: int) -> list:
        self._born = False
        return [(self._topic("NDEATH"), words.death(t_ms, self._bd_seq), 1, False)]

    def replies(self, payload: bytes) -> list:
        if is_session(payload):
            self._session = payload
            which = words.SESSION
        else:
            self._answer = payload
            which = words.ANSWER
        if not (self._born and self._commands):
            return []
        self._out = []
        now_ms = self.clock.utc_ms()
        body = self._words.own(which, now_ms, protobuf.string_bytes(payload))
        self._emit(self._topic("NDATA"), [protobuf.metric(body)], now_ms)
        return [(topic, data, 0, False) for topic, data in self._out]

    # Data -----------------------------------------------------------------------------------

    def messages(self, lane: int, entries: list, historical: bool) -> list:
        if not self._born:
            raise ValueError("sparkplug: data before the births of this connection")
        if not entries:
            return []
        self._out = []
        now_ms = self.clock.utc_ms()
        for number, record in entries:
            if lane == EVENT:
                self._add_event(number, record, historical or number <= self._born_event, now_ms)
            elif historical or number <= self._born_sample:
                self._add_old(record, now_ms)
            else:
                self._add_new(record, now_ms)
        for place in range(len(self._devices)):
            self._flush(place, now_ms)
        first, last = entries[0][0], entries[-1][0]
        return [(topic, payload, 0, False, first, last) for topic, payload in self._out]

    def _add_new(self, sample, now_ms: int):
        here = self._words.indices(sample, self.catalogue_of)
        t_ms = sample.t_ms
        stamp = protobuf.timestamp(t_ms)
        told = self._told
        if sample.synced != self._told_synced:
            self._told_synced = sample.synced
            data = protobuf.boolean_value(sample.synced)
            self._append(0, self._words.own(words.SYNCHRONISED, t_ms, data), t_ms, now_ms)
        touched = []
        late = []
        for index, quality, value in sample.values:
            if here is not None:
                index = here[index] if index < len(here) else -1
            if index < 0 or index >= len(told):
                self.untold += 1
                continue
            before = told[index]
            if before is not None and before[1] == quality and before[2] == value:
                continue
            told[index] = (t_ms, quality, value)
            place = self._words.places[index]
            if place and place not in touched:
                touched.append(place)
            if self._alive[place]:
                self._append(place, self._words.body(index, stamp, quality, value, b""), t_ms, now_ms)
            else:
                body = self._words.body(index, stamp, quality, value, protobuf.HISTORICAL)
                late.append((place, body))
        for place in touched:
            answers = self._answers(place)
            if answers and not self._alive[place]:
                self._alive[place] = True
                late = [entry for entry in late if entry[0] != place]  # the DBIRTH has them
                self._birth(place, now_ms)
                self._release(place, now_ms)
            elif self._alive[place] and not answers:
                self._flush(place, now_ms)
                self._emit(self._topic("DDEATH", self._devices[place]), [], now_ms)
                self._alive[place] = False
        for place, body in late:
            if len(self._held[place]) < HELD_MAX:
                self._held[place].append(body)
            else:
                self.untold += 1

    def _add_old(self, sample, now_ms: int):
        here = self._words.indices(sample, self.catalogue_of)
        stamp = protobuf.timestamp(sample.t_ms)
        for index, quality, value in sample.values:
            if here is not None:
                index = here[index] if index < len(here) else -1
            if index < 0 or index >= len(self._told):
                self.untold += 1
                continue
            body = self._words.body(index, stamp, quality, value, protobuf.HISTORICAL)
            self._append(self._words.places[index], body, 0, now_ms)

    def _add_event(self, number: int, event, historical: bool, now_ms: int):
        data = protobuf.string_value(event_json(self.epoch, number, event))
        flag = protobuf.HISTORICAL if historical else b""
        body = self._words.own(words.EVENT, event.t_ms, data, flag)
        self._append(0, body, 0 if historical else event.t_ms, now_ms)

    def _append(self, place: int, body: bytes, t_ms: int, now_ms: int):
        """``t_ms``: 0 for what is historical, which may come in any order."""
        if self._sizes[place] > MESSAGE_MAX or (t_ms and t_ms < self._newest_ms[place]):
            self._flush(place, now_ms)
        if t_ms:
            self._newest_ms[place] = t_ms
        self._groups[place].append(protobuf.metric(body))
        self._sizes[place] += len(body) + 2

    def _flush(self, place: int, now_ms: int):
        metrics = self._groups[place]
        self._newest_ms[place] = 0
        if not metrics:
            return
        self._groups[place] = []
        self._sizes[place] = 0
        if place == 0:
            self._emit(self._topic("NDATA"), metrics, now_ms)
            return
        device = self._devices[place]
        # History of a device that does not answer now: only a device that was born may speak.
        if not self._alive[place]:
            self._birth(place, now_ms)
        self._emit(self._topic("DDATA", device), metrics, now_ms)
        if not self._alive[place]:
            self._emit(self._topic("DDEATH", device), [], now_ms)

    def _release(self, place: int, now_ms: int):
        held = self._held[place]
        self._held[place] = []
        for body in held:
            self._append(place, body, 0, now_ms)
        self._flush(place, now_ms)

    def _birth(self, place: int, now_ms: int):
        metrics = []  # with their time first, for the chronological order that a birth must have
        for index, its_place in enumerate(self._words.places):
            if its_place == place:
                t_ms, quality, value = self._told[index] or (now_ms, -1, None)
                metrics.append((t_ms, len(metrics), self._words.definition(index, t_ms, quality, value)))
        if place == 0:
            for t_ms, body in self._own_metrics(now_ms):
                metrics.append((t_ms, len(metrics), body))
        metrics.sort()
        topic = self._topic("DBIRTH", self._devices[place]) if place else self._topic("NBIRTH")
        self._emit(topic, [protobuf.metric(body) for _, _, body in metrics], now_ms)

    def _own_metrics(self, now_ms: int) -> list:
        """[(t_ms, definition)] of what the NBIRTH has besides the catalogue."""
        own = [
            (words.BD_SEQ, now_ms, protobuf.integer_value(self._bd_seq)),
            (words.SYNCHRONISED, now_ms, protobuf.boolean_value(bool(self._told_synced))),
        ]
        event = self.latest.event
        if event is None:
            own.append((words.EVENT, now_ms, b""))
        else:
            text = event_json(self.epoch, self.latest.event_id, event)
            own.append((words.EVENT, event.t_ms, protobuf.string_value(text)))
        if self._commands:
            own.append((words.COMMANDS, now_ms, b""))
            for which, payload in ((words.SESSION, self._session), (words.ANSWER, self._answer)):
                own.append((which, now_ms, protobuf.string_bytes(payload) if payload else b""))
        own = [(t_ms, self._words.own_definition(which, t_ms, data)) for which, t_ms, data in own]
        own.append((now_ms, words.rebirth_definition(now_ms)))
        return own

    def _answers(self, place: int) -> bool:
        """Whether a device is there: by its link, or else by a value of it that isn't bad."""
        link = self._words.links[place]
        if link >= 0 and self._told[link] is not None:
            return self._told[link][2] is True
        seen = False
        for index, its_place in enumerate(self._words.places):
            if its_place == place and self._told[index] is not None:
                if self._told[index][1] != BAD:
                    return True
                seen = True
        return not seen

    def _emit(self, topic: str, metrics: list, now_ms: int):
        self._seq = (self._seq + 1) & 0xFF
        self._out.append((topic, protobuf.payload(now_ms, metrics, self._seq)))

    def _topic(self, verb: str, device: str = "") -> str:
        topic = NAMESPACE + self.group + "/" + verb + "/" + self.edge_node
        return topic + "/" + device if device else topic

    # What comes back ------------------------------------------------------------------------

    def heard(self, topic: str, payload: bytes, retain: bool) -> list:
        if len(payload) > HEARD_MAX:
            return self.refuse("%d bytes on %s, at most %d" % (len(payload), topic, HEARD_MAX))
        if self.primary_host is not None and topic == NAMESPACE + "STATE/" + self.primary_host:
            return self._heard_state(payload)
        device = None
        if topic == self._topic("NCMD"):
            device = ""
        else:
            for known in self._devices:
                if known and topic == self._topic("DCMD", known):
                    device = known
        if device is None:
            return self.refuse("heard on " + topic)
        try:
            metrics = protobuf.decode(payload).metrics
        except ValueError as error:
            return self.refuse(str(error))
        actions = []
        for metric in metrics:
            for action in self._heard_metric(device, metric, retain):
                if action not in actions:
                    actions.append(action)
        return actions

    def _heard_metric(self, device: str, metric, retain: bool) -> list:
        name = metric.name
        if name is None and metric.alias is not None:
            name = self._words.name_of(metric.alias)
        if name is None:
            return self.refuse("a command without a name")
        if device == "" and name == words.REBIRTH:
            if retain or metric.value is not True:
                return self.refuse("a rebirth request that is retained or not true")
            return [("rebirth",)]
        if not self._commands:
            return self.refuse("'%s' written, but the node takes no commands" % name[:NAME_MAX])
        if device == "" and name == words.COMMAND:
            if not isinstance(metric.value, str):
                return self.refuse("a command that is no text")
            return [("command", metric.value.encode(), retain)]
        if device == "" and name.startswith("Node "):
            return self.refuse("'%s' is not for writing" % name[:NAME_MAX])
        # The node refuses it, and says why, to whoever asked.
        order = '{"v":1,"write":' + quote(name[:NAME_MAX].replace("/", ".")) + "}"
        return [("command", order.encode(), retain)]

    def _heard_state(self, payload: bytes) -> list:
        try:
            state = json.loads(payload)
        except (ValueError, RuntimeError) as error:  # nested too deep is a RuntimeError
            return self.refuse("STATE of the primary host is no JSON: %s" % error)
        online = state.get("online") if isinstance(state, dict) else None
        t_ms = state.get("timestamp") if isinstance(state, dict) else None
        if not isinstance(online, bool) or isinstance(t_ms, bool) or not isinstance(t_ms, int) or t_ms < 0:
            return self.refuse("STATE of the primary host lacks online or timestamp")
        if t_ms < self._host_ms:
            return self.refuse("STATE of the primary host is older than the one before")
        self._host_ms = t_ms
        if online and self._host_online:
            return []
        self._host_online = online
        return [("host", online)]
