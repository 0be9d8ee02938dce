"""``furnace-edge run``: the controller on an industrial box, or the same node on MicroPython."""

import ctypes
import gc
import json
import os
import select
import signal
import sys

from edge.box import micropython
from edge.box.attend import run_micropython
from edge.box.config import NodeFileError, find, read
from edge.box.config.rules.report import is_loopback, unencrypted
from edge.box.keeper import ChildKeeper
from edge.box.kernel_clock import kernel_clock
from edge.box.line_writer import LineWriter
from edge.box.ports import close_ports, open_ports
from edge.box.reporter import ConfigError, config_of
from edge.box.reporting import SupervisedReporter
from edge.box.serial_port import PortError
from edge.box.signals import foreground, wakeable
from edge.box.state_folder import place_kept, place_outbox
from edge.node.build import build
from edge.node.clock import Clock
from edge.node.commands import Commands
from edge.node.console import Console
from edge.node.report import messages
from edge.node.report.local import LocalReporter

_PR_SET_TIMERSLACK = 29
EXAMPLE = "example: furnace-edge run line1.toml      (bishkek runs the packaged node file)"


def add_arguments(parser):
    parser.epilog = EXAMPLE
    parser.add_argument("node", help="node file, or the name of a packaged one (bishkek)")
    parser.add_argument(
        "--port", action="append", default=[], metavar="[BUS=]PATH", help="another port for a bus"
    )
    parser.add_argument("--broker", metavar="HOST:PORT", help="another MQTT broker")
    parser.add_argument("--state", metavar="FOLDER", help="where the outbox and the state of the node are kept")
    parser.add_argument("--runtime", choices=("cpython", "micropython"), default="cpython")
    parser.add_argument(
        "--heap", default=micropython.HEAP, metavar="SIZE", help="heap of the MicroPython runtime"
    )
    parser.add_argument("--attached", action="store_true", help="stop when standard input ends")
    parser.add_argument("--json", action="store_true", help="print the last state as JSON at the end")


def run(args) -> int:
    """Exit code 0 after an ordered stop, 2 for what must be mended first, 1 for a failure on the way."""
    try:
        node_file = read(find(args.node))
        override(node_file, args.port, args.broker)
        place_outbox(node_file.description, args.state)
        place_kept(node_file.description, args.state)
    except (NodeFileError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    if args.runtime == "micropython":
        return run_micropython(node_file, args)
    return run_here(node_file, args)


def override(node_file, ports: list, broker):
    """Put ports and broker of the command line into a NodeFile; ValueError for what doesn't fit."""
    description = node_file.description
    buses = description["order"]["bus"]
    for text in ports:
        name, equals, path = text.partition("=")
        if not equals:
            if len(buses) != 1:
                raise ValueError(f"--port {text}: the node has buses {', '.join(buses)}; say BUS=PATH")
            name, path = buses[0], text
        if name not in description["bus"]:
            raise ValueError(f"--port {text}: no bus is named {name}; there is {', '.join(buses)}")
        description["bus"][name]["port"] = path
        node_file.lines.pop(("bus", name, "port"), None)
    if broker:
        if "mqtt" not in description["report"]:
            raise ValueError("--broker: the node file has no table [report.mqtt]")
        host, port = address(broker)
        mqtt = description["report"]["mqtt"]
        if not mqtt["tls"] and not is_loopback(host):
            raise ValueError(f"--broker {broker}: [report.mqtt] has {unencrypted(host)}")
        mqtt["brokers"] = [[host, port]]


def address(text: str) -> tuple:
    """(host, port) of HOST:PORT; ValueError otherwise."""
    host, colon, port = text.rpartition(":")
    if not host or not port.isdigit() or not 1 <= int(port) <= 65535:
        raise ValueError(f"--broker {text}: expected HOST:PORT, for example 127.0.0.1:1883")
    return host, int(port)


def run_here(node_file, args) -> int:
    """The node in this process, its reporter in another."""
    try:
        uarts = open_ports(node_file)
    except PortError as error:
        print(error, file=sys.stderr)
        return 2
    clock = Clock(kernel_clock())
    try:
        reporter = _reporter(node_file.description)
    except ConfigError as error:
        close_ports(uarts)
        print(error, file=sys.stderr)
        return 2
    keeper = _keeper(node_file.description)
    node = build(node_file.description, uarts, clock, reporter, keeper=keeper)
    with wakeable() as woken, LineWriter(sys.stderr) as say:
        console = _console(node, woken, args.attached, say)
        _punctual()
        node.run(console)
        last = json.loads(messages.telemetry(node, clock.now_ms(), clock.utc_ms()))
        node.close()
        last["report"] = getattr(reporter, "last", last["report"])
    if args.json:
        print(json.dumps(last), flush=True)
    return 0


def _reporter(description: dict):
    config = config_of(description)
    return LocalReporter() if config is None else SupervisedReporter(config)


def _keeper(description: dict):
    return ChildKeeper(description["kept"]["path"]) if "kept" in description else None


def _punctual():
    """Keep the garbage collector out of the tick: what exists now stays, cycles are rare here."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50000, 50, 1000)
    if not wake_on_time():
        print("no prctl: the kernel may wake the node 50 us late, which costs line time", file=sys.stderr)


def wake_on_time() -> bool:
    """Set the timer slack to 1 ns (Linux, PR_SET_TIMERSLACK of man 2 prctl); whether it was done."""
    if not sys.platform.startswith("linux"):
        return False
    return ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0) == 0


class _SignalConsole:
    """The console of a box: signals first, then commands from standard input."""

    def __init__(self, node, woken: int, stdin: int, console: Console):
        self._node = node
        self._woken = woken
        self._stdin = stdin
        self._console = console

    def pollables(self) -> list:
        return [self._woken] + (self._console.pollables() if foreground(self._stdin) else [])

    def step(self):
        try:
            numbers = os.read(self._woken, 16)
        except BlockingIOError:
            numbers = b""
        for number in numbers:
            self._node.stop(f"stopped by {signal.Signals(number).name}")
        self._console.step()


def _console(node, woken: int, attached: bool, say) -> _SignalConsole:
    stdin = sys.stdin.fileno() if sys.stdin is not None else os.open(os.devnull, os.O_RDONLY)
    console = Console(
        Commands(node),
        lambda: foreground(stdin) and bool(select.select([stdin], [], [], 0)[0]),
        lambda: os.read(stdin, 256),
        say,
        stdin,
        attached,
    )
    console.begin()
    return _SignalConsole(node, woken, stdin, console)
