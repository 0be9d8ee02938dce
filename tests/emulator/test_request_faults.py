"""Faults that hear, refuse or change a request: exception, busy, deaf, clamping; and what narrows a fault."""

import itertools
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.emulator.bench import Bench
from edge.emulator.console import Console
from edge.emulator.faults import LINE_KINDS, FaultError, Faults
from edge.emulator.faults.line_kinds import SENSOR_KINDS
from edge.emulator.faults.own_kinds import OWN_KINDS, about
from edge.emulator.instruments import table
from edge.node.bus import modbus
from edge.node.devices import ach550, m7024
from tests.emulator.test_bench import MODULE, O2, PRIMARY, ROOF, Desk
from tests.emulator.test_dcon_slave import Line, Module
from tests.emulator.test_slave import Shelf

PAGE = Path(__file__).parents[2] / "docs" / "bench-testing.md"
READ = modbus.read_request(ROOF, 4, 0, 8)


@pytest.mark.parametrize(
    ("kind", "arg", "code"), [("exception", None, 4), ("exception", 11, 11), ("busy", None, 6)]
)
def test_a_refusing_unit_answers_the_code_and_does_nothing(kind, arg, code):
    desk = Desk()
    desk.bench.fault(MODULE, kind, arg)
    before = desk.bench.outputs()["burner"]
    for request, function in (
        (modbus.read_request(MODULE, 4, m7024.AO_READ_BACK, 4), 4),
        (modbus.read_request(MODULE, 4, 9999, 4), 4),
        (modbus.write_registers(MODULE, m7024.AO_VALUE, [12000]), 16),
        (modbus.write_register(MODULE, m7024.AO_VALUE, 12000), 6),
        (modbus.write_coil(MODULE, m7024.COIL_WATCHDOG_MODE, True), 5),
    ):
        assert desk.ask(request)[:3] == bytes((MODULE, function | 0x80, code))
    desk.wait(1)
    assert desk.bench.outputs()["burner"] == before
    assert len(desk.ask(READ)) == 21, "the others go on"
    desk.bench.clear_faults()
    assert desk.ask(modbus.write_registers(MODULE, m7024.AO_VALUE, [12000]))[1] == 16


def test_a_refused_request_keeps_the_watchdog_alive():
    desk = Desk()
    desk.ask(modbus.write_register(PRIMARY, ach550.CONST_SPEED_7, 0))
    desk.ask(modbus.write_registers(PRIMARY, ach550.COMM_FAULT_FUNC, [2, 30]))
    desk.bench.fault(PRIMARY, "busy")
    for _ in range(6):
        desk.wait(1)
        desk.ask(modbus.read_request(PRIMARY, 3, 0, 1))
    assert not desk.bench.state()["leases"]["primary_air_fan"]["expired"]


def test_a_module_in_dcon_refuses_with_a_question_mark():
    line = Line(Module(), Module(2))
    line.faults.set(1, "busy")
    assert line.ask(b"#01\r") == b"?01\r"
    assert line.ask(b"#02\r") == b">+7.2111\r"
    line.faults.clear()
    assert line.ask(b"#01\r") == b">+7.2111\r"


def test_a_deaf_unit_hears_nothing_for_a_while_after_each_answer():
    desk = Desk()
    desk.bench.fault(ROOF, "deaf", 50)
    assert len(desk.ask(READ)) == 21, "it has said nothing yet"
    assert desk.ask(modbus.read_request(O2, 4, 0, 4)), "the others hear"
    assert desk.ask(READ) == b""
    desk.wait(0.05)
    assert len(desk.ask(READ)) == 21


# A character is no whole number of microseconds.
@pytest.mark.parametrize("short_us", [0, 3])
def test_a_deaf_unit_hears_a_request_that_begins_when_its_time_is_over(short_us):
    desk = Desk()
    desk.bench.fault(ROOF, "deaf", 50)
    desk.ask(READ)
    # The desk has read when the last character had come.
    desk.run_to(desk.clock.now_us() + 50000 - short_us)
    desk.port.write(READ)
    desk.wait(0.2)
    assert len(desk.port.read()) == (0 if short_us else 21)


