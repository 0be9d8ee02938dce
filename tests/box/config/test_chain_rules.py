"""What can't be joined, and what must not be: each refused on its line, with what to do."""

from pathlib import Path

import pytest

from edge.box.config import NodeFileError, check
from tests.box.config.edits import drop, drop_table, header_line, key_line, put

FOLDER = Path(__file__).parent / "examples"
GRATE, ZONE, MUFFLE = ((FOLDER / f"{name}.toml").read_text() for name in ("grate", "reheat_zone", "muffle"))


def told(text):
    """(problems, warnings), each (line, sentence)."""
    try:
        return [], check("node.toml", text.encode()).warnings
    except NodeFileError as error:
        return error.problems, []


def refused(text, line, *words):
    found, _ = told(text)
    assert any(at == line and all(word in sentence for word in words) for at, sentence in found), found


def on_key(text, table, key, *words):
    refused(text, key_line(text, table, key), *words)


def on_header(text, table, *words):
    refused(text, header_line(text, table), *words)


def test_an_output_without_a_demand_and_a_switch_that_needs_none():
    text = drop_table(GRATE, "loop.burner")
    on_header(text, "output.burner", "is driven by no demand", 'to = "output.burner"')
    assert told(MUFFLE) == ([], []), "the contactor has no demand, and is closed while no trip holds it"


def test_a_taker_with_two_givers():
    text = put(ZONE, "loop.recuperator", "to", '"loop.gas_2"')
    found, _ = told(text)
    words = "gives its demand to loop gas_2, which loop recuperator gives one to already"
    assert any(words in sentence and "put a select between" in sentence for _, sentence in found)


def test_a_trim_where_none_can_be_taken_and_a_second_one():
    on_key(put(GRATE, "loop.o2", "to", '"loop.feed"'), "loop.o2", "to", "is no ratio")
    text = GRATE + "\n[loop.second]" + GRATE.split("[loop.o2]")[1].split("\n\n")[0]
    on_key(text, "loop.second", "to", "corrects already", "a demand has one trim")


def test_demands_that_run_in_a_ring():
    text = put(ZONE, "loop.gas_2", "to", '"select.load_2"')
    on_key(text, "loop.gas_2", "to", "gives to itself: loop.gas_2 -> select.load_2")


def test_units_that_differ_along_a_chain():
    on_key(put(ZONE, "loop.zone_2", "unit", '"%"'), "loop.zone_2", "unit", 'asks in "%"', 'takes "MW"')
    text = put(ZONE, "cross_limit.zone_2", "air_to", '"loop.gas_2"')
    on_key(text, "cross_limit.zone_2", "air_to", 'asks in "Nm3/s"')


def test_a_slave_that_is_slower_than_its_master():
    text = (
        ZONE
        + """
[loop.inner]
kind = "pid"
pv = "air_2"
action = "reverse"
gain = 1
ti_s = 600
to = "output.spare"

[loop.outer]
kind = "pid"
pv = "o2_2"
set_point = 3
action = "direct"
unit = "Nm3/s"
gain = 0.1
ti_s = 300
to = "loop.inner"

[output.spare]
device = "valves"
channel = "ao2"
unit = "%"
rate_per_s = 5
safe = 0
"""
    )
    on_key(text, "loop.inner", "ti_s", "no faster than its master outer", "several times faster")


def test_a_select_says_of_every_input_what_a_refusal_counts_as():
    text = put(ZONE, "select.load_2", "if_bad", '{ zone_2 = "refuse" }')
    on_key(text, "select.load_2", "if_bad", "says nothing of its input recuperator")
    text = put(ZONE, "select.load_2", "if_bad", '{ zone_2 = "refuse", recuperator = 3.0, zone_1 = 2 }')
    on_key(text, "select.load_2", "if_bad", "names the input zone_1", "does not point to it")
    text = put(ZONE, "select.load_2", "if_bad", '{ zone_2 = "refuse", recuperator = "leave" }')
    on_key(text, "select.load_2", "if_bad", "did you mean 'leave_out'?")


def test_the_highest_of_demands_for_fuel_only_on_purpose():
    text = put(ZONE, "select.load_2", "take", '"highest"')
    on_key(text, "select.load_2", "take", "on the way to output gas_2, which lets fuel in")
    assert told(put(text, "select.load_2", "highest_to_fuel", "true")) == ([], [])


