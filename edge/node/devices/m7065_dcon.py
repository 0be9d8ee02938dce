"""ICP DAS M-7055 and M-7065 asked with DCON commands.

Commands: I-7000 DIO manual B1.2, p. 53-55 (read: @AA(data) with its answers, ~AA4V). @AA, which answers
outputs and inputs in two digits each: recollection of the same manual.
"""

from edge.node.devices.dcon_device import TextSetting, hexadecimal
from edge.node.devices.icpdas_dcon import WatchedDcon
from edge.node.devices.m7065 import CHANNELS, inputs, outputs
from edge.node.devices.switched import Switched


class M7065Dcon(Switched, WatchedDcon):
    """``spec``: its table of the node file; ``safe``: output name -> 0 or 100."""

    READ_BACK = ["data"]
    OUTPUTS_AT = "@AA"

    def __init__(self, name: str, spec: dict, safe: dict):
        kind = spec["type"]
        WatchedDcon.__init__(self, name, spec, inputs(kind), outputs(kind), safe)
        self.channels = CHANNELS[kind]
        if self.used:
            mask = 0
            for i in self.used:
                mask |= 1 << i
            want = "%02X" % self._bits(self.safe)
            self.settings = [
                TextSetting("safe value (~AA4S)", "~4S", 3, want, mask),
                self.watchdog_setting(),
            ]

    def _bits(self, values: list) -> int:
        bits = 0
        for i in range(len(values)):
            bits |= values[i] << self.first + i
        return bits

    def places(self, tag) -> list:
        return list(range(self._place)) if tag == "data" else WatchedDcon.places(self, tag)

    def polls(self) -> list:
        polls = [("data", self.text("@"), self.period_ms)]
        if self.used:
            polls.append(self.watchdog_poll())
        return polls

    def received(self, tag, data: bytes, now_ms: int):
        if tag != "data":
            WatchedDcon.received(self, tag, data, now_ms)
            return
        outputs, inputs = self.channels
        bits = hexadecimal(data[1:5])
        if bits is None or len(data) != 5:
            self.set_fault("unreadable")
            return
        self.set_bits(0, outputs, bits >> 8, now_ms)
        self.set_bits(outputs, inputs, bits, now_ms)

    def write(self, tag, first: int, values: list) -> bool:
        return self.ask(tag, self.text("@%02X" % self._bits(values)))


def build(name: str, spec: dict, wired: dict, safe: dict):
    """A driver from its table of a node file."""
    return M7065Dcon(name, spec, safe)
