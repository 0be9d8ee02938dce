"""A process that feeds an outbox until it is killed, and says what it was told. Runs on both runtimes.

outbox_writer.py KIND PATH BYTES_MAX FIRST_SEQ SEED BOOT

Lines on stdout, each written at once: "open LAST_SAMPLE_ID LAST_EVENT_ID" then, in turn, "given LANE ID SEQ"
before the next commit, "done LANE FIRST LAST" before it is told, "stored SEQ" after it was.
"""

import random
import sys

from edge.node.report import records


def say(line: str):
    sys.stdout.write(line + "\n")
    if hasattr(sys.stdout, "flush"):
        sys.stdout.flush()


def record(boot: int, seq: int) -> bytes:
    """What is appended as this seq: every seventh is an event, every 21st an alarm."""
    if seq % 7 == 0:
        text = "text " * (seq % 11)
        return records.encode_event(boot, seq, seq, seq, True, "kind", "name", text, seq % 21 == 0)
    values = [(i, 0, (seq * 7919 + i * 104729) % 99991 / 7.0) for i in range(3 + seq % 20)]
    return records.encode_sample(boot, seq, seq, seq, True, 5, values)


def make(kind: str, path: str, bytes_max: int):
    if kind == "sqlite":
        from edge.box.outbox import Outbox

        return Outbox(path, bytes_max, 1000)
    from edge.node.report.outbox.segments import SegmentLog

    return SegmentLog(path, bytes_max, 1000)


def main(kind: str, path: str, bytes_max: int, seq: int, seed: int, boot: int):
    random.seed(seed)
    box = make(kind, path, bytes_max)
    box.attach(["a"])
    say(f"open {box.last_id(1)} {box.last_id(2)}")
    now_ms = 0
    told = 0
    while True:
        now_ms += 100
        for _ in range(random.getrandbits(3)):
            seq += 1
            lane = 2 if seq % 7 == 0 else 1
            number = box.append(record(boot, seq), now_ms)
            say(f"given {lane} {number} {seq}")
        if random.getrandbits(4) == 0:
            lane = 1 + (random.getrandbits(1))
            found = box.fetch("a", lane, random.getrandbits(10), 1 + random.getrandbits(6))
            if found:
                say(f"done {lane} {found[0][0]} {found[-1][0]}")
                box.done("a", lane, found[0][0], found[-1][0])
        box.step(now_ms)
        if random.getrandbits(3) == 0:
            box.commit(now_ms)
        stored = box.stored(boot)[1]
        if stored > told:
            told = stored
            say(f"stored {stored}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]), int(sys.argv[6]))
