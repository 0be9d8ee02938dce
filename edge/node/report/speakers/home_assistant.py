"""Home Assistant by MQTT discovery: one device with an entity for each metric, to look at, not to command.

Retained on <prefix>/device/<object id>/config: the device, the origin and its components, abbreviated as Home
Assistant documents it. <base>/home_assistant/availability: "online"/"offline", retained, the will of this
connection. <base>/home_assistant/state: the newest value of everything as one flat JSON object, at most every
``period_ms`` and at once when an alarm or a trip comes or goes; what is bad is null, which Home Assistant
shows as unknown. <base>/home_assistant/event: the newest event.

When Home Assistant says "online" on <prefix>/status all of it is published again. A component that is gone
from the node file is published once more with nothing but its platform, which removes it.

Nothing can be written: Home Assistant cannot make the nonce and counter that docs/commands.md asks for.

``settings``: "prefix" (where absent "homeassistant"), "period_ms" (5000), "expire_s" (seconds without a state
after which Home Assistant takes the values as gone; where absent never).
"""

from edge import __version__
from edge.node.report.catalogue import BOOLEAN, TEXT
from edge.node.report.messages import OFFLINE, ONLINE
from edge.node.report.records import BAD, EVENT, SAMPLE
from edge.node.report.speakers.speaker import (
    HOME_ASSISTANT,
    Latest,
    Speaker,
    event_json,
    quote,
    value_text,
)

PREFIX = "homeassistant"
PERIOD_MS = 5000
KNOWN_KEY = "home_assistant.known"

# Units of the node file: (unit, device class) of Home Assistant. Others are shown as they are, unclassed.
UNITS = {
    "degC": ("°C", "temperature"),
    "K": ("K", "temperature"),
    "Pa": ("Pa", "pressure"),
    "hPa": ("hPa", "pressure"),
    "kPa": ("kPa", "pressure"),
    "mbar": ("mbar", "pressure"),
    "bar": ("bar", "pressure"),
    "W": ("W", "power"),
    "kW": ("kW", "power"),
    "MW": ("MW", "power"),
    "kWh": ("kWh", "energy"),
    "A": ("A", "current"),
    "mA": ("mA", "current"),
    "V": ("V", "voltage"),
    "mV": ("mV", "voltage"),
    "Hz": ("Hz", "frequency"),
    "m3/h": ("m³/h", "volume_flow_rate"),
    "l/min": ("L/min", "volume_flow_rate"),
    "m/s": ("m/s", "speed"),
    "s": ("s", "duration"),
    "min": ("min", "duration"),
    "h": ("h", "duration"),
    "kg": ("kg", "weight"),
    "t": ("t", "weight"),
}
_LAST_EVENT = "last-event"


