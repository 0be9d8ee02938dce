"""After a damaged reply, an exception that leaves the answer open, or a remnant of the own request: what may
still come is never taken for something else, and what can't be confused with it goes on.
"""

import pytest

from edge.node.bus import dcon, modbus
from edge.node.bus.dcon import DconMaster
from edge.node.bus.master import Master
from tests.node.bus.line import CHAR_US, LATE_MS, TIMEOUT_MS, Line, registers, sound

READ = modbus.READ_HOLDING_REGISTERS


def reads(*blocks):
    return [((address, count), READ, address, count, 100) for address, count in blocks]


def wrong(device) -> list:
    """Records that are not of the registers that were asked for."""
    replies = [entry for entry in device.told if entry[0] == "replied"]
    assert replies
    return [entry for entry in replies if modbus.unpack_registers(entry[2])[0] != entry[1][0]]


def bent(first, late_us):
    """Every fifth reply comes late, and ``first(request)`` before it."""
    count = []

    def slave(request, sent_us):
        count.append(1)
        if len(count) % 5:
            return sound(request, sent_us)
        return [(5000, first(request)), (late_us, registers(request))]

    return slave


@pytest.mark.parametrize("late_ms", [TIMEOUT_MS + 15, 300, 900])
@pytest.mark.parametrize(
    "first",
    [
        lambda request: request[:2] + b"\x04",
        lambda request: registers(request)[:-1] + b"\x00",
        lambda request: registers(request)[:5],
        lambda request: modbus.sealed(bytes((request[0], request[1] | 0x80, 11))),
        lambda request: modbus.sealed(bytes((request[0], request[1] | 0x80, 10))),
        lambda request: modbus.sealed(bytes((request[0], request[1] | 0x80, 5))),
    ],
    ids=["noise", "wrong crc", "cut off", "gateway gave up", "no path", "acknowledge"],
)
def test_what_comes_after_a_damaged_reply_or_a_gateways_exception_is_no_other_register(first, late_ms):
    line = Line(bent(first, 1000 * late_ms))
    device = line.add(1, reads((0, 2), (10, 2), (20, 2)))
    line.run(30000)
    assert wrong(device) == []


def test_after_damage_exactly_the_same_is_asked_again_at_once_and_the_age_counts_from_the_first():
    count = []

    def slave(request, sent_us):
        count.append(1)
        reply = registers(request)
        return [(5000 + len(reply) * CHAR_US, reply[:-1] + b"\x00" if len(count) == 1 else reply)]

    line = Line(slave)
    device = line.add(1, reads((0, 2), (10, 2)))
    line.run(120)
    (first_us, first), (second_us, second) = line.requests()[:2]
    assert first == second
    assert second_us - first_us < 1000 * (TIMEOUT_MS + 20)
    assert device.told[0][:2] == ("replied", (0, 2))
    assert device.told[0][3] == first_us // 1000


def test_a_unit_with_nothing_to_confuse_goes_on_after_damage_and_writes_do_too():
    count = []

    def slave(request, sent_us):
        count.append(1)
        if len(count) == 3:
            return [(5000, registers(request)[:-1] + b"\x00")]
        return sound(request, sent_us)

    line = Line(slave)
    device = line.add(1, reads((0, 2), (10, 3)))
    line.run(150)
    device.station.queue("set", modbus.write_register(1, 7, 42))
    line.run(100)
    assert "set" in [entry[1] for entry in device.told]
    line.run(9750)
    assert len(device.data()) >= 195


def test_after_an_acknowledge_the_unit_rests_until_its_answer_can_no_longer_come():
    line = Line(lambda request, sent_us: [(5000, modbus.sealed(bytes((1, 0x83, 5))))])
    line.add(1, reads((0, 2)))
    line.run(3000)
    times_us = [at_us for at_us, _ in line.requests()]
    assert min(b - a for a, b in zip(times_us, times_us[1:], strict=False)) >= 1000 * (LATE_MS + TIMEOUT_MS)


# A remnant of the own request ------------------------------------------------------------------

