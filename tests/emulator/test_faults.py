"""Faults of the line and their times: by hand, from a script, from a seed; on virtual time."""

import hashlib

import pytest

from docs import fault_table_own as table
from docs import make_fault_table
from edge.box.config import describe, find
from edge.emulator.bench import Bench
from edge.emulator.console import Console
from edge.emulator.fault_script import ScriptError, drawn
from edge.emulator.faults import LINE_KINDS, FaultError, Faults
from edge.emulator.faults.line_kinds import SENSOR_KINDS
from edge.emulator.timeline import Timeline
from edge.emulator.virtual import VirtualRun
from edge.node.bus import modbus
from tests.emulator.test_bench import O2, ROOF, Desk

READ = modbus.read_request(ROOF, 4, 0, 8)
CHAR_US = 11e6 / 38400


def everything(desk, within_s=0.5):
    """(time in us, bytes) of all that arrives."""
    end_us = desk.clock.now_us() + int(within_s * 1e6)
    found = []
    while 0 <= desk.port.next_arrival_us() <= end_us:
        desk.run_to(desk.port.next_arrival_us())
        found.append((desk.clock.now_us(), desk.port.read()))
    desk.run_to(end_us)
    return found


def asked(desk, request=READ):
    desk.run_to(desk.clock.now_us() + 1750)
    desk.port.write(request)
    return everything(desk)


# ---- Split, merged, echo


def test_a_split_answer_pauses_in_its_middle():
    desk = Desk()
    ((_, good),) = asked(desk)
    desk.bench.fault(ROOF, "split", 30)
    (first_us, first), (second_us, second) = asked(desk)
    assert (first + second)[:3] == good[:3] and len(first) == 10 and len(second) == 11
    assert abs(second_us - first_us - 30000 - 11 * CHAR_US) <= 2


def test_a_merged_answer_comes_right_before_the_next_of_the_line():
    desk = Desk()
    desk.bench.fault(ROOF, "merged")
    assert asked(desk) == []
    ((_, both),) = asked(desk, modbus.read_request(O2, 4, 0, 4))
    assert both[0] == ROOF and both[21] == O2 and len(both) == 21 + 13
    assert asked(desk) == []
    ((_, both),) = asked(desk)
    assert both[0] == both[21] == ROOF and len(both) == 42
    assert asked(desk) == []
    desk.bench.clear_faults()
    ((_, good),) = asked(desk)
    assert len(good) == 21, "what was held back is lost when the fault ends"


def test_an_echo_comes_before_the_answer_and_collides_with_nothing():
    desk = Desk()
    desk.bench.fault("all", "echo", seconds=5)
    sent_us = desk.clock.now_us() + 1750
    (echo_us, echo), (_, reply) = asked(desk)
    assert echo == READ and len(reply) == 21
    assert abs(echo_us - sent_us - 8 * CHAR_US) <= 1
    assert desk.wire.collisions == desk.wire.violations == 0
    desk.wait(5)
    assert len(asked(desk)) == 1
    with pytest.raises(FaultError, match="echo is a fault of the whole line: name all units"):
        desk.bench.fault(ROOF, "echo")


def test_a_tripped_watchdog_and_a_reset_are_faults_of_the_instrument():
    desk = Desk()
    desk.bench.fault("burner_and_heater", "watchdog")
    assert desk.bench.state()["leases"]["burner_and_heater"]["expired"]
    possible = desk.bench.faults.possible
    assert "watchdog" in possible.kinds(3) and "watchdog" not in possible.kinds(O2)
    with pytest.raises(FaultError, match="no unit 99"):
        possible.kinds(99)


def test_several_faults_of_one_unit_go_together():
    faults = Faults(Desk().bench.plant.instruments)
    faults.set(ROOF, "stray", 2)
    faults.set(ROOF, "late", 100)
    faults.set(ROOF, "duplicated")
    first, second = faults.bend(ROOF, b"abc", 1000, 10.0)
    assert first == (101000, b"\0\0abc") and second == (101050, b"\0\0abc")


@pytest.mark.parametrize(("kind", "arg", "same"), [("frozen", None, None), ("burnt_out", "ai0", 0)])
def test_a_fault_of_an_instrument_that_ends_leaves_one_like_it_alone(kind, arg, same):
    desk = Desk()
    desk.wait(1)
    desk.bench.fault(ROOF, kind, arg, seconds=6)
    desk.bench.fault(ROOF, kind, same, seconds=2)
    desk.wait(1)
    shown = desk.read(ROOF, 4, 0)
    desk.wait(3)
    assert desk.read(ROOF, 4, 0) == shown and len(desk.bench.faults.active()) == 1
    desk.wait(4)
    assert desk.read(ROOF, 4, 0) != shown and not desk.bench.faults.active()


