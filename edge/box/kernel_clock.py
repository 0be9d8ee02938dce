"""What Linux knows about its own clock."""

import ctypes

# Of adjtimex(2): the clock is not synchronised.
_TIME_ERROR = 5
# struct timex has 208 bytes where long has 64 bits; with all of them zero the call only asks.
_TIMEX_BYTES = 512


def kernel_clock():
    """A function that says whether something like NTP keeps the wall clock; None on other systems."""
    try:
        adjtimex = ctypes.CDLL(None).adjtimex
    except (OSError, AttributeError):
        return None
    answer = ctypes.create_string_buffer(_TIMEX_BYTES)
    return lambda: 0 <= adjtimex(answer) < _TIME_ERROR
