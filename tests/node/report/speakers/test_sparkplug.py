"""The Sparkplug speaker where the assertions of the specification do not look, and what it refuses."""

import json

import pytest

from edge.node.report.catalogue import BOOLEAN, FLOAT, INTEGER, TEXT, Catalogue, Metric
from edge.node.report.records import EVENT, SAMPLE, Sample
from edge.node.report.speakers import protobuf
from edge.node.report.speakers.sparkplug_metrics import Vocabulary
from tests.node.report.speakers import sparkplug_b
from tests.node.report.speakers.sparkplug_session import (
    FEEDER,
    FEEDER_LINK,
    FIRST,
    GOOD,
    HOST,
    METRICS,
    NODE,
    PUMP,
    ROOF_A1,
    ROOF_LINK,
    START_MS,
    STROKES,
    T_FURNACE,
    Driver,
    state,
    written,
)
from tests.node.report.speakers.wire import Message


def born(**settings):
    driver = Driver(settings)
    driver.sample(FIRST)
    driver.connect()
    return driver


def read(messages) -> list:
    return [Message(*message[:4]) for message in messages]


def told(messages) -> list:
    """[(verb, device, [(alias, value, historical), ...]), ...]"""
    return [(message.verb, message.device, [(metric.alias, sparkplug_b.value(metric), metric.is_historical)
                                            for metric in message.metrics]) for message in read(messages)]


def live(driver, *samples):
    return driver.speaker.messages(SAMPLE, [driver.sample(values) for values in samples], False)


def test_group_and_edge_node_are_from_the_node_file():
    """They are what makes a descriptor unique; without them site and node do."""
    topic = Driver({"group": "plant 7", "edge_node": "line 3"}).speaker.before_connect()[0]
    assert topic == "spBv1.0/plant 7/NDEATH/line 3"
    assert Driver().speaker.before_connect()[0] == "spBv1.0/bishkek/NDEATH/line1"


@pytest.mark.parametrize("bad", ["a/b", "a+", "#", "a\0"])
def test_ids_that_would_change_a_topic_are_refused(bad):
    for settings in ({"group": bad}, {"edge_node": bad}, {"primary_host": bad}):
        with pytest.raises(ValueError, match="expected a text without"):
            Driver(settings)
    with pytest.raises(ValueError, match="expected a text without"):
        Driver(metrics=[Metric("x", device=bad)])


def test_two_nodes_may_have_devices_of_the_same_name():
    topics = []
    for name in ("line1", "line2"):
        driver = Driver({"edge_node": name})
        driver.sample(FIRST)
        topics += [message[0] for message in driver.speaker.births(START_MS)]
    assert "spBv1.0/bishkek/DBIRTH/line1/roof" in topics and "spBv1.0/bishkek/DBIRTH/line2/roof" in topics


def test_20_metrics_by_alias_and_timestamp_take_323_bytes():
    """The figure of the facts: 16 floats, a text of 8 characters, two whole numbers and a bool."""
    metrics = [Metric(f"signal_{n}", "degC", FLOAT) for n in range(16)]
    metrics += [Metric("mode", "", TEXT), Metric("starts", "", INTEGER), Metric("strokes", "", INTEGER),
                Metric("alarm", "", BOOLEAN)]
    values = [(n, GOOD, 850.5 + n) for n in range(16)]
    values += [(16, GOOD, "followin"), (17, GOOD, 1234), (18, GOOD, 5), (19, GOOD, True)]
    sizes = {}
    for typed in (False, True):
        driver = Driver({"datatype_in_data": typed}, metrics=metrics)
        driver.sample([(index, GOOD, None) for index in range(20)])
        driver.connect()
        (message,) = live(driver, values)
        sizes[typed] = len(message[1])
    assert abs(sizes[False] - 323) <= 0.05 * 323
    assert abs(sizes[True] - 363) <= 0.05 * 363
    assert sizes == {False: 326, True: 366}


