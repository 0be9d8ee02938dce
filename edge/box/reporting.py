"""The box's reporting end: the link to the reporter process, which is started anew when it dies."""

from edge.box.reporter import ConfigError, start_reporter, stop_reporter

RESTART_AFTER_MS = 5000


class SupervisedReporter:
    """A reporting end as described in ``edge.node.report.mqtt``; ``values`` as for ``start_reporter``.

    What the dead process had not sent is lost; what the node says until the next one is up is counted as
    dropped. Starting a process takes a millisecond or two of the node's time.
    """

    def __init__(self, values: dict):
        self._values = values
        self._process, self._link = start_reporter(values)
        self._restart_ms = -1
        self._dropped = 0
        self.restarts = 0
        self._failure = ""

    def publish(self, topic: str, payload: bytes, retain: bool = False, qos: int = 1) -> bool:
        return self._link.publish(topic, payload, retain, qos)

    def step(self, now_ms: int) -> int:
        """Take in statistics; bring back a reporter that died."""
        if self._link.alive:
            return self._link.step(now_ms)
        if self._restart_ms < 0:
            self._restart_ms = now_ms + RESTART_AFTER_MS
        elif now_ms >= self._restart_ms:
            self._restart_ms = -1
            self._dropped += self._link.dropped
            self._link.dropped = 0
            self.restarts += 1
            # It closed its end, so it is dead or about to die; kill() spares the node any waiting.
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()
            try:
                self._process, self._link = start_reporter(self._values)
            except (OSError, ConfigError) as error:
                # Reporting can stop nothing: say why, and try again.
                self._failure = f"the reporter can't be started: {error}"
                self._restart_ms = now_ms + RESTART_AFTER_MS
                return self._restart_ms
            self._failure = ""
            return self._link.step(now_ms)
        return self._restart_ms

    def pollable(self):
        return self._link.pollable()

    @property
    def stats(self) -> dict:
        stats = self._link.stats
        stats["dropped"] += self._dropped
        stats["restarts"] = self.restarts
        if self._failure:
            stats["last_error"] = self._failure
        return stats

    def close(self, now_ms: int):
        """Let the reporter send what it has, within its time; ``last`` then holds its final statistics."""
        stats = self.stats
        self.last = {**stats, **stop_reporter(self._process, self._link)}
        self.last["dropped"] += self._dropped + self._link.dropped
