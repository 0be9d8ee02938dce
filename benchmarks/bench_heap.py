"""How much heap the Bishkek node needs on MicroPython, by trying smaller and smaller ones.

Each try runs the node against the emulator and a broker that goes away and comes back, and counts as enough
when it controls, misses no tick, loses no record and has found its broker again. Modules are compiled from
source on the heap; as .mpy files they take as much room in the end. This is a build for 64 bits: on a board
of 32 most of what lies on the heap takes half as much.
"""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from edge.box import micropython
from edge.box.child import Child
from edge.box.config import find, read
from edge.box.run import override
from edge.box.state_folder import place_outbox
from edge.node import description
from edge.node.report import records
from edge.node.report.catalogue import Catalogue, Metric
from edge.node.report.onboard import OUTBOX_MAX
from edge.node.report.outbox.segments import SegmentLog
from tests.node.report.brokers import Mosquitto

STEP_KB = 16

SPEAKERS = """
[report.sparkplug]

[report.home_assistant]

[remote]
enabled = true

[remote.allow.steam]
action = "set_point"
loop = "steam"
low = 40
high = 48
rate_per_min = 60
"""


class Case:
    """``more``: lines for the node file; ``full``: the outbox is when the node starts."""

    def __init__(self, title: str, limit_kb: int, more: str = "", full: bool = False):
        self.title = title
        self.limit_kb = limit_kb
        self.more = more
        self.full = full

    def well(self, last: dict) -> bool:
        """Whether a run that ended with this telemetry was as it should be."""
        report = last["report"]
        speakers = report.get("speakers", {})
        back = bool(speakers) and all(speaker["reconnects"] for speaker in speakers.values())
        whole = self.full or not report["dropped"]
        return back and whole and last["tick"]["missed"] == 0 and last["signals"]["t850"][1] == "good"


CASES = {
    "json": Case("plain JSON", 640),
    "full": Case("plain JSON, its outbox full", 640, full=True),
    "all": Case("JSON, Sparkplug, Home Assistant, commands from afar", 1024, more=SPEAKERS),
}


class Line:
    """What a try needs and does not change: a folder, the interpreter, a plant."""

    def __init__(self, folder: str):
        self.folder = Path(folder)
        self.executable = micropython.executable()
        self.emulator = Child("emulator", "edge.emulator.serve", "bishkek", "--attached")
        self.port = json.loads(self.emulator.line(20))["port"]

    def node_file(self, case, broker_port: int, state: Path) -> Path:
        source = state / "line1.toml"
        source.write_text(find("bishkek").read_text() + case.more)
        node_file = read(source)
        override(node_file, [self.port], f"127.0.0.1:{broker_port}")
        place_outbox(node_file.description, str(state))
        if case.full:
            fill(node_file.description["report"]["outbox"]["path"] + ".segments")
        path = state / "node.json"
        path.write_bytes(description.dump(node_file.description))
        return path


def fill(folder: str):
    """An outbox in which samples have begun to thin out; of another catalogue, as after a change."""
    metrics = [Metric(f"t_zone_{number}", "degC") for number in range(40)]
    catalogue = Catalogue(metrics, "bishkek", "line1")
    os.makedirs(folder)
    outbox = SegmentLog(folder, OUTBOX_MAX, 10000)
    outbox.attach(["json"])
    outbox.keep_catalogue(catalogue.number, catalogue.to_json())
    seq = 0
    while not outbox.stats["thinned"]:
        seq += 1
        values = [(place, 0, seq * 0.25 + place) for place in range(seq % 4, 40, 4)]
        record = records.encode_sample(5, seq, seq * 250, seq * 250, True, catalogue.number, values)
        outbox.append(record, seq * 250)
        outbox.step(seq * 250)
    outbox.close()


def tried(line: Line, case, heap_kb: int, seconds: float):
    """The node's last telemetry after a run with that heap, or None when it failed."""
    state = Path(tempfile.mkdtemp(dir=line.folder))
    with Mosquitto(state) as broker:
        path = line.node_file(case, broker.port, state)
        node = subprocess.Popen(
            micropython.command(line.executable, f"{heap_kb}k", "edge.node.main", str(path)),
            env=micropython.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            for act in (None, broker.kill, broker.start):
                if act is not None:
                    act()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    node.wait(seconds / 3)
                    return None
            told, _ = node.communicate("stop\n", timeout=15)
            last = json.loads(told.splitlines()[-1])
        except (subprocess.TimeoutExpired, ValueError, IndexError, BrokenPipeError):
            return None
        finally:
            node.kill()
            node.wait()
            shutil.rmtree(state, ignore_errors=True)
    return last if case.well(last) else None


def least(line: Line, case, seconds: float) -> dict:
    """The smallest heap that is enough, to STEP_KB."""
    enough, too_little = case.limit_kb, 0
    full = best = tried(line, case, enough, seconds)
    if full is None:
        return {"limit_kb": case.limit_kb, "error": f"{case.limit_kb}k is not enough"}
    while enough - too_little > STEP_KB:
        middle = (enough + too_little) // (2 * STEP_KB) * STEP_KB
        found = tried(line, case, middle, seconds)
        if found is None:
            too_little = middle
        else:
            enough, best = middle, found
    return {
        "limit_kb": case.limit_kb,
        "needed_kb": enough,
        "too_little_kb": too_little,
        "late_p99_ms": best["tick"]["late_p99_ms"],
        "late_p99_ms_at_limit": full["tick"]["late_p99_ms"],
    }


def measure(quick: bool = False) -> dict:
    seconds = 9 if quick else 18
    found = {}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        line = Line(folder)
        try:
            for name, case in CASES.items():
                found[name] = least(line, case, seconds)
        finally:
            line.emulator.end()
    return found


def missed(figures: dict) -> list:
    """A case that does not run within its limit says so."""
    return [f"{CASES[name].title}: {row['error']}" for name, row in figures.items() if "error" in row]


def told(figures: dict) -> str:
    lines = ["heap: the MicroPython node (64-bit unix port) needs"]
    for name, row in figures.items():
        title = CASES[name].title
        if "error" in row:
            lines.append(f"  {title}: {row['error']}")
            continue
        lines.append(
            f"  {row['needed_kb']:4}k (at most {row['limit_kb']}k): {title}; tick late p99 "
            f"{row['late_p99_ms']} ms, {row['late_p99_ms_at_limit']} ms with {row['limit_kb']}k"
        )
    return "\n".join(lines)
