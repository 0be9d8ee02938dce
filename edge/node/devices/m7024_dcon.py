"""ICP DAS M-7024 asked with DCON commands, set to 4-20 mA and engineering units.

Commands: I-7021/22/24, M-7022/24/28 user manual B2.3 (read: #AAN(data) with its answers >, ? and !, ~AA4N
p. 133, A.5 p. 182), $AA2 as of all modules. Assumed: $AA8N as its sister I-87028C has it in its list.
"""

from edge.node.devices.commanded import Commanded
from edge.node.devices.dcon_device import TextSetting, decimal
from edge.node.devices.icpdas_dcon import WatchedDcon
from edge.node.devices.m7024 import CHANNELS, COUNTS_0, COUNTS_100, INPUTS, OUTPUTS

FORMAT_BITS = 0x03


def milliamperes(percent: float) -> str:
    """An output of 0..100 % as the commands write it: "+12.000"."""
    return "+%06.3f" % ((COUNTS_0 + percent * (COUNTS_100 - COUNTS_0) / 100.0) / 1000.0)


class M7024Dcon(WatchedDcon):
    """``spec``: its table of the node file; ``safe``: output name -> safe value in percent."""

    READ_BACK = list(range(CHANNELS))

    def __init__(self, name: str, spec: dict, safe: dict):
        WatchedDcon.__init__(self, name, spec, INPUTS, OUTPUTS, safe)
        self.settings = [TextSetting("data format ($AA2)", "$2", 7, "00", FORMAT_BITS)]
        for i in self.used:
            # The reply has no sign: "!0112.000".
            want = milliamperes(safe[OUTPUTS[i]])[1:]
            self.settings.append(TextSetting("safe value of ao%d (~AA4%d)" % (i, i), "~4%d" % i, 3, want))
        self.settings.append(self.watchdog_setting())

    def polls(self) -> list:
        polls = [(i, self.text("$8%d" % i), self.period_ms) for i in range(CHANNELS)]
        polls.append(self.watchdog_poll())
        return polls

    def received(self, tag, data: bytes, now_ms: int):
        if not isinstance(tag, int):
            WatchedDcon.received(self, tag, data, now_ms)
            return
        self.stamps_ms[tag] = now_ms
        # "!0112.000"
        ma = decimal(data[3:].decode()) if len(data) == 9 else None
        if ma is None:
            self.faults[tag] = "unreadable"
            return
        self.values[tag] = (ma * 1000.0 - COUNTS_0) * 100.0 / (COUNTS_100 - COUNTS_0)
        self.faults[tag] = ""

    def raw(self, percent: float) -> str:
        return milliamperes(percent)

    def make_commands(self) -> list:
        commands = []
        for i in self.used:
            commands.append(Commanded("output %d" % i, "ao%d (#AA%d)" % (i, i), [i], self.lease_ms))
        return commands

    def write(self, tag, first: int, values: list) -> bool:
        return self.ask(tag, self.text("#%d%s" % (first, values[0])))

    def places(self, tag) -> list:
        return [tag] if isinstance(tag, int) else WatchedDcon.places(self, tag)


def build(name: str, spec: dict, wired: dict, safe: dict):
    """A driver from its table of a node file."""
    return M7024Dcon(name, spec, safe)
