"""Records damaged at random, on either runtime: prints a checksum of what became of them.

    RUNTIME records_script.py SEED COUNT
"""

import sys
from binascii import crc32

from edge.node.report import catalogue, records

state = [int(sys.argv[1])]


def number(below):
    """A pseudo-random number, the same on both runtimes (Knuth's MMIX)."""
    state[0] = (state[0] * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
    return (state[0] >> 33) % below


def damaged(data):
    data = bytearray(data)
    for _ in range(1 + number(4)):
        data[number(len(data))] = number(256)
    if number(4) == 0:
        data = data[: number(len(data))]
    elif number(8) == 0:
        data += bytes([number(256)])
    return bytes(data)


def again(thing):
    """The record of what was decoded: the only one that says the same."""
    if thing.record_kind == records.SAMPLE:
        return records.encode_sample(
            thing.boot, thing.seq, thing.t_ms, thing.up_ms, thing.synced, thing.catalogue_number, thing.values
        )
    return records.encode_event(
        thing.boot, thing.seq, thing.t_ms, thing.up_ms, thing.synced, thing.kind, thing.name, thing.text,
        thing.alarm,
    )  # fmt: skip


VALUES = [(0, 0, 851.25), (1, 1, -3.5), (3, 2, None), (4, 0, True), (5, 0, False), (40, 0, -7)]
VALUES.append((2047, 0, 0.0))
TEXTS = [(0, 0, "auto"), (7, 0, "\u00e4\u20ac")]
META = (0xFFFFFFFE, 3, 1767225600000, 12345, True)
SAMPLE = records.encode_sample(*(META + (77, VALUES)))
WITH_TEXT = records.encode_sample(*(META + (77, TEXTS)))
EVENT = records.encode_event(*(META + ("trip", "high", "tripped at 1200.0", True)))
LIST = catalogue.Catalogue(
    [catalogue.Metric("a", "degC", catalogue.FLOAT, "roof", 0.5, 60000, False, 0.0, 1300.0)], "s", "n"
)

assert again(records.decode(SAMPLE)) == SAMPLE
assert again(records.decode(WITH_TEXT)) == WITH_TEXT
assert again(records.decode(EVENT)) == EVENT

seen = crc32(SAMPLE + WITH_TEXT + EVENT)
good = 0
for _ in range(int(sys.argv[2])):
    data = damaged(SAMPLE)
    try:
        assert again(records.decode(data)) == data
        good += 1
        seen = crc32(b"+", seen)
    except ValueError:
        seen = crc32(b"-", seen)
    # Runtimes differ in what they take for UTF-8, not in how they refuse.
    for data in (damaged(WITH_TEXT), damaged(EVENT)):
        try:
            records.decode(data)
        except ValueError:
            pass
    try:
        catalogue.from_json(damaged(LIST.to_json()))
    except ValueError:
        pass
assert good
print(seen & 0xFFFFFFFF, LIST.number, LIST.to_json().decode())
