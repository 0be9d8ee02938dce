"""DCON as text: commands, checksums, and which reply may belong to which command. No I/O.

Sources: ADAM-4000 Series User's Manual, chapter 4 (syntax, checksum) and I-7000 user manuals, chapter 2.
A command is a leading character, two hexadecimal digits of address, what is asked, two digits of checksum
where the module is set so, and a carriage return. The checksum is the sum of all characters before it,
modulo 256. A reply begins with ">" (data), "!" (done, or ignored by a module whose host watchdog has
tripped) or "?" (invalid command); a command with a syntax error or a wrong checksum is not answered.

``tail`` below: how many characters stand behind a command's own, 1 (carriage return) or 3 (checksum too).
"""

CR = b"\r"
LEADING = b"#$%@~"
LONGEST_COMMAND = 24

_HEX = b"0123456789ABCDEF"


def checksum(text: bytes) -> bytes:
    """Two hexadecimal digits for the characters before them."""
    total = sum(text) & 0xFF
    return bytes((_HEX[total >> 4], _HEX[total & 15]))


def command(text: str, with_checksum: bool = False) -> bytes:
    """The bytes of a command, as "#01" or "$012"; ValueError where no module could read it."""
    data = text.encode()
    wrong = not 3 <= len(data) <= LONGEST_COMMAND or data[0] not in LEADING
    if wrong or min(data) < 0x21 or max(data) > 0x7E:
        raise ValueError('dcon: %r is no command; expected one as "#01" or "$012"' % text)
    return data + checksum(data) + CR if with_checksum else data + CR


def address(unit: int) -> str:
    """A unit of 0..255 as a command has it."""
    return "%02X" % unit


def plain(line: bytes, checked: bool):
    """A line without its checksum, or None when it can be no command and no reply."""
    for byte in line:
        if byte < 0x20 or byte > 0x7E:
            return None
    if not checked:
        return line
    if len(line) < 3 or checksum(line[:-2]) != line[-2:]:
        return None
    return line[:-2]


def command_at_end(line: bytes, checked: bool) -> bytes:
    """The command with which a line ends, its carriage return included; b"" where that is none."""
    for start in range(len(line) - 3):
        if line[start] in LEADING:
            text = plain(line[start:-1], checked)
            if text is not None and len(text) > 2 and text[1] in _HEX and text[2] in _HEX:
                return line[start:]
    return b""


def commands_in(heard: bytes, checked: bool) -> list:
    """(Where it ends, its bytes) of every command among what was heard."""
    found = []
    start = 0
    end = heard.find(CR)
    while end >= 0:
        line = command_at_end(heard[start : end + 1], checked)
        start = end + 1
        if line:
            found.append((start, line))
        end = heard.find(CR, start)
    return found


def names_sender(request: bytes, tail: int) -> bool:
    """Whether the reply says whose it is: not of "#" and "@", nor of cold junction ("$AA3"),
    synchronised ("$AA4") and digital data ("$AA6").
    """
    if request[0] == 0x24:
        return len(request) != 4 + tail or request[3] not in b"346"
    return request[0] in b"%~"


def tells_bits(request: bytes, tail: int) -> bool:
    """Whether the reply is "!" and bits: "!112200" of "$AA6" looks like a named reply of unit 11."""
    return request[0] == 0x24 and len(request) == 4 + tail and request[3] in b"46"


def confusable(late: bytes, request: bytes, tail: int) -> bool:
    """Whether a late reply to ``late``, of any unit, could pass for the reply to ``request``."""
    if names_sender(request, tail):
        return late[1:3] == request[1:3] or tells_bits(late, tail)
    if names_sender(late, tail):
        # The nine characters of "$AA2" are no bits.
        return late[1:3] == request[1:3] or (tells_bits(request, tail) and late[3] != 0x32)
    return True


def misfit(text: bytes, request: bytes, tail: int) -> str:
    """Why a reply can't be that to ``request``, in two words; empty where it can.

    Where the reply names nobody: ">" and data, "!" or "?" alone, bits where bits are asked for, or what
    names the module itself.
    """
    named = text[1:3] == request[1:3]
    if names_sender(request, tail):
        # "?" alone too is another module's, late.
        if text[0] == 0x3E or len(text) == 1:
            return "wrong reply"
        return "" if named else "wrong unit"
    if text[0] == 0x3E or len(text) == 1 or named:
        return ""
    if text[0] == 0x21 and tells_bits(request, tail) and _are_bits(text, request[3] == 0x36):
        return ""
    # Late, from a module that names itself.
    return "wrong unit"


def _are_bits(text: bytes, short: bool) -> bool:
    """Whether that is "!", four digits of "$AA6" (five of "$AA4"), "00"."""
    for byte in text[1:]:
        if byte not in _HEX:
            return False
    return text[-2:] == b"00" and len(text) == (7 if short else 8)
