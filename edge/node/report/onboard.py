"""The reporting end of a board: outbox, speakers and connections in the node's own loop.

Each step does a bounded piece of work, so that no tick waits for it; see ``BUDGET``. The outbox is a log of
segments in a folder of the board's file system. While the folder can't be used an outbox in memory stands in
for it: see ``disk``. Reporting can stop nothing: where memory runs out, all of it is given up, and built anew
from what is on the disk after half a minute; what the node tells meanwhile is counted as lost.
"""

import gc
import os

from edge.node.report.connections.mqtt import MqttClient
from edge.node.report.connections.tcp import Untrusted
from edge.node.report.engine import Engine, client_id
from edge.node.report.outbox.segments import SegmentLog
from edge.node.report.speakers import speaker

BUDGET = 8  # records that one speaker may turn into messages in one step
CACHED = 4  # decoded records kept for the next speaker
WINDOW = 16  # messages in flight on one connection
OUTBOX_MAX = 1000000  # bytes of files: the list of their blocks and two of the blocks are in memory
MEMORY_MAX = 16384  # bytes of records that wait in memory
CLOSE_MS = 2000
REOPEN_MS = 30000
NO_STATS = {
    "connected": False, "sent": 0, "acked": 0, "dropped": 0, "queued": 0, "reconnects": 0, "last_error": "",
}


def access_of(mqtt: dict) -> tuple:
    """(user name, password, paths for TLS) of [report.mqtt]."""
    if "credential" in mqtt:
        raise ValueError("report.mqtt.credential: a board has no systemd, expected password_file")
    password = None
    if "password_file" in mqtt:
        from edge.node.report.connections.secret import read_secret

        password = read_secret(mqtt["password_file"])
    tls = None
    if mqtt.get("tls"):
        tls = {}
        for key in ("ca", "cert", "key"):
            if key + "_file" in mqtt:
                tls[key] = mqtt[key + "_file"]
        if "key" in tls:
            from edge.node.report.connections.secret import must_be_private

            must_be_private(tls["key"])
    return mqtt.get("username"), password, tls


def make_connection(mqtt: dict, client_id: str, clock) -> MqttClient:
    """The connection of one speaker."""
    username, password, tls = access_of(mqtt)
    brokers = [(broker[0], broker[1]) for broker in mqtt["brokers"]]
    return MqttClient(
        brokers, client_id, clock, mqtt["keepalive_s"], tls=tls, username=username, password=password,
        window=WINDOW,
    )


