"""Outputs that are written when they change, and again before the device would think its host dead.

The device falls to its safe values when nothing comes for ``lease_ms``; a third of that leaves room for two
lost refreshes.
"""

from edge.node.devices.device import Device

LEASE_MARGIN_MS = 500
# How often it is read whether a watchdog is still enabled: a device that lost its power may have forgotten.
LEASE_PERIOD_MS = 5000


class Leased(Device):
    """``safe``: output name -> safe value in percent, of the outputs in use.

    One write covers all outputs from the first to the last one in use; what is between and not in use
    stands at 0 %. ``blocked`` and ``send`` are the family's; so is READ_BACK, the tags of the polls that
    read the outputs back.
    """

    READ_BACK = ["read back"]

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
        self._wanted = [None] * len(output_names)
        self._sent = None
        self._sent_ms = 0

    def raw(self, percent: float) -> int:
        """The register value, or 0 or 1, of an output in percent."""
        return int(percent + 0.5)

    def blocked(self, now_ms: int) -> bool:
        """Whether outputs must wait for something; starts what is needed."""
        return False

    def send(self, values: list):
        """Write raw values from output ``first`` on, under tags that begin with "output"; the tags."""
        raise NotImplementedError

    def drive(self, channel: int, percent: float, now_ms: int):
        self._wanted[channel] = self.raw(percent)

    def work(self, now_ms: int):
        if self.blocked(now_ms):
            return
        wanted = self._asked_for()
        if wanted is None:
            return
        if wanted != self._sent or now_ms - self._sent_ms >= self.lease_ms // 3:
            for tag in self.send(wanted):
                self.commanded(tag)
            self._sent = wanted
            self._sent_ms = now_ms

    def _asked_for(self):
        """What shall be written, or None as long as not every output is asked for something."""
        if not self.used or None in [self._wanted[i] for i in self.used]:
            return None
        idle = self.raw(0.0)
        wanted = self._wanted[self.first : self.first + self.count]
        return [idle if value is None else value for value in wanted]

    def unsent(self) -> bool:
        wanted = self._asked_for()
        return wanted is not None and wanted != self._sent

    def moved(self, values: list) -> bool:
        """Whether the outputs, read back as raw values, are not where they were sent."""
        if self._sent is None or self._open or not self.ready:
            return False
        return values[self.first : self.first + self.count] != self._sent

    def set_bits(self, place: int, count: int, bits: int, now_ms: int):
        """Readings of 0 or 1 from ``place`` on, the first in the lowest bit."""
        for i in range(count):
            self.values[place + i] = 1.0 if bits & 1 << i else 0.0
            self.faults[place + i] = ""
            self.stamps_ms[place + i] = now_ms

    def verified(self, now_ms: int):
        # What was wanted before is no longer wanted, and where the outputs stand is not known until they
        # have been read back.
        self._wanted = [None] * len(self._wanted)
        self._sent = None
        for i in range(self.outputs):
            self.faults[i] = "not read back yet"
        for tag in self.READ_BACK:
            self.read_now(tag)

    def failed(self, tag, why: str, now_ms: int):
        Device.failed(self, tag, why, now_ms)
        if isinstance(tag, str) and tag[:6] == "output":
            self._sent = None

    def actual(self, channel: int):
        """Of a family whose inputs begin with the read-back of its outputs."""
        return self.values[channel] if self.faults[channel] == "" else None
