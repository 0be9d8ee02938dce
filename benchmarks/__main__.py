"""``make bench``: every measurement, each beside its peer or limit, in one run.

python -m benchmarks [NAME ...] [--json] [--quick]      --quick: short runs, to see that they work
"""

import argparse
import json
import sys

from benchmarks import (
    bench_bus,
    bench_core,
    bench_demo,
    bench_emulator,
    bench_heap,
    bench_mqtt,
    bench_outbox,
    bench_pid,
    bench_report,
    bench_sampling,
    bench_scenario,
    bench_thermocouple,
    bench_traffic,
    budget,
    machine,
)

BENCHES = {
    "pid": bench_pid,
    "core": bench_core,
    "thermocouple": bench_thermocouple,
    "bus": bench_bus,
    "emulator": bench_emulator,
    "scenario": bench_scenario,
    "sampling": bench_sampling,
    "mqtt": bench_mqtt,
    "outbox": bench_outbox,
    "heap": bench_heap,
    "report": bench_report,
    "traffic": bench_traffic,
    "demo": bench_demo,
}
# Those that know no shorter run.
ONE_LENGTH = ("pid", "thermocouple")


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", choices=[[], *BENCHES], help="which (default: all)")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help="short runs, to see that they work")
    args = parser.parse_args()
    found = {"machine": {}}
    misses = {}
    for name in args.names or BENCHES:
        bench = BENCHES[name]
        # Beside each bench: what else the machine has to do changes while they run.
        found["machine"][name] = machine.machine(0.2 if args.quick else 3.0)
        if not args.json:
            print(machine.told(found["machine"][name]), flush=True)
        figures = bench.measure() if name in ONE_LENGTH else bench.measure(args.quick)
        found[name] = figures
        # A bench without a budget has nothing to miss.
        if missed := bench.missed(figures) if hasattr(bench, "missed") else []:
            misses[name] = missed
        if not args.json:
            print(bench.told(figures), flush=True)
            if missed:
                print(budget.told(missed), flush=True)
    if args.json:
        print(json.dumps({**found, "missed": misses}, indent=1))
    return 1 if misses else 0


if __name__ == "__main__":
    sys.exit(main())
