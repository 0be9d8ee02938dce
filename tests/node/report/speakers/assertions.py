"""The assertions of the Sparkplug 3.0 specification that concern an edge node, and what becomes of each here.

ASSERTIONS: {id: its row of data/sparkplug_edge_assertions.tsv}. Each id is in exactly one of

    CHECKS          a function that looks at the wire (wire.py, here) and fails, or passes after
                    having seen at least one case of what it is about
    ELSEWHERE       the test that checks what the wire of one node can't show
    NOT_APPLICABLE  why it does not concern this edge node
    NOT_MET         why it isn't

test_sparkplug_assertions.py runs the checks; docs/make_sparkplug_assertions.py makes the table in docs/.
"""

import csv
import pathlib

from tests.node.report.speakers.sparkplug_b import properties
from tests.node.report.speakers.wire import Heard, Message

_TSV = pathlib.Path(__file__).parent / "data" / "sparkplug_edge_assertions.tsv"
with _TSV.open(encoding="utf-8", newline="") as _file:
    ASSERTIONS = {row["id"]: row for row in csv.DictReader(_file, delimiter="\t", quoting=csv.QUOTE_NONE)}

CHECKS = {}
BIRTHS = ("NBIRTH", "DBIRTH")
DATA = ("NDATA", "DDATA")
YEAR_2000_MS = 946684800000
YEAR_2100_MS = 4102444800000


def check(*ids):
    """The function below checks these assertions (without their common prefix tck-id-)."""
    def note(function):
        for name in ids:
            assert "tck-id-" + name in ASSERTIONS, name
            assert "tck-id-" + name not in CHECKS, name
            CHECKS["tck-id-" + name] = function
        return function
    return note


class Unseen(Exception):
    """The wire shows nothing of what a check is about: it has checked nothing."""


def some(found) -> list:
    """What was found, which must be something."""
    found = list(found)
    if not found:
        raise Unseen
    return found


def metrics_of(wire, *verbs) -> list:
    return some(metric for message in wire.of(*verbs) for metric in message.metrics)


# Topics and ids -----------------------------------------------------------------------------


@check("topic-structure", "topic-structure-namespace-a", "intro-group-id-string", "intro-edge-node-id-string",
       "intro-device-id-string")
def namespace(wire):
    for message in some(wire.of("NBIRTH", "NDEATH", "NDATA", "DBIRTH", "DDEATH", "DDATA")):
        message.topic.encode("utf-8")
        assert message.topic.startswith("spBv1.0/") and all(message.topic.split("/"))


@check("intro-group-id-chars", "intro-edge-node-id-chars", "intro-device-id-chars",
       "topic-structure-namespace-valid-group-id", "topic-structure-namespace-valid-edge-node-id",
       "topic-structure-namespace-valid-device-id")
def ids_without_reserved_characters(wire):
    for message in some(message for session in wire for message in session.spoken):
        for part in (message.group, message.node, message.device or "-"):
            assert part and not set(part) & set("+/#\0")


@check("topic-structure-namespace-unique-device-id", "case-sensitivity-sparkplug-ids")
def devices_are_unique(wire):
    for session in some(wire.born):
        devices = {message.device for message in session.of("DBIRTH")}
        assert len({device.lower() for device in devices}) == len(devices)


@check("topic-structure-namespace-device-id-associated-message-types")
def device_in_device_topics(wire):
    assert all(message.device for message in some(wire.of("DBIRTH", "DDEATH", "DDATA")))


@check("topic-structure-namespace-device-id-non-associated-message-types")
def no_device_in_node_topics(wire):
    assert all(message.device is None for message in some(wire.of("NBIRTH", "NDEATH", "NDATA")))


def _topic(wire, verb: str):
    for message in some(wire.of(verb)):
        parts = ["spBv1.0", message.group, verb, message.node]
        parts += [message.device] if verb.startswith("D") else []
        assert message.topic == "/".join(parts)


