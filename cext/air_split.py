"""Distribution of air: over primary and secondary, over the zones of a grate, over the burners of a furnace.

Each part follows the total by its share, within its own limits; what a part at its limit cannot take goes to
the others by their shares. So the sum stays the total for as long as there is room.
"""

_NAN = float("nan")


def secondary_air(total_nm3_s, primary_nm3_s, low, high):
    """Return the secondary air in Nm3/s: what `primary_nm3_s` leaves of `total_nm3_s`, within `low`..`high`.

    For a grate, where primary air belongs to the heat release and only secondary air to the O2. NaN where an
    argument is NaN; if the limits cross, `low` counts.
    """
    rest = total_nm3_s - primary_nm3_s
    if rest - rest != 0.0 or low - low != 0.0 or high - high != 0.0:
        return _NAN
    if rest > high:
        rest = high
    if rest < low:
        rest = low
    return rest


class AirSplit:
    """A total of air over parts, by shares and within limits.

    AirSplit(shares, lows, highs): sequences of the same length; `shares` >= 0 with a positive sum, in any
    unit; 0 <= low <= high in Nm3/s for each part. The primary zones of a grate keep a low limit, which cools
    the bars. ValueError otherwise.

    flows       list with the flow of each part in Nm3/s, zeros at first
    unplaced    what found no place, in Nm3/s: above 0 all highs are reached, below 0 the lows take more than
                there is; 0 otherwise
    """

    def __init__(self, shares, lows, highs):
        self.lows = [float(low) for low in lows]
        self.highs = [float(high) for high in highs]
        self.flows = [0.0 for low in lows]
        self.unplaced = 0.0
        self._settled = [False for low in lows]
        if len(self.highs) != len(self.lows):
            raise ValueError("AirSplit: expected as many highs as lows")
        for i in range(len(self.lows)):
            if not 0.0 <= self.lows[i] <= self.highs[i] < 1.0e9:
                raise ValueError("AirSplit: expected 0 <= low <= high, finite, for each part")
        self.share(shares)

    def share(self, shares):
        """Change the shares; ValueError, and nothing changed, for what __init__ does not take either."""
        wanted = [float(share) for share in shares]
        total = 0.0
        for share in wanted:
            if not 0.0 <= share < 1.0e9:
                raise ValueError("AirSplit: expected finite shares of 0 or more")
            total += share
        if len(wanted) != len(self.lows) or not total > 1.0e-9:
            raise ValueError("AirSplit: expected one share for each part, and one above 0")
        self.shares = wanted

    def step(self, total_nm3_s):
        """Split `total_nm3_s` into `flows` and return it as distributed: the sum of `flows`.

        A total that is not finite, or 1e9 and more, leaves the flows as they are and returns NaN.
        """
        if not -1.0e9 < total_nm3_s < 1.0e9:
            return _NAN
        count = len(self.flows)
        for i in range(count):
            self._settled[i] = False
        # Each pass gives every free part its share of what is left, then settles the parts that went over
        # the limit on the side that went over by more: their excess can only grow in the passes to come.
        for _ in range(count):
            if self._spread(total_nm3_s, count):
                break
        placed = 0.0
        for i in range(count):
            placed += self.flows[i]
        self.unplaced = self._left(total_nm3_s, placed, count)
        return placed

    def _spread(self, total, count):
        """Do one pass; return whether no limit was crossed."""
        left = total
        shares = 0.0
        for i in range(count):
            if self._settled[i]:
                left -= self.flows[i]
            else:
                shares += self.shares[i]
        above = 0.0
        below = 0.0
        for i in range(count):
            if not self._settled[i]:
                flow = 0.0
                if shares > 0.0:
                    flow = left * self.shares[i] / shares
                if flow > self.highs[i]:
                    above += flow - self.highs[i]
                if flow < self.lows[i]:
                    below += self.lows[i] - flow
                self.flows[i] = flow
        for i in range(count):
            if not self._settled[i]:
                if self.flows[i] > self.highs[i]:
                    self.flows[i] = self.highs[i]
                    self._settled[i] = above >= below
                elif self.flows[i] < self.lows[i]:
                    self.flows[i] = self.lows[i]
                    self._settled[i] = below >= above
        return above == 0.0 and below == 0.0

    def _left(self, total, placed, count):
        """Return what could not be placed; 0 where some part still had room, and the rest is rounding."""
        for i in range(count):
            if placed < total and self.flows[i] < self.highs[i] and self.shares[i] > 0.0:
                return 0.0
            if placed > total and self.flows[i] > self.lows[i]:
                return 0.0
        return total - placed
