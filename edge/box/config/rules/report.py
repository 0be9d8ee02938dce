"""Rules of the report, and the form in which the node gets it."""

import ipaddress
import math

from edge.box.config import values
from edge.box.config.problems import did_you_mean

# The catalogue of the reported values crosses to the reporter in one datagram.
VALUES_MAX = 500
# Home Assistant takes a value as gone when so many times sample_ms have brought no state, and some more.
EXPIRE_PERIODS = 3
EXPIRE_MORE_S = 10
# Of a calc whose range is open.
OPEN_SPAN = 10.0
MQTT_PORT = 1883
MQTT_TLS_PORT = 8883
SPEAKERS = ("report.json", "report.sparkplug", "report.home_assistant")


def check(document):
    """Add what is wrong with the report."""
    report, mqtt = document.entry("report"), document.entry("report.mqtt")
    node = document.entry("node")
    tick_ms = node.get("tick_ms") if node else None
    period_ms = report.get("period_ms") if report else None
    if tick_ms is not None and period_ms is not None and period_ms < tick_ms:
        text = f"has period_ms = {period_ms}, expected at least one tick of {tick_ms} ms; write that or more"
        document.problem(report, "period_ms", text)
    for entry in document.of("report.signal"):
        _signal(document, entry)
    _count(document)
    if mqtt is None:
        for name in (*SPEAKERS, "report.outbox"):
            entry = document.entry(name)
            if entry is not None:
                text = "says how to report, but there is no [report.mqtt] that says to whom"
                document.problem(entry, "", f"{text}; add that table, or remove this one")
        return
    _addresses(document, mqtt)
    _credentials(document, mqtt)
    _tls(document, mqtt)
    json = document.entry("report.json")
    if json is not None and json.get("enabled") is False:
        if document.entry("report.sparkplug") is None and document.entry("report.home_assistant") is None:
            text = (
                "is switched off and nothing else speaks to the broker; switch it on, or remove [report.mqtt]"
            )
            document.problem(json, "enabled", text)
    sparkplug = document.entry("report.sparkplug")
    if sparkplug is not None:
        _group(document, sparkplug, node)
    _differ_by_more_than_case(document)


def _group(document, sparkplug, node):
    """Under STATE Sparkplug's hosts tell their own state."""
    text = "under which Sparkplug's hosts tell their own state; name another group"
    if sparkplug.get("group") == "STATE":
        document.problem(sparkplug, "group", f'has group = "STATE", {text}')
    elif "group" not in sparkplug.raw and node is not None and node.get("site") == "STATE":
        document.problem(sparkplug, "", f"has no group, so the group is the site, STATE, {text}")


def _signal(document, entry):
    if entry.name in document.names("source"):
        return
    hint = did_you_mean(entry.name, document.names("source"), "name one that is there")
    document.problem(entry, "", f"is about a signal or calc that nobody provides; {hint}")


def _count(document):
    outputs, loops = len(document.of("output")), len(document.of("loop"))
    count = len(document.of("signal")) + len(document.of("calc")) + 2 * outputs + 2 * loops
    for table in ("trip", "alarm", "device", "programme"):
        count += len(document.of(table))
    if count > VALUES_MAX:
        text = f"the node would report {count} values, expected at most {VALUES_MAX}; make two nodes of it"
        document.problem_at(("signal",), text)


def _addresses(document, mqtt):
    if ("host" in mqtt.raw) == ("brokers" in mqtt.raw):
        found = "both host and brokers" if "host" in mqtt.raw else "neither host nor brokers"
        text = f"has {found}, expected exactly one of them; " + ("remove" if "host" in mqtt.raw else "add")
        document.problem(mqtt, "brokers" if "host" in mqtt.raw else "", f"{text} one")
    elif "port" in mqtt.raw and "host" not in mqtt.raw:
        text = "has port, which belongs to host; write it into brokers, as host:port"
        document.problem(mqtt, "port", text)


def _credentials(document, mqtt):
    for key in ("password_file", "credential"):
        if key in mqtt.raw and "username" not in mqtt.raw:
            document.problem(mqtt, key, f"has {key}, but no username to send it with; add username")
    if "password_file" in mqtt.raw and "credential" in mqtt.raw:
        text = "has both password_file and credential, expected one place for the password; remove one"
        document.problem(mqtt, "credential", text)


