"""Plain JSON: every payload against its schema, and what the page about the topics says."""

import json
import math
import pathlib
import struct

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from docs import make_mqtt_topics
from edge.node.report import records
from edge.node.report.catalogue import FLOAT, Catalogue, Metric
from edge.node.report.records import EVENT, SAMPLE, Event, Sample
from edge.node.report.speakers.plain import MESSAGE_MAX, Plain
from edge.node.report.speakers.speaker import make, number_text, quote
from tests.node.report.speakers.sparkplug_session import FIRST, METRICS

DOCS = pathlib.Path(make_mqtt_topics.__file__).parent
BASE = "furnace/bishkek/line1"
T_MS = 1760000000000


def schema(name):
    content = json.loads((DOCS / f"{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(content)
    return jsonschema.Draft202012Validator(content)


SCHEMAS = {name: schema(name) for name in ("samples", "event", "catalogue", "telemetry")}


class Clock:
    def utc_ms(self):
        return T_MS


def begun(metrics=METRICS, **settings) -> Plain:
    plain = make("json", "bishkek", "line1", settings, Clock())
    plain.begin(Catalogue(metrics, "bishkek", "line1"), "0badcafe", {}.get, None)
    return plain


def sample(plain, values, seq=1, synced=True):
    return records.decode(records.encode_sample(7, seq, T_MS, 250, synced, plain.catalogue.number, values))


def strict(text):
    """JSON without the extensions that Python's reader would let pass."""
    def refuse(name):
        raise ValueError(name)
    return json.loads(text, parse_constant=refuse)


def only(messages) -> dict:
    (message,) = messages
    assert message[2:4] == (1, False)
    return strict(message[1])


def test_samples_are_as_their_schema_says():
    plain = begun()
    entries = [(4, sample(plain, FIRST)), (9, sample(plain, FIRST[:2], 2, synced=False))]
    (message,) = plain.messages(SAMPLE, entries, False)
    assert (message[0], message[4:]) == (BASE + "/samples", (4, 9))
    content = strict(message[1])
    SCHEMAS["samples"].validate(content)
    first, second = content["samples"]
    assert first == {
        "id": 4, "boot": 7, "seq": 1, "t": T_MS, "up": 250, "sync": True,
        "values": {"t_furnace": 871.25, "loop.steam.set_point": 46.0, "loop.steam.mode": "automatic",
                   "trip.high_temperature": False, "node.mode": "local", "strokes": -7, "roof_a1": 880.5,
                   "roof_b1": None, "device.roof.link": True, "output.feeder": 40.0,
                   "output.feeder.state": "following", "device.feeder.link": True, "pump_speed": 12.5},
        "quality": {"roof_b1": "bad", "output.feeder": "uncertain"},
    }
    assert (second["id"], second["sync"], "quality" in second) == (9, False, False)


def test_samples_of_many_values_become_messages_that_brokers_take():
    plain = begun([Metric(f"zone_{number}_temperature", "degC", FLOAT) for number in range(200)])
    values = [(index, 0, 800.125 + index) for index in range(200)]
    entries = [(number, sample(plain, values, number)) for number in range(11, 61)]
    messages = plain.messages(SAMPLE, entries, True)
    told = [strict(message[1]) for message in messages]
    assert max(len(message[1]) for message in messages) <= MESSAGE_MAX + 100
    assert len(messages) < 30
    ids = [[one["id"] for one in content["samples"]] for content in told]
    assert sum(ids, []) == list(range(11, 61))
    assert [message[4:] for message in messages] == [(few[0], few[-1]) for few in ids]
    for content in told:
        SCHEMAS["samples"].validate(content)


def test_one_sample_that_is_longer_than_a_message_should_be_is_told_alone():
    plain = begun([Metric("n" * 40 + str(number), "degC", FLOAT) for number in range(500)])
    values = [(index, 0, 800.125 + index) for index in range(500)]
    messages = plain.messages(SAMPLE, [(1, sample(plain, values, 1)), (2, sample(plain, values, 2))], True)
    assert [message[4:] for message in messages] == [(1, 1), (2, 2)]
    assert len(strict(messages[1][1])["samples"][0]["values"]) == 500


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
NUMBERS = st.one_of(st.floats(width=32, allow_nan=False, allow_infinity=False),
                    st.integers(-(2**63), 2**63 - 1))


@given(TEXTS, NUMBERS, st.booleans(), st.lists(st.integers(0, 2), min_size=3, max_size=3))
def test_any_values_are_json_within_the_schema(text, number, flag, qualities):
    metrics = [Metric(text or "t", "\n\"\\ü"), Metric("number\t1"), Metric("flag")]
    plain = begun(metrics)
    entry = sample(plain, [(0, qualities[0], text), (1, qualities[1], number), (2, qualities[2], flag)])
    content = only(plain.messages(SAMPLE, [(1, entry)], True))
    SCHEMAS["samples"].validate(content)
    said = content["samples"][0]["values"]
    assert list(said) == [metric.name for metric in metrics]
    kept = records.cut(text, 255).decode()
    told = [value if quality < 2 else None
            for value, quality in zip([kept, number, flag], qualities, strict=True)]
    assert [said[metrics[0].name], said["flag"]] == [told[0], told[2]]
    if told[1] is not None:
        assert said["number\t1"] == pytest.approx(number, rel=5e-7, abs=1e-44)
        assert type(said["number\t1"]) is type(number) or float(number).is_integer()
    SCHEMAS["catalogue"].validate(strict(plain.births(T_MS)[1][1]))


@given(TEXTS, TEXTS, TEXTS, st.booleans())
def test_any_event_is_json_within_the_schema(kind, name, text, alarm):
    event = Event(1, 2, T_MS, 5, False, kind, name, text, alarm)
    (message,) = begun().messages(EVENT, [(3, event)], False)
    assert (message[0], message[2:]) == (BASE + "/event", (1, False, 3, 3))
    content = strict(message[1])
    SCHEMAS["event"].validate(content)
    assert content == {"v": 2, "box": "0badcafe", "id": 3, "boot": 1, "seq": 2, "t": T_MS, "up": 5,
                       "sync": False, "kind": kind, "name": name, "text": text, "alarm": alarm}


@given(st.floats(width=32))
def test_number_has_the_digits_of_32_bits_and_is_never_nan(number):
    text = number_text(number)
    if not math.isfinite(number):
        assert text == "null"
    else:
        back = struct.unpack("<f", struct.pack("<f", strict(text)))[0] if abs(number) < 3.4e38 else number
        assert back == pytest.approx(number, rel=5e-7, abs=1e-44)
        assert len(text) <= 13


@given(TEXTS)
def test_quoted_text_is_json(text):
    assert strict(quote(text)) == text


def test_each_event_is_a_message_of_its_own():
    events = [(number, Event(1, number, T_MS, 5, True, "a", "b", "c", False)) for number in (3, 4, 8)]
    messages = begun().messages(EVENT, events, True)
    assert [message[4:] for message in messages] == [(3, 3), (4, 4), (8, 8)]


def test_births_say_online_and_what_there_is():
    metrics = [Metric("a", "degC", low=0.0, high=900.5), Metric("b", device="roof", writable=True)]
    state, catalogue = begun(metrics).births(T_MS)
    assert state == (BASE + "/state", b"online", 1, True)
    assert catalogue[0] == BASE + "/catalogue" and catalogue[2:] == (1, True)
    content = strict(catalogue[1])
    SCHEMAS["catalogue"].validate(content)
    assert content["metrics"] == [{"name": "a", "type": "float", "unit": "degC", "low": 0, "high": 900.5},
                                  {"name": "b", "type": "float", "device": "roof", "writable": True}]


def test_will_and_goodbye_say_offline():
    offline = (BASE + "/state", b"offline", 1, True)
    assert begun().before_connect() == offline
    assert begun().goodbye(T_MS) == [offline]


def test_commands_are_heard_only_where_the_node_file_allows_them():
    assert begun().subscriptions() == []
    plain = begun(commands=True)
    assert plain.subscriptions() == [(BASE + "/command", 1)]
    assert plain.heard(BASE + "/command", b"{}", True) == [("command", b"{}", True)]
    assert plain.heard(BASE + "/other", b"{}", False) == []
    assert plain.heard(BASE + "/command", bytes(5000), False) == []
    assert plain.refused == 2 and "5000 bytes" in plain.last_error


def test_session_is_retained_and_an_answer_is_not():
    session, answer = b'{"session": {"nonce": "5f0c"}}', b'{"v": 1, "accepted": true}'
    assert begun().replies(session) == [(BASE + "/session", session, 1, True)]
    assert begun().replies(answer) == [(BASE + "/answer", answer, 1, False)]


def test_records_of_an_earlier_catalogue_keep_their_names():
    before = Catalogue([Metric("old", "", FLOAT), Metric("older", "", FLOAT)], "bishkek", "line1")
    plain = begun()
    plain.catalogue_of = lambda number: before if number == before.number else None
    old = Sample(1, 1, T_MS, 0, True, before.number, [(0, 0, 1.5), (1, 0, 2.5), (7, 0, 3.5)])
    entries = [(1, old), (2, sample(plain, [(0, 0, 9.5)])), (3, old)]
    said = only(plain.messages(SAMPLE, entries, True))["samples"]
    assert [entry["values"] for entry in said] == [
        {"old": 1.5, "older": 2.5}, {"t_furnace": 9.5}, {"old": 1.5, "older": 2.5}]


def test_records_of_an_unknown_catalogue_are_counted():
    plain = begun()
    unknown = Sample(1, 1, T_MS, 0, True, 5, [(0, 0, 1.5), (1, 0, 2.5)])
    assert plain.messages(SAMPLE, [(1, unknown)], True) == []
    assert plain.untold == 2
    known = sample(plain, [(0, 0, 9.5)])
    assert len(only(plain.messages(SAMPLE, [(1, unknown), (2, known)], True))["samples"]) == 1


def test_a_speaker_of_no_known_kind_is_refused():
    with pytest.raises(ValueError, match="'xml', expected one of: json, sparkplug, home_assistant"):
        make("xml", "s", "n", {}, Clock())


# The page and its payloads ------------------------------------------------------------------


def test_page_of_the_topics_is_made_from_the_code():
    page = make_mqtt_topics.PAGE.read_text(encoding="utf-8")
    assert page == make_mqtt_topics.page(), "python docs/make_mqtt_topics.py makes it again"


def test_payloads_of_the_page_are_as_their_schemas_say():
    payloads = make_mqtt_topics.example()
    for name in ("samples", "event", "catalogue"):
        SCHEMAS[name].validate(strict(payloads[name]))


@pytest.mark.parametrize(("name", "break_it"), [
    ("samples", lambda content: content["samples"][0].pop("id")),
    ("samples", lambda content: content.update(v=1)),
    ("samples", lambda content: content["samples"][0].update(quality={"x": "good"})),
    ("samples", lambda content: content["samples"][0]["values"].update(x=[1])),
    ("samples", lambda content: content.update(samples=[])),
    ("samples", lambda content: content.update(box="BEEF")),
    ("event", lambda content: content.update(extra=1)),
    ("event", lambda content: content.update(alarm="yes")),
    ("event", lambda content: content.pop("text")),
    ("catalogue", lambda content: content["metrics"][0].update(type="double")),
])
def test_schema_refuses_what_is_not_so(name, break_it):
    content = strict(make_mqtt_topics.example()[name])
    break_it(content)
    assert not SCHEMAS[name].is_valid(content)


def test_sizes_that_the_page_tells():
    sizes = dict(make_mqtt_topics.sizes())
    assert abs(sizes["Sparkplug: alias and timestamp"] - 323) <= 0.05 * 323
    assert sizes["plain JSON, alone in its message"] < 534