REQUEST = modbus.read_request(1, READ, 0x0400, 1)
REPLY = modbus.sealed(bytes([1, 3, 2, 0xAB, 0xCD]))
WRITE = modbus.write_register(1, 7, 42)


def begun(request, echo, master=None):
    master = master or Master(38400, 50, echo=echo)
    master.begin(request, master.reply_length(request), 0)
    return master


@pytest.mark.parametrize("echo", [False, True])
@pytest.mark.parametrize("remnant", [REQUEST[:5], REQUEST[3:], REQUEST[-1:], REQUEST[:1]])
def test_what_is_left_of_the_own_request_is_silence(remnant, echo):
    master = begun(REQUEST, echo)
    assert master.feed(remnant, 2000) == modbus.PENDING
    assert (master.why(), master.spent()) == ("silence", False)
    master = begun(b"#01\r", echo, DconMaster(9600, 50, echo=echo))
    assert master.feed(b"1\r", 2000) == modbus.PENDING
    assert (master.why(), master.spent()) == ("silence", False)


@pytest.mark.parametrize("remnant", [REQUEST[:5], REQUEST[3:], REQUEST[-1:]])
@pytest.mark.parametrize("pieces", [1, 20])
def test_behind_a_cut_echo_the_reply_is_read(remnant, pieces):
    master = begun(REQUEST, True)
    heard = remnant + REPLY
    step = -(-len(heard) // pieces)
    answers = [master.feed(heard[at : at + step], 2000) for at in range(0, len(heard), step)]
    assert answers[-1] == modbus.DONE
    assert modbus.unpack_registers(master.data) == (0xABCD,)


def test_behind_a_cut_echo_a_write_is_confirmed_and_a_stray_byte_is_no_cut_echo():
    assert begun(WRITE, True).feed(WRITE[3:] + WRITE, 2000) == modbus.DONE
    assert begun(WRITE, True).feed(b"\x00" + WRITE, 2000) == modbus.PENDING


def test_a_dcon_reply_behind_a_cut_echo_is_read():
    for remnant in (b"1\r", b"\r", b"#0"):
        master = begun(b"#01\r", True, DconMaster(9600, 50, echo=True))
        assert master.feed(remnant + b">+025.12\r", 2000) == modbus.DONE
        assert master.data == b">+025.12"


# DCON ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("checksum", [False, True])
def test_a_sound_module_never_shows_anothers_temperature(checksum):
    """One module answers 70 to 250 ms late in a third of its replies; late_ms covers that."""
    count = []

    def slave(request, sent_us):
        text = request[: -3 if checksum else -1]
        own = text[1:3]
        reply = b"!" + own + b"060000" if text[:1] == b"$" else b">+%03d.00" % int(own, 16)
        reply += (dcon.checksum(reply) if checksum else b"") + b"\r"
        count.append(1)
        if own == b"02" and len(count) % 3 == 0:
            return [(70000 + 37000 * (len(count) % 6), reply)]
        return [(5000 + CHAR_US * len(reply), reply)]

    line = Line(slave, late_ms=250)
    devices = [
        line.add(unit, [("inputs", "#" + dcon.address(unit), 250)], protocol="dcon", checksum=checksum)
        for unit in range(1, 6)
    ]
    line.run(60000)
    assert devices[1].station.late > 10
    for device in devices:
        assert set(device.data()) == {b">+%03d.00" % device.unit}


@pytest.mark.parametrize(
    ("command", "late"),
    [
        ("#03", b"!02052600"),
        ("#03+12.34", b"!02"),
        ("@03", b"?02"),
        ("$036", b"!02052600"),
        ("$033", b"!02C0R0F"),
    ],
)
def test_what_another_module_says_by_name_answers_nothing_that_names_nobody(command, late):
    master = begun(dcon.command(command), False, DconMaster(9600, 50))
    assert master.feed(late + b"\r", 2000) == modbus.PENDING
    assert master.why() == "wrong unit"
    assert master.feed(b">\r", 3000) == modbus.DONE
