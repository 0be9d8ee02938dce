"""What one step of the PID controller costs, beside simple-pid.

    python -m benchmarks.bench_pid [--json]         from the root of the project

Both are called from Python in the same process, in rounds that take turns, on the same process values;
simple-pid gets sample_time=None and the time step, as in a simulation, so that neither reads a clock. Each
round gives one ratio, and their median is the result: a busy machine slows both sides of a round.
"""

import argparse
import json
import statistics
import sys
import time
from importlib.metadata import version

import simple_pid

from benchmarks import budget
from cext import pid as core

ROUNDS = 41
CALLS = 20_000
TARGET = 10


def time_core(values):
    """Return ns per step of a PID with filtered derivative, limits and back-calculation."""
    step = core.PID(2.0, 120.0, 20.0).step
    start = time.perf_counter_ns()
    for value in values:
        step(850.0, value, 0.0, 0.1)
    return (time.perf_counter_ns() - start) / len(values)


def time_simple_pid(values):
    """Return ns per step of simple-pid with the same gains and limits."""
    step = simple_pid.PID(2.0, 2.0 / 120.0, 40.0, 850.0, sample_time=None, output_limits=(0.0, 100.0))
    start = time.perf_counter_ns()
    for value in values:
        step(value, 0.1)
    return (time.perf_counter_ns() - start) / len(values)


def measure():
    """Return the medians over all rounds as a dict."""
    values = [840.0 + 0.01 * (i % 997) for i in range(CALLS)]
    rounds = [(time_core(values), time_simple_pid(values)) for _ in range(ROUNDS)]
    return {
        "core_ns": statistics.median(core_ns for core_ns, _ in rounds),
        "simple_pid_ns": statistics.median(simple_pid_ns for _, simple_pid_ns in rounds),
        "ratio": statistics.median(simple_pid_ns / core_ns for core_ns, simple_pid_ns in rounds),
        "compiled": not core.__file__.endswith(".py"),
        "simple_pid": version("simple-pid"),
        "rounds": ROUNDS,
        "calls_per_round": CALLS,
    }


def missed(result: dict) -> list:
    return budget.at_least("simple-pid / core", round(result["ratio"], 1), TARGET)


def told(result: dict) -> str:
    kind = "compiled" if result["compiled"] else "interpreted"
    return (
        f"pid: ns per call from Python, median of {result['rounds']} rounds\n"
        f"  {'cext.pid.PID.step, ' + kind:<32}{result['core_ns']:8.1f}\n"
        f"  {'simple-pid ' + result['simple_pid']:<32}{result['simple_pid_ns']:8.1f}\n"
        f"  {'simple-pid / core, median':<32}{result['ratio']:8.1f}   (at least {TARGET})"
    )


def main():
    parser = argparse.ArgumentParser(
        description="Measure what one step of the PID controller costs, beside simple-pid.",
        epilog="example: python -m benchmarks.bench_pid --json",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    result = measure()
    print(json.dumps(result) if arguments.json else told(result))
    misses = missed(result)
    if misses:
        print(budget.told(misses), file=sys.stderr)
    return 1 if misses else 0


if __name__ == "__main__":
    sys.exit(main())
