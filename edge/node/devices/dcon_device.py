"""A module that is asked with DCON commands: its settings are fields of replies, its readings are text."""

from edge.node.bus import dcon
from edge.node.devices.device import Device

OVER = "over range"
UNDER = "under range"
# Of a field: sign, five digits and a decimal point.
WIDTH = 7
# From here on a number is no reading: modules say +9999 or +9999.9 for over range.
OUT_OF_RANGE = 9999.0


class TextSetting:
    """A field of a reply that must have a value.

    ``ask``: the command, without its address, as "$2" for "$AA2"; ``start``: where the field begins in the
    reply; ``want``: what must stand there; ``mask``: of a hexadecimal field, the bits that count;
    ``write``: the command that sets it, or empty where the node only checks; ``marker``: a letter before the
    field that some modules leave out.
    """

    def __init__(
        self, name: str, ask: str, start: int, want: str, mask: int = 0, write: str = "", marker: str = ""
    ):
        self.name = name
        self.ask = ask
        self.start = start
        self.want = want
        self.mask = mask
        self.marker = marker.encode()
        self.write = write
        self.writable = bool(write)


def channel_type(channel: int, code: int) -> TextSetting:
    """The type code of one channel, which modules answer as "!AACiRrr" and as "!AACirr"."""
    name = "type code of ai%d ($AA8C%d)" % (channel, channel)
    return TextSetting(name, "$8C%d" % channel, 5, "%02X" % code, marker="R")


class DconSettings:
    """How a module is asked for a TextSetting, and for all else; ``spec``: its table of the node file.

    ``checksum``: the module is set to check and to send one.
    """

    PROTOCOL = "dcon"

    def __init__(self, spec: dict):
        self.checksum = bool(spec.get("checksum"))
        self._address = dcon.address(spec["unit"])

    def text(self, command: str) -> str:
        """A command with the module's address behind its leading character, as a poll says it."""
        return command[0] + self._address + command[1:]

    def command(self, text: str) -> bytes:
        """The bytes of a command that has its address."""
        return dcon.command(text, self.checksum)

    def refusal(self, code: int) -> str:
        """A refusal in words."""
        return "invalid command"

    def ask(self, setting) -> bytes:
        """The command that asks for a setting."""
        return self.command(self.text(setting.ask))

    def wrong(self, setting, data: bytes) -> str:
        """Empty where a setting is right by the reply, else what it is and what it must be."""
        start = setting.start
        if setting.marker and data[start : start + 1] == setting.marker:
            start += 1
        found = data[start : start + len(setting.want)]
        if found.decode() == setting.want:
            return ""
        if setting.mask:
            number = hexadecimal(found)
            if number is not None and (number ^ int(setting.want, 16)) & setting.mask == 0:
                return ""
        return "%s, the node file says %s" % (found.decode() or "not told", setting.want)

    def write(self, setting) -> bytes:
        """The command that writes a setting."""
        return self.command(self.text(setting.write))


class DconDevice(Device):
    """A module that only reads; ``spec``: its table of the node file."""

    def __init__(self, name: str, spec: dict, input_names: list):
        Device.__init__(self, name, spec["unit"], input_names)
        self.language = DconSettings(spec)
        self.text = self.language.text
        self.checksum = self.language.checksum
        self.period_ms = spec["period_ms"]

    def lost(self, now_ms: int):
        self.set_fault(self.fault)


def hexadecimal(data: bytes):
    """The number that hexadecimal digits of a reply stand for, or None."""
    for byte in data:
        if byte not in b"0123456789ABCDEF":
            return None
    return int(data.decode(), 16) if data else None


def fields(data: bytes) -> list:
    """The signed fields of a reply as ">+0025.4-0001.2": (number or None, what is wrong or empty) of each.

    A field of blanks is a channel that is switched off. Each begins with its sign and has seven characters,
    so that a lost one is noticed; ADAM modules shorten those out of range.
    """
    found = []
    text = data.decode()[1:]
    start = 0
    while start < len(text):
        end = start + 1
        if text[start] == " ":
            while end < len(text) and end < start + 7 and text[end] == " ":
                end += 1
            found.append((None, "channel switched off"))
        else:
            while end < len(text) and text[end] not in "+- ":
                end += 1
            found.append(_field(text[start:end]))
        start = end
    return found


def _field(text: str) -> tuple:
    # ADAM, without a decimal point.
    if text == "+9999":
        return None, OVER
    if text == "-0000":
        return None, UNDER
    number = decimal(text) if len(text) == WIDTH and text[0] in "+-" else None
    if number is None:
        return None, "unreadable: " + text
    if number >= OUT_OF_RANGE:
        return None, OVER
    if number <= -OUT_OF_RANGE:
        return None, UNDER
    return number, ""


def decimal(text: str):
    """The number that digits and a decimal point stand for, or None."""
    for letter in text:
        if letter not in "+-.0123456789":
            return None
    try:
        return float(text)
    except ValueError:
        return None