def test_a_cross_limit_that_would_break_its_guarantee_or_could_not_move():
    on_key(put(ZONE, "cross_limit.zone_2", "lambda_min", "1.10"), "cross_limit.zone_2", "lambda_min",
           "below lambda_min (1 + k1)", "raise lambda")  # fmt: skip
    on_key(put(ZONE, "cross_limit.zone_2", "air_min", "0"), "cross_limit.zone_2", "air_min", "above 0")
    on_key(
        put(ZONE, "cross_limit.zone_2", "bands", "[0, 1, 0, 0]"), "cross_limit.zone_2", "bands", "could not change"
    )
    text = drop(ZONE, "cross_limit.zone_2", "lambda_from")
    on_header(text, "cross_limit.zone_2", "neither lambda nor lambda_from")


def test_a_trim_without_hold():
    on_header(drop(GRATE, "loop.o2", "hold_s"), "loop.o2", "has no hold_s")


def test_pulses_of_under_ten_ticks():
    on_key(put(MUFFLE, "output.heat", "cycle_s", "2"), "output.heat", "cycle_s", "less than ten ticks of 250 ms")


def test_electric_heat_without_a_contactor_of_its_own_is_warned_of():
    text = drop_table(MUFFLE, "trip.heat_stuck")
    found, warnings = told(text)
    assert found == []
    assert any("a switch that can stick" in sentence and "contactor" in sentence for _, sentence in warnings)


def test_a_switch_that_an_analogue_demand_would_wear_out():
    text = put(drop(MUFFLE, "output.heat", "cycle_s"), "output.heat", "drive", '"switch"')
    on_key(text, "loop.chamber", "to", "a switch", "wear out in a day")


def test_a_programme_without_a_policy_and_one_that_leads_nothing():
    on_header(drop(MUFFLE, "programme.ash", "after_power_cut"), "programme.ash", "has no after_power_cut")
    text = put(drop(MUFFLE, "loop.chamber", "set_point_from"), "loop.chamber", "set_point", "20")
    on_header(text, "programme.ash", "leads no loop")


def test_a_limit_without_a_way_back_and_one_that_goes_the_wrong_way():
    on_key(drop(MUFFLE, "trip.too_hot", "reset_below"), "trip.too_hot", "above", "neither dead_band nor reset_below")
    on_key(put(MUFFLE, "trip.too_hot", "reset_below", "1200"), "trip.too_hot", "reset_below", "expected a way back")


@pytest.mark.parametrize("key", ["running", "lockout"])
def test_a_burner_that_does_not_know_its_control(key):
    on_header(drop(GRATE, "loop.burner", key), "loop.burner", f"has no {key}")


def test_a_section_that_the_gas_passes_too_fast():
    section = """
[calc.time_at_850]
kind = "residence"
flow = "flue_gas"
temperature = "t850"
volume_m3 = 100
unit = "s"

[signal.flue_gas]
device = "boiler"
input = "ai3"
sensor = "4-20mA"
at_4ma = 0
at_20ma = 40
unit = "Nm3/s"
low = 0
high = 40
stale_ms = 2500
"""
    on_key(GRATE + section, "calc.time_at_850", "volume_m3", "holds the gas for 0.4", "expected 2 s at least")
    assert told(GRATE + section.replace("= 100", "= 600"))[0] == []


def test_safe_values_that_do_not_fit_each_other():
    text = put(GRATE, "output.id_fan", "safe", "30")
    text = put(put(text, "output.primary_air", "safe", "60"), "output.secondary_air", "safe", '"hold"')
    on_key(text, "pressure_balance", "fan", "draws 30 %", "it must draw 74 %")
    _, warnings = told(drop_table(GRATE, "pressure_balance"))
    assert any("no [pressure_balance]" in sentence for _, sentence in warnings)


def test_states_that_are_made_of_themselves():
    text = MUFFLE + '\n[state.a]\nnot = "b"\n\n[state.b]\nany = ["a", "no_heat"]\n'
    found, _ = told(text)
    assert any("is made of itself: a -> b -> a" in sentence for _, sentence in found)
