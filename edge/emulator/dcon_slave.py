"""DCON slaves of one multi-drop line, without any I/O: bytes and times in, bytes and times out.

Sources: ADAM-4000 Series User's Manual, chapter 4, and ICP DAS I-7000 manuals, chapter 2: a command is a
leading character, two hexadecimal digits of address, what is asked, the checksum where the module is set so,
and a carriage return. A module does not answer a wrong checksum, and nobody answers "#**" and "~**".

An instrument with ``protocol`` "dcon" has ``checksum`` (bool) and ``dcon(command, at_us) -> reply``, both as
text without checksum and carriage return; b"": no reply. Its watchdog over the host is its own affair:
``~**`` is handed to every instrument.

A command begins after a silence or after the end of another, so that no byte inside a Modbus frame on the
same line is taken for one; a silence inside a command ends it (assumed: no manual says).
"""

from edge.emulator.faults import Faults
from edge.emulator.slave import ModbusSlaves
from edge.node.bus import master
from edge.node.bus.dcon import CR, LEADING, checksum

# Longer than any command: 24 characters by the manuals.
LONGEST = 64

_HEX = b"0123456789ABCDEF"


class DconSlaves:
    """All DCON instruments of one line; arguments as of edge.emulator.slave.ModbusSlaves."""

    def __init__(self, instruments, baud: int, char_bits: int = 11, silence_us=None, faults=None):
        self.instruments = list(instruments)
        self.char_us = 1000000.0 * char_bits / baud
        self.silence_us = master.silence_us(baud, char_bits) if silence_us is None else silence_us
        self.faults = faults if faults is not None else Faults(self.instruments)
        self.requests = 0
        self.replies = 0
        self.crc_errors = 0
        # A command has just been read to its end.
        self.complete = False
        self._units = {instrument.unit: instrument for instrument in self.instruments}
        self._buffer = b""
        self._deaf = False
        self._end_us = -self.silence_us

    def partial(self) -> bool:
        """The beginning of a command has been heard, and its rest is awaited."""
        return bool(self._buffer)

    def received(self, data: bytes, end_us: int):
        """Hear ``data``, whose last character ended at ``end_us``: the replies as (start in us, bytes)."""
        paused_us = end_us - int(len(data) * self.char_us) - self._end_us
        self._end_us = end_us
        self.complete = False
        if paused_us >= self.silence_us:
            self._deaf = False
            self._buffer = b""
        if self._deaf:
            return ()
        buffer = self._buffer + data
        replies = ()
        while buffer:
            end = buffer.find(CR)
            line = buffer if end < 0 else buffer[:end]
            if not _may_be_command(line):
                self._deaf = True
                buffer = b""
            elif end < 0:
                break
            else:
                buffer = buffer[end + 1 :]
                self.complete = True
                replies += self._serve(line, end_us - int(len(buffer) * self.char_us))
        self._buffer = buffer
        return replies

    def _serve(self, line: bytes, end_us: int):
        """Obey one command without its carriage return."""
        if line[1:3] == b"**":
            self.requests += 1
            for instrument in self.instruments:
                if not self.faults.armed or not self.faults.deaf(instrument.unit, end_us):
                    self._ask(instrument, line, end_us)
            return ()
        if len(line) < 3 or line[1] not in _HEX or line[2] not in _HEX:
            return ()
        instrument = self._units.get(int(line[1:3], 16))
        if instrument is None:
            return ()
        self.requests += 1
        faults = self.faults
        start_us = end_us - int((len(line) + 1) * self.char_us)
        if faults.armed and faults.deaf(instrument.unit, end_us, None, start_us):
            return ()
        if faults.armed and self._understood(instrument, line) and faults.refusal(instrument.unit, end_us):
            reply = b"?" + line[1:3]
        else:
            reply = self._ask(instrument, line, end_us)
        if not reply:
            return ()
        self.replies += 1
        reply = reply + checksum(reply) + CR if instrument.checksum else reply + CR
        start_us = end_us + instrument.delay_us
        if self.faults.armed:
            return self.faults.bend(instrument.unit, reply, start_us, self.char_us, instrument.checksum)
        return ((start_us, reply),)

    def _understood(self, instrument, line: bytes) -> bool:
        return not instrument.checksum or (len(line) >= 5 and checksum(line[:-2]) == line[-2:])

    def _ask(self, instrument, line: bytes, end_us: int) -> bytes:
        if not self._understood(instrument, line):
            self.crc_errors += 1
            return b""
        return instrument.dcon(line[:-2] if instrument.checksum else line, end_us)


class MixedSlaves:
    """Modbus RTU and DCON instruments on one line, with the interface of ModbusSlaves."""

    def __init__(self, modbus: ModbusSlaves, dcon: DconSlaves):
        self.modbus = modbus
        self.dcon = dcon
        self.instruments = modbus.instruments + dcon.instruments
        self.char_us = modbus.char_us
        self.silence_us = modbus.silence_us
        self.faults = modbus.faults

    @property
    def requests(self) -> int:
        return self.modbus.requests + self.dcon.requests

    @property
    def replies(self) -> int:
        return self.modbus.replies + self.dcon.replies

    @property
    def crc_errors(self) -> int:
        return self.modbus.crc_errors + self.dcon.crc_errors

    def partial(self) -> bool:
        """The beginning of a request has been heard, and its rest is awaited."""
        return self.dcon.partial() or self.modbus.partial()

    def received(self, data: bytes, end_us: int):
        """Hear ``data``, whose last character ended at ``end_us``: the replies as (start in us, bytes)."""
        replies = self.modbus.received(data, end_us) + self.dcon.received(data, end_us)
        if self.dcon.complete:
            self.modbus.forget()
        return replies


def slaves_of(instruments, baud: int, char_bits: int = 11, silence_us=None, faults=None):
    """The slaves of a line in the protocols of its instruments; arguments as of ModbusSlaves."""
    in_dcon = [instrument for instrument in instruments if getattr(instrument, "protocol", "") == "dcon"]
    others = [instrument for instrument in instruments if instrument not in in_dcon]
    if faults is None:
        faults = Faults(instruments)
    modbus = ModbusSlaves(others, baud, char_bits, silence_us, faults)
    if not in_dcon:
        return modbus
    return MixedSlaves(modbus, DconSlaves(in_dcon, baud, char_bits, silence_us, faults))


def _may_be_command(line: bytes) -> bool:
    if not line:
        return True
    return line[0] in LEADING and len(line) <= LONGEST and all(0x21 <= byte <= 0x7E for byte in line)
