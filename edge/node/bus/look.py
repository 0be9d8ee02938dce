"""When the reply to a poll is looked for: at the time at which it was there the last times.

A wake-up for each character, or each packet of an adapter, costs more than the reply is worth.
"""

# After a look in vain the next is later by so much, twice as much after two, and so on.
LATER_US = 24
# After so many in time the next is earlier by twice as much as before.
IN_TIME = 16
MOST_DOUBLED = 12
# The first ones and then every so many are awaited, byte by byte: no look is much later than the quickest.
AWAIT_FIRST = 4
AWAIT_MASK = 63
LATEST_US = 100
FORGET_US = 50


class Look:
    """``after_us``: from the request to the first look; 0: it is awaited."""

    def __init__(self):
        self.after_us = 0
        self._us = 0
        self._quickest_us = 0
        self._replies = 0
        self._in_time = 0
        self._in_vain = 0

    def took(self, took_us: int, in_time: bool):
        """The reply was there ``took_us`` after its request; ``in_time``: at the first look."""
        if not self.after_us:
            quickest_us = self._quickest_us + FORGET_US
            self._quickest_us = took_us if quickest_us > took_us or not self._us else quickest_us
            latest_us = self._quickest_us + (LATER_US if self._replies < AWAIT_FIRST else LATEST_US)
            self._us = min(self._us or latest_us, latest_us)
        elif in_time:
            self._in_vain = 0
            self._in_time += 1
            self._us = max(1, self._us - (1 << min(MOST_DOUBLED, self._in_time // IN_TIME)))
        else:
            self._in_time = 0
            self._in_vain += 1
            later_us = self._us + (LATER_US << min(MOST_DOUBLED, self._in_vain - 1))
            self._us = min(later_us, took_us + LATER_US, self._quickest_us + LATEST_US)
        self._replies += 1
        self.after_us = self._us if self._replies >= AWAIT_FIRST and self._replies & AWAIT_MASK else 0
