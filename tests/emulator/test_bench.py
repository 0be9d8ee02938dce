"""The bench: plant file, physics and instruments together, faults, the same seed the same bits."""

import copy
import hashlib
import tomllib

import pytest

from edge.emulator import plant_file
from edge.emulator.bench import STEP_US, Bench
from edge.emulator.faults import FaultError, Faults
from edge.emulator.plant_file import PlantFileError
from edge.node.bus import modbus
from edge.node.clock import VirtualClock
from edge.node.devices import ach550, m7019r, m7024
from tests.emulator.test_slave import Shelf

ROOF, O2, MODULE, PRIMARY, FEEDER = 1, 2, 3, 11, 14


class Desk:
    """A bench on a virtual clock with a master that asks one thing after the other."""

    def __init__(self, plant="bishkek", seed=1):
        self.clock = VirtualClock()
        self.bench = Bench(plant, seed=seed, clock=self.clock)
        self.seen = hashlib.sha256()
        self.wire = self.bench.wire(tap=lambda at_us, way, data: self.seen.update(b"%d%b" % (at_us, data)))
        self.port = self.wire.port()
        self.due_us = self.bench.step(0)

    def wait(self, seconds):
        self.run_to(self.clock.now_us() + int(seconds * 1000000))

    def run_to(self, until_us):
        while self.due_us <= until_us:
            self.clock.advance_to(self.due_us)
            self.due_us = self.bench.step(self.due_us)
        self.clock.advance_to(until_us)

    def ask(self, request):
        """What comes within 300 ms."""
        self.run_to(self.clock.now_us() + 1750)
        self.port.write(request)
        arrival_us = self.port.next_arrival_us()
        if not 0 <= arrival_us < self.clock.now_us() + 300000:
            self.wait(0.3)
            return b""
        self.run_to(arrival_us)
        return self.port.read()

    def read(self, unit, function, address, count=1):
        reply = self.ask(modbus.read_request(unit, function, address, count))
        return list(modbus.unpack_registers(reply[3:-2]))


def test_the_plant_starts_where_its_model_starts():
    desk = Desk()
    counts = desk.read(ROOF, 4, m7019r.AI_VALUE, 8)
    process = desk.bench.state()["process"]
    for place, name in ((0, "t_a1_c"), (1, "t_a2_c"), (7, "primary_air_temp_c")):
        assert abs(counts[place] / 10.0 - process[name]) < 3.0
    assert abs((counts[4] - 4000) / 16000.0 * 60.0 - process["steam_t_h"]) < 0.5
    outputs = desk.bench.state()["outputs"]
    assert outputs["primary_air"] == desk.bench.model.primary_air_pct == 60.0
    assert set(outputs) == {
        "primary_air", "secondary_air", "id_fan", "feeder", "grate", "burner", "flame", "air_heater",
    }  # fmt: skip
    desk.wait(30)
    assert desk.bench.state()["outputs"] == outputs, "nobody has touched them"
    assert desk.bench.state()["time_s"] == 30.0


def test_what_is_written_to_a_drive_reaches_the_process_along_its_ramp():
    desk = Desk()
    desk.wait(10)
    before = desk.bench.model.steam_t_h
    desk.ask(modbus.write_registers(PRIMARY, ach550.CONTROL_WORD, [0x006F, 16000]))
    desk.wait(3)
    assert 68.0 < desk.bench.model.primary_air_pct < 72.0
    desk.wait(60)
    assert desk.bench.model.primary_air_pct == 80.0
    assert desk.bench.model.steam_t_h > before + 1.0


def test_what_is_written_to_the_output_module_reaches_the_process_at_the_next_step():
    desk = Desk()
    desk.ask(modbus.write_registers(MODULE, m7024.AO_VALUE, [12000]))
    desk.wait(0.25)
    assert desk.bench.model.burner_pct == 50.0


def run(seed):
    desk = Desk(seed=seed)
    for turn in range(200):
        desk.ask(modbus.read_request(ROOF, 4, 0, 8))
        desk.ask(modbus.read_request(O2, 4, 0, 4))
        desk.ask(modbus.write_registers(PRIMARY, 0, [0x006F, 10000 + 10 * turn]))
        desk.wait(0.2)
    return desk.seen.hexdigest()


def test_the_same_seed_gives_the_same_bytes_at_the_same_times():
    assert run(1) == run(1)
    assert run(1) != run(2)


