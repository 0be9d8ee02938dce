"""A line whose slaves refuse writes, or take another value: what their instruments do is between the two."""

from edge.emulator.dcon_slave import MixedSlaves
from edge.node.bus import modbus
from edge.node.bus.dcon import CR, checksum

CODES = (1, 2, 3, 4, 5, 6, 10, 11)


class Refusing:
    """Wraps the slaves of a rig; ``kind``: None, or what becomes of every write:

    an exception code of Modbus ("?AA" in DCON), "silence" (not obeyed), "mute" (obeyed, not answered),
    "clamped" (another value is taken and answered), "ignored" ("!" in DCON). ``left``: of so many requests,
    -1: of all. ``reads``: reads are hit in the place of writes. ``unit``: only that one's; ``every``: one in
    so many.
    """

    def __init__(self, slaves):
        self.kind = None
        self.left = -1
        self.reads = False
        self.unit = None
        self.every = 1
        self.hits = 0
        self._passed = 0
        if isinstance(slaves, MixedSlaves):
            self._wrap_dcon(slaves.dcon)
            slaves = slaves.modbus
        self._wrap_modbus(slaves)

    def begin(self, kind, left=-1, reads=False, unit=None, every=1):
        self.kind, self.left, self.reads, self.unit, self.every = kind, left, reads, unit, every

    def end(self):
        self.kind = None

    def _hits(self, unit) -> bool:
        if self.kind is None or self.left == 0 or self.unit not in (None, unit):
            return False
        self._passed += 1
        if self._passed % self.every:
            return False
        self.left -= 1
        self.hits += 1
        return True

    def _wrap_modbus(self, slaves):
        serve, read = slaves._serve, slaves._read

        def serving(frame, end_us):
            writes = frame[1] in modbus.WRITES and frame[0] in slaves._units
            if self.reads or not writes or not self._hits(frame[0]):
                return serve(frame, end_us)
            kind = self.kind
            if kind == "clamped":
                number = frame[4] << 8 | frame[5]
                if frame[1] == modbus.WRITE_SINGLE_REGISTER:
                    return serve(modbus.sealed(frame[:4] + (number // 2).to_bytes(2, "big")), end_us)
                if frame[1] == modbus.WRITE_SINGLE_COIL:
                    return serve(modbus.sealed(frame[:4] + bytes(2)), end_us)
                # Of many it says that it took all but the last, and takes none.
                return reply(frame[:4] + (number - 1).to_bytes(2, "big"), end_us)
            if kind == "mute":
                serve(frame, end_us)
            if kind in ("mute", "silence"):
                return ()
            instrument = slaves._units[frame[0]]
            slaves._heard(instrument, end_us)
            return reply(bytes((frame[0], frame[1] | 0x80, kind)), end_us)

        def reading(known, end_us):
            if not self.reads or not self._hits(known[0].unit):
                return read(known, end_us)
            slaves._heard(known[0], end_us)
            return reply(bytes((known[4][0], known[4][1] | 0x80, self.kind)), end_us)

        slaves._serve, slaves._read = serving, reading

    def _wrap_dcon(self, slaves):
        serve = slaves._serve

        def serving(line, end_us):
            instrument = None if line[1:3] == b"**" else slaves._units[int(line[1:3], 16)]
            writes = instrument is not None and _writes(line, instrument.checksum)
            if not writes or not self._hits(instrument.unit):
                return serve(line, end_us)
            if self.kind == "mute":
                serve(line, end_us)
            if self.kind in ("mute", "silence"):
                return ()
            answer = b"!" if self.kind == "ignored" else instrument.invalid().encode()
            answer = answer + checksum(answer) + CR if instrument.checksum else answer + CR
            return ((end_us + instrument.delay_us, answer),)

        slaves._serve = serving


def _writes(line, with_checksum) -> bool:
    """Whether a command sets something: outputs, the watchdog, its status."""
    size = len(line) - 2 if with_checksum else len(line)
    return line[:1] in (b"#", b"@") and size > 3 or line[:1] == b"~" and line[3:4] in (b"1", b"3")


def reply(body, end_us):
    """An answer with a right CRC."""
    return ((end_us + 5000, modbus.sealed(body)),)
