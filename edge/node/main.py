"""A node from a board file, on MicroPython: ``micropython -m edge.node.main NODE.json``.

Its lines are serial devices of the unix port; it reports through its own MQTT client. It has no
signal handlers: whoever started it writes ``stop`` to its standard input or closes it.
"""

import json
import select
import sys

from edge.node import description
from edge.node.build import build
from edge.node.bus.uart import TermiosUart
from edge.node.clock import Clock
from edge.node.commands import Commands, Console
from edge.node.report import messages
from edge.node.report.local import LocalReporter
from edge.node.report.mqtt import MqttClient

# What waits while the broker is away, at most: some twenty telemetry messages of the Bishkek line.
QUEUE_BYTES = 40960


def reporter_of(node_file: dict, clock):
    """The MQTT client that a node description asks for."""
    spec = node_file["report"].get("mqtt")
    if spec is None:
        return LocalReporter()
    settings = node_file["node"]
    base = messages.base_topic(settings["site"], settings["name"])
    if "username" in spec:
        raise ValueError(
            "report.mqtt: a board has no safe place for a password yet: use a broker on this machine"
        )
    return MqttClient(
        spec["host"],
        spec["port"],
        "furnace-edge-%s-%s" % (settings["site"], settings["name"]),
        clock,
        spec["keepalive_s"],
        will_topic=base + "/" + messages.STATE,
        will_payload=messages.OFFLINE,
        queue_messages=32,
        queue_bytes=QUEUE_BYTES,
    )


def console_on_stdin(node) -> Console:
    """Commands by line from standard input; its end stops the node."""
    stream = sys.stdin.buffer
    poller = select.poll()
    poller.register(sys.stdin, select.POLLIN)
    return Console(
        Commands(node),
        lambda: bool(poller.poll(0)),
        lambda: _waiting(stream, poller),
        lambda text: print(text),
        sys.stdin,
        True,
    )


def _waiting(stream, poller) -> bytes:
    """The bytes that are there now; b"" at the end of the stream. A half line must not hold up the tick."""
    data = b""
    while len(data) < 256 and poller.poll(0):
        byte = stream.read(1)
        if not byte:
            break
        data += byte
    return data


def run(path: str):
    """Run the node that the board file describes until it is told to stop; prints its last state."""
    node_file = description.load(path)
    clock = Clock()
    uarts = {}
    for name in node_file["order"]["bus"]:
        spec = node_file["bus"][name]
        uarts[name] = TermiosUart(spec["port"], spec["baud"], spec["framing"], spec.get("rs485", False))
    node = build(node_file, uarts, clock, reporter_of(node_file, clock))
    node.run(console_on_stdin(node))
    last = json.loads(messages.telemetry(node, clock.now_ms(), clock.utc_ms()))
    node.close()
    last["report"] = node.reporter.stats
    print(json.dumps(last))


if __name__ == "__main__":
    run(sys.argv[1])
