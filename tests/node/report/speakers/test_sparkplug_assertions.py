"""Every assertion of the Sparkplug 3.0 specification that concerns an edge node, by its id.

Each check runs over the sessions of sparkplug_session.py as each runtime conducts them, and must have seen
what it is about in at least one. That the checks can fail is proved by sessions that were tampered with.
"""

import subprocess

import pytest

from docs import make_sparkplug_assertions
from edge.box import micropython
from tests.node.report.speakers import sparkplug_session
from tests.node.report.speakers.assertions import (
    ASSERTIONS,
    CHECKS,
    ELSEWHERE,
    NOT_APPLICABLE,
    NOT_MET,
    Unseen,
)
from tests.node.report.speakers.wire import Heard, from_lines
from tests.parts import missing_part

# The option "datatype_in_data" is there to break this SHOULD NOT, for decoders that need it.
BROKEN_ON_PURPOSE = {("typed", "tck-id-payloads-metric-datatype-not-req")}


@pytest.fixture(scope="module")
def cpython():
    return {name: conduct().lines for name, conduct in sparkplug_session.SESSIONS}


@pytest.fixture(scope="module")
def micropython_lines():
    try:
        executable = micropython.executable()
    except FileNotFoundError as error:
        missing_part(str(error))
    script = "from tests.node.report.speakers import sparkplug_session; sparkplug_session.main()"
    done = subprocess.run([executable, "-c", script], cwd=micropython.root(), env=micropython.environment(),
                          capture_output=True, text=True, timeout=120, check=True)
    sessions = {}
    for line in done.stdout.splitlines():
        if line.startswith("# "):
            lines = sessions[line[2:]] = []
        else:
            lines.append(line)
    return sessions


@pytest.fixture(scope="module")
def wires(cpython, micropython_lines):
    return {
        "cpython": {name: from_lines(lines) for name, lines in cpython.items()},
        "micropython": {name: from_lines(lines) for name, lines in micropython_lines.items()},
    }


def test_both_runtimes_send_the_same_bytes(cpython, micropython_lines):
    assert micropython_lines == cpython


def test_each_assertion_is_checked_or_said_not_to_concern_the_node():
    assert len(ASSERTIONS) == 226
    for name in ASSERTIONS:
        found = [name in where for where in (CHECKS, ELSEWHERE, NOT_APPLICABLE, NOT_MET)]
        assert sum(found) == 1, name


def test_page_of_the_assertions_is_made_from_them():
    page = make_sparkplug_assertions.PAGE.read_text(encoding="utf-8")
    assert page == make_sparkplug_assertions.page(), "python docs/make_sparkplug_assertions.py makes it again"


