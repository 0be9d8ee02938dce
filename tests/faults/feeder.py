"""A node's side of reporting without a furnace, on either runtime: records at a steady pace.

    feeder.py DESCRIPTION.json RATE_PER_S [METRICS]

The reporting end is the one that the runtime has in the product. Every 20th record is an event, every 40th an
alarm. The first value of a sample is the number of samples before it. Standard input takes "stop" (also its
end), "pause", "go", "burst COUNT" and "told"; the answer to that, and the last line of output, is JSON:
{"boot", "seq", "samples", "lost", "stats"}.
"""

import json
import os
import select
import sys

from edge.node.clock import Clock
from edge.node.report import records
from edge.node.report.catalogue import INTEGER, Catalogue, Metric

MICROPYTHON = sys.implementation.name == "micropython"
BURST_PER_TURN = 20


def reporting_end(description, clock):
    if MICROPYTHON:
        from edge.node.report.onboard import OnboardReporter

        return OnboardReporter(description, clock)
    from edge.box.reporter import config_of
    from edge.box.reporting import SupervisedReporter

    return SupervisedReporter(config_of(description))


def catalogue_of(description, count):
    metrics = [Metric("counter", "", INTEGER, "plc")]
    for number in range(1, count):
        metrics.append(Metric(f"t{number}", "degC", 1, "plc" if number % 2 else ""))
    return Catalogue(metrics, description["node"]["site"], description["node"]["name"])


class Feeder:
    def __init__(self, description, rate, metrics):
        self.clock = Clock()
        self.end = reporting_end(description, self.clock)
        self.catalogue = catalogue_of(description, metrics)
        self.boot = int.from_bytes(os.urandom(4), "big") or 1
        self.seq = 0
        self.counter = 0
        self.metrics = metrics
        self.period_us = 1000000 // rate if rate else 0
        self.due_us = self.clock.now_us()
        self.burst = 0
        self.paused = not rate
        self.lost = 0
        self.end.begin(self.catalogue)

    def record(self):
        """Tell one more: mostly a sample."""
        self.seq += 1
        t_ms = self.clock.utc_ms()
        up_ms = self.clock.now_ms()
        if self.seq % 20 == 0:
            alarm = self.seq % 40 == 0
            self.end.record(
                records.encode_event(
                    self.boot, self.seq, t_ms, up_ms, True, "alarm" if alarm else "signal", "n", "came", alarm
                )
            )
        else:
            values = [(0, 0, self.counter)]
            for index in range(1, self.metrics):
                noise = (self.seq * 40503 + index * 30011) & 0x7FFF
                values.append((index, 0, 800.0 + noise / 256))
            self.counter += 1
            number = self.catalogue.number
            self.end.record(records.encode_sample(self.boot, self.seq, t_ms, up_ms, True, number, values))

    def event(self, kind, name, text, alarm):
        """Something beside the steady pace, told as a node tells it."""
        self.seq += 1
        clock = self.clock
        self.end.record(
            records.encode_event(
                self.boot, self.seq, clock.utc_ms(), clock.now_ms(), True, kind, name, text, alarm
            )
        )

    def turn(self):
        """What is due; when to come back, in us."""
        now_us = self.clock.now_us()
        for _ in range(min(self.burst, BURST_PER_TURN)):
            self.record()
            self.burst -= 1
        if not self.paused and now_us >= self.due_us:
            self.due_us = max(self.due_us + self.period_us, now_us - 1000000)
            self.record()
        if self.end.snapshot_wanted():
            self.record()
        for count, why in self.end.losses():
            self.lost += count
            self.event("lost", "records", f"{count}: {why}", True)
        next_us = self.end.step(self.clock.now_ms()) * 1000
        if not self.paused:
            next_us = min(next_us, self.due_us)
        return now_us if self.burst else next_us

    def obey(self, words):
        if words[0] == "pause":
            self.paused = True
        elif words[0] == "go":
            self.paused = False
            self.due_us = self.clock.now_us()
        elif words[0] == "burst":
            self.burst += int(words[1])
        elif words[0] == "told":
            print(json.dumps(self.told()))
            if not MICROPYTHON:
                sys.stdout.flush()

    def told(self):
        told = {"boot": self.boot, "seq": self.seq, "samples": self.counter, "lost": self.lost}
        told["stats"] = self.end.stats
        return told


def main(path, rate, metrics=5):
    with open(path) as file:
        feeder = Feeder(json.load(file), int(rate), int(metrics))
    # Unbuffered: what is read ahead would not wake the poll.
    stream = sys.stdin.buffer if MICROPYTHON else open(0, "rb", 0)
    poller = select.poll()
    poller.register(sys.stdin, select.POLLIN)
    line = b""
    while True:
        next_us = feeder.turn()
        if not poller.poll(0):
            feeder.clock.wait(next_us, [sys.stdin] + feeder.end.pollables())
            continue
        byte = stream.read(1)
        line += byte
        if byte and byte != b"\n":
            continue
        words = line.decode().split()
        line = b""
        if not words or words[0] == "stop":
            break
        feeder.obey(words)
    feeder.end.close(feeder.clock.now_ms())
    last = feeder.told()
    last["stats"] = getattr(feeder.end, "last", last["stats"])
    print(json.dumps(last))


if __name__ == "__main__":
    main(*sys.argv[1:])