def test_values_of_each_type_arrive_as_they_are():
    driver = born()
    message, roof, *_ = read(live(driver, [(T_FURNACE, GOOD, 871.5), (STROKES, GOOD, -(2**63)),
                                           (ROOF_A1, GOOD, -0.5)]))
    by_alias = {metric.alias: metric for metric in message.metrics}
    assert by_alias[T_FURNACE + 1].float_value == 871.5
    assert by_alias[STROKES + 1].long_value == 2**63
    assert roof.metrics[0].float_value == -0.5


@pytest.mark.parametrize(("kind", "value"), [
    (FLOAT, "text"), (FLOAT, True), (INTEGER, 1.5), (INTEGER, True), (BOOLEAN, 1), (BOOLEAN, "x"),
    (TEXT, 3.0), (FLOAT, None),
])
def test_value_of_another_type_is_null_and_bad(kind, value):
    body = Vocabulary(Catalogue([Metric("m", "", kind)], "s", "n"), False).body(0, b"", GOOD, value, b"")
    (metric,) = sparkplug_b.read(protobuf.payload(START_MS, [protobuf.metric(body)], 0)).metrics
    assert metric.is_null and sparkplug_b.properties(metric) == {"Quality": (3, 0)}


def test_bad_value_is_null_even_if_there_is_one():
    (message,) = read(live(born(), [(T_FURNACE, 2, 5.0)]))
    assert message.metrics[0].is_null and message.metrics[0].WhichOneof("value") is None


def test_births_before_all_is_known_say_stale_and_null():
    driver = Driver()
    driver.sample(FIRST[:3])
    assert not driver.speaker.known()
    birth = read(driver.speaker.births(START_MS))[0]
    metric = birth.metric("node/mode")
    assert metric.is_null and sparkplug_b.properties(metric) == {"Quality": (3, 500)}
    driver.sample(FIRST[3:])
    assert driver.speaker.known()


def test_data_before_the_births_is_a_fault_of_the_caller():
    driver = Driver()
    entry = driver.sample(FIRST)
    with pytest.raises(ValueError, match="before the births"):
        driver.speaker.messages(SAMPLE, [entry], False)


def test_samples_that_the_births_have_told_are_history():
    """However the caller calls them: what is older than a birth must not look newer."""
    driver = Driver()
    old = driver.sample(FIRST)
    driver.connect()
    assert all(metric[2] for _, _, metrics in told(driver.speaker.messages(SAMPLE, [old], False))
               for metric in metrics)


def test_one_message_per_device_for_many_samples_in_order():
    driver = born()
    messages = live(driver, [(T_FURNACE, GOOD, 1.0), (ROOF_A1, GOOD, 2.0)],
                    [(T_FURNACE, GOOD, 3.0), (ROOF_A1, GOOD, 4.0)])
    assert told(messages) == [
        ("NDATA", None, [(T_FURNACE + 1, 1.0, False), (T_FURNACE + 1, 3.0, False)]),
        ("DDATA", "roof", [(ROOF_A1 + 1, 2.0, False), (ROOF_A1 + 1, 4.0, False)]),
    ]
    assert {message[4:] for message in messages} == {(2, 3)}


def test_nothing_new_is_nothing_said():
    assert live(born(), [(T_FURNACE, GOOD, 871.25)]) == []


def test_a_long_backlog_is_cut_into_messages():
    driver = born()
    entries = [driver.sample([(T_FURNACE, GOOD, float(n)), (ROOF_A1, GOOD, float(n))]) for n in range(1200)]
    messages = driver.speaker.messages(SAMPLE, entries, True)
    assert max(len(message[1]) for message in messages) < 8200
    values = [value for _, device, metrics in told(messages) for _, value, _ in metrics if device is None]
    assert values == [float(n) for n in range(1200)]


def test_device_that_goes_and_comes_within_one_batch():
    driver = born()
    messages = live(driver, [(ROOF_LINK, GOOD, False), (ROOF_A1, 2, None)], [(T_FURNACE, GOOD, 1.0)],
                    [(ROOF_LINK, GOOD, True), (ROOF_A1, GOOD, 5.0)])
    verbs = [(verb, device) for verb, device, _ in told(messages)]
    assert verbs == [("DDATA", "roof"), ("DDEATH", "roof"), ("DBIRTH", "roof"), ("NDATA", None)]
    seqs = [message.seq for message in read(messages)]
    assert seqs == list(range(seqs[0], seqs[0] + 4))


