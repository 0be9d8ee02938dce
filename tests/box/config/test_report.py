"""What a node file may say of its report, and what the node gets of it."""

import pytest

from edge.box.check import as_text, summarise
from edge.box.config import check
from tests.box.config.edits import REFERENCE, drop, drop_table, header_line, key_line, problems, put

NO_MQTT = drop_table(REFERENCE, "report.mqtt")


def report(text: str) -> dict:
    return check("line1.toml", text.encode()).description["report"]


def told(text: str) -> str:
    """The one problem of a text."""
    ((_, sentence),) = problems(text)
    return sentence


def with_mqtt(*rows: str) -> str:
    return "\n".join([NO_MQTT, "[report.mqtt]", *rows, ""])


def test_every_signal_and_calc_has_a_dead_band_and_a_period():
    signals = report(REFERENCE)["signal"]
    assert signals["roof_a1"] == {"dead_band": pytest.approx(1.3), "period_ms": 60000}
    assert signals["total_air"]["dead_band"] == pytest.approx(0.105)
    # The range of lambda is open.
    assert signals["lambda"]["dead_band"] == pytest.approx(0.01)


def test_dead_band_and_period_of_one_signal():
    text = REFERENCE + "[report.signal.draught]\ndead_band = 5\n[report.signal.t_furnace]\nperiod_ms = 0\n"
    signals = report(text)["signal"]
    assert signals["draught"] == {"dead_band": 5.0, "period_ms": 60000}
    assert signals["t_furnace"] == {"dead_band": pytest.approx(1.3), "period_ms": 0}
    wide = put(REFERENCE, "report", "dead_band_pct", "1")
    assert report(put(wide, "report", "sample_ms", "0"))["signal"]["roof_a1"] == {
        "dead_band": 13.0, "period_ms": 0,
    }  # fmt: skip


def test_a_signal_that_is_not_there():
    text = REFERENCE + "[report.signal.draft]\ndead_band = 5\n"
    ((line, sentence),) = problems(text)
    assert line == header_line(text, "report.signal.draft")
    assert "nobody provides" in sentence and "did you mean 'draught'?" in sentence


def test_a_named_table_within_a_table_keeps_its_lines():
    text = REFERENCE + "[report.signal.draught]\ndead_bnad = 5\n"
    ((line, sentence),) = problems(text)
    assert line == key_line(text, "report.signal.draught", "dead_bnad")
    assert sentence.startswith("report.signal draught has the key") and "'dead_band'?" in sentence
    assert "write it as [report.signal.NAME]" in told(put(REFERENCE, "report", "signal", "3"))
    text = REFERENCE + "[report.signal]\ndraught = 5\n"
    assert "write it as [report.signal.draught]" in told(text) or "expected a table" in told(text)


def test_speakers_and_outbox_of_a_plain_file():
    found = report(REFERENCE)
    assert found["outbox"] == {"path": "bishkek-line1.outbox", "size_mb": 64, "commit_s": 10}
    assert found["json"] == {"enabled": True}
    assert "sparkplug" not in found and "home_assistant" not in found


def test_sparkplug_and_home_assistant():
    text = REFERENCE + "[report.sparkplug]\n[report.home_assistant]\n[report.json]\nenabled = false\n"
    found = report(text)
    assert found["sparkplug"] == {"group": "bishkek", "edge_node": "line1", "datatype_in_data": False}
    assert found["home_assistant"] == {"prefix": "homeassistant", "expire_s": 190}
    assert "expire_s" not in report(put(text, "report", "sample_ms", "0"))["home_assistant"]
    assert "json" not in found
    text = REFERENCE + '[report.sparkplug]\ngroup = "kg"\nedge_node = "n1"\nprimary_host = "scada"\n'
    assert report(text)["sparkplug"] == {
        "group": "kg", "edge_node": "n1", "primary_host": "scada", "datatype_in_data": False,
    }  # fmt: skip


@pytest.mark.parametrize("table", ["json", "sparkplug", "home_assistant", "outbox"])
def test_a_report_to_nobody(table):
    sentence = told(NO_MQTT + f"[report.{table}]\n")
    assert "no [report.mqtt]" in sentence and "remove this one" in sentence


def test_a_broker_to_whom_nobody_speaks():
    assert "nothing else speaks" in told(REFERENCE + "[report.json]\nenabled = false\n")


def test_several_brokers():
    found = report(with_mqtt('brokers = ["127.0.0.1:1884", "localhost", "[::1]:1885"]'))["mqtt"]
    assert found["brokers"] == [["127.0.0.1", 1884], ["localhost", 1883], ["::1", 1885]]
    assert "host" not in found and "port" not in found


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("[]", "at least one"),
        ('"127.0.0.1"', "between brackets"),
        ("[1]", "in quotes"),
        ('["127.0.0.1", "127.0.0.1"]', "named twice"),
        ('["mqtt://127.0.0.1"]', "without scheme"),
        ('["127.0.0.1:0"]', "port 0"),
        ('["127.0.0.1:70000"]', "port 70000"),
        ('["::1"]', "in brackets"),
    ],
)
def test_brokers_that_are_none(value, words):
    sentences = [sentence for _, sentence in problems(with_mqtt("brokers = " + value))]
    assert len(sentences) == 1 and words in sentences[0]