@check("topics-nbirth-topic", "message-flow-edge-node-birth-publish-nbirth-topic")
def nbirth_topic(wire):
    _topic(wire, "NBIRTH")


@check("topics-ndata-topic")
def ndata_topic(wire):
    _topic(wire, "NDATA")


@check("topics-ndeath-topic")
def ndeath_topic(wire):
    _topic(wire, "NDEATH")
    assert {message.topic for message in wire.of("NDEATH")} <= {session.will.topic for session in wire}


@check("topics-dbirth-topic", "message-flow-device-birth-publish-dbirth-topic")
def dbirth_topic(wire):
    _topic(wire, "DBIRTH")


@check("topics-ddata-topic")
def ddata_topic(wire):
    _topic(wire, "DDATA")


@check("topics-ddeath-topic")
def ddeath_topic(wire):
    _topic(wire, "DDEATH")


@check("message-flow-device-birth-publish-dbirth-match-edge-node-topic")
def dbirth_belongs_to_the_nbirth(wire):
    for session in some(wire.born):
        node = {(message.group, message.node) for message in session.of("NBIRTH")}
        assert len(node) == 1
        assert {(message.group, message.node) for message in some(session.of("DBIRTH"))} == node


# QoS and retain -----------------------------------------------------------------------------


def _plain(wire, verb: str):
    assert {(message.qos, message.retain) for message in some(wire.of(verb))} == {(0, False)}


@check("topics-nbirth-mqtt", "message-flow-edge-node-birth-publish-nbirth-qos", "payloads-nbirth-qos",
       "message-flow-edge-node-birth-publish-nbirth-retained", "payloads-nbirth-retain")
def nbirth_qos(wire):
    _plain(wire, "NBIRTH")


@check("topics-ndata-mqtt", "payloads-ndata-qos", "payloads-ndata-retain")
def ndata_qos(wire):
    _plain(wire, "NDATA")


@check("topics-dbirth-mqtt", "message-flow-device-birth-publish-dbirth-qos", "payloads-dbirth-qos",
       "message-flow-device-birth-publish-dbirth-retained", "payloads-dbirth-retain")
def dbirth_qos(wire):
    _plain(wire, "DBIRTH")


@check("topics-ddata-mqtt", "payloads-ddata-qos", "payloads-ddata-retain")
def ddata_qos(wire):
    _plain(wire, "DDATA")


@check("topics-ddeath-mqtt")
def ddeath_qos(wire):
    _plain(wire, "DDEATH")


# The CONNECT and its will -------------------------------------------------------------------


@check("principles-persistence-clean-session-311")
def clean_session(wire):
    assert all(session.clean for session in some(wire))


@check("message-flow-edge-node-birth-publish-will-message", "payloads-ndeath-will-message")
def every_connect_has_a_will(wire):
    assert all(session.will is not None and session.will.verb == "NDEATH" for session in some(wire))


@check("message-flow-edge-node-birth-publish-will-message-topic")
def will_topic(wire):
    for session in some(wire.born):
        birth = session.of("NBIRTH")[0]
        assert session.will.topic == f"spBv1.0/{birth.group}/NDEATH/{birth.node}"


@check("message-flow-edge-node-birth-publish-will-message-payload")
def will_is_a_payload(wire):
    # wire.Message has read it with Google's protobuf, which knew every field.
    assert all(session.will.payload is not None for session in some(wire))


@check("message-flow-edge-node-birth-publish-will-message-qos", "payloads-ndeath-will-message-qos")
def will_qos(wire):
    assert {session.will.qos for session in some(wire)} == {1}


@check("message-flow-edge-node-birth-publish-will-message-will-retained",
       "payloads-ndeath-will-message-retain")
def will_is_not_retained(wire):
    assert not any(session.will.retain for session in some(wire))


def _bd_seq(message) -> int:
    metric = message.metric("bdSeq")
    assert metric.datatype == 4 and metric.WhichOneof("value") == "long_value"
    return metric.long_value