def test_a_clamping_device_takes_no_more_and_says_so():
    desk = Desk()
    desk.bench.fault(MODULE, "clamping", 6000)
    reply = desk.ask(modbus.write_register(MODULE, m7024.AO_VALUE, 12000))
    assert reply == modbus.write_register(MODULE, m7024.AO_VALUE, 6000)
    assert desk.read(MODULE, 3, m7024.AO_VALUE) == [6000]
    below = modbus.write_register(MODULE, m7024.AO_VALUE, 5999)
    assert desk.ask(below) == below
    reply = desk.ask(modbus.write_registers(MODULE, m7024.AO_VALUE, [12000, 5000]))
    assert reply[:6] == bytes((MODULE, 16, 0, m7024.AO_VALUE, 0, 2))
    assert desk.read(MODULE, 3, m7024.AO_VALUE, 2) == [6000, 5000]


def test_a_clamp_of_one_register_leaves_the_others_alone():
    desk = Desk()
    desk.bench.fault(MODULE, "clamping", 6000, register=m7024.AO_VALUE + 1)
    desk.ask(modbus.write_registers(MODULE, m7024.AO_VALUE, [12000, 13000]))
    assert desk.read(MODULE, 3, m7024.AO_VALUE, 2) == [12000, 6000]


def test_a_fault_of_one_function_or_register_leaves_other_requests_alone():
    desk = Desk()
    desk.bench.fault(ROOF, "silence", function=4, register=2)
    assert len(desk.ask(READ)) == 0
    assert len(desk.ask(modbus.read_request(ROOF, 4, 0, 2))) == 9
    assert len(desk.ask(modbus.read_request(ROOF, 4, 3, 2))) == 9
    assert len(desk.ask(modbus.read_request(ROOF, 3, 0, 8))) == 21
    assert desk.bench.state()["faults"] == [
        {"unit": ROOF, "kind": "silence", "arg": None, "function": 4, "register": 2}
    ]


@pytest.mark.parametrize("kind", [name for name, kind in LINE_KINDS.items() if not kind.whole_line])
def test_every_fault_of_requests_can_be_narrowed_to_one_function(kind):
    desk = Desk()
    first = desk.ask(READ)
    desk.bench.fault(ROOF, kind, function=23)
    assert desk.ask(READ)[:3] == first[:3]
    assert len(desk.bench.faults.active()) == 1


@pytest.mark.parametrize("kind", ["exception", "busy", "clamping", "late", "duplicated", "frozen", "shorted"])
def test_every_sort_of_fault_can_end_after_so_many_answers(kind):
    desk = Desk()
    unit = MODULE if kind == "clamping" else ROOF
    desk.bench.fault(unit, kind, {"shorted": "ai0", "clamping": 5000}.get(kind), replies=2)
    for left in (2, 1, 0):
        assert bool(desk.bench.faults.active()) == bool(left)
        if kind == "clamping":
            desk.ask(modbus.write_register(MODULE, m7024.AO_VALUE, 6000))
        else:
            desk.run_to(desk.clock.now_us() + 1750)
            desk.port.write(READ)
        desk.wait(0.5)
        desk.port.read()
    assert not desk.bench.faults.armed


@pytest.mark.parametrize(
    ("arguments", "where", "message"),
    [
        ((ROOF, "late", 5), {"colour": 3}, "no 'colour'; expected one of function, register"),
        ((ROOF, "late", 5), {"function": "read"}, "function is 'read'; expected a whole number of 0..127"),
        ((ROOF, "late", 5), {"register": 65536}, "register is 65536"),
        ((ROOF, "late", 5), {"replies": 0}, "replies is 0; expected a whole number from 1"),
        ((ROOF, "frozen"), {"function": 4}, "frozen is a fault of roof itself"),
        (("all", "unplugged"), {"replies": 3}, "an unplugged port has no replies"),
        (("all", "echo"), {"function": 4}, "echo is a fault of the whole line"),
        ((ROOF, "exception", 0), {}, "whole number of 1..255"),
    ],
)
def test_a_limit_that_can_not_be_says_what_can(arguments, where, message):
    bench = Bench()
    with pytest.raises(FaultError, match=message):
        bench.fault(*arguments, **where)
    assert not bench.faults.armed