@pytest.mark.parametrize("test", sorted(set(ELSEWHERE.values())))
def test_test_that_is_named_exists(test):
    file, name = test.split("::")
    assert f"def {name}(" in (micropython.root() / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize("runtime", ["cpython", "micropython"])
def test_assertion(wires, runtime, name):
    seen = 0
    for session, wire in wires[runtime].items():
        try:
            if (session, name) in BROKEN_ON_PURPOSE:
                with pytest.raises(AssertionError):
                    CHECKS[name](wire)
            else:
                CHECKS[name](wire)
                seen += 1
        except Unseen:
            continue
    assert seen, "no session shows what this is about"


def tamper_message(change, *verbs):
    """A change of every message of these verbs."""
    def tamper(wire):
        for session in wire:
            for message in [session.will, *session.sent]:
                if message.verb in verbs:
                    change(message)
    return tamper


def tamper_metric(change, *verbs):
    def all_metrics(message):
        for metric in message.metrics:
            change(metric)
    return tamper_message(all_metrics, *verbs)


def tamper_session(change):
    def tamper(wire):
        for session in wire:
            change(session)
    return tamper


def set_of(name, value):
    return lambda thing: setattr(thing, name, value)


def clear(name):
    return lambda thing: thing.ClearField(name)


def clear_in_payload(name):
    return lambda message: message.payload.ClearField(name)


def drop(session, unwanted):
    session.items = [item for item in session.items if not unwanted(item)]


def drop_verb(*verbs):
    return tamper_session(lambda session: drop(session, lambda item: getattr(item, "verb", "") in verbs))


def reverse(session):
    session.items.reverse()


def drop_second_dbirth_device(session):
    device = session.of("DBIRTH")[1].device if session.born else None
    drop(session, lambda item: getattr(item, "verb", "") == "DBIRTH" and item.device == device)


def data_before_births(session):
    data = [item for item in session.items if getattr(item, "verb", "") in ("NDATA", "DDATA")][:4]
    session.items = data + [item for item in session.items if item not in data]


def data_among_births(session):
    data = [item for item in session.items if getattr(item, "verb", "") in ("NDATA", "DDATA")][:4]
    rest = [item for item in session.items if item not in data]
    for place, item in enumerate(rest):
        if getattr(item, "verb", "") == "NBIRTH":
            session.items = rest[:place + 1] + data + rest[place + 1:]
            return


def rebirth_of_nothing(session):
    for place, item in enumerate(session.items):
        if isinstance(item, Heard) and item.rebirth:
            session.items[place + 1:place + 5] = session.items[place + 5:place + 6]


def bd_seq_plus_one(message):
    for metric in message.metrics:
        if metric.name == "bdSeq":
            metric.long_value += 1


def say_twice(session):
    doubled = []
    for item in session.items:
        doubled.append(item)
        if getattr(item, "verb", "") in ("NDATA", "DDATA"):
            doubled.append(item)
    session.items = doubled


def property_of(code, kind):
    def change(metric):
        if "Quality" in metric.properties.keys:
            value = metric.properties.values[list(metric.properties.keys).index("Quality")]
            value.type, value.int_value = kind, code
    return change


def rename_rebirth(field, value):
    def change(metric):
        if metric.name == "Node Control/Rebirth":
            setattr(metric, field, value)
    return change


def ignore_the_host(session):
    """The node goes on although the host has gone."""
    if any("/STATE/" in topic for topic, _ in session.subscribed):
        drop(session, lambda item: item == "disconnect" or getattr(item, "verb", "") == "NDEATH")


def obey_everybody(session):
    """The node ends at any STATE that says offline."""
    for place, item in enumerate(session.items):
        if isinstance(item, Heard) and item.state is not None and not item.state[0]:
            del session.items[place + 1:]
            if session.born:
                session.items.append(session.will)
            session.items.append("disconnect")
            return


ALL = ("NBIRTH", "NDEATH", "NDATA", "DBIRTH", "DDEATH", "DDATA")
SPOKEN = ("NBIRTH", "NDATA", "DBIRTH", "DDEATH", "DDATA")
METRICS = ("NBIRTH", "NDATA", "DBIRTH", "DDATA")
TAMPERED = {
    "retained": tamper_message(set_of("retain", True), *ALL),
    "QoS 1": tamper_message(set_of("qos", 1), *SPOKEN),
    "will at QoS 0": tamper_message(set_of("qos", 0), "NDEATH"),
    "another namespace": tamper_message(lambda m: setattr(m, "topic", m.topic.replace("v1", "v2")), *ALL),
    "reserved character": tamper_message(set_of("group", "a#b"), *ALL),
    "topic of another node": tamper_message(set_of("topic", "spBv1.0/x/NDATA/y"), *ALL),
    "no topic level": tamper_message(set_of("topic", "spBv1.0//NDATA"), *ALL),
    "devices differ by case": tamper_session(lambda s: [
        setattr(m, "device", "A" if n % 2 else "a") for n, m in enumerate(s.of("DBIRTH"))]),
    "no device": tamper_message(set_of("device", None), *ALL),
    "device in node topics": tamper_message(set_of("device", "d"), *ALL),
    "group changes": tamper_message(set_of("group", "other"), "DBIRTH"),
    "session kept": tamper_session(set_of("clean", False)),
    "no will": tamper_session(set_of("will", None)),
    "will of another": tamper_session(lambda s: setattr(s.will, "topic", "spBv1.0/x/NDEATH/y")),
    "will no payload": tamper_session(lambda s: setattr(s.will, "payload", None)),
    "birth no payload": tamper_message(set_of("payload", None), "NBIRTH", "DBIRTH"),
    "more in the death": tamper_message(lambda m: m.payload.metrics.add(name="x"), "NDEATH"),
    "seq in the death": tamper_message(lambda m: setattr(m.payload, "seq", 1), "NDEATH"),
    "bdSeq in the births alone": tamper_message(bd_seq_plus_one, "NBIRTH"),
    "bdSeq beside the count": tamper_message(bd_seq_plus_one, "NBIRTH", "NDEATH"),
    "no bdSeq": tamper_metric(lambda m: m.name == "bdSeq" and setattr(m, "name", "b"), "NBIRTH"),
    "order reversed": tamper_session(reverse),
    "data first": tamper_session(data_before_births),
    "data among the births": tamper_session(data_among_births),
    "nothing subscribed": tamper_session(lambda s: drop(s, lambda item: isinstance(item, tuple))),
    "half of DCMD and STATE": tamper_session(lambda s: drop(
        s, lambda item: isinstance(item, tuple) and item[1].endswith(("pump", "NCMD/line1")))),
    "STATE at QoS 0": tamper_session(lambda s: setattr(s, "items", [
        (*item[:2], 0) if isinstance(item, tuple) else item for item in s.items])),
    "a device is not born": tamper_session(drop_second_dbirth_device),
    "seq lost": tamper_message(clear_in_payload("seq"), *SPOKEN),
    "seq off": tamper_message(lambda m: setattr(m.payload, "seq", m.payload.seq * 2 + 300), *SPOKEN),
    "no time": tamper_message(clear_in_payload("timestamp"), *SPOKEN),
    "local time": tamper_metric(lambda m: setattr(m, "timestamp", m.timestamp + 5 * 3600000), *METRICS),
    "metrics without time": tamper_metric(clear("timestamp"), *METRICS),
    "not in time": tamper_session(lambda s: [
        setattr(metric, "timestamp", 2 ** 40 - n)
        for n, metric in enumerate(metric for m in s.of(*METRICS) for metric in m.metrics)]),
    "no names": tamper_metric(clear("name"), *METRICS),
    "names in data": tamper_metric(set_of("name", "n"), "NDATA", "DDATA"),
    "all the same names": tamper_metric(set_of("name", "n"), "NBIRTH", "DBIRTH"),
    "no aliases": tamper_metric(clear("alias"), *METRICS),
    "all the same aliases": tamper_metric(set_of("alias", 3), "NBIRTH", "DBIRTH"),
    "unknown aliases": tamper_metric(lambda m: setattr(m, "alias", m.alias + 100), "NDATA", "DDATA"),
    "no datatype": tamper_metric(clear("datatype"), *METRICS),
    "another datatype": tamper_metric(set_of("datatype", 10), "NBIRTH", "DBIRTH"),
    "datatype in data": tamper_metric(set_of("datatype", 9), "NDATA", "DDATA"),
    "null with a value": tamper_metric(set_of("is_null", True), "NBIRTH", "DBIRTH"),
    "quality 100": tamper_metric(property_of(100, 3), *METRICS),
    "quality as a text": tamper_metric(property_of(0, 12), *METRICS),
    "a property without a value": tamper_metric(lambda m: m.properties.keys.append("k"), *METRICS),
    "said twice": tamper_session(say_twice),
    "data of nothing": tamper_message(clear_in_payload("metrics"), "NDATA", "DDATA"),
    "the dead speak": tamper_session(lambda s: drop(
        s, lambda item: getattr(item, "verb", "") == "DBIRTH" and item.seq > 3)),
    "rebirth with an alias": tamper_metric(rename_rebirth("alias", 99), "NBIRTH"),
    "rebirth is true": tamper_metric(rename_rebirth("boolean_value", True), "NBIRTH"),
    "rebirth is not heard": tamper_session(rebirth_of_nothing),
    "no births on request": drop_verb("DBIRTH"),
    "no death": drop_verb("NDEATH"),
    "the host does not matter": tamper_session(ignore_the_host),
    "any STATE matters": tamper_session(obey_everybody),
    "born without the host": tamper_session(lambda s: drop(s, lambda item: isinstance(item, Heard) and
                                                           item.state is not None and item.state[0])),
    "nothing after the host": lambda wire: wire.__delitem__(slice(1, None)),
}


@pytest.fixture(scope="module")
def caught(cpython):
    """For each check, by what it is broken."""
    by = {}
    for what, tamper in TAMPERED.items():
        for name, lines in cpython.items():
            if name == "restarts":
                lines = [line for line in lines if not line.startswith("publish")]  # many, and alike
            wire = from_lines(lines)
            tamper(wire)
            for function in dict.fromkeys(CHECKS.values()):
                if function in by and by[function]:
                    continue
                try:
                    function(wire)
                except (Unseen, AttributeError, KeyError, IndexError, TypeError, ValueError):
                    continue  # only what an assertion says counts
                except AssertionError:
                    if not any((name, known) in BROKEN_ON_PURPOSE and CHECKS[known] is function
                               for known in CHECKS):
                        by[function] = what
    return by


@pytest.mark.parametrize("function", dict.fromkeys(CHECKS.values()), ids=lambda function: function.__name__)
def test_check_sees_what_is_wrong(caught, function):
    assert function in caught
