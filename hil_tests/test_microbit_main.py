"""boards/microbit/main.py on the chip: it boots from its flash, speaks Modbus RTU and closes a loop."""

import struct

import pytest

from cext.pid import PID
from edge.box.microbit import ChipError
from edge.node.bus.modbus import sealed
from hil_tests.chip_floats import UNIT, ChipFloat, cut, interpreted
from hil_tests.microbit import FOLLOW, LIMIT, MAIN_NEEDS, STEP, TUNE, Chip, pieces, request, require_microbit

TUNING = (2.0, 10.0, 1.0, 0.75, 0.0, 8.0)
DT_S = 0.5
STEPS = 240


@pytest.fixture(scope="module")
def booted():
    require_microbit()
    with Chip() as chip:
        chip.boot_main()
        yield chip


@pytest.fixture
def chip(booted):
    """A PI controller that was at 40 % in manual."""
    booted.ask(LIMIT, (0.0, 100.0, 0.0))
    booted.ask(TUNE, (2.0, 10.0, 0.0, 0.75, 0.0, 8.0))
    booted.ask(FOLLOW, (100.0, 90.0, 0.0, 40.0, DT_S))
    return booted


class Furnace:
    """First-order plant, 4 K per percent above 20 degC, 60 s; on 64-bit floats for every controller."""

    def __init__(self):
        self.temp_c = 20.0

    def step(self, output_pct, disturbance_k):
        self.temp_c += DT_S / (60.0 + DT_S) * (20.0 + 4.0 * output_pct + disturbance_k - self.temp_c)


def loop(controller) -> list:
    """Outputs of a controller: start at a limit, by hand, a disturbance, another set point.

    `controller(operation, numbers)` returns the output. It is told floats that the chip holds exactly.
    """
    furnace = Furnace()
    controller(TUNE, TUNING)
    controller(FOLLOW, (0.0, 20.0, 0.0, 0.0, 0.0))
    outputs = []
    for number in range(STEPS):
        set_point = 250.0 if number < 190 else 180.0
        inputs = (set_point, cut(furnace.temp_c), 0.0)
        if 60 <= number < 70:
            output = controller(FOLLOW, (*inputs, 40.0, DT_S))
        else:
            output = controller(STEP, (*inputs, DT_S))
        furnace.step(output, 30.0 if number > 130 else 0.0)
        outputs.append(output)
    return outputs


def on_cpython(pid, number, nudge=0.0):
    """A controller for loop(): a PID of the core, its numbers of a class, nudged once in its integral."""
    told = 0

    def controller(operation, numbers):
        nonlocal told
        told += 1
        (pid.step, pid.follow, pid.tune, pid.limit)[operation](*map(number, numbers))
        if told == 110:
            pid.integral += nudge
        return float(pid.out)

    return controller


def test_the_loop_over_the_uart_is_the_loop_on_cpython(chip):
    found = loop(lambda operation, numbers: chip.ask(operation, numbers)[0])

    predicted = interpreted("\n".join(pieces(*MAIN_NEEDS)))["PID"]
    assert found == loop(on_cpython(predicted(ChipFloat(1.0), ChipFloat(60.0), ChipFloat(0.0)), ChipFloat))

    expected = loop(on_cpython(PID(1.0, 60.0, 0.0), float))
    assert max(expected) == 100.0, "the loop starts at its limit"
    # A step rounds some twelve times what is at most 600 % (P at the start), and the process value; the loop
    # amplifies that by the sum of its answer to one nudge, which is found by nudging.
    nudged = loop(on_cpython(PID(1.0, 60.0, 0.0), float, 0.01))
    amplification = sum(abs(a - b) for a, b in zip(expected, nudged, strict=True)) / 0.01
    assert 1.0 < amplification < 20.0
    tolerance = amplification * (12 * 600.0 + 2.0 * 250.0) * UNIT
    for number, (value, reference) in enumerate(zip(found, expected, strict=True)):
        assert abs(value - reference) <= tolerance, f"step {number}: {value} % for {reference} %"


