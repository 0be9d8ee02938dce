"""Polling eight registers at the wire's limit, beside pymodbus, minimalmodbus and libmodbus; a dead unit.

The limit of one transaction: 8 characters of request, 21 of reply, the silence before and after the reply
(3.5 characters, 1.75 ms above 19200 baud), a character of 11 bits. The responder is a process of its own
that spins for its moments and times the master from outside. Where that is allowed, responder and masters
run at real-time priority, so that what else the machine does is measured less. All masters are tried alike:
the same priority, a timer slack of 1 ns (but libmodbus, a program of its own), in turns, of which the medians
count.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from benchmarks import budget
from benchmarks.paced_responder import CHAR_BITS, silence_us
from edge.box import micropython
from edge.box.child import Child
from edge.box.config import describe, find
from edge.emulator.virtual import VirtualRun
from edge.node.bus import modbus
from edge.node.signals import BAD

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent
# baud -> (allowed deviation from the limit in percent, transactions)
LINES = {9600: (0.5, 120), 19200: (1.0, 240), 115200: (3.0, 800)}
CPU_TARGET_US = 20.0
DEAD_TARGET = 0.95
WAITS_TARGET = 2.0
TURNS = 3
FREE_TRANSACTIONS = 20000
DEAD_UNIT = 3
# Eight units take 63 % of the line.
PERIOD_MS = 80


def limit_us(baud: int) -> float:
    """The shortest time of one transaction."""
    return (8 + 21) * CHAR_BITS * 1e6 / baud + 2 * silence_us(baud)


def real_time() -> bool:
    """Give this process and its children real-time priority; whether that is allowed and there is room."""
    if os.cpu_count() < 2:
        return False
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(5))
    except PermissionError:
        return False
    return True


def compiled(folder: str):
    """The command of the libmodbus master, or None where gcc or the library is missing."""
    program = str(Path(folder) / "bus_libmodbus")
    command = ["gcc", "-O2", "-o", program, str(FOLDER / "bus_libmodbus.c"), "-lmodbus"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    except FileNotFoundError:
        return None
    return [program] if done.returncode == 0 else None


def masters(folder: str) -> dict:
    """Name -> (command before PORT BAUD TRANSACTIONS, arguments after), or None for what is missing."""
    python = [sys.executable, "-m"]
    found = {"furnace-edge": ([*python, "benchmarks.bus_own"], ["1", "0"])}
    try:
        executable = micropython.executable()
        own = [executable, "-X", "heapsize=512k", "-m", "benchmarks.bus_own"]
        found["furnace-edge, MicroPython"] = (own, ["1", "0"])
    except FileNotFoundError:
        found["furnace-edge, MicroPython"] = None
    for name in ("pymodbus", "pymodbus-async", "minimalmodbus"):
        found[name] = ([*python, "benchmarks.bus_peers", name], [])
    command = compiled(folder)
    found["libmodbus"] = (command, []) if command else None
    return found


def driven(master: tuple, baud: int, transactions: int, responder: list, master_baud=None) -> tuple:
    """(what the master says of itself, what the responder saw of it)."""
    child = Child("responder", "benchmarks.paced_responder", *responder)
    try:
        port = json.loads(child.line(10))["port"]
        before, after = master
        done = subprocess.run(
            [*before, port, str(baud if master_baud is None else master_baud), str(transactions), *after],
            env=dict(os.environ, MICROPYPATH=f"{ROOT}:.frozen"),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{before[-1]}: {done.stderr[-500:]}")
        child.say("report")
        return json.loads(done.stdout), json.loads(child.line(5))
    finally:
        child.end()


def paced(master: tuple, baud: int, transactions: int) -> dict:
    """One master on a line of that speed."""
    own, seen = driven(master, baud, transactions, [str(baud)])
    periods = seen["periods"][5:]
    limit = limit_us(baud)
    return {
        "median_pct": round(100 * (statistics.median(periods) / limit - 1), 2),
        "mean_pct": round(100 * (statistics.fmean(periods) / limit - 1), 2),
        "violations": sum(gap < silence_us(baud) - 1 for gap in seen["gaps"]),
        "cpu_us": round(own["cpu_us"], 1),
        "waits": round(own["waits"], 2) if "waits" in own else None,
        "failures": own["failures"],
    }


def middle(turns: list) -> dict:
    """The median of each figure of several turns; violations and failures are added."""
    found = {}
    for key in turns[0]:
        values = [turn[key] for turn in turns]
        if key in ("violations", "failures"):
            found[key] = sum(values)
        else:
            found[key] = None if None in values else round(statistics.median(values), 2)
    return found


def free(name: str, master: tuple, transactions: int) -> dict:
    """A responder that answers at once, and for our master a line without silence: the master's own work."""
    ours = name.startswith("furnace-edge")
    if not ours:
        transactions //= 10
    own, _ = driven(master, 115200, transactions, ["115200", "--at-once"], 0 if ours else None)
    return {"cpu_us": round(own["cpu_us"], 1), "per_s": round(transactions / own["seconds"])}


