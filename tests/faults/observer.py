"""Keeps the books on what arrives at a broker: which records, how often, and what is missing.

An independent MQTT client (paho-mqtt) with a session of its own. Plain JSON names every entry by (box, lane,
id) and by the node's (boot, seq); Sparkplug B by the value of the metric ``counter`` and its time.
"""

import collections
import json
import re

from tests.node.report.brokers import Subscriber
from tests.node.report.speakers import sparkplug_b

LOSS = re.compile(r"(\d+) (samples|events), ids (\d+)\.\.(\d+), t (\d+)\.\.(\d+)(?:, box (\w+))?$")


class Books:
    """What the messages of plain JSON, each given to ``take``, amount to."""

    def __init__(self):
        self.entries = collections.Counter()  # (box, lane, id) -> how often
        self.contents = {}  # (box, lane, id) -> (boot, seq)
        self.contradictions = []  # the same name, another content
        self.seqs = collections.defaultdict(collections.Counter)  # boot -> seq -> how often
        self.losses = []  # (name, count, what, first id, last id)
        self.told_ids = collections.defaultdict(list)  # (box, lane) -> [(first id, last id)] told to be gone
        self.lost_by_node = 0  # before they reached the outbox, as the node told
        self.order = []  # (lane, id, when it was taken) as they came
        self.states = []
        self.messages = 0  # with samples or an event
        self.alarms = set()  # (boot, seq)

    def take(self, topic: str, payload: bytes):
        if "/home_assistant/" in topic:
            return  # another speaker says it again
        kind = topic.rsplit("/", 1)[1]
        self.messages += kind in ("samples", "event")
        if kind == "samples":
            content = json.loads(payload)
            for sample in content["samples"]:
                self._note(content["box"], "samples", sample)
        elif kind == "event":
            event = json.loads(payload)
            self._note(event["box"], "event", event)
            if event["kind"] == "loss":
                self._note_loss(event)
            elif event["kind"] == "lost":
                self.lost_by_node += int(event["text"].split(":")[0])
        elif kind == "state":
            self.states.append(payload)

    def _note_loss(self, event):
        found = LOSS.match(event["text"])
        first, last = int(found[3]), int(found[4])
        self.losses.append((event["name"], int(found[1]), found[2], first, last))
        lane = "samples" if found[2] == "samples" else "event"
        self.told_ids[found[7] or event["box"], lane].append((first, last))

    def _note(self, box, lane, item):
        name = (box, lane, item["id"])
        content = (item["boot"], item["seq"])
        if self.contents.setdefault(name, content) != content:
            self.contradictions.append(name)
        if not self.entries[name] and item["boot"]:
            self.seqs[item["boot"]][item["seq"]] += 1
        self.entries[name] += 1
        self.order.append((lane, item["id"], item["t"]))
        if item.get("alarm"):
            self.alarms.add(content)

    def missing(self, boot: int, last_seq: int) -> list:
        """Numbers of the node's records, up to ``last_seq``, that have not come."""
        return [seq for seq in range(1, last_seq + 1) if seq not in self.seqs[boot]]

    def gaps(self) -> dict:
        """boot -> numbers missing before the highest that came."""
        found = {boot: self.missing(boot, max(seqs)) for boot, seqs in self.seqs.items()}
        return {boot: gap for boot, gap in found.items() if gap}

    def came(self) -> set:
        """(boot, seq) of all that came from the node."""
        return {(boot, seq) for boot, seqs in self.seqs.items() for seq in seqs}

    def untold(self) -> list:
        """(box, lane, first id, last id) of the ids before the last that came, neither come nor told gone."""
        found = []
        known = collections.defaultdict(list)
        for box, lane, number in self.entries:
            known[box, lane].append((number, number))
        for (box, lane), ranges in known.items():
            newest = max(last for _, last in ranges)
            reached = 0
            for first, last in sorted(ranges + self.told_ids[box, lane]):
                if reached + 1 < first <= newest:
                    found.append((box, lane, reached + 1, first - 1))
                reached = max(reached, last)
        return found

    def twice(self) -> list:
        """Records of the node that came under two names: a receiver could not tell that they are one."""
        return [(boot, seq) for boot, seqs in self.seqs.items() for seq, count in seqs.items() if count > 1]

    @property
    def duplicates(self) -> int:
        """Entries that came again under their own name."""
        return sum(self.entries.values()) - len(self.entries)

    @property
    def lost(self) -> int:
        """Records that were told to be lost."""
        return self.lost_by_node + sum(count for _, count, _, _, _ in self.losses)


class Observer(Books):
    """``base``: furnace/<site>/<node>, or furnace/<site> for all nodes of a site."""

    def __init__(self, port: int, base: str = "furnace/bench/k1", **access):
        super().__init__()
        self.base = base
        self.subscriber = Subscriber(port, f"{base}/#", **access)

    def read(self):
        """Take in what has come since the last call."""
        messages = self.subscriber.messages
        count = len(messages)
        for topic, payload, _ in messages[:count]:
            self.take(topic, payload)
        del messages[:count]
        return self

    def close(self):
        self.subscriber.close()


class SparkplugObserver:
    """A host that keeps the values of one metric of one device: they name the samples of the feeder."""

    def __init__(self, port: int, group: str = "bench", device: str = "plc", metric: str = "counter"):
        self.values = collections.Counter()
        self.historical = 0
        self.births = 0
        self.deaths = 0
        self.out_of_order = 0  # messages whose seq does not follow
        self._device = device
        self._metric = metric
        self._alias = None
        self._seq = None
        self._read = 0
        self.subscriber = Subscriber(port, f"spBv1.0/{group}/#")

    def read(self):
        """Take in what has come since the last call."""
        messages = self.subscriber.messages
        while self._read < len(messages):
            topic, data, _ = messages[self._read]
            self._read += 1
            words = topic.split("/")
            payload = sparkplug_b.read(data)
            if words[2] == "NDEATH":
                self.deaths += 1
                self._seq = None
                continue
            if words[2] == "NBIRTH":
                self.births += 1
            elif self._seq is not None and payload.seq != (self._seq + 1) % 256:
                self.out_of_order += 1
            self._seq = payload.seq
            if words[4:] == [self._device]:
                self._note(words[2], payload)
        return self

    def _note(self, verb, payload):
        for metric in payload.metrics:
            if verb == "DBIRTH" and metric.name == self._metric:
                self._alias = metric.alias
            elif verb != "DDATA" or metric.alias != self._alias:
                continue
            self.values[sparkplug_b.value(metric)] += 1
            self.historical += metric.is_historical

    def missing(self, count: int) -> list:
        """Samples, of the first ``count``, that have not come."""
        return [number for number in range(count) if number not in self.values]

    @property
    def duplicates(self) -> int:
        return sum(self.values.values()) - len(self.values)

    def close(self):
        self.subscriber.close()