def test_device_without_a_link_metric_is_gone_when_all_of_it_is_bad():
    driver = born()
    assert [verb for verb, *_ in told(live(driver, [(PUMP, 2, None)]))] == ["DDATA", "DDEATH"]
    assert [verb for verb, *_ in told(live(driver, [(PUMP, GOOD, 1.0)]))] == ["DBIRTH"]


def test_device_that_is_away_at_the_births_is_not_born():
    driver = Driver()
    driver.sample([entry for entry in FIRST if entry[0] != ROOF_LINK] + [(ROOF_LINK, GOOD, False)])
    driver.connect()
    devices = {message[0].split("/")[-1] for message in driver.speaker.births(START_MS)}
    assert devices == {"line1", "feeder", "pump"}


def test_what_becomes_known_of_an_absent_device_is_bounded_and_counted():
    driver = born()
    live(driver, [(FEEDER_LINK, GOOD, False)])
    for number in range(250):
        assert live(driver, [(FEEDER, GOOD, float(number))]) == []
    assert driver.speaker.untold == 50
    messages = told(live(driver, [(FEEDER_LINK, GOOD, True)]))
    assert [verb for verb, *_ in messages] == ["DBIRTH", "DDATA"]
    assert [value for _, value, _ in messages[1][2]] == [float(number) for number in range(200)]
    assert all(historical for *_, historical in messages[1][2])


def test_what_is_held_for_an_absent_device_follows_the_births_of_the_next_connection():
    driver = born()
    live(driver, [(ROOF_LINK, GOOD, False)], [(ROOF_A1, GOOD, 5.0)])
    driver.sample([(ROOF_LINK, GOOD, True), (ROOF_A1, GOOD, 6.0)])  # not sent: the connection is lost
    driver.speaker.before_connect()
    births = driver.speaker.births(driver.clock.ms)
    assert [verb for verb, device, _ in told(births) if device == "roof"] == ["DBIRTH", "DDATA"]
    ((_, _, metrics),) = [one for one in told(births) if one[0] == "DDATA"]
    assert (ROOF_A1 + 1, 5.0, True) in metrics and all(historical for _, _, historical in metrics)
    assert [message.payload.seq for message in read(births)] == list(range(len(births)))


def test_what_is_held_when_another_catalogue_begins_is_counted():
    driver = born()
    live(driver, [(ROOF_LINK, GOOD, False)], [(ROOF_A1, GOOD, 5.0)])
    other = Catalogue(METRICS[:3], "bishkek", "line1")
    driver.speaker.begin(other, "0badcafe", driver.store.get, driver._keep)
    assert driver.speaker.untold == 1


def test_clock_flag_is_told_when_it_changes():
    driver = born()
    entry = driver.sample([(T_FURNACE, GOOD, 1.0)], synced=False)
    (message,) = read(driver.speaker.messages(SAMPLE, [entry], False))
    assert message.metrics[0].boolean_value is False
    birth = read(driver.speaker.births(driver.clock.ms))[0]
    assert birth.metric("Node Info/Clock Synchronised").boolean_value is False


def test_clock_that_jumps_back_begins_a_new_message():
    driver = born()
    first = driver.sample([(T_FURNACE, GOOD, 1.0)])
    second = driver.sample([(T_FURNACE, GOOD, 2.0)], later_ms=-60000)
    messages = told(driver.speaker.messages(SAMPLE, [first, second], False))
    assert [value for _, _, metrics in messages for _, value, _ in metrics] == [1.0, 2.0]
    assert len(messages) == 2


def test_event_is_the_json_of_the_plain_topic():
    driver = born()
    number, event = driver.event("trip", "high_temperature", "tripped at 1201.3", True)
    (message,) = read(driver.speaker.messages(EVENT, [(number, event)], False))
    content = json.loads(message.metrics[0].string_value)
    assert (content["id"], content["kind"], content["alarm"]) == (1, "trip", True)
    assert message.metrics[0].timestamp == event.t_ms


