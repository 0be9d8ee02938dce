"""``furnace-edge run`` that keeps the lateness of every tick, and whose reporter may have a slow disk.

    python -m benchmarks.node_for_report LATENESS.json [arguments of furnace-edge run ...]
"""

import functools
import json
import sys

from edge.box import cli, reporting
from edge.node import node as node_module
from edge.node.statistics import TickStatistics

LATE_US = []


class KeptStatistics(TickStatistics):
    def add(self, late_us: int, duration_us: int):
        LATE_US.append(late_us)
        super().add(late_us, duration_us)


if __name__ == "__main__":
    node_module.TickStatistics = KeptStatistics
    reporting.start_reporter = functools.partial(
        reporting.start_reporter, module="benchmarks.slow_disk_reporter"
    )
    code = cli.main(["run", *sys.argv[2:]])
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(LATE_US, file)
    sys.exit(code)