def one_dead(transactions: int) -> dict:
    """Rates of the seven others with one dead, as a share of their rates before, on a pseudo-terminal."""
    shares = {}
    for name, period_ms in (("period", PERIOD_MS), ("back_to_back", 0)):
        rates = {}
        for dead in (-1, DEAD_UNIT):
            master = ([sys.executable, "-m", "benchmarks.bus_own"], ["8", str(period_ms)])
            own, _ = driven(master, 115200, transactions, ["115200", "--dead", str(dead)])
            others = [count for unit, count in enumerate(own["replies"], 1) if unit != DEAD_UNIT]
            rates[dead] = [count / own["seconds"] for count in others]
        shares[name] = round(min(a / b for a, b in zip(rates[DEAD_UNIT], rates[-1], strict=True)), 3)
    return shares


def one_dead_virtual(seconds: float) -> float:
    """The same with the Bishkek node and its eight instruments on virtual time."""
    description, _ = describe(find("bishkek"))
    counts = []
    for dead in (False, True):
        run = VirtualRun("bishkek", description, 1)
        run.run_for(10)
        if dead:
            run.bench.fault(14, "silence")
        reads = Counter()

        def count(_, way, data, reads=reads):
            # Writes follow what control does; reads have their periods.
            if way == ">" and data[1] <= modbus.READ_INPUT_REGISTERS:
                reads[data[0]] += 1

        run.wire.tap = count
        run.run_for(seconds)
        counts.append(reads)
    return round(min(counts[1][unit] / counts[0][unit] for unit in counts[0] if unit != 14), 3)


def bad_after(phases: int) -> dict:
    """How long until a dead unit's signals are bad, beside a poll period, its time-out budget and a tick."""
    description, _ = describe(find("bishkek"))
    worst = {}
    run = VirtualRun("bishkek", description, 1)
    run.run_for(10)
    for phase in range(phases):
        for name in ("roof_a1", "o2", "primary_air_speed"):
            run.run_for(6.0 + 0.037 * phase)
            signal = next(signal for signal in run.node.signals if signal.name == name)
            spec = description["signal"][name]["device"]
            station = next(each for each in run.node.buses[0].stations if each.device.name == spec)
            bound_us = station.polls[0].period_us + station.budget_us() + run.node.tick_us
            run.bench.fault(station.unit, "silence")
            began_ms = run.clock.now_ms()
            while signal.quality != BAD:
                run.run_for(0.005)
            took_ms = run.clock.now_ms() - began_ms
            run.bench.clear_faults()
            if name not in worst or took_ms > worst[name]["worst_ms"]:
                worst[name] = {"worst_ms": took_ms, "bound_ms": round(bound_us / 1000)}
    return worst