@check("topics-ndeath-payload")
def ndeath_has_only_bdseq(wire):
    deaths = [session.will for session in wire] + wire.of("NDEATH")
    for message in some(deaths):
        assert [metric.name for metric in message.metrics] == ["bdSeq"]


@check("topics-ndeath-seq", "payloads-ndeath-seq")
def ndeath_has_no_seq(wire):
    deaths = [session.will for session in wire] + wire.of("NDEATH")
    assert all(message.seq is None for message in some(deaths))


@check("topics-nbirth-bdseq-increment",
       "message-flow-edge-node-birth-publish-will-message-payload-bdSeq")
def bdseq_counts_connects(wire):
    numbers = [_bd_seq(session.will) for session in some(wire)]
    assert numbers == [count % 256 for count in range(len(numbers))]


@check("topics-nbirth-bdseq-included", "payloads-nbirth-bdseq")
def nbirth_has_bdseq(wire):
    for message in some(wire.of("NBIRTH")):
        _bd_seq(message)


@check("topics-nbirth-bdseq-matching", "payloads-nbirth-bdseq-repeat", "payloads-ndeath-bdseq",
       "message-flow-edge-node-birth-publish-nbirth-payload-bdSeq")
def bdseq_is_the_will_s(wire):
    for session in some(wire.born):
        for message in session.of("NBIRTH", "NDEATH"):
            assert _bd_seq(message) == _bd_seq(session.will)


# Order --------------------------------------------------------------------------------------


@check("principles-birth-certificates-order")
def births_come_first(wire):
    for session in some(wire.born):
        assert session.sent[0].verb == "NBIRTH"


@check("message-flow-edge-node-birth-publish-connect")
def births_follow_the_connect(wire):
    # Every message belongs to a session, and every session began with a CONNECT.
    assert some(wire.born) and all(session.will is not None for session in wire.born)


@check("message-flow-edge-node-ncmd-subscribe")
def subscribes_to_ncmd(wire):
    for session in some(wire.born):
        birth = session.of("NBIRTH")[0]
        expected = ("subscribe", f"spBv1.0/{birth.group}/NCMD/{birth.node}", 1)
        assert expected in session.items[:session.items.index(birth)]


@check("message-flow-device-dcmd-subscribe")
def subscribes_to_dcmd(wire):
    writing = [session for session in wire.born if any("/DCMD/" in topic for topic, _ in session.subscribed)]
    for session in some(writing):
        birth = session.of("NBIRTH")[0]
        for device in {message.device for message in session.of("DBIRTH")}:
            assert (f"spBv1.0/{birth.group}/DCMD/{birth.node}/{device}", 1) in session.subscribed


@check("message-flow-device-birth-publish-nbirth-wait")
def nbirth_before_dbirth(wire):
    for session in some(wire.born):
        verbs = [message.verb for message in session.spoken]
        assert verbs.index("NBIRTH") < verbs.index("DBIRTH")


def _data_waits(wire, verb: str):
    """Births that tell nothing newer than the NBIRTH come before data; a device that came later has news."""
    for session in some(wire.born):
        before = session.spoken[:session.spoken.index(session.of("NBIRTH")[0])]
        assert verb not in [message.verb for message in before]
        for birth in session.of("NBIRTH"):
            after = session.spoken[session.spoken.index(birth) + 1:]
            again = next((n for n, message in enumerate(after) if message.verb == "NBIRTH"), len(after))
            data = next((n for n, message in enumerate(after[:again]) if message.verb == verb), again)
            first = {}
            for place, message in enumerate(after[:again]):
                if message.verb == "DBIRTH":
                    first.setdefault(message.device, (place, message))
            for place, message in first.values():
                newest = max(metric.timestamp for metric in message.metrics)
                assert place < data or newest > birth.payload.timestamp
    some(wire.of(verb))


@check("payloads-ndata-order")
def ndata_waits_for_all_births(wire):
    _data_waits(wire, "NDATA")


