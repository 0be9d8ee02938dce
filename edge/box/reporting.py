"""The box's reporting end: the link to the reporter process, which is started anew when it dies."""

from edge.box.reporter import ConfigError, start_reporter, stop_reporter

RESTART_AFTER_MS = 1000
RESTART_AT_MOST_MS = 30000
# One that has run for so long had no trouble starting: the next wait is the shortest again.
SETTLED_MS = 60000
# A reporter that is alive says so once a second, also while its disk hangs.
SILENT_MS = 120000


class SupervisedReporter:
    """A reporting end like ``edge.node.report.link.ReporterLink``; ``values`` as for ``start_reporter``.

    Records that a dead reporter had not stored go to the next one. Starting a process takes a millisecond or
    two of the node's time; a process that does not die is not waited for.
    """

    def __init__(self, values: dict):
        self._values = values
        self._process, self._link = start_reporter(values)
        self._restart_ms = -1
        self._started_ms = -1
        self._wait_ms = RESTART_AFTER_MS
        self._failure = ""
        self.restarts = 0

    def begin(self, catalogue):
        self._link.begin(catalogue)

    def record(self, record: bytes) -> bool:
        return self._link.record(record)

    def publish(self, topic: str, payload: bytes, retain: bool = False, qos: int = 1) -> bool:
        return self._link.publish(topic, payload, retain, qos)

    def snapshot_wanted(self) -> bool:
        return self._link.snapshot_wanted()

    def commands(self) -> list:
        return self._link.commands()

    def reply(self, speaker: str, payload: bytes):
        self._link.reply(speaker, payload)

    def losses(self) -> list:
        return self._link.losses()

    def step(self, now_ms: int) -> int:
        """Hear the reporter; bring back one that died."""
        link = self._link
        if self._started_ms < 0:
            self._started_ms = now_ms
        if link.alive:
            next_ms = link.step(now_ms)
            if now_ms - max(self._started_ms, link.heard_ms) >= SILENT_MS:
                link.drop(f"the reporter said nothing for {SILENT_MS // 1000} s")
            if link.alive:
                return next_ms
        if self._restart_ms < 0:
            if now_ms - self._started_ms >= SETTLED_MS:
                self._wait_ms = RESTART_AFTER_MS
            self._restart_ms = now_ms + self._wait_ms
            # It closed its end, so it is dead or about to die.
            self._process.kill()
        elif now_ms >= self._restart_ms:
            self._restart(now_ms)
        return self._restart_ms if self._restart_ms >= 0 else now_ms

    def _restart(self, now_ms: int):
        """Start the next one, once nothing is left of the last: two of them must not share an outbox."""
        self._restart_ms = now_ms + self._wait_ms
        if self._process.poll() is None:
            self._failure = "the last reporter does not die: its disk may hang"
            return
        if not self._process.stdout.closed:
            self._process.stdout.close()
        self._wait_ms = min(2 * self._wait_ms, RESTART_AT_MOST_MS)
        self.restarts += 1
        try:
            self._process, _ = start_reporter(self._values, self._link)
        except (OSError, ConfigError) as error:
            # Reporting can stop nothing: say why, and try again.
            self._failure = f"the reporter can't be started: {error}"
            return
        self._failure = ""
        self._restart_ms = -1
        self._started_ms = now_ms

    def pollable(self):
        return self._link.pollable()

    def pollables(self) -> list:
        return self._link.pollables()

    @property
    def stats(self) -> dict:
        stats = self._link.stats
        stats["restarts"] = self.restarts
        if self._failure:
            stats["last_error"] = self._failure
        return stats

    def close(self, now_ms: int):
        """Let the reporter store and send what it has, within its time; ``last`` has its final statistics."""
        stats = self.stats
        final = stop_reporter(self._process, self._link)
        boot, seq = final.pop("stored", None) or (0, 0)
        self._link.ring.confirm(boot, seq)
        self.last = {**stats, **final, "unconfirmed": self._link.stats["unconfirmed"]}
        self.last["dropped"] += self._link.dropped
