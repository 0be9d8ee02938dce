"""Nothing that a line can carry crashes a parser, fills its memory, or passes without its CRC."""

import os
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.box import micropython
from edge.node.bus import dcon, modbus
from edge.node.bus.dcon import DconMaster
from edge.node.bus.master import Master
from tests.node.bus import coverage_fuzz, parser_fuzz
from tests.parts import missing_part

MILLION = 1000000


def on_micropython(count: int, seed: int) -> str:
    """What the same script says there."""
    try:
        executable = micropython.executable()
    except FileNotFoundError as error:
        missing_part(str(error))
    root = os.path.dirname(parser_fuzz.__file__).removesuffix("/tests/node/bus")
    done = subprocess.run(
        [executable, "-X", "heapsize=1m", "-m", "tests.node.bus.parser_fuzz", str(count), str(seed)],
        env={"MICROPYPATH": f"{root}:.frozen", "PATH": "/usr/bin:/bin"},
        cwd=root,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def all_answers_came(tally: list) -> bool:
    """A fuzzer that never gets an answer of some kind tests little."""
    return min(tally[1:]) > 0.02 * sum(tally[1:])


def test_a_million_mutated_bytes_into_the_modbus_master():
    assert all_answers_came(parser_fuzz.fuzz_modbus(MILLION, parser_fuzz.Dice(1)))


def test_a_million_mutated_bytes_into_the_dcon_master():
    assert all_answers_came(parser_fuzz.fuzz_dcon(MILLION, parser_fuzz.Dice(2)))


def test_micropython_gives_the_same_answers_to_the_same_bytes():
    dice = parser_fuzz.Dice(3)
    few = MILLION // 5
    here = f"{parser_fuzz.fuzz_modbus(few, dice)} {parser_fuzz.fuzz_dcon(few, dice)}"
    assert on_micropython(few, 3) == here


def test_new_branches_lead_the_fuzzer_to_no_finding():
    found = coverage_fuzz.fuzz(2, 4)
    assert found["line_pairs"] > 300
    assert found["slaves"] > 0.02 * found["runs"]


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 110))
def test_ten_million_mutated_bytes(seed):
    dice = parser_fuzz.Dice(seed)
    assert all_answers_came(parser_fuzz.fuzz_modbus(MILLION, dice))
    assert all_answers_came(parser_fuzz.fuzz_dcon(MILLION, dice))


@pytest.mark.long
def test_ten_million_mutated_bytes_on_micropython():
    on_micropython(10 * MILLION, 106)


@pytest.mark.long
def test_the_coverage_guided_fuzzer_finds_nothing_in_two_minutes():
    coverage_fuzz.fuzz(120, 107)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(parser_fuzz.requests()), st.lists(st.binary(max_size=60), max_size=8), st.booleans())
def test_no_bytes_at_all_break_the_modbus_master(request, pieces, echo):
    master = Master(38400, 50, echo=echo)
    master.begin(request, modbus.reply_length(request), 0)
    heard = b""
    for piece in pieces:
        heard += piece
        answer = master.feed(piece, 1000)
        parser_fuzz.check_modbus(master, answer, heard)
        if answer != modbus.PENDING:
            return


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(coverage_fuzz.DCON_TEXTS),
    st.lists(st.binary(max_size=60) | st.text("!>?+-.0123456789ABCDEF\r", max_size=30), max_size=8),
    st.booleans(),
)
def test_no_bytes_at_all_break_the_dcon_master(text, pieces, checked):
    master = DconMaster(9600, 50, checked=checked)
    request = dcon.command(text, checked)
    master.begin(request, master.reply_length(request), 0)
    heard = b""
    for piece in pieces:
        piece = piece.encode() if isinstance(piece, str) else piece
        heard += piece
        answer = master.feed(piece, 1000)
        parser_fuzz.check_dcon(master, answer, heard)
        if answer != modbus.PENDING:
            return


@given(st.binary(min_size=1, max_size=30), st.binary(max_size=6))
def test_after_any_noise_the_next_transaction_is_sound(noise, tail):
    request = modbus.read_request(9, 3, 0, 2)
    reply = parser_fuzz.with_crc(b"\x09\x03\x04\x01\x02\x03\x04")
    master = Master(38400, 50)
    master.begin(request, 9, 0)
    master.feed(noise, 1000)
    master.begin(request, 9, 5000)
    assert master.feed(tail.replace(b"\x09", b"\x08") + reply, 6000) == modbus.DONE
    assert master.data == b"\x01\x02\x03\x04"
