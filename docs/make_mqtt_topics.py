"""The page of the MQTT topics, with payloads and sizes as the code makes them.

    python docs/make_mqtt_topics.py         from the root of the project

writes docs/mqtt-topics.md.
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from edge import __version__  # noqa: E402
from edge.node.report import records  # noqa: E402
from edge.node.report.catalogue import BOOLEAN, FLOAT, INTEGER, TEXT, Catalogue, Metric  # noqa: E402
from edge.node.report.records import BAD, EVENT, GOOD, SAMPLE, UNCERTAIN  # noqa: E402
from edge.node.report.speakers import speaker  # noqa: E402

PAGE = HERE / "mqtt-topics.md"
T_MS = 1760000000000
BOOT = 3237998097

HEAD = """# MQTT topics

Made by `python docs/make_mqtt_topics.py`: payloads and sizes are what the code makes; a test compares.

The node speaks three languages, each switched on in the node file, each with its own connection, client id,
will and place in the outbox: plain JSON (`[report.json]`), Sparkplug B (`[report.sparkplug]`, see
[the assertions](sparkplug-assertions.md)) and Home Assistant (`[report.home_assistant]`). What is stored goes
out at least once; duplicates and gaps can be told by ids.

## Plain JSON

Below `furnace/<site>/<node>/`:

| topic | retained | payload | when |
|---|---|---|---|
| state | yes | `online` or `offline` | on every connection; `offline` when the node hangs, and as will |
| catalogue | yes | [JSON](catalogue.schema.json) | on every connection |
| samples | no | [JSON](samples.schema.json) | from the outbox, QoS 1, several at once up to 16 kB |
| event | no | [JSON](event.schema.json) | from the outbox, QoS 1, before all samples |
| telemetry | no | [JSON](telemetry.schema.json) | live, every `period_ms` of `[report]`; not stored |
| reporter | no | JSON: counters of the reporting end | live, every `reporter_ms`, from a box; not stored |
| session | yes | JSON: see [commands](commands.md) | when the nonce changes |
| answer | no | JSON: see [commands](commands.md) | after a command |
| command | | JSON: see [commands](commands.md) | read by the node, where `[remote]` allows it |
| barrier | no | empty | by the Sparkplug speaker, QoS 1 |
| alive | yes | 16 hex digits of this start | on every connection, and on a quiet one: [why](brokers.md) |

`v` is the version of a payload's form: a receiver that meets another one than it knows should say so and
leave it. Keys may come in any order. Numbers have 7 significant digits, as many as the 32-bit floats that
they are stored as. There is never a NaN or an infinity: such a value is null and bad.

