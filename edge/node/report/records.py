"""Records: what a node has seen or what has happened, as bytes that are stored unchanged.

All numbers are big endian. Every record begins with

    kind (8 bits)  flags (8)  boot (32)  seq (32)  t_ms (64)  up_ms (64)

flags: bit 0 the clock was synchronised, bit 1 alarm, bits 4..7 the version of the form.
``boot`` is a random number of this start of the node, ``seq`` counts its records from 1; ``t_ms`` is UTC and
may jump, ``up_ms`` never does. Then follows in a sample

    catalogue number (32)  count (16)  count x (index (11 bits) form (3) quality (2), value)

with rising indices and the forms NONE, FLOAT (32 bits), INTEGER (64), FALSE, TRUE (nothing follows) and
TEXT (length (8), UTF-8): 6 bytes for a float. In an event

    length (8) kind  length (8) name  length (16) text
"""

import struct

SAMPLE = 1
EVENT = 2

GOOD = 0
UNCERTAIN = 1
BAD = 2

RECORD_MAX = 61440  # bytes
SHORT_MAX = 255  # bytes of a text in a sample, of an event's kind and name
TEXT_MAX = 1024  # bytes of an event's text
INDEX_MAX = 2047
FLOAT_MAX = 3.4028235e38  # rounds to the largest of 32 bits
FLOAT_MIN = -FLOAT_MAX  # written out: negating it for every value would take memory each time

_VERSION = 1
_SYNCED = 0x01
_ALARM = 0x02
_HEAD = ">BBIIQQ"
_HEAD_SIZE = 26
_TIME_MAX = 1 << 53
_WORD = 0xFFFFFFFF

_NONE = 0
_FLOAT = 1
_INTEGER = 2
_FALSE = 3
_TRUE = 4
_TEXT = 5


class Sample:
    """Values taken at one moment. ``values``: list of (index, quality, value), by rising index."""

    record_kind = SAMPLE

    def __init__(self, boot, seq, t_ms, up_ms, synced, catalogue_number, values):
        self.boot = boot
        self.seq = seq
        self.t_ms = t_ms
        self.up_ms = up_ms
        self.synced = synced
        self.catalogue_number = catalogue_number
        self.values = values


class Event:
    """Something that happened once. ``alarm``: a trip, an alarm or a loss, never dropped for samples."""

    record_kind = EVENT

    def __init__(self, boot, seq, t_ms, up_ms, synced, kind, name, text, alarm):
        self.boot = boot
        self.seq = seq
        self.t_ms = t_ms
        self.up_ms = up_ms
        self.synced = synced
        self.kind = kind
        self.name = name
        self.text = text
        self.alarm = alarm


