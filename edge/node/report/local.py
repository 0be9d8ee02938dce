"""A reporting end for a node that reports to nobody, or to functions in the same process."""

from edge.node.report import messages, records


class LocalReporter:
    """Hands on what the node tells at once; None drops it unsaid, as asked for.

    ``receive(topic, payload, retain)`` gets live messages, and events as messages; ``take(record)`` gets
    every record. ``ask_snapshot`` and ``put_command`` speak for a far side.
    """

    COMMANDS_MAX = 32

    def __init__(self, receive=None, take=None):
        self._receive = receive
        self._take = take
        self._base = ""
        self._sent = 0
        self._snapshot = False
        self._commands = []
        self.catalogue = None
        self.answers = []

    def begin(self, catalogue):
        """``catalogue``: what the sample records that follow speak of."""
        self.catalogue = catalogue
        self._base = messages.base_topic(catalogue.site, catalogue.node)

    def record(self, record: bytes) -> bool:
        self._sent += 1
        if self._take is not None:
            self._take(record)
        if self._receive is not None and records.peek(record)[0] == records.EVENT:
            event = records.decode(record)
            self._receive(self._base + "/" + messages.EVENT, messages.event(event), False)
        return True

    def publish(self, topic: str, payload: bytes, retain: bool = False, qos: int = 1) -> bool:
        self._sent += 1
        if self._receive is not None:
            self._receive(topic, payload, retain)
        return True

    def ask_snapshot(self):
        """The next sample shall tell everything."""
        self._snapshot = True

    def snapshot_wanted(self) -> bool:
        wanted = self._snapshot
        self._snapshot = False
        return wanted

    def put_command(self, speaker: str, payload: bytes, retained: bool = False):
        """A command as if from afar; beyond COMMANDS_MAX it is dropped."""
        if len(self._commands) < self.COMMANDS_MAX:
            self._commands.append((speaker, payload, retained))

    def commands(self) -> list:
        commands = self._commands
        if commands:
            self._commands = []
        return commands

    def reply(self, speaker: str, payload: bytes):
        """The newest answers are kept in ``answers``."""
        self.answers.append((speaker, payload))
        del self.answers[: -self.COMMANDS_MAX]

    def losses(self) -> list:
        return []

    def step(self, now_ms: int) -> int:
        return now_ms + 60000

    @property
    def stats(self) -> dict:
        return {"sent": self._sent}

    def pollable(self):
        return None

    def pollables(self) -> list:
        return []

    def close(self, now_ms: int):
        """Nothing is held back."""
