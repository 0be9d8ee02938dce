"""Outputs that are written when they change, and again before the device would think its host dead.

The device falls to its safe values when nothing comes for ``lease_ms``; a third of that leaves room for two
lost refreshes.
"""

from edge.node.devices.commanded import Commanded
from edge.node.devices.device import Device

LEASE_MARGIN_MS = 500
# How often it is read whether a watchdog is still enabled: a device that lost its power may have forgotten.
LEASE_PERIOD_MS = 5000


class Leased(Device):
    """``safe``: output name -> safe value in percent, of the outputs in use.

    One write covers all outputs from the first to the last one in use; what is between and not in use
    stands at 0 %. ``write`` is the family's, and ``blocked``; so is READ_BACK, the tags of the polls that
    read the outputs back, and OUTPUTS_AT, where they are written, for messages.
    """

    READ_BACK = ["read back"]
    OUTPUTS_AT = ""

    def __init__(self, name, unit: int, input_names: list, output_names: list, lease_ms: int, safe: dict):
        Device.__init__(self, name, unit, input_names, len(output_names))
        self.lease_ms = lease_ms
        self.used = [i for i in range(len(output_names)) if output_names[i] in safe]
        if self.used:
            self.rest_ms = lease_ms + LEASE_MARGIN_MS
        self.first = self.used[0] if self.used else 0
        self.count = self.used[-1] - self.first + 1 if self.used else 0
        self.safe = [
            self.raw(safe.get(output_names[i]) or 0.0) for i in range(self.first, self.first + self.count)
        ]
        self._asked_pct = [None] * len(output_names)
        if self.used:
            self.commands = self.make_commands()

    def make_commands(self) -> list:
        """One for all of them, where one write moves them all."""
        channels = list(range(self.first, self.first + self.count))
        return [Commanded("outputs", "outputs (%s)" % self.OUTPUTS_AT, channels, self.lease_ms)]

    def raw(self, percent: float) -> int:
        """The register value, or 0 or 1, of an output in percent."""
        return int(percent + 0.5)

    def blocked(self, now_ms: int) -> bool:
        """Whether outputs must wait for something; starts what is needed."""
        return False

    def write(self, tag, first: int, values: list) -> bool:
        """Write raw values from output ``first`` on; see Device.write_registers for the answer."""
        raise NotImplementedError

    def send(self, command) -> bool:
        return self.write(command.tag, command.channels[0], command.wanted)

    def drive(self, channel: int, percent: float, now_ms: int):
        self._asked_pct[channel] = percent

    def work(self, now_ms: int):
        if not self.blocked(now_ms):
            for command in self.commands:
                self._want(command, now_ms)
            Device.work(self, now_ms)

    def _want(self, command, now_ms: int):
        """Nothing is wanted as long as not every output in use is asked for something."""
        percents = []
        for i in command.channels:
            percent = self._asked_pct[i]
            if percent is None:
                if i in self.used:
                    return
                percent = 0.0
            percents.append(percent)
        command.want([self.raw(percent) for percent in percents], percents, now_ms)

    def moved(self, values: list) -> bool:
        """Whether the outputs, read back as raw values, are not where the device confirmed them."""
        if not self.ready:
            return False
        for command in self.commands:
            if command.held() and values[self.first : self.first + self.count] != command.confirmed:
                return True
        return False

    def set_bits(self, place: int, count: int, bits: int, now_ms: int):
        """Readings of 0 or 1 from ``place`` on, the first in the lowest bit."""
        for i in range(count):
            self.values[place + i] = 1.0 if bits & 1 << i else 0.0
            self.faults[place + i] = ""
            self.stamps_ms[place + i] = now_ms

    def verified(self, now_ms: int):
        # What was wanted before is no longer wanted, and where the outputs stand is not known until they
        # have been read back.
        self._asked_pct = [None] * len(self._asked_pct)
        for i in range(self.outputs):
            self.faults[i] = "not read back yet"
        for tag in self.READ_BACK:
            self.read_now(tag)

    def actual(self, channel: int):
        """Of a family whose inputs begin with the read-back of its outputs."""
        return self.values[channel] if self.faults[channel] == "" else None
