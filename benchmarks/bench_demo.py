"""The 4 Hz tick over ten minutes of the demo while the broker is stopped and restarted.

Beside it runs a bare process that only waits for the same 4 Hz with the same clock: its lateness is the
machine's own.
"""

import json
import multiprocessing
import sys
import time

from benchmarks import budget
from edge.box.child import Child
from edge.box.demo import Demo
from edge.node.clock import Clock
from edge.node.statistics import TickStatistics

LIMIT_P99_MS = 5.0
TICK_US = 250000


def bare_tick(seconds: float, answer):
    """Wait for a 4 Hz schedule and do nothing."""
    clock = Clock()
    statistics = TickStatistics()
    due_us = clock.now_us()
    end_us = due_us + int(seconds * 1e6)
    while due_us < end_us:
        due_us += TICK_US
        while clock.now_us() < due_us:
            clock.wait(due_us, [])
        statistics.add(clock.now_us() - due_us, 0)
    answer.put(statistics.summary())


def run(runtime: str, seconds: float) -> dict:
    """The demo with its broker killed after a third of the time and back after two thirds."""
    demo = Demo("bishkek", runtime, 0, 1)
    answer = multiprocessing.Queue()
    bare = multiprocessing.Process(target=bare_tick, args=(seconds, answer))
    try:
        demo.start()
        bare.start()
        time.sleep(seconds / 3)
        demo.broker.end()
        time.sleep(seconds / 3)
        demo.broker = Child("broker", "edge.box.broker", "--port", str(demo.broker_port), "--lifeline")
        demo.broker.line(20)
        time.sleep(seconds / 3)
        own = answer.get(timeout=30)
    finally:
        summary = demo.finish()
        bare.join(10)
    return {
        "seconds": seconds,
        "ticks": summary["tick"]["ticks"],
        "missed": summary["tick"]["missed"],
        "late_p99_ms": summary["tick"]["late_p99_ms"],
        "late_max_ms": summary["tick"]["late_max_ms"],
        "bare_late_p99_ms": own["late_p99_ms"],
        "bare_late_max_ms": own["late_max_ms"],
        "limit_p99_ms": LIMIT_P99_MS,
        "report": summary["report"],
        "problems": summary["problems"],
    }


def measure(quick: bool = False) -> dict:
    return {
        "cpython": run("cpython", 45 if quick else 600),
        "micropython": run("micropython", 45 if quick else 180),
    }


def missed(figures: dict) -> list:
    misses = []
    for runtime, one in figures.items():
        misses += budget.at_most(f"{runtime}, tick late p99 in ms", one["late_p99_ms"], one["limit_p99_ms"])
        misses += [f"{runtime}: {problem}" for problem in one["problems"]]
    return misses


def told(figures: dict) -> str:
    lines = []
    for runtime, one in figures.items():
        report = one["report"]
        lines += [
            f"demo: {runtime}, {one['seconds']} s at 4 Hz, broker stopped and restarted",
            f"  tick late p99 {one['late_p99_ms']} ms (limit {one['limit_p99_ms']}), "
            f"max {one['late_max_ms']} ms, {one['missed']} missed of {one['ticks']}",
            f"  a bare 4 Hz wait beside it: p99 {one['bare_late_p99_ms']} ms, "
            f"max {one['bare_late_max_ms']} ms",
            f"  messages: {report.get('sent')} sent, {report.get('acked')} acknowledged, "
            f"{report.get('dropped')} dropped",
        ]
        lines += one["problems"]
    return "\n".join(lines)


if __name__ == "__main__":
    found = measure()
    print(json.dumps(found, indent=1))
    sys.exit(1 if missed(found) else 0)
