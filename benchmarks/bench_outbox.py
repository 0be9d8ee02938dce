"""The outbox: what it writes to the flash in a day, and how fast it takes records in and gives them out.

The clock is accelerated: a part of a day has the commits and bytes that it has in real time. Written bytes
are the kernel's (write_bytes of /proc/self/io: whole pages of 4096 bytes, each time one is written out), on a
file system that is a disk; what the file system writes for itself is not in them. What nobody syncs is synced
every 30 s of that clock, as the kernel would. Full segments are as they are after seven hours without a
broker: each level of thinning has its share and the oldest samples are dropped (with --quick the deepest
level still grows). The samples hold 40 floats with noise in every bit. Peers: a row and a commit for each
sample, as it is done most often (rows are deleted when they are acknowledged), and paho's own queue, which is
in memory and lost with the process.
"""

import json
import math
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import budget
from edge.node.report import records

DAY_S = 86400
PERIOD_MS = 250
SYNC_MS = 30_000  # Linux: vm.dirty_expire_centisecs
SIGNALS = 40
LIMIT_MB = 200  # of flash writes a day
THROUGHPUT_MIN = 50_000  # records/s
TMPFS = ("tmpfs", "ramfs")


class Plant:
    """Samples of a plant with 40 signals at 4 Hz."""

    def __init__(self, seed: int = 1):
        self._random = random.Random(seed)
        self._seq = 0

    def sample(self) -> bytes:
        self._seq += 1
        noise = self._random.gauss
        values = [(i, 0, 800 + 100 * math.sin(self._seq / 900 + i) + noise(0, 0.5)) for i in range(SIGNALS)]
        ms = self._seq * PERIOD_MS
        return records.encode_sample(7, self._seq, 1_700_000_000_000 + ms, ms, True, 0x5EED, values)

    def event(self) -> bytes:
        """An alarm that comes or goes."""
        self._seq += 1
        ms = self._seq * PERIOD_MS
        return records.encode_event(7, self._seq, 1_700_000_000_000 + ms, ms, True, "alarm", "o2_low", "came",
                                    True)


class OurOutbox:
    """edge.box.outbox, or the log of segments of a board."""

    def __init__(self, folder: Path, bytes_max: int, kind: str):
        if kind == "outbox":
            from edge.box.outbox import Outbox

            self.box = Outbox(str(folder / "outbox.db"), bytes_max)
        else:
            from edge.node.report.outbox.segments import SegmentLog

            self.box = SegmentLog(str(folder / "log"), bytes_max)
        self.box.attach(["json"])

    def add(self, record: bytes, now_ms: int) -> int:
        number = self.box.append(record, now_ms)
        self.box.step(now_ms)
        return number

    def acknowledged(self, number: int, lane: int = records.SAMPLE):
        self.box.done("json", lane, number, number)

    def close(self):
        self.box.close()


class RowPerSample:
    """The peer: SQLite as it is mostly used. WAL and synchronous=FULL, a commit for each change."""

    def __init__(self, folder: Path):
        self.database = sqlite3.connect(folder / "rows.db", isolation_level=None)
        self.database.execute("PRAGMA journal_mode=WAL")
        self.database.execute("PRAGMA synchronous=FULL")
        self.database.execute("CREATE TABLE outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, record BLOB)")

    def add(self, record: bytes, now_ms: int) -> int:
        return self.database.execute("INSERT INTO outbox (record) VALUES (?)", (record,)).lastrowid

    def acknowledged(self, number: int):
        self.database.execute("DELETE FROM outbox WHERE id = ?", (number,))

    def close(self):
        self.database.close()


def written_bytes() -> int:
    with open("/proc/self/io", encoding="ascii") as file:
        for line in file:
            name, value = line.split(":")
            if name == "write_bytes":
                return int(value)
    raise OSError("/proc/self/io has no write_bytes")


def sync(folder: Path):
    """Have the kernel write what it has of the files in a folder."""
    for path in folder.rglob("*"):
        if path.is_file():
            file = os.open(path, os.O_RDONLY)
            os.fsync(file)
            os.close(file)


