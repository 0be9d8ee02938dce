"""A few minutes of a made-up node, on either runtime: prints how many samples it told and their checksum."""

from binascii import crc32

from edge.node.report.catalogue import BOOLEAN, FLOAT, TEXT, Catalogue, Metric
from edge.node.report.sampling import Sampler


class Thing:
    value = 0.0
    quality = 2
    state = "unknown"
    tripped = False


state = [1]


def number(below):
    """A pseudo-random number, the same on both runtimes (Knuth's MMIX)."""
    state[0] = (state[0] * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
    return (state[0] >> 33) % below


sources = [Thing() for _ in range(12)]
outputs = [Thing() for _ in range(4)]
metrics = [Metric(f"source_{i}", "degC", FLOAT, "roof", i * 0.25, i * 500) for i in range(12)]
metrics += [Metric(f"output_{i}", "%", FLOAT, "", 0.1, 60000) for i in range(4)]
metrics += [Metric(f"state_{i}", "", TEXT, "", 0.0, 5000) for i in range(4)]
metrics += [Metric(f"trip_{i}", "", BOOLEAN) for i in range(4)]
sampler = Sampler(
    Catalogue(metrics, "s", "n"),
    sources,
    [(output, "value") for output in outputs],
    [(output, "state") for output in outputs] + [(output, "tripped") for output in outputs],
)
seen = 0
seq = 0
for tick in range(2000):
    now_ms = tick * 250
    for source in sources:
        # Eighths are the same on both.
        source.value += (number(17) - 8) / 8.0
        if number(50) == 0:
            source.quality = number(3)
    output = outputs[number(4)]
    output.value = None if number(9) == 0 else number(800) / 8.0
    if number(20) == 0:
        output.state = ("auto", "safe", "trip \u00e4")[number(3)]
        output.tripped = number(2) == 0
    if number(500) == 0:
        sampler.snapshot()
    if sampler.look(now_ms):
        seq += 1
        seen = crc32(sampler.record(7, seq, 1767225600000 + now_ms, now_ms, True), seen)
print(seq, seen & 0xFFFFFFFF)
