"""The reporter: stores and sends what the node says, in a process of its own, so that nothing delays a tick.

    python -m edge.box.reporter --fd 5 --config @reporter.json

It reads datagrams (``edge.node.report.link``) from the socket pair it was started with, keeps records in an
outbox on disk and lets each configured speaker send them over a connection of its own. It ends when the
node's end of the pair is closed, however that came about, or at SIGTERM: it makes durable what it has, sends
what it can within ``flush_s``, says goodbye and disconnects. While the disk can't be used the outbox is in
memory: see docs/outbox.md.

Its configuration is JSON: {"site", "node", "commands", "flush_s", "report": [report] of the node file}; see
``config_of``.
"""

import argparse
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

from edge.box.complaints import Complaints
from edge.box.memory_limit import limit_memory
from edge.box.node_watch import NodeWatch
from edge.box.state_folder import is_mistake
from edge.node.clock import Clock
from edge.node.report import link, messages
from edge.node.report.catalogue import from_json
from edge.node.report.disk import Disk, stand_in
from edge.node.report.engine import Engine, client_id
from edge.node.report.speakers import speaker

READS_PER_TURN = 200
FLUSH_S = 2.0
PATIENCE_S = 8.0  # beyond it, for a machine that is busy, or a disk that is slow
NICENESS = 10  # the node comes first, whatever a backlog or three speakers ask of the processor
BUDGET = 512  # records that a sender may turn into messages before the others have their turn
TURN_MS = 1000  # the longest between two looks
REPORTER_MS = 10000  # the topic reporter, where the node file says nothing else


class ConfigError(ValueError):
    """The configuration can't be used; the text says which key and what was expected."""


def config_of(description: dict) -> dict:
    """What the reporter needs to know of a node description; None where the node reports to nobody."""
    if "mqtt" not in description["report"]:
        return None
    settings = description["node"]
    return {
        "site": settings["site"],
        "node": settings["name"],
        "commands": bool(description.get("remote", {}).get("enabled")),
        "flush_s": FLUSH_S,
        "report": description["report"],
    }


def check_config(config) -> dict:
    """The configuration with its parts in place; ConfigError otherwise."""
    if not isinstance(config, dict):
        raise ConfigError(f"reporter: configuration is a {type(config).__name__}, expected an object")
    known = ("site", "node", "commands", "flush_s", "report")
    for key in config:
        if key not in known:
            raise ConfigError(f"reporter: unknown key {key!r}, expected {', '.join(known)}")
    for key in ("site", "node"):
        if not isinstance(config.get(key), str) or not config[key]:
            raise ConfigError(f"reporter: {key} = {config.get(key)!r}, expected a text that is not empty")
    flush_s = config.get("flush_s", FLUSH_S)
    if type(flush_s) not in (int, float) or not 0.1 <= flush_s <= 60:
        raise ConfigError(f"reporter: flush_s = {flush_s!r}, expected a number from 0.1 to 60")
    report = config.get("report")
    for key in ("mqtt", "outbox"):
        if not isinstance(report, dict) or not isinstance(report.get(key), dict):
            raise ConfigError(f"reporter: report has no table {key}, expected [report] of a node file")
    if not any(kind in report for kind in speaker.KINDS):
        raise ConfigError(f"reporter: nothing is switched on, expected one of {', '.join(speaker.KINDS)}")
    if not report["mqtt"].get("brokers"):
        raise ConfigError("reporter: report.mqtt.brokers is empty, expected a list of [host, port]")
    return {"commands": False, **config, "flush_s": flush_s}


def load_config(text: str) -> dict:
    """``text`` is JSON, or @ and the path of a file that holds it."""
    try:
        if text.startswith("@"):
            text = Path(text[1:]).read_text(encoding="utf-8")
        config = json.loads(text)
    except (OSError, ValueError) as error:
        raise ConfigError(f"reporter: configuration: {error}") from error
    return check_config(config)