def test_records_of_an_earlier_catalogue_go_to_the_metrics_that_are_still_there():
    before = Catalogue([Metric("gone", "", FLOAT), Metric("t_furnace", "degC", FLOAT),
                        Metric("strokes", "", FLOAT)], "bishkek", "line1")
    driver = born()
    driver.speaker.catalogue_of = lambda number: before if number == before.number else None
    entry = driver.sample([(0, GOOD, 1.0), (1, GOOD, 850.0), (2, GOOD, 3.0)], catalogue=before)
    messages = told(driver.speaker.messages(SAMPLE, [entry], True))
    assert messages == [("NDATA", None, [(T_FURNACE + 1, 850.0, True)])]
    assert driver.speaker.untold == 2  # one is gone, one has another type now


def test_records_of_an_unknown_catalogue_are_counted():
    driver = born()
    sample = Sample(1, 1, START_MS, 0, True, 12345, [(0, GOOD, 1.0), (1, GOOD, 2.0)])
    assert driver.speaker.messages(SAMPLE, [(9, sample)], True) == []
    assert driver.speaker.untold == 2


def test_another_catalogue_is_born_anew():
    driver = born()
    other = Catalogue([*METRICS[:3], Metric("new", "", FLOAT)], "bishkek", "line1")
    driver.speaker.begin(other, "0badcafe", driver.store.get, driver._keep)
    driver.catalogue = other
    assert not driver.speaker.known()
    driver.sample([(0, GOOD, 1.0), (1, GOOD, 2.0), (2, GOOD, "x"), (3, GOOD, 4.0)])
    assert driver.speaker.known()
    (birth,) = read(driver.speaker.births(driver.clock.ms))
    assert birth.seq == 0 and birth.metric("new").float_value == 4.0


def test_damaged_bdseq_begins_at_0():
    driver = Driver(store={"sparkplug.bdseq": b"x"})
    assert sparkplug_b.read(driver.speaker.before_connect()[1]).metrics[0].long_value == 0


def test_barrier_is_outside_of_sparkplug():
    assert born().speaker.barrier() == ("furnace/bishkek/line1/barrier", b"", 1, False)


# What comes in ------------------------------------------------------------------------------


def heard(driver, payload, topic=NODE % "NCMD", retain=False):
    return driver.speaker.heard(topic, payload, retain)


def test_rebirth_by_name():
    assert heard(born(), written("Node Control/Rebirth", True)) == [("rebirth",)]


@pytest.mark.parametrize(("payload", "retain"), [
    (written("Node Control/Rebirth", True), True),
    (written("Node Control/Rebirth", False), False),
    (written("Node Control/Rebirth", "true"), False),
    (written("Node Control/Reboot", True), False),
    (protobuf.payload(START_MS, [protobuf.metric(protobuf.boolean_value(True))], -1), False),
    (b"\x12\x05\x0a", False),
    (bytes(5000), False),
])
def test_what_is_no_rebirth_request_is_counted(payload, retain):
    for settings in ({}, {"commands": True}):
        driver = born(**settings)
        assert heard(driver, payload, retain=retain) == []
        assert driver.speaker.refused == 1 and driver.speaker.last_error.startswith("sparkplug: ")


def test_many_requests_in_one_message_are_one():
    metric = protobuf.metric(protobuf.name("Node Control/Rebirth") + protobuf.boolean_value(True))
    assert heard(born(), protobuf.payload(START_MS, [metric] * 100, -1)) == [("rebirth",)]


def test_messages_for_others_are_refused():
    driver = born(commands=True)
    for topic in ("spBv1.0/bishkek/NCMD/line2", "spBv1.0/bishkek/DCMD/line1/unknown", HOST, "x"):
        assert heard(driver, written("Node Control/Rebirth", True), topic) == []
    assert heard(driver, written("Node Control/Rebirth", True), NODE % "DCMD" + "/roof") != [("rebirth",)]