def test_a_port_belongs_to_a_host():
    assert "belongs to host" in told(with_mqtt('brokers = ["127.0.0.1"]', "port = 1883"))


TLS = ['host = "broker.example"', 'ca_file = "/etc/ca.pem"']


def test_tls_is_on_where_an_authority_is_named():
    found = report(with_mqtt(*TLS))["mqtt"]
    assert found["tls"] is True and found["brokers"] == [["broker.example", 8883]]
    found = report(with_mqtt('host = "broker.example"', "tls = true", "port = 1884"))["mqtt"]
    assert found["tls"] is True and found["brokers"] == [["broker.example", 1884]] and "ca_file" not in found


def test_the_node_may_show_a_certificate_of_its_own():
    found = report(with_mqtt(*TLS, 'cert_file = "/etc/n.pem"', 'key_file = "/etc/n.key"'))["mqtt"]
    assert (found["cert_file"], found["key_file"]) == ("/etc/n.pem", "/etc/n.key")
    text = with_mqtt('host = "localhost"', 'cert_file = "/etc/n.pem"', 'key_file = "/etc/n.key"')
    assert all("nobody would see it" in sentence for _, sentence in problems(text))
    assert len(problems(text)) == 2


def test_an_authority_without_tls():
    assert "nobody would verify" in told(with_mqtt(*TLS, "tls = false"))


@pytest.mark.parametrize("host", ["10.0.0.5", "broker.example", "127.0.evil.example", "128.0.0.1"])
def test_beyond_this_machine_only_with_tls(host):
    text = with_mqtt(f'brokers = ["127.0.0.1", "{host}"]')
    ((line, sentence),) = problems(text)
    assert line == key_line(text, "report.mqtt", "brokers")
    assert host in sentence and "ca_file" in sentence
    assert problems(with_mqtt(f'host = "{host}"', "tls = true")) == []


def test_passwords_have_one_place():
    rows = ['host = "localhost"', 'username = "n"', 'password_file = "/etc/p"']
    assert problems(with_mqtt(*rows)) == []
    assert problems(with_mqtt(*rows[:2], 'credential = "mqtt-password"')) == []
    assert "one place" in told(with_mqtt(*rows, 'credential = "mqtt-password"'))


@pytest.mark.parametrize("host", ["broker.example:8883", "127.0.0.1:1884", "[::1]", "1:2"])
def test_a_host_with_its_port_would_never_be_found(host):
    found = told(with_mqtt(f'host = "{host}"', "tls = true"))
    assert host in found and "alone" in found
    assert problems(with_mqtt('host = "2001:db8::1"', "tls = true")) == []


@pytest.mark.parametrize("host", ["127.0.0.1.example", "127.999.999.999", "10.0.0.1", "localhost.example"])
def test_what_only_looks_like_this_machine_needs_tls(host):
    assert f"another machine, {host}, but no TLS" in told(with_mqtt(f'host = "{host}"'))
    assert problems(with_mqtt('host = "127.1.2.3"')) == []


def test_group_of_sparkplug_is_not_that_of_its_hosts():
    assert "name another group" in told(REFERENCE + '[report.sparkplug]\ngroup = "STATE"\n')
    at_state = REFERENCE.replace('site = "bishkek"', 'site = "STATE"')
    assert "the group is the site, STATE" in told(at_state + "[report.sparkplug]\n")
    assert problems(at_state) == problems(at_state + '[report.sparkplug]\ngroup = "bishkek"\n') == []


def test_sparkplug_forbids_names_that_differ_by_case():
    text = drop(REFERENCE, "calc.lambda", "unit").replace("[calc.lambda]", '[calc.O2]\nunit = ""')
    assert problems(text) == []
    assert "by case alone" in told(text + "[report.sparkplug]\n")
    programme = "[programme.{0}]\nsegments = [{{ to = 40 }}]\nafter_power_cut = 'abort'\n"
    text = REFERENCE + programme.format("up") + programme.format("UP")
    for loop, name in (("steam", "up"), ("feed", "UP")):
        text = put(text, "loop." + loop, "set_point_from", f'"programme.{name}"')
    assert problems(text) == []
    assert "by case alone" in told(text + "[report.sparkplug]\n")


def test_too_many_values():
    rows = "".join(
        f'[calc.c{number}]\nkind = "vote"\ntake = "highest"\nof = ["roof_a1"]\nunit = "degC"\n'
        for number in range(500)
    )
    assert "at most 500" in told(REFERENCE + rows)


def test_the_check_shows_who_is_told_what():
    shown = as_text(summarise(check("x", REFERENCE.encode()).description))
    assert "report      65 values as json to 127.0.0.1:1883, outbox of 64 MB" in shown
    text = with_mqtt('brokers = ["b.example", "[::1]"]', "tls = true") + "[report.sparkplug]\n"
    shown = as_text(summarise(check("x", text.encode()).description))
    assert "values as json, sparkplug to b.example:8883, [::1]:8883 with TLS, outbox" in shown
    assert "report      to nobody" in as_text(summarise(check("x", NO_MQTT.encode()).description))
