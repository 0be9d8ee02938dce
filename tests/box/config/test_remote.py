"""[programme.NAME], [remote], [remote.allow.NAME]: right ones build a node, wrong ones are told by line."""

import pytest

from edge.box.check import as_text, summarise
from edge.box.config import check
from edge.node.build import build
from edge.node.clock import VirtualClock
from edge.node.report.local import LocalReporter
from tests.box.config.edits import REFERENCE, drop, header_line, key_line, problems, put

RIGHT = (
    put(REFERENCE, "loop.steam", "set_point_from", '"programme.start_up"')
    + """
[programme.start_up]
segments = [{ to = 30, at_per_min = 0.5 }, { to = 46.5, at_per_min = 1 }, { stay_min = 30.5 }]
wait_within = 2
after_power_cut = "hold"

[remote]
enabled = true

[remote.allow.steam]
action = "set_point"
loop = "steam"
low = 40
high = 48
rate_per_min = 2

[remote.allow.hand]
action = "output"
loop = "feed"
low = 10
high = 60
rate_per_min = 20

[remote.allow.hands_on]
action = "mode"
loop = "feed"

[remote.allow.seen]
action = "acknowledge"
alarms = ["o2_low", "o2_high"]
trips = ["high_temperature"]

[remote.allow.start]
action = "programme"
programme = "start_up"

[remote.allow.again]
action = "reset"
trips = ["high_temperature"]
"""
)


def checked(text):
    return check("line1.toml", text.encode())


def test_a_right_file_becomes_a_node_with_a_door():
    node_file = checked(RIGHT)
    assert node_file.warnings == []
    description = node_file.description
    assert description["programme"] == {
        "start_up": {
            "loop": "steam", "unit": "t/h", "wait_within": 2.0, "start": "process_value", "at_end": "hold",
            "after_power_cut": "hold", "continue_if_within": 0.0,
            "segments": [{"to": 30.0, "at_per_min": 0.5}, {"to": 46.5, "at_per_min": 1.0}, {"stay_min": 30.5}],
        }
    }
    remote = description["remote"]
    assert (remote["enabled"], remote["start"], remote["nonce_s"]) == (True, "local", 60)
    assert remote["allow"]["hands_on"] == {
        "action": "mode", "loop": "feed", "modes": ["auto", "manual"], "min_interval_ms": 1000,
    }  # fmt: skip
    node = build(description, {"field": None}, VirtualClock(), LocalReporter())
    assert [programme.name for programme in node.programmes] == ["start_up"]
    assert node.remote.mode == "local"


def test_without_the_table_there_is_no_door():
    for text in (REFERENCE, put(RIGHT, "remote", "enabled", "false")):
        description = checked(text).description
        assert build(description, {"field": None}, VirtualClock(), LocalReporter()).remote is None


def wrong(table, key, value, *words):
    return pytest.param(table, key, value, words, id=f"{table}.{key}={value}"[:60])