def disk_folder() -> str:
    """A folder for temporary files on a disk, not in memory."""
    with open("/proc/self/mounts", encoding="utf-8") as file:
        mounts = {line.split()[1]: line.split()[2] for line in file}
    for folder in (tempfile.gettempdir(), "/var/tmp", os.getcwd()):
        point = Path(folder).resolve()
        while str(point) not in mounts:
            point = point.parent
        if mounts[str(point)] not in TMPFS and os.access(folder, os.W_OK):
            return folder
    raise OSError("no folder on a disk: set TMPDIR to one")


def flash(subject: str, away: bool, seconds: int, bytes_max: int, fill: int, event_s: float = 0) -> dict:
    """Bytes written in ``seconds`` of 4 Hz, after ``fill`` samples that are not counted.

    ``away``: nothing is acknowledged; else each sample is, four samples (a second) later, and each event at
    the next sample. ``event_s``: seconds from one event to the next, 0 for none.
    """
    folder = Path(tempfile.mkdtemp(prefix="bench-outbox-", dir=disk_folder()))
    try:
        box = RowPerSample(folder) if subject == "rows" else OurOutbox(folder, bytes_max, subject)
        plant = Plant()
        now_ms = 0
        for _ in range(fill):
            now_ms += PERIOD_MS
            box.add(plant.sample(), now_ms)
        begin_ms = now_ms
        before = written_bytes()
        count = seconds * 1000 // PERIOD_MS
        most = happened = 0
        for turn in range(count):
            now_ms += PERIOD_MS
            number = box.add(plant.sample(), now_ms)
            if not away and number > 4:
                box.acknowledged(number - 4)
            if not away and happened:
                box.acknowledged(happened, records.EVENT)
                happened = 0
            if event_s and turn * PERIOD_MS % (event_s * 1000) < PERIOD_MS:
                happened = box.add(plant.event(), now_ms)
            if (now_ms - begin_ms) % SYNC_MS == 0:
                sync(folder)
            if turn % 200 == 0:
                most = max(most, sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()))
        written = written_bytes() - before
        record = len(plant.sample())
        box.close()
    finally:
        shutil.rmtree(folder)
    return {"mb_a_day": round(written * DAY_S / seconds / 1e6, 1), "written": written, "seconds": seconds,
            "record_bytes": record, "most_on_disk": most}


def throughput(subject: str, count: int) -> dict:
    """Records a second taken in, and fetched by 50 and done, of ``count``."""
    folder = Path(tempfile.mkdtemp(prefix="bench-outbox-", dir=disk_folder()))
    try:
        ours = OurOutbox(folder, 200_000_000, subject)
        box = ours.box
        plant = Plant()
        samples = [plant.sample() for _ in range(min(count, 5000))]
        begin = time.perf_counter()
        for turn in range(count):
            box.append(samples[turn % len(samples)], turn)
            if turn % 50 == 0:
                box.step(turn)
        box.commit(count)
        appended = time.perf_counter() - begin
        begin = time.perf_counter()
        last = taken = 0
        while found := box.fetch("json", records.SAMPLE, last, 50):
            taken += len(found)
            last = found[-1][0]
            box.done("json", records.SAMPLE, found[0][0], last)
            if taken % 5000 == 0:
                box.step(count + taken)
        box.commit(count + 60_000)
        fetched = time.perf_counter() - begin
        assert taken == count, f"{taken} of {count} came back"
        ours.close()
    finally:
        shutil.rmtree(folder)
    return {"append_per_s": round(count / appended), "fetch_done_per_s": round(count / fetched)}


def rows_throughput(count: int) -> dict:
    folder = Path(tempfile.mkdtemp(prefix="bench-outbox-", dir=disk_folder()))
    try:
        box = RowPerSample(folder)
        record = Plant().sample()
        begin = time.perf_counter()
        for turn in range(count):
            box.add(record, turn)
        appended = time.perf_counter() - begin
        begin = time.perf_counter()
        while rows := box.database.execute("SELECT id, record FROM outbox ORDER BY id LIMIT 50").fetchall():
            for number, _ in rows:
                box.acknowledged(number)
        fetched = time.perf_counter() - begin
        box.close()
    finally:
        shutil.rmtree(folder)
    return {"append_per_s": round(count / appended), "fetch_done_per_s": round(count / fetched)}