def test_the_bench_wants_to_be_called_when_a_lease_ends():
    desk = Desk()
    desk.ask(modbus.write_register(FEEDER, ach550.CONST_SPEED_7, 0))
    desk.ask(modbus.write_registers(FEEDER, ach550.COMM_FAULT_FUNC, [2, 30]))
    feeder = desk.bench.instruments["feeder"]
    ends_us = feeder.expires_us
    desk.run_to(ends_us - 1)
    assert not desk.bench.state()["leases"]["feeder"]["expired"]
    assert desk.due_us == ends_us and ends_us % STEP_US
    desk.run_to(ends_us)
    assert desk.bench.state()["leases"]["feeder"] == {"armed": True, "expired": True}
    desk.wait(6)
    assert desk.bench.state()["outputs"]["feeder"] == 0.0
    assert desk.bench.state()["leases"]["primary_air_fan"] == {"armed": False, "expired": False}


def test_steps_that_were_missed_are_made_up_for():
    late, steady = Desk(), Desk()
    steady.wait(60)
    late.clock.advance_to(60 * 1000000)
    late.bench.step(late.clock.now_us())
    assert late.bench.state() == steady.bench.state()


def test_parameters_and_free_inputs_can_be_set_and_nothing_else():
    bench = Bench()
    bench.set("moisture_mean", 0.5)
    assert bench.model.moisture_mean == 0.5
    bench.set("grab_on", 0)
    assert bench.model.grab_on == 0.0
    with pytest.raises(ValueError, match="driven by an instrument"):
        bench.set("feeder_pct", 10)
    with pytest.raises(ValueError, match="moisture_mean"):
        bench.set("moisture_mean", 5)
    with pytest.raises(ValueError, match="no parameter 'colour'"):
        bench.set("colour", 1)


# ---- Faults of the line

READ = modbus.read_request(ROOF, 4, 0, 8)


def with_fault(kind, arg=None, **more):
    desk = Desk()
    good = desk.ask(READ)
    desk.bench.fault(ROOF, kind, arg, **more)
    return desk, good


@pytest.mark.parametrize("kind", ["silence", "mute"])
def test_silence_and_mute_answer_nothing(kind):
    desk, good = with_fault(kind)
    assert desk.ask(READ) == b""
    assert desk.ask(modbus.read_request(O2, 4, 0, 4)), "the others go on"
    desk.bench.clear_faults()
    assert len(desk.ask(READ)) == len(good)


def test_a_silent_unit_does_not_hear_and_a_mute_one_obeys():
    desk = Desk()
    for kind, percent in (("silence", 60.0), ("mute", 30.0)):
        desk.bench.fault(PRIMARY, kind)
        assert desk.ask(modbus.write_registers(PRIMARY, 0, [0x006F, 6000])) == b""
        desk.bench.clear_faults()
        desk.wait(40)
        assert desk.bench.state()["outputs"]["primary_air"] == percent


@pytest.mark.parametrize(("arg", "size"), [(None, 10), (4, 4), (0, 0)])
def test_a_truncated_answer(arg, size):
    desk, good = with_fault("truncated", arg)
    assert desk.ask(READ)[:3] == good[:3][:size]
    assert len(desk.ask(READ)) == size


def test_wrong_crc_unit_and_function():
    from cext.crc import crc16

    desk, good = with_fault("wrong_crc")
    assert crc16(desk.ask(READ)) != 0
    for kind, arg, place, value in (
        ("wrong_unit", None, 0, 2),
        ("wrong_unit", 99, 0, 99),
        ("wrong_function", None, 1, 3),
        ("wrong_function", 0x84, 1, 0x84),
    ):
        desk, good = with_fault(kind, arg)
        reply = desk.ask(READ)
        assert crc16(reply) == 0 and len(reply) == len(good) and reply[place] == value


def test_a_late_answer_is_whole_and_late():
    desk, good = with_fault("late", 150)
    desk.run_to(desk.clock.now_us() + 1750)
    sent_us = desk.clock.now_us()
    desk.port.write(READ)
    late_us = desk.port.next_arrival_us()
    sound = Desk()
    sound.run_to(sent_us)
    sound.port.write(READ)
    assert late_us - sound.port.next_arrival_us() == 150000


def test_stray_bytes_come_before_the_answer_and_a_duplicate_behind():
    desk, good = with_fault("stray", 3)
    assert desk.ask(READ)[:5] == b"\x00\x00\x00" + good[:2]
    desk, good = with_fault("duplicated")
    first = desk.ask(READ)
    desk.run_to(desk.port.next_arrival_us())
    assert desk.port.read() == first


