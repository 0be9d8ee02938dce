"""What a node does with its MQTT client, for CPython and MicroPython alike.

publish_script.py PORT COUNT [PERIOD_MS]: publish COUNT numbered messages to n/telemetry, close, and print
the counters as NAME=VALUE.
"""

import sys

from edge.node.clock import Clock
from edge.node.report.mqtt import MqttClient


def main(port, count, period_ms):
    clock = Clock()
    client = MqttClient("127.0.0.1", port, "script", clock, will_topic="n/state")
    number = 0
    longest_ms = 0
    begin_ms = next_ms = clock.now_ms()
    while True:
        now_ms = clock.now_ms()
        while number < count and now_ms >= next_ms and client.stats["queued"] < 64:
            client.publish("n/telemetry", b"%d" % number)
            number += 1
            next_ms += period_ms
        due_ms = client.step(now_ms)
        longest_ms = max(longest_ms, clock.now_ms() - now_ms)
        if number == count and not client.stats["queued"]:
            break
        if number < count and period_ms:
            due_ms = min(due_ms, next_ms)
        pollable = client.pollable()
        clock.wait(due_ms * 1000, [] if pollable is None else [pollable])
    took_ms = clock.now_ms() - begin_ms
    client.close(clock.now_ms())
    stats = client.stats
    for name in ("acked", "queued", "dropped", "reconnects", "resent"):
        print(name + "=" + str(stats[name]))
    print("longest_ms=" + str(longest_ms))
    print("took_ms=" + str(took_ms))


main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 0)
