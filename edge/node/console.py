"""The console of a node: its events as they happen, what it does now, and commands by line.

Times are UTC. It runs on MicroPython as well, so it has what a terminal of 24 lines needs, and no more.
"""

import time

from edge.node.report import messages
from edge.node.signals import BAD, QUALITIES

HELP = """\
status                        trips, alarms, loops, outputs, buses
set LOOP VALUE                set-point of a loop
value NAME VALUE              a value of level2
mode LOOP auto|manual         who moves its output: the controller, or you
output LOOP VALUE             output of a loop in manual
mode, output output.NAME ..   the same of one output
programme NAME start|stop|go_on
autotune NAME start|stop|accept
ack alarm.NAME|trip.NAME|all  you have seen it; it releases nothing
reset [TRIP]                  release all trips or one, once the cause is gone
remote on|off                 commands from afar are taken, or not
stop                          outputs to their safe values, then the end
help                          this list
Times are UTC. ! marks an alarm."""


class Console:
    """Lines from a stream of bytes into commands; events and answers out.

    ``commands`` of edge.node.commands. ``ready()`` says whether ``read()`` has something to give: the bytes
    that are there, b"" at the end of the stream. ``write(text)`` takes events and answers and must not wait
    for the terminal. ``pollable`` is what select can wait on. ``attached``: the end of the stream stops the
    node, so that it never outlives the process that started it.
    """

    MAX_LINE = 200

    def __init__(self, commands, ready, read, write, pollable, attached: bool):
        self._commands = commands
        self._node = commands.node
        self._ready = ready
        self._read = read
        self._write = write
        self._pollable = pollable
        self._attached = attached
        self._line = b""
        self._open = True

    def begin(self):
        """Say what starts here, and from now on every event of the node."""
        node = self._node
        lines = ["%s on %s" % (bus.name, getattr(bus.port.uart, "path", "its port")) for bus in node.buses]
        self._say(
            " ",
            "%s starts: %d devices, bus %s; %d loops. Type status or help."
            % (_name(node), len(node.devices), ", ".join(lines), len(node.loops)),
        )
        node.listener = self.event

    def event(self, kind: str, name: str, text: str, alarm: bool):
        """One line for something that happened."""
        self._say("!" if alarm else " ", "%s %s: %s" % (kind, name, text))

    def pollables(self) -> list:
        return [self._pollable] if self._open else []

    def step(self):
        """Take what has been typed, if anything has."""
        if not self._open or not self._ready():
            return
        data = self._read()
        if not data:
            self._open = False
            if self._attached:
                self._node.stop("the process that started the node is gone")
            return
        self._line += data
        while b"\n" in self._line:
            line, self._line = self._line.split(b"\n", 1)
            try:
                answer = self._answer(line.decode())
            except UnicodeError:
                answer = "not understood: a command is plain text"
            if answer:
                self._write(answer)
        if len(self._line) > self.MAX_LINE:
            self._line = b""
            self._write("not understood: a line is at most %d characters" % self.MAX_LINE)

    def _answer(self, text: str) -> str:
        words = text.split()
        if words == ["help"]:
            return HELP
        if words == ["status"]:
            return "\n".join([_printable(line) for line in status(self._node)])
        return _printable(self._commands.execute(text))

    def _say(self, mark: str, text: str):
        self._write("%s %s %s" % (_utc(self._node.clock.utc_ms()), mark, _printable(text)))


def status(node) -> list:
    """What a node does now, as lines of text: what is wrong first."""
    guard = node.guard
    now_ms = node.clock.now_ms()
    up_ms = now_ms - node.started_us // 1000
    lines = ["%s  boot %08x  up %s  %s" % (_name(node), node.boot, _duration(up_ms // 1000), node.mode)]
    trips = []
    for trip in guard.trips:
        if trip.tripped:
            first = guard.first_out is not None and guard.first_out[0] == trip.name
            text = "%s at %.1f, %s ago%s" % (
                trip.name,
                trip.value,
                _duration((now_ms - trip.at_ms) // 1000),
                ", the first" if first else "",
            )
            trips.append(text + _seen(trip) + "; type reset " + trip.name)
    _section(lines, "trips", trips or ["none"])
    alarms = [alarm.name + _seen(alarm) for alarm in guard.alarms if alarm.active]
    _section(lines, "alarms", alarms or ["none"])
    _section(lines, "bad", [one.name + ": " + one.why for one in node.sources if one.quality == BAD])
    loops = []
    for loop in node.loops:
        aim = ""
        if loop.set_point is not None:
            aim = "-" if loop.set_point.value is None else "%.2f" % loop.set_point.value
        loops.append("%-16s %-9s %8s %s -> %s" % (loop.name, loop.mode, aim, _reading(loop.sources[0]), loop.to))
    _section(lines, "loops", loops)
    outputs = []
    for output in guard.outputs:
        value = "-" if output.value is None else "%.1f" % output.value
        why = ": " + output.why if output.why else ""
        outputs.append("%-16s %6s %s  %s%s" % (output.name, value, output.unit, output.state, why))
    _section(lines, "outputs", outputs)
    programmes = []
    for programme in node.programmes:
        why = ": " + programme.why if programme.why else ""
        programmes.append("%-16s %s%s" % (programme.name, programme.state, why))
    _section(lines, "programmes", programmes)
    buses = []
    for bus in node.buses:
        line = messages.line(bus, up_ms)
        gone = "" if bus.port.open else ", PORT GONE: " + bus.port.fault
        buses.append(
            "%-16s %d requests, %d errors, %d late, %.1f %% busy%s"
            % (bus.name, line["requests"], line["errors"], line["late"], line["busy_pct"], gone)
        )
        for name in sorted(line["faulty"]):
            buses.append("%-16s %s" % ("  " + name, line["faulty"][name]))
    _section(lines, "buses", buses)
    report = node.reporter.stats
    if "connected" in report:
        text = "connected" if report["connected"] else "NOT CONNECTED: " + str(report.get("last_error") or "")
        _section(lines, "report", ["%-16s %d waiting" % (text, report.get("queued", 0))])
    return lines


def _section(lines: list, title: str, rows: list):
    """Rows of one kind; the title stands before the first."""
    for row in rows:
        lines.append("%-10s %s" % (title, row))
        title = ""


def _seen(condition) -> str:
    return "" if condition.acknowledged else ", not acknowledged"


def _reading(source) -> str:
    if source.quality == BAD:
        return "%s bad" % source.name
    quality = "" if not source.quality else " (%s)" % QUALITIES[source.quality]
    return "%s %.2f %s%s" % (source.name, source.value, source.unit, quality)


def _name(node) -> str:
    """SITE/NAME."""
    return node.base_topic.split("/", 1)[1]


def _duration(seconds: int) -> str:
    return "%d:%02d:%02d" % (seconds // 3600, seconds // 60 % 60, seconds % 60)


def _utc(utc_ms: int) -> str:
    return "%04d-%02d-%02d %02d:%02d:%02dZ" % tuple(time.gmtime(utc_ms // 1000)[:6])


def _printable(text: str) -> str:
    """One line that can't move, colour or clear a terminal: names in it may come from afar."""
    return "".join([c if c >= " " and not "\x7f" <= c <= "\x9f" else "?" for c in text])
