"""Who talks unasked, echoes that are cut, a port that is unplugged, sensors that lie; on virtual time."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cext.crc import crc16
from edge.box.config import describe, find
from edge.emulator.fault_script import drawn
from edge.emulator.faults import FaultError
from edge.emulator.virtual import VirtualRun
from edge.node.bus import modbus
from edge.node.signals import BAD, GOOD
from tests.emulator.test_bench import O2, ROOF, Desk
from tests.emulator.test_faults import asked, everything

READ = modbus.read_request(ROOF, 4, 0, 8)


def listen(desk):
    """What the tap of the line hears from now on."""
    heard = []
    desk.wire.tap = lambda at_us, direction, data: heard.append((at_us, direction, data))
    return heard


def let_pass(desk, seconds):
    """Time passes, and what comes is read."""
    for _ in range(int(seconds * 100)):
        desk.wait(0.01)
        desk.port.read()


def test_a_babbling_unit_talks_at_its_pace_and_the_same_on_every_run():
    runs = []
    for _ in range(2):
        desk = Desk()
        heard = listen(desk)
        desk.bench.fault(ROOF, "babbling", 100, seconds=2)
        let_pass(desk, 4)
        runs.append(heard)
    assert runs[0] == runs[1]
    assert 17 <= len(heard) <= 20 and all(1 <= len(data) <= 16 for _, _, data in heard)
    assert {direction for _, direction, _ in heard} == {"!"}
    starts = [at_us - desk.wire.duration_us(len(data)) for at_us, _, data in heard]
    assert {later - sooner for sooner, later in zip(starts[1:], starts[2:], strict=False)} == {100000}


def test_a_second_master_asks_and_the_unit_answers_it():
    desk = Desk()
    assert len(desk.ask(READ)) == 21
    desk.bench.fault(ROOF, "second_master", 200, function=4, register=4, seconds=1)
    heard = listen(desk)
    let_pass(desk, 2)
    assert [direction for _, direction, _ in heard] == ["!"] * len(heard) and len(heard) >= 8
    for request, reply in zip(heard[::2], heard[1::2], strict=True):
        assert request[2] == modbus.read_request(ROOF, 4, 4, 1)
        assert crc16(reply[2]) == 0 and reply[2][:3] == bytes((ROOF, 4, 2))


def test_a_second_master_asks_for_as_much_as_the_first_did():
    desk = Desk()
    desk.bench.fault(ROOF, "second_master", 200, register=2)
    desk.ask(modbus.read_request(ROOF, 4, 0, 4))
    heard = listen(desk)
    let_pass(desk, 1)
    assert heard[-2][2] == modbus.read_request(ROOF, 4, 2, 4) and len(heard[-1][2]) == 13


def test_a_second_master_asks_one_unit_after_the_other():
    desk = Desk()
    desk.bench.fault("all", "second_master", 100)
    heard = listen(desk)
    let_pass(desk, 2)
    assert {data[0] for _, _, data in heard} == set(desk.bench.faults.possible.units())


def test_who_talks_while_another_does_garbles_both():
    desk = Desk()
    desk.run_to(1750)
    desk.bench.fault("all", "second_master", 100)
    desk.bench.step(desk.clock.now_us())
    desk.port.write(READ)
    assert desk.wire.collisions == 1
    (_, first), *others = everything(desk, 0.05)
    assert crc16(first) != 0 and all(data[0] != ROOF for _, data in others)


@pytest.mark.parametrize(("arg", "size"), [(None, 4), (1, 1), (0, 0)])
def test_of_a_cut_echo_only_the_first_bytes_come_back(arg, size):
    desk = Desk()
    desk.bench.fault("all", "cut_echo", arg)
    data = b"".join(data for _, data in asked(desk))
    assert data[:size] == READ[:size] and len(data) == size + 21
    with pytest.raises(FaultError, match="cut_echo is a fault of the whole line"):
        desk.bench.fault(ROOF, "cut_echo")


def test_a_duplicate_comes_after_its_gap():
    desk = Desk()
    desk.bench.fault(ROOF, "duplicated", 50)
    (first_us, first), (second_us, second) = asked(desk)
    assert first == second and len(first) == 21
    assert abs(second_us - first_us - 50000 - desk.wire.duration_us(21)) <= 2


def test_an_unplugged_unit_is_silent_and_an_unplugged_port_is_gone():
    desk = Desk()
    desk.bench.fault(ROOF, "unplugged")
    assert desk.ask(READ) == b""
    assert desk.ask(modbus.read_request(O2, 4, 0, 4))
    desk.bench.clear_faults()
    desk.port.write(READ)
    desk.bench.fault("all", "unplugged", seconds=2)
    for action in (desk.port.any, desk.port.read, desk.port.reopen, lambda: desk.port.write(READ)):
        with pytest.raises(OSError, match="unplugged"):
            action()
    desk.wait(2)
    desk.port.reopen()
    assert desk.port.read() == b"", "what was on its way is lost"
    assert len(desk.ask(READ)) == 21


def test_the_node_outlives_an_unplugged_port_on_virtual_time():
    description, _ = describe(find("bishkek"))
    run = VirtualRun("bishkek", description, 1)
    run.run_for(10)
    signal = next(signal for signal in run.node.signals if signal.name == "roof_a1")
    assert signal.quality == GOOD
    run.bench.fault("all", "unplugged", seconds=5)
    run.run_for(4)
    assert signal.quality == BAD
    run.run_for(16)
    assert signal.quality == GOOD


# ---- Sensors


def shown_c(desk, place=0):
    desk.wait(0.5)
    return desk.read(ROOF, 4, place)[0] / 10.0


def test_a_sensor_that_jumps_shows_so_much_more_and_its_neighbours_do_not():
    desk = Desk()
    desk.bench.fault(ROOF, "jump", -100, channel="ai0")
    assert abs(shown_c(desk) + 100.0 - desk.bench.model.t_a1_c) < 3.0
    assert abs(shown_c(desk, 1) - desk.bench.model.t_a2_c) < 3.0
    desk.bench.fault(ROOF, "jump", 50, channel="t_a2_c")
    assert abs(shown_c(desk, 1) - 50.0 - desk.bench.model.t_a2_c) < 3.0
    desk.bench.clear_faults()
    assert abs(shown_c(desk) - desk.bench.model.t_a1_c) < 3.0


def test_a_sensor_drifts_at_its_rate():
    desk = Desk()
    desk.bench.fault(ROOF, "drift", 60.0, channel="ai0")
    desk.wait(29.5)
    assert abs(shown_c(desk) - 30.0 - desk.bench.model.t_a1_c) < 3.0


def test_a_stuck_sensor_shows_one_value_without_noise_and_lives_on_afterwards():
    desk = Desk()
    desk.bench.fault(ROOF, "stuck", channel="ai0", seconds=10)
    seen = {shown_c(desk) for _ in range(10)}
    others = {shown_c(desk, 1) for _ in range(5)}
    assert len(seen) == 1 and len(others) > 1
    desk.wait(10)
    assert len({shown_c(desk) for _ in range(5)}) > 1


@pytest.mark.parametrize("unit", [ROOF, O2])
@pytest.mark.parametrize("kind", ["jump", "drift", "stuck"])
def test_every_instrument_with_sensors_has_their_faults_on_all_channels(unit, kind):
    desk = Desk()
    desk.bench.fault(unit, kind)
    desk.wait(1)
    assert kind in desk.bench.faults.possible.kinds(unit)
    desk.bench.clear_faults()
    assert not desk.bench.instruments["roof"].sensing.faults and not desk.bench.faults.armed


def test_a_channel_that_is_not_there_and_a_fault_without_channels_are_told():
    desk = Desk()
    with pytest.raises(FaultError, match="roof has no channel 'ai9': it has ai0, ai1"):
        desk.bench.fault(ROOF, "stuck", channel="ai9")
    with pytest.raises(FaultError, match="the fault late takes no channel"):
        desk.bench.fault(ROOF, "late", channel="ai0")
    with pytest.raises(FaultError, match="no fault 'drift'"):
        desk.bench.fault("feeder", "drift")


@pytest.mark.parametrize(
    ("unit", "kind"), [("all", "echo"), ("all", "cut_echo"), (ROOF, "babbling"), (ROOF, "second_master")]
)
def test_echoes_and_talkers_end_after_so_many(unit, kind):
    desk = Desk()
    desk.bench.fault(unit, kind, replies=2)
    heard = listen(desk)
    for _ in range(4):
        desk.wait(0.5)
        desk.port.write(READ)
        let_pass(desk, 0.1)
    assert not desk.bench.faults.armed
    found = [data for _, direction, data in heard if direction in "=!"]
    assert len(found) == (4 if kind == "second_master" else 2)


# ---- Any fault, at any moment

WANTED = [READ, modbus.read_request(O2, 4, 0, 4), modbus.read_request(3, 1, 268, 2)] + [
    modbus.write_registers(3, 32, [8000, 9000]),
    modbus.write_register(3, 32, 5000),
    modbus.write_coil(3, 268, False),
    modbus.write_register(0, 32, 4000),
    b"\x01\x04\x00",
    bytes(40),
]


@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_any_faults_at_any_moment_break_nothing_that_their_end_does_not_mend(seed):
    rng = Random(seed)
    desk = Desk(seed=1)
    events = drawn(seed, desk.bench.faults, mean_s=0.3, lasts_s=1.0)
    event = next(events)
    while desk.clock.now_us() < 8000000:
        while event.at_us <= desk.clock.now_us():
            unit, kind, argument = event.unit, event.kind, event.argument
            replies = rng.choice((-1, 1, 2)) if (unit, kind) != (0, "unplugged") else -1
            desk.bench.faults.set(unit, kind, argument, desk.clock.now_us(), event.for_s, replies)
            event = next(events)
        try:
            desk.port.write(rng.choice(WANTED))
            desk.wait(rng.choice((0.0, 0.002, 0.05, 0.3)))
            desk.port.read()
        except OSError:
            desk.wait(0.1)
    desk.bench.clear_faults()
    assert not desk.bench.faults.active() and not desk.bench.faults.armed
    desk.wait(32)
    desk.port.read()
    assert desk.ask(READ)[:3] == READ[:2] + b"\x10"
