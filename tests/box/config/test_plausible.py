"""What is right key by key and can't be meant so: told on its line, with the reason."""

import pytest

from cext import thermocouple
from edge.box.config import NodeFileError, check
from edge.box.config.rules.plausible import BLIND_BELOW_C
from tests.box.config.edits import REFERENCE, drop_table, header_line, key_line, problems, put
from tests.cext import thermocouple_oracle as oracle


def told(text: str) -> tuple:
    """(problems, warnings) of a node file."""
    try:
        return [], check("line1.toml", text.encode()).warnings
    except NodeFileError as error:
        return error.problems, []


def the_problem(text: str, table: str, key: str, *words):
    found = problems(text)
    assert [line for line, _ in found] == [key_line(text, table, key)], found
    for word in words:
        assert word in found[0][1], found


def the_warning(text: str, table: str, key: str, *words):
    wrong, warnings = told(text)
    assert not wrong
    assert [line for line, _ in warnings] == [key_line(text, table, key)], warnings
    for word in words:
        assert word in warnings[0][1], warnings


def heated_by(kind: str, low: float, limit: float) -> str:
    """The reference with a kiln of its own: a thermocouple of that type, a heater and a trip."""
    text = put(REFERENCE, "trip.high_temperature", "outputs", '["feeder", "burner", "burner_release"]')
    text = drop_table(drop_table(text, "loop.air_temperature"), "signal.air_temperature")
    return (
        text
        + f"""
[signal.air_temperature]
device = "roof"
input = "ai7"
sensor = "{kind}"
unit = "degC"
low = {low}
high = 1600
stale_ms = 2500

[loop.air_temperature]
kind = "pid"
pv = "air_temperature"
set_point = 900
set_point_low = 700
set_point_high = 1000
to = "output.air_heater"
action = "reverse"
gain = 0.4
ti_s = 120

[trip.kiln]
signal = "air_temperature"
above = {limit}
dead_band = 5
on_after_s = 1
outputs = ["air_heater"]
"""
    )


def test_the_reference_is_plausible():
    assert told(REFERENCE) == ([], [])


# One sensor, one vote


@pytest.mark.parametrize(
    ("calc", "key"), [("calc.t_furnace", "of"), ("calc.t_peak", "of")], ids=["sections", "highest"]
)
def test_two_votes_of_one_thermocouple_are_refused(calc, key):
    text = put(REFERENCE, "signal.roof_b1", "input", '"ai0"')
    found = problems(text)
    if calc == "calc.t_peak":
        assert key_line(text, calc, key) in [line for line, _ in found]
    assert all("input ai0 of device roof: one sensor has two votes" in sentence for _, sentence in found)


def test_two_votes_of_one_thermocouple_behind_calcs_are_warned_of():
    text = REFERENCE + '\n[calc.both]\nkind = "vote"\ntake = "median"\nof = ["t_furnace", "roof_a1"]\nunit = "degC"\n'
    the_warning(text, "calc.both", "of", "'t_furnace' and 'roof_a1'", "one sensor has two votes")


# Sensors that are blind when cold


def test_a_trip_inside_the_blind_range_is_refused():
    for kind, limit in (("S", 499.0), ("R", 300.0), ("B", 599.0)):
        text = heated_by(kind, 50, limit).replace("set_point = 900", "set_point = 90")
        text = text.replace("set_point_low = 700", "set_point_low = 60")
        text = text.replace("set_point_high = 1000", "set_point_high = 95")
        blind = f"type {kind}, which is blind below {BLIND_BELOW_C[kind]:g} degC"
        the_problem(text, "trip.kiln", "above", blind)


def test_a_trip_on_a_sensor_that_is_blind_when_cold_is_warned_of():
    the_warning(heated_by("S", 0, 1100), "trip.kiln", "signal", "type S", "blind below 500 degC", "from cold")
    # The same output is cut by type K as well, or the sensor is not blind.
    text = put(
        heated_by("S", 0, 1100), "trip.high_temperature", "outputs", '["air_heater", "burner", "burner_release"]'
    )
    assert told(text) == ([], [])
    text = put(heated_by("N", 0, 1100), "signal.air_temperature", "high", "1200")
    assert told(text)[1] == []