@check("payloads-ddata-order")
def ddata_waits_for_all_births(wire):
    _data_waits(wire, "DDATA")


@check("payloads-dbirth-order")
def dbirths_follow_the_nbirth_at_once(wire):
    # Those of devices that answer; one that comes back later is born then.
    for session in some(wire.born):
        for birth in session.of("NBIRTH"):
            after = session.spoken[session.spoken.index(birth) + 1:]
            verbs = [message.verb for message in after]
            first = next((n for n, verb in enumerate(verbs) if verb != "DBIRTH"), len(verbs))
            assert len({message.device for message in after[:first]}) == first >= 1


# seq ----------------------------------------------------------------------------------------


@check("topics-nbirth-seq-num")
def nbirth_seq_is_0(wire):
    assert {message.seq for message in some(wire.of("NBIRTH"))} == {0}


@check("message-flow-edge-node-birth-publish-nbirth-payload-seq", "payloads-sequence-num-req-nbirth",
       "payloads-nbirth-seq")
def nbirth_seq_is_a_byte(wire):
    assert all(0 <= message.seq <= 255 for message in some(wire.of("NBIRTH")))


@check("payloads-sequence-num-always-included", "payloads-dbirth-seq", "payloads-ndata-seq",
       "payloads-ddata-seq", "payloads-ddeath-seq", "payloads-ddeath-seq-number")
def seq_is_in_everything_but_ndeath(wire):
    for verb in ("NBIRTH", "DBIRTH", "NDATA", "DDATA", "DDEATH"):
        assert all(message.seq is not None for message in some(wire.of(verb)))


def _counts(wire, verb: str):
    """Each message of this verb has one more than whatever was sent before it."""
    seen = 0
    for session in some(wire.born):
        spoken = [message for message in session.spoken if message.verb != "NDEATH"]
        for before, message in zip(spoken, spoken[1:], strict=False):
            if message.verb == verb:
                assert message.seq == (before.seq + 1) % 256, message.topic
                seen += 1
    some(range(seen))


@check("topics-dbirth-seq", "message-flow-device-birth-publish-dbirth-payload-seq", "payloads-dbirth-seq-inc")
def dbirth_seq(wire):
    _counts(wire, "DBIRTH")


@check("topics-ndata-seq-num", "payloads-ndata-seq-inc")
def ndata_seq(wire):
    _counts(wire, "NDATA")


@check("topics-ddata-seq-num", "payloads-ddata-seq-inc")
def ddata_seq(wire):
    _counts(wire, "DDATA")


@check("topics-ddeath-seq-num", "payloads-ddeath-seq-inc")
def ddeath_seq(wire):
    _counts(wire, "DDEATH")


@check("payloads-sequence-num-incrementing")
def seq_goes_round(wire):
    for verb in ("DBIRTH", "NDATA", "DDATA", "DDEATH"):
        _counts(wire, verb)
    some(message for message in wire.of(*DATA) if message.seq == 255)


# Timestamps ---------------------------------------------------------------------------------


def _stamped(wire, verb: str):
    for message in some(wire.of(verb)):
        assert YEAR_2000_MS < message.payload.timestamp < YEAR_2100_MS


@check("topics-nbirth-timestamp", "payloads-nbirth-timestamp")
def nbirth_timestamp(wire):
    _stamped(wire, "NBIRTH")


@check("topics-dbirth-timestamp", "payloads-dbirth-timestamp")
def dbirth_timestamp(wire):
    _stamped(wire, "DBIRTH")


@check("topics-ndata-timestamp", "payloads-ndata-timestamp")
def ndata_timestamp(wire):
    _stamped(wire, "NDATA")


@check("topics-ddata-timestamp", "payloads-ddata-timestamp")
def ddata_timestamp(wire):
    _stamped(wire, "DDATA")


@check("payloads-ddeath-timestamp")
def ddeath_timestamp(wire):
    _stamped(wire, "DDEATH")


