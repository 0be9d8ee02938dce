"""Scenarios: exact repeatability, events, and files that can't be run."""

import json

import pytest

from edge.emulator import scenario
from edge.emulator.plant_file import PlantFileError


def played(**changes):
    content = dict(scenario.load("bishkek_day"), **changes)
    report = scenario.play(content)
    report.pop("seconds")
    report.pop("times_real")
    return report


def test_a_quarter_of_an_hour_of_the_bishkek_line_is_the_same_to_the_last_bit_twice():
    first = played(hours=0.25)
    assert first == played(hours=0.25)
    assert 850.0 < first["signals"]["t850"]["min"] < first["signals"]["t850"]["max"] < 1050.0
    assert first["errors"] == 0


def test_another_seed_gives_another_run():
    assert played(hours=0.05)["digest"] != played(hours=0.05, seed=2)["digest"]


def test_events_act_at_their_time():
    events = [
        {"at_s": 60, "do": "fault", "unit": 2, "kind": "silence", "for_s": 20},
        {"at_s": 90, "do": "command", "text": "set steam 44"},
    ]
    report = played(hours=0.05, event=events)
    assert report["errors"] > 0
    assert report["signals"]["o2"]["bad_readings"] > 10
    assert report["signals"]["t850"]["bad_readings"] < 3


BASE = 'plant = "bishkek"\nnode = "bishkek"\nhours = 1\nseed = 1\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BASE + "speed = 3\n", "speed = 3: expected keys"),
        (BASE.replace("seed = 1\n", ""), "seed is missing"),
        (BASE + '[[event]]\nat_s = 1\ndo = "explode"\n', "event 1: expected at_s and do"),
        (BASE + '[[event]]\nat_s = 1\ndo = "fault"\nunit = 1\n', "missing ['kind']"),
        (BASE + '[[event]]\nat_s = 1\ndo = "clear"\nunit = 1\n', "unknown ['unit']"),
        ('plant = "bishkek"\nhours = = 1\n', "wrong.toml:2: this is not TOML"),
        (BASE + 'event = ["x"]\n', "event 1 is 'x'"),
        (BASE + '[[event]]\nat_s = nan\ndo = "clear"\n', "expected at_s and do"),
        (BASE + '[[event]]\nat_s = 1\ndo = "command"\ntext = 5\n', "text = 5, expected a text"),
    ],
)
def test_a_wrong_scenario_file_is_named_with_what_was_expected(tmp_path, text, said):
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    with pytest.raises(scenario.ScenarioError, match="wrong.toml") as caught:
        scenario.load(str(path))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"hours": 0}, "hours = 0: expected"),
        ({"hours": float("nan")}, "hours = nan: expected"),
        ({"plant": "atlantis"}, "atlantis"),
        ({"event": [{"at_s": 1, "do": "fault", "unit": 77, "kind": "silence"}]}, "event at 1 s: .*77"),
        ({"event": [{"at_s": 1, "do": "fault", "unit": 1, "kind": "flood"}]}, "event at 1 s: .*flood"),
        ({"event": [{"at_s": 1, "do": "set", "name": "gravity", "value": 1}]}, "event at 1 s: .*gravity"),
    ],
)
def test_what_can_not_be_played_is_refused_in_one_sentence(changes, said):
    with pytest.raises((scenario.ScenarioError, PlantFileError), match=said):
        played(**{"hours": 0.02, **changes})


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("hours = 1\nhors = 2\n", 2),
        ("hours = 1,5\n", 1),
        ('plant = "bishkek"\nnode = "bishkek"\nseed = true\n', 3),
        (BASE + '\n[[event]]\nat_s = 1\ndo = "dance"\n', BASE.count("\n") + 2),
    ],
)
def test_a_wrong_scenario_file_is_told_with_its_line(tmp_path, text, line):
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    with pytest.raises(scenario.ScenarioError, match=f"^wrong.toml:{line}: "):
        scenario.load(str(path))


def test_a_refused_command_is_in_the_report():
    report = played(hours=0.02, event=[{"at_s": 20, "do": "command", "text": "set steam 99"}])
    assert report["commands"][0]["answer"].startswith("refused: set-point 99")


def test_a_scenario_that_is_not_there_names_those_that_are():
    with pytest.raises(scenario.ScenarioError, match="bishkek_day"):
        scenario.load("nowhere")


def test_the_command_prints_a_report_as_json(capsys):
    from edge.box.cli import main

    assert main(["scenario", "bishkek_day", "--hours", "0.02", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ticks"] == 288


@pytest.mark.long
def test_a_day_is_the_same_to_the_last_bit_twice_and_holds_what_the_plant_must_hold():
    first = played(hours=24)
    assert first == played(hours=24)
    assert first["share_below"]["t850"] == 0.0
    assert first["signals"]["t850"]["max"] < 1050.0
    # 146 GWh a year from 365,000 t of waste are 400 kWh/t; the day leaves some in hopper and bed.
    assert first["totals"]["kwh_per_t"] == pytest.approx(400.0, rel=0.03)
