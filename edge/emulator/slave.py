"""Modbus RTU slaves of one multi-drop line, without any I/O: bytes and times in, bytes and times out.

Sources: MODBUS Application Protocol V1.1b3 (function codes 1-6, 15, 16, 22, 23; order of the checks behind
exceptions 1, 2, 3) and MODBUS over Serial Line V1.02 (CRC, silence, broadcast). A request is framed by
its expected length and its CRC. After a frame with a wrong CRC nothing is heard until the line has been
silent; a unit that does not exist is silent; a broadcast is obeyed by all and answered by none.
"""

from struct import Struct

from cext.crc import crc16
from edge.emulator import diagnostics
from edge.emulator.diagnostics import Diagnostics
from edge.emulator.faults import Faults
from edge.emulator.instruments.instrument import ILLEGAL_ADDRESS, ILLEGAL_VALUE
from edge.emulator.request import MAX_FRAME, MIN_FRAME, expected_length, request_of
from edge.emulator.writes import write
from edge.node.bus import master, modbus

# A read asks the same bytes again and again: known requests are neither parsed nor checked anew. A busy
# line has some dozens; the bound is for a master that scans.
KNOWN_READS = 512

_CHECK_WORD = Struct("<H").pack
_WORDS = Struct(">HH").unpack_from


