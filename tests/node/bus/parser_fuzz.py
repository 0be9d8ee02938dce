"""Random and mutated bytes into both masters; runs on CPython and on MicroPython.

    python -m tests.node.bus.parser_fuzz BYTES SEED        prints one line of counts, raises on any finding

What must hold for any bytes: no exception, bounded memory, and nothing is accepted that isn't in what was
heard with the right CRC or checksum, which is calculated here by another method.
"""

import sys

from edge.node.bus import dcon, modbus
from edge.node.bus.dcon import DconMaster
from edge.node.bus.master import MAX_FRAME, Master


class Dice:
    """Random numbers that are the same everywhere (a linear congruential generator of Numerical Recipes)."""

    def __init__(self, seed: int):
        self._state = seed & 0xFFFFFFFF

    def below(self, limit: int) -> int:
        self._state = (1664525 * self._state + 1013904223) & 0xFFFFFFFF
        return (self._state >> 8) % limit

    def some(self, count: int) -> bytes:
        return bytes([self.below(256) for _ in range(count)])


def crc_by_division(data: bytes) -> int:
    """CRC-16/Modbus bit by bit, without any table."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def with_crc(body: bytes) -> bytes:
    crc = crc_by_division(body)
    return body + bytes([crc & 0xFF, crc >> 8])


def requests() -> list:
    return [
        modbus.read_request(1, 1, 0x0305, 24),
        modbus.read_request(1, 2, 19, 3),
        modbus.read_request(1, 3, 0, 8),
        modbus.read_request(2, 4, 0, 1),
        modbus.read_request(247, 3, 9, 125),
        modbus.write_coil(1, 3, True),
        modbus.write_register(1, 3, 513),
        modbus.write_coils(1, 3, [1, 0, 1]),
        modbus.write_registers(1, 3, [1, 2, 3]),
        modbus.mask_write(1, 3, 1, 2),
        modbus.read_write(1, 3, 4, 9, [5, 6]),
        modbus.write_register(0, 3, 513),
    ]


def right_reply(request: bytes, dice: Dice) -> bytes:
    length = modbus.reply_length(request)
    if length == 0:
        return b""
    if request[1] <= 4 or request[1] == 23:
        return with_crc(bytes([request[0], request[1], length - 5]) + dice.some(length - 5))
    return with_crc(request[: length - 2])


def mutated(reply: bytes, request: bytes, dice: Dice) -> bytes:
    """One of the things that happen to a reply on a line."""
    kind = dice.below(11)
    at = dice.below(len(reply) + 1)
    if kind == 0:
        return reply[:at]
    if kind == 1:
        return reply[:at] + dice.some(1 + dice.below(3)) + reply[at:]
    if kind == 2:
        return reply[:at] + bytes([1 << dice.below(8)]) + reply[at + 1 :]
    if kind == 3:
        return request + reply
    if kind == 4:
        return b"\0" + reply + reply
    if kind == 5:
        return with_crc(bytes([request[0], request[1] | 0x80, 1 + dice.below(11)]))
    if kind == 6:
        return with_crc(bytes([dice.below(256), dice.below(256)]) + reply[2:-2])
    if kind == 7:
        return dice.some(dice.below(300))
    if kind == 8:
        return dice.some(dice.below(20)) + reply
    if kind == 9:
        return reply[at:] + reply[:at]
    return reply


def check_modbus(master: Master, answer: int, heard: bytes):
    """Raise AssertionError where an answer isn't backed by what was heard."""
    request = master.request
    if answer == modbus.DONE:
        if request[1] <= 4 or request[1] == 23:
            assert len(master.data) == master.expected - 5, "length"
            frame = with_crc(bytes([request[0], request[1], len(master.data)]) + master.data)
        else:
            frame = with_crc(request[:2] + master.data)
            assert frame[:-2] == request[: master.expected - 2], "another write"
        assert frame in heard, "data that nobody sent"
        if master.echo and request[1] in modbus.MIRRORED:
            assert heard.count(frame) >= 2, "its own echo"
    elif answer == modbus.REFUSED:
        assert with_crc(bytes([request[0], request[1] | 0x80, master.exception])) in heard, "refusal"
    else:
        assert len(master.buffer) <= master.expected + MAX_FRAME + len(master.request), "memory"
        assert isinstance(master.why(), str)
        master.spent()


def check_dcon(master: DconMaster, answer: int, heard: bytes):
    """The same for DCON."""
    if answer == modbus.DONE:
        text = master.data
        assert text[0] in b">!", "leading character"
        assert min(text) >= 0x20 and max(text) <= 0x7E, "character"
        if master.checked:
            total = 0
            for byte in text:
                total = (total + byte) % 256
            text = text + b"%02X" % total
        assert text + b"\r" in heard, "data that nobody sent"
    elif answer == modbus.PENDING:
        assert len(master.buffer) <= dcon.LONGEST_DATA, "memory"
        assert isinstance(master.why(), str)
        master.spent()
    assert len(master.strays) <= 2 * dcon.LONGEST_DATA, "memory"


def feed(master, heard: bytes, dice: Dice, check) -> int:
    """Feed it in pieces; the last answer."""
    at = 0
    answer = modbus.PENDING
    while at < len(heard) and answer == modbus.PENDING:
        size = 1 + dice.below(24)
        answer = master.feed(heard[at : at + size], 1000 * at)
        at += size
        check(master, answer, heard[:at])
    master.late_reply(heard, master.request)
    return answer


def fuzz_modbus(count: int, dice: Dice) -> list:
    """So many bytes into the Modbus master; [bytes, pending, done, refused]."""
    masters = [Master(38400, 50), Master(38400, 50, echo=True)]
    questions = requests()
    tally = [0, 0, 0, 0]
    while tally[0] < count:
        master = masters[dice.below(8) == 0]
        request = questions[dice.below(len(questions))]
        master.begin(request, modbus.reply_length(request), 0)
        heard = mutated(right_reply(request, dice), request, dice)
        if master.echo and dice.below(4):
            heard = request + heard
        tally[0] += len(heard)
        tally[1 + feed(master, heard, dice, check_modbus)] += 1
    return tally


def fuzz_dcon(count: int, dice: Dice) -> list:
    """So many bytes into the DCON master; [bytes, pending, done, refused]."""
    masters = [DconMaster(9600, 50), DconMaster(9600, 50, checked=True), DconMaster(9600, 50, echo=True)]
    tally = [0, 0, 0, 0]
    while tally[0] < count:
        master = masters[dice.below(3)]
        text = ("#01", "#010", "$012", "$016", "@01", "~010", "~**")[dice.below(7)]
        request = dcon.command(text, master.checked)
        master.begin(request, master.reply_length(request), 0)
        reply = (b">+025.12-003.40", b"!01050600", b"!", b">", b"?01", b"!02050600")[dice.below(6)]
        if master.checked:
            reply = reply + dcon.checksum(reply)
        heard = mutated(reply + b"\r", request, dice)
        if master.echo and dice.below(4):
            heard = request + heard
        tally[0] += len(heard)
        tally[1 + feed(master, heard, dice, check_dcon)] += 1
    return tally


if __name__ == "__main__":
    dice = Dice(int(sys.argv[2]))
    print(fuzz_modbus(int(sys.argv[1]), dice), fuzz_dcon(int(sys.argv[1]), dice))