def make_engine(config: dict, clock, outbox=None) -> Engine:
    """Outbox (or the one given), speakers and connections as configured; ConfigError where they are wrong."""
    # Here, because the node imports this module as well and needs neither SQLite nor paho.
    from edge.box.paho_connection import PahoConnection

    report = config["report"]
    site, node = config["site"], config["node"]
    kinds = [kind for kind in speaker.KINDS if kind in report]
    brokers = [(host, port) for host, port in report["mqtt"]["brokers"]]
    keepalive_s = report["mqtt"].get("keepalive_s", 15)
    speakers, connections = [], []
    try:
        access = access_of(report["mqtt"])
        for kind in kinds:
            settings = {**report[kind], "commands": config["commands"]}
            speakers.append(speaker.make(kind, site, node, settings, clock))
            connections.append(PahoConnection(brokers, client_id(site, node, kind), clock, keepalive_s,
                                              tls=access.tls, username=access.username,
                                              password=access.password))
    except (OSError, ValueError) as error:
        raise ConfigError(f"reporter: {error}") from error
    if outbox is None:
        outbox = begin_outbox(report["outbox"])
    return Engine(outbox, speakers, connections, clock, BUDGET)


def access_of(mqtt: dict):
    """Certificates, user name and password of [report.mqtt]; OSError or ValueError where they are wrong."""
    from edge.box import credentials

    return credentials.of(mqtt)


def begin_outbox(settings: dict):
    """The outbox of [report.outbox], or one in memory while its disk can't be used."""
    from edge.box.outbox import memory_of

    try:
        return open_outbox(settings)
    except OSError as error:
        bytes_max = int(settings["size_mb"] * 1000000)
        return stand_in(bytes_max, memory_of(bytes_max), error)


def open_outbox(settings: dict):
    """The outbox of [report.outbox] on its disk; its folder is made if need be, for this user alone.

    ConfigError where the table is to blame, or another process has the outbox; OSError where the disk is.
    """
    from edge.box.outbox import InUse, Outbox

    path = Path(settings["path"])
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.path.isdir(path):
            raise ValueError("is a folder, expected a file")
        return Outbox(str(path), int(settings["size_mb"] * 1000000), int(settings["commit_s"] * 1000))
    except (ValueError, *Outbox.ERRORS) as error:
        text = f"report.outbox.path {path}: {error}"
        if isinstance(error, (ValueError, InUse)) or isinstance(error, OSError) and is_mistake(error):
            raise ConfigError(f"reporter: {text}") from error
        raise OSError(text) from error


