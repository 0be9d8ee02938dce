"""24 h of the Bishkek line on virtual time: how much faster than real time, beside the bare byte path.

The bare path moves the same polls as bytes with CRC through the same bus, wire and slaves, without
signals, loops, guard, reports or physics. What it leaves is the cost of everything else.
"""

import time
from pathlib import Path

from benchmarks import budget
from edge.box.config import describe, find
from edge.emulator import scenario
from edge.emulator.virtual import VirtualRun

TARGET = 500
SPEED_TARGET = 0.5
# The loops and instruments of the first version's node file, in the grammar of today.
OLD_FILE = str(Path(__file__).parent.parent / "tests" / "box" / "config" / "line1.toml")


def bare(hours: float) -> dict:
    """Only the bus: its polls, byte by byte on the wire in memory."""
    description, _ = describe(find("bishkek"))
    run = VirtualRun("bishkek", description, 1)
    (bus,) = run.node.buses
    clock = run.clock
    port = run.port
    end_us = int(hours * 3600e6)
    started = time.perf_counter()
    now_us = 0
    while now_us < end_us:
        next_us = bus.step(now_us)
        arrival_us = port.next_arrival_us()
        if 0 <= arrival_us < next_us:
            next_us = arrival_us
        now_us = next_us if next_us > now_us else now_us + 1
        clock.advance_to(now_us)
    seconds = time.perf_counter() - started
    transactions = sum(station.replies for station in bus.stations)
    return {
        "times_real": round(hours * 3600.0 / seconds),
        "transactions": transactions,
        "us_per_transaction": round(1e6 * seconds / transactions, 2),
    }


def measure(quick: bool = False) -> dict:
    day = scenario.load("bishkek_day")
    if quick:
        day["hours"] = 0.5
    report = scenario.play(day)
    before = scenario.play({**day, "node": OLD_FILE, "hours": day["hours"] / 4})
    return {
        "hours": day["hours"],
        "times_real": report["times_real"],
        "target": TARGET,
        "transactions": report["transactions"],
        "us_per_tick": round(1e6 * report["seconds"] / report["ticks"], 1),
        "bare_byte_path": bare(day["hours"] / 4),
        "of_the_speed_of_the_file_of_0_1_0": round(report["times_real"] / before["times_real"], 2),
        "speed_target": SPEED_TARGET,
        "totals": report["totals"],
    }


def missed(figures: dict) -> list:
    return budget.at_least("times real time", round(figures["times_real"]), figures["target"])


def told(figures: dict) -> str:
    path = figures["bare_byte_path"]
    return (
        f"scenario: {figures['hours']} h of the Bishkek line, {figures['transactions']} transactions\n"
        f"  {figures['times_real']:.0f} times real time (at least {figures['target']}), "
        f"{figures['us_per_tick']} us a tick\n"
        f"  {figures['of_the_speed_of_the_file_of_0_1_0']} of the speed of the node file of 0.1.0 in the same run "
        f"(at least {figures['speed_target']})\n"
        f"  the bare byte path of the same polls: {path['times_real']} times real time, "
        f"{path['us_per_transaction']} us a transaction"
    )