@check("payloads-timestamp-in-UTC", "payloads-metric-timestamp-in-UTC")
def timestamps_are_utc(wire):
    # The sessions' clock is a UTC clock: what is sent differs from it by the age of a value, not by a zone.
    for message in some(wire.of(*BIRTHS, *DATA)):
        for metric in message.metrics:
            assert abs(message.payload.timestamp - metric.timestamp) <= 3600000


@check("payloads-name-birth-data-requirement")
def every_metric_has_its_timestamp(wire):
    for verb in (*BIRTHS, *DATA):
        assert all(metric.HasField("timestamp") for metric in metrics_of(wire, verb))


@check("operational-behavior-data-publish-nbirth-order")
def node_values_in_chronological_order(wire):
    _chronological(wire, "NBIRTH", "NDATA")


@check("operational-behavior-data-publish-dbirth-order")
def device_values_in_chronological_order(wire):
    _chronological(wire, "DBIRTH", "DDATA")


def _chronological(wire, *verbs):
    for message in some(wire.of(*verbs)):
        stamps = [metric.timestamp for metric in message.metrics if not metric.is_historical]
        assert stamps == sorted(stamps)


# Names, aliases, datatypes, values ----------------------------------------------------------


@check("message-flow-edge-node-birth-publish-nbirth-payload")
def nbirth_is_a_payload(wire):
    assert all(message.payload is not None for message in some(wire.of("NBIRTH")))


@check("message-flow-device-birth-publish-dbirth-payload")
def dbirth_is_a_payload(wire):
    assert all(message.payload is not None for message in some(wire.of("DBIRTH")))


def _complete(wire, verb: str):
    for message in some(wire.of(verb)):
        for metric in some(message.metrics):
            assert metric.name and metric.datatype
            assert metric.is_null == (metric.WhichOneof("value") is None)


@check("topics-nbirth-metrics", "operational-behavior-data-publish-nbirth-values")
def nbirth_metrics_are_complete(wire):
    _complete(wire, "NBIRTH")


@check("topics-dbirth-metrics", "operational-behavior-data-publish-dbirth-values")
def dbirth_metrics_are_complete(wire):
    _complete(wire, "DBIRTH")
    some(metric for metric in metrics_of(wire, "DBIRTH") if metric.is_null)


def _announced(wire, birth_verb: str, data_verb: str):
    """Every alias in data was in the birth before it, of the same device."""
    for session in some(wire.born):
        known = {}
        for message in session.spoken:
            if message.verb == birth_verb:
                known[message.device] = {metric.alias for metric in message.metrics}
            elif message.verb == data_verb:
                assert {metric.alias for metric in message.metrics} <= known[message.device]
    some(wire.of(data_verb))


@check("topics-nbirth-metric-reqs", "operational-behavior-data-publish-nbirth")
def nbirth_has_all_that_follows(wire):
    _announced(wire, "NBIRTH", "NDATA")


@check("topics-dbirth-metric-reqs", "operational-behavior-data-publish-dbirth")
def dbirth_has_all_that_follows(wire):
    _announced(wire, "DBIRTH", "DDATA")


@check("payloads-name-requirement")
def name_or_alias(wire):
    assert all(metric.name or metric.HasField("alias") for metric in metrics_of(wire, *BIRTHS, *DATA))


@check("payloads-alias-uniqueness")
def aliases_are_unique(wire):
    for session in some(wire.born):
        owners = {}
        for message in session.of(*BIRTHS):
            for metric in message.metrics:
                if metric.HasField("alias"):
                    assert owners.setdefault(metric.alias, (message.device, metric.name)) == (
                        message.device, metric.name)
        assert len(owners) == len(set(owners.values()))


@check("payloads-alias-birth-requirement")
def births_have_name_and_alias(wire):
    for metric in metrics_of(wire, *BIRTHS):
        assert metric.name
        assert metric.HasField("alias") != (metric.name == "Node Control/Rebirth")


