"""Publish COUNT messages of 200 bytes at QoS 1 as fast as they are acknowledged, on either runtime.

publish_many.py PORT COUNT [LAST_ID]: prints NAME=VALUE lines: acked, took_ms, generation, the heap in use
after each quarter (MicroPython, after a collection) and the last packet id.
"""

import gc
import sys

from edge.node.clock import Clock
from edge.node.report.connections.mqtt import MqttClient


def heap() -> int:
    """Bytes in use after a collection; 0 on CPython."""
    gc.collect()
    return gc.mem_alloc() if hasattr(gc, "mem_alloc") else 0


def main(port, count, last_id=0):
    clock = Clock()
    client = MqttClient([("127.0.0.1", port)], "many", clock, last_id=last_id)
    payload = b"x" * 200
    sent = acked = packet_id = 0
    heaps = []
    begin_ms = clock.now_ms()
    while True:
        due_ms = client.step(clock.now_ms())
        for event in client.events():
            if event[0] == "ack":
                acked += 1
                if acked * 4 % count < 4:
                    heaps.append(heap())
            elif event[0] == "down":
                raise OSError(event[1])
        for _ in range(min(client.room(), count - sent)):
            packet_id = client.publish("furnace/site/node/samples", payload)
            sent += 1
        if acked == count:
            break
        pollable = client.pollable()
        clock.wait(due_ms * 1000, [] if pollable is None else [pollable])
    print(f"acked={acked}")
    print(f"took_ms={clock.now_ms() - begin_ms}")
    print(f"generation={client.generation}")
    print("heaps=" + ",".join([str(size) for size in heaps]))
    print(f"packet_id={packet_id}")


main(*[int(argument) for argument in sys.argv[1:]])