def test_a_permit_inside_the_blind_range_is_refused_and_an_alarm_is_warned_of():
    permit = """
[interlock.warm]
signal = "air_temperature"
above = 400
reset_below = 350
on_after_s = 1
outputs = ["feeder"]
"""
    found = problems(heated_by("S", 0, 1100) + permit)
    assert len(found) == 1 and all("blind below 500 degC" in sentence for _, sentence in found)
    alarm = '\n[alarm.cold]\nsignal = "air_temperature"\nbelow = 400\ndead_band = 5\non_after_s = 1\n'
    _, warnings = told(heated_by("S", 0, 1100) + alarm)
    assert any("alarm cold has below = 400" in sentence for _, sentence in warnings)


def test_blind_is_where_the_standard_function_is_flat():
    for letter, blind_c in BLIND_BELOW_C.items():
        kind = oracle.KINDS[letter]
        flattest = thermocouple.seebeck_mv_per_k(blind_c, kind)
        assert 0.005 < flattest < 0.011, "uV/K there; type K has 41"
    for letter in set(oracle.KINDS) - set(BLIND_BELOW_C):
        assert thermocouple.seebeck_mv_per_k(20.0, oracle.KINDS[letter]) > 0.025


# Targets above their trip


def test_a_set_point_above_its_trip_is_refused():
    text = put(REFERENCE, "trip.high_temperature", "above", "905")
    text = put(text, "loop.burner", "set_point", "895")
    assert told(text)[0] == [], "stop_above is 900"
    text = put(put(text, "loop.burner", "set_point", "906"), "loop.burner", "stop_above", "910")
    found = problems(text)
    assert [line for line, _ in found] == [key_line(text, "loop.burner", key) for key in ("set_point", "stop_above")]
    assert all("trip high_temperature acts above 905 on the same sensor" in sentence for _, sentence in found)


def test_a_set_point_below_its_trip_that_acts_below_is_refused():
    trip = '\n[trip.cold]\nsignal = "air_temperature"\nbelow = 150\ndead_band = 5\non_after_s = 5\n'
    trip += 'outputs = ["air_heater"]\n'
    text = put(REFERENCE, "loop.air_temperature", "set_point", "140")
    the_problem(text + trip, "loop.air_temperature", "set_point", "trip cold acts below 150")


def test_a_set_point_limit_above_the_trip_is_warned_of():
    text = put(REFERENCE, "trip.high_temperature", "above", "940")
    the_warning(text, "loop.burner", "set_point_high", "acts above 940", "a set-point that trips is accepted")


def test_a_programme_target_above_its_trip_is_refused():
    programme = '\n[programme.up]\nafter_power_cut = "hold"\nsegments = [{ to = 170 },\n  { to = 195 }]\n'
    led = put(REFERENCE, "loop.air_temperature", "set_point_from", '"programme.up"')
    led = put(led, "loop.air_temperature", "set_point", "150")
    trip = '\n[trip.air]\nsignal = "air_temperature"\nabove = 190\ndead_band = 5\noutputs = ["air_heater"]\n'
    text = led + trip + programme
    ((line, sentence),) = problems(text)
    assert line == len(text.splitlines()), "of the segment"
    assert "target 195 in segment 2, but trip air acts above 190" in sentence
    assert told(led + trip.replace("190", "230") + programme) == ([], [])


# Heaters


def test_a_heater_that_no_trip_cuts_is_warned_of():
    text = put(REFERENCE, "trip.high_temperature", "outputs", '["feeder", "burner_release", "air_heater"]')
    _, warnings = told(text)
    assert [line for line, _ in warnings] == [header_line(text, "output.burner")]
    assert "output burner heats what loop burner measures, and no trip cuts it" in warnings[0][1]


# Data and channels


def test_a_loop_on_data_slower_than_itself():
    def read_every(ms):
        text = REFERENCE
        for signal in ("o2",):
            text = put(text, f"signal.{signal}", "stale_ms", str(3 * ms))
        return put(text, "device.flue_gas", "period_ms", str(ms))

    the_problem(read_every(60_000), "loop.o2", "ti_s", "'o2' is read every 60 s", "faster than its data")
    the_warning(read_every(20_000), "loop.o2", "ti_s", "'o2' is read every 20 s", "more than a quarter")
    assert told(read_every(10_000)) == ([], [])
    text = put(read_every(10_000), "loop.feed", "pv", '"o2"')
    text = put(put(put(text, "loop.feed", "set_point", "6"), "loop.feed", "set_point_low", "4"), "loop.feed",
               "set_point_high", "9")  # fmt: skip
    the_warning(put(text, "loop.feed", "td_s", "5"), "loop.feed", "td_s", "sees steps and no slope")


