"""Reporting against a real mosquitto: draining a backlog, the tick under trouble, an outage and its end.

Beside them paho-mqtt alone: a message for each sample from its own queue, and its own notice of an outage.
"""

import contextlib
import json
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

import paho.mqtt.client as paho

from benchmarks import budget
from benchmarks.report_peers import Alone, paho_queue
from edge.box.child import Child
from edge.box.config import find
from edge.box.outbox import Outbox
from edge.box.reporter import config_of, start_reporter, stop_reporter
from edge.node.clock import Clock
from edge.node.report import records
from edge.node.report.catalogue import Catalogue, Metric
from tests.faults.rig import PROMPT, description
from tests.node.report.brokers import Mosquitto
from tests.node.report.certificates import Authority

BASE = "furnace/bench/k1"
LIVE_HZ = 4
DRAIN_LIVE_HZ = 40  # ten times as many, so that there is something to count in the few seconds
SIGNALS = 40
CHANGED = 10  # of these in an ordinary sample
BOOT = 5

LIMIT_DRAIN_PER_S = 5000
LIMIT_LIVE_MS = 1000 // LIVE_HZ
LIMIT_LATE_RATIO = 1.5
LIMIT_NOTICE = 1.5  # times the keepalive
LIMIT_BACK_S = 2.0
KEEPALIVE_S = 5
FROZEN_S = 10  # longer than a frozen broker goes unnoticed, so that TLS begins anew within each run
THAWED_S = 5
SLOW_DISK_MS = 200

METRICS = [Metric(f"t_zone_{number}", "degC", 1, "ai") for number in range(SIGNALS)]
CATALOGUE = Catalogue(METRICS, "bench", "k1")


def now_ms() -> int:
    return int(time.monotonic() * 1000)


