"""What a speaker is: it turns stored records into messages of one language, and hears what comes back.

A speaker does no input or output. The sender (edge.node.report.sender) owns the connection and the outbox:

    begin(catalogue, epoch, recall, keep)   before all else, and again when the node has another catalogue
    observe(record, id)                     every record as it is stored: the speaker keeps the newest values
    before_connect()                        the will of the CONNECT that comes next
    subscriptions()                         after the CONNACK
    births(t_ms)                            after the SUBACK, once known() and ready(); after ("rebirth",) too
    messages(lane, entries, historical)     records into messages
    barrier()                               what is sent at QoS 1 after them where acknowledged is False
    heard(topic, payload, retain)           what comes in, into actions
    replies(payload)                        the node's answer to a command
    goodbye(t_ms)                           before an intended DISCONNECT

What births(), messages(), replies() and goodbye() return is sent whole and in that order on the connection
that it was made for; where that can't be done the connection is dropped. A message is (topic, payload, QoS,
retain), from messages() with the first and the last id that it speaks for. [] says that there is nothing to
tell: the entries are done.

Attributes of a speaker:
    name            "json", "sparkplug" or "home_assistant"; also its name in the outbox
    acknowledged    True: data is sent at QoS 1; False: at QoS 0, made sure of by a barrier
    history         False: of many entries only the newest matter
    live_batch, backlog_batch   how many entries messages() takes at once
    period_ms       at least so long between two messages() of samples; ``urgent`` cuts it short
    catalogue_of    function(number) -> Catalogue or None, for records of an earlier catalogue
    untold          values that could not be told: their metric is not in any catalogue, or not of this one
    carried         keys of kept values that count on when another outbox takes over
    refused         messages from afar that were not understood; ``last_error`` says what about the last
    node_silent     the node hangs: births() tell it as offline, or ready() is False until it speaks again

Actions of heard():
    ("rebirth",)                    stop data, send births() anew
    ("births",)                     send births() anew; data need not stop
    ("command", payload, retain)    for edge/node/commands.py
    ("host", online)                the primary host came or went; when it went: goodbye(), disconnect, go on
                                    to the next broker
"""

from edge.node.report.messages import EVENT_VERSION
from edge.node.report.records import EVENT

VERSION = EVENT_VERSION  # of the form of the JSON payloads that are made from records

JSON = "json"
SPARKPLUG = "sparkplug"
HOME_ASSISTANT = "home_assistant"
KINDS = (JSON, SPARKPLUG, HOME_ASSISTANT)

HEARD_MAX = 4096  # bytes of a message from afar
_AWAY = 1.000000000001  # breaks a tie away from 0: runtimes differ in how they round a half


class Speaker:
    """What all speakers share.

    ``base``: furnace/<site>/<node>; ``settings``: the table [report.<name>] of the node file, its keys as
    documented with each speaker; ``clock``: has utc_ms().
    """

    name = ""
    acknowledged = True
    history = True
    live_batch = 8
    backlog_batch = 50
    period_ms = 0
    urgent = False
    carried = ()

    def __init__(self, base: str, site: str, node: str, settings: dict, clock):
        self.base = base
        self.site = site
        self.node = node
        self.settings = settings
        self.clock = clock
        self.catalogue = None
        self.catalogue_of = None
        self.epoch = ""
        self.untold = 0
        self.refused = 0
        self.last_error = ""
        self.node_silent = False
        self.recall = None
        self.keep = None

    def begin(self, catalogue, epoch: str, recall, keep):
        """Start with a catalogue. ``recall(key) -> bytes or None`` and ``keep(key, bytes)`` are durable."""
        self.catalogue = catalogue
        self.epoch = epoch
        self.recall = recall
        self.keep = keep

    def observe(self, record, number: int):
        """Take note of a record that was stored under the id ``number``."""

    def known(self) -> bool:
        """Whether every value that births() tells has been seen."""
        return True

    def ready(self) -> bool:
        """Whether somebody is there to speak to; False holds births and data back."""
        return True

    def before_connect(self) -> tuple:
        raise NotImplementedError

    def subscriptions(self) -> list:
        """[(topic, QoS)]"""
        return []

    def births(self, t_ms: int) -> list:
        return []

    def messages(self, lane: int, entries: list, historical: bool) -> list:
        raise NotImplementedError

    def barrier(self) -> tuple:
        """A message whose PUBACK says that everything sent before it has reached the broker."""
        return self.base + "/barrier", b"", 1, False

    def heard(self, topic: str, payload: bytes, retain: bool) -> list:
        return []

    def replies(self, payload: bytes) -> list:
        """Messages for the node's answer to a command, or for a session: the nonce for those to come."""
        return []

    def goodbye(self, t_ms: int) -> list:
        return []

    def catalogue_for(self, sample):
        """The catalogue that a sample was made with; None, and its values counted, where it is not known."""
        number = sample.catalogue_number
        if number == self.catalogue.number:
            return self.catalogue
        found = None if self.catalogue_of is None else self.catalogue_of(number)
        if found is None:
            self.untold += len(sample.values)
        return found

    def refuse(self, why: str) -> list:
        """Count what was not understood; no action follows from it."""
        self.refused += 1
        self.last_error = self.name + ": " + why
        return []


