"""The measured part of bench_sampling, on either runtime: sampling_loop.py TICKS; prints JSON."""

import gc
import json
import sys
import time

from edge.node.report.catalogue import FLOAT, TEXT, Catalogue, Metric
from edge.node.report.sampling import Sampler

SIGNALS = 40
OUTPUTS = 8
ROUNDS = 10  # the quickest counts: the others were disturbed
QUIET, TYPICAL, ALL = "quiet", "a fifth changes", "everything changes"


class Source:
    def __init__(self):
        self.value = 100.0
        self.quality = 0
        self.state = "auto"


def micros():
    if hasattr(time, "ticks_us"):
        return time.ticks_us()
    return time.perf_counter_ns() // 1000


def measured(changing, ticks):
    """[us, bytes of a record, bytes of garbage] per tick while so many signals exceed their dead band."""
    sources = [Source() for _ in range(SIGNALS)]
    outputs = [Source() for _ in range(OUTPUTS)]
    metrics = [Metric(f"signal_{i}", "degC", FLOAT, "roof", 1.0, 60000) for i in range(SIGNALS)]
    metrics += [Metric(f"output_{i}", "%", FLOAT, "fan", 0.1, 60000) for i in range(OUTPUTS)]
    metrics += [Metric(f"state_{i}", "", TEXT, "", 0.0, 60000) for i in range(OUTPUTS)]
    numbers = [(output, "value") for output in outputs]
    sampler = Sampler(
        Catalogue(metrics, "s", "n"), sources, numbers, [(output, "state") for output in outputs]
    )
    sampler.look(0)
    gc.collect()
    garbage = -1
    if hasattr(gc, "mem_alloc"):
        before = gc.mem_alloc()
        _run(sampler, sources[:changing], 10)
        garbage = (gc.mem_alloc() - before) // 10
        gc.collect()
    best = None
    for _ in range(ROUNDS):
        start = micros()
        size = _run(sampler, sources[:changing], ticks // ROUNDS)
        spent = micros() - start
        best = spent if best is None or spent < best else best
    return [round(best / (ticks // ROUNDS), 2), size, garbage]


def _run(sampler, changing, ticks):
    size = 0
    for tick in range(ticks):
        for source in changing:
            source.value = 100.0 if source.value > 200.0 else 300.0
        # All at the same moment: no period is over.
        if sampler.look(1):
            size = len(sampler.record(1, tick, 1767225600000, tick, True))
    return size


if __name__ == "__main__":
    count = int(sys.argv[1])
    found = {}
    for name, changing in ((QUIET, 0), (TYPICAL, SIGNALS // 5), (ALL, SIGNALS)):
        found[name] = measured(changing, count)
    print(json.dumps(found))