class OnboardReporter:
    """A reporting end as described in edge.node.report.local, for a node description with [report.mqtt].

    ``connect``, ``open_outbox``: see make_connection and make_outbox. ValueError, OSError or Untrusted where
    the files of credentials can't be used.
    """

    def __init__(self, description: dict, clock, connect=make_connection, open_outbox=None):
        report = description["report"]
        settings = description["node"]
        self._clock = clock
        self._place = settings["site"], settings["name"]
        self._commands = bool(description.get("remote", {}).get("enabled"))
        self._report = {key: report[key] for key in report if key != "signal"}
        self._connect = connect
        self._open = open_outbox or make_outbox
        self._catalogue = None
        self._engine = None
        self._disk = None  # looked for while the outbox is in memory only
        self._failure = ""
        self._unstored = 0
        self._lost = 0
        self._build_due_ms = 0
        access_of(report["mqtt"])
        self._build(clock.now_ms())

    def _build(self, now_ms: int):
        try:
            engine = self._make_engine(self._open_outbox())
            if self._catalogue is not None:
                engine.begin(self._catalogue)
        except (OSError, MemoryError) as error:
            self._give_up("it can't begin: %s" % error, now_ms)
            return
        self._engine = engine
        self._failure = ""

    def _build_again(self, now_ms: int):
        try:
            self._build(now_ms)
        except (ValueError, Untrusted) as error:
            # What stops the start of a node does not stop one that runs.
            self._give_up("it can't begin: %s" % error, now_ms)

    def _open_outbox(self):
        self._disk = None
        settings = self._report["outbox"]
        try:
            return self._open(settings)
        except OSError as error:
            # Here, because a board whose disk is sound needs none of it.
            from edge.node.report.disk import Disk, stand_in

            self._disk = Disk(lambda: self._open(settings), self._make_engine, self._clock)
            return stand_in(OUTBOX_MAX, MEMORY_MAX, error)

    def _make_engine(self, outbox) -> Engine:
        report = self._report
        site, node = self._place
        clock = self._clock
        speakers = []
        connections = []
        for kind in speaker.KINDS:
            if kind in report:
                own = dict(report[kind])
                own["commands"] = self._commands
                speakers.append(speaker.make(kind, site, node, own, clock))
                connections.append(self._connect(report["mqtt"], client_id(site, node, kind), clock))
        return Engine(outbox, speakers, connections, clock, BUDGET, CACHED)

    def _give_up(self, why: str, now_ms: int):
        """Let go of everything but what is on the disk."""
        engine = self._engine
        self._engine = None
        self._failure = "reporting has stopped for a while: " + why
        self._build_due_ms = now_ms + REOPEN_MS
        gc.collect()
        if engine is not None:
            try:
                for sender in engine.senders:
                    connection = sender.connection
                    if connection.connected:
                        connection.drop(why)
                        connection.step(now_ms)
                    else:
                        connection.disconnect(now_ms)  # at once, where a step would begin to connect
                engine.finish(now_ms)
            except (OSError, MemoryError) as error:
                self._failure += "; and it did not end well: %s" % error
            self._note_lost(engine.outbox.waiting)
        gc.collect()

    def _note_lost(self, count: int):
        self._unstored += count
        self._lost += count

    # What the node calls -------------------------------------------------------------------

    def begin(self, catalogue):
        """``catalogue``: what the sample records that follow speak of."""
        self._catalogue = catalogue
        if self._engine is not None:
            try:
                self._engine.begin(catalogue)
            except MemoryError as error:
                self._give_up(str(error), self._clock.now_ms())

    def record(self, record: bytes) -> bool:
        """Keep a record until it is delivered; False, and counted, where it can't be kept."""
        if self._engine is not None:
            try:
                if self._engine.record(record, self._clock.now_ms()):
                    return True
            except MemoryError as error:
                self._give_up(str(error), self._clock.now_ms())
        self._note_lost(1)
        return False

    def publish(self, topic: str, payload: bytes, retain: bool = False, qos: int = 1) -> bool:
        """Send a live message at once or never."""
        if self._engine is None:
            return False
        try:
            return self._engine.live(topic, payload, retain, qos)
        except MemoryError as error:
            self._give_up(str(error), self._clock.now_ms())
            return False

    def snapshot_wanted(self) -> bool:
        return self._engine is not None and self._engine.snapshot_wanted(self._clock.now_ms())

    def commands(self) -> list:
        return [] if self._engine is None else self._engine.commands()

    def reply(self, name: str, payload: bytes):
        if self._engine is not None:
            self._engine.reply(name, payload)

    def losses(self) -> list:
        """(count, why) of what could not be stored since the last call; the outbox tells its own losses."""
        if self._engine is None or not self._unstored:
            return []
        lost = self._unstored
        self._unstored = 0
        return [(lost, "the board could not store them")]

    def step(self, now_ms: int) -> int:
        """Store, send and hear, a bounded piece. Returns when to be called again."""
        if self._engine is None:
            if now_ms >= self._build_due_ms:
                self._build_again(now_ms)
            return now_ms if self._engine is not None else self._build_due_ms
        try:
            due_ms = self._engine.step(now_ms)
            return due_ms if self._disk is None else min(due_ms, self._look_at_disk(now_ms))
        except MemoryError as error:
            self._give_up(str(error), now_ms)
            return self._build_due_ms

    def _look_at_disk(self, now_ms: int) -> int:
        disk = self._disk
        self._engine = disk.step(self._engine, now_ms)
        if not self._engine.outbox.IN_MEMORY:
            self._disk = None
        return disk.due_ms

    def pollable(self):
        """One of ``pollables``, or None."""
        found = self.pollables()
        return found[0] if found else None

    def pollables(self) -> list:
        return [] if self._engine is None else self._engine.pollables()

    @property
    def stats(self) -> dict:
        stats = dict(NO_STATS) if self._engine is None else self._engine.stats
        stats["dropped"] += self._lost
        stats["last_error"] = self._failure or stats["last_error"]
        return stats

    def close(self, now_ms: int):
        """Make durable what is there, send what can be sent within CLOSE_MS, say goodbye."""
        engine = self._engine
        if engine is None:
            return
        clock = self._clock
        try:
            engine.begin_close(now_ms, CLOSE_MS)
            while not engine.closed():
                due_ms = engine.step(clock.now_ms())
                if not engine.closed():
                    clock.wait(due_ms * 1000, engine.pollables())
            if self._disk is not None:
                engine = self._engine = self._disk.last(engine, clock.now_ms())
            engine.finish(clock.now_ms())
            self._note_lost(engine.outbox.waiting)
        except MemoryError as error:
            self._give_up(str(error), clock.now_ms())


def make_outbox(settings: dict) -> SegmentLog:
    """The outbox of [report.outbox]: a folder beside where a box has its file."""
    folder = settings["path"] + ".segments"
    make_folder(folder)
    size = min(settings["size_mb"] * 1000000, OUTBOX_MAX)
    return SegmentLog(folder, size, settings["commit_s"] * 1000, MEMORY_MAX)


def make_folder(path: str):
    """Make a folder and those above it, where they are not there yet."""
    done = "/" if path.startswith("/") else ""
    for part in path.split("/"):
        if part:
            done += part
            try:
                os.mkdir(done)
            except OSError:
                os.stat(done)  # it is there already, or the error says why not
            done += "/"
