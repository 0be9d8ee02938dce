"""MB a day between the Bishkek line and its broker, by language and setting, on virtual time.

The emulated line runs with the product's engine and speakers; what they publish is counted as packets of
MQTT: publications, acknowledgements, and the question whether the broker is there. TCP and IP add 40 bytes to
each packet and to each acknowledgement of their own; they are counted as two for each publication. The
emulated fire flickers: a quiet plant sends less. The same figures come on every machine.
"""

import json

from edge.box.config import check, find
from edge.box.outbox import memory_of
from edge.emulator.virtual import VirtualRun
from edge.node.report import messages
from edge.node.report.connections import packets
from edge.node.report.disk import stand_in
from edge.node.report.engine import Engine
from edge.node.report.speakers import speaker
from edge.node.report.speakers.sparkplug import NAMESPACE
from tests.node.report.fakes_report import FakeConnection

DAY_S = 86400
SETTLE_S = 600  # of the plant, and for the births
TCP_IP = 40
PLANT = "bishkek"
SPARKPLUG, HOME_ASSISTANT = "\n[report.sparkplug]\n", "\n[report.home_assistant]\n"
NO_JSON = "\n[report.json]\nenabled = false\n"
RARE = "period_ms = 3600000\nreporter_ms = 0\ndead_band_pct = 2.0\nsample_ms = 3600000 "
METERED = {"period_ms = 1000 ": RARE, "dead_band = 3.0 ": "dead_band = 20.0 ",
           "keepalive_s = 15": "keepalive_s = 600"}
# name: (what replaces what in the node file, what is added to it)
VARIANTS = {
    "JSON, Sparkplug and Home Assistant": ({}, SPARKPLUG + HOME_ASSISTANT),
    "JSON": ({}, ""),
    "JSON, telemetry every 10 s": ({"period_ms = 1000 ": "period_ms = 10000 "}, ""),
    "JSON, telemetry every hour": ({"period_ms = 1000 ": "period_ms = 3600000 "}, ""),
    "Sparkplug": ({}, SPARKPLUG + NO_JSON),
    "Home Assistant": ({}, HOME_ASSISTANT + NO_JSON),
    "metered line, JSON": (METERED, ""),
    "metered line, Sparkplug": (METERED, SPARKPLUG + NO_JSON),
}


class Counting(FakeConnection):
    """A connection to a broker that acknowledges at once; ``count``: bytes and packets by what they are."""

    def __init__(self, clock, keepalive_s: int, count: dict):
        super().__init__(window=50)
        self._clock = clock
        self._ask_after_ms = keepalive_s * 500
        self._sent_ms = 0
        self._count = count

    def publish(self, topic, payload, qos, retain):
        packet_id = super().publish(topic, payload, qos, retain)
        if packet_id >= 0:
            self.sent.clear()
            name = packets.encode_text(topic)
            size = len(packets.assemble_publish(name, payload, qos, retain, packet_id)) + (4 if qos else 0)
            what = topic.split("/")[2] if topic.startswith(NAMESPACE) else topic.rpartition("/")[2]
            before = self._count.get(what, (0, 0))
            self._count[what] = (before[0] + size, before[1] + 1)
            self._sent_ms = self._clock.now_ms()
        return packet_id

    def step(self, now_ms):
        if self.connected and now_ms - self._sent_ms >= self._ask_after_ms:
            self.publish(*self.question, 1, True)
        self.ack()
        return now_ms + 1000


class Line:
    """The line and its reporting end; ``count`` as of Counting."""

    def __init__(self, text: str):
        description = check("line1.toml", text.encode()).description
        report = description["report"]
        self.count = {}
        self.engine = None
        self._run = VirtualRun(PLANT, description, 1, self._live, self._record)
        self.clock = self._run.clock
        node = description["node"]
        kinds = [kind for kind in speaker.KINDS if kind in report]
        connections = [Counting(self.clock, report["mqtt"]["keepalive_s"], self.count) for _ in kinds]
        bytes_max = report["outbox"]["size_mb"] * 1000000
        self.engine = Engine(
            stand_in(bytes_max, memory_of(bytes_max), OSError("none is needed")),
            [speaker.make(kind, node["site"], node["name"], report[kind], self.clock) for kind in kinds],
            connections, self.clock, 512)
        self._base = messages.base_topic(node["site"], node["name"])
        self._reporter_ms = report["reporter_ms"]
        self._told_ms = 0
        self.engine.begin(self._run.reporter.catalogue)
        self._run.reporter.ask_snapshot()
        for connection in connections:
            connection.come_up()

    def _record(self, record: bytes):
        if self.engine is None:
            return  # what is told while the node is built
        self.engine.record(record, self.clock.now_ms())
        self.engine.step(self.clock.now_ms())

    def _live(self, topic: str, payload: bytes, retain: bool):
        if topic.endswith(messages.TELEMETRY):
            content = json.loads(payload)
            content["report"] = self.engine.stats
            self.engine.live(topic, json.dumps(content).encode(), retain, 1)

    def run_for(self, seconds: int):
        for _ in range(seconds):
            self._run.run_for(1)
            now_ms = self.clock.now_ms()
            if self._reporter_ms and now_ms - self._told_ms >= self._reporter_ms:
                self._told_ms = now_ms
                self.engine.live(f"{self._base}/{messages.REPORTER}", json.dumps(self.engine.stats).encode(),
                                 False, 1)
            self.engine.step(now_ms)


def traffic(replacements: dict, more: str, seconds: int) -> dict:
    """MB a day: of MQTT, with TCP and IP, and of MQTT by topic."""
    text = find(PLANT).read_text(encoding="utf-8")
    for old, new in replacements.items():
        if text.count(old) != 1:
            raise ValueError(f"the file of the line has not one {old!r}, which this bench replaces")
        text = text.replace(old, new)
    line = Line(text + more)
    line.run_for(SETTLE_S)
    line.count.clear()
    line.run_for(seconds)
    scale = DAY_S / seconds / 1e6
    size = sum(each for each, _ in line.count.values())
    wire = size + sum(each for _, each in line.count.values()) * 2 * TCP_IP
    topics = sorted(((each * scale, what) for what, (each, _) in line.count.items()), reverse=True)
    return {"mqtt": round(size * scale, 1), "wire": round(wire * scale, 1),
            "topics": {what: round(each, 1) for each, what in topics if each >= 0.05}}


def measure(quick: bool = False) -> dict:
    seconds = 600 if quick else 7200
    return {"seconds": seconds, "mb_a_day": {name: traffic(*how, seconds) for name, how in VARIANTS.items()}}


def told(figures: dict) -> str:
    lines = [f"traffic: MB a day of MQTT, and with TCP/IP, from {figures['seconds']} s of the Bishkek line"]
    for name, one in figures["mb_a_day"].items():
        topics = ", ".join(f"{what} {size}" for what, size in one["topics"].items())
        lines.append(f"  {name:36s}{one['mqtt']:8.1f}{one['wire']:8.1f}   {topics}")
    return "\n".join(lines)
