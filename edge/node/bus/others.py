"""Another master on the line: its requests, wherever they are heard.

Modbus RTU and DCON know one master. What another one asks is answered on the same line, and its replies
look like ours: so they are found by its requests, and somebody must be told.
"""

# So long after its last request another master counts as gone.
GONE_US = 60000000


class OtherMasters:
    """``requests`` heard of them; ``asking``: there was one within the last minute; ``last``: which."""

    def __init__(self):
        self.requests = 0
        self.asking = False
        # What the node has told of it.
        self.told = False
        self.last = ""
        self._gone_us = 0

    def heard(self, text: str, now_us: int):
        """A request that was not ours; ``text`` says which."""
        self.requests += 1
        self.asking = True
        self.last = text
        self._gone_us = now_us + GONE_US

    def update(self, now_us: int):
        """Forget one that has been silent for long."""
        if now_us >= self._gone_us:
            self.asking = False
