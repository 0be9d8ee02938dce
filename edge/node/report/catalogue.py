"""What a node reports, as one numbered list: a record names a value by its place in it.

The list is made from the node description and does not change while the node runs. Its number is the CRC-32
of its JSON, so that a stored record finds the list it was made with after the node file has changed.
"""

import json
from binascii import crc32

FLOAT = 1
INTEGER = 2
BOOLEAN = 3
TEXT = 4
TYPES = (FLOAT, INTEGER, BOOLEAN, TEXT)

VERSION = 1
METRICS_MAX = 2048  # an index has 11 bits in a record
JSON_MAX = 262144  # bytes


class Metric:
    """One value that is reported.

    ``name``: "t_furnace", "output.feeder", "loop.steam.set_point" ...; ``unit``: as in the node file;
    ``type``: FLOAT, INTEGER, BOOLEAN or TEXT; ``device``: the instrument that has it, "" for the node itself;
    ``dead_band``: a FLOAT or INTEGER is told anew when it has changed by so much, 0 by anything;
    ``period_ms``: and also when it has not been told for so long, 0 only on change;
    ``writable``: whether a command from afar may set it; ``low``, ``high``: its range, None where unknown.
    """

    def __init__(
        self,
        name: str,
        unit: str = "",
        type: int = FLOAT,
        device: str = "",
        dead_band: float = 0.0,
        period_ms: int = 0,
        writable: bool = False,
        low=None,
        high=None,
    ):
        self.name = name
        self.unit = unit
        self.type = type
        self.device = device
        self.dead_band = dead_band
        self.period_ms = period_ms
        self.writable = writable
        self.low = low
        self.high = high


class Catalogue:
    """``metrics``: a list of Metric, whose places are the indices in a record; ``number``: 32 bits.

    ValueError for more than METRICS_MAX metrics or a name that comes twice.
    """

    def __init__(self, metrics: list, site: str, node: str):
        if len(metrics) > METRICS_MAX:
            raise ValueError("catalogue: %d metrics, at most %d fit" % (len(metrics), METRICS_MAX))
        self.metrics = metrics
        self.site = site
        self.node = node
        self._places = {}
        for index, metric in enumerate(metrics):
            if metric.name in self._places:
                raise ValueError("catalogue: metric '%s' comes twice, expected once" % metric.name)
            self._places[metric.name] = index
        self._json = None
        number = 0
        for piece in self._pieces():
            number = crc32(piece, number)
        self.number = number & 0xFFFFFFFF

    def index(self, name: str) -> int:
        """The place of a metric; -1 where there is none of that name."""
        return self._places.get(name, -1)

    def to_json(self) -> bytes:
        """The list as JSON, always the same bytes."""
        return self._json or b"".join(self._pieces())

    # Lists rather than objects: their order is fixed on a runtime whose dicts have none. One by one: a board
    # may not have room for all of it at once.
    def _pieces(self):
        head = json.dumps([VERSION, self.site, self.node]).encode()
        yield head[:-1] + b", ["
        for index, m in enumerate(self.metrics):
            row = [m.name, m.unit, m.type, m.device, m.dead_band, m.period_ms, m.writable, m.low, m.high]
            yield (b", " if index else b"") + json.dumps(row).encode()
        yield b"]]"


def from_json(data: bytes) -> Catalogue:
    """The catalogue in the bytes of ``to_json``, of either runtime; ValueError where they are not that."""
    if len(data) > JSON_MAX:
        raise ValueError("catalogue: %d bytes, at most %d are read" % (len(data), JSON_MAX))
    try:
        version, site, node, rows = json.loads(data)
        if not isinstance(rows, list):
            raise ValueError("no list of metrics")
        metrics = [_metric(row) for row in rows]
    except (TypeError, ValueError, RuntimeError, MemoryError) as error:
        raise ValueError("catalogue: damaged: %s" % error) from None
    if version != VERSION or type(version) is not int:
        raise ValueError("catalogue: has version %s, this firmware reads %d" % (version, VERSION))
    if not isinstance(site, str) or not isinstance(node, str):
        raise ValueError("catalogue: site and node must be texts")
    catalogue = Catalogue(metrics, site, node)
    # Two runtimes write the same number differently: the bytes it came as are the ones that count.
    catalogue._json = bytes(data)
    catalogue.number = crc32(catalogue._json) & 0xFFFFFFFF
    return catalogue


def _metric(row) -> Metric:
    name, unit, type_, device, dead_band, period_ms, writable, low, high = row
    for text in (name, unit, device):
        if not isinstance(text, str):
            raise ValueError("a text is missing")
    if name == "" or type_ not in TYPES or isinstance(type_, (bool, float)):
        raise ValueError("metric '%s' of type %s" % (name, type_))
    if not _is_number(dead_band) or dead_band < 0 or type(period_ms) is not int or period_ms < 0:
        raise ValueError("metric '%s' with dead band %s and period %s" % (name, dead_band, period_ms))
    if type(writable) is not bool:
        raise ValueError("metric '%s' with writable %s" % (name, writable))
    for limit in (low, high):
        if limit is not None and not _is_number(limit):
            raise ValueError("metric '%s' with limit %s" % (name, limit))
    return Metric(name, unit, type_, device, dead_band, period_ms, writable, low, high)


def _is_number(value) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return -1e38 < value < 1e38
