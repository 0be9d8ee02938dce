"""What the speakers of plain JSON and Home Assistant say, and what all three make of hostile bytes.

Prints lines that are the same on every runtime.
"""

import struct

from edge.node.report import records
from edge.node.report.catalogue import FLOAT, TEXT, Catalogue, Metric, from_json
from edge.node.report.records import EVENT, SAMPLE
from edge.node.report.speakers import protobuf
from edge.node.report.speakers.speaker import make, number_text
from tests.node.report.speakers.sparkplug_session import (
    FIRST,
    HOST,
    METRICS,
    NODE,
    START_MS,
    Clock,
    Driver,
    written,
)


class Numbers:
    """A linear congruential generator: the same numbers on every runtime."""

    def __init__(self, seed):
        self.state = seed

    def below(self, limit):
        self.state = (self.state * 1103515245 + 12345) & 0x7FFFFFFF
        return (self.state >> 8) % limit

    def bytes(self, count):
        return bytes([self.below(256) for _ in range(count)])


def conversation(kind, settings):
    """Everything that a speaker may be asked for."""
    catalogue = from_json(Catalogue(METRICS, "bishkek", "line1").to_json())
    before = Catalogue([Metric("old", "", FLOAT), Metric("text", "", TEXT)], "bishkek", "line1")
    store = {}
    speaker = make(kind, "bishkek", "line1", settings, Clock())
    speaker.catalogue_of = lambda number: before if number == before.number else None
    speaker.begin(catalogue, "0badcafe", store.get, store.__setitem__)
    entries = []
    number = catalogue.number
    samples = (FIRST, [(0, 0, 1234.5678), (7, 1, -0.0)], [(2, 0, "\u00e4 \"\n"), (3, 0, True)])
    for seq, values in enumerate(samples):
        record = records.encode_sample(9, seq + 1, START_MS + 250 * seq, 250 * seq, seq != 1, number, values)
        entries.append((seq + 1, records.decode(record)))
        speaker.observe(entries[-1][1], seq + 1)
    old = records.encode_sample(9, 4, START_MS, 0, True, before.number, [(0, 0, 1e-9), (1, 0, "x")])
    entries.append((4, records.decode(old)))
    event = records.decode(records.encode_event(9, 5, START_MS, 5, False, "trip", "n", "t\u20ac\x00", True))
    speaker.observe(event, 1)
    yield speaker.known(), speaker.ready(), speaker.urgent
    yield speaker.before_connect()
    yield speaker.subscriptions()
    yield speaker.births(START_MS)
    yield speaker.messages(SAMPLE, entries, False)
    yield speaker.messages(SAMPLE, entries, True)
    yield speaker.messages(EVENT, [(1, event)], False)
    for topic in [topic for topic, _ in speaker.subscriptions()] + ["other"]:
        for payload in (b"online", b"{}", written("Node Control/Rebirth", True), b"\xff", b"[" * 2000):
            yield speaker.heard(topic, payload, False)
    yield speaker.replies(b'{"session": {"nonce": "5f"}}')
    yield speaker.replies(b'{"accepted": true}')
    yield speaker.barrier()
    yield speaker.goodbye(START_MS)
    yield speaker.refused, speaker.untold


def numbers():
    """Floats of 32 bits as JSON."""
    source = Numbers(7)
    for _ in range(3000):
        value = struct.unpack("<f", source.bytes(4))[0]
        if value - value == 0.0:
            yield number_text(value)
    for value in (0.0, -0.0, 0.1, 1e7, 9999999.0, 99999995.0, 123456.7, 3.4e38, 1e-45, 850.05, 1e6, 999999.9):
        yield number_text(struct.unpack("<f", struct.pack("<f", value))[0])


def hostile(count):
    """How many of random and of damaged messages were taken for what."""
    source = Numbers(11)
    seeds = [
        written("Node Control/Rebirth", True),
        written("Node Control/Command", '{"v":1}'),
        written(None, 1.5, alias=3),
        b'{"online":true,"timestamp":1760000000000}',
        b"",
    ]
    driver = Driver({"commands": True, "primary_host": "scada"})
    driver.sample(FIRST)
    driver.connect()
    decoded = 0
    actions = 0
    for _ in range(count):
        data = bytearray(seeds[source.below(len(seeds))])
        for _ in range(1 + source.below(4)):
            at = source.below(len(data) + 1)
            if source.below(2):
                data = data[:at] + source.bytes(1 + source.below(3)) + data[at:]
            elif data:
                data = data[:at] + source.bytes(1) + data[at + 1 :]
        data = bytes(data)
        try:
            protobuf.decode(data)
            decoded += 1
        except ValueError:
            pass
        topic = (NODE % "NCMD", HOST, NODE % "DCMD" + "/roof")[source.below(3)]
        actions += len(driver.speaker.heard(topic, data, source.below(8) == 0))
    return decoded, actions, driver.speaker.refused


def main():
    for kind in ("json", "home_assistant", "sparkplug"):
        for said in conversation(kind, {"commands": True}):
            print(kind, said)
    for text in numbers():
        print(text)
    print("hostile", hostile(3000))


if __name__ == "__main__":
    main()
