"""What a unit answers about itself: functions 8 (diagnostics), 17 (server id), 43/14 (device identification).

Source: MODBUS Application Protocol V1.1b3, 6.8, 6.13 and 6.21. Of function 8: query data, restart, diagnostic
register, listen only mode, and the counters 10 to 18. The server id is the unit's number; behind it and the
run indicator stands the product's name, as the controllers of PI-MBUS-300 have it.
"""

from edge.emulator.instruments.instrument import ILLEGAL_ADDRESS, ILLEGAL_FUNCTION, ILLEGAL_VALUE

DIAGNOSTICS, SERVER_ID, INTERFACE = 8, 17, 43
FUNCTIONS = frozenset((DIAGNOSTICS, SERVER_ID, INTERFACE))

QUERY_DATA, RESTART, REGISTER, LISTEN_ONLY, CLEAR = 0, 1, 2, 4, 10
RUNNING = 0xFF
IDENTIFICATION = 14
# Basic and regular objects as a stream, or one by one.
CONFORMITY = 0x82
LONGEST_OBJECT = 50


class Identity:
    """``vendor``, ``product``, ``revision``, and ``name`` of the instrument: up to 50 characters each."""

    def __init__(self, name: str, product: str, vendor: str = "furnace-edge", revision: str = "1"):
        self.product = product
        # Object id -> text, in rising order.
        self.objects = {0: vendor, 1: product, 2: revision, 4: name}

    @classmethod
    def from_keys(cls, name: str, product: str, keys):
        """From the table [instrument.NAME.identity] of a plant file; None: there is none."""
        if keys is None:
            return cls(name[:LONGEST_OBJECT], product)
        texts = {}
        for key in ("vendor", "product", "revision"):
            if keys.has(key):
                texts[key] = keys.text(key)
                if len(texts[key]) > LONGEST_OBJECT or not texts[key].isascii():
                    expected = f"expected up to {LONGEST_OBJECT} characters of ASCII"
                    raise keys.error(key, f"is {texts[key]!r}; {expected}")
        keys.finish()
        return cls(name[:LONGEST_OBJECT], **{"product": product, **texts})


class Diagnostics:
    """Of one unit. ``listening``: it hears and obeys nothing but a restart."""

    def __init__(self, instrument, slaves):
        if instrument.identity is None:
            product = f"furnace-edge {instrument.TYPE}"
            instrument.identity = Identity(instrument.name[:LONGEST_OBJECT], product)
        self._instrument = instrument
        self._slaves = slaves
        self.listening = False
        self.exceptions = 0
        self.busy = 0
        self.messages = 0
        self.unanswered = 0
        self._clear()

    def _clear(self):
        self._frames = self._slaves.frames
        self._crc_errors = self._slaves.crc_errors
        self.exceptions = self.busy = self.messages = self.unanswered = 0

    def hears(self, frame: bytes) -> bool:
        """Whether a request is obeyed."""
        return not self.listening or frame[1:4] == bytes((DIAGNOSTICS, 0, RESTART))

    def answered(self, body: bytes):
        """Count a reply."""
        if body[1] & 0x80:
            self.exceptions += 1
            self.busy += body[2] == 6

    def answer(self, frame: bytes):
        """The reply to one of FUNCTIONS without its CRC, or an exception code; None: it does not answer."""
        if frame[1] == DIAGNOSTICS:
            return self._diagnose(frame)
        if frame[1] == SERVER_ID:
            text = self._instrument.identity.product.encode("ascii", "replace")
            return frame[:2] + bytes((len(text) + 2, frame[0], RUNNING)) + text
        return self._identify(frame)

    def _diagnose(self, frame: bytes):
        if len(frame) < 8:
            return ILLEGAL_VALUE
        sub = frame[2] << 8 | frame[3]
        if sub == QUERY_DATA:
            return frame[:-2]
        given = frame[4] << 8 | frame[5]
        if len(frame) != 8 or (given and not (sub == RESTART and given == 0xFF00)):
            return ILLEGAL_VALUE
        if sub == RESTART:
            was_listening, self.listening = self.listening, False
            self._clear()
            return None if was_listening else frame[:-2]
        if sub == LISTEN_ONLY:
            self.listening = True
            return None
        if sub == CLEAR:
            self._clear()
            return frame[:-2]
        counts = {
            REGISTER: 0,
            11: self._slaves.frames - self._frames,
            12: self._slaves.crc_errors - self._crc_errors,
            13: self.exceptions,
            14: self.messages,
            15: self.unanswered,
            16: 0,
            17: self.busy,
            18: 0,
        }
        if sub not in counts:
            return ILLEGAL_FUNCTION
        return frame[:4] + (counts[sub] & 0xFFFF).to_bytes(2, "big")

    def _identify(self, frame: bytes):
        if frame[2] != IDENTIFICATION:
            return ILLEGAL_FUNCTION
        if len(frame) != 7 or not 1 <= frame[3] <= 4:
            return ILLEGAL_VALUE
        objects = self._instrument.identity.objects
        code, first = frame[3], frame[4]
        if code == 4:
            if first not in objects:
                return ILLEGAL_ADDRESS
            chosen = [first]
        else:
            chosen = [number for number in objects if number < (3 if code == 1 else 0x80)]
            # From an object that is not there the stream begins anew.
            chosen = [number for number in chosen if number >= first] if first in chosen else chosen
        body = frame[:4] + bytes((CONFORMITY, 0, 0, len(chosen)))
        for number in chosen:
            text = objects[number].encode("ascii", "replace")
            body += bytes((number, len(text))) + text
        return body