@check("payloads-alias-data-cmd-requirement")
def data_has_the_alias_alone(wire):
    for metric in metrics_of(wire, *DATA):
        assert metric.HasField("alias") and not metric.HasField("name")


@check("payloads-metric-datatype-value-type", "payloads-metric-datatype-value")
def datatypes_are_sparkplug_s(wire):
    fits = {4: "long_value", 9: "float_value", 11: "boolean_value", 12: "string_value"}
    for metric in metrics_of(wire, *BIRTHS):
        assert metric.datatype in fits and metric.WhichOneof("value") in (fits[metric.datatype], None)


@check("payloads-metric-datatype-req")
def births_have_datatypes(wire):
    assert all(metric.HasField("datatype") for metric in metrics_of(wire, *BIRTHS))


@check("payloads-metric-datatype-not-req")
def data_has_no_datatypes(wire):
    assert not any(metric.HasField("datatype") for metric in metrics_of(wire, *DATA))


@check("case-sensitivity-metric-names")
def metric_names_differ_by_more_than_case(wire):
    for message in some(wire.of(*BIRTHS)):
        names = [metric.name.lower() for metric in message.metrics]
        assert len(set(names)) == len(names)


@check("payloads-propertyset-keys-array-size", "payloads-propertyset-values-array-size")
def property_sets_are_pairs(wire):
    for metric in some(m for m in metrics_of(wire, *BIRTHS, *DATA) if m.HasField("properties")):
        assert len(metric.properties.keys) == len(metric.properties.values) > 0


def _properties(wire) -> list:
    return some(pair for metric in metrics_of(wire, *BIRTHS, *DATA) for pair in properties(metric).items())


@check("payloads-metric-propertyvalue-type-type", "payloads-metric-propertyvalue-type-value",
       "payloads-metric-propertyvalue-type-req")
def properties_have_types(wire):
    assert {(key, kind) for key, (kind, _) in _properties(wire)} <= {("engUnit", 12), ("Quality", 3)}


@check("payloads-propertyset-quality-value-type", "payloads-propertyset-quality-value-value")
def quality_is_bad_good_or_stale(wire):
    found = [value for key, value in _properties(wire) if key == "Quality"]
    assert {kind for kind, _ in found} == {3}
    assert {code for _, code in found} <= {0, 192, 500}


# Data ---------------------------------------------------------------------------------------


def _changes_only(wire, birth_verb: str, data_verb: str):
    """No value follows an equal one."""
    for session in some(wire.born):
        told = {}
        for message in session.spoken:
            if message.verb not in (birth_verb, data_verb):
                continue
            for metric in message.metrics:
                if metric.is_historical:
                    continue
                which = metric.WhichOneof("value")
                value = (getattr(metric, which) if which else None, properties(metric).get("Quality"))
                if message.verb == data_verb:
                    assert told[metric.alias] != value, message.topic
                told[metric.alias] = value
    some(wire.of(data_verb))


@check("principles-rbe-recommended", "operational-behavior-data-publish-nbirth-change")
def ndata_on_change(wire):
    _changes_only(wire, "NBIRTH", "NDATA")


@check("operational-behavior-data-publish-dbirth-change")
def ddata_on_change(wire):
    _changes_only(wire, "DBIRTH", "DDATA")


@check("topics-ndata-payload")
def ndata_has_what_changed(wire):
    assert all(message.metrics for message in some(wire.of("NDATA")))


@check("topics-ddata-payload")
def ddata_has_what_changed(wire):
    assert all(message.metrics for message in some(wire.of("DDATA")))


@check("operational-behavior-device-ddeath")
def a_lost_device_dies(wire):
    """A device that goes says so, and is silent until it is born again."""
    seen = 0
    for session in some(wire.born):
        alive = set()
        for message in session.spoken:
            if message.verb == "NBIRTH":
                alive = set()
            elif message.verb == "DBIRTH":
                alive.add(message.device)
            elif message.verb == "DDATA":
                assert message.device in alive, f"{message.device} speaks after its death"
            elif message.verb == "DDEATH":
                alive.remove(message.device)
                seen += 1
    some(range(seen))