class SampleWriter:
    """Writes samples into one buffer, so that a tick takes no more memory than the record itself.

    start(), then add() by rising index, then finish(). ``count``: values added since start().
    """

    def __init__(self, size: int = 512):
        self.count = 0
        self._buffer = bytearray(size + _HEAD_SIZE + 6)
        self._end = 0
        self._last = -1

    def start(self):
        """Begin a sample; what was begun before is forgotten."""
        self.count = 0
        self._end = _HEAD_SIZE + 6
        self._last = -1

    def full(self) -> bool:
        """Whether a further value of any size might not fit into a record."""
        return self._end + 3 + SHORT_MAX > RECORD_MAX

    def add(self, index: int, quality: int, value):
        """Add a value: float, int, bool, str or None.

        A float that is not finite, or beyond 32 bits, and an integer beyond 64 bits become None, bad. A text
        is cut at 255 bytes. ValueError for an index that does not rise or a quality that does not exist.
        """
        if index <= self._last or index > INDEX_MAX or quality < 0 or quality > 2:
            raise ValueError("record: index %d after %d, quality %d" % (index, self._last, quality))
        end = self._end
        if end + 3 + SHORT_MAX > len(self._buffer):
            self._grow()
        buffer = self._buffer
        head = index << 5 | quality
        # A bool is an int, so it comes first; the comparison is false for NaN.
        if isinstance(value, float) and FLOAT_MIN <= value <= FLOAT_MAX:
            struct.pack_into(">Hf", buffer, end, head | _FLOAT << 2, value)
            end += 6
        elif value is True or value is False:
            struct.pack_into(">H", buffer, end, head | (_TRUE if value else _FALSE) << 2)
            end += 2
        elif isinstance(value, int) and -(1 << 63) <= value < 1 << 63:
            struct.pack_into(">Hq", buffer, end, head | _INTEGER << 2, value)
            end += 10
        elif isinstance(value, str):
            data = cut(value, SHORT_MAX)
            struct.pack_into(">HB", buffer, end, head | _TEXT << 2, len(data))
            end += 3
            buffer[end : end + len(data)] = data
            end += len(data)
        elif value is None or isinstance(value, (int, float)):
            if value is not None:
                head = index << 5 | BAD
            struct.pack_into(">H", buffer, end, head)
            end += 2
        else:
            raise ValueError("record: value %s of index %d" % (value, index))
        self._last = index
        self._end = end
        self.count += 1

    def finish(
        self, boot: int, seq: int, t_ms: int, up_ms: int, synced: bool, catalogue_number: int
    ) -> bytes:
        """The record."""
        if self._end > RECORD_MAX:
            raise ValueError("record: %d bytes, at most %d fit" % (self._end, RECORD_MAX))
        _pack_head(self._buffer, SAMPLE, _SYNCED if synced else 0, boot, seq, t_ms, up_ms)
        struct.pack_into(">IH", self._buffer, _HEAD_SIZE, catalogue_number & _WORD, self.count)
        return bytes(memoryview(self._buffer)[: self._end])

    def _grow(self):
        buffer = bytearray(2 * len(self._buffer) + SHORT_MAX)
        buffer[: self._end] = memoryview(self._buffer)[: self._end]
        self._buffer = buffer


def encode_sample(
    boot: int, seq: int, t_ms: int, up_ms: int, synced: bool, catalogue_number: int, values: list
) -> bytes:
    """A sample record; ``values`` as SampleWriter.add takes them: (index, quality, value)."""
    writer = SampleWriter(8 * len(values))
    writer.start()
    for index, quality, value in values:
        writer.add(index, quality, value)
    return writer.finish(boot, seq, t_ms, up_ms, synced, catalogue_number)


def encode_event(
    boot: int, seq: int, t_ms: int, up_ms: int, synced: bool, kind: str, name: str, text: str, alarm: bool
) -> bytes:
    """An event record; ``kind`` and ``name`` are cut at 255 bytes, ``text`` at 1024."""
    parts = (cut(kind, SHORT_MAX), cut(name, SHORT_MAX), cut(text, TEXT_MAX))
    size = _HEAD_SIZE
    for part in parts:
        size += len(part)
    record = bytearray(size + 4)
    flags = (_SYNCED if synced else 0) | (_ALARM if alarm else 0)
    _pack_head(record, EVENT, flags, boot, seq, t_ms, up_ms)
    end = _HEAD_SIZE
    for number, part in enumerate(parts):
        if number < 2:
            record[end] = len(part)
            end += 1
        else:
            struct.pack_into(">H", record, end, len(part))
            end += 2
        record[end : end + len(part)] = part
        end += len(part)
    return bytes(record)


def peek(record: bytes) -> tuple:
    """(kind, boot, seq, is_alarm) without decoding the rest; ValueError where it is no record."""
    if len(record) < _HEAD_SIZE or len(record) > RECORD_MAX:
        raise ValueError("record: %d bytes, expected %d to %d" % (len(record), _HEAD_SIZE, RECORD_MAX))
    kind = record[0]
    flags = record[1]
    allowed = _SYNCED | _ALARM if kind == EVENT else _SYNCED
    if (kind != SAMPLE and kind != EVENT) or flags & ~allowed != _VERSION << 4:
        raise ValueError("record: kind %d with flags 0x%02x" % (kind, flags))
    boot, seq = struct.unpack_from(">II", record, 2)
    return kind, boot, seq, bool(flags & _ALARM)


