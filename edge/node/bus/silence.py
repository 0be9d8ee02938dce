"""When one line may be spoken on: after the silence between two frames, or after a while all the same."""


class Silence:
    """``quiet_us``: the silence after what was heard last ends then. ``patience_us``: a line that never falls
    silent is spoken on after so long, so that its units fail and are named; so long, too, it is left to the
    reply to another master.
    """

    def __init__(self, silence_us: int, patience_us: int):
        self.quiet_us = 0
        self._silence_us = silence_us
        self._patience_us = patience_us
        self._speak_by_us = 0

    def reigns(self, now_us: int) -> bool:
        """Whether the next request may go out."""
        return now_us >= self.quiet_us or now_us >= self._speak_by_us

    def begins(self, quiet_us: int, now_us: int):
        """A transaction is over; the silence after it ends at ``quiet_us``."""
        self.quiet_us = quiet_us
        self._speak_by_us = now_us + self._patience_us

    def broken(self, now_us: int) -> int:
        """Bytes in nobody's transaction; how much longer, in us, the line is taken by that."""
        before_us = self.quiet_us
        if now_us >= before_us:
            self._speak_by_us = before_us = now_us
            self._speak_by_us += self._patience_us
        self.quiet_us = now_us + self._silence_us
        return max(0, self.quiet_us - before_us)

    def yields(self, now_us: int):
        """Another master has asked: the line belongs to the reply."""
        self.quiet_us = now_us + self._patience_us