@pytest.mark.parametrize(
    ("device", "channel"),
    [
        ('type = "m7055"\nlease_ms = 3000', "do0"),
        ('type = "modbus"\nlease_ms = 3000', "relay"),
    ],
    ids=["module", "coil"],
)
def test_a_pid_on_a_channel_that_switches_is_refused(device, channel):
    text = (
        REFERENCE
        + f"""
[device.relays]
{device}
bus = "field"
unit = 40
period_ms = 1000
"""
    )
    if "modbus" in device:
        text += """
[device.relays.register.relay]
role = "write"
table = "coil"
address = 0
type = "bit"
unit = "%"
[device.relays.register.watch]
role = "lease"
table = "holding"
address = 9
type = "u16"
unit_ms = 100
"""
    text = put(text, "output.air_heater", "device", '"relays"')
    text = put(text, "output.air_heater", "channel", f'"{channel}"')
    found = problems(text)
    line = key_line(text, "loop.air_temperature", "to")
    assert any(at == line and "is on or off, but a pid asks" in sentence for at, sentence in found), found


# Tuning: every key has a range in which it was ever tuned

PROGRAMME = (
    "\n[programme.up]\nsegments = [{ to = 100, at_per_min = 5 }, { to = 150, at_per_min = 5 }]\n"
    'after_power_cut = "hold"\nwait_within = 5\n'
)


PROGRAMMED = put(REFERENCE, "loop.air_temperature", "set_point_from", '"programme.up"') + PROGRAMME


@pytest.mark.parametrize(
    ("table", "key", "value", "words", "refused"),
    [
        ("loop.steam", "ti_s", "1e-6", "shorter than a tick of 0.25 s", True),
        ("loop.burner", "ti_s", "0.2", "shorter than", True),
        ("loop.o2", "ti_s", "0.2", "shorter than", True),
        ("loop.steam", "ti_s", "1e6", "more than a day", False),
        ("loop.steam", "td_s", "0.01", "shorter than a tick", False),
        ("loop.steam", "td_s", "301", "above ti_s = 300", False),
        ("loop.steam", "gain", "1e-6", "hardly anything", False),
        ("loop.steam", "gain", "5000", "all or nothing", False),
        ("loop.o2", "gain", "1e-6", "hardly anything", False),
        ("loop.o2", "gain", "80", "all or nothing", False),
        ("loop.burner", "gain", "1e5", "all or nothing", False),
        ("output.feeder", "rate_per_s", "1e-4", "more than a day", False),
        ("trip.high_temperature", "on_after_s", "7200", "more than an hour", False),
        ("programme.up", "wait_within", "0.001", "noise would hold it for ever", True),
        ("programme.up", "wait_within", "5000", "it never waits", False),
        ("programme.up", "segments", "[{ to = 100 }, { to = 150, at_per_min = 1e-5 }]", "days in segment 2", False),
    ],
)
def test_a_number_that_nobody_tunes_with_is_told(table, key, value, words, refused):
    text = put(PROGRAMMED, table, key, value)
    wrong, warnings = told(text)
    line = key_line(text, table, key)
    found = [sentence for at, sentence in (wrong if refused else warnings) if at == line]
    assert bool(wrong) == refused
    assert any(words in sentence for sentence in found), (wrong, warnings)


def test_what_furnaces_are_tuned_with_is_not_told():
    assert told(PROGRAMMED) == ([], [])
    for ti_s, td_s, gain in ((4, 0.5, 0.05), (30, 7, 1), (600, 100, 10), (7200, 1800, 30)):
        text = REFERENCE
        for key, value in (("ti_s", ti_s), ("td_s", td_s), ("gain", gain)):
            text = put(text, "loop.air_temperature", key, str(value))
        assert told(text) == ([], []), (ti_s, td_s, gain)