# Rebirth ------------------------------------------------------------------------------------


@check("operational-behavior-data-commands-rebirth-name", "topics-nbirth-rebirth-metric",
       "operational-behavior-data-commands-rebirth-name-aliases",
       "operational-behavior-data-commands-rebirth-datatype",
       "operational-behavior-data-commands-rebirth-value", "payloads-nbirth-rebirth-req")
def nbirth_offers_rebirth(wire):
    for message in some(wire.of("NBIRTH")):
        metric = message.metric("Node Control/Rebirth")
        assert (metric.datatype, metric.boolean_value, metric.is_null) == (11, False, False)
        assert metric.WhichOneof("value") == "boolean_value" and not metric.HasField("alias")


def _after_rebirth_requests(wire) -> list:
    """(session, what was sent after the request) of each."""
    return some(
        (session, [item for item in session.items[place:] if isinstance(item, Message) and item.verb])
        for session in wire
        for place, item in enumerate(session.items)
        if isinstance(item, Heard) and item.rebirth
    )


@check("operational-behavior-data-commands-rebirth-action-1")
def data_stops_on_a_rebirth_request(wire):
    for _, after in _after_rebirth_requests(wire):
        assert after[0].verb == "NBIRTH"


@check("operational-behavior-data-commands-rebirth-action-2")
def all_is_born_again_on_request(wire):
    for session, after in _after_rebirth_requests(wire):
        verbs = [message.verb for message in after]
        births = next((n for n, verb in enumerate(verbs[1:], 1) if verb != "DBIRTH"), len(verbs))
        assert {message.device for message in after[1:births]} == {
            message.device for message in session.of("DBIRTH")}


@check("operational-behavior-data-commands-rebirth-action-3")
def rebirth_keeps_bdseq(wire):
    for session, after in _after_rebirth_requests(wire):
        assert _bd_seq(after[0]) == _bd_seq(session.will)


# The primary host ---------------------------------------------------------------------------


def _waiting(wire) -> list:
    """Sessions of a node that has a primary host."""
    return some(session for session in wire if any("/STATE/" in topic for topic, _ in session.subscribed))


@check("operational-behavior-primary-application-state-with-multiple-servers-state-subs")
def subscribes_to_state(wire):
    for session in _waiting(wire):
        assert ("spBv1.0/STATE/scada", 1) in session.subscribed


@check("message-flow-edge-node-birth-publish-phid-wait", "operational-behavior-edge-node-birth-sequence-wait",
       "message-flow-edge-node-birth-publish-phid-wait-id",
       "message-flow-edge-node-birth-publish-phid-wait-online")
def births_wait_for_the_host(wire):
    """Births come after a STATE of this very host that says online; one of another host is not enough."""
    waited = others = 0
    for session in _waiting(wire):
        online = False
        for item in session.items:
            if isinstance(item, Heard):
                others += "/STATE/" in item.topic and not item.topic.endswith("/scada")
                if item.state is not None:
                    online = item.state[0]
            elif isinstance(item, Message) and item.verb == "NBIRTH":
                assert online
                waited += 1
    some(range(min(waited, others)))


def _states(session) -> list:
    """(place, online, timestamp, the highest timestamp before it) of each STATE of the host."""
    found = []
    newest = -1
    for place, item in enumerate(session.items):
        if isinstance(item, Heard) and item.state is not None:
            found.append((place, *item.state, newest))
            newest = max(newest, item.state[1])
    return found


def _ends_at(session, place: int) -> bool:
    """Whether what follows is the death, if there was a birth, and the DISCONNECT, and nothing else."""
    rest = session.items[place + 1:]
    born = any(isinstance(item, Message) and item.verb == "NBIRTH" for item in session.items[:place])
    verbs = [item.verb if isinstance(item, Message) else item for item in rest]
    return verbs == (["NDEATH", "disconnect"] if born else ["disconnect"])


