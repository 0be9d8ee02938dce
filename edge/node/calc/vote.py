"""One value from several measurements of the same quantity, however some of them fail."""

from cext.voting import TwoOutOfThree
from edge.node.calc.calc import Calc
from edge.node.signals import BAD

_INFINITE = float("inf")


class Vote(Calc):
    """The median, lowest or highest of the usable points.

    ``with_two``: what counts where a median has an even number of points, "lower" or "higher" of the middle
    two: the one on the side of the danger. ``least``: with fewer usable points the result is bad. ``apart``:
    a point that is further than this from the vote for ``apart_after_s`` is left out until it has been
    nearer for as long, and ``why`` names it. Points can only be left out where at least two others are
    left to judge them.
    """

    def __init__(self, name: str, spec: dict):
        Calc.__init__(self, name, spec)
        self._take = spec["take"]
        self._higher = spec["with_two"] == "higher"
        self._least = spec["least"]
        self._apart = spec.get("apart", _INFINITE)
        self._apart_after_ms = int(spec["apart_after_s"] * 1000.0 + 0.5)
        self._three = TwoOutOfThree(self._higher, _INFINITE) if len(spec["of"]) == 3 else None
        self._since_ms = [-1] * len(spec["of"])
        self._disagree_ms = -1
        self.left_out = [False] * len(spec["of"])

    def update(self, dt_s: float, now_ms: int):
        """Vote, with the points that are neither bad nor left out."""
        sources = self.sources
        if self._apart < _INFINITE:
            self._look_apart(now_ms)
        missing = ""
        values = []
        for i in range(len(sources)):
            if sources[i].quality == BAD:
                missing += ", " + sources[i].name
            elif self.left_out[i]:
                missing += ", %s: apart" % sources[i].name
                centre = self._centre(i)
                if centre is not None:
                    missing += " by %.3g" % (sources[i].value - centre)
            else:
                values.append(sources[i].value)
        if len(values) < self._least:
            self.bad("without " + missing[2:])
            return
        doubt = "without " + missing[2:] if missing else ""
        if len(values) == 2 and self._disagree(values, now_ms):
            doubt = "two points %.3g apart" % abs(values[0] - values[1])
        self.settle(self._vote(values), doubt)

    def _vote(self, values: list) -> float:
        if self._take == "lowest":
            return min(values)
        if self._take == "highest":
            return max(values)
        if self._three is not None and len(values) == 3:
            return self._three.vote(values[0], True, values[1], True, values[2], True)
        return middle(values, self._higher)

    def _disagree(self, values: list, now_ms: int) -> bool:
        """Two are too far apart, and which of them is right can't be told."""
        if abs(values[0] - values[1]) <= self._apart:
            self._disagree_ms = -1
            return False
        if self._disagree_ms < 0:
            self._disagree_ms = now_ms
        return now_ms - self._disagree_ms >= self._apart_after_ms

    def _look_apart(self, now_ms: int):
        """Leave points out, or let them in again, that have been on the other side for long enough."""
        for i in range(len(self.sources)):
            centre = self._centre(i)
            if self.sources[i].quality == BAD or centre is None:
                # It can't be judged now; what was left out stays out.
                self._since_ms[i] = -1
                continue
            apart = not abs(self.sources[i].value - centre) <= self._apart
            if apart == self.left_out[i]:
                self._since_ms[i] = -1
            elif self._since_ms[i] < 0:
                self._since_ms[i] = now_ms
            if self._since_ms[i] >= 0 and now_ms - self._since_ms[i] >= self._apart_after_ms:
                self.left_out[i] = apart
                self._since_ms[i] = -1

    def _centre(self, judged: int):
        """What a point is judged by: the middle of the others that count; None with fewer than two."""
        others = []
        for i in range(len(self.sources)):
            if i != judged and not self.left_out[i] and self.sources[i].quality != BAD:
                others.append(self.sources[i].value)
        if len(others) < 2:
            return None
        # Of two others the nearer one: a point is apart only where it agrees with neither.
        value = self.sources[judged].value
        if len(others) == 2:
            nearer = abs(others[0] - value) <= abs(others[1] - value)
            return others[0] if nearer else others[1]
        return middle(others, self._higher)


def middle(values: list, higher: bool) -> float:
    """The median of a non-empty list; of an even number the higher or lower of the middle two."""
    ordered = sorted(values)
    at = len(ordered) // 2
    return ordered[at] if len(ordered) & 1 or higher else ordered[at - 1]
