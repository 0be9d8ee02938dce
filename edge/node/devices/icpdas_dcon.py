"""The host watchdog of ICP DAS output modules, asked with DCON commands.

Commands: I-7000 DIO manual B1.2, p. 45-55, M-7065 user's manual 2.0, p. 78-84, M-7084 user manual A1.3, p.
101 (read: ~**, ~AA0, ~AA1, ~AA2, ~AA3EVV). Only "~**" restarts the watchdog. Safe values are set from what
stands at the outputs (~AA5), which nobody should do while a plant runs: the driver verifies them only.

All modules of a line hear "~**": one that hears the node but is not heard by it is kept alive as long as
another one is driven. Over Modbus it is not.
"""

from edge.node.devices.commanded import counts_ms
from edge.node.devices.dcon_device import DconSettings, TextSetting, hexadecimal
from edge.node.devices.leased import Leased

HOST_OK = "~**"
ENABLED = 0x80
TRIPPED = 0x04


class WatchedDcon(Leased):
    """As edge.node.devices.icpdas.Watched; ``spec``: its table of the node file."""

    def __init__(self, name: str, spec: dict, input_names: list, output_names: list, safe: dict):
        lease_ms = spec.get("lease_ms", 0)
        Leased.__init__(self, name, spec["unit"], input_names, output_names, lease_ms, safe)
        self.language = DconSettings(spec)
        self.text = self.language.text
        self.checksum = self.language.checksum
        self.period_ms = spec["period_ms"]
        self._tripped = False
        self._place = len(input_names) - 1
        self._host_ms = None
        # When HOST_OK was last on the line.
        self._host_sent_ms = None

    def watchdog_setting(self) -> TextSetting:
        armed = "1%02X" % (self.lease_ms // 100)
        return TextSetting("host watchdog (~AA2)", "~2", 3, armed, 0, "~3" + armed)

    def watchdog_poll(self) -> tuple:
        return ("watchdog", self.text("~0"), self.period_ms)

    def received(self, tag, data: bytes, now_ms: int):
        if tag == "watchdog":
            bits = hexadecimal(data[3:5])
            if bits is not None:
                self._tripped = bool(bits & TRIPPED)
                if self._tripped:
                    self.doubt_commands(now_ms)
                self.set_bits(self._place, 1, 1 if self._tripped else 0, now_ms)
                if self.used and self.ready and not bits & (ENABLED | TRIPPED):
                    self.verify_again("its host watchdog is not enabled")
        elif tag == "clear":
            self._tripped = False
            self.verify_again("its host watchdog had tripped")
        elif tag == "host":
            self._host_sent_ms = now_ms
        elif tag[:6] == "output" and data == b"!":
            # Ignored, which a module does while its watchdog has tripped.
            self._tripped = True

    def ask(self, tag, text: str) -> bool:
        """Ask once, before any poll, with a command that has its address; see Device.write_registers."""
        return self.station.queue(tag, self.language.command(text))

    def ignored(self, data: bytes) -> str:
        return "" if data == b">" else "ignored: " + data.decode()

    def places(self, tag) -> list:
        return [self._place] if tag == "watchdog" else []

    def blocked(self, now_ms: int) -> bool:
        if self._tripped:
            self.ask("clear", self.text("~1"))
        return self._tripped

    def work(self, now_ms: int):
        if self.used and (self._host_ms is None or now_ms - self._host_ms >= self.lease_ms // 3):
            self.ask("host", HOST_OK)
            self._host_ms = now_ms
        if self._host_sent_ms is not None and now_ms - self._host_sent_ms >= counts_ms(self.lease_ms):
            # Writing does not restart its watchdog.
            self.doubt_commands(now_ms)
        Leased.work(self, now_ms)

    def verified(self, now_ms: int):
        Leased.verified(self, now_ms)
        self._host_ms = self._host_sent_ms = None

    def failed(self, tag, why: str, now_ms: int):
        Leased.failed(self, tag, why, now_ms)
        if tag == "host":
            self._host_ms = None