def sample(seq: int, everything: bool = False) -> bytes:
    """What a tick of a line of 40 signals has to say: the quarter that has changed, or everything."""
    first = seq % (SIGNALS // CHANGED)
    places = range(SIGNALS) if everything else range(first, SIGNALS, SIGNALS // CHANGED)
    values = [(place, 0, 800.0 + place + (seq % 997) * 0.125) for place in places]
    utc_ms = int(time.time() * 1000)
    return records.encode_sample(BOOT, seq, utc_ms, seq * 250, True, CATALOGUE.number, values)


def fill(path: str, count: int, speakers=("json",), size_mb: int = 200):
    """An outbox that holds ``count`` samples which nobody has."""
    outbox = Outbox(path, size_mb * 1000000, 10000)
    outbox.attach(list(speakers))
    outbox.keep_catalogue(CATALOGUE.number, CATALOGUE.to_json())
    for seq in range(1, count + 1):
        outbox.append(sample(seq), now_ms())
        if seq % 1000 == 0:
            outbox.commit(now_ms())
    outbox.commit(now_ms())
    outbox.close()


class Listener:
    """What comes, and when: (seconds, topic, payload)."""

    def __init__(self, port: int, topic: str):
        self.heard = []
        ready = threading.Event()
        client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        client.on_connect = lambda client, *_: client.subscribe(topic, qos=0)
        client.on_subscribe = lambda *_: ready.set()
        client.on_message = self._hear
        client.connect_async("127.0.0.1", port)
        client.reconnect_delay_set(0.1, 0.2)
        client.loop_start()
        self._client = client
        assert ready.wait(8)

    def _hear(self, client, userdata, message):
        self.heard.append((time.time(), message.topic, message.payload))

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()


@contextlib.contextmanager
def bench(encrypted: bool = False):
    """(folder, broker) for one measurement; ``encrypted``: its authority is ``folder``/authority.pem."""
    with tempfile.TemporaryDirectory(prefix="furnace-edge-") as name:
        tls = None
        if encrypted:
            authority = Authority(Path(name))
            tls = {"ca": authority.ca, **authority.issue("broker", ["127.0.0.1"])}
        with Mosquitto(Path(name), *PROMPT, tls=tls) as broker:
            yield Path(name), broker


# A backlog ---------------------------------------------------------------------------------


def drain(count: int) -> dict:
    """Samples a second out of a backlog, and how late live samples come meanwhile."""
    with bench() as (folder, broker):
        node_file = description(folder, [["127.0.0.1", broker.port]], size_mb=200, commit_s=10)
        fill(node_file["report"]["outbox"]["path"], count)
        listener = Listener(broker.port, f"{BASE}/samples")
        process, link = start_reporter(config_of(node_file))
        link.begin(CATALOGUE)
        link.record(sample(count + 1, True))
        seq = count + 1
        due = time.monotonic()
        end = due + 120
        while time.monotonic() < end:
            link.step(now_ms())
            if time.monotonic() >= due:
                due += 1 / DRAIN_LIVE_HZ
                seq += 1
                link.record(sample(seq))
                if _drained(listener, count):
                    break
            time.sleep(0.002)
        stop_reporter(process, link)
        listener.close()
        return _drain_figures(listener, count)


def _drained(listener, count: int) -> bool:
    return any(f'"id":{count},'.encode() in payload for _, _, payload in listener.heard[-100:])


def _drain_figures(listener, count: int) -> dict:
    old, live = [], []  # when they came; (when it came, when it was taken)
    for at, _, payload in listener.heard:
        for one in json.loads(payload)["samples"]:
            if one["seq"] <= count:
                old.append(at)
            else:
                live.append((at, one["t"] / 1000))
    span_s = old[-1] - old[0] if old else 0.0
    late_ms = [1000 * (at - taken) for at, taken in live if old and old[0] <= taken and at <= old[-1]]
    return {
        "samples": len(old),
        "seconds": round(span_s, 2),
        "per_s": round(len(old) / span_s) if span_s else 0,
        "limit_per_s": LIMIT_DRAIN_PER_S,
        "live_samples": len(late_ms),
        "live_late_max_ms": round(max(late_ms), 1) if late_ms else None,
        "limit_live_ms": LIMIT_LIVE_MS,
    }


# The tick under trouble --------------------------------------------------------------------


def lateness(seconds: float, rounds: int) -> dict:
    """p99 of how late a tick is, quiet and in trouble, in turns; beside each a bare wait of the same pace."""
    late = {False: [], True: []}
    bare = {False: [], True: []}
    fates = []
    for _ in range(rounds):
        for trouble in (False, True):
            ticks, waits, report = _node_run(seconds, trouble)
            late[trouble] += ticks
            bare[trouble] += waits
            if trouble:
                fates.append({key: report[key] for key in ("sent", "acked", "queued", "reconnects")})
                if not report["reconnects"]:
                    raise RuntimeError("the node never had to connect again: freeze the broker for longer")
    calm, rough = _p99_ms(late[False]), _p99_ms(late[True])
    return {
        "ticks": len(late[False]),
        "quiet_p99_ms": calm,
        "troubled_p99_ms": rough,
        "quiet_max_ms": max(late[False]) / 1000,
        "troubled_max_ms": max(late[True]) / 1000,
        "bare_quiet_p99_ms": _p99_ms(bare[False]),
        "bare_troubled_p99_ms": _p99_ms(bare[True]),
        "ratio": round(rough / calm, 2) if calm else None,
        "limit_ratio": LIMIT_LATE_RATIO,
        "connected_again": sum(fate["reconnects"] for fate in fates),
        "reports": fates,
    }


def _bare(seconds: float, answer):
    """Wait for a schedule of 4 Hz and do nothing: the machine's own lateness."""
    clock = Clock()
    late_us = []
    due_us = clock.now_us()
    end_us = due_us + int(seconds * 1e6)
    while due_us < end_us:
        due_us += 1000000 // LIVE_HZ
        while clock.now_us() < due_us:
            clock.wait(due_us, [])
        late_us.append(clock.now_us() - due_us)
    answer.put(late_us)


def _p99_ms(late_us: list) -> float:
    return sorted(late_us)[int(len(late_us) * 0.99)] / 1000 if late_us else 0.0


def _node_run(seconds: float, trouble: bool) -> tuple:
    """(lateness of each tick in us, of each bare wait, last statistics of the reporter): the Bishkek line."""
    with bench(encrypted=True) as (folder, broker):
        environment = {"SLOW_DISK_MS": str(SLOW_DISK_MS if trouble else 0)}
        if trouble:
            fill(str(folder / "bishkek-line1.outbox"), 10000)
        emulator = Child("emulator", "edge.emulator.serve", "bishkek", "--seed", "1", "--attached")
        node = None
        try:
            port = json.loads(emulator.line(20))["port"]
            os.environ.update(environment)
            kept = folder / "late.json"
            address = f"127.0.0.1:{broker.port}"
            node_file = folder / "line1.toml"
            text = find("bishkek").read_text(encoding="utf-8")
            ca = f"keepalive_s = {KEEPALIVE_S}\nca_file = \"{folder}/authority.pem\""
            node_file.write_text(text.replace("keepalive_s = 15", ca), encoding="utf-8")
            node = Child("node", "benchmarks.node_for_report", str(kept), str(node_file), "--attached",
                         "--json", "--port", port, "--broker", address, "--state", str(folder))
            answer = multiprocessing.Queue()
            bare = multiprocessing.Process(target=_bare, args=(seconds, answer))
            bare.start()
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                time.sleep(THAWED_S)
                if trouble:
                    broker.freeze()
                    time.sleep(FROZEN_S)
                    broker.thaw()
            waits = answer.get(timeout=seconds)
            bare.join(10)
            node.say("stop")
            last = json.loads(node.line(30))
            while node.alive():
                time.sleep(0.05)
            late_us = json.loads(kept.read_text())
        finally:
            for child in (node, emulator):
                if child is not None:
                    child.end()
        # The first seconds are the start of the processes.
        return late_us[20:], waits, last["report"]


# An outage ---------------------------------------------------------------------------------


def noticed(publishing: bool) -> tuple:
    """Seconds until a frozen broker is noticed: ours, and paho's own."""
    with bench() as (folder, broker):
        node_file = description(folder, [["127.0.0.1", broker.port]], keepalive_s=KEEPALIVE_S)
        process, link = start_reporter(config_of(node_file))
        alone = Alone(broker.port, KEEPALIVE_S, LIVE_HZ if publishing else 0)
        run = _Live(link, publishing)
        try:
            run.until(lambda: link.stats["connected"] and alone.connected, 10)
            run.until(lambda: False, KEEPALIVE_S)
            frozen = time.monotonic()
            broker.freeze()
            run.until(lambda: not link.stats["connected"], 30)
            ours_s = time.monotonic() - frozen
            run.until(lambda: not alone.connected, 30)
            return round(ours_s, 2), round(time.monotonic() - frozen, 2)
        finally:
            broker.thaw()
            alone.close()
            stop_reporter(process, link)


def hung() -> float:
    """Seconds until the broker says that a reporter stopped by SIGSTOP is offline."""
    with bench() as (folder, broker):
        node_file = description(folder, [["127.0.0.1", broker.port]], keepalive_s=KEEPALIVE_S)
        process, link = start_reporter(config_of(node_file))
        listener = Listener(broker.port, f"{BASE}/state")
        run = _Live(link)
        try:
            run.until(lambda: listener.heard, 10)
            run.until(lambda: False, 2.0)
            os.kill(process.pid, signal.SIGSTOP)
            stopped = time.time()
            run.until(lambda: listener.heard[-1][2] == b"offline", 30)
            return round(listener.heard[-1][0] - stopped, 2)
        finally:
            os.kill(process.pid, signal.SIGCONT)
            listener.close()
            stop_reporter(process, link)


def outage() -> dict:
    """Seconds until a frozen broker, or reporter, is noticed, and from a broker's return to live data."""
    ours, alone = zip(noticed(False), noticed(True), strict=True)
    with bench() as (folder, broker):
        node_file = description(folder, [["127.0.0.1", broker.port]], keepalive_s=KEEPALIVE_S)
        process, link = start_reporter(config_of(node_file))
        run = _Live(link)
        try:
            run.until(lambda: link.stats["connected"], 10)
            broker.kill()
            back_s = []
            for _ in range(5):
                run.until(lambda: not link.stats["connected"], 30)
                run.until(lambda: False, 2.0)
                broker.start()
                began = time.time()
                listener = Listener(broker.port, f"{BASE}/samples")
                run.until(lambda began=began, listener=listener: _live_since(listener, began), 10)
                back_s.append(_live_since(listener, began) - began)
                listener.close()
                broker.kill()
        finally:
            stop_reporter(process, link)
        return {
            "keepalive_s": KEEPALIVE_S,
            "noticed_s": ours,  # idle, publishing
            "limit_noticed_s": LIMIT_NOTICE * KEEPALIVE_S,
            "paho_noticed_s": alone,
            "hung_reporter_s": hung(),
            "back_s": [round(one, 2) for one in back_s],
            "limit_back_s": LIMIT_BACK_S,
        }


def _live_since(listener, began: float):
    """When the first sample came that was taken after ``began``."""
    for at, _, payload in list(listener.heard):
        if any(one["t"] >= began * 1000 for one in json.loads(payload)["samples"]):
            return at
    return None


class _Live:
    """Feeds live samples while something is waited for."""

    def __init__(self, link, publishing: bool = True):
        self.link = link
        self._publishing = publishing
        self.seq = 1
        link.begin(CATALOGUE)
        link.record(sample(1, True))
        self._due = time.monotonic()

    def until(self, condition, within_s: float):
        end = time.monotonic() + within_s
        while not condition() and time.monotonic() < end:
            if self._publishing and time.monotonic() >= self._due:
                self._due += 1 / LIVE_HZ
                self.seq += 1
                self.link.record(sample(self.seq))
            self.link.step(now_ms())
            time.sleep(0.01)


def peer_queue(count: int) -> dict:
    """paho's own queue, with samples as long as ours."""
    values = {f"t_zone_{number}": 800.125 for number in range(CHANGED)}
    with bench() as (_, broker):
        return paho_queue(broker.port, count, json.dumps({"id": 1, "t": 1, "values": values}))


def measure(quick: bool = False) -> dict:
    return {
        "drain": drain(20000 if quick else 100000),
        "paho_queue": peer_queue(20000 if quick else 50000),
        "lateness": lateness(30 if quick else 60, 1 if quick else 4),
        "outage": outage(),
    }


def missed(figures: dict) -> list:
    drained, late, out = (figures[key] for key in ("drain", "lateness", "outage"))
    return [
        *budget.at_least("drained, samples/s", drained["per_s"], drained["limit_per_s"]),
        *budget.at_most("live samples late, ms", drained["live_late_max_ms"], drained["limit_live_ms"]),
        *budget.at_most("tick late p99, in trouble to quiet", late["ratio"], late["limit_ratio"]),
        *budget.at_most("a frozen broker noticed after s", out["noticed_s"], out["limit_noticed_s"]),
        *budget.at_most("live again after s", max(out["back_s"]), out["limit_back_s"]),
    ]


def told(figures: dict) -> str:
    drained, peer, late, out = (figures[key] for key in ("drain", "paho_queue", "lateness", "outage"))
    return "\n".join([
        f"report: backlog of {drained['samples']} samples, live at {DRAIN_LIVE_HZ} Hz beside it",
        f"  drained at {drained['per_s']}/s (limit {drained['limit_per_s']}; paho's own queue, a message for "
        f"each sample: {peer['per_s']}/s)",
        f"  {drained['live_samples']} live samples at most {drained['live_late_max_ms']} ms late "
        f"(limit {drained['limit_live_ms']})",
        f"report: tick late p99 {late['quiet_p99_ms']} ms quiet, {late['troubled_p99_ms']} ms in trouble:",
        f"  the broker frozen for {FROZEN_S} s off and on, TLS anew {late['connected_again']} times, a slow "
        "disk, 10,000 samples to drain",
        f"  ratio {late['ratio']} (limit {late['limit_ratio']}), {late['ticks']} ticks each, max "
        f"{late['quiet_max_ms']} and {late['troubled_max_ms']} ms; a bare wait beside it: p99 "
        f"{late['bare_quiet_p99_ms']} and {late['bare_troubled_p99_ms']} ms",
        f"report: a frozen broker is noticed after {out['noticed_s'][0]} s idle, {out['noticed_s'][1]} s "
        f"publishing, keepalive {out['keepalive_s']} s (limit {out['limit_noticed_s']}; paho alone "
        f"{out['paho_noticed_s'][0]} and {out['paho_noticed_s'][1]})",
        f"  a reporter stopped by SIGSTOP is offline at the broker after {out['hung_reporter_s']} s "
        f"(by MQTT: {out['limit_noticed_s']}, and what the broker takes to look)",
        f"  live again after the broker's return: {', '.join(map(str, out['back_s']))} s "
        f"(limit {out['limit_back_s']})",
    ])


if __name__ == "__main__":
    found = measure()
    print(json.dumps(found, indent=1))
    sys.exit(1 if missed(found) else 0)
