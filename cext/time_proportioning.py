"""Time-proportioning output: a percentage made by switching on and off, as for heaters and contactors."""

_OK = 0
_NON_FINITE = 1
_BAD_DT = 2


class TimeProportioning:
    """Switches on for the demanded share of each cycle.

    Once per tick step(demand_pct, dt_s) says whether to be on until the next tick. A cycle begins with the on
    time and ends with the off time. On-time still owed, or given too much, because of ticks, minimum times or
    a demand that moved, goes over to the next cycle: over N cycles the mean is within 1/N of the demand, and
    no error adds up.

    `period_s` length of a cycle in s: for contactors 10..60, with a burst-fired thyristor some periods of
    the mains; at least ten ticks. `min_on_s`, `min_off_s` least time in s in one state, 0 for none;
    together at most the period. Where the demand asks for less than one of them, whole cycles are left out
    until there is enough. ValueError for others.

    At the edges: 0 % and less does not switch on, 100 % and more not off, and what is owed lapses; a state
    that has not had its minimum time is kept first. A demand that is not finite counts as 0 %, `flag` 1: a
    switch must not stay on because a number is missing. A `dt_s` that is not positive and finite changes
    nothing, `flag` 2. Off at first.

    Attributes, for reading: out 0 or 1; `owed_s` the on-time owed in s, negative if too much was given; flag.
    """

    def __init__(self, period_s, min_on_s, min_off_s):
        if not (period_s > 0.0 and period_s - period_s == 0.0):
            raise ValueError("TimeProportioning: expected period_s > 0 in s")
        if not (min_on_s >= 0.0 and min_off_s >= 0.0 and min_on_s + min_off_s <= period_s):
            raise ValueError("TimeProportioning: expected min_on_s + min_off_s <= period_s, none < 0")
        self._period_s = period_s
        self._min_on_s = min_on_s
        self._min_off_s = min_off_s
        self.out = 0
        self.owed_s = 0.0
        self.flag = _OK
        # The time in the cycle and in the present state; both long enough for anything at the first step.
        self._cycle_s = 2.0 * period_s
        self._state_s = period_s
        self._share = 0.0

    def step(self, demand_pct, dt_s):
        """Return 1 to be on, or 0 to be off, until the next call.

        `demand_pct` 0..100; `dt_s` the time in s since the last call, any positive length.
        """
        if not (dt_s > 0.0 and dt_s - dt_s == 0.0):
            self.flag = _BAD_DT
            return self.out
        share = 0.01 * demand_pct
        self.flag = _OK
        if share - share != 0.0:
            share = 0.0
            self.flag = _NON_FINITE
        elif share <= 0.0:
            share = 0.0
        elif share > 1.0:
            share = 1.0
        self._account(dt_s)
        self._share = share
        # A sum of ticks that is short by its rounding alone is not short.
        rounding_s = 0.001 * dt_s
        begins = self._cycle_s + rounding_s >= self._period_s
        if begins:
            # The part of a tick beyond the cycle belongs to the next one; a gap of cycles to none.
            self._cycle_s -= self._period_s
            if self._cycle_s >= self._period_s:
                self._cycle_s = 0.0
        wanted = self._wanted(share, begins, 0.5 * dt_s)
        shortest_s = self._min_on_s if self.out else self._min_off_s
        if wanted != self.out and self._state_s + rounding_s >= shortest_s:
            self.out = wanted
            self._state_s = 0.0
        return self.out

    def _account(self, dt_s):
        """Book the time since the last step, under the demand and the state that it had."""
        self.owed_s += self._share * dt_s
        if self.out:
            self.owed_s -= dt_s
        # More than a cycle comes of gaps only, and is not made up for.
        if self.owed_s > self._period_s:
            self.owed_s = self._period_s
        elif self.owed_s < -self._period_s:
            self.owed_s = -self._period_s
        self._cycle_s += dt_s
        self._state_s += dt_s

    def _wanted(self, share, begins, half_tick_s):
        """Return the state that the demand asks for, minimum times in this state aside."""
        if share <= 0.0 or share >= 1.0:
            self.owed_s = 0.0
            return 1 if share >= 1.0 else 0
        left = self._period_s - self._cycle_s
        on_time = self.owed_s + share * left
        if begins:
            # To half a tick, as times can be met no better; the pulse lasts its minimum all the same.
            return 1 if on_time + half_tick_s >= self._min_on_s and on_time > half_tick_s else 0
        # Within a cycle it only switches off, and only where the off time is long enough for that.
        if self.out and (on_time > half_tick_s or left < self._min_off_s):
            return 1
        return 0
