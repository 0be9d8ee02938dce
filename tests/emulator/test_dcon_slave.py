"""The slave's side of DCON: bytes and times in, bytes and times out; alone and beside Modbus on one line."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.emulator import plant_file
from edge.emulator.bench import Bench
from edge.emulator.dcon_slave import LONGEST, DconSlaves, MixedSlaves, slaves_of
from edge.emulator.faults import Faults
from edge.emulator.instruments.instrument import Instrument
from edge.emulator.slave import ModbusSlaves
from edge.node.bus import modbus
from edge.node.bus.dcon import checksum, command
from edge.node.clock import VirtualClock
from tests.emulator import fuzz
from tests.emulator.test_slave import FRAMES, UNIT, Shelf

SILENT_US = 1000000


class Module(Instrument):
    """Answers "#AA", "$AA2" and nothing else; counts "~**"."""

    TYPE = "module"
    protocol = "dcon"

    def __init__(self, unit=1, checked=False, delay_ms=5):
        Instrument.__init__(self, f"module{unit}", unit, delay_ms)
        self.checksum = checked
        self.heard = []
        self.host_ok = 0

    def dcon(self, text, at_us):
        if text == b"~**":
            self.host_ok += 1
            return b""
        self.heard.append(text)
        if text[:1] == b"#" and len(text) == 3:
            return b">+7.2111"
        if text == b"$%02X2" % self.unit:
            return b"!%02X050600" % self.unit
        return b"?%02X" % self.unit


class Line:
    def __init__(self, *instruments, slaves=slaves_of, baud=9600):
        self.faults = Faults(instruments)
        self.slaves = slaves(instruments, baud, faults=self.faults)
        self.end_us = 0

    def ask(self, *pieces, pause_us=SILENT_US):
        """All that is answered, as one."""
        self.end_us += pause_us
        heard = b""
        for piece in pieces:
            self.end_us += int(len(piece) * self.slaves.char_us + 1)
            replies = self.slaves.received(piece, self.end_us)
            for start_us, reply in replies:
                assert start_us > self.end_us - len(piece) * self.slaves.char_us
                heard += reply
        return heard


def test_a_command_is_answered_by_its_module_after_its_delay():
    line = Line(Module(1), Module(0xAB), baud=9600)
    assert line.ask(b"#01\r") == b">+7.2111\r"
    assert line.ask(b"$AB2\r") == b"!AB050600\r"
    assert line.ask(b"$012X\r") == b"?01\r"
    assert line.ask(b"$022\r") == b"", "nobody is 02"
    ((start_us, _),) = line.slaves.received(b"#01\r", 10**9)
    assert start_us == 10**9 + 5000
    assert (line.slaves.requests, line.slaves.replies) == (4, 4)


def test_the_examples_of_the_manual_with_checksum():
    module = Module(5, checked=True)
    line = Line(module)
    assert command("#05", True) == b"#0588\r"
    reply = line.ask(b"#0588\r")
    assert reply == b">+7.2111" + checksum(b">+7.2111") + b"\r"
    assert line.ask(b"#0589\r") == line.ask(b"#05\r") == b"", "a wrong checksum is not answered"
    assert line.slaves.crc_errors == 2
    assert module.heard == [b"#05"], "the instrument sees no checksum"


@pytest.mark.parametrize(
    "junk",
    [b"", b"\r", b"\r\r", b"#\r", b"#0\r", b"#0G\r", b"01\r", b"#01", b"\0#01\r", b"#01\n\r", b"#01 \r"],
)
def test_what_is_no_command_is_not_answered_and_does_no_harm(junk):
    line = Line(Module(1))
    assert line.ask(junk) == b""
    assert line.ask(b"#01\r") == b">+7.2111\r"


def test_a_command_may_come_in_pieces_and_two_in_one():
    line = Line(Module(1))
    assert line.ask(b"#", b"0", b"1", b"\r") == b">+7.2111\r"
    assert line.ask(b"#01\r$012\r") == b">+7.2111\r!01050600\r"
    assert not line.slaves.partial()
    line.ask(b"#0")
    assert line.slaves.partial()


def test_a_command_to_all_reaches_all_but_the_deaf_and_nobody_answers():
    first, second, third = Module(1), Module(2, checked=True), Module(3)
    line = Line(first, second, third)
    line.faults.set(3, "silence")
    assert line.ask(b"~**\r") == b""
    assert line.ask(command("~**", True)) == b""
    assert (first.host_ok, second.host_ok, third.host_ok) == (1, 1, 0)


@pytest.mark.parametrize(
    ("kind", "arg", "request_", "reply"),
    [
        ("wrong_crc", None, b"#01", b">+7.211190"),
        ("wrong_unit", None, b"$012", b"!02050600" + checksum(b"!02050600")),
        ("wrong_unit", 0x7F, b"$012", b"!7F050600" + checksum(b"!7F050600")),
        ("wrong_unit", None, b"#01", b">+7.2111" + checksum(b">+7.2111")),
        ("wrong_function", None, b"#01", b"!+7.2111" + checksum(b"!+7.2111")),
        ("wrong_function", None, b"$012", b">01050600" + checksum(b">01050600")),
        ("truncated", 3, b"#01", b">+7"),
        ("stray", 1, b"#01", b"\0>+7.2111" + checksum(b">+7.2111")),
    ],
)
def test_faults_bend_replies_in_dcon(kind, arg, request_, reply):
    line = Line(Module(1, checked=True))
    line.faults.set(1, kind, arg)
    found = line.ask(request_ + checksum(request_) + b"\r")
    assert found == (reply if kind == "truncated" else reply + b"\r")


def test_without_checksum_there_is_none_to_be_wrong():
    line = Line(Module(1))
    line.faults.set(1, "wrong_crc")
    assert line.ask(b"#01\r") == b">+7.2111\r"
    line.faults.set(1, "wrong_unit")
    assert line.ask(b"$012\r") == b"!02050600\r"


# ---- Modbus and DCON on one line


def test_a_line_without_dcon_has_nothing_of_it():
    assert type(slaves_of([Shelf()], 9600)) is ModbusSlaves
    assert type(slaves_of([Shelf(), Module()], 9600)) is MixedSlaves


def test_both_protocols_are_answered_on_one_line():
    shelf, module = Shelf(0x11), Module(0x11)
    line = Line(shelf, module)
    read = modbus.read_request(0x11, 3, 0, 8)
    for _ in range(3):
        for pause_us in (SILENT_US, 4100):
            assert len(line.ask(read, pause_us=pause_us)) == 21
            assert line.ask(b"#11\r", pause_us=pause_us) == b">+7.2111\r"
            assert not line.slaves.partial()
            assert line.ask(b"#", b"11", b"\r", pause_us=pause_us) == b">+7.2111\r"
            assert len(line.ask(read[:3], read[3:], pause_us=pause_us)) == 21
    assert line.slaves.requests == line.slaves.replies == 24
    assert line.slaves.crc_errors == 0


def test_a_command_inside_a_modbus_frame_is_none():
    module = Module(1)
    line = Line(Shelf(0x11), module)
    write = modbus.write_registers(0x11, 0, [0x0D23, 0x3031, 0x0D0D])
    assert b"\r#01\r" in write
    assert len(line.ask(write)) == 8
    assert module.heard == []


# ---- A plant whose modules speak DCON, beside drives that speak Modbus


def mixed_plant():
    values = tomllib.loads(plant_file.find("bishkek").read_text(encoding="utf-8"))
    values["instrument"]["roof"].update(protocol="dcon", checksum=True)
    values["instrument"]["burner_and_heater"].update(protocol="dcon")
    return plant_file.build("mixed.toml", values)


def test_modules_in_dcon_and_drives_in_modbus_on_one_line_of_a_plant():
    clock = VirtualClock()
    bench = Bench(mixed_plant(), clock=clock)
    port = bench.wire().port()

    def ask(request):
        clock.advance_to(clock.now_us() + 10000)
        port.write(request)
        arrival_us = port.next_arrival_us()
        if arrival_us < 0:
            return b""
        clock.advance_to(arrival_us)
        return port.read()

    clock.advance_to(10000)
    inputs = ask(command("#01", True))
    assert inputs[:1] == b">" and inputs[-1:] == b"\r" and checksum(inputs[:-3]) == inputs[-3:-1]
    roof_c = bench.state()["process"]["t_a1_c"]
    assert float(inputs[1:8]) == pytest.approx(roof_c, abs=5)
    assert ask(command("#01")) == b"", "without its checksum it does not answer"
    assert ask(command("$032"))[:3] == b"!03"
    assert len(ask(modbus.read_request(11, 3, 3, 1))) == 7
    assert ask(modbus.read_request(1, 4, 0, 1)) == b"", "set to DCON it does not hear Modbus"
    assert bench.state()["line"]["requests"] == 4


# ---- Fuzzing


HEARD = st.one_of(st.binary(max_size=90), st.sampled_from([b"#01", b"\r", b"$022", b"~**\r"]))


@given(st.lists(HEARD, max_size=20))
def test_whatever_is_heard_a_silence_makes_all_well(pieces):
    line = Line(Module(1), Module(2, checked=True))
    line.ask(*pieces, pause_us=0)
    assert len(line.slaves.dcon._buffer) <= LONGEST
    assert line.ask(b"#01\r") == b">+7.2111\r"
    assert line.ask(command("#02", True)) == b">+7.211193\r"


COMMANDS = [
    b"#01\r",
    b"$012\r",
    b"~**\r",
    b"%0102050600\r",
    b"#01+12.345\r",
    command("#02", True),
    command("$022", True),
]


def resealed(data):
    text = data[:-3]
    return text + checksum(text) + b"\r"


def fuzzed(seed, total):
    """All that both protocols of a line get, as the other's bytes as well."""
    plain, checked, shelf = Module(1), Module(2, checked=True), Shelf(UNIT)
    slaves = slaves_of([plain, checked, shelf], 115200)

    def judge(reply):
        if reply[-1:] == b"\r" and reply[:1] in b">!?":
            assert len(reply) <= LONGEST
            if b"02" == reply[1:3]:
                assert checksum(reply[:-3]) == reply[-3:-1]
        else:
            assert modbus.crc16(reply) == 0 and reply[0] == UNIT

    answers = fuzz.run(seed, slaves, COMMANDS + FRAMES, resealed, total, judge)
    assert answers > total / 1000
    assert len(slaves.dcon._buffer) <= LONGEST and len(slaves.modbus._buffer) <= 256
    plain.heard.clear()
    return slaves.received(b"#01\r", 1 << 50)