def paho_queue(count: int) -> dict:
    """paho-mqtt without a broker: what it can queue, and what that takes."""
    import tracemalloc

    import paho.mqtt.client as paho

    client = paho.Client(paho.CallbackAPIVersion.VERSION2, "bench")
    client.max_queued_messages_set(0)
    record = Plant().sample()
    tracemalloc.start()
    queued = 0
    for turn in range(count):
        queued += client.publish("t", record + turn.to_bytes(4, "big"), 1).rc in (0, 4)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return {"queued": queued, "of": count, "bytes_each": round(held / max(queued, 1))}


def _alone(name: str, *arguments):
    """A measurement in a process of its own, whose counters are its own."""
    code = f"import json; from benchmarks import bench_outbox as b; print(json.dumps(b.{name}{arguments!r}))"
    root = Path(__file__).resolve().parent.parent
    return json.loads(subprocess.run([sys.executable, "-c", code], cwd=root, check=True, capture_output=True,
                                     env={**os.environ, "PYTHONPATH": str(root)}, text=True).stdout)


def measure(quick: bool = False) -> dict:
    part = 1800 if quick else 21600
    peer = 120 if quick else 600
    # Full for so long that all levels are thinned: then the most is written.
    fill, small_fill = (20_000, 20_000) if quick else (500_000, 65_000)
    long = 20_000 if quick else 100_000
    count = 20_000 if quick else 200_000
    small = 2_000_000 if quick else 16_000_000
    return {
        "limit_mb": LIMIT_MB,
        "flash": {
            "outbox, broker there": _alone("flash", "outbox", False, part, 64_000_000, 0),
            "outbox, broker away": _alone("flash", "outbox", True, part, 64_000_000, 0),
            "outbox, away and full": _alone("flash", "outbox", True, part, small, fill),
            "outbox of 2 MB, away and full": _alone("flash", "outbox", True, part, 2_000_000, small_fill),
            "outbox, there, an event a minute": _alone("flash", "outbox", False, part, 64_000_000, 0, 60),
            "outbox, away, an event a minute": _alone("flash", "outbox", True, part, 64_000_000, 0, 60),
            "outbox, there, an event in 3 s": _alone("flash", "outbox", False, part // 4, 64_000_000, 0, 3),
            "segments, broker there": _alone("flash", "segments", False, part // 4, 1_048_576, 0),
            "segments, broker away": _alone("flash", "segments", True, part // 4, 64_000_000, 0),
            "segments, away and full": _alone("flash", "segments", True, part // 4, 1_048_576, long),
            "a row a sample, broker there": _alone("flash", "rows", False, peer, 0, 0),
            "a row a sample, broker away": _alone("flash", "rows", True, peer, 0, 0),
        },
        "throughput": {
            "outbox": _alone("throughput", "outbox", count),
            "segments": _alone("throughput", "segments", count // 4),
            "a row a sample": _alone("rows_throughput", count // 20),
        },
        "paho": _alone("paho_queue", 70_000 if not quick else 5000),
    }


def missed(found: dict) -> list:
    """Flash of the outbox and of the segments, throughput of the outbox: a board's log is asked for less."""
    misses = []
    for name, figures in found["flash"].items():
        if name.startswith(("outbox", "segments")):
            misses += budget.at_most(f"{name}, MB a day", figures["mb_a_day"], found["limit_mb"])
    for way, per_s in found["throughput"]["outbox"].items():
        misses += budget.at_least(f"outbox, {way}", per_s, THROUGHPUT_MIN)
    return misses


def told(found: dict) -> str:
    lines = [f"outbox: flash writes at 4 Hz x {SIGNALS} signals, limit {found['limit_mb']} MB a day"]
    for name, figures in found["flash"].items():
        lines.append(f"  {name:33s}{figures['mb_a_day']:10.1f} MB a day   ({figures['seconds']} s of records "
                     f"of {figures['record_bytes']} bytes; on the disk at most {figures['most_on_disk']})")
    lines.append(f"outbox: records a second, limit of the outbox {THROUGHPUT_MIN}")
    for name, figures in found["throughput"].items():
        lines.append(f"  {name:30s}{figures['append_per_s']:10d} in   {figures['fetch_done_per_s']:10d} out")
    paho = found["paho"]
    lines.append(f"  paho's queue, in memory: {paho['queued']} of {paho['of']} kept, "
                 f"{paho['bytes_each']} bytes each")
    return "\n".join(lines)