class Reporter:
    """Datagrams of the node on one side, the engine on the other."""

    def __init__(self, config: dict, node_end: socket.socket, clock=None, engine: Engine = None):
        self._clock = clock or Clock()
        self._config = config
        self._node_end = node_end
        self._wake_read, self._wake_write = socket.socketpair()
        for end in (node_end, self._wake_read, self._wake_write):
            end.setblocking(False)
        self.engine = engine or make_engine(config, self._clock)
        self._disk = Disk(lambda: open_outbox(config["report"]["outbox"]),
                          lambda outbox: make_engine(config, self._clock, outbox), self._clock)
        self._base = messages.base_topic(config["site"], config["node"])
        self._node_gone = False
        self._node_heard = False
        self._watch = NodeWatch(self._clock.now_ms())
        self._stopping = False
        self._next_stats_ms = 0
        self._tell_every_ms = config["report"].get("reporter_ms", REPORTER_MS)
        self._next_told_ms = 0
        self._boot = None  # of the node, as its newest record says
        self._was_connected = None
        self._complaints = Complaints(_say)
        self.malformed = 0
        self.unheard = 0  # datagrams for the node that its end had no room for
        self.last_error = ""

    def stop(self):
        """End as if the node had closed its end; may be called by a signal handler."""
        self._stopping = True
        with contextlib.suppress(BlockingIOError):
            self._wake_write.send(b"w")

    def stats(self) -> dict:
        """The engine's statistics and this process's."""
        stats = self.engine.stats
        stats["malformed"] += self.malformed
        stats["unheard"] = self.unheard
        stats["last_error"] = self.last_error or stats["last_error"]
        return stats

    def run(self) -> dict:
        """Work until the node is gone or ``stop`` is called, then finish. Returns the last statistics."""
        clock = self._clock
        while not (self._node_gone or self._stopping):
            more = self._read_node()
            now_ms = clock.now_ms()
            self._watch_node(now_ms)
            due_ms = self.engine.step(now_ms)
            self.engine = self._disk.step(self.engine, now_ms)
            self._complaints.disk(self.engine.disk_fault)
            self._tell_node(now_ms)
            self._wait(now_ms if more else min(due_ms, self._disk.due_ms, self._next_stats_ms))
        return self._finish()

    def _finish(self) -> dict:
        while not self._node_gone and self._read_node():
            pass
        engine = self.engine
        within_ms = int(self._config["flush_s"] * 1000)
        end_ms = self._clock.now_ms() + within_ms
        engine.begin_close(self._clock.now_ms(), within_ms)
        self._node_gone = True
        while not engine.closed() and self._clock.now_ms() < end_ms + TURN_MS:
            self._wait(min(engine.step(self._clock.now_ms()), end_ms))
        stats = self.stats()
        engine = self.engine = self._disk.last(engine, self._clock.now_ms())
        engine.outbox.commit(self._clock.now_ms())
        stats["stored"] = list(engine.outbox.stored(self._boot))
        engine.finish(self._clock.now_ms())
        if engine.outbox.waiting:
            _say(f"reporter: ends with {engine.outbox.waiting} records that are on no disk: "
                 f"{engine.outbox.stats['last_error']}")
        return stats

    def _wait(self, until_ms: int):
        ends = [self._wake_read, *self.engine.pollables()]
        if not self._node_gone:
            ends.append(self._node_end)
        left_ms = min(max(until_ms - self._clock.now_ms(), 0), TURN_MS)
        if self._wake_read in select.select(ends, [], [], left_ms / 1000)[0]:
            self._wake_read.recv(4096)

    # From the node ---------------------------------------------------------------------------

    def _read_node(self) -> bool:
        """Take in what is there; True when there may be more."""
        for _ in range(READS_PER_TURN):
            try:
                datagram = self._node_end.recv(link.MESSAGE_MAX)
            except BlockingIOError:
                return False
            except ConnectionResetError:
                continue  # the node ended with statistics unread; what it sent before is still to be read
            if not datagram:
                self._node_gone = True
                return False
            self._node_heard = True
            try:
                self._take(datagram[:1], datagram[1:])
            except ValueError as error:  # UnicodeDecodeError is one
                self.malformed += 1
                self.last_error = f"message of the node: {error}"
        return True

    def _watch_node(self, now_ms: int):
        text = self._watch.look(now_ms, self._node_heard)
        self._node_heard = False
        if text:
            _say(f"reporter: the node: {text}")
            self.engine.node_silent(self._watch.silent, now_ms, text)

    def _take(self, kind: bytes, data: bytes):
        engine = self.engine
        if kind == link.RECORD:
            self._boot = engine.record(data, self._clock.now_ms()) or self._boot
        elif kind == link.LIVE:
            topic, payload, retain, qos = link.unpack_message(data)
            engine.live(topic, payload, retain, qos)
        elif kind == link.CATALOGUE:
            engine.begin(from_json(data))
        elif kind == link.ANSWER:
            engine.reply(*link.unpack_answer(data))
        elif kind == link.FLUSH:
            if engine.outbox.commit(self._clock.now_ms()):
                self._next_stats_ms = 0  # tells the node what is stored; else it would ask again at once
        elif kind != link.BEAT:
            raise ValueError(f"reporter link: datagram of unknown kind {kind!r}")

    # To the node -----------------------------------------------------------------------------

    def _tell_node(self, now_ms: int):
        for name, payload, retained in self.engine.commands():
            if self._watch.silent:
                self.unheard += 1  # it must not find, when it wakes, what was meant for then
                continue
            self._send(link.COMMAND + link.pack_command(name, payload[: link.COMMAND_BYTES + 1], retained))
        if self.engine.snapshot_wanted(now_ms):
            self._send(link.SNAPSHOT)
        connected = [sender.connection.connected for sender in self.engine.senders]
        if now_ms >= self._next_stats_ms or connected != self._was_connected:
            self._was_connected = connected
            self._next_stats_ms = now_ms + link.STATS_PERIOD_MS
            self._report_stats(now_ms)

    def _report_stats(self, now_ms: int):
        stats = self.stats()
        memory_only = stats["outbox"]["memory_only"]
        self._complaints.step(now_ms, stats["connected"], stats["last_error"], memory_only)
        if self._tell_every_ms and now_ms >= self._next_told_ms:
            if self.engine.live(f"{self._base}/{messages.REPORTER}", json.dumps(stats).encode(), False, 1):
                self._next_told_ms = now_ms + self._tell_every_ms
        stats["stored"] = list(self.engine.outbox.stored(self._boot))
        self._send(link.STATS + json.dumps(stats).encode())

    def _send(self, datagram: bytes):
        try:
            self._node_end.send(datagram)
        except (BlockingIOError, BrokenPipeError, ConnectionResetError):
            self.unheard += 1  # the node does not read, or is gone: _read_node will see its end


