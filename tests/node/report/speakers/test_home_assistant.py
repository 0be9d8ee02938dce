"""Home Assistant: the discovery against the documented format, and when what is published."""

import json
import re

import pytest

from edge.node.report import records
from edge.node.report.catalogue import BOOLEAN, FLOAT, INTEGER, TEXT, Catalogue, Metric
from edge.node.report.records import EVENT, SAMPLE
from edge.node.report.speakers import home_assistant
from edge.node.report.speakers.speaker import make
from tests.node.report.speakers import home_assistant_format as documented
from tests.node.report.speakers.sparkplug_session import FIRST, METRICS, T_FURNACE, TRIP

OWN = "furnace/bishkek/line1/home_assistant/"
CONFIG = "homeassistant/device/furnace-bishkek-line1/config"
T_MS = 1760000000000


def begun(metrics=METRICS, store=None, **settings):
    speaker = make("home_assistant", "bishkek", "line1", settings, None)
    store = {} if store is None else store
    speaker.begin(Catalogue(metrics, "bishkek", "line1"), "0badcafe", store.get, store.__setitem__)
    return speaker


def observe(speaker, values, number=1):
    item = records.decode(records.encode_sample(7, number, T_MS, 250, True, speaker.catalogue.number, values))
    speaker.observe(item, number)
    return number, item


def born(**settings):
    speaker = begun(**settings)
    observe(speaker, FIRST)
    return speaker, {message[0]: message for message in speaker.births(T_MS)}


def discovery(speaker) -> dict:
    (payload,) = [message[1] for message in speaker.births(T_MS) if message[0].endswith("/config")]
    return documented.check(CONFIG, json.loads(payload))


def test_discovery_is_as_documented():
    speaker, births = born()
    assert births[CONFIG][2:] == (1, True)
    full = discovery(speaker)
    assert full["availability_topic"] == OWN + "availability"
    assert full["state_topic"] == OWN + "state"
    assert "command_topic" not in full
    entities = full["components"]
    assert entities["t_furnace"] == {
        "platform": "sensor", "name": "t furnace", "unique_id": "furnace-bishkek-line1-t_furnace",
        "value_template": "{{ value_json['t_furnace'] }}", "state_class": "measurement",
        "unit_of_measurement": "°C", "device_class": "temperature"}
    assert entities["trip-high_temperature"]["device_class"] == "problem"
    assert entities["device-roof-link"]["device_class"] == "connectivity"
    assert entities["loop-steam-set_point"]["unit_of_measurement"] == "t/h"
    assert "device_class" not in entities["loop-steam-set_point"]
    assert "state_class" not in entities["node-mode"]
    assert len(entities) == len(METRICS) + 1


def test_values_expire_where_they_are_told_regularly_and_the_newest_event_never_does():
    entities = discovery(begun(expire_s=190))["components"]
    expiring = {name for name, entity in entities.items() if entity.get("expire_after") == 190}
    assert expiring == entities.keys() - {"last-event"}
    assert not any("expire_after" in entity for entity in discovery(begun())["components"].values())


def test_a_silent_node_is_unavailable_and_offline_until_it_speaks():
    speaker, _ = born()
    for silent, availability in ((True, b"offline"), (False, b"online")):
        speaker.node_silent = silent
        assert {m[0]: m[1] for m in speaker.births(T_MS)}[OWN + "availability"] == availability


def test_every_unit_that_has_a_class_is_one_of_that_class():
    metrics = [Metric(f"m{number}", unit) for number, unit in enumerate(home_assistant.UNITS)]
    metrics += [Metric("plain", "t/h"), Metric("none", ""), Metric("whole", "", INTEGER)]
    entities = discovery(begun(metrics))["components"]
    assert {entity["device_class"] for entity in entities.values() if "device_class" in entity} == {
        kind for _, kind in home_assistant.UNITS.values()}


def test_prefix_and_odd_names():
    speaker = make("home_assistant", "süd ost", "line.1", {"prefix": "ha"}, None)
    catalogue = Catalogue([Metric("a.b"), Metric("a_b")], "süd ost", "line.1")
    speaker.begin(catalogue, "e", {}.get, lambda *_: None)
    topic, payload, *_ = speaker.births(T_MS)[0]
    assert topic == "ha/device/furnace-s_d_ost-line-1/config"
    assert {"a-b", "a_b"} <= documented.check(topic, json.loads(payload))["components"].keys()
    assert speaker.subscriptions() == [("ha/status", 1)]


def test_each_template_finds_its_value_in_the_state():
    speaker, births = born()
    state = json.loads(births[OWN + "state"][1])
    for name, entity in discovery(speaker)["components"].items():
        if name != "last-event":
            (key,) = re.fullmatch(r"\{\{ value_json\['([^']+)'\] \}\}", entity["value_template"]).groups()
            assert key in state
    assert (state["roof_b1"], state["t_furnace"], state["trip.high_temperature"]) == (None, 871.25, False)


def test_a_boolean_is_shown_as_its_payloads_say():
    """A template renders a boolean as Python writes it."""
    entity = discovery(born()[0])["components"]["trip-high_temperature"]
    assert (entity["payload_on"], entity["payload_off"]) == (str(True), str(False))


def test_availability():
    speaker, births = born()
    assert speaker.before_connect() == (OWN + "availability", b"offline", 1, True)
    assert births[OWN + "availability"] == (OWN + "availability", b"online", 1, True)
    assert speaker.goodbye(T_MS) == [(OWN + "availability", b"offline", 1, True)]


