"""What a running node keeps over a power cut: where its programmes stand, and which trips are latched.

It is collected after each tick, handed to a keeper when it has changed, and read once before the first tick.
"""

import binascii
import json

from edge.node import kept_file

# Where a programme stands within a segment is handed over so often, all else at once.
PERIOD_MS = 5000
# But no more often than this.
AT_MOST_MS = 1000
# Of a file that some other hand has written, no more entries are looked at, and no more of its words is told.
_ENTRIES_MAX = 1000
_TEXT_MAX = 200


class Kept:
    """``keeper``: load(), keep(data, now_ms), step(now_ms), ``fault`` and close() as of kept_file.FileKeeper."""

    def __init__(self, node, keeper):
        self._node = node
        self._keeper = keeper
        self._content = None  # what was handed over last
        self._times = 0  # how often
        self._at_ms = -PERIOD_MS
        self._told = ""
        self._too_large = ""
        self._news = []  # told after the next tick: at the start not all that listen are there
        self._marks = {programme.name: mark_of(programme) for programme in node.programmes}

    # At the start -------------------------------------------------------------------------------

    def restore(self):
        """Latch the trips and place the programmes as they were; what does not fit is said by an event."""
        content, wrong = self._keeper.load()
        for text in wrong:
            self._event(text)
        if content is None:
            if wrong:
                self._event("programmes stay idle and no trip is latched from before: look at the furnace")
            return
        node = self._node
        if content.get("node") != node.base_topic:
            text = "it is of another node than %s and not used: %s"
            self._event(text % (node.base_topic, content.get("node")))
            return
        for entry in self._listed(content.get("trips")):
            try:
                name, value, acknowledged, first = entry
                first = bool(first)
                node.guard.restore(name, _number(value), acknowledged is True, first, node.started_us // 1000)
            except (TypeError, ValueError) as error:
                self._event("a latched trip is not taken over: %s" % error)
        for entry in self._listed(content.get("programmes")):
            try:
                name, mark, position = entry
                self._restore_programme(name, mark, position)
            except (TypeError, ValueError) as error:
                self._event("a programme stays idle: %s" % error)

    def _restore_programme(self, name: str, mark: str, position: dict):
        for programme in self._node.programmes:
            if programme.name == name:
                if mark != self._marks[name]:
                    raise ValueError("%s has other segments now, or leads another loop" % name)
                programme.restore(position)
                self._news.append(("programme", name, programme.state, False))
                return
        raise ValueError("none is named %s" % name)

    def _listed(self, value) -> list:
        if not isinstance(value, list):
            self._event("%s is no list of trips or programmes" % value)
            return []
        if len(value) > _ENTRIES_MAX:
            self._event("%d entries are too many: only %d are looked at" % (len(value), _ENTRIES_MAX))
        return value[:_ENTRIES_MAX]

    # After each tick ----------------------------------------------------------------------------

    def step(self, now_ms: int):
        """Hand over what has changed. Each content goes twice, so that both generations come to have it."""
        keeper = self._keeper
        keeper.step(now_ms)
        self._tell_fault()
        while self._news:
            self._node.event(*self._news.pop(0))
        since_ms = now_ms - self._at_ms
        if since_ms < AT_MOST_MS:
            return
        content = self._collect()
        before = self._content
        if before is None or _shape(content) != _shape(before):
            due = True
        else:
            again = content != before or self._times < 2 or keeper.fault
            due = again and since_ms >= PERIOD_MS
        if due and self._hand_over(content, now_ms):
            self._times = self._times + 1 if content == before else 1
            self._content = content
            self._at_ms = now_ms

    def close(self):
        """Hand over the last state."""
        self._hand_over(self._collect(), self._node.clock.now_ms())
        self._keeper.close()

    def _hand_over(self, content: dict, now_ms: int) -> bool:
        try:
            data = kept_file.dump(content)
        except ValueError as error:
            self._too_large = str(error)
            return True
        self._too_large = ""
        return self._keeper.keep(data, now_ms)

    def _collect(self) -> dict:
        node = self._node
        guard = node.guard
        first = node.first_out
        trips = []
        for trip in guard.trips:
            if trip.tripped:
                trips.append([trip.name, _number(trip.value), trip.acknowledged, trip.name == first])
        programmes = []
        for programme in node.programmes:
            if programme.running:
                programmes.append([programme.name, self._marks[programme.name], programme.position()])
        return {"node": node.base_topic, "trips": trips, "programmes": programmes}

    def _tell_fault(self):
        fault = self._too_large or self._keeper.fault
        if fault != self._told:
            self._told = fault
            text = "not kept over a power cut: " + fault if fault else "kept again"
            self._event(text)

    def _event(self, text: str):
        self._news.append(("kept", "state", text[:_TEXT_MAX], True))


def mark_of(programme) -> str:
    """What tells whether a programme of the same name is still the same: its loop and its segments."""
    segments = []
    for segment in programme.segments:
        segments.append([[key, segment[key]] for key in sorted(segment)])
    text = json.dumps([programme.loop.name, segments])
    return "%08x" % (binascii.crc32(text.encode()) & 0xFFFFFFFF)


def _shape(content: dict) -> tuple:
    """All but how far a programme has come in its segment."""
    programmes = []
    for name, mark, position in content["programmes"]:
        programmes.append([name, mark, position["segment"], position["held"], position["repeated"]])
    return content["trips"], programmes


def _number(value) -> float:
    """A finite number; 0 for anything else."""
    return value if type(value) in (int, float) and -1e30 < value < 1e30 else 0.0
