"""Which part a fault is for: requests of one function, those that touch one register, or one sensor."""

from edge.emulator.instruments.instrument import FaultError

# The names by which console, scripts and the plugin narrow a fault down, with the highest of each number.
KEYS = {"function": 127, "register": 65535, "channel": None}


class Narrow:
    """``function`` 1..127, data address ``register`` 0..65535, ``channel`` as "ai0", or None.

    Raises FaultError.
    """

    def __init__(self, **where):
        for key, value in where.items():
            if key not in KEYS:
                raise FaultError(f"a fault has no {key!r}; expected one of {', '.join(KEYS)}")
            if value is None:
                continue
            if KEYS[key] is None:
                if not isinstance(value, str):
                    raise FaultError(f"{key} is {value!r}; expected the name of an input")
            elif not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= KEYS[key]:
                raise FaultError(f"{key} is {value!r}; expected a whole number of 0..{KEYS[key]}")
        self.function = where.get("function")
        self.register = where.get("register")
        self.channel = where.get("channel")

    def fits(self, request) -> bool:
        """Whether it is for a request (function, address, count), or None for one in DCON."""
        if self.function is None and self.register is None:
            return True
        if request is None:
            return False
        function, address, count = request
        if self.function is not None and function != self.function:
            return False
        return self.register is None or address <= self.register < address + count

    def refuse_requests(self, why: str):
        """Raise FaultError where it is narrowed down to requests and can't be."""
        if self.function is not None or self.register is not None:
            raise FaultError(f"{why}: it takes no function and no register")

    def refuse_channel(self, kind: str):
        """Raise FaultError where it is narrowed down to a sensor and can't be."""
        if self.channel is not None:
            raise FaultError(f"the fault {kind} takes no channel")

    def told(self) -> dict:
        """For a report."""
        return {key: getattr(self, key) for key in KEYS if getattr(self, key) is not None}
