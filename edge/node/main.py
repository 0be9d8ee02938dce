"""A node from a board file, on MicroPython: ``micropython -m edge.node.main NODE.json``.

Its lines are serial devices of the unix port; it stores and sends its reports itself. It has no signal
handlers: whoever started it writes ``stop`` to its standard input or closes it.
"""

import gc
import json
import select
import sys

from edge.node import description
from edge.node.build import build
from edge.node.bus.uart import TermiosUart
from edge.node.clock import Clock
from edge.node.commands import Commands
from edge.node.console import Console
from edge.node.report import messages

# A heap that is collected only when it is full is scattered with what lives on, until it has no room for a
# message in one piece. So it is collected whenever so many bytes have been taken.
COLLECT_AFTER = 32768
TO_BE_MENDED = 2  # exit code


def reporter_of(node_file: dict, clock):
    """The reporting end that a node description asks for; the end of it all, with a line that says why, where
    its credentials can't be used.
    """
    if "mqtt" not in node_file["report"]:
        from edge.node.report.local import LocalReporter

        return LocalReporter()
    from edge.node.report.connections.tcp import Untrusted
    from edge.node.report.onboard import OnboardReporter

    try:
        return OnboardReporter(node_file, clock)
    except (OSError, ValueError, Untrusted) as error:
        print("report.mqtt: %s" % error)
    sys.exit(TO_BE_MENDED)


def keeper_of(node_file: dict):
    """What keeps programmes and latched trips over a power cut, where the description says a file for it."""
    if "kept" not in node_file:
        return None
    from edge.node.kept_file import FileKeeper

    return FileKeeper(node_file["kept"]["path"])


def node_of(path: str, clock):
    """The node that the board file describes; of the description itself nothing is kept."""
    node_file = description.load(path)
    uarts = {}
    for name in node_file["order"]["bus"]:
        spec = node_file["bus"][name]
        uarts[name] = TermiosUart(spec["port"], spec["baud"], spec["framing"], spec.get("rs485", False))
    return build(node_file, uarts, clock, reporter_of(node_file, clock), keeper=keeper_of(node_file))


def console_on_stdin(node) -> Console:
    """Commands by line from standard input; its end stops the node."""
    stream = sys.stdin.buffer
    poller = select.poll()
    poller.register(sys.stdin, select.POLLIN)
    room = select.poll()
    room.register(sys.stdout, select.POLLOUT)

    def write(text: str):
        # A terminal that has been stopped must not stop the furnace: what it has no room for is left out.
        if room.poll(0):
            print(text)

    read = lambda: _waiting(stream, poller)  # noqa: E731
    console = Console(Commands(node), lambda: bool(poller.poll(0)), read, write, sys.stdin, True)
    console.begin()
    return console


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
    gc.collect()
    gc.threshold(COLLECT_AFTER)
    clock = Clock()
    node = node_of(path, clock)
    node.run(console_on_stdin(node))
    last = json.loads(messages.telemetry(node, clock.now_ms(), clock.utc_ms()))
    node.close()
    last["report"] = node.reporter.stats
    print(json.dumps(last))


if __name__ == "__main__":
    run(sys.argv[1])
