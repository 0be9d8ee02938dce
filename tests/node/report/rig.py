"""A reporting end of its own making: engine, outbox, speakers and real connections, stepped by the test."""

import time

from edge.box.outbox import Outbox
from edge.node.clock import Clock
from edge.node.report import records
from edge.node.report.catalogue import Catalogue
from edge.node.report.connections.mqtt import MqttClient
from edge.node.report.engine import Engine
from edge.node.report.speakers import speaker

SITE, NODE = "bishkek", "line1"


class Rig:
    """``brokers``: ports of 127.0.0.1; ``kinds``: {kind of speaker: settings}.

    ``connect``: makes a connection as MqttClient does. One start of the node: its records count from 1.
    """

    def __init__(self, folder, brokers, kinds, metrics, connect=MqttClient, keepalive_s=5):
        self.clock = Clock()
        self.catalogue = Catalogue(metrics, SITE, NODE)
        self.outbox = Outbox(str(folder / "outbox.db"), 4 << 20)
        self.speakers = [speaker.make(kind, SITE, NODE, settings, self.clock)
                         for kind, settings in kinds.items()]
        addresses = [("127.0.0.1", port) for port in brokers]
        self.connections = [connect(addresses, f"rig-{kind}", self.clock, keepalive_s) for kind in kinds]
        self.engine = Engine(self.outbox, self.speakers, self.connections, self.clock)
        self.engine.begin(self.catalogue)
        self.boot = 0x1000 + int(time.monotonic() * 1000) % 0xFFFFF
        self.seq = 0

    def sample(self, *values, synced=True):
        """``values``: (index, quality, value)."""
        self.seq += 1
        self.engine.record(records.encode_sample(
            self.boot, self.seq, self.clock.utc_ms(), self.clock.now_ms(), synced, self.catalogue.number,
            sorted(values)), self.clock.now_ms())

    def event(self, kind, name, text, alarm=False):
        self.seq += 1
        self.engine.record(records.encode_event(
            self.boot, self.seq, self.clock.utc_ms(), self.clock.now_ms(), True, kind, name, text, alarm),
            self.clock.now_ms())

    def step(self):
        now_ms = self.clock.now_ms()
        due_ms = min(self.engine.step(now_ms), now_ms + 10)
        self.clock.wait(due_ms * 1000, self.engine.pollables())

    def until(self, condition, within_s=60.0) -> bool:
        """Step until it is so; False when it never was in the time."""
        end = time.monotonic() + within_s
        while not condition():
            if time.monotonic() > end:
                return False
            self.step()
        return True

    def idle(self) -> bool:
        """Whether everything has been sent and acknowledged."""
        return self.engine.stats["queued"] == 0

    def close(self):
        self.engine.begin_close(self.clock.now_ms(), 2000)
        assert self.until(self.engine.closed), "the engine did not close"
        self.engine.finish(self.clock.now_ms())