def test_noise_hits_bytes_at_its_rate_and_comes_from_the_seed():
    replies = []
    for _ in range(2):
        faults = Faults([Shelf()], seed=7)
        faults.set(0x11, "noise", 0.1)
        replies.append([faults.bend(0x11, bytes(20), 0, 286.5) for _ in range(500)])
    assert replies[0] == replies[1]
    hit = sum(byte != 0 for ((_, data),) in replies[0] for byte in data)
    assert 800 < hit < 1200


def test_a_fault_of_all_units_lasts_for_its_time():
    desk = Desk()
    desk.bench.fault("all", "silence", seconds=2)
    assert desk.ask(READ) == b"" == desk.ask(modbus.read_request(O2, 4, 0, 4))
    assert desk.bench.state()["faults"] == [{"unit": 0, "kind": "silence", "arg": None}]
    desk.wait(2)
    assert desk.ask(READ)
    assert desk.bench.state()["faults"] == []
    assert not desk.bench.faults.armed


def test_a_fault_lasts_for_so_many_answers():
    for kind in ("silence", "wrong_crc", "mute"):
        desk, good = with_fault(kind, replies=2)
        replies = [desk.ask(READ) for _ in range(3)]
        desk.wait(0.5)
        assert replies[0] != replies[2] and len(replies[2]) == len(good)
        assert not desk.bench.faults.armed


def test_faults_of_one_unit_can_be_cleared_alone():
    desk = Desk()
    desk.bench.fault("roof", "silence")
    desk.bench.fault("flue_gas", "silence")
    desk.bench.clear_faults("roof")
    assert desk.ask(READ)
    assert desk.ask(modbus.read_request(O2, 4, 0, 4)) == b""


def test_faults_of_an_instrument_go_through_the_bench():
    desk = Desk()
    desk.bench.fault("roof", "burnt_out", "ai0", seconds=5)
    desk.wait(1)
    assert desk.read(ROOF, 4, 0) == [0x7FFF]
    desk.wait(5)
    assert desk.read(ROOF, 4, 0) != [0x7FFF]
    desk.bench.fault("roof", "frozen")
    frozen = desk.read(ROOF, 4, 0, 8)
    desk.wait(3)
    assert desk.read(ROOF, 4, 0, 8) == frozen
    desk.bench.clear_faults()
    desk.wait(1)
    assert desk.read(ROOF, 4, 0, 8) != frozen


def test_a_reset_instrument_is_silent_while_it_starts():
    desk = Desk()
    desk.bench.fault(PRIMARY, "reset")
    read = modbus.read_request(PRIMARY, 3, ach550.STATUS_WORD, 1)
    assert desk.ask(read) == b""
    desk.wait(1.5)
    assert desk.read(PRIMARY, 3, ach550.STATUS_WORD)[0] & ach550.SW_SWC_ON_INHIB


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ((99, "silence"), "no unit 99 on the line: it has 1, 2, 3, "),
        (("stove", "silence"), "no unit 'stove': give all, or one of roof .1."),
        ((1, "explode"), "roof .m7019r. has no fault 'explode': it knows silence, unplugged"),
        ((1, "trip"), "it knows .*burnt_out, frozen, reset"),
        (("all", "frozen"), "name one unit"),
        ((1, "late", "soon"), "whole number of 0..600000, but got 'soon'"),
        ((1, "noise", 2), "number of 0.0..1.0"),
        ((1, "silence", 5), "takes no argument"),
        ((1, "frozen", 5), "takes no argument"),
        ((1, "burnt_out", "ai9"), "no input 'ai9'"),
    ],
)
def test_a_fault_that_can_not_be_says_what_can(fault, message):
    bench = Bench()
    with pytest.raises(FaultError, match=message):
        bench.fault(*fault)
    assert not bench.faults.armed


# ---- Plant files


@pytest.fixture(scope="module")
def bishkek():
    return tomllib.loads(plant_file.find("bishkek").read_text(encoding="utf-8"))


def changed(values, path, value):
    """A copy with one key changed; None takes it out."""
    values = copy.deepcopy(values)
    table = values
    *tables, key = path.split(".")
    for name in tables:
        table = table[name]
    if value is None:
        del table[key]
    else:
        table[key] = value
    return values


