"""A whole node with a device that is described in the node file, against its emulation, in virtual time."""

import json
from types import SimpleNamespace

import pytest

from docs import make_instruments
from edge.box import check as checking
from edge.box.config import check
from edge.emulator.virtual import VirtualRun
from edge.node.signals import BAD, GOOD
from tests.box.config.edits import problems

NODE = """schema = 2
[node]
site = "works"
name = "meters"
tick_ms = 250
[bus.field]
port = "/dev/ttyUSB0"
baud = {baud}
framing = "{framing}"
timeout_ms = 60
[device.meter]
type = "modbus"
bus = "field"
unit = 250
period_ms = {period_ms}
"""
PLANT = """
[plant]
name = "meters"
[model]
kind = "grate"
[line]
baud = {baud}
char_bits = {char_bits}
[instrument.meter]
type = "modbus"
unit = 250
delay_ms = 5
"""


def register(i, **keys):
    """Register r{i} in both files, and a signal that reads it."""
    place = f'table = "holding"\naddress = {4 * i}\ntype = "f64"\nbyte_order = "HGFEDCBA"\n'
    own = "".join(f"{key} = {value}\n" for key, value in keys.items())
    head = f'[device.meter.register.r{i}]\nrole = "read"\nunit = ""\nbad = [-9999]\n'
    period_ms = keys.get("period_ms", 1000)
    signal = f'[signal.r{i}]\ndevice = "meter"\ninput = "r{i}"\nunit = ""\nlow = -1e6\nhigh = 1e6\n'
    signal += f"stale_ms = {3 * period_ms + 60000}\n"
    return head + place + own + signal, f"[instrument.meter.r{i}]\nvalue = {100 + i}\nbad = [-9999]\n" + place


def meters(tmp_path, rows, device="", baud=9600, framing="8N1", period_ms=1000):
    node = NODE.format(baud=baud, framing=framing, period_ms=period_ms) + device
    plant = PLANT.format(baud=baud, char_bits=12 if framing == "8E2" else 11)
    for described, emulated in rows:
        node += described
        plant += emulated
    path = tmp_path / "meters.toml"
    path.write_text(plant)
    node_file = check("node.toml", node.encode())
    run = VirtualRun(str(path), node_file.description, 1)
    run.asked = []

    def tap(at_us, direction, data):
        run.asked.append((at_us, direction, data))

    run.wire.tap = tap
    run.node_file = node_file
    run.node_path = tmp_path / "node.toml"
    run.node_path.write_text(node)
    return run


def signals(run):
    return {signal.name: signal for signal in run.node.signals}


def test_registers_of_all_rates_are_good_and_each_goes_bad_in_its_own_time(tmp_path):
    run = meters(tmp_path, [register(0), register(1, period_ms=10000), register(2, period_ms=60000)])
    run.run_for(15)
    for _ in range(60):
        run.run_for(1.7)
        found = {name: (signal.value, signal.quality) for name, signal in signals(run).items()}
        assert found == {f"r{i}": (100.0 + i, GOOD) for i in range(3)}
    budget_ms = run.node.buses[0].stations[0].budget_us() // 1000
    assert signals(run)["r0"].stale_ms == pytest.approx(1000 + budget_ms, abs=1)
    assert signals(run)["r2"].stale_ms == pytest.approx(60000 + budget_ms, abs=1)
    assert signals(run)["r1"].overdue_ms == 20000
    summary = checking.summarise(run.node_file.description)
    assert summary["bad_within_ms"]["meter"] == pytest.approx(60000 + budget_ms, abs=1)


def test_what_stands_for_no_value_is_a_bad_signal_that_says_so(tmp_path):
    run = meters(tmp_path, [register(0), register(1)])
    run.bench.instruments["meter"].set_register("r1", float("nan"))
    run.run_for(5)
    one = signals(run)["r1"]
    assert (one.quality, one.why) == (BAD, "not available: -9999.0 (0xC0C3878000000000)")
    assert signals(run)["r0"].quality == GOOD


def test_a_device_with_a_pause_is_asked_nothing_for_so_long_after_its_replies(tmp_path):
    rows = [register(i) for i in range(4)]
    run = meters(tmp_path, rows, "merge = false\npause_ms = 80\n")
    run.run_for(20)
    replies_us = [at_us for at_us, direction, _ in run.asked if direction == "<"]
    # When their first character went out.
    requests_us = [at_us - len(data) * 11e6 / 9600 for at_us, way, data in run.asked if way == ">"]
    assert len(replies_us) > 60
    for reply_us in replies_us:
        later = [at_us for at_us in requests_us if at_us > reply_us]
        assert not later or later[0] - reply_us >= 80000
    assert {signal.quality for signal in run.node.signals} == {GOOD}


def test_pauses_for_which_the_period_is_too_short_are_warned_of(tmp_path, capsys):
    rows = [register(i) for i in range(8)]
    for device, warned in (("pause_ms = 100\n", False), ("merge = false\npause_ms = 100\n", True)):
        run = meters(tmp_path, rows, device)
        arguments = SimpleNamespace(node=str(run.node_path), json=True, elsewhere=True, write=None)
        assert checking.run(arguments) == 0
        told = [one["text"] for one in json.loads(capsys.readouterr().out)["warnings"]]
        assert any("meter can't be read as often as it says" in text for text in told) is warned, told


def test_characters_of_twelve_bits_are_waited_for(tmp_path):
    run = meters(tmp_path, [register(i) for i in range(31)], "", 1200, "8E2", 5000)
    run.run_for(60)
    (station,) = run.node.buses[0].stations
    assert (station.requests > 8, station.errors) == (True, 0)
    assert {signal.quality for signal in run.node.signals} == {GOOD}
    assert run.node.buses[0].master.char_us == 10000


def test_the_example_of_the_page_is_right():
    example = [line[4:] for line in make_instruments.DESCRIBED.splitlines() if line.startswith("    ")]
    node = NODE.split("[device.meter]")[0].format(baud=9600, framing="8E2") + "\n".join(example)
    assert len(example) > 20 and problems(node) == []