def test_who_listens_hears_when_faults_begin_and_end():
    desk = Desk()
    timeline = Timeline(0)
    desk.bench.faults.told = timeline.fault
    desk.bench.fault(ROOF, "late", 100, seconds=2)
    desk.wait(1)
    desk.bench.fault(ROOF, "frozen")
    desk.bench.clear_faults()
    desk.wait(3)
    found = [(entry.at_s, entry.what, entry.unit, entry.kind, entry.arg) for entry in timeline.entries()]
    assert found == [
        (0.0, "fault begins", ROOF, "late", 100),
        (1.0, "fault begins", ROOF, "frozen", None),
        (1.0, "fault ends", ROOF, "late", 100),
        (1.0, "fault ends", ROOF, "frozen", None),
    ]


# ---- From a script

SCRIPT = """
[[fault]]
at_s = 2.5
unit = "flue_gas"
kind = "late"
argument = 200
for_s = 2

[[fault]]
at_s = 1
unit = 1
kind = "burnt_out"
argument = "ai0"
for_s = 3
"""


def told_of(bench):
    timeline = Timeline(0)
    bench.faults.told = timeline.fault
    return timeline


def test_a_script_begins_its_faults_at_their_times(tmp_path):
    path = tmp_path / "faults.toml"
    path.write_text(SCRIPT)
    desk = Desk()
    timeline = told_of(desk.bench)
    desk.bench.play(str(path))
    # The desk has been told when to come back before there was a script.
    desk.due_us = desk.bench.step(0)
    desk.wait(2)
    assert desk.read(ROOF, 4, 0) == [0x7FFF]
    desk.wait(6)
    assert desk.read(ROOF, 4, 0) != [0x7FFF]
    found = [(entry.at_s, entry.what, entry.unit, entry.kind, entry.arg) for entry in timeline.entries()]
    assert found == [
        (1.0, "fault begins", ROOF, "burnt_out", "ai0"),
        (2.5, "fault begins", O2, "late", 200),
        (4.0, "fault ends", ROOF, "burnt_out", "ai0"),
        (4.5, "fault ends", O2, "late", 200),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[fault]\n", "faults.toml:1: this is not TOML"),
        ("[plant]\n", r"\[plant\]: nobody knows this table; expected \[\[fault\]\]"),
        ("fault = 3\n", r"fault: expected tables \[\[fault\]\]"),
        ('[[fault]]\nat_s = 1\nunit = 1\n', r"faults.toml:1: \[\[fault\]\] number 1: kind: is missing"),
        ('[[fault]]\nat_s = 1\nunit = 1\nkind = "late"\ncolour = 1\n', "colour: is not known here; known"),
        ('[[fault]]\nat_s = -1\nunit = 1\nkind = "late"\n', "faults.toml:2: .* at_s: is -1; expected a"),
        ('[[fault]]\nat_s = 1\nunit = "stove"\nkind = "late"\n', "there is no unit 'stove'"),
        ('[[fault]]\nat_s = 1\nunit = 9\nkind = "late"\n', "there is no unit 9 on the line"),
        ('[[fault]]\nat_s = 1\nunit = 1\nkind = "dance"\n', "has no fault 'dance'"),
        ('[[fault]]\nat_s = 1\nunit = 1\nkind = "late"\nargument = "soon"\n', "takes a whole number"),
        ('[[fault]]\nat_s = 1\nunit = 1\nkind = "burnt_out"\nargument = "ai9"\n', "has no input 'ai9'"),
        ('[[fault]]\nat_s = 1\nunit = 1\nkind = "late"\nreplies = 0\n', "replies: is 0; expected a whole"),
    ],
)
def test_a_wrong_script_says_where_and_what_was_expected(tmp_path, text, message):
    path = tmp_path / "faults.toml"
    path.write_text(text)
    with pytest.raises(ScriptError, match=message):
        Bench().play(str(path))
    with pytest.raises(ScriptError, match="can't be read: No such file"):
        Bench().play(str(tmp_path / "none.toml"))


ALL_UNITS = ("roof", "flue_gas", "burner_and_heater", "feeder")


