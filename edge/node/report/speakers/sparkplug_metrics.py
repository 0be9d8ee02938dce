"""The metrics of a Sparkplug edge node: how those of the catalogue and its own are named and written.

Aliases are the places in the catalogue, counted from 1; the node's own metrics follow. "Node Control/Rebirth"
has none, as the specification demands.
"""

from edge.node.report import catalogue as kinds
from edge.node.report.records import BAD, GOOD
from edge.node.report.speakers import protobuf

REBIRTH = "Node Control/Rebirth"
COMMAND = "Node Control/Command"

# The node's own metrics, by their place after the catalogue's.
BD_SEQ = 0
SYNCHRONISED = 1
EVENT = 2
COMMANDS = 3
SESSION = 4
ANSWER = 5
OWN = (
    ("bdSeq", protobuf.INT64),
    ("Node Info/Clock Synchronised", protobuf.BOOLEAN),
    ("Node Info/Event", protobuf.STRING),
    (COMMAND, protobuf.STRING),
    ("Node Control/Session", protobuf.STRING),
    ("Node Control/Answer", protobuf.STRING),
)

# Values of the property Quality; without it a value is good (192).
QUALITY_BAD = 0
QUALITY_STALE = 500

_DATATYPES = {
    kinds.FLOAT: protobuf.FLOAT,
    kinds.INTEGER: protobuf.INT64,
    kinds.BOOLEAN: protobuf.BOOLEAN,
    kinds.TEXT: protobuf.STRING,
}
_NULL_BAD = protobuf.NULL + protobuf.properties([("Quality", protobuf.int_property(QUALITY_BAD))])
_STALE = protobuf.properties([("Quality", protobuf.int_property(QUALITY_STALE))])


class Vocabulary:
    """The words for one catalogue. ``typed``: the datatype is in data too, for decoders that need it.

    ``devices``: names, the node itself ("") first; ``places``: by index, which of them has the metric;
    ``links``: by device, the index of the metric that tells whether it answers, -1 where there is none.
    """

    def __init__(self, catalogue, typed: bool):
        self.catalogue = catalogue
        self.devices = [""]
        self.places = []
        self._heads = []
        self._kinds = []  # datatype of each metric, b"" where data does without
        self._typed = typed
        self._maps = []  # of earlier catalogues: [(number, indices here)]
        for index, metric in enumerate(catalogue.metrics):
            if metric.device not in self.devices:
                check_id(metric.device)
                self.devices.append(metric.device)
            self.places.append(self.devices.index(metric.device))
            self._heads.append(protobuf.alias(index + 1))
            self._kinds.append(protobuf.datatype(_DATATYPES[metric.type]) if typed else b"")
        self.links = [catalogue.index("device." + device + ".link") for device in self.devices]

    def body(self, index: int, stamp: bytes, quality: int, value, flag: bytes) -> bytes:
        """A metric of a data message; ``stamp``: protobuf.timestamp(), ``flag``: HISTORICAL or nothing."""
        head = self._heads[index] + stamp + self._kinds[index] + flag
        data = b"" if quality == BAD else _value(self.catalogue.metrics[index].type, value)
        if not data:
            return head + _NULL_BAD
        return head + data if quality == GOOD else head + _STALE + data

    def definition(self, index: int, t_ms: int, quality: int, value) -> bytes:
        """A metric of a birth; a quality of -1 says that it has not been seen yet."""
        metric = self.catalogue.metrics[index]
        head = protobuf.name(spoken(metric.name)) + self._heads[index] + protobuf.timestamp(t_ms)
        head += protobuf.datatype(_DATATYPES[metric.type])
        data = b"" if quality == BAD else _value(metric.type, value)
        if not data:
            head += protobuf.NULL
        pairs = [("engUnit", protobuf.text_property(metric.unit))] if metric.unit else []
        if quality != GOOD or not data:
            stale = data or quality < 0
            pairs.append(("Quality", protobuf.int_property(QUALITY_STALE if stale else QUALITY_BAD)))
        if pairs:
            head += protobuf.properties(pairs)
        return head + data

    def own(self, which: int, t_ms: int, data: bytes, flag: bytes = b"") -> bytes:
        """One of the node's own metrics in a data message; ``data``: its value."""
        head = protobuf.alias(len(self._heads) + 1 + which) + protobuf.timestamp(t_ms)
        if self._typed:
            head += protobuf.datatype(OWN[which][1])
        return head + flag + data

    def own_definition(self, which: int, t_ms: int, data: bytes) -> bytes:
        """The same in a birth; no ``data`` is null."""
        name, kind = OWN[which]
        head = protobuf.name(name) + protobuf.alias(len(self._heads) + 1 + which) + protobuf.timestamp(t_ms)
        return head + protobuf.datatype(kind) + (data or protobuf.NULL)

    def name_of(self, alias: int):
        """The name behind an alias, or None."""
        if 1 <= alias <= len(self._heads):
            return spoken(self.catalogue.metrics[alias - 1].name)
        own = alias - len(self._heads) - 1
        return OWN[own][0] if 0 <= own < len(OWN) else None

    def indices(self, sample, catalogue_of):
        """Indices here of the metrics of the sample's own catalogue; None where it is this one.

        -1 is a metric that this catalogue has not, or has with another type or device.
        """
        number = sample.catalogue_number
        if number == self.catalogue.number:
            return None
        for known, here in self._maps:
            if known == number:
                return here
        earlier = None if catalogue_of is None else catalogue_of(number)
        if earlier is None:
            return []
        here = []
        for metric in earlier.metrics:
            index = self.catalogue.index(metric.name)
            if index >= 0:
                now = self.catalogue.metrics[index]
                if now.type != metric.type or now.device != metric.device:
                    index = -1
            here.append(index)
        self._maps = [(number, here)]
        return here


def rebirth_definition(t_ms: int) -> bytes:
    head = protobuf.name(REBIRTH) + protobuf.timestamp(t_ms) + protobuf.datatype(protobuf.BOOLEAN)
    return head + protobuf.boolean_value(False)


def death(t_ms: int, bd_seq: int) -> bytes:
    """The payload of an NDEATH."""
    head = protobuf.name(OWN[BD_SEQ][0]) + protobuf.timestamp(t_ms) + protobuf.datatype(protobuf.INT64)
    return protobuf.payload(t_ms, [protobuf.metric(head + protobuf.integer_value(bd_seq))], -1)


def check_id(text: str):
    """ValueError where a text can't be a group, edge node, device or host id: it would be part of a topic."""
    if not text or "+" in text or "/" in text or "#" in text or "\x00" in text:
        raise ValueError("sparkplug: id '%s', expected a text without + / #" % text)


def spoken(name: str) -> str:
    """A name of the catalogue as a metric's: its parts are folders."""
    return name.replace(".", "/")


def _value(kind: int, value) -> bytes:
    """The value of a metric of the catalogue; b"" where it has none that fits its type."""
    if kind == kinds.FLOAT:
        if isinstance(value, float) or type(value) is int:
            return protobuf.float_value(value)
    elif kind == kinds.TEXT:
        if isinstance(value, str):
            return protobuf.string_value(value)
    elif kind == kinds.BOOLEAN:
        if isinstance(value, bool):
            return protobuf.boolean_value(value)
    elif type(value) is int:
        return protobuf.integer_value(value)
    return b""
