"""What the Modbus master accepts as the reply to its question, and what it calls everything else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.node.bus import modbus
from edge.node.bus.master import Master


def asked(request=None, timeout_ms=50):
    master = Master(38400, timeout_ms)
    request = request or modbus.read_request(1, 4, 0, 2)
    master.begin(request, modbus.reply_length(request), 0)
    return master


REPLY = modbus.sealed(bytes([1, 4, 4, 0x12, 0x34, 0x56, 0x78]))


def test_the_reply_gives_its_data():
    master = asked()
    assert master.feed(REPLY, 1000) == modbus.DONE
    assert modbus.unpack_registers(master.data) == (0x1234, 0x5678)


@pytest.mark.parametrize("before", [b"\x00", b"\x00\x00\xff", b"\x01", b"\x01\x04", b"\x01\x04\x04\x12"])
def test_a_reply_behind_stray_bytes_is_found(before):
    assert asked().feed(before + REPLY, 1000) == modbus.DONE


@given(st.lists(st.integers(1, len(REPLY) - 1), max_size=4))
def test_a_reply_in_pieces_is_the_same_reply(cuts):
    master = asked()
    places = [0, *sorted(set(cuts)), len(REPLY)]
    answers = [master.feed(REPLY[a:b], 1000) for a, b in zip(places, places[1:], strict=False)]
    assert answers == [modbus.PENDING] * (len(answers) - 1) + [modbus.DONE]


def test_an_exception_reply_is_told_by_its_code():
    master = asked()
    assert master.feed(modbus.sealed(bytes([1, 0x84, 2])), 1000) == modbus.REFUSED
    assert master.exception == 2


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (b"", "silence"),
        (REPLY[:-1], "truncated"),
        (REPLY[:-1] + bytes([REPLY[-1] ^ 1]), "wrong crc"),
        (modbus.sealed(bytes([2, 4, 4, 0, 1, 0, 2])), "wrong unit"),
        (modbus.sealed(bytes([1, 3, 4, 0, 1, 0, 2])), "wrong function"),
        (modbus.sealed(bytes([1, 4, 2, 0, 1])), "wrong length"),
    ],
)
def test_what_is_not_the_reply_is_never_accepted_and_named(frame, why):
    master = asked()
    if frame:
        assert master.feed(frame, 1000) == modbus.PENDING
    assert master.why() == why


def test_a_write_is_confirmed_only_by_its_own_address_and_value():
    request = modbus.write_register(1, 7, 42)
    other = modbus.write_register(1, 8, 42)
    assert asked(request).feed(other, 1000) == modbus.PENDING
    assert asked(request).feed(request, 1000) == modbus.DONE


@settings(max_examples=300)
@given(st.binary(max_size=400), st.integers(0, 5))
def test_no_bytes_crash_the_parser_or_pass_with_a_wrong_crc(noise, pieces):
    master = asked()
    step = max(1, len(noise) // (pieces + 1))
    for at in range(0, len(noise), step):
        answer = master.feed(noise[at : at + step], 1000)
        if answer == modbus.DONE:
            sent = bytes([1, 4, len(master.data)]) + master.data
            assert modbus.sealed(sent) in noise
            return
    assert len(master.buffer) <= master.expected + 256
    assert master.why()


def test_the_silence_is_three_and_a_half_characters_and_never_less_than_1750_us_above_19200_baud():
    assert Master(9600, 50).silence_us == pytest.approx(3.5 * 11e6 / 9600, abs=4)
    assert Master(19200, 50).silence_us == pytest.approx(3.5 * 11e6 / 19200, abs=4)
    assert Master(38400, 50).silence_us == 1750
    assert Master(115200, 50).silence_us == 1750


# What was heard besides the reply --------------------------------------------------------------


def test_what_was_heard_besides_the_reply_is_kept_apart():
    master = asked()
    assert master.feed(b"\x00\x55" + REPLY + b"\xaa", 1000) == modbus.DONE
    assert master.strays == b"\x00\x55\xaa"
    assert modbus.unpack_registers(master.data) == (0x1234, 0x5678)


def test_another_units_reply_before_ours_is_a_stray():
    other = modbus.sealed(bytes([2, 4, 4, 9, 9, 9, 9]))
    master = asked()
    assert master.feed(other, 1000) == modbus.PENDING
    assert master.feed(REPLY, 2000) == modbus.DONE
    assert master.strays == other
    assert master.late_reply(other, modbus.read_request(2, 4, 50, 2))
    assert not master.late_reply(other, modbus.read_request(2, 4, 50, 3))
    assert not master.late_reply(other, modbus.read_request(3, 4, 50, 2))
    assert not master.late_reply(other[:-1] + b"\x00", modbus.read_request(2, 4, 50, 2))


def test_a_late_exception_is_a_late_reply():
    refusal = modbus.sealed(bytes([2, 0x84, 2]))
    assert asked().late_reply(b"\x00" + refusal, modbus.read_request(2, 4, 50, 2))
    assert not asked().late_reply(refusal, modbus.read_request(2, 3, 50, 2))


# A line that echoes ----------------------------------------------------------------------------

READ = modbus.read_request(1, 3, 0x0400, 1)
READ_REPLY = modbus.sealed(bytes([1, 3, 2, 0xAB, 0xCD]))
WRITE = modbus.write_register(1, 7, 42)


def echoing(request):
    master = Master(38400, 50, echo=True)
    master.begin(request, modbus.reply_length(request), 0)
    return master


@pytest.mark.parametrize("cut", [0, 1, 5, 8, 9, 14])
def test_own_bytes_are_taken_away_where_the_line_echoes(cut):
    master = echoing(READ)
    heard = READ + READ_REPLY
    master.feed(heard[:cut], 500)
    assert master.feed(heard[cut:], 1000) == modbus.DONE
    assert modbus.unpack_registers(master.data) == (0xABCD,)
    assert master.strays == b""


def test_the_echo_of_a_write_does_not_confirm_it():
    master = echoing(WRITE)
    assert master.feed(WRITE, 500) == modbus.PENDING
    assert master.why() == "silence"
    assert master.feed(WRITE, 1000) == modbus.DONE


@pytest.mark.parametrize(
    ("heard", "why"),
    [(b"", "no echo"), (READ_REPLY, "no echo"), (READ[:-1] + b"\x00" + READ_REPLY, "garbled echo")],
)
def test_a_missing_echo_is_an_error_also_when_a_reply_comes(heard, why):
    master = echoing(READ)
    assert master.feed(heard, 1000) == modbus.PENDING
    assert master.why() == why
    assert not master.spent()


def test_a_broadcast_without_its_echo_is_an_error():
    request = modbus.write_register(0, 7, 42)
    master = echoing(request)
    assert master.why() == "no echo"
    assert master.feed(request, 500) == modbus.PENDING
    assert master.why() == ""


def test_an_echo_that_nobody_configured_is_not_taken_for_the_reply():
    master = asked(READ)
    assert master.feed(READ + READ_REPLY, 1000) == modbus.DONE
    assert modbus.unpack_registers(master.data) == (0xABCD,)
    assert master.echo_seen
    master.begin(WRITE, 8, 5000)
    assert master.feed(WRITE, 6000) == modbus.PENDING, "that was our own"
    assert master.why() == "only an echo"
    assert master.feed(WRITE, 7000) == modbus.DONE
    assert master.echo_seen


@pytest.mark.parametrize(
    ("heard", "why", "spent"),
    [
        (READ, "only an echo", False),
        (READ[:5], "silence", False),
        (READ[:-1] + b"\x00", "wrong crc", False),
        (READ + READ_REPLY[:5], "truncated", True),
        (READ + READ_REPLY[:-1] + b"\x00", "wrong crc", True),
        (READ + modbus.sealed(b"\x02" + READ_REPLY[1:-2]), "wrong unit", False),
    ],
)
def test_behind_an_echo_that_nobody_configured_the_reply_is_still_to_come(heard, why, spent):
    """What is cut off or damaged may be the echo itself; only what stands behind it is the reply."""
    master = asked(READ)
    assert master.feed(READ + READ_REPLY, 1000) == modbus.DONE
    master.begin(READ, 7, 5000)
    assert master.feed(heard, 6000) == modbus.PENDING
    assert (master.why(), master.spent()) == (why, spent)


def test_an_echo_that_has_gone_is_noticed_by_the_next_read():
    master = asked(READ)
    master.feed(READ + READ_REPLY, 1000)
    master.begin(READ, 7, 5000)
    assert master.feed(READ_REPLY, 6000) == modbus.DONE
    assert not master.echo_seen
    master.begin(WRITE, 8, 9000)
    assert master.feed(WRITE, 9900) == modbus.DONE


def test_a_reply_of_bits_that_equals_the_request_is_taken_for_an_echo():
    """Three bytes of coils from address 0x0300 on: the one read whose reply may look like its request."""
    request = modbus.read_request(1, 1, 0x0305, 24)
    master = asked(request)
    assert len(request) == modbus.reply_length(request)
    assert master.feed(request, 1000) == modbus.PENDING
    assert master.why() == "only an echo"


# After a failure -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heard", "spent"),
    [
        (b"", False),
        (REPLY[:-1], True),
        (REPLY[:4], True),
        (REPLY[:2], False),
        (REPLY[:-1] + bytes([REPLY[-1] ^ 1]), True),
        (modbus.sealed(bytes([2, 4, 4, 0, 1, 0, 2])), False),
        (modbus.sealed(bytes([1, 3, 4, 0, 1, 0, 2])), False),
        (modbus.sealed(bytes([1, 4, 2, 0, 1])), False),
        (b"\x55" * 9, False),
    ],
)
def test_asking_again_is_safe_only_after_a_damaged_reply_of_the_right_unit_and_function(heard, spent):
    master = asked()
    assert master.feed(heard, 1000) == modbus.PENDING
    assert master.spent() is spent


def test_nobody_need_look_before_a_reply_can_be_complete():
    master = Master(9600, 50)
    request = modbus.read_request(1, 3, 0, 8)
    master.begin(request, 21, 0)
    shortest_us = (8 + 21) * 10 * 1e6 / 9600
    assert shortest_us - 60 <= master.listen_us <= shortest_us
    master.feed(bytes([1, 3, 16]) + bytes(14), 33000)
    assert 33000 < master.listen_us <= 33000 + 3 * 10 * 1e6 / 9600
    master.feed(bytes(3), 40000)
    assert master.listen_us == 40000


def test_mask_write_and_read_write_are_confirmed():
    mask = modbus.mask_write(1, 4, 0xF2, 0x25)
    assert asked(mask).feed(mask, 1000) == modbus.DONE
    assert asked(mask).feed(modbus.mask_write(1, 5, 0xF2, 0x25), 1000) == modbus.PENDING
    both = modbus.read_write(1, 3, 2, 14, [7])
    master = asked(both)
    assert master.feed(modbus.sealed(bytes([1, 23, 4, 0, 1, 0, 2])), 1000) == modbus.DONE
    assert modbus.unpack_registers(master.data) == (1, 2)


@pytest.mark.parametrize(
    ("request_", "reply", "why"),
    [
        (modbus.write_register(1, 7, 525), modbus.write_register(1, 7, 50), "took 50 instead of 525"),
        (modbus.write_coil(1, 7, True), modbus.write_coil(1, 7, False), "took off instead of on"),
        (
            modbus.write_registers(1, 7, [1, 2]),
            modbus.sealed(bytes([1, 16, 0, 7, 0, 1])),
            "took 1 of 2 registers",
        ),
        (
            modbus.write_coils(1, 7, [1, 1, 0]),
            modbus.sealed(bytes([1, 15, 0, 7, 0, 2])),
            "took 2 of 3 coils",
        ),
        (
            modbus.mask_write(1, 4, 0xF2, 0x25),
            modbus.mask_write(1, 4, 0xF2, 0x26),
            "took the masks 00F2 0026 instead of 00F2 0025",
        ),
    ],
)
def test_what_the_device_took_instead_is_said(request_, reply, why):
    master = asked(request_)
    assert master.feed(reply, 1000) == modbus.ALTERED
    assert master.took == why
    # Of another unit or another place it is nobody's answer.
    for wrong in (b"\x02" + reply[1:-2], reply[:3] + b"\x08" + reply[4:-2]):
        assert asked(request_).feed(modbus.sealed(wrong), 1000) == modbus.PENDING


def test_behind_its_own_echo_an_altered_write_is_found():
    request = modbus.write_register(1, 7, 525)
    master = Master(38400, 50, echo=True)
    master.begin(request, 8, 0)
    assert master.feed(request, 1000) == modbus.PENDING
    assert master.feed(modbus.write_register(1, 7, 50), 2000) == modbus.ALTERED
    assert master.took == "took 50 instead of 525"