class Latest:
    """The newest value of each metric, for speakers that tell the whole state."""

    def __init__(self, catalogue):
        self.number = catalogue.number
        self.values = [None] * len(catalogue.metrics)  # (t_ms, quality, value)
        self.unseen = len(self.values)
        self.synced = False
        self.event = None
        self.event_id = 0
        self.sample_id = 0

    def observe(self, record, number: int):
        if record.record_kind == EVENT:
            self.event = record
            self.event_id = number
            return
        self.sample_id = number
        self.synced = record.synced
        if record.catalogue_number != self.number:
            return
        values = self.values
        t_ms = record.t_ms
        for index, quality, value in record.values:
            if index < len(values):
                if values[index] is None:
                    self.unseen -= 1
                values[index] = (t_ms, quality, value)


def make(kind: str, site: str, node: str, settings: dict, clock):
    """The speaker of a kind; its module is only loaded when it is wanted, for the sake of small boards."""
    if kind == JSON:
        from edge.node.report.speakers.plain import Plain as Made
    elif kind == SPARKPLUG:
        from edge.node.report.speakers.sparkplug import Sparkplug as Made
    elif kind == HOME_ASSISTANT:
        from edge.node.report.speakers.home_assistant import HomeAssistant as Made
    else:
        raise ValueError("report: no speaker is named '%s', expected one of: %s" % (kind, ", ".join(KINDS)))
    return Made("furnace/" + site + "/" + node, site, node, settings, clock)


def is_session(payload: bytes) -> bool:
    """Whether what the node replies is a session rather than an answer."""
    return payload.startswith(b'{"session"')


def quote(text: str) -> str:
    """A text as JSON; the same bytes on each runtime, whose json modules escape differently."""
    parts = ['"']
    for char in text:
        code = ord(char)
        if char == '"' or char == "\\":
            parts.append("\\" + char)
        elif code < 32:
            parts.append("\\u%04x" % code)
        else:
            parts.append(char)
    parts.append('"')
    return "".join(parts)


def number_text(value) -> str:
    """A float with 7 significant digits, as many as 32 bits hold; an integer with all of its own."""
    if isinstance(value, float):
        if value - value != 0.0:
            return "null"  # JSON has neither NaN nor infinity
        return "%.7g" % (value * _AWAY)
    return "%d" % value


def value_text(value) -> str:
    """A value of a record as JSON."""
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, str):
        return quote(value)
    return number_text(value)


def bool_text(value) -> str:
    return "true" if value else "false"


def event_json(epoch: str, number: int, event) -> str:
    """An event as all speakers tell it. ``epoch`` and ``number`` (its id) tell duplicates from news."""
    return (
        '{"v":%d,"box":%s,"id":%d,"boot":%d,"seq":%d,"t":%d,"up":%d,"sync":%s,"kind":%s,"name":%s,"text":%s,'
        '"alarm":%s}'
        % (
            VERSION, quote(epoch), number, event.boot, event.seq, event.t_ms, event.up_ms,
            bool_text(event.synced), quote(event.kind), quote(event.name), quote(event.text),
            bool_text(event.alarm),
        )
    )