def _say(line: str):
    # Whoever was to read it may be gone: that is no reason to stop reporting.
    with contextlib.suppress(OSError):
        print(line, file=sys.stderr, flush=True)


def start_reporter(values: dict, to=None, module: str = "edge.box.reporter") -> tuple:
    """Start the reporter as a process of its own. Returns (subprocess.Popen, ReporterLink).

    ``values``: see ``config_of``; ConfigError when they, or the credentials, are not right. ``to``: the
    ReporterLink that the process shall serve, a new one unless given. The process is in a session of its own,
    so that the terminal's ctrl-C reaches the node alone, and ends by itself when the node does. Its last
    statistics are a line of JSON on its stdout: see ``stop_reporter``.
    """
    config = check_config(values)
    try:
        access_of(config["report"]["mqtt"])
    except (OSError, ValueError) as error:
        raise ConfigError(f"reporter: {error}") from error
    node_end, reporter_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with reporter_end:
        process = subprocess.Popen(
            [sys.executable, "-m", module, "--fd", str(reporter_end.fileno()), "--ignore-sigint",
             "--json", "--config", json.dumps(config)],
            pass_fds=[reporter_end.fileno()], start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    if to is None:
        return process, link.ReporterLink(node_end)
    to.attach(node_end)
    return process, to


def stop_reporter(process: subprocess.Popen, to, flush_s: float = FLUSH_S) -> dict:
    """Close the link, wait ``flush_s`` (of its configuration) and some for the reporter to end, then kill it.

    Returns its last statistics, {} when it died without any.
    """
    to.close(0)
    try:
        said, _ = process.communicate(timeout=flush_s + PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        said, _ = process.communicate()
    return json.loads(said) if said.strip() else {}


def _limit_memory(config: dict):
    try:
        limit_memory(int(config["report"]["outbox"]["size_mb"] * 1000000))
    except OSError as error:
        _say(f"reporter: its memory has no limit: {error}")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m edge.box.reporter", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fd", type=int, required=True, help="the reporter's end of a SOCK_SEQPACKET pair")
    parser.add_argument("--config", required=True, help="JSON, or @FILE that holds it")
    parser.add_argument("--json", action="store_true", help="print the last statistics as one line of JSON")
    parser.add_argument("--ignore-sigint", action="store_true", help="leave ctrl-C to the parent")
    options = parser.parse_args(argv)
    os.nice(NICENESS)
    try:
        node_end = socket.socket(fileno=options.fd)
        config = load_config(options.config)
        _limit_memory(config)
        reporter = Reporter(config, node_end)
    except OSError as error:
        print(f"reporter: --fd {options.fd} is not a socket: {error}", file=sys.stderr)
        return 2
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: reporter.stop())
    signal.signal(signal.SIGINT, signal.SIG_IGN if options.ignore_sigint else lambda *_: reporter.stop())
    stats = reporter.run()
    if options.json:
        # A node that was killed does not read any more.
        with contextlib.suppress(BrokenPipeError):
            os.write(sys.stdout.fileno(), json.dumps(stats).encode() + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