def decode(record: bytes):
    """The Sample or Event in a record; ValueError, which says why, for anything that is neither."""
    kind, boot, seq, alarm = peek(record)
    t_ms, up_ms = struct.unpack_from(">QQ", record, 10)
    if t_ms > _TIME_MAX or up_ms > _TIME_MAX:
        raise ValueError("record: time %d, up for %d ms" % (t_ms, up_ms))
    synced = bool(record[1] & _SYNCED)
    if kind == EVENT:
        name, text, end = _event_texts(record)
        if end != len(record):
            raise ValueError("record: %d bytes, expected %d" % (len(record), end))
        return Event(boot, seq, t_ms, up_ms, synced, name[0], name[1], text, alarm)
    if len(record) < _HEAD_SIZE + 6:
        raise ValueError("record: sample of %d bytes" % len(record))
    number, count = struct.unpack_from(">IH", record, _HEAD_SIZE)
    return Sample(boot, seq, t_ms, up_ms, synced, number, _sample_values(record, count))


def cut(text: str, most: int) -> bytes:
    """A text as UTF-8 of at most ``most`` bytes, cut between two characters."""
    # Half a surrogate pair, as from a damaged path, is no reason to stop.
    data = text.encode("utf-8", "replace")
    if len(data) <= most:
        return data
    end = most
    while end > 0 and data[end] & 0xC0 == 0x80:
        end -= 1
    return data[:end]


def _pack_head(buffer, kind: int, flags: int, boot: int, seq: int, t_ms: int, up_ms: int):
    # A board without the time may be anywhere: what does not fit says "unknown", never something else.
    if t_ms < 0 or t_ms > _TIME_MAX:
        t_ms = 0
    if up_ms < 0:
        up_ms = 0
    struct.pack_into(_HEAD, buffer, 0, kind, flags | _VERSION << 4, boot & _WORD, seq & _WORD, t_ms, up_ms)


def _text(record, start: int, size: int) -> str:
    end = start + size
    if end > len(record):
        raise ValueError("record: ends in a text of %d bytes" % size)
    return bytes(record[start:end]).decode()


def _event_texts(record) -> tuple:
    """((kind, name), text, end) of an event."""
    end = _HEAD_SIZE
    short = []
    for _ in range(2):
        if end >= len(record):
            raise ValueError("record: event ends before its texts")
        size = record[end]
        short.append(_text(record, end + 1, size))
        end += 1 + size
    if end + 2 > len(record):
        raise ValueError("record: event ends before its text")
    size = struct.unpack_from(">H", record, end)[0]
    if size > TEXT_MAX:
        raise ValueError("record: text of %d bytes, at most %d" % (size, TEXT_MAX))
    return short, _text(record, end + 2, size), end + 2 + size


def _sample_values(record, count: int) -> list:
    size = len(record)
    end = _HEAD_SIZE + 6
    last = -1
    values = []
    for _ in range(count):
        if end + 2 > size:
            raise ValueError("record: ends before value %d of %d" % (len(values), count))
        head = record[end] << 8 | record[end + 1]
        end += 2
        index = head >> 5
        form = head >> 2 & 7
        quality = head & 3
        if index <= last or quality > BAD:
            raise ValueError("record: index %d after %d, quality %d" % (index, last, quality))
        last = index
        if form == _FLOAT:
            if end + 4 > size:
                raise ValueError("record: ends in a float")
            value = struct.unpack_from(">f", record, end)[0]
            if value - value != 0.0:
                raise ValueError("record: %s of index %d is not finite" % (value, index))
            end += 4
        elif form == _NONE:
            value = None
        elif form == _TRUE or form == _FALSE:
            value = form == _TRUE
        elif form == _INTEGER:
            if end + 8 > size:
                raise ValueError("record: ends in an integer")
            value = struct.unpack_from(">q", record, end)[0]
            end += 8
        elif form == _TEXT:
            if end >= size:
                raise ValueError("record: ends before a text")
            value = _text(record, end + 1, record[end])
            end += 1 + record[end]
        else:
            raise ValueError("record: form %d of index %d" % (form, index))
        values.append((index, quality, value))
    if end != size:
        raise ValueError("record: %d bytes after the last value" % (size - end))
    return values
