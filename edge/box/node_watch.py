"""Whether the node is still there, as its reporter sees it.

A node that runs says something every second (``edge.node.report.link``). One that hangs keeps its end of the
socket pair open, so nothing but its silence tells.
"""

SILENT_MS = 10000
GAP_MAX_MS = 2000  # of one turn: while this process itself stood still, the node could not be heard


class NodeWatch:
    """``silent`` when nothing has been heard for more than SILENT_MS; ``silent_ms``: for how long."""

    def __init__(self, now_ms: int):
        self.silent = False
        self.silent_ms = 0
        self._at_ms = now_ms

    def look(self, now_ms: int, heard: bool) -> str:
        """Call this in each turn; ``heard``: whether anything came in it. What is to be told, or ""."""
        before_ms = self.silent_ms
        self.silent_ms = 0 if heard else before_ms + min(now_ms - self._at_ms, GAP_MAX_MS)
        self._at_ms = now_ms
        was, self.silent = self.silent, self.silent_ms > SILENT_MS
        if self.silent == was:
            return ""
        if was:
            return f"speaks again after {before_ms // 1000} s"
        return (f"nothing heard for {SILENT_MS // 1000} s: its process hangs or is stopped; "
                "outputs rely on their leases")