WRONG = [
    wrong("programme.start_up", "loop", '"steam"', 'the loop says set_point_from = "programme.NAME"'),
    wrong("programme.start_up", "segments", "[]", "write 1 to 32 segments"),
    wrong("programme.start_up", "segments", "[[40, 1, 0]]", "write each segment as a table"),
    wrong("programme.start_up", "segments", "[{to = 40, stay_min = 1}]", "segment 1 needs exactly one of to"),
    wrong("programme.start_up", "segments", "[{to = 40, within = 1}]", "'within' does not belong to 'to'"),
    wrong("programme.start_up", "segments", "[{to = 40, at_per_mn = 1}]", "did you mean 'at_per_min'?"),
    wrong("programme.start_up", "segments", "[{to = true}]", "segment 1: true and false are no numbers"),
    wrong("programme.start_up", "segments", "[{to = 40}, {to = 41, at_per_min = 0}]", "segment 2: choose"),
    wrong("programme.start_up", "segments", "[{stay_min = -5}]", "segment 1: choose a number in that range"),
    wrong("programme.start_up", "segments", "[{to = nan}]", "finite"),
    wrong("programme.start_up", "segments", "[{to = 40}, {to = 51}]", "target 51 in segment 2", "25 to 50"),
    wrong("programme.start_up", "segments", "[{repeat = 2, from = 1}]", "segment 1: from names a segment before"),
    wrong("programme.start_up", "segments", "[{to = 40}, {repeat = 0, from = 1}]", "repeat goes from 1 to 1000"),
    wrong("programme.start_up", "segments", "[{to = 40, event = 'a b'}]", "event needs a name"),
    wrong("programme.start_up", "segments", "[" + "{to = 40}, " * 33 + "]", "write 1 to 32 segments"),
    wrong("programme.start_up", "after_power_cut", '"go_on"', '"continue", "hold", "ramp_back" or "abort"'),
    wrong("programme.start_up", "wait_within", "0", "above 0"),
    wrong("programme.start_up", "wait", "5", "did you mean 'wait_within'?"),
    wrong("remote", "enabled", '"yes"', "true or false"),
    wrong("remote", "enabled", "1", "true or false"),
    wrong("remote", "start", '"auto"', '"local" or "remote"'),
    wrong("remote", "nonce_s", "4", "from 5 to 3600 s"),
    wrong("remote", "alow", "1", "did you mean 'allow'?"),
    wrong("remote.allow.steam", "action", '"setpoint"', "did you mean 'set_point'?"),
    wrong("remote.allow.steam", "loop", '"grate"', "loop grate (ratio), which has no set-point"),
    wrong("remote.allow.steam", "loop", '"steem"', "no [loop.steem]"),
    wrong("remote.allow.steam", "low", "24", "set-point of loop steam goes from 25 to 50"),
    wrong("remote.allow.steam", "high", "51", "set-point of loop steam goes from 25 to 50"),
    wrong("remote.allow.steam", "low", "49", "low = 49 and high = 48"),
    wrong("remote.allow.steam", "rate_per_min", "0", "above 0"),
    wrong("remote.allow.steam", "min_interval_ms", "-1", "from 0 to 3600000 ms"),
    wrong("remote.allow.steam", "trips", '["high_temperature"]', "only 'acknowledge' or 'reset' reads"),
    wrong("remote.allow.hand", "high", "101", "the demand of loop feed goes from 0 to 100"),
    wrong("remote.allow.hands_on", "modes", "[]", "at least one"),
    wrong("remote.allow.hands_on", "modes", '["hand"]', '"auto" or "manual"'),
    wrong("remote.allow.hands_on", "modes", '["auto", "auto"]', "named twice"),
    wrong("remote.allow.hands_on", "modes", '"auto"', "between brackets"),
    wrong("remote.allow.seen", "alarms", '["o2_lo"]', "no [alarm.o2_lo]", "did you mean 'o2_low'?"),
    wrong("remote.allow.start", "programme", '"startup"', "no [programme.startup]", "'start_up'"),
    wrong("remote.allow.again", "trips", '["o2_low"]', "no [trip.o2_low]"),
    wrong("remote.allow.again", "trips", "[]", "a list of 1 to 64 different names of trips"),
]


@pytest.mark.parametrize(("table", "key", "value", "words"), WRONG)
def test_what_is_wrong_is_told_on_its_line(table, key, value, words):
    text = put(RIGHT, table, key, value)
    line = key_line(text, table, key)
    told = [sentence for at, sentence in problems(text) if at == line]
    assert any(all(word in sentence for word in words) for sentence in told), problems(text)


MISSING = [
    ("programme.start_up", "segments", "segments"),
    ("programme.start_up", "after_power_cut", '"continue"'),
    ("remote.allow.steam", "rate_per_min", "above 0"),
    ("remote.allow.steam", "low", "low"),
    ("remote.allow.hand", "high", "a number"),
    ("remote.allow.again", "trips", "names of trips"),
    ("remote.allow.again", "action", '"reset"'),
]


@pytest.mark.parametrize(("table", "key", "words"), MISSING)
def test_what_is_missing_is_told_on_the_header(table, key, words):
    text = drop(RIGHT, table, key)
    line = header_line(text, table)
    assert any(at == line and words in sentence for at, sentence in problems(text)), problems(text)


def test_nothing_is_allowed_twice():
    text = RIGHT + RIGHT[RIGHT.index("[remote.allow.steam]") : RIGHT.index("[remote.allow.hand]")].replace(
        "allow.steam", "allow.steam2"
    )
    (told,) = problems(text)
    assert told == (
        header_line(text, "remote.allow.steam2"),
        "remote.allow steam2 allows set_point of loop steam, which allow steam does already; "
        "name it once, with one range",
    )


def test_acknowledging_nothing_is_a_problem():
    text = drop(drop(RIGHT, "remote.allow.seen", "alarms"), "remote.allow.seen", "trips")
    ((line, told),) = problems(text)
    assert line == header_line(text, "remote.allow.seen") and "neither alarms nor trips" in told


def test_what_would_have_no_effect_is_a_warning():
    for text, words in (
        (put(RIGHT, "remote", "enabled", "false"), "has no effect, because [remote] does not say enabled"),
        (REFERENCE + "[remote]\nenabled = true\n", "no [remote.allow.NAME] allows anything"),
        (RIGHT + "[report.json]\nenabled = false\n[report.home_assistant]\n", "nothing else brings commands"),
    ):
        assert any(words in warning for _, warning in checked(text).warnings)
    speaks = "[report.json]\nenabled = false\n[report.sparkplug]\n"
    assert checked(RIGHT + speaks).warnings == []


def test_the_check_shows_what_may_be_commanded():
    shown = as_text(summarise(checked(RIGHT).description))
    assert "from afar   set_point steam 40..48 at 2/min, output feed 10..60 at 20/min, mode feed, " in shown
    assert "reset high_temperature, starts in local mode" in shown
    assert "programmes  start_up\n" in shown
    assert "from afar   nothing may be commanded" in as_text(summarise(checked(REFERENCE).description))
