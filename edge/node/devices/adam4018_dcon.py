"""Advantech ADAM-4018+ and ADAM-4118 asked with DCON commands (ADAM ASCII).

Commands: ADAM-4000 user's manual, chapter 5 (read: #AA p. 5-14, $AA2 p. 5-10, $AAB p. 5-23). Recollection:
the type code of one channel by $AA8Ci, and the name by $AAM.
"""

from edge.node.devices.adam4018 import BURNT_OUT, CHANNELS, INPUTS, SENSORS
from edge.node.devices.dcon_device import DconDevice, TextSetting, channel_type, fields, hexadecimal

# The data format in the last field of "$AA2": 0 is engineering units.
FORMAT_BITS = 0x03
# What the name begins with; letters may follow.
NAMES = {"adam4018+": "4018", "adam4118": "4118"}


class Adam4018Dcon(DconDevice):
    """``spec``: its table of the node file; ``sensors``: input name -> sensor, for the inputs in use."""

    def __init__(self, name: str, spec: dict, sensors: dict):
        DconDevice.__init__(self, name, spec, INPUTS)
        self.sensors = [sensors.get(name) for name in INPUTS]
        self.settings = [
            TextSetting("module name ($AAM)", "$M", 3, NAMES[spec["type"]]),
            TextSetting("data format ($AA2)", "$2", 7, "00", FORMAT_BITS),
        ]
        for i in range(CHANNELS):
            sensor = self.sensors[i]
            if sensor:
                self.settings.append(channel_type(i, SENSORS[sensor][0]))
        self._burnt_out = 0
        self._burnt_out_ms = -1

    def polls(self) -> list:
        return [
            ("burn-out", self.text("$B"), self.period_ms),
            ("inputs", self.text("#"), self.period_ms),
        ]

    def lost(self, now_ms: int):
        self._burnt_out_ms = -1
        self.set_fault(self.fault)

    def received(self, tag, data: bytes, now_ms: int):
        if not self.ready:
            self.set_fault(self.fault)
            return
        if tag == "burn-out":
            self._bitmap(data, now_ms)
            return
        known = self._burnt_out_ms >= 0 and now_ms - self._burnt_out_ms <= 3 * self.period_ms
        found = fields(data)
        for i in range(CHANNELS):
            if self.sensors[i] is None:
                continue
            self.stamps_ms[i] = now_ms
            if len(found) != CHANNELS:
                self.faults[i] = "%d channels in the reply" % len(found)
            elif not known:
                self.faults[i] = "burn-out not read"
            elif self._burnt_out & 1 << i:
                self.faults[i] = BURNT_OUT
            else:
                number, self.faults[i] = found[i]
                if number is not None:
                    self.values[i] = number

    def _bitmap(self, data: bytes, now_ms: int):
        bits = hexadecimal(data[3:5])
        if bits is None:
            self._burnt_out_ms = -1
            return
        self._burnt_out = bits
        self._burnt_out_ms = now_ms
        for i in range(CHANNELS):
            # At once: the value may be read later, and good again only with a new value.
            if self._burnt_out & 1 << i:
                self.faults[i] = BURNT_OUT


def build(name: str, spec: dict, wired: dict, safe: dict):
    """A driver from its table of a node file."""
    return Adam4018Dcon(name, spec, wired)
