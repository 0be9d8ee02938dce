"""``furnace-edge demo``: broker, emulated plant, node and reporter, each in its own process.

Emulator and node are joined by a pseudo-terminal on which real Modbus RTU bytes travel at the pace of
the line. What the table shows has gone through the broker.
"""

import argparse
import json
import re
import signal
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

from edge.box import micropython
from edge.box.child import Child, ChildError
from edge.box.config import NodeFileError, describe, find

EXAMPLE = "example: furnace-edge demo --for 60s --json"
# The tables of a node file that switch them on. A host that joins late, before the births that it asks for,
# can't read data without datatypes.
LANGUAGES = {
    "sparkplug": "\n[report.sparkplug]\ndatatype_in_data = true\n",
    "home_assistant": "\n[report.home_assistant]\n",
}
LEASE_MARGIN_S = 2.0
# Where the emulated drives and modules count as having reached their safe value, in percent.
SAFE_WITHIN = 1.0


def add_arguments(parser):
    parser.epilog = EXAMPLE
    parser.add_argument(
        "plant", nargs="?", default="bishkek", help="plant and packaged node file (default bishkek)"
    )
    parser.add_argument("--for", dest="duration", type=seconds, metavar="TIME", help="end after 60s, 10m, 2h")
    parser.add_argument("--runtime", choices=("cpython", "micropython"), default="cpython")
    parser.add_argument("--broker-port", type=int, default=18830, metavar="PORT", help="0 takes a free one")
    parser.add_argument(
        "--speak",
        action="append",
        choices=tuple(LANGUAGES),
        default=[],
        help="report in this language as well, beside plain JSON; may be given twice",
    )
    parser.add_argument("--node", metavar="FILE", help="another node file for this plant")
    parser.add_argument("--seed", type=int, default=1, help="seed of the emulated plant")
    parser.add_argument("--json", action="store_true", help="no table, a summary as JSON at the end")