class ModbusSlaves:
    """All instruments of one line.

    ``baud`` bit/s, ``char_bits`` bits of a character on the wire. ``silence_us``: a pause that long ends
    whatever was being received; by default the least that a master keeps.
    Raises ValueError when two instruments have the same unit id.
    """

    def __init__(self, instruments, baud: int, char_bits: int = 11, silence_us=None, faults=None):
        self.instruments = list(instruments)
        self.char_us = 1000000.0 * char_bits / baud
        self.silence_us = master.silence_us(baud, char_bits) if silence_us is None else silence_us
        self.faults = faults if faults is not None else Faults(self.instruments)
        self.requests = 0
        self.replies = 0
        self.crc_errors = 0
        # Requests with a right CRC, to whomever.
        self.frames = 0
        self._diagnostics = {
            instrument.unit: Diagnostics(instrument, self)
            for instrument in self.instruments
            if instrument.FUNCTIONS & diagnostics.FUNCTIONS
        }
        self._units = {}
        for instrument in self.instruments:
            other = self._units.setdefault(instrument.unit, instrument)
            if other is not instrument:
                raise ValueError(f"unit {other.unit} is both {other.name} and {instrument.name}")
        self._known = {}
        self._buffer = b""
        self._deaf = False
        self._end_us = -self.silence_us

    def partial(self) -> bool:
        """The beginning of a request has been heard, and its rest is awaited."""
        return bool(self._buffer) and not self._deaf

    def received(self, data: bytes, end_us: int):
        """Hear ``data``, whose last character ended at ``end_us``.

        Returns the replies as (start in us, bytes), earliest first; most often one or none.
        """
        if not self._buffer:
            known = self._known.get(data)
            if known is not None:
                self._end_us = end_us
                self.frames += 1
                return self._read(known, end_us)
        return self._search(data, end_us)

    def forget(self):
        """What has been heard so far was in another protocol."""
        self._buffer = b""
        self._deaf = False

    def _search(self, data: bytes, end_us: int):
        """Frame what is not just one well-known request."""
        paused_us = end_us - int(len(data) * self.char_us) - self._end_us
        self._end_us = end_us
        if paused_us >= self.silence_us:
            buffer = data
            self._deaf = False
        elif self._deaf:
            return ()
        else:
            buffer = self._buffer + data
        replies = ()
        while buffer:
            length = expected_length(buffer)
            if length == 0:
                # Nobody knows how long that is; it is complete when its CRC is right.
                if len(buffer) <= MAX_FRAME and (len(buffer) < MIN_FRAME or crc16(buffer) != 0):
                    break
                length = len(buffer)
            elif length > len(buffer):
                break
            frame = buffer[:length]
            if length > MAX_FRAME or crc16(frame) != 0:
                self.crc_errors += 1
                self._deaf = True
                # Kept as a sign that the line is not free.
                buffer = frame[:1]
                break
            buffer = buffer[length:]
            replies += self._serve(frame, end_us - int(len(buffer) * self.char_us))
        self._buffer = buffer
        return replies

    def _serve(self, frame: bytes, end_us: int):
        """Obey a request with a right CRC."""
        self.frames += 1
        unit = frame[0]
        function = frame[1]
        if unit == modbus.BROADCAST:
            self.requests += 1
            if function > modbus.READ_INPUT_REGISTERS and function != modbus.READ_WRITE_REGISTERS:
                for instrument in self.instruments:
                    if not self._deaf_to(instrument, frame, end_us):
                        if instrument.unit in self._diagnostics:
                            self._diagnostics[instrument.unit].unanswered += 1
                        self._execute(instrument, function, self._taken(instrument, frame, end_us), end_us)
            return ()
        instrument = self._units.get(unit)
        # With the highest bit it is an exception reply, and no request.
        if instrument is None or function > 0x7F:
            return ()
        if modbus.READ_COILS <= function <= modbus.READ_INPUT_REGISTERS and function in instrument.FUNCTIONS:
            return self._first_read(instrument, function, frame, end_us)
        self.requests += 1
        if self._deaf_to(instrument, frame, end_us):
            return ()
        code = self._refusal(instrument, frame, end_us)
        if not code and function in diagnostics.FUNCTIONS and function in instrument.FUNCTIONS:
            return self._diagnose(instrument, frame, end_us)
        if not code:
            frame = self._taken(instrument, frame, end_us)
            code = self._execute(instrument, function, frame, end_us)
        if code:
            body = bytes((unit, function | 0x80, code))
        elif function == modbus.READ_WRITE_REGISTERS:
            address, count = _WORDS(frame, 2)
            begin = instrument.holding.place(address, count)
            body = bytes((unit, function, 2 * count)) + instrument.holding.data[begin : begin + 2 * count]
        else:
            body = frame[: 8 if function == modbus.MASK_WRITE_REGISTER else 6]
        return self._reply(instrument, body, frame, end_us)

    def _diagnose(self, instrument, frame: bytes, end_us: int):
        """Answer what is asked about the unit itself."""
        self._heard(instrument, end_us)
        body = self._diagnostics[instrument.unit].answer(frame)
        if body is None:
            return ()
        if isinstance(body, int):
            body = bytes((frame[0], frame[1] | 0x80, body))
        return self._reply(instrument, body, frame, end_us)

    def _deaf_to(self, instrument, frame: bytes, end_us: int) -> bool:
        told = self._diagnostics.get(instrument.unit)
        if told is not None and not told.hears(frame):
            return True
        if not self.faults.armed:
            return False
        start_us = end_us - int(len(frame) * self.char_us)
        return self.faults.deaf(instrument.unit, end_us, request_of(frame), start_us)

    def _refusal(self, instrument, frame: bytes, end_us: int) -> int:
        """The exception code of a fault; the request restarts the watchdog all the same."""
        code = self.faults.refusal(instrument.unit, end_us, request_of(frame)) if self.faults.armed else 0
        if code:
            self._heard(instrument, end_us)
        return code

    def _taken(self, instrument, frame: bytes, end_us: int) -> bytes:
        """A write with the values that a fault makes of it."""
        if not self.faults.armed:
            return frame
        return self.faults.taken(instrument.unit, end_us, request_of(frame), frame)

    def _first_read(self, instrument, function: int, frame: bytes, end_us: int):
        """Check a read that is not known yet, answer it, and know it from now on."""
        table = instrument.tables[function]
        address, count = _WORDS(frame, 2)
        bits = function <= modbus.READ_DISCRETE_INPUTS
        code = 0
        begin = 0
        if count == 0 or count > (modbus.MAX_READ_BITS if bits else instrument.max_registers):
            code = ILLEGAL_VALUE
        else:
            begin = table.place(address, count)
            if begin < 0:
                code = ILLEGAL_ADDRESS
        if code:
            self.requests += 1
            if self._deaf_to(instrument, frame, end_us):
                return ()
            code = self._refusal(instrument, frame, end_us) or code
            self._heard(instrument, end_us)
            return self._reply(instrument, bytes((frame[0], function | 0x80, code)), frame, end_us)
        size = (count + 7) // 8 if bits else 2 * count
        head = bytes((frame[0], function, size))
        known = (instrument, table.data, begin, begin + count * table.width, head, bits, frame)
        if function == modbus.READ_COILS and any(
            address <= coil < address + count for coil in instrument.coils_read_once
        ):
            replies = self._read(known, end_us)
            if replies:
                instrument.coils_were_read(address, count)
            return replies
        if len(self._known) < KNOWN_READS:
            self._known[frame] = known
        return self._read(known, end_us)

    def _read(self, known: tuple, end_us: int):
        """Answer a read that has been checked."""
        instrument, data, begin, end, head, bits, frame = known
        self.requests += 1
        faults = self.faults
        if faults.armed or instrument.unit in self._diagnostics:
            if self._deaf_to(instrument, frame, end_us):
                return ()
            code = self._refusal(instrument, frame, end_us)
            if code:
                return self._reply(instrument, bytes((head[0], head[1] | 0x80, code)), frame, end_us)
        self._heard(instrument, end_us)
        if bits:
            body = head + modbus.pack_bits(data[begin:end])
        else:
            body = head + data[begin:end]
        reply = body + _CHECK_WORD(crc16(body))
        self.replies += 1
        if faults.armed:
            start_us = end_us + instrument.delay_us
            return faults.bend(instrument.unit, reply, start_us, self.char_us, None, request_of(frame))
        return ((end_us + instrument.delay_us, reply),)

    def _reply(self, instrument, body: bytes, frame: bytes, end_us: int):
        """An answer to a request."""
        if instrument.unit in self._diagnostics:
            self._diagnostics[instrument.unit].answered(body)
        reply = body + _CHECK_WORD(crc16(body))
        self.replies += 1
        start_us = end_us + instrument.delay_us
        if self.faults.armed:
            request = request_of(frame)
            return self.faults.bend(instrument.unit, reply, start_us, self.char_us, None, request)
        return ((start_us, reply),)

    def _heard(self, instrument, at_us: int):
        """A request reached the instrument: its watchdog over the host has expired before, or starts anew."""
        if at_us >= instrument.expires_us:
            instrument.expire(at_us)
        if instrument.lost:
            instrument.regained(at_us)
        if instrument.unit in self._diagnostics:
            self._diagnostics[instrument.unit].messages += 1
        instrument.expires_us = at_us + instrument.lease_us

    def _execute(self, instrument, function: int, frame: bytes, at_us: int) -> int:
        """Let an instrument obey a write; 0 or the exception code."""
        self._heard(instrument, at_us)
        code = write(instrument, function, frame, at_us)
        # After the write, which may have armed the watchdog or changed its time.
        instrument.expires_us = at_us + instrument.lease_us
        return code