def test_a_million_random_and_mutated_bytes_do_no_harm():
    ((_, reply),) = fuzzed(1, 1000000)
    assert reply == b">+7.2111\r"


@pytest.mark.long
def test_ten_million_random_and_mutated_bytes_do_no_harm():
    for seed in range(10):
        ((_, reply),) = fuzzed(100 + seed, 1000000)
        assert reply == b">+7.2111\r"


def test_real_instruments_survive_a_million_bytes_in_both_protocols():
    plant = mixed_plant()
    slaves = slaves_of(plant.instruments, 115200)

    def judge(reply):
        if reply[:1] not in b">!?":
            assert modbus.crc16(reply) == 0 and len(reply) <= 256

    asked = [command(text, unit == "01") for unit in ("01", "03") for text in _asked_of(unit)]
    for unit in (2, 11, 15):
        asked += [modbus.read_request(unit, 3, 0, 4), modbus.write_registers(unit, 0, [0x6F, 10000])]
        asked += [modbus.read_request(unit, 4, 0, 4), modbus.write_register(unit, 3018, 2)]

    def sealed(data):
        return resealed(data) if data[:1] in b"#$%@~" else modbus.sealed(data[:-2])

    assert fuzz.run(3, slaves, asked, sealed, 1000000, judge) > 1000


def _asked_of(unit):
    texts = "#@", "#@3", "$@2", "$@M", "~@0", "#@0+05.000", "%@@0F0600", "~@3101"
    return [text.replace("@", unit) for text in texts]


def test_a_command_without_an_end_is_not_kept():
    slaves = DconSlaves([Module(1)], 9600)
    assert slaves.received(b"#" + b"0" * 10000, 10**9) == ()
    assert not slaves.partial()
