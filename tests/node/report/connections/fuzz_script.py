"""A hostile broker against MqttClient, on CPython and MicroPython alike.

fuzz_script.py SEED COUNT: COUNT packets, most of them once valid and then damaged, cut in pieces anywhere.
Prints NAME=VALUE lines: how many connections, messages and acknowledgements came of it, the most that was
held, and a checksum over every event, the same on each runtime. An exception other than those that the
client handles ends the script.
"""

import gc
import sys

from edge.node.clock import VirtualClock
from edge.node.report.connections import mqtt

RECEIVE_MAX = 512
HEAP_SLACK = 60000
FAULTS_OF_OURS = ("closed by the broker", "refused", "no ", "nothing ", "packet 0x", "PUBLISH ", "SUBACK ",
                  "remaining length")


class Dice:
    """xorshift32 (Marsaglia 2003): the same numbers on each runtime."""

    def __init__(self, seed):
        self.state = seed or 1

    def below(self, limit):
        x = self.state
        x ^= x << 13 & 0xFFFFFFFF
        x ^= x >> 17
        x ^= x << 5 & 0xFFFFFFFF
        self.state = x
        return x % limit

    def bytes(self, count):
        return bytes([self.below(256) for _ in range(count)])


class HostileStream:
    """Hands out what the dice make, at most 64 bytes at a time, then nothing for this step."""

    def __init__(self):
        self.socket = None
        self.data = b""
        self.dice = None
        self.room = 0
        self.written = 0

    def open(self):
        self.socket = self
        self.data = b""

    def connected(self):
        return True

    def worked(self):
        pass

    def hint(self, _greeting):
        return ""

    def send(self, data):
        count = min(len(data), self.room)
        self.room -= count
        self.written += count
        return count

    def recv(self):
        if not self.data:
            return None
        count = 1 + self.dice.below(64)
        piece = self.data[:count]
        self.data = self.data[count:]
        return piece

    def close(self):
        self.socket = None


def length(count):
    """Remaining length as MQTT has it."""
    out = b""
    while count > 127:
        out += bytes([count & 127 | 128])
        count >>= 7
    return out + bytes([count])


def packet(dice, last_id):
    """One packet of a broker, mostly one that may come; ``last_id``: the newest packet id in flight."""
    kind = dice.below(40)
    near = max(last_id - dice.below(9), 0) & 0xFFFF
    if kind < 16:
        return b"\x40\x02" + bytes([near >> 8, near & 255])
    if kind < 32:
        topic = b"furnace/a/command" if kind < 30 else (b"a/+", b"", b"\xff\xfe", "ü".encode())[dice.below(4)]
        payload = dice.bytes(dice.below(30)) + bytes(dice.below(2) * dice.below(1500))
        qos = dice.below(2) if kind < 31 else dice.below(4)
        packet_id = bytes([dice.below(256), 1 + dice.below(255)]) if qos else b""
        body = bytes([0, len(topic)]) + topic + packet_id + payload
        return bytes([0x30 | qos << 1 | dice.below(2)]) + length(len(body)) + body
    if kind < 36:
        return b"\xd0\x00"
    if kind < 38:
        return b"\x90\x03" + bytes([near >> 8, near & 255, (0, 1, 2, 128)[dice.below(4)]])
    if kind == 38:
        return b"\x20\x02" + bytes([dice.below(3), dice.below(7)])
    return dice.bytes(1 + dice.below(12))


def damaged(data, dice):
    """The packet with, at one time in ten, something wrong with it."""
    kind = dice.below(50)
    at = dice.below(len(data))
    if kind == 0:
        return data[:at] + bytes([data[at] ^ 1 << dice.below(8)]) + data[at + 1:]
    if kind == 1:
        return data[:at]
    if kind == 2:
        return data[:at] + dice.bytes(1 + dice.below(4)) + data[at:]
    if kind == 3:
        return data[:1] + b"\xff\xff\xff" + bytes([dice.below(256)]) + data[1:]
    if kind == 4:
        return dice.bytes(dice.below(20))
    return data


def checksum(value, crc):
    for byte in repr(value).encode() if not isinstance(value, bytes) else value:
        crc = (crc * 31 + byte) & 0xFFFFFF
    return crc


def main(seed, count):
    dice = Dice(seed)
    stream = HostileStream()
    stream.dice = dice
    clock = VirtualClock()
    client = mqtt.MqttClient([("192.0.2.1", 1883)], "fuzz", clock, 20, window=8, receive_max=RECEIVE_MAX,
                             send_max=1024, random=lambda n: bytes([0] * n), stream=lambda *_: stream)
    now_ms = crc = acks = heard = most = last_id = number = steps = 0
    gc.collect()
    heap = gc.mem_alloc() if hasattr(gc, "mem_alloc") else 0
    while number < count:
        clock.advance_to(now_ms * 1000)
        stream.room = dice.below(200)
        if stream.socket is not None and not stream.data:
            greeting = client.state == mqtt.WAITING and dice.below(10) > 0
            stream.data = b"\x20\x02\x00\x00" if greeting else damaged(packet(dice, last_id), dice)
            number += 1
        due_ms = client.step(now_ms)
        if due_ms <= now_ms:
            raise ValueError(f"no deadline ahead: {due_ms} at {now_ms}")
        for event in client.events():
            acks += event[0] == "ack"
            heard += event[0] == "heard"
            if event[0] == "heard":
                crc = checksum(event[2], checksum(event[1].encode(), crc))
            else:
                crc = checksum(event[0].encode(), crc)
            if event[0] == "down" and not event[1].startswith(FAULTS_OF_OURS):
                raise ValueError("an end of no known kind: " + event[1])
        for _ in range(dice.below(3)):
            last_id = max(client.publish("t", b"x", dice.below(2)), 0) or last_id
        if not dice.below(50):
            client.subscribe([("c", 1)])
        now_ms = due_ms if client.state == mqtt.AWAY else now_ms + dice.below(5)
        steps += 1
        if not steps % 10000 and heap:
            gc.collect()
            most = max(most, gc.mem_alloc() - heap)
            if most > HEAP_SLACK:
                raise MemoryError(f"{most} bytes more than at the start")
    print("steps=" + str(steps))
    print("connections=" + str(client.generation))
    print("malformed=" + str(client.malformed))
    print("too_long=" + str(client.too_long))
    print("acks=" + str(acks))
    print("heard=" + str(heard))
    print("checksum=" + str(crc))
    print("heap_more=" + str(most))


main(int(sys.argv[1]), int(sys.argv[2]))