def test_limits_and_flags_come_back(chip):
    chip.ask(LIMIT, (5.0, 60.0, 0.0))
    out, demand, integral, derivative, saturated, flag = chip.ask(STEP, (100.0, 20.0, 0.0, DT_S))
    assert (out, saturated, flag) == (60.0, 1, 0)
    assert demand == pytest.approx(40.0 + 2.0 * 70.0 + 2.0 * DT_S / 10.0 * 80.0, abs=1e-3)
    assert integral == pytest.approx(40.0 - 2.0 * (75.0 - 90.0) + 2.0 * DT_S / 10.0 * 80.0, abs=1e-3)
    assert derivative == 0.0
    assert chip.ask(STEP, (100.0, float("nan"), 0.0, DT_S))[0::5] == (60.0, 1)
    assert chip.ask(STEP, (100.0, 20.0, 0.0, 0.0))[0::5] == (60.0, 2)
    assert chip.ask(STEP, (0.0, 200.0, 0.0, DT_S))[0::4] == (5.0, -1)


def test_what_the_controller_refuses_is_exception_3_and_changes_nothing(chip):
    before = chip.ask(STEP, (100.0, 90.0, 0.0, DT_S))
    with pytest.raises(ChipError, match="exception 3"):
        chip.ask(TUNE, (-1.0, 10.0, 1.0, 1.0, 0.0, 10.0))
    with pytest.raises(ChipError, match="exception 3"):
        chip.ask(LIMIT, (60.0, 50.0, 0.0))
    after = chip.ask(STEP, (100.0, 90.0, 0.0, DT_S))
    # Only the integral has moved.
    assert after[0] == pytest.approx(before[0] + 2.0 * DT_S / 10.0 * 10.0, abs=1e-4)


SOUND = request(STEP, (100.0, 90.0, 0.0, DT_S))


@pytest.mark.parametrize(
    "frame",
    [
        SOUND[:-1] + bytes((SOUND[-1] ^ 1,)),
        SOUND[:20],
        SOUND[:5],
        b"\xff\x00\x17",
        sealed(b"\x02" + SOUND[1:-2]),
        sealed(b"\x01\x03\x00\x00\x00\x0a"),
        sealed(SOUND[:6] + b"\x00\x09" + SOUND[8:-2]),
        sealed(SOUND[:3] + b"\x01" + SOUND[4:-2]),
    ],
    ids=["crc", "half", "head", "noise", "unit", "function", "operation", "read address"],
)
def test_what_is_no_request_is_not_answered_and_the_next_one_is(chip, frame):
    before = chip.ask(FOLLOW, (100.0, 90.0, 0.0, 40.0, DT_S))
    chip.repl.send(frame)
    with pytest.raises(ChipError, match="in time, but b''"):
        chip.repl.take(1, 0.3)
    assert ask_again(chip, FOLLOW, (100.0, 90.0, 0.0, 40.0, DT_S)) == before
    with pytest.raises(ChipError, match="in time, but b''"):
        chip.repl.take(1, 0.1)


def ask_again(chip, operation, numbers):
    """As masters do: where the chip has not had its 20 ms yet, the request goes with the remnant."""
    for _ in range(5):
        try:
            return chip.ask(operation, numbers, 10.0)
        except ChipError as error:
            if "but b''" not in str(error):
                raise
    raise AssertionError("no answer to five requests")


def test_a_request_while_the_chip_boots_costs_another_reset_and_no_more():
    """On a machine that has no time for the chip that happens by itself."""
    require_microbit()
    with Chip() as chip:
        chip.write_main()
        chip.repl.reset()
        chip.repl.send(SOUND)
        chip.wait_for_main(0.0)
        assert chip.ask(FOLLOW, (100.0, 90.0, 0.0, 40.0, DT_S))[0] == 40.0


def test_pymodbus_speaks_with_it(chip):
    """Another author's master: function 23, high word first."""
    client = pytest.importorskip("pymodbus.client").ModbusSerialClient(chip.port, baudrate=115200, timeout=60)
    assert client.connect()
    by_hand, automatic = registers(100.0, 90.0, 0.0, 40.0, DT_S), registers(100.0, 90.0, 0.0, DT_S)
    try:
        client.readwrite_registers(read_count=10, write_address=FOLLOW, values=by_hand)
        reply = client.readwrite_registers(read_count=10, write_address=STEP, values=automatic)
    finally:
        client.close()
    out, _demand, integral, _derivative = struct.unpack(">4f", struct.pack(">8H", *reply.registers[:8]))
    assert out == pytest.approx(40.0 + 2.0 * DT_S / 10.0 * 10.0, abs=1e-4)
    assert integral == pytest.approx(out - 2.0 * (0.75 * 100.0 - 90.0), abs=1e-3)
    assert reply.registers[8:] == [0, 0]


def registers(*numbers) -> list:
    six = (*numbers, *(0.0,) * (6 - len(numbers)))
    return list(struct.unpack(">12H", struct.pack(">6f", *six)))