def test_many_samples_are_one_message_of_the_newest():
    speaker, _ = born()
    entries = [observe(speaker, [(T_FURNACE, 0, 800.0 + number)], number) for number in range(2, 60)]
    (message,) = speaker.messages(SAMPLE, entries, False)
    assert message[0] == OWN + "state" and message[2:] == (1, False, 2, 59)
    assert json.loads(message[1])["t_furnace"] == 859.0
    assert speaker.messages(SAMPLE, [], False) == []


def test_an_alarm_is_urgent_once():
    speaker, _ = born()
    assert not speaker.urgent
    observe(speaker, [(T_FURNACE, 0, 1.0), (TRIP, 0, False)], 2)
    assert not speaker.urgent
    entry = observe(speaker, [(TRIP, 0, True)], 3)
    assert speaker.urgent
    speaker.messages(SAMPLE, [entry], False)
    assert not speaker.urgent
    assert speaker.period_ms == 5000


def test_newest_event_is_told():
    speaker, _ = born()
    event = records.decode(records.encode_event(7, 9, T_MS, 250, True, "trip", "t", "tripped at 1", True))
    assert speaker.messages(EVENT, [(1, event)], False) == []  # it has not seen any
    speaker.observe(event, 4)
    ((topic, payload, qos, retain, first, last),) = speaker.messages(EVENT, [(2, event), (4, event)], True)
    assert (topic, qos, retain, first, last) == (OWN + "event", 1, False, 2, 4)
    assert json.loads(payload)["text"] == "tripped at 1"
    assert OWN + "event" in [message[0] for message in speaker.births(T_MS)]


@pytest.mark.parametrize(("payload", "retain", "actions"), [
    (b"online", False, [("births",)]), (b"online", True, []), (b"offline", False, []), (b"", False, []),
])
def test_status_of_home_assistant(payload, retain, actions):
    assert begun().heard("homeassistant/status", payload, retain) == actions


def test_other_topics_are_refused():
    speaker = begun()
    assert speaker.heard("homeassistant/other", b"online", False) == []
    assert speaker.refused == 1


def test_what_is_gone_from_the_node_file_is_removed():
    store = {}
    begun([Metric("a"), Metric("b", "", BOOLEAN), Metric("c", "", TEXT)], store)
    speaker = begun([Metric("a"), Metric("d")], store)
    entities = discovery(speaker)["components"]
    assert entities["b"] == {"platform": "binary_sensor"} and entities["c"] == {"platform": "sensor"}
    # Once it has been forgotten, nothing more is said of it; what comes back is an entity again.
    entities = discovery(begun([Metric("a"), Metric("d")], store))["components"]
    assert entities.keys() == {"a", "d", "last-event"}
    other = Catalogue([Metric("c", "", TEXT), Metric("a")], "s", "n")
    speaker.begin(other, "e", store.get, store.__setitem__)
    entities = discovery(speaker)["components"]
    assert "unique_id" in entities["c"] and entities["d"] == {"platform": "sensor"}


def test_what_is_gone_is_removed_by_the_next_that_gets_through():
    store = {}
    begun([Metric("a"), Metric("b")], store)
    begun([Metric("a")], store)  # no broker, then another start
    assert discovery(begun([Metric("a")], store))["components"]["b"] == {"platform": "sensor"}


def test_metric_that_has_become_another_kind_of_entity_is_not_removed():
    store = {}
    begun([Metric("a")], store)
    entities = discovery(begun([Metric("a", "", BOOLEAN)], store))["components"]
    assert entities["a"]["platform"] == "binary_sensor" and "unique_id" in entities["a"]


def test_known_when_all_has_been_seen():
    speaker = begun()
    observe(speaker, FIRST[:5])
    assert not speaker.known()
    state = json.loads(speaker.births(T_MS)[2][1])
    assert state["pump_speed"] is None
    observe(speaker, FIRST[5:])
    assert speaker.known()


@pytest.mark.parametrize("break_it", [
    lambda content: content.pop("dev"), lambda content: content.pop("o"), lambda content: content.pop("cmps"),
    lambda content: content["dev"].pop("ids"), lambda content: content.update(unknown=1),
    lambda content: content.pop("stat_t"),
    lambda content: content["cmps"]["t_furnace"].pop("uniq_id"),
    lambda content: content["cmps"]["t_furnace"].pop("p"),
    lambda content: content["cmps"]["t_furnace"].update(unit_of_meas="degC"),
    lambda content: content["cmps"]["t_furnace"].update(pl_on="x"),
    lambda content: content["cmps"]["t_furnace"].update(dev_cla="energy"),
    lambda content: content["cmps"]["t_furnace"].update(stat_cla="mean"),
    lambda content: content["cmps"]["roof_a1"].update(
        uniq_id=content["cmps"]["t_furnace"]["uniq_id"]),
])
def test_the_format_refuses_what_is_not_documented(break_it):
    content = json.loads(born()[1][CONFIG][1])
    documented.check(CONFIG, content)
    break_it(content)
    with pytest.raises((AssertionError, KeyError)):
        documented.check(CONFIG, content)


def test_types_and_classes():
    metrics = [Metric("e", "kWh", FLOAT), Metric("n", "", INTEGER), Metric("x", "", TEXT),
               Metric("b", "", BOOLEAN)]
    entities = discovery(begun(metrics))["components"]
    assert entities["e"]["state_class"] == "total_increasing"
    assert entities["n"]["state_class"] == "measurement"
    assert entities["x"].keys() == {"platform", "name", "unique_id", "value_template"}
    assert "device_class" not in entities["b"]
