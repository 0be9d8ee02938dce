"""Where a view of a node appears: a live table, or lines where no terminal moves its cursor."""

import time

from rich.console import Console
from rich.live import Live

from edge.monitor.table import view

LINE_S = 10


class Screen:
    """``with Screen(title) as show: show(listener.latest(), extra)``, several times a second.

    On a terminal the table has the whole window, follows its size, and leaves what was there before. On a
    dumb terminal, in a file or in a pipe it is a line every ten seconds.
    """

    def __init__(self, title: str):
        self._title = title
        self._console = Console()
        moves = self._console.is_terminal and not self._console.is_dumb_terminal
        self._live = Live(console=self._console, auto_refresh=False, screen=True) if moves else None
        self._next = 0.0

    def __enter__(self):
        if self._live is not None:
            self._live.__enter__()
        return self

    def __exit__(self, *reason):
        if self._live is not None:
            self._live.__exit__(*reason)

    def __call__(self, latest: dict, extra: str = ""):
        if self._live is not None:
            height = self._console.size.height
            self._live.update(view(latest, self._title, extra, height), refresh=True)
        elif latest["telemetry"] is not None and time.monotonic() >= self._next:
            self._next = time.monotonic() + LINE_S
            print(line(latest), flush=True)


def line(latest: dict) -> str:
    """A node's state in one line: the values of its loops, and what is wrong."""
    telemetry = latest["telemetry"]
    at = time.strftime("%H:%M:%SZ", time.gmtime())
    signals = telemetry["signals"]
    values = [f"{pv} {signals[pv][0]}" for _, pv, _, _ in telemetry["loops"].values() if pv in signals]
    alarms = ", ".join(str(alarm) for alarm in telemetry["alarms"]) or "none"
    link = "" if latest["connected"] else "; broker away"
    return f"{at}  node {latest['state']}; {', '.join(values)}; alarms: {alarms}{link}"