class HomeAssistant(Speaker):
    """See above."""

    name = HOME_ASSISTANT
    history = False

    def __init__(self, base: str, site: str, node: str, settings: dict, clock):
        super().__init__(base, site, node, settings, clock)
        self.prefix = settings.get("prefix") or PREFIX
        self.period_ms = settings.get("period_ms") or PERIOD_MS
        self.object_id = plain_id("furnace-" + site + "-" + node)
        self.latest = None
        self._expire_s = settings.get("expire_s") or 0
        self._keys = []
        self._known = b""
        self._gone = []
        self._topics = base + "/home_assistant/"

    def begin(self, catalogue, epoch: str, recall, keep):
        super().begin(catalogue, epoch, recall, keep)
        if self.latest is None or self.latest.number != catalogue.number:
            self.latest = Latest(catalogue)
        self._keys = [quote(metric.name) + ":" for metric in catalogue.metrics]
        known = [_platform(metric) + " " + plain_id(metric.name) for metric in catalogue.metrics]
        before = (recall(KNOWN_KEY) or b"").decode().split("\n")
        self._gone += [line for line in before if " " in line and line not in self._gone]
        ids = [line.split(" ")[1] for line in known]
        self._gone = [line for line in self._gone if line.split(" ")[1] not in ids]
        self._known = "\n".join(known).encode()
        # Who is gone is remembered until somebody has been told.
        self._remember("\n".join(known + self._gone).encode())

    def _remember(self, lines: bytes):
        if self.recall(KNOWN_KEY) != lines:
            self.keep(KNOWN_KEY, lines)

    def observe(self, record, number: int):
        if record.record_kind == SAMPLE and record.catalogue_number == self.latest.number:
            values = self.latest.values
            for index, _, value in record.values:
                if value is True or value is False:
                    before = values[index] if index < len(values) else None
                    if before is not None and before[2] is not value:
                        self.urgent = True
        self.latest.observe(record, number)

    def known(self) -> bool:
        return self.latest.unseen == 0

    def before_connect(self) -> tuple:
        return self._topics + "availability", OFFLINE, 1, True

    def subscriptions(self) -> list:
        return [(self.prefix + "/status", 1)]

    def births(self, t_ms: int) -> list:
        topic = self.prefix + "/device/" + self.object_id + "/config"
        births = [
            (topic, self._discovery(), 1, True),
            (self._topics + "availability", OFFLINE if self.node_silent else ONLINE, 1, True),
            (self._topics + "state", self._state(), 1, False),
        ]
        if self.latest.event is not None:
            births.append((self._topics + "event", self._event(), 1, False))
        self._remember(self._known)
        return births

    def messages(self, lane: int, entries: list, historical: bool) -> list:
        if not entries:
            return []
        first, last = entries[0][0], entries[-1][0]
        if lane == EVENT:
            if self.latest.event is None:
                return []
            return [(self._topics + "event", self._event(), 1, False, first, last)]
        self.urgent = False
        return [(self._topics + "state", self._state(), 1, False, first, last)]

    def heard(self, topic: str, payload: bytes, retain: bool) -> list:
        if topic != self.prefix + "/status":
            return self.refuse("heard on " + topic)
        # A retained one is from before this connection, whose births have been sent.
        return [("births",)] if payload == ONLINE and not retain else []

    def goodbye(self, t_ms: int) -> list:
        return [(self._topics + "availability", OFFLINE, 1, True)]

    def _state(self) -> bytes:
        parts = []
        for index, entry in enumerate(self.latest.values):
            value = None if entry is None or entry[1] == BAD else entry[2]
            parts.append(self._keys[index] + value_text(value))
        return ("{" + ",".join(parts) + "}").encode()

    def _event(self) -> bytes:
        return event_json(self.epoch, self.latest.event_id, self.latest.event).encode()

    def _discovery(self) -> bytes:
        parts = []
        for metric in self.catalogue.metrics:
            own_id = plain_id(metric.name)
            template = "{{ value_json['" + metric.name + "'] }}"
            pairs = [("p", _platform(metric)), ("name", metric.name.replace(".", " ").replace("_", " ")),
                     ("uniq_id", self.object_id + "-" + own_id), ("val_tpl", template)]
            entity = _object(pairs + _details(metric))
            if self._expire_s:
                entity = entity[:-1] + ',"exp_aft":%d}' % self._expire_s
            parts.append(quote(own_id) + ":" + entity)
        news = [
            ("p", "sensor"), ("name", "last event"), ("uniq_id", self.object_id + "-" + _LAST_EVENT),
            ("stat_t", self._topics + "event"), ("json_attr_t", self._topics + "event"),
            ("val_tpl", "{{ (value_json.kind ~ ' ' ~ value_json.name ~ ': ' ~ value_json.text)[:255] }}"),
        ]
        parts.append(quote(_LAST_EVENT) + ":" + _object(news))
        for line in self._gone:
            platform, own_id = line.split(" ")
            parts.append(quote(own_id) + ":" + _object([("p", platform)]))
        device = _object([("name", self.site + " " + self.node), ("mf", "furnace-edge"),
                          ("mdl", "furnace node"), ("sw", __version__)])
        origin = _object([("name", "furnace-edge"), ("sw", __version__)])
        return (
            '{"dev":{"ids":[%s],%s,"o":%s,"avty_t":%s,"stat_t":%s,"qos":1,"cmps":{%s}}'
            % (quote(self.object_id), device[1:], origin, quote(self._topics + "availability"),
               quote(self._topics + "state"), ",".join(parts))
        ).encode()


def plain_id(text: str) -> str:
    """A text as an id of Home Assistant: letters, digits, _ and -."""
    chars = []
    for char in text:
        good = "a" <= char <= "z" or "A" <= char <= "Z" or "0" <= char <= "9" or char == "_" or char == "-"
        chars.append(char if good else "-" if char == "." else "_")
    return "".join(chars)


def _object(pairs: list) -> str:
    return "{" + ",".join([quote(key) + ":" + quote(value) for key, value in pairs]) + "}"


def _platform(metric) -> str:
    return "binary_sensor" if metric.type == BOOLEAN else "sensor"


def _details(metric) -> list:
    """Unit, classes and payloads of an entity."""
    if metric.type == TEXT:
        return []
    if metric.type == BOOLEAN:
        # How a template shows a boolean.
        details = [("pl_on", "True"), ("pl_off", "False")]
        if metric.name.startswith("alarm.") or metric.name.startswith("trip."):
            details.append(("dev_cla", "problem"))
        elif metric.name.startswith("device.") and metric.name.endswith(".link"):
            details += [("dev_cla", "connectivity"), ("ent_cat", "diagnostic")]
        return details
    details = [("stat_cla", "measurement")]
    unit, kind = UNITS.get(metric.unit, (metric.unit, ""))
    if unit:
        details.append(("unit_of_meas", unit))
    if kind == "energy":
        details[0] = ("stat_cla", "total_increasing")
    if kind:
        details.append(("dev_cla", kind))
    return details
