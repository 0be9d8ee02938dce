"""A reporting end for a node that reports to nobody, or to a function in the same process."""


class LocalReporter:
    """Hands every message to ``receive(topic, payload, retain)``; None drops it unsaid, as asked for."""

    def __init__(self, receive=None):
        self._receive = receive
        self._sent = 0

    def publish(self, topic: str, payload: bytes, retain: bool = False, qos: int = 1) -> bool:
        self._sent += 1
        if self._receive is not None:
            self._receive(topic, payload, retain)
        return True

    def step(self, now_ms: int) -> int:
        return now_ms + 60000

    @property
    def stats(self) -> dict:
        return {"sent": self._sent}

    def pollable(self):
        return None

    def close(self, now_ms: int):
        """Nothing is held back."""
