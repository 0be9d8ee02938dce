"""A port that may go away: a USB adapter that is pulled out, and comes back."""

REOPEN_US = 250000
REOPEN_MOST_US = 2000000


class Port:
    """Whether the UART of a line is there; ``fault`` says why not, "" while it is.

    ``uart`` with close(), pollable() and, where it can go away, reopen(), which raises OSError while
    the port isn't there. ``reopened``: how often it has come back.
    """

    def __init__(self, uart):
        self.uart = uart
        self.open = True
        self.told = True
        self.fault = ""
        self.reopened = 0
        self.try_at_us = 0
        self._backoff_us = REOPEN_US

    def lose(self, error: OSError, now_us: int):
        """The UART has raised ``error``: close it. Raises it again where it can't be opened a second time."""
        if not hasattr(self.uart, "reopen"):
            raise error
        self.open = False
        self.fault = str(error)
        self._backoff_us = REOPEN_US
        self.try_at_us = now_us + REOPEN_US
        try:
            self.uart.close()
        except OSError:
            # A device that is gone may refuse even that; its handle is closed all the same.
            pass

    def come_back(self, now_us: int) -> bool:
        """Try to open it, at longer and longer intervals; whether it is there."""
        if now_us < self.try_at_us:
            return False
        try:
            self.uart.reopen()
        except OSError as error:
            self.fault = str(error)
            self._backoff_us = min(2 * self._backoff_us, REOPEN_MOST_US)
            self.try_at_us = now_us + self._backoff_us
            return False
        self.open = True
        self.fault = ""
        self.reopened += 1
        return True

    def pollable(self):
        """What select can wait on, or None while the port is away."""
        return self.uart.pollable() if self.open else None

    def close(self):
        if self.open:
            self.uart.close()