**Which is new, which is lost?** `box` and `id` name an entry for ever: ids of samples and of events each
count up within one `box` (the outbox's epoch). The same id again is a duplicate, and so is the same `boot`
and `seq` under another id: what a reporter had delivered when it was killed, and not yet confirmed to the
node. A gap in the ids is a loss, which the node also tells in an event of the kind `loss`: its name says why,
its text is `COUNT samples, ids FIRST..LAST, t FIRST..LAST` (or `events`), its `boot` is 0, the reporting
end's own. A COUNT of 0 names ids that a crash left out, and is no alarm: most were never given, some may be
of records that had come already, or that died in memory, where a sample waits for at most `commit_s`. What
died may be older than something that came: events go first, and live samples before the backlog.
While the disk can't be used there is a `box` in memory only, which an event of the kind `outbox` tells: see
[the outbox](outbox.md).
When the outbox is full the oldest samples thin out: the values of one that is left out stand in the next that
is kept. Order by `boot` and `seq`, or `up`, where the wall clock `t` may have jumped; `sync` says whether to
trust `t`.

**Is an output where it is said to be?** Its value is what the node commands. Its state is `auto`, `interlock`, `trip`,
`safe`, `stopped`, `unknown` (the device does not follow, or does not answer), or `unconfirmed`: the device has not
confirmed the value. The reason then begins with the state that is meant, as in `trip: high_temperature; refused:
server device busy (exception 6)`, and the value is `uncertain` in samples. In `auto`, where values move with every
tick, an output is unconfirmed when nothing has been confirmed for two seconds; in all other states from the first
tick on. After two seconds that is an event of the kind `output`, and `unconfirmed NAME` is among the alarms of the
telemetry. A command that a device refuses three times in a row, or answers with another value (`took 50 instead of
525`), is an event of the kind `device` that names device, register and reason, and another when all has been
confirmed for ten seconds.

**A node that hangs** is offline. On a box its reporter hears something of it every second; after more than
10 s of nothing it tells `state` and Home Assistant's availability as `offline`, sends Sparkplug's NDEATH
and an alarm (an event of the kind `node`, name `silent`), and takes no commands. When the node speaks again
there is another such event, and everything is born anew. A reporter that hangs is told by its wills: by the
broker after 1.5 times `keepalive_s` where its process stands still (on a board: where the board does), at
once where the process lives and its loop has stood still for 10 s. Births follow each other by a second or
more, however often they are asked for.
"""

HOME_ASSISTANT = """
## Home Assistant

| topic | retained | payload |
|---|---|---|
| `homeassistant/device/furnace-<site>-<node>/config` | yes | discovery: one device, an entity per metric |
| `furnace/<site>/<node>/home_assistant/availability` | yes | `online` or `offline`, the will |
| `furnace/<site>/<node>/home_assistant/state` | no | the newest value of everything, flat |
| `furnace/<site>/<node>/home_assistant/event` | no | the newest event, as on the topic event |
| `homeassistant/status` | | read: at `online` all of it is published again |

The state comes at most every 5 s, and at once when an alarm or a trip comes or goes. What is bad is null,
which Home Assistant shows as unknown. Entities that are gone from the node file are removed by the next
connection. An empty retained message on the config topic removes the device. Home Assistant only looks: it
cannot make the nonce and the counter that a command needs. When nothing has come for three times `sample_ms`
and 10 s, it takes every value as gone (`expire_after`): should nobody have told it that the node is offline.
"""


class Clock:
    def utc_ms(self):
        return T_MS + 40


def begun(kind: str, catalogue, **settings):
    one = speaker.make(kind, catalogue.site, catalogue.node, settings, Clock())
    kept = {}
    one.begin(catalogue, "5f0c81aa", kept.get, kept.__setitem__)
    return one


def sample(catalogue, seq: int, values: list):
    return records.encode_sample(BOOT, seq, T_MS + 250 * seq, 250 * seq, True, catalogue.number, values)


def example() -> dict:
    """Payloads of a small node, by the part of the page that shows them."""
    catalogue = Catalogue([
        Metric("t850", "degC"), Metric("roof_a1", "degC", FLOAT, "roof"),
        Metric("o2", "%", FLOAT, "flue_gas"), Metric("alarm.o2_low", "", BOOLEAN),
        Metric("node.mode", "", TEXT),
    ], "bishkek", "line1")
    plain = begun(speaker.JSON, catalogue)
    home = begun(speaker.HOME_ASSISTANT, catalogue)
    stored = [
        sample(catalogue, 1, [(0, GOOD, 871.3), (1, GOOD, 884.25), (2, UNCERTAIN, 6.4), (3, GOOD, False),
                              (4, GOOD, "local")]),
        sample(catalogue, 2, [(1, BAD, None)]),
    ]
    entries = [(number, records.decode(record)) for number, record in enumerate(stored, 17)]
    happened = records.decode(records.encode_event(BOOT, 3, T_MS + 760, 760, True, "alarm", "o2_low", "came",
                                                   True))
    for number, item in entries:
        home.observe(item, number)
    home.observe(happened, 4)
    births = {message[0].rsplit("/", 1)[1]: message[1] for message in plain.births(T_MS) + home.births(T_MS)}
    return {
        "samples": plain.messages(SAMPLE, entries, False)[0][1],
        "event": plain.messages(EVENT, [(4, happened)], False)[0][1],
        "catalogue": births["catalogue"],
        "state": births["state"],
        "config": births["config"].replace(__version__.encode(), b"VERSION"),
    }


def twenty() -> tuple:
    """A catalogue and a sample of 20 metrics: 16 floats, a text, two whole numbers and a boolean."""
    metrics = [Metric(f"signal_{number:02d}", "degC") for number in range(16)]
    metrics += [Metric("mode", "", TEXT), Metric("starts", "", INTEGER), Metric("strokes", "", INTEGER),
                Metric("alarm", "", BOOLEAN)]
    values = [(number, GOOD, 850.5 + number) for number in range(16)]
    values += [(16, GOOD, "followin"), (17, GOOD, 1234), (18, GOOD, 5), (19, GOOD, True)]
    return Catalogue(metrics, "bishkek", "line1"), values


def sizes() -> list:
    """[(what, bytes)] of one sample of 20 metrics."""
    catalogue, values = twenty()
    records_of_it = [sample(catalogue, seq, values) for seq in (1, 2)]
    entries = [(seq, records.decode(record)) for seq, record in enumerate(records_of_it, 1)]
    plain = begun(speaker.JSON, catalogue)
    one, two = (len(plain.messages(SAMPLE, entries[:count], False)[0][1]) for count in (1, 2))
    rows = [("stored in the outbox", len(records_of_it[0])), ("plain JSON, alone in its message", one),
            ("plain JSON, each further one in the same message", two - one)]
    empty = records.decode(sample(catalogue, 0, [(index, GOOD, None) for index in range(20)]))
    for typed, what in ((False, "Sparkplug: alias and timestamp"), (True, "Sparkplug: with the datatype")):
        spark = begun(speaker.SPARKPLUG, catalogue, datatype_in_data=typed)
        spark.observe(empty, 0)
        spark.before_connect()
        births = spark.births(T_MS)
        rows.append((what, len(spark.messages(SAMPLE, entries[:1], False)[0][1])))
    rows.append(("Sparkplug: the NBIRTH, once a connection", len(births[0][1])))
    home = begun(speaker.HOME_ASSISTANT, catalogue)
    home.observe(entries[0][1], 1)
    rows.append(("Home Assistant: the state", len(home.messages(SAMPLE, entries[:1], False)[0][1])))
    rows.append(("Home Assistant: the discovery, once a connection", len(home.births(T_MS)[0][1])))
    return rows


def page() -> str:
    payloads = example()
    parts = [HEAD]
    for name in ("samples", "event", "catalogue"):
        parts.append(f"\n`{name}`:\n\n```json\n{pretty(payloads[name])}\n```\n")
    parts.append(HOME_ASSISTANT)
    parts.append(f"\nThe discovery of the same small node, abbreviated as Home Assistant documents it:\n\n"
                 f"```json\n{pretty(payloads['config'])}\n```\n\nand its state:\n\n"
                 f"```json\n{payloads['state'].decode()}\n```\n")
    parts.append("\n## Bytes\n\nOne sample of 20 metrics: 16 floats, a text of 8 letters, two whole numbers, "
                 "one boolean.\n\n| | bytes |\n|---|---|\n")
    parts += [f"| {what} | {size} |\n" for what, size in sizes()]
    parts.append("\nCommon forms need, for the same: JSON with name, value and time for each metric 1,413;\n"
                 "flat JSON 534; Sparkplug by name 677.\n")
    return "".join(parts)


def pretty(payload: bytes) -> str:
    """JSON on lines, but a small object on one."""
    lines = []
    _lines(json.loads(payload), "", lines, "")
    return "\n".join(lines)


def _lines(value, key: str, lines: list, indent: str):
    flat = json.dumps(value, ensure_ascii=False)
    nested = isinstance(value, dict | list) and any(isinstance(one, dict | list) for one in (
        value.values() if isinstance(value, dict) else value))
    if not nested and len(indent + key + flat) <= 108 or not isinstance(value, dict | list):
        lines.append(indent + key + flat)
        return
    is_dict = isinstance(value, dict)
    lines.append(indent + key + ("{" if is_dict else "["))
    items = [(json.dumps(name) + ": ", one) for name, one in value.items()] if is_dict else [
        ("", one) for one in value]
    for number, (name, one) in enumerate(items):
        _lines(one, name, lines, indent + "  ")
        lines[-1] += "," if number < len(items) - 1 else ""
    lines.append(indent + ("}" if is_dict else "]"))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
