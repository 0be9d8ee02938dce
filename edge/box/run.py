"""``furnace-edge run``: the controller on an industrial box, or the same node on MicroPython."""

import contextlib
import gc
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from edge.box import micropython
from edge.box.config import NodeFileError, describe, find
from edge.box.reporter import ConfigError
from edge.box.reporting import SupervisedReporter
from edge.box.serial_port import PortError, SerialPort
from edge.node.build import build
from edge.node.clock import Clock
from edge.node.commands import Commands, Console
from edge.node.report import messages
from edge.node.report.local import LocalReporter

EXAMPLE = "example: furnace-edge run line1.toml      (bishkek runs the packaged node file)"


def add_arguments(parser):
    parser.epilog = EXAMPLE
    parser.add_argument("node", help="node file, or the name of a packaged one (bishkek)")
    parser.add_argument(
        "--port", action="append", default=[], metavar="[BUS=]PATH", help="another port for a bus"
    )
    parser.add_argument("--broker", metavar="HOST:PORT", help="another MQTT broker")
    parser.add_argument("--runtime", choices=("cpython", "micropython"), default="cpython")
    parser.add_argument(
        "--heap", default=micropython.HEAP, metavar="SIZE", help="heap of the MicroPython runtime"
    )
    parser.add_argument("--attached", action="store_true", help="stop when standard input ends")
    parser.add_argument("--json", action="store_true", help="print the last state as JSON at the end")


def run(args) -> int:
    """Exit code 0 after an ordered stop, 2 for what must be mended first, 1 for a failure on the way."""
    try:
        node_file, _ = describe(find(args.node))
        override(node_file, args.port, args.broker)
    except (NodeFileError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    if args.runtime == "micropython":
        return run_micropython(node_file, args)
    return run_here(node_file, args)


def override(node_file: dict, ports: list, broker):
    """Put ports and broker of the command line into a description; ValueError for what doesn't fit."""
    buses = node_file["order"]["bus"]
    for text in ports:
        name, equals, path = text.partition("=")
        if not equals:
            if len(buses) != 1:
                raise ValueError(f"--port {text}: the node has buses {', '.join(buses)}; say BUS=PATH")
            name, path = buses[0], text
        if name not in node_file["bus"]:
            raise ValueError(f"--port {text}: no bus is named {name}; there is {', '.join(buses)}")
        node_file["bus"][name]["port"] = path
    if broker:
        host, colon, port = broker.rpartition(":")
        if not colon or not port.isdigit() or not 1 <= int(port) <= 65535:
            raise ValueError(f"--broker {broker}: expected HOST:PORT, for example 127.0.0.1:1883")
        if "mqtt" not in node_file["report"]:
            raise ValueError("--broker: the node file has no table [report.mqtt]")
        node_file["report"]["mqtt"].update(host=host, port=int(port))


def run_here(node_file: dict, args) -> int:
    """The node in this process, its reporter in another."""
    uarts = {}
    try:
        for name in node_file["order"]["bus"]:
            spec = node_file["bus"][name]
            uarts[name] = SerialPort(spec["port"], spec["baud"], spec["framing"])
    except PortError as error:
        for uart in uarts.values():
            uart.close()
        print(error, file=sys.stderr)
        return 2
    clock = Clock()
    try:
        reporter = _reporter(node_file)
    except ConfigError as error:
        for uart in uarts.values():
            uart.close()
        print(error, file=sys.stderr)
        return 2
    node = build(node_file, uarts, clock, reporter)
    failure = ""
    with _wakeable() as woken:
        console = _console(node, woken, args.attached)
        _punctual()
        try:
            node.run(console)
        except OSError as error:
            # Without its port a node can't reach the outputs: their leases bring them to safe.
            failure = f"the serial line failed: {error}; outputs go to safe by their own leases"
        last = json.loads(messages.telemetry(node, clock.now_ms(), clock.utc_ms()))
        node.close()
        last["report"] = getattr(reporter, "last", last["report"])
    if args.json:
        print(json.dumps(last), flush=True)
    if failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


def _reporter(node_file: dict):
    spec = node_file["report"].get("mqtt")
    if spec is None:
        return LocalReporter()
    settings = node_file["node"]
    config = dict(spec)
    config["base"] = messages.base_topic(settings["site"], settings["name"])
    config["client_id"] = f"furnace-edge-{settings['site']}-{settings['name']}"
    return SupervisedReporter(config)


def _punctual():
    """Keep the garbage collector out of the tick: what exists now stays, cycles are rare here."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50000, 50, 1000)


@contextlib.contextmanager
def _wakeable():
    """SIGTERM and SIGINT become bytes on a pipe that the node's one wait covers."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    names = {signal.SIGTERM: "SIGTERM", signal.SIGINT: "SIGINT"}
    before = {number: signal.signal(number, lambda *_: None) for number in names}
    wakeup = signal.set_wakeup_fd(writing)
    try:
        yield reading
    finally:
        signal.set_wakeup_fd(wakeup)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reading)
        os.close(writing)