@check("message-flow-edge-node-birth-publish-phid-offline",
       "operational-behavior-edge-node-termination-host-offline",
       "operational-behavior-primary-application-state-with-multiple-servers-walk")
def host_offline_ends_the_session(wire):
    ends = [(session, place) for session in _waiting(wire) for place, online, t_ms, newest in _states(session)
            if not online and t_ms >= newest]
    some(session for session, _ in ends if session.born)
    for session, place in ends:
        assert _ends_at(session, place)


@check("operational-behavior-edge-node-termination-host-offline-timestamp",
       "message-flow-edge-node-birth-publish-phid-wait-timestamp")
def an_older_state_does_not_count(wire):
    old = [(session, place) for session in _waiting(wire) for place, _, t_ms, newest in _states(session)
           if t_ms < newest]
    for session, place in some(old):
        assert not _ends_at(session, place)
        assert any(isinstance(item, Message) and item.verb in DATA for item in session.items[place:])


@check("operational-behavior-edge-node-termination-host-offline-reconnect")
def a_session_follows_the_one_that_the_host_ended(wire):
    ended = [place for place, session in enumerate(wire) if session in _waiting(wire) and any(
        not online for _, online, t_ms, newest in _states(session) if t_ms >= newest)]
    assert all(place + 1 < len(wire) for place in some(ended))


# The end ------------------------------------------------------------------------------------


@check("operational-behavior-edge-node-intentional-disconnect-ndeath",
       "operational-behavior-edge-node-intentional-disconnect-packet",
       "payloads-ndeath-will-message-publisher",
       "payloads-ndeath-will-message-publisher-disconnect-mqtt311")
def ndeath_before_disconnect(wire):
    for session in some(session for session in wire.born if "disconnect" in session.items):
        assert session.items[-1] == "disconnect"
        assert session.items[-2].verb == "NDEATH"


# What the wire of one node can't show -------------------------------------------------------

ELSEWHERE = {
    "tck-id-operational-behavior-primary-application-state-with-multiple-servers-single-server":
        "tests/node/report/speakers/test_sparkplug_broker.py::test_walks_to_the_broker_where_the_host_is",
    "tck-id-intro-edge-node-id-uniqueness":
        "tests/node/report/speakers/test_sparkplug.py::test_group_and_edge_node_are_from_the_node_file",
    "tck-id-topic-structure-namespace-unique-edge-node-descriptor":
        "tests/node/report/speakers/test_sparkplug.py::test_group_and_edge_node_are_from_the_node_file",
    "tck-id-payloads-nbirth-edge-node-descriptor":
        "tests/node/report/speakers/test_sparkplug.py::test_group_and_edge_node_are_from_the_node_file",
    "tck-id-topic-structure-namespace-duplicate-device-id-across-edge-node":
        "tests/node/report/speakers/test_sparkplug.py::test_two_nodes_may_have_devices_of_the_same_name",
}

NOT_MET = {}

NOT_APPLICABLE = {
    "tck-id-principles-persistence-clean-session-50": "the node speaks MQTT 3.1.1",
    "tck-id-payloads-ndeath-will-message-publisher-disconnect-mqtt50": "the node speaks MQTT 3.1.1",
    "tck-id-topics-nbirth-templates": "no templates are published",
}
for _id in ASSERTIONS:
    if _id.startswith("tck-id-payloads-template-") and _id != "tck-id-payloads-template-dataset-value":
        NOT_APPLICABLE[_id] = "no templates are published"
    elif _id.startswith("tck-id-payloads-dataset-") or _id == "tck-id-payloads-template-dataset-value":
        NOT_APPLICABLE[_id] = "no data sets are published"
    elif ASSERTIONS[_id]["scope"] == "host-to-edge-command":
        NOT_APPLICABLE[_id] = "what a host owes; commands that break it are refused: test_sparkplug.py"
