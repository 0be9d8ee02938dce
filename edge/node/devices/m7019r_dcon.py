"""ICP DAS M-7018 and M-7019R asked with DCON commands.

Commands: I-7011, I-7018 user manual B1.0, 1.10 and 2.3 (#AA, $AA2, data format and type codes: read); the
type of each channel of an I-7019R by $AA8Ci: recollection of the I-7017/18/19 manual, as are +9999.9 and
-9999.9 for over and under range and the cold junction by $AA3.
"""

from edge.node.devices.dcon_device import DconDevice, TextSetting, channel_type, fields
from edge.node.devices.m7019r import CHANNELS, COLD_JUNCTION, INPUTS, SENSORS, current_fault

BROKEN = "broken wire or over range"
# The data format in the last field of "$AA2": 0 is engineering units.
FORMAT_BITS = 0x03


class M7019RDcon(DconDevice):
    """``spec``: its table of the node file; ``sensors``: input name -> sensor, for the inputs in use."""

    def __init__(self, name: str, spec: dict, sensors: dict):
        DconDevice.__init__(self, name, spec, INPUTS)
        self.cold_junction = bool(spec.get("cold_junction"))
        self.sensors = [sensors.get(name) for name in INPUTS[:CHANNELS]]
        self.settings = [TextSetting("data format ($AA2)", "$2", 7, "00", FORMAT_BITS)]
        self.settings += self.type_settings()

    def type_settings(self) -> list:
        settings = []
        for i in range(CHANNELS):
            sensor = self.sensors[i]
            if sensor:
                settings.append(channel_type(i, SENSORS[sensor][0]))
        return settings

    def polls(self) -> list:
        polls = [("inputs", self.text("#"), self.period_ms)]
        if self.cold_junction:
            polls.append(("cold", self.text("$3"), self.period_ms))
        return polls

    def places(self, tag) -> list:
        if tag == "cold":
            return [COLD_JUNCTION]
        return list(range(CHANNELS)) if tag == "inputs" else []

    def received(self, tag, data: bytes, now_ms: int):
        if not self.ready:
            self.set_fault(self.fault)
            return
        found = fields(data)
        if tag == "cold":
            self._take(COLD_JUNCTION, found[0] if found else (None, "unreadable"), "", now_ms)
            return
        for i in range(CHANNELS):
            sensor = self.sensors[i]
            if sensor:
                one = found[i] if len(found) == CHANNELS else (None, "%d channels in the reply" % len(found))
                self._take(i, one, sensor, now_ms)

    def _take(self, place: int, one: tuple, sensor: str, now_ms: int):
        number, fault = one
        self.stamps_ms[place] = now_ms
        if number is None:
            self.faults[place] = BROKEN if fault == "over range" else fault
            return
        self.values[place] = number
        self.faults[place] = current_fault(sensor, number)


class M7018Dcon(M7019RDcon):
    """One type code for all channels, in the second field of "$AA2"."""

    def type_settings(self) -> list:
        for sensor in self.sensors:
            if sensor:
                return [TextSetting("type code ($AA2)", "$2", 3, "%02X" % SENSORS[sensor][0])]
        return []


def build(name: str, spec: dict, wired: dict, safe: dict):
    """A driver from its table of a node file."""
    family = M7018Dcon if spec["type"] == "m7018" else M7019RDcon
    return family(name, spec, wired)
