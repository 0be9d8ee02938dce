"""The tables of a node file that say what is told to others, how, and to whom."""

from edge.box.config.addresses import Addresses, Host
from edge.box.config.fields import OPTIONAL, Integer, Name, Number, Switch, Text
from edge.box.config.table import Table

HOUR_MS = 3600000
DAY_MS = 24 * HOUR_MS

REPORT = {
    "period_ms": Integer(
        "live telemetry goes out so often; it is not stored", 100, HOUR_MS, "ms", default=1000
    ),
    "reporter_ms": Integer(
        "counters of the reporting end go out so often, on the topic reporter, from a box; 0: never",
        0,
        DAY_MS,
        "ms",
        default=10000,
    ),
    "dead_band_pct": Number(
        "a value is stored when it has changed by so much of its range since it was last told; "
        "lambda, whose range is open, counts as 0 to 10",
        0,
        10,
        "%",
        default=0.1,
    ),
    "sample_ms": Integer(
        "a value that has not been told for so long is told again; 0: only on change",
        0,
        DAY_MS,
        "ms",
        default=60000,
    ),
}

SIGNAL = {
    "dead_band": Number("another dead band, in the unit of the signal", 0, default=OPTIONAL),
    "period_ms": Integer("another sample_ms", 0, DAY_MS, "ms", default=OPTIONAL),
}

OUTBOX = {
    "path": Text(
        "where it is kept: absolute, or below the state folder, which is that of the service, "
        "/var/lib/furnace-edge for root, else ~/.local/state/furnace-edge; by default SITE-NAME.outbox",
        default=OPTIONAL,
    ),
    "size_mb": Integer(
        "how much of the disk it may take, on a board 1 at most; when it is full, the oldest samples thin "
        "out first, alarms never",
        1,
        10000,
        "MB",
        default=64,
    ),
    "commit_s": Integer("samples go to the disk so often; events and alarms at once", 1, 60, "s", default=10),
}

MQTT = {
    "host": Host("the broker; either this or brokers", default=OPTIONAL),
    "port": Integer("its TCP port; by default 1883, with TLS 8883", 1, 65535, default=OPTIONAL),
    "brokers": Addresses("several addresses of the broker, tried in turn", default=OPTIONAL),
    "keepalive_s": Integer(
        "after one and a half times this broker and node notice that the other is gone",
        5,
        3600,
        "s",
        default=15,
    ),
    "username": Text("who the node is to the broker", default=OPTIONAL),
    "password_file": Text(
        "file that holds the password, readable for the node's user alone", default=OPTIONAL
    ),
    "credential": Name("systemd credential that holds the password", default=OPTIONAL),
    "tls": Switch(
        "encrypt, and verify the broker by ca_file or the system's authorities; "
        "by default only where ca_file is given; required beyond this machine",
        default=OPTIONAL,
    ),
    "ca_file": Text("certificates of the authority that signs the broker's", default=OPTIONAL),
    "cert_file": Text("the node's own certificate", default=OPTIONAL),
    "key_file": Text("its key, readable for the node's user alone", default=OPTIONAL),
}

JSON = {"enabled": Switch("whether it speaks", default=True)}

SPARKPLUG = {
    "group": Name("group id; by default the site", default=OPTIONAL),
    "edge_node": Name("edge node id; by default the node's name", default=OPTIONAL),
    "primary_host": Name("hold data back while this host is offline", default=OPTIONAL),
    "datatype_in_data": Switch("name the datatype in data as well, as some decoders need", default=False),
}

HOME_ASSISTANT = {"prefix": Name("its discovery prefix", default="homeassistant")}

REPORT_TABLES = (
    Table("report", "what is told to others", REPORT, named=False),
    Table("report.signal", "how a signal or calc is told, where it differs from the rest", SIGNAL),
    Table("report.outbox", "what is kept until a broker has it", OUTBOX, named=False),
    Table("report.mqtt", "the broker; without this table nothing is sent", MQTT, named=False),
    Table("report.json", "plain JSON topics, on by default: docs/mqtt-topics.md", JSON, named=False),
    Table("report.sparkplug", "a Sparkplug B 3.0 edge node, off without this table", SPARKPLUG, named=False),
    Table(
        "report.home_assistant",
        "discovery by Home Assistant, off without this table",
        HOME_ASSISTANT,
        named=False,
    ),
)

REFUSED_KEYS = {
    ("report.mqtt", "password"): "a password, which does not belong into a file that is shown and copied; "
    "put it into a file of its own that only the node's user can read, and name that in password_file",
    ("report.mqtt", "insecure"): "insecure, but a broker whose certificate nobody verified may be anybody; "
    "name the authority that signed it in ca_file",
}