def seconds(text: str) -> float:
    """A duration as 90, 90s, 10m or 2h."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(s|m|h)?", text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text}: expected a time as 60s, 10m or 2h")
    return float(match[1]) * {"s": 1, "m": 60, "h": 3600, None: 1}[match[2]]


class Demo:
    """The three children and what was seen of them. ``start``, then ``tend`` often, then ``finish``."""

    def __init__(self, plant: str, runtime: str, broker_port: int, seed: int, speak=(), node=None):
        self.plant = plant
        self.runtime = runtime
        self.seed = seed
        self._source = find(node or plant)
        self.description, _ = describe(self._source)
        self.broker_port = broker_port
        self.broker = self.emulator = self.node = None
        # A demo starts with an empty outbox, and leaves none behind.
        self.state = tempfile.TemporaryDirectory(prefix="furnace-edge-demo-", ignore_cleanup_errors=True)
        self.node_file = self._node_file(dict.fromkeys(speak))
        self.serial_port = ""
        self.listener = None
        self.started = time.monotonic()

    def _node_file(self, speak) -> str:
        """The node file, or a copy that speaks further languages."""
        more = [name for name in speak if name not in self.description["report"]]
        if not more:
            return str(self._source)
        path = Path(self.state.name, Path(self._source).name)
        tables = "".join(LANGUAGES[name] for name in more)
        path.write_text(Path(self._source).read_text(encoding="utf-8") + tables, encoding="utf-8")
        return str(path)

    def start(self):
        """Bring everything up; ChildError when something does not come."""
        if self.runtime == "micropython":
            try:
                micropython.executable()
            except FileNotFoundError as error:
                raise ChildError(str(error)) from None
        self.broker = Child("broker", "edge.box.broker", "--port", str(self.broker_port), "--lifeline")
        self.broker_port = int(self.broker.line(20).split()[1])
        self.emulator = Child(
            "emulator", "edge.emulator.serve", self.plant, "--seed", str(self.seed), "--attached"
        )
        ports = json.loads(self.emulator.line(20))
        self.serial_port = ports["port"]
        wired = [f"{name}={path}" for name, path in ports.get("ports", {}).items()] or [self.serial_port]
        self._listen()
        arguments = [
            "run",
            self.node_file,
            *(word for path in wired for word in ("--port", path)),
            "--broker",
            f"127.0.0.1:{self.broker_port}",
            "--state",
            self.state.name,
        ]
        self.node = Child(
            "node", "edge.box.cli", *arguments, "--attached", "--json", "--runtime", self.runtime
        )

    def _listen(self):
        from edge.monitor.listen import Listener
        from edge.node.report.messages import base_topic

        settings = self.description["node"]
        self.listener = Listener(
            "127.0.0.1", self.broker_port, base_topic(settings["site"], settings["name"])
        )
        self.listener.start()

    def dead(self) -> str:
        """Which child has died, "" while all live."""
        for child in (self.broker, self.emulator, self.node):
            if not child.alive():
                return f"the {child.name} ended with code {child.code()}. {child.complaints()}".strip()
        return ""

    def finish(self, died: str = "", hurry=lambda: False) -> dict:
        """Stop in order: node first, so that its safe values still travel. The summary.

        The drives are watched as they ramp down, until ``hurry()``.
        """
        seconds_run = time.monotonic() - self.started
        last = {}
        if self.node is not None and self.node.alive():
            self.node.say("stop")
            try:
                last = json.loads(self.node.line(15))
            except (ChildError, ValueError) as error:
                died = died or str(error)
        elif self.node is not None and self.emulator.alive():
            # It can't ask any more: the leases of the devices must do it.
            time.sleep(self._longest_lease_s() + LEASE_MARGIN_S)
        outputs = self._outputs(hurry)
        latest = self.listener.latest() if self.listener else {"count": 0, "spans": {}, "telemetry": None}
        self._end()
        return self._summary(died, seconds_run, last, latest, outputs)

    def _longest_lease_s(self) -> float:
        return max(device.get("lease_ms", 0) for device in self.description["device"].values()) / 1000.0

    def _outputs(self, hurry) -> dict:
        if self.emulator is None or not self.emulator.alive():
            return {}
        if self.node is None:
            return {}
        # The drives ramp down at their own pace: ask until they stand where they should, but not for ever.
        end = time.monotonic() + 30
        while True:
            self.emulator.say("state")
            try:
                state = json.loads(self.emulator.line(5))
            except (ChildError, ValueError):
                return {}
            outputs = state["outputs"]
            if self._safe(outputs) or time.monotonic() > end or hurry():
                return outputs
            time.sleep(0.5)

    def _safe(self, outputs: dict) -> bool:
        # By the names of the plant's inputs; a release, say, moves nothing there.
        seen = [name for name in self.description["output"] if name in outputs]
        for name in seen:
            safe = self.description["output"][name]["safe"]
            if safe != "hold" and abs(outputs[name] - safe) > SAFE_WITHIN:
                return False
        return bool(seen)

    def _end(self):
        if self.listener is not None:
            self.listener.close()
        for child in (self.node, self.emulator, self.broker):
            if child is not None:
                child.end()
        self.state.cleanup()

    def _summary(self, died: str, seconds_run: float, last: dict, latest: dict, outputs: dict) -> dict:
        telemetry = last or latest["telemetry"] or {}
        report = telemetry.get("report", {})
        safe = self._safe(outputs)
        problems = [died] if died else []
        if not safe:
            problems.append("outputs were not seen at their safe values at the end")
        if not report.get("acked"):
            problems.append("no telemetry was acknowledged by the broker")
        return {
            "ok": not problems,
            "problems": problems,
            "plant": self.plant,
            "runtime": self.runtime,
            "seconds": round(seconds_run, 1),
            "process_values": {
                name: dict(zip(("min", "max", "last"), span, strict=True)) for name, span in latest["spans"].items()
            },
            "signals": telemetry.get("signals", {}),
            "received": latest["count"],
            "report": report,
            "tick": telemetry.get("tick", {}),
            "bus": telemetry.get("bus", {}),
            "alarms": telemetry.get("alarms", []),
            "outputs_at_end": outputs,
            "outputs_safe": safe,
        }


def run(args) -> int:
    """Run until the time is over, Ctrl-C, SIGTERM or the death of a child; 0 when all went well.

    A second signal ends the wait for the safe values.
    """
    asked = []
    before = {
        number: signal.signal(number, lambda number, frame: asked.append(signal.Signals(number).name))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        return _run(args, asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _run(args, asked: list) -> int:
    try:
        demo = Demo(args.plant, args.runtime, args.broker_port, args.seed, args.speak, args.node)
    except NodeFileError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        demo.start()
    except ChildError as error:
        demo.finish(str(error))
        print(error, file=sys.stderr)
        return 2
    died = _tend(demo, args, asked)
    if asked and not args.json:
        print("stopping: the drives ramp down to their safe values; Ctrl-C again ends at once", flush=True)
    once = len(asked)
    summary = demo.finish(died, lambda: len(asked) > once)
    if args.json:
        print(json.dumps(summary, indent=1))
    else:
        where = "at their safe values" if summary["outputs_safe"] else "NOT seen at their safe values"
        spans = [f"{name} {span['min']}..{span['max']}" for name, span in summary["process_values"].items()]
        print(f"ran {summary['seconds']} s; {', '.join(spans)}")
        print(f"{summary['report'].get('acked', 0)} messages acknowledged; outputs {where}")
    for problem in summary["problems"]:
        print(problem, file=sys.stderr)
    return 0 if summary["ok"] else 1


def _tend(demo: Demo, args, asked: list) -> str:
    """Watch until there is a reason to end; which child died, or ""."""
    end = float("inf") if args.duration is None else demo.started + args.duration
    with nullcontext() if args.json else _screen(demo) as show:
        while not asked and time.monotonic() < end:
            died = demo.dead()
            if died:
                return died
            if show is not None:
                extra = f"{time.monotonic() - demo.started:.0f} s on {demo.serial_port}, Ctrl-C ends"
                show(demo.listener.latest(), extra)
            time.sleep(0.25)
    return ""


def _screen(demo: Demo):
    from edge.monitor.screen import Screen

    return Screen(f"{demo.plant} ({demo.runtime})")
