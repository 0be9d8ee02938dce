"""Replies that come after their time-out: which they were, and what may not be asked until they can't come.

A late Modbus reply names its unit, so it is enough to leave that unit alone for ``late_ms``. Some DCON
replies name nobody: after such a command has timed out none is sent whose reply could be taken for it.
"""

# What nobody asked for is kept so long, to find late replies in it.
KEPT = 300


class LateReplies:
    """Those of one line; ``late_us`` after a time-out none comes any more."""

    def __init__(self, late_us: int):
        self.late_us = late_us
        # When a reply that names nobody may come no more; -1: none is awaited.
        self.doubt_until_us = -1
        self._doubt = None
        # Heard in nobody's transaction since the last request; a request that goes out empties it.
        self.strays = b""

    def timed_out(self, station, request: bytes, now_us: int):
        """``request`` to ``station`` has had no reply."""
        station.late_request = request
        if not station.master.names_sender(request):
            self._doubt = (station.master, request)
            self.doubt_until_us = now_us + self.late_us

    def confusing(self, station, request: bytes, now_us: int) -> bool:
        """Whether a late reply that may still come could pass for the reply to this request."""
        if now_us >= self.doubt_until_us:
            self.doubt_until_us = -1
            return False
        master, late = self._doubt
        if station.master.NAME != master.NAME:
            return False
        if station.in_a_row:
            # It would be asked this first.
            request = station.master.probe(station.unit)
        return master.confusable(late, request)

    def idle(self, stations: list, received: bytes):
        """Bytes in nobody's transaction, as they come."""
        self.strays = (self.strays + received)[-KEPT:]
        if self.find(stations, self.strays):
            self.strays = b""

    def find(self, stations: list, heard: bytes) -> bool:
        """Count the late replies in what was heard, each to its unit; whether there is any."""
        found = False
        for station in stations:
            if station.late_request and station.master.late_reply(heard, station.late_request):
                station.late += 1
                station.late_request = b""
                found = True
        return found
