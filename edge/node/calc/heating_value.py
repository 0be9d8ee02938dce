"""What the fuel is worth, learned from heat and feed."""

from cext import heat
from edge.node.calc.calc import Calc
from edge.node.signals import GOOD


class HeatingValue(Calc):
    """Lower heating value of what burns, learned slowly from heat and feed (cext.heat.HeatingValue).

    Uncertain until 60 % of the estimate is measured; bad inputs hold it.
    """

    def __init__(self, name: str, spec: dict):
        Calc.__init__(self, name, spec)
        self._sensor = heat.HeatingValue(
            spec["start"], spec["low"], spec["high"], spec["time_s"], spec["residence_s"], spec["feed_least"]
        )

    def update(self, dt_s: float, now_ms: int):
        """Learn from this tick; it never turns bad, for the last estimate is the best there is."""
        sensor = self._sensor
        released, feed = self.sources
        good = released.quality == GOOD and feed.quality == GOOD
        value = sensor.step(released.value, feed.value, good, dt_s)
        if not good:
            self.settle(value, "held: " + (released.why or feed.why))
        else:
            self.settle(value, "" if sensor.trust >= 0.6 else "still learning")
