"""Throws mutated commands at the door; prints what became of them. Runs on CPython and on MicroPython.

remote_fuzz_script.py COUNT SEED
"""

import json
import sys

from tests.node.remote_bench import Node, remote


class Random:
    """The same numbers on every runtime (xorshift)."""

    def __init__(self, seed):
        self._state = seed or 1

    def below(self, count):
        x = self._state
        x ^= (x << 13) & 0xFFFFFFFF
        x ^= x >> 17
        x ^= (x << 5) & 0xFFFFFFFF
        self._state = x
        return x % count


PIECES = [
    b"{", b"}", b"[", b"]", b'"', b":", b",", b"null", b"true", b"1e999", b"-1", b"NaN", b"Infinity", b"-0.0",
    b"\\u0000", b"\\ud800", b"\xff", b"\xc3\xa4", b"\xed\xa0\x80", b"\x00", b"9" * 400, b"1" * 20, b"0x1",
    b'"v"', b'"value"', b'"__class__"', b" " * 900, b"[" * 200, b'{"a":' * 60, b"1.5", b"\n", b"850",
]  # fmt: skip
DOS = [
    ("set_point", "furnace", 850.0), ("set_point", "furnace", 650.0), ("output", "furnace", 50.0),
    ("mode", "furnace", "manual"), ("mode", "furnace", "auto"), ("programme", "heat_up", "start"),
    ("programme", "heat_up", "stop"), ("acknowledge", "alarm.hot", None), ("reset", "pressure", None),
    ("reset", "peak", None), ("set_point", "draught", -70.0),
]  # fmt: skip


def state(node):
    loops = [(loop.set_point, loop.hand.on, loop.hand) for loop in node.loops]
    return loops, [one.tripped for one in node.trips], node.programmes[0].running, node.remote.mode


def payload(node, random):
    """A command that may be right, with some bytes of it changed."""
    session = node.reporter.session
    do, name, value = DOS[random.below(len(DOS))]
    command = {"v": 1, "nonce": session["nonce"], "n": session["n"] + 1, "by": "anna", "do": do, "name": name}
    if value is not None:
        command["value"] = value
    data = json.dumps(command).encode()
    for _ in range(random.below(4)):
        at = random.below(len(data) + 1)
        kind = random.below(4)
        if kind == 0:
            data = data[:at] + bytes([random.below(256)]) + data[at + 1 :]
        elif kind == 1:
            data = data[:at] + PIECES[random.below(len(PIECES))] + data[at + random.below(6) :]
        elif kind == 2:
            data = data[:at] + data[at + random.below(20) :]
        else:
            data = data[:at] + data[random.below(len(data) + 1) :]
    if random.below(200) == 0:
        data = data * 40
    return data


def main(count, seed):
    random = Random(seed)
    node = Node(remote(), random=lambda n: bytes([random.below(256) for _ in range(n)]))
    accepted = 0
    before = node.furnace.set_point.value
    for i in range(count):
        del node.reporter.answers[:]
        del node.events[:]
        stood = state(node)
        node.put(payload(node, random), random.below(20) == 0)
        node.remote.step(node.clock.ms)
        (answer,) = node.reporter.answers
        if answer["accepted"]:
            accepted += 1
        else:
            assert state(node) == stood, (i, answer)
            assert answer["why"], i
        for _, name, text in node.events:
            assert len(name) <= 130 and len(text) <= 300, (name, text)
            assert min(name + text) >= " ", (name, text)
        assert not node.stopped and node.remote.mode == "remote"
        if i % 3 == 0:
            node.tick()
            assert abs(node.furnace.set_point.value - before) <= 0.25 + 1e-6, i
            before = node.furnace.set_point.value
            node.draught.good(150.0 if random.below(30) == 0 else -80.0)
    print("fuzzed", count, "accepted", accepted, "refused", node.remote.refused)


main(int(sys.argv[1]), int(sys.argv[2]))