def test_every_fault_of_every_unit_can_be_had_by_hand_and_from_a_script(tmp_path):
    bench = Bench()
    console = Console(bench, None)
    tables = []
    for name in ("all", *ALL_UNITS):
        for kind in bench.faults.possible.kinds(bench.unit(name)):
            argument = "ai0" if kind in ("burnt_out", "shorted") else None
            words = ["fault", name, kind, *([argument] if argument else []), "60s"]
            assert console.obey(" ".join(words)) == {"ok": True}, words
            console.obey("clear")
            line = f'argument = "{argument}"\n' if argument else ""
            head = f'[[fault]]\nat_s = {len(tables)}\nunit = "{name}"\nkind = "{kind}"\n'
            tables.append(f"{head}{line}for_s = 0.5\n")
    path = tmp_path / "all.toml"
    path.write_text("\n".join(tables))
    desk = Desk()
    timeline = told_of(desk.bench)
    desk.bench.play(str(path))
    desk.due_us = desk.bench.step(0)
    desk.wait(len(tables) + 2)
    assert sum(entry.what == "fault begins" for entry in timeline.entries()) == len(tables) > 80
    assert not desk.bench.faults.active()


# ---- From a seed


def chaos_run(seed, seconds):
    """A node under faults drawn from a seed: a hash of all bytes and times, and what faults there were."""
    description, _ = describe(find("bishkek"))
    run = VirtualRun("bishkek", description, 1)
    timeline = told_of(run.bench)
    run.bench.chaos(seed)
    seen = hashlib.sha256()
    run.wire.tap = lambda at_us, way, data: seen.update(b"%d%b%b" % (at_us, way.encode(), data))
    run.run_for(seconds)
    return seen.hexdigest(), [str(entry) for entry in timeline.entries()]


def test_the_same_seed_gives_the_same_faults_and_the_same_bytes():
    first = chaos_run(5, 120)
    assert first == chaos_run(5, 120)
    assert 6 <= len(first[1]) <= 40
    assert first != chaos_run(6, 120)


def test_every_kind_of_fault_is_drawn_and_can_be():
    bench = Bench()
    events = drawn(1, bench.faults)
    kinds = set()
    last_us = 0
    for _ in range(3000):
        event = next(events)
        assert event.at_us >= last_us and 0 < event.for_s <= 30
        last_us = event.at_us
        bench.faults.check(event.unit, event.kind, event.argument)
        kinds.add(event.kind)
    own = {"frozen", "reset", "burnt_out", "shorted", "watchdog", "trip", "local"}
    assert kinds >= set(LINE_KINDS) | set(SENSOR_KINDS) | own
    assert 13 < last_us / 3000e6 < 17


# ---- The fault table: what the node's signals show


@pytest.fixture(scope="module")
def shown():
    return {kind: table.measure(kind, unit, arg) for kind, unit, arg in table.FAULTS}


def test_every_fault_of_the_line_is_in_the_table():
    assert {kind for kind, _, _ in table.FAULTS} >= set(LINE_KINDS)


def test_no_fault_of_the_line_makes_a_wrong_value_good(shown):
    for kind, found in shown.items():
        # These two are faults of the instrument: it answers them as good.
        if kind not in ("frozen", "shorted"):
            assert found.wrong_c < table.WRONG_C, kind


@pytest.mark.parametrize(
    ("kind", "within_s"),
    [
        # One poll period, and the time-out budget: two attempts, with late_ms between them where the reply
        # could come late, up to two reads of the module before, and a tick until the signal is judged.
        ("silence", 2.0),
        ("mute", 2.0),
        ("late", 2.0),
        ("merged", 2.0),
        ("wrong_unit", 2.0),
        ("wrong_function", 2.0),
        ("truncated", 1.0),
        ("wrong_crc", 1.0),
        ("burnt_out", 1.0),
    ],
)
def test_a_fault_that_hides_the_value_makes_the_signal_bad_and_it_recovers(shown, kind, within_s):
    assert 0 < shown[kind].bad_after_s <= within_s
    assert 0 < shown[kind].after_s <= 4.0


@pytest.mark.parametrize("kind", ["split", "duplicated", "stray", "echo"])
def test_a_fault_that_hides_nothing_costs_nothing(shown, kind):
    assert shown[kind].told() == "good"


def test_the_page_says_what_is_measured(shown):
    rows = make_fault_table.PAGE.read_text(encoding="utf-8").splitlines()
    cells = {row.split("|")[1].strip(): row.split("|")[2].strip() for row in rows if row.startswith("| `")}
    measured = {make_fault_table.label(kind, arg): shown[kind].told() for kind, _, arg in table.FAULTS}
    assert cells == measured, "python docs/make_fault_table.py makes the page again"