def test_command_is_handed_on_as_it_is():
    text = '{"v":1,"nonce":"5f0c","n":5,"do":"set_point","name":"steam","value":47.0}'
    driver = born(commands=True)
    for retain in (False, True):
        assert heard(driver, written("Node Control/Command", text), retain=retain) == [
            ("command", text.encode(), retain)]
    alias = read(driver.speaker.births(START_MS))[0].metric("Node Control/Command").alias
    assert heard(driver, written(None, text, alias=alias)) == [("command", text.encode(), False)]
    assert heard(driver, written("Node Control/Command", True)) == []


def test_without_commands_nothing_is_handed_on():
    driver = born()
    assert heard(driver, written("Node Control/Command", "{}")) == []
    assert heard(driver, written("loop/steam/set_point", 47.0)) == []
    assert driver.speaker.refused == 2
    assert driver.speaker.subscriptions() == [("spBv1.0/bishkek/NCMD/line1", 1)]
    assert not [metric for message in read(driver.speaker.births(START_MS)) for metric in message.metrics
                if metric.name == "Node Control/Command"]
    assert driver.speaker.replies(b'{"v":1}') == []


@pytest.mark.parametrize(("topic", "payload", "name"), [
    (NODE % "NCMD", written("loop/steam/set_point", 47.0), "loop.steam.set_point"),
    (NODE % "NCMD", written(None, 47.0, alias=2), "loop.steam.set_point"),
    (NODE % "DCMD" + "/feeder", written("output/feeder", 100.0), "output.feeder"),
    (NODE % "DCMD" + "/feeder", written("x" * 1000, 1.0), "x" * 64),
])
def test_written_metric_is_handed_to_the_node_to_refuse(topic, payload, name):
    ((action, order, retain),) = heard(born(commands=True), payload, topic)
    assert (action, retain) == ("command", False)
    assert json.loads(order) == {"v": 1, "write": name}


def test_session_and_answer_are_told_and_born_again():
    driver = born(commands=True)
    session, answer = b'{"session": {"nonce": "5f0c"}}', b'{"v": 1, "answer": "accepted"}'
    for payload in (session, answer):
        (message,) = read(driver.speaker.replies(payload))
        assert message.metrics[0].string_value.encode() == payload
    birth = read(driver.speaker.births(START_MS))[0]
    assert birth.metric("Node Control/Session").string_value.encode() == session
    assert birth.metric("Node Control/Answer").string_value.encode() == answer


# The primary host ---------------------------------------------------------------------------


@pytest.mark.parametrize("payload", [
    b"ONLINE", b"", b"\xff", b"[]", b"true", b'{"online":true}', b'{"online":1,"timestamp":5}',
    b'{"online":true,"timestamp":-1}', b'{"online":true,"timestamp":true}',
    b'{"online":true,"timestamp":"5"}', b'{"timestamp":5}', b"[" * 3000,
])
def test_state_that_is_none_is_refused(payload):
    driver = Driver({"primary_host": "scada"})
    assert driver.speaker.heard(HOST, payload, True) == []
    assert not driver.speaker.ready() and driver.speaker.refused == 1


def test_host_comes_and_goes():
    speaker = Driver({"primary_host": "scada"}).speaker
    assert speaker.heard(HOST, state(True, 10), True) == [("host", True)]
    assert speaker.ready()
    assert speaker.heard(HOST, state(True, 11), False) == []
    assert speaker.heard(HOST, state(False, 10), False) == []
    assert speaker.ready()
    assert speaker.heard(HOST, state(False, 11), False) == [("host", False)]
    assert not speaker.ready()
    assert speaker.heard(HOST, state(True, 11), False) == [("host", True)]


def test_each_connection_waits_for_the_host_anew():
    driver = Driver({"primary_host": "scada"})
    driver.speaker.heard(HOST, state(True, 10), True)
    driver.speaker.before_connect()
    assert not driver.speaker.ready()
    assert driver.speaker.heard(HOST, state(True, 5), True) == [("host", True)]