def test_every_plant_that_comes_with_the_emulator_can_be_built():
    assert "bishkek" in plant_file.names()
    for name in plant_file.names():
        plant = plant_file.load(name)
        assert plant.name == name and plant.instruments


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("instrument.roof.colour", 1, r"\[instrument.roof\] colour: is not known here; known are .*delay_ms"),
        ("instrument.roof.ai0.at_4ma", 1, r"\[instrument.roof.ai0\] at_4ma: is not known here"),
        ("instrument.roof.ai4.at_4ma", None, r"\[instrument.roof.ai4\] at_4ma: is missing; expected"),
        ("instrument.roof.ai4.at_20ma", 0, r"\[instrument.roof.ai4\] at_20ma: is 0; expected .* above 0"),
        ("instrument.roof.ai0.sensor", "G", r"\[instrument.roof.ai0\] sensor: is 'G'; expected one of .*K"),
        ("instrument.roof.ai0.reads", "t_c", r"\[instrument.roof.ai0\] reads: .*no process value 't_c'"),
        ("instrument.roof.ai0", 5, r"\[instrument.roof\] ai0: is 5; expected a table"),
        ("instrument.roof.unit", 2, r"\[instrument.flue_gas\] unit: is 2, which roof has already"),
        ("instrument.roof.unit", 300, r"\[instrument.roof\] unit: is 300; expected a whole number"),
        ("instrument.roof.type", "adam", r"\[instrument.roof\] type: is 'adam'; expected one of m7019r"),
        ("instrument.feeder.drives", "id_fan_pct", r"\[instrument.feeder\] drives: .*driven by .*id_fan"),
        ("instrument.feeder.drives", "fuel", r"\[instrument.feeder\] drives: is 'fuel'; expected one of"),
        ("model.kind", "oven", r"\[model\] kind: is 'oven'; expected one of grate"),
        ("model.parameters.colour", 1, r"\[model\]: the model grate has no parameter 'colour'"),
        ("model.colour", 1, r"\[model\] colour: is not known here"),
        ("line", None, r"the table \[line\] is missing"),
        ("line.baud", "fast", r"\[line\] baud: is 'fast'; expected a whole number"),
        ("scenario", {}, r"\[scenario\]: nobody knows this table"),
        ("plant.name", 5, r"\[plant\] name: is 5; expected a name"),
    ],
)
def test_a_wrong_plant_file_names_file_key_and_what_was_expected(bishkek, path, value, message):
    with pytest.raises(PlantFileError, match="^x.toml: " + message):
        plant_file.build("x.toml", changed(bishkek, path, value))


@pytest.mark.parametrize(
    ("old", "new", "row", "said"),
    [
        ("delay_ms = 5", "colour = 1", "colour = 1", r"\[instrument.roof\] colour: is not known"),
        ("baud = 38400", 'baud = "fast"', 'baud = "fast"', r"\[line\] baud: is 'fast'"),
        ("baud = 38400", "", "[line]", r"\[line\] baud: is missing"),
        ("baud = 38400", "baud = 38400\nbaud = 9600", "baud = 9600", "baud stands twice, first in line"),
        ("moisture_mean = 0.470", "moisture_mean = 0,4", "moisture_mean = 0,4", "decimal comma.*write 0.4"),
        ("moisture_mean = 0.470", "moisture_mean = 5", "moisture_mean = 5", "parameter moisture_mean of"),
        ("moisture_mean = 0.470", "colour = 5", "colour = 5", r"no parameter 'colour'"),
        ('kind = "grate"', 'kind = "oven"', 'kind = "oven"', r"\[model\] kind: is 'oven'"),
    ],
)
def test_a_wrong_plant_file_is_told_with_its_line(tmp_path, old, new, row, said):
    path = tmp_path / "x.toml"
    text = plant_file.find("bishkek").read_text().replace(old, new, 1)
    path.write_text(text)
    line = next(i for i, each in enumerate(text.splitlines(), 1) if each.startswith(row))
    with pytest.raises(PlantFileError, match=f"^x.toml:{line}: .*{said}"):
        plant_file.load(str(path))


def test_a_plant_file_that_is_not_there_or_no_toml(tmp_path):
    with pytest.raises(PlantFileError, match="no plant 'atlantis': there are bishkek"):
        plant_file.load("atlantis")
    broken = tmp_path / "broken.toml"
    broken.write_text("[plant\n")
    with pytest.raises(PlantFileError, match="broken.toml:1: this is not TOML"):
        plant_file.load(str(broken))


def test_a_plant_file_can_be_given_by_its_path(tmp_path, bishkek):
    path = tmp_path / "copy.toml"
    path.write_text(plant_file.find("bishkek").read_text(encoding="utf-8"))
    assert Bench(str(path)).plant.name == "bishkek"
