"""Whether another node speaks under the name of this one: a copied SD card, a file used twice.

The retained topic <base>/alive holds a random text of the process that came to the broker last. Who finds
another one there after its own has stood there is not alone: two clients of one name throw each other out.
What stood there before its own may be of its predecessor. Seen twice it is taken as true, for a broker may
have been started from what it saved long ago.
"""

import binascii
import os

from edge.node.report import messages

TOKEN_BYTES = 8
TIMES = 2
WITHIN_MS = 120000  # of each other
CONTESTED_MS = 600000  # without another sight of it the name counts as this node's alone again


class Identity:
    """Of one process; ``base``: furnace/<site>/<node>."""

    def __init__(self, base: str):
        self.topic = base + "/" + messages.ALIVE
        self.token = binascii.hexlify(os.urandom(TOKEN_BYTES))


class Claim:
    """What one connection has seen of ``identity``'s topic."""

    def __init__(self, identity):
        self.identity = identity
        self._claimed = []  # brokers at which the own token has stood
        self._seen_ms = -WITHIN_MS
        self._times = 0

    def heard(self, broker: str, token: bytes, now_ms: int) -> bool:
        """Take note of what stands on the topic; True when it proves that another node has this name."""
        if token == self.identity.token:
            if broker not in self._claimed:
                self._claimed.append(broker)
            return False
        if broker not in self._claimed or not token:
            return False
        if now_ms - self._seen_ms > WITHIN_MS:
            self._times = 0
        self._seen_ms = now_ms
        self._times += 1
        return self._times >= TIMES
