"""The DCON side of a module: its commands as text, and the host watchdog that only "~**" restarts.

Sources: ADAM-4000 user's manual, chapters 4 and 5; I-7000 user manuals, chapter 2 (read): a valid command
is answered with "!" or ">", an invalid one with "?AA", a syntax error or another address with nothing.
Checksum and carriage return are the line's business (edge.emulator.dcon_slave).
"""

import re

from edge.emulator.instruments.instrument import NEVER_US

HOST_OK = b"~**"
PROTOCOLS = ("modbus", "dcon")


def commands(**patterns):
    """A table of commands: method name -> what follows the address, with the leading character before it."""
    return tuple((re.compile(pattern, re.ASCII), method) for method, pattern in patterns.items())


class DconModule:
    """Stands before Instrument among the bases.

    ``COMMANDS``: see commands(); each method gets the match's groups and the time, and answers text.
    ``protocol``: what it is set to speak, ``checksum``: whether with one.
    """

    COMMANDS = ()
    # Of ICP DAS' modules only "~**" restarts the watchdog, of Advantech's every command.
    EVERY_COMMAND_RESTARTS = False
    protocol = "modbus"
    checksum = False

    def speak(self, keys):
        """Take over from its table of a plant file what it is set to speak."""
        self.protocol = keys.text("protocol", PROTOCOLS, default="modbus")
        self.checksum = keys.switch("checksum", False)

    @property
    def address(self) -> str:
        """Its unit id as commands and replies have it."""
        return f"{self.unit:02X}"

    def invalid(self) -> str:
        """The answer to a command that it does not obey."""
        return "?" + self.address

    def dcon(self, command: bytes, at_us: int) -> bytes:
        """Obey a command, given and answered without checksum and carriage return; b"" is no answer."""
        if at_us >= self.expires_us:
            self.expire(at_us)
        if command == HOST_OK:
            self.restart_watchdog(at_us)
            return b""
        text = command.decode("ascii", "replace")
        if text[1:3] != self.address:
            return b""
        if self.EVERY_COMMAND_RESTARTS:
            self.restart_watchdog(at_us)
        for pattern, method in self.COMMANDS:
            found = pattern.fullmatch(text[0] + text[3:])
            if found is not None:
                return getattr(self, method)(*found.groups(), at_us).encode("ascii")
        return self.invalid().encode("ascii")

    def restart_watchdog(self, at_us: int):
        """The host has said that it is there, or the watchdog has just been armed."""
        if self.lost:
            self.regained(at_us)
        self.expires_us = NEVER_US if self.lease_us == NEVER_US else at_us + self.lease_us


def signed(value: float, decimals: int) -> str:
    """Seven characters: a sign, five digits and a decimal point."""
    return f"{value:+07.{decimals}f}"