class _SignalConsole:
    """The console of a box: signals first, then commands from standard input."""

    def __init__(self, node, woken: int, console: Console):
        self._node = node
        self._woken = woken
        self._console = console

    def pollables(self) -> list:
        return [self._woken] + self._console.pollables()

    def step(self):
        try:
            numbers = os.read(self._woken, 16)
        except BlockingIOError:
            numbers = b""
        for number in numbers:
            self._node.stop(f"stopped by {signal.Signals(number).name}")
        self._console.step()


def _console(node, woken: int, attached: bool) -> _SignalConsole:
    stdin = sys.stdin.fileno() if sys.stdin is not None else os.open(os.devnull, os.O_RDONLY)
    console = Console(
        Commands(node),
        lambda: bool(select.select([stdin], [], [], 0)[0]),
        lambda: os.read(stdin, 256),
        lambda text: print(text, file=sys.stderr, flush=True),
        stdin,
        attached,
    )
    return _SignalConsole(node, woken, console)


def run_micropython(node_file: dict, args) -> int:
    """The same node as a child on the MicroPython unix port; signals become ``stop`` on its input."""
    try:
        executable = micropython.executable()
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 2
    from edge.node import description

    with tempfile.TemporaryDirectory(prefix="furnace-edge-") as folder:
        path = Path(folder) / "node.json"
        path.write_bytes(description.dump(node_file))
        child = subprocess.Popen(
            micropython.command(executable, args.heap, "edge.node.main", str(path)),
            env=micropython.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        with _wakeable() as woken:
            return _attend(child, woken, args)


def _attend(child, woken: int, args) -> int:
    """Pass commands and the wish to stop on to a MicroPython child until it ends."""
    waiting = [woken, child.stdout]
    if sys.stdin is not None:
        waiting.append(sys.stdin.fileno())
    output = b""
    while True:
        ready, _, _ = select.select(waiting, [], [], 1.0)
        if child.stdout in ready:
            data = os.read(child.stdout.fileno(), 65536)
            if not data:
                break
            output += data
        asked = b""
        if woken in ready and os.read(woken, 16):
            asked = b"stop\n"
        if sys.stdin is not None and sys.stdin.fileno() in ready:
            line = os.read(sys.stdin.fileno(), 256)
            if not line:
                waiting.remove(sys.stdin.fileno())
                line = b"stop\n" if args.attached else b""
            asked += line
        if asked:
            with contextlib.suppress(BrokenPipeError):
                child.stdin.write(asked)
                child.stdin.flush()
    code = child.wait(timeout=10)
    lines = output.decode(errors="replace").splitlines()
    if code == 0 and lines:
        if args.json:
            print(lines[-1], flush=True)
        return 0
    print("\n".join(lines), file=sys.stderr)
    print(f"the MicroPython node ended with code {code}; outputs rely on their leases", file=sys.stderr)
    return 1