def test_a_module_in_dcon_has_neither_registers_nor_functions():
    faults = Faults([Module()])
    assert "clamping" not in faults.possible.kinds(1)
    with pytest.raises(FaultError, match="clamping is a fault of units in Modbus, and module1 speaks DCON"):
        faults.set(1, "clamping")
    with pytest.raises(FaultError, match="module1 speaks DCON: it takes no function and no register"):
        faults.set(1, "late", register=3)


def test_the_console_takes_limits_by_name():
    bench = Bench()
    console = Console(bench, None)
    assert console.obey("fault roof exception 11 5s replies=3 function=4 register=2") == {"ok": True}
    assert bench.faults.active() == [
        {"unit": ROOF, "kind": "exception", "arg": 11, "function": 4, "register": 2}
    ]
    assert "a fault has no 'colour'" in console.obey("fault roof late colour=3")["error"]
    assert "replies is '0'" in console.obey("fault roof late replies=0")["error"]


def test_a_script_takes_limits_by_name(tmp_path):
    path = tmp_path / "faults.toml"
    path.write_text('[[fault]]\nat_s = 0\nunit = 1\nkind = "busy"\nfunction = 4\nregister = 2\nreplies = 1\n')
    desk = Desk()
    desk.bench.play(str(path))
    desk.due_us = desk.bench.step(0)
    assert desk.ask(READ)[1:3] == b"\x84\x06"
    assert len(desk.ask(READ)) == 21


KINDS = [name for name, kind in LINE_KINDS.items() if kind.bends is not None]


@pytest.mark.parametrize("dcon", [None, False, True])
def test_answers_bent_twice_in_any_order_are_bytes_and_never_an_error(dcon):
    good = b"!0A050600\r" if dcon is not None else modbus.sealed(b"\x11\x04\x02\x00\x01")
    for first, second in itertools.product(KINDS, KINDS):
        faults = Faults([Shelf()])
        for kind in (first, second):
            faults.set(0x11, kind, {"truncated": 1, "noise": 1.0}.get(kind))
        for start_us, data in faults.bend(0x11, good, 1000, 10.0, dcon):
            assert start_us >= 1000 and isinstance(data, bytes)


@settings(max_examples=200)
@given(st.integers(0, 2**32), st.lists(st.sampled_from(KINDS), min_size=3, max_size=6))
def test_any_number_of_faults_at_once_bends_any_answer_without_an_error(seed, kinds):
    rng = Random(seed)
    faults = Faults([Shelf()])
    for kind in kinds:
        faults.set(0x11, kind)
    for dcon in (None, False, True):
        faults.bend(0x11, rng.randbytes(rng.randrange(1, 40)), 1000, 10.0, dcon)


def test_the_page_lists_every_fault_with_its_argument_and_what_it_does():
    text = PAGE.read_text(encoding="utf-8")
    begin = text.index("| fault | argument |")
    rows = [row for row in text[begin : text.index("\n\n", begin)].splitlines()[2:]]
    expected = []
    for name, kind in {**LINE_KINDS, **SENSOR_KINDS}.items():
        argument = kind.argument.told() if kind.argument else ""
        expected.append(f"| `{name}` | {argument} | {kind.about} |")
    for name, (argument, sentence) in OWN_KINDS.items():
        expected.append(f"| `{name}` | {argument} | {sentence} |")
    assert rows == [row.replace("|  |", "| |") for row in expected]


def test_every_fault_of_an_instrument_is_described():
    for family in table.TYPES.values():
        assert set(family.FAULTS) <= set(OWN_KINDS), family.TYPE
        for kind in family.FAULTS:
            assert bool(about(family, kind)[0]) == (kind in family.ARGUMENTS), (family.TYPE, kind)
    assert set(OWN_KINDS) == {kind for family in table.TYPES.values() for kind in family.FAULTS}