def measure(quick: bool = False) -> dict:
    shorter = 8 if quick else 1
    figures = {"load_before": round(os.getloadavg()[0], 1), "paced": {}, "free": {}}
    figures["dead_virtual"] = one_dead_virtual(30 if quick else 300)
    figures["bad_after"] = bad_after(3 if quick else 30)
    figures["real_time"] = real_time()
    try:
        with tempfile.TemporaryDirectory() as folder:
            found = masters(folder)
            present = [name for name in found if found[name] is not None]
            for name in found:
                figures["paced"][name] = figures["free"][name] = None
            for name in present:
                figures["free"][name] = free(name, found[name], FREE_TRANSACTIONS // shorter)
                figures["paced"][name] = {}
            for baud, (_, count) in LINES.items():
                turns = {name: [] for name in present}
                for _ in range(TURNS):
                    for name in present:
                        turns[name].append(paced(found[name], baud, count // shorter))
                for name in present:
                    figures["paced"][name][str(baud)] = middle(turns[name])
        figures["dead"] = one_dead(1600 // shorter)
    finally:
        if figures["real_time"]:
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return figures


def behind(figures: dict) -> dict:
    """Baud -> whether ours is behind minimalmodbus in this run, in words."""
    ours, peer = figures["paced"]["furnace-edge"], figures["paced"].get("minimalmodbus")
    if peer is None:
        return {}
    words = {}
    for baud in ours:
        by = ours[baud]["median_pct"] - peer[baud]["median_pct"]
        words[baud] = f"missed: {by:.2f} % behind" if by > 0 else f"{-by:.2f} % ahead of"
        words[baud] += " minimalmodbus"
    return words
def missed(figures: dict) -> list:
    """The budgets are for our own masters; the others are peers."""
    misses = []
    for name, found in figures["paced"].items():
        if found is None or not name.startswith("furnace-edge"):
            continue
        for baud, one in found.items():
            line = f"{name}, {baud} bit/s"
            misses += budget.at_most(f"{line}, % behind the wire", one["median_pct"], LINES[int(baud)][0])
            misses += budget.at_most(f"{line}, violations of the silence", one["violations"], 0)
    for name, found in figures["free"].items():
        if found is not None and name.startswith("furnace-edge"):
            most = CPU_TARGET_US * (2 if "MicroPython" in name else 1)
            misses += budget.at_most(f"{name}, CPU us a transaction", found["cpu_us"], most)
    for name, share in {"virtual": figures["dead_virtual"], **figures["dead"]}.items():
        misses += budget.at_least(f"one of eight dead, the others keep, {name}", share, DEAD_TARGET)
    for name, found in figures["bad_after"].items():
        misses += budget.at_most(f"{name} of a dead unit bad after ms", found["worst_ms"], found["bound_ms"])
    return misses


def told(figures: dict) -> str:
    priority = "real-time priority" if figures["real_time"] else "normal priority"
    lines = [
        f"bus: eight registers back to back, against the wire's limit, at {priority} "
        f"(load of the machine before: {figures['load_before']})",
        f"  all with a timer slack of 1 ns (not libmodbus), in turns; medians of {TURNS} turns:",
        "  median (mean) deviation in %, CPU us a transaction, ! violations of the silence",
    ]
    allowed = "   ".join(f"{baud}: at most +{pct} %" for baud, (pct, _) in LINES.items())
    lines.append(
        f"  asked for of ours: {allowed}, no violation, {WAITS_TARGET:.0f} waits, never behind minimalmodbus"
    )
    for baud, ahead in behind(figures).items():
        lines.append(f"  {baud} baud: {ahead}")
    for name, found in figures["paced"].items():
        if found is None:
            lines.append(f"  {name:26} not installed")
            continue
        cells = []
        waits = ""
        for one in found.values():
            wrong = f" !{one['violations']}" if one["violations"] else ""
            wrong += f" failures {one['failures']}" if one["failures"] else ""
            cells.append(f"{one['median_pct']:+6.2f} ({one['mean_pct']:+.2f}) {one['cpu_us']:5.0f} us{wrong}")
            waits = f"   {one['waits']} waits" if one["waits"] is not None else ""
        lines.append(f"  {name:26} " + "   ".join(cells) + waits)
    lines.append(
        f"  CPU of a transaction without any pace (ours: at most {CPU_TARGET_US:.0f} us, on MicroPython "
        "at most twice that)"
    )
    for name, found in figures["free"].items():
        if found is not None:
            lines.append(f"  {name:26} {found['cpu_us']:6.1f} us, {found['per_s']} a second")
    dead = figures["dead"]
    lines.append(
        f"  one of eight dead, the others keep (at least {100 * DEAD_TARGET:.0f} %): "
        f"{100 * figures['dead_virtual']:.1f} % on virtual time, on a pseudo-terminal "
        f"{100 * dead['period']:.1f} % every {PERIOD_MS} ms, {100 * dead['back_to_back']:.1f} % back to back"
    )
    for name, found in figures["bad_after"].items():
        lines.append(
            f"  {name} of a dead unit bad after {found['worst_ms']} ms at worst "
            f"(at most period + time-out budget + tick: {found['bound_ms']} ms)"
        )
    return "\n".join(lines)
