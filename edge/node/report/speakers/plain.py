"""Plain JSON topics below furnace/<site>/<node>: docs/mqtt-topics.md, with a JSON schema for each payload.

Out at QoS 1: state ("online"/"offline", retained, the will), catalogue and session (retained), samples,
event, answer. In: command. What is live and not made from records (telemetry, reporter) is published as it
comes: see edge.node.report.messages.

``settings``: "commands" (bool): whether commands are listened to.
"""

from edge.node.report.catalogue import BOOLEAN, FLOAT, INTEGER
from edge.node.report.messages import EVENT as EVENT_TOPIC
from edge.node.report.messages import OFFLINE, ONLINE, STATE
from edge.node.report.records import BAD, EVENT, GOOD
from edge.node.report.speakers.speaker import (
    HEARD_MAX,
    JSON,
    VERSION,
    Speaker,
    bool_text,
    event_json,
    is_session,
    number_text,
    quote,
    value_text,
)

SAMPLES = "samples"
CATALOGUE = "catalogue"
COMMAND = "command"
ANSWER = "answer"
SESSION = "session"

MESSAGE_MAX = 16000  # bytes of samples after which a message is closed: brokers bound what they take


class Plain(Speaker):
    """JSON for programs that know nothing of Sparkplug."""

    name = JSON

    def __init__(self, base: str, site: str, node: str, settings: dict, clock):
        super().__init__(base, site, node, settings, clock)
        self._keys = []  # of the present catalogue and the one last asked for: [number, ['"name":', ...]]

    def begin(self, catalogue, epoch: str, recall, keep):
        super().begin(catalogue, epoch, recall, keep)
        self._keys = []

    def before_connect(self) -> tuple:
        return self.base + "/" + STATE, OFFLINE, 1, True

    def subscriptions(self) -> list:
        if self.settings.get("commands"):
            return [(self.base + "/" + COMMAND, 1)]
        return []

    def births(self, t_ms: int) -> list:
        return [
            (self.base + "/" + STATE, OFFLINE if self.node_silent else ONLINE, 1, True),
            (self.base + "/" + CATALOGUE, self._catalogue(), 1, True),
        ]

    def goodbye(self, t_ms: int) -> list:
        return [(self.base + "/" + STATE, OFFLINE, 1, True)]

    def messages(self, lane: int, entries: list, historical: bool) -> list:
        if lane == EVENT:
            topic = self.base + "/" + EVENT_TOPIC
            return [
                (topic, event_json(self.epoch, number, event).encode(), 1, False, number, number)
                for number, event in entries
            ]
        messages = []
        told = []
        size = first = last = 0
        for number, sample in entries:
            keys = self._keys_for(sample)
            if keys is None:
                continue
            text = _sample(number, sample, keys).encode()
            if told and size + len(text) > MESSAGE_MAX:
                messages.append(self._samples(told, first, last))
                told = []
            if not told:
                first = number
                size = 0
            told.append(text)
            size += len(text)
            last = number
        if told:
            messages.append(self._samples(told, first, last))
        return messages

    def _samples(self, told: list, first: int, last: int) -> tuple:
        head = '{"v":%d,"box":%s,"samples":[' % (VERSION, quote(self.epoch))
        payload = head.encode() + b",".join(told) + b"]}"
        return self.base + "/" + SAMPLES, payload, 1, False, first, last

    def heard(self, topic: str, payload: bytes, retain: bool) -> list:
        if topic != self.base + "/" + COMMAND:
            return self.refuse("heard on " + topic)
        if len(payload) > HEARD_MAX:
            return self.refuse("command of %d bytes, at most %d" % (len(payload), HEARD_MAX))
        return [("command", payload, retain)]

    def replies(self, payload: bytes) -> list:
        if is_session(payload):
            return [(self.base + "/" + SESSION, payload, 1, True)]
        return [(self.base + "/" + ANSWER, payload, 1, False)]

    def _keys_for(self, sample):
        number = sample.catalogue_number
        for known, keys in self._keys:
            if known == number:
                return keys
        catalogue = self.catalogue_for(sample)
        if catalogue is None:
            return None
        keys = [quote(metric.name) + ":" for metric in catalogue.metrics]
        self._keys = self._keys[:1] if self._keys and self._keys[0][0] == self.catalogue.number else []
        self._keys.append((number, keys))
        return keys

    def _catalogue(self) -> bytes:
        # Joined once, of bytes: a board may not have the room for more than one copy in one piece.
        pieces = [('{"v":%d,"box":%s,"metrics":[' % (VERSION, quote(self.epoch))).encode()]
        for index, metric in enumerate(self.catalogue.metrics):
            row = '%s{"name":%s,"type":"%s"' % ("," if index else "", quote(metric.name), _type(metric))
            if metric.unit:
                row += ',"unit":' + quote(metric.unit)
            if metric.device:
                row += ',"device":' + quote(metric.device)
            if metric.low is not None and metric.high is not None:
                row += ',"low":%s,"high":%s' % (number_text(metric.low), number_text(metric.high))
            if metric.writable:
                row += ',"writable":true'
            pieces.append((row + "}").encode())
        pieces.append(b"]}")
        return b"".join(pieces)


def _type(metric) -> str:
    if metric.type == FLOAT:
        return "float"
    if metric.type == INTEGER:
        return "integer"
    return "boolean" if metric.type == BOOLEAN else "text"


def _sample(number: int, sample, keys: list) -> str:
    values = []
    doubts = []
    for index, quality, value in sample.values:
        if index >= len(keys):
            continue
        key = keys[index]
        if quality == GOOD:
            values.append(key + value_text(value))
        else:
            values.append(key + ("null" if quality == BAD else value_text(value)))
            doubts.append(key + ('"bad"' if quality == BAD else '"uncertain"'))
    text = '{"id":%d,"boot":%d,"seq":%d,"t":%d,"up":%d,"sync":%s,"values":{%s}' % (
        number, sample.boot, sample.seq, sample.t_ms, sample.up_ms, bool_text(sample.synced),
        ",".join(values),
    )
    if doubts:
        text += ',"quality":{' + ",".join(doubts) + "}"
    return text + "}"
