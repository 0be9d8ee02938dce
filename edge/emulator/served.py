"""The lines of a bench in real time, each with its end: a port, a pseudo-terminal, or TCP."""

from edge.box.descriptor import PortError
from edge.emulator.ends import open_end
from edge.emulator.line import Line

# What is for a bench of one line: names of options.
OF_ONE_LINE = ("port", "tcp", "rtu_over_tcp", "script", "chaos", "record", "timeline")


class Served:
    """Opens an end for each line; ``options`` as of edge.emulator.serve.serve(), ``taps`` as of Line.

    Of several lines each has a pseudo-terminal; its link is ``link``-NAME. Raises PortError.
    """

    def __init__(self, bench, options, taps=()):
        self._lines = []
        several = len(bench.lines) > 1
        if several:
            _check(bench, options)
        try:
            for bus in bench.lines:
                link = f"{options.link}-{bus.name}" if several and options.link else options.link
                end = open_end(options, bus.baud, link)
                line = Line(bus, end, end.paced, taps)
                self._lines.append((bus, line, end))
                if hasattr(end, "join"):
                    end.join(line)
        except PortError:
            self.close()
            raise

    def paths(self) -> dict:
        """What a master opens: "port" of the first line; of several also "ports" by their names."""
        found = {"port": self._lines[0][2].path}
        if len(self._lines) > 1:
            found["ports"] = {bus.name: end.path for bus, _, end in self._lines}
        return found

    def step(self, now_us: int) -> int:
        """Move what there is to move; the next deadline in us."""
        next_us = now_us + 1000000
        for _, line, end in self._lines:
            next_us = min(next_us, line.step(now_us), end.step(now_us))
        return next_us

    def plug(self, now_us: int):
        """Pull ports out, or put them back, as the faults have it."""
        for bus, line, end in self._lines:
            unplugged = bus.faults.armed and bus.faults.unplugged(now_us)
            if unplugged and not end.unplugged:
                line.cut()
                end.unplug()
            elif end.unplugged and not unplugged:
                end.plug()

    def pollables(self) -> list:
        """What a wait can end for."""
        return [pollable for _, _, end in self._lines for pollable in end.pollables()]

    def state(self) -> dict:
        """That of the end, by name where there are several."""
        if len(self._lines) == 1:
            return self._lines[0][2].state()
        return {bus.name: end.state() for bus, _, end in self._lines}

    def counts(self) -> dict:
        """What the lines have counted together; ``behind_us`` of the one that was most behind."""
        lines = [line for _, line, _ in self._lines]
        found = {
            name: sum(getattr(line, name) for line in lines)
            for name in ("violations", "collisions", "written", "missed")
        }
        return {**found, "behind_us": max(line.behind_us for line in lines)}

    def close(self):
        """Let go of all ends."""
        for _, _, end in self._lines:
            end.close()


def _check(bench, options):
    names = ", ".join(line.name for line in bench.lines)
    for name in OF_ONE_LINE:
        if getattr(options, name, None) not in (None, False):
            option = "--" + name.replace("_", "-")
            raise PortError(f"{option} is for a plant with one line, and this one has {names}: leave it out")