def _tls(document, mqtt):
    if mqtt.get("tls") is False and "ca_file" in mqtt.raw:
        text = "has ca_file, but tls = false, so that nobody would verify anything; remove one of them"
        document.problem(mqtt, "tls", text)
        return
    encrypted = is_encrypted(mqtt.values)
    for key, other in (("cert_file", "key_file"), ("key_file", "cert_file")):
        if key in mqtt.raw and other not in mqtt.raw:
            text = f"has {key} without {other}, expected both or neither; add {other}"
            document.problem(mqtt, key, text)
        elif key in mqtt.raw and not encrypted:
            text = f"has {key}, but neither ca_file nor tls = true, so that nobody would see it; add one"
            document.problem(mqtt, key, text)
    if encrypted:
        return
    for key, host in _hosts(mqtt):
        if not is_loopback(host):
            document.problem(mqtt, key, "has " + unencrypted(host))


def _hosts(mqtt) -> list:
    """(key, host) of every broker."""
    if mqtt.get("brokers"):
        return [(("brokers", i), host) for i, (host, _) in enumerate(mqtt.get("brokers"))]
    return [("host", mqtt.get("host"))] if mqtt.get("host") else []


def unencrypted(host: str) -> str:
    """What to say of a broker that must not be spoken to without TLS."""
    return (
        f"a broker on another machine, {host}, but no TLS: everybody on the way could read and "
        "write; add ca_file, or tls = true for the authorities of this system"
    )


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by its spelling alone."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False  # a name, which may be anybody's


def is_encrypted(mqtt: dict) -> bool:
    """Whether the keys of [report.mqtt] ask for TLS."""
    return mqtt.get("tls", "ca_file" in mqtt)


def _differ_by_more_than_case(document):
    """Sparkplug forbids names that differ by case alone."""
    if document.entry("report.sparkplug") is None:
        return
    seen = {}
    for table in ("signal", "calc", "output", "loop", "programme", "trip", "alarm", "device"):
        for entry in document.of(table):
            # Signals and calcs share their names.
            place = ("signal" if table == "calc" else table, entry.name.lower())
            if seen.setdefault(place, entry.name) != entry.name:
                text = f"has a name that differs from {seen[place]} by case alone, which Sparkplug forbids"
                document.problem(entry, "", f"{text}; rename one of them")


# What the node gets ------------------------------------------------------------------------------


def complete(document, report: dict, node: dict):
    """Fill in what follows from the rest of the file: ``report`` and ``node`` of the description."""
    told = report.get("signal", {})
    report["signal"] = {}
    for name in document.names("source"):
        spec = told.get(name, {})
        low, high = values.span(document, name)
        width = high - low if math.isfinite(high - low) else OPEN_SPAN
        report["signal"][name] = {
            "dead_band": spec.get("dead_band", width * report["dead_band_pct"] / 100.0),
            "period_ms": spec.get("period_ms", report["sample_ms"]),
        }
    mqtt = report.get("mqtt")
    if mqtt is None:
        return
    mqtt["tls"] = is_encrypted(mqtt)
    port = MQTT_TLS_PORT if mqtt["tls"] else MQTT_PORT
    host, own_port = mqtt.pop("host", None), mqtt.pop("port", None)
    brokers = mqtt.get("brokers") or [[host, own_port]]
    mqtt["brokers"] = [[host, found or port] for host, found in brokers]
    report.setdefault("json", {"enabled": True})
    if not report["json"]["enabled"]:
        del report["json"]
    if "sparkplug" in report:
        report["sparkplug"].setdefault("group", node["site"])
        report["sparkplug"].setdefault("edge_node", node["name"])
    if "home_assistant" in report and report["sample_ms"]:
        expire_s = -(-EXPIRE_PERIODS * report["sample_ms"] // 1000) + EXPIRE_MORE_S
        report["home_assistant"]["expire_s"] = expire_s
    report["outbox"].setdefault("path", f"{node['site']}-{node['name']}.outbox")
