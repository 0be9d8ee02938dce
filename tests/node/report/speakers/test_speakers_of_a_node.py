"""The Bishkek line on virtual time, as each speaker tells it: payloads within their schemas and formats."""

import json

import pytest

from edge.box.config import find, load
from edge.emulator.virtual import VirtualRun
from edge.monitor import listen
from edge.node.report import records
from edge.node.report.records import EVENT, SAMPLE
from edge.node.report.speakers.speaker import make
from tests.node.report.speakers import home_assistant_format
from tests.node.report.speakers.assertions import CHECKS, Unseen
from tests.node.report.speakers.test_plain import SCHEMAS, strict
from tests.node.report.speakers.wire import Message, Session, Wire


class Told:
    """What a minute of the line comes to: records with their ids, live messages, the catalogue."""

    def __init__(self):
        raw = []
        self.live = []
        run = VirtualRun("bishkek", load(find("bishkek")), 1, lambda *message: self.live.append(message),
                         raw.append)
        run.run_for(30)
        run.node.stop("the end of the test")
        run.run_for(2)
        self.clock = run.clock
        self.catalogue = run.reporter.catalogue
        self.items = []  # (lane, id, record)
        count = {SAMPLE: 0, EVENT: 0}
        for data in raw:
            item = records.decode(data)
            count[item.record_kind] += 1
            self.items.append((item.record_kind, count[item.record_kind], item))

    def lane(self, lane: int) -> list:
        return [(number, item) for kind, number, item in self.items if kind == lane]

    def speaker(self, kind: str, **settings):
        speaker = make(kind, "bishkek", "line1", settings, self.clock)
        store = {}
        speaker.begin(self.catalogue, "0badcafe", store.get, store.__setitem__)
        return speaker


@pytest.fixture(scope="module")
def told():
    return Told()


def test_plain_payloads_are_within_their_schemas(told):
    plain = told.speaker("json")
    SCHEMAS["catalogue"].validate(strict(plain.births(0)[1][1]))
    messages = plain.messages(SAMPLE, told.lane(SAMPLE), True)
    for message in messages:
        SCHEMAS["samples"].validate(strict(message[1]))
    events = plain.messages(EVENT, told.lane(EVENT), True)
    assert messages and events
    for message in events:
        content = strict(message[1])
        SCHEMAS["event"].validate(content)
        assert {"t", "kind", "name", "text"} <= content.keys()  # what the monitor asks for


def test_telemetry_is_within_its_schema(told):
    payloads = [payload for topic, payload, *_ in told.live if topic.endswith("/telemetry")]
    assert len(payloads) > 20
    for payload in payloads:
        content = strict(payload)
        SCHEMAS["telemetry"].validate(content)
        assert listen.shaped(content)


def test_names_are_those_of_the_catalogue_and_each_is_told(told):
    names = {metric.name for metric in told.catalogue.metrics}
    messages = told.speaker("json").messages(SAMPLE, told.lane(SAMPLE), True)
    samples = [one for message in messages for one in json.loads(message[1])["samples"]]
    said = {name for one in samples for name in one["values"]}
    assert said == names


def test_home_assistant_gets_an_entity_for_everything(told):
    speaker = told.speaker("home_assistant")
    for _, number, item in told.items:
        speaker.observe(item, number)
    assert speaker.known()
    topic, payload, *_ = speaker.births(0)[0]
    full = home_assistant_format.check(topic, json.loads(payload))
    assert len(full["components"]) == len(told.catalogue.metrics) + 1


def test_sparkplug_keeps_its_assertions(told):
    """As the sender conducts it: all is known, births, then each record as it comes."""
    speaker = told.speaker("sparkplug")
    session = Session(True, Message(*speaker.before_connect()))
    session.items += [("subscribe", *topic) for topic in speaker.subscriptions()]
    is_born = False
    for lane, number, item in told.items:
        speaker.observe(item, number)
        if is_born:
            messages = speaker.messages(lane, [(number, item)], False)
        else:
            is_born = speaker.known()
            messages = speaker.births(item.t_ms) if is_born else []
        session.items += [Message(*message[:4]) for message in messages]
    session.items += [Message(*message) for message in speaker.goodbye(told.clock.utc_ms())] + ["disconnect"]
    seen = 0
    for check in dict.fromkeys(CHECKS.values()):
        try:
            check(Wire([session]))
            seen += 1
        except Unseen:
            continue
    assert seen > 50
    devices = {message.device for message in session.of("DBIRTH")}
    assert devices == {metric.device for metric in told.catalogue.metrics if metric.device}
    assert speaker.untold == 0
