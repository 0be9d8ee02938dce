"""DCON: commands and checksums of the manuals, what is a reply, and who may be asked after a time-out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.node.bus import dcon, modbus
from edge.node.bus.dcon import DconMaster
from tests.node.bus.line import CHAR_US, LATE_MS, TIMEOUT_MS, Line, sound

DATA = b">+025.12+026.00"


def asked(text="#01", checked=False, echo=False):
    master = DconMaster(9600, 50, echo=echo, checked=checked)
    request = dcon.command(text, checked)
    master.begin(request, master.reply_length(request), 0)
    return master


def sealed(text: bytes) -> bytes:
    return text + dcon.checksum(text) + b"\r"


def test_the_checksum_of_the_manuals_examples():
    # ADAM-4000 Series User's Manual, appendix F.
    assert dcon.command("$07RH", True) == b"$07RH25\r"
    assert dcon.checksum(b"!07+2.0500") == b"D8"
    assert dcon.command("#05", True) == b"#0588\r"
    assert dcon.checksum(b">+3.5671") == b"9D"
    # M-7084 User Manual A1.3, checksum calculation.
    assert dcon.command("$012", True) == b"$012B7\r"
    assert dcon.checksum(b"!01200600") == b"AA"


@pytest.mark.parametrize("text", ["", "#1", "01", "#01\r", "#0\xe4", "#01" + "0" * 30])
def test_what_no_module_could_read_is_refused(text):
    with pytest.raises(ValueError, match="dcon: .* is no command"):
        dcon.command(text)


@pytest.mark.parametrize(
    ("text", "reply", "data"),
    [
        ("#01", DATA, DATA),
        ("$012", b"!01050600", b"!01050600"),
        ("#01+12.34", b">", b">"),
        ("#01+12.34", b"!", b"!"),
        ("@01", b">0F0F", b">0F0F"),
        ("$016", b"!112200", b"!112200"),
        ("$013", b">+0036.8", b">+0036.8"),
        ("~010", b"!0104", b"!0104"),
    ],
)
@pytest.mark.parametrize("checked", [False, True])
def test_a_reply_gives_its_text(text, reply, data, checked):
    master = asked(text, checked)
    assert master.feed(sealed(reply) if checked else reply + b"\r", 1000) == modbus.DONE
    assert master.data == data


@pytest.mark.parametrize("reply", [b"?01", b"?"])
def test_an_invalid_command_is_refused_by_name(reply):
    master = asked()
    assert master.feed(reply + b"\r", 1000) == modbus.REFUSED
    assert modbus.EXCEPTIONS[master.exception] == "invalid command"


@pytest.mark.parametrize(
    ("text", "heard", "why"),
    [
        ("#01", b"", "silence"),
        ("#01", DATA, "truncated"),
        ("#01", b"?02\r", "wrong unit"),
        ("$012", b"!02050600\r", "wrong unit"),
        ("$012", DATA + b"\r", "wrong reply"),
        ("$012", b"?\r", "wrong reply"),
        ("~010", b"?\r", "wrong reply"),
        ("#01", b"\x81" + DATA[1:] + b"\r", "garbled"),
        ("#01", b">+02\x80.12\r", "garbled"),
        ("#01", b"+025.12\r", "garbled"),
    ],
)
def test_what_is_not_the_reply_is_never_accepted_and_named(text, heard, why):
    master = asked(text)
    assert master.feed(heard, 1000) == modbus.PENDING
    assert master.why() == why


@given(st.integers(0, len(DATA) - 1), st.integers(1, 127))
def test_with_a_checksum_no_hit_character_passes(place, flip):
    hit = bytearray(DATA)
    hit[place] ^= flip
    master = asked(checked=True)
    assert master.feed(bytes(hit) + dcon.checksum(DATA) + b"\r", 1000) != modbus.DONE


def test_without_its_checksum_a_reply_is_refused_where_checksums_are_on():
    master = asked(checked=True)
    assert master.feed(DATA + b"\r", 1000) == modbus.PENDING
    assert master.why() == "wrong checksum"
    assert master.spent()


@pytest.mark.parametrize("before", [b"\x00", b"\r", b"\xff\x00", b"garbage\r", b"\x01\x03\x02\0\r\x79\x84"])
def test_a_reply_with_its_checksum_is_found_behind_stray_bytes(before):
    master = asked(checked=True)
    assert master.feed(before + sealed(DATA), 1000) == modbus.DONE
    assert master.data == DATA


@given(st.lists(st.integers(1, len(DATA) + 2), max_size=4))
def test_a_reply_in_pieces_is_the_same_reply(cuts):
    master = asked(checked=True)
    reply = sealed(DATA)
    places = [0, *sorted(set(cuts)), len(reply)]
    answers = [master.feed(reply[a:b], 1000) for a, b in zip(places, places[1:], strict=False)]
    assert answers[-1] == modbus.DONE


def test_the_echo_is_taken_away_and_its_absence_is_an_error():
    master = asked(echo=True)
    assert master.feed(b"#01\r", 500) == modbus.PENDING
    assert master.feed(DATA + b"\r", 1000) == modbus.DONE
    master = asked(echo=True)
    assert master.feed(DATA + b"\r", 1000) == modbus.PENDING
    assert master.why() == "no echo"


def test_an_echo_that_nobody_configured_is_no_reply():
    master = asked()
    assert master.feed(b"#01\r" + DATA + b"\r", 1000) == modbus.DONE
    assert master.data == DATA


def test_a_command_to_all_awaits_no_reply():
    request = dcon.command("~**")
    assert DconMaster(9600, 50).reply_length(request) == 0


@pytest.mark.parametrize(
    ("text", "named", "repeatable"),
    [
        ("#01", False, True),
        ("#010", False, False),
        ("@01", False, True),
        ("@010F", False, False),
        ("$012", True, True),
        ("$013", False, True),
        ("$016", False, True),
        ("$015", True, False),
        ("~011", True, False),
        ("~0131FF", True, False),
        ("%0101400600", True, False),
    ],
)
@pytest.mark.parametrize("checked", [False, True])
def test_what_a_command_is(text, named, repeatable, checked):
    master = DconMaster(9600, 50, checked=checked)
    assert master.names_sender(dcon.command(text, checked)) is named
    assert master.repeatable(dcon.command(text, checked)) is repeatable


# On a line -------------------------------------------------------------------------------------


def module(request: bytes, sent_us: int) -> list:
    """A DCON module at any address, and a Modbus slave for what is Modbus."""
    if request[0] not in dcon.LEADING:
        return sound(request, sent_us)
    own = request[1:3]
    if request[:1] == b"#":
        reply = b">+%03d.00" % int(own, 16)
    else:
        reply = b"!" + own + b"060000"
    return [(5000 + CHAR_US * (len(reply) + 1), reply + b"\r")]


def dcon_unit(line, unit, period_ms=100, **settings):
    polls = [("inputs", "#" + dcon.address(unit), period_ms)]
    return line.add(unit, polls, protocol="dcon", **settings)


def test_modbus_and_dcon_share_a_line_and_its_silence():
    line = Line(module)
    ascii_unit = dcon_unit(line, 1)
    binary = line.add(2, [("a", modbus.READ_HOLDING_REGISTERS, 0, 2, 100)])
    line.run(950)
    assert len(ascii_unit.told) == len(binary.told) == 10
    assert set(ascii_unit.data()) == {b">+001.00"}
    ends = []
    for at_us, request in line.requests():
        if ends:
            assert at_us - ends[-1] >= 1750
        ends.append(at_us + len(request) * CHAR_US + sum(after for after, _ in module(request, 0)))


def test_a_late_reply_that_names_nobody_is_not_taken_for_another_units():
    late = [1]

    def slave(request, sent_us):
        if request[:1] == b"#" and request[1:3] == b"01" and late:
            late.pop()
            return [(300000, b">+001.00\r")]
        return module(request, sent_us)

    line = Line(slave)
    first = dcon_unit(line, 1)
    others = [dcon_unit(line, unit) for unit in (2, 3)]
    binary = line.add(9, [("a", modbus.READ_HOLDING_REGISTERS, 0, 2, 100)])
    line.run(5000)
    assert first.station.late == 1
    for unit, device in zip((2, 3), others, strict=True):
        assert set(device.data()) == {b">+%03d.00" % unit}
    asked = [at_us for at_us, request in line.requests() if request[:1] == b"#"]
    pauses = [later - earlier for earlier, later in zip(asked, asked[1:], strict=False)]
    assert max(pauses) >= 1000 * LATE_MS, "nobody was asked for what names nobody"
    assert len(binary.told) == 50, "Modbus units went on"


def test_a_late_refusal_that_names_nobody_is_not_taken_for_another_units():
    def slave(request, sent_us):
        # "?" alone: an output that it does not have.
        return [(TIMEOUT_MS * 1000 + 20000, b"?\r")] if request == b"@01FF\r" else []

    line = Line(slave)
    first = line.add(1, protocol="dcon")
    dead = dcon_unit(line, 2, period_ms=60000)
    line.run(3000)
    assert dead.station.down == "silence"
    first.station.queue("output", dcon.command("@01FF"))
    dead.station.queue("named", dcon.command("$022"))
    line.run(1000)
    assert [entry[:3] for entry in first.told] == [("failed", "output", "silence")]
    assert dead.told[-1][:3] == ("failed", "named", "wrong reply")
    assert dead.station.replies == 0 and dead.station.down
    assert first.station.late == 1


def test_a_dead_module_is_probed_by_a_command_whose_reply_names_it_and_the_others_keep_their_rate():
    line = Line(lambda request, sent_us: [] if request[1:3] == b"01" else module(request, sent_us))
    dead = dcon_unit(line, 1)
    other = dcon_unit(line, 2)
    line.run(60000)
    assert dead.station.down == "silence"
    asked = [request for _, request in line.requests() if request[1:3] == b"01"]
    assert asked[0] == b"#01\r"
    assert set(asked[1:]) == {b"$012\r"}
    assert len(other.data()) >= 0.95 * 600


def test_a_module_that_is_back_is_asked_for_its_inputs_at_once():
    line = Line(lambda request, sent_us: [] if request[1:3] == b"01" else module(request, sent_us))
    unit = dcon_unit(line, 1, period_ms=250)
    line.run(9000)
    line.uart.answer = module
    line.run(4000)
    asked = [request for _, request in line.requests()]
    at = asked.index(b"#01\r", 1)
    assert asked[at - 1] == b"$012\r"
    assert unit.station.down == ""
    assert len(unit.data()) >= 3


def test_a_command_queued_for_a_module_that_failed_is_sent_when_it_is_back():
    line = Line(lambda request, sent_us: [] if request[1:3] == b"01" else module(request, sent_us))
    unit = dcon_unit(line, 1, period_ms=60000)
    line.run(TIMEOUT_MS + 100)
    unit.station.queue("out", dcon.command("#01+12.34"))
    line.uart.answer = module
    line.run(3000)
    assert [entry[1] for entry in unit.told if entry[0] == "replied"] == ["out", "inputs"]
    assert b"#01+12.34\r" in [request for _, request in line.requests()]


def test_host_ok_to_all_is_sent_and_awaits_nothing():
    line = Line(lambda request, sent_us: [] if request[1:3] == b"**" else module(request, sent_us))
    unit = dcon_unit(line, 1)
    unit.station.queue("host ok", dcon.command("~**"))
    line.run(300)
    assert ("replied", "host ok", b"") in [entry[:3] for entry in unit.told]
    assert "failed" not in unit.kinds()


def test_a_command_whose_reply_names_nobody_waits_for_the_late_one_and_a_named_one_does_not():
    line = Line(lambda request, sent_us: [] if request[1:3] == b"01" else module(request, sent_us))
    dcon_unit(line, 1, period_ms=60000)
    other = line.add(2, protocol="dcon")
    line.run(200)
    other.station.queue("named", dcon.command("$022"))
    line.run(100)
    other.station.queue("output", dcon.command("#02+05.00"))
    line.run(2000)
    first_us = next(at_us for at_us, request in line.requests() if request == b"#01\r")
    sent_us = {request: at_us for at_us, request in line.requests()}
    assert sent_us[b"$022\r"] < first_us + 1000 * LATE_MS
    assert sent_us[b"#02+05.00\r"] >= first_us + 1000 * LATE_MS
    assert [entry[1] for entry in other.told] == ["named", "output"]
