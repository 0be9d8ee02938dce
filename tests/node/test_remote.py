"""Commands from afar: by name, in range, at a rate, once, now; a refusal says why and changes nothing."""

import json

import pytest

from edge.node import remote as door
from edge.node.command_form import COUNTER_MAX
from tests.node.remote_bench import ALLOW, SEGMENTS, Node, remote


@pytest.fixture
def node():
    return Node(remote())


def refused(answer, *words):
    assert answer["accepted"] is False and answer["value"] is None
    assert all(word in answer["why"] for word in words), answer["why"]


def state(node):
    """What a command could change."""
    loops = []
    for loop in node.loops:
        set_point, hand = loop.set_point, loop.hand
        loops.append((set_point.own, set_point.value, set_point._moving, hand.on, hand.value, hand._reaching))
    seen = [one.acknowledged for one in node.trips + node.guard.alarms]
    return loops, seen, [trip.tripped for trip in node.trips], [one.running for one in node.programmes]


def test_a_set_point_moves_at_its_rate_and_is_answered_and_logged(node):
    answer = node.ask("set_point", "furnace", 850)
    assert answer == {
        "v": 1, "nonce": node.reporter.session["nonce"], "n": 1, "accepted": True, "why": "", "value": 850.0,
    }  # fmt: skip
    assert node.events == [
        ("command", "set_point furnace", "accepted: 850.0, by anna (as they say), over json")
    ]
    assert node.furnace.set_point.value == 800.25, "60 K/min is 0.25 K a tick"
    node.tick(198)
    assert node.furnace.set_point.value == pytest.approx(849.75)
    node.tick(2)
    assert node.furnace.set_point.value == 850.0


def test_off_unless_the_node_file_says_so():
    for spec in (None, dict(remote(), enabled=False)):
        node = Node(spec)
        assert node.remote is None
        node.put(b"{}")
        node.tick()
        assert node.reporter.answers == [] and node.reporter.session is None
        assert "off in the node file" in node.console.execute("remote on")


def test_only_the_local_console_switches_to_remote_mode():
    node = Node(remote(start="local"))
    assert node.reporter.session["mode"] == "local"
    refused(node.ask("set_point", "furnace", 850.0), "local mode")
    refused(node.ask("mode", "node", "auto"), "local mode")
    refused(node.ask("remote", "on"), "do must be one of")
    assert node.furnace.set_point.value == 800.0
    assert node.console.execute("remote on") == "node is in remote mode"
    node.tick()
    assert node.ask("set_point", "furnace", 850.0)["accepted"]
    node.console.execute("remote off")
    moved = node.furnace.set_point.value
    node.tick(10)
    assert node.furnace.set_point.value == moved, "what moved from afar stays where it is"
    refused(node.ask("set_point", "furnace", 860.0), "local mode")


def test_what_is_not_allowed_by_name_is_refused(node):
    before = state(node)
    refused(node.ask("set_point", "draught", -70.0), "does not allow set_point of draught")
    refused(node.ask("set_point", "nobody", -70.0), "does not allow")
    refused(node.ask("mode", "draught", "manual"), "does not allow")
    refused(node.ask("output", "draught", 50.0), "does not allow")
    refused(node.ask("acknowledge", "alarm.other"), "does not allow")
    refused(node.ask("acknowledge", "hot"), "does not allow")
    refused(node.ask("programme", "other", "start"), "does not allow")
    refused(node.ask("reset", "peak"), "does not allow reset of peak")
    refused(node.ask("stop", "node"), "do must be one of: acknowledge, mode, output")
    assert state(node) == before


def test_a_value_outside_the_range_of_the_node_file_is_refused(node):
    refused(node.ask("set_point", "furnace", 699.9), "outside 700.0..900.0")
    refused(node.ask("set_point", "furnace", 900.1), "outside 700.0..900.0")
    assert node.ask("mode", "furnace", "manual")["accepted"]
    refused(node.ask("output", "furnace", 9.0), "outside 10.0..70.0")
    refused(node.ask("mode", "furnace", "cascade"), "value must be one of: auto, manual")
    assert node.furnace.set_point.value == 800.0 and node.furnace.hand.value == pytest.approx(40.0)


def test_a_mode_that_is_not_among_those_allowed_is_refused():
    node = Node(remote(allow={"a": dict(ALLOW["b"], modes=["auto"])}))
    refused(node.ask("mode", "furnace", "manual"), "only auto is allowed")
    node.console.execute("mode furnace manual")
    assert node.ask("mode", "furnace", "auto")["accepted"]
    assert not node.furnace.hand.on


def test_a_hand_from_afar_moves_at_its_rate_through_the_guard(node):
    refused(node.ask("output", "furnace", 60.0), "not in manual")
    assert node.ask("mode", "furnace", "manual")["accepted"]
    before = node.burner.value
    assert node.ask("output", "furnace", 60.0)["accepted"]
    node.tick(3)
    assert node.burner.value == pytest.approx(before + 4.0), "240 %/min is 1 % a tick"
    node.draught.good(150.0)
    node.tick()
    assert node.burner.value == 0.0
    assert node.ask("output", "furnace", 60.0)["accepted"]
    node.tick(8)
    assert node.burner.value == 0.0, "the trip has the last word"


def test_a_loop_that_cannot_see_is_not_taken_by_hand_from_afar(node):
    # On this loop no trip watches: the fan goes by hand as long as somebody asks for it.
    allow = {"a": dict(ALLOW["b"], loop="draught"), "b": dict(ALLOW["c"], loop="draught", rate_per_min=60.0)}
    node = Node(remote(allow=allow))
    node.permit.condition.test.signal = node.t
    node.trips[1].condition.test.signal = node.t
    node.draught.bad("stale: no reply")
    node.tick()
    refused(node.ask("mode", "draught", "manual"), "draught: stale: no reply: without it loop draught")
    node.draught.good(-80.0)
    node.tick(80)
    assert node.ask("mode", "draught", "manual")["accepted"]
    assert node.ask("output", "draught", 65.0)["accepted"]
    node.tick(4)
    node.draught.bad("stale: no reply")
    node.tick()
    stopped = node.fan.value
    node.tick(20)
    assert node.fan.value == stopped < 65.0
    refused(node.ask("output", "draught", 40.0), "only at its console")
    assert node.console.execute("output draught 60") == "hand of draught is 60.0"
    assert node.ask("mode", "draught", "auto")["accepted"]
    node.tick()
    assert node.fan.value == node.fan.safe


def test_a_nonce_with_each_counter_once(node):
    first = node.ask("set_point", "furnace", 850.0)
    replay = {key: first[key] for key in ("nonce", "n")}
    node.tick(400)
    assert node.console.execute("set furnace 800") == "set-point of furnace is 800.0"
    refused(node.ask("set_point", "furnace", 850.0, **replay), "replayed or late", "the last one was 1")
    assert node.ask("set_point", "furnace", 850.0, n=7)["accepted"]
    refused(node.ask("set_point", "furnace", 860.0, n=6), "the last one was 7")
    refused(node.ask("set_point", "furnace", 860.0, nonce="0" * 16), "the nonce is not valid")
    assert node.ask("set_point", "furnace", 860.0, n=COUNTER_MAX)["accepted"]


def test_a_counter_is_used_up_by_a_refusal_so_that_nobody_repeats_it_when_it_would_do_something():
    node = Node(remote(start="local"))
    answer = node.ask("set_point", "furnace", 850.0)
    node.remote.mode = "remote"
    refused(node.ask("set_point", "furnace", 850.0, nonce=answer["nonce"], n=answer["n"]), "replayed")
    refused(node.ask("set_point", "furnace", 9999.0, n=5), "outside")
    refused(node.ask("set_point", "furnace", 850.0, n=5), "replayed")


def test_a_retained_command_is_refused(node):
    session = node.reporter.session
    command = {"v": 1, "nonce": session["nonce"], "n": 1, "by": "anna", "do": "set_point", "name": "furnace"}
    node.put(json.dumps(dict(command, value=850.0)).encode(), retained=True)
    node.tick()
    refused(node.reporter.answers[-1], "retained")
    assert node.furnace.set_point.value == 800.0


def test_a_nonce_lives_for_two_periods_and_none_outlives_a_connection_or_the_switch():
    node = Node(remote(nonce_s=60))
    first = node.reporter.session["nonce"]
    node.tick(240)
    second = node.reporter.session["nonce"]
    assert second != first and node.reporter.session["n"] == 0
    assert node.ask("set_point", "furnace", 850.0, nonce=first, n=1)["accepted"]
    refused(node.ask("set_point", "furnace", 850.0, nonce=first, n=1), "replayed")
    node.tick(240)
    refused(node.ask("set_point", "furnace", 860.0, nonce=first, n=2), "not valid, or no longer")
    assert node.ask("set_point", "furnace", 860.0, nonce=second, n=1)["accepted"]
    for change in ({"connected": False, "reconnects": 0}, {"connected": True, "reconnects": 1}):
        before = node.reporter.session["nonce"]
        node.reporter.stats = change
        node.tick(5)
        assert node.reporter.session["nonce"] != before
        refused(node.ask("set_point", "furnace", 860.0, nonce=before, n=9), "not valid")
    before = node.reporter.session["nonce"]
    node.console.execute("remote off")
    node.console.execute("remote on")
    node.tick()
    refused(node.ask("set_point", "furnace", 860.0, nonce=before, n=9), "not valid")


def test_after_a_long_stall_the_old_nonce_is_void():
    session = door.Session(Node().entropy, 60000, 0)
    before = session.nonce
    assert not session.step(59999)
    assert session.step(130000)
    with pytest.raises(ValueError, match="not valid"):
        session.use(before, 1)


def test_the_session_tells_what_is_allowed_and_the_last_counter(node):
    session = node.reporter.session
    assert (session["v"], session["n"], session["mode"]) == (1, 0, "remote")
    assert session["allows"][0] == {
        "do": "set_point", "names": ["furnace"], "low": 700.0, "high": 900.0, "rate_per_min": 60.0,
    }  # fmt: skip
    assert session["allows"][1] == {"do": "mode", "names": ["furnace"], "values": ["auto", "manual"]}
    assert session["allows"][3] == {"do": "acknowledge", "names": ["alarm.hot", "trip.peak", "trip.pressure"]}
    told = node.reporter.sessions
    node.tick(100)
    assert node.reporter.sessions == told, "said again only when it changes"
    node.ask("mode", "furnace", "manual", n=12)
    assert node.reporter.session["n"] == 12


def test_two_of_a_kind_are_their_interval_apart():
    node = Node(remote(min_interval_ms=1000))
    assert node.ask("set_point", "furnace", 850.0)["accepted"]
    refused(node.ask("set_point", "furnace", 860.0), "too soon: 250 ms after the last one, at least 1000")
    node.tick(3)
    assert node.ask("set_point", "furnace", 860.0)["accepted"]


def test_alarms_and_trips_are_acknowledged_and_a_new_coming_is_not(node):
    refused(node.ask("acknowledge", "alarm.hot"), "nothing to acknowledge of alarm.hot")
    node.t.good(1010.0)
    node.tick(2)
    (hot, _), (peak, _) = node.guard.alarms, node.trips
    assert not hot.acknowledged and not peak.acknowledged
    assert node.ask("acknowledge", "alarm.hot")["accepted"] and hot.acknowledged
    assert node.ask("acknowledge", "trip.peak")["accepted"] and peak.acknowledged
    assert peak.tripped and node.burner.value == 0.0, "acknowledging releases nothing"
    node.t.good(900.0)
    node.tick()
    node.t.good(960.0)
    node.tick()
    assert hot.active and not hot.acknowledged


def test_a_trip_is_reset_from_afar_only_where_the_node_file_says_so_and_its_cause_is_gone(node):
    refused(node.ask("reset", "pressure"), "has not tripped")
    node.draught.good(150.0)
    node.t.good(1010.0)
    node.tick(2)
    refused(node.ask("reset", "pressure"), "cause is still there: pressure")
    node.draught.good(-80.0)
    node.t.good(800.0)
    node.tick(2)
    refused(node.ask("reset", "peak"), "does not allow reset of peak")
    assert node.ask("reset", "pressure")["accepted"]
    assert [trip.tripped for trip in node.trips] == [True, False]
    assert node.guard.first_out is not None, "the first-out stays until all are reset"
    assert node.console.execute("reset") == "reset"
    assert node.guard.first_out is None


def test_a_programme_is_started_and_stopped_and_keeps_its_loop(node):
    refused(node.ask("programme", "heat_up", "stop"), "does not run")
    assert node.ask("programme", "heat_up", "start")["accepted"]
    refused(node.ask("programme", "heat_up", "start"), "already leads")
    refused(node.ask("set_point", "furnace", 850.0), "stop it first")
    node.t.good(node.furnace.set_point.value)
    node.console.execute("remote off")
    moved = node.furnace.set_point.value
    node.tick(4)
    assert node.furnace.set_point.value > moved, "the programme is the node's own: it goes on in local mode"
    node.console.execute("remote on")
    node.tick()
    assert node.ask("programme", "heat_up", "stop")["accepted"]
    held = node.furnace.set_point.value
    node.tick(4)
    assert node.furnace.set_point.value == held < SEGMENTS[0]["to"]


PAYLOADS = [
    (b"", "not a JSON object"),
    (b"set furnace 850", "not a JSON object"),
    (b"[1]", "not a JSON object"),
    (b"null", "not a JSON object"),
    (b"850", "not a JSON object"),
    (b"\xff\xfe{\x00}\x00", "not a JSON object in UTF-8"),
    (b"\xef\xbb\xbf{}", "not a JSON object"),
    (b"{" * 500, "one flat object"),
    (b"[" * 1000, "one flat object"),
    (b'{"v":' * 100, "one flat object"),
    (b'{"v":1,' + b" " * 1018 + b'"n":1}', "bytes, at most 1024 are read"),
    (b"a" * 1000000, "1000000 bytes, at most 1024"),
    (b"{}", "v must be 1"),
    (b'{"v":2}', "v must be 1"),
    (b'{"v":true}', "v must be 1"),
    (b'{"v":1.0}', "v must be 1"),
    (b'{"v":"1"}', "v must be 1"),
    (b'{"V":1}', "unknown key 'V'"),
    (b'{"v":1,"set_point\\u001b[31m":5}', "unknown key 'set_point?[31m'"),
    (b'{"v":1}', "nonce must be"),
    (b'{"v":1,"nonce":5}', "nonce must be"),
    (b'{"v":1,"nonce":"00112233445566778"}', "nonce must be"),
    (b'{"v":1,"write":"loop.furnace.set_point.value"}', "loop.furnace.set_point.value was written directly"),
    (b'{"v":2,"write":[1],"value":850}', "was written directly, without nonce and counter: send a command"),
]


@pytest.mark.parametrize(("payload", "words"), PAYLOADS, ids=[words for _, words in PAYLOADS])
def test_what_has_not_the_form_of_a_command_is_refused_with_the_reason(node, payload, words):
    before = state(node)
    node.put(payload)
    node.tick()
    answer = node.reporter.answers[-1]
    refused(answer, words)
    assert answer["why"].isprintable()
    assert state(node) == before
    assert node.events[-1][:2] == ("command", "refused")


FIELDS = [
    ("n", 0, "n must be a whole number"),
    ("n", -1, "n must be"),
    ("n", 1.5, "n must be"),
    ("n", 2.0, "n must be"),
    ("n", True, "n must be"),
    ("n", "1", "n must be"),
    ("n", 2**53, "n must be"),
    ("n", 10**300, "n must be"),
    ("by", None, "by must be a text of 1 to 32"),
    ("by", "", "by must be"),
    ("by", "a" * 33, "by must be"),
    ("by", ["anna"], "by must be"),
    ("do", "SET_POINT", "do must be one of"),
    ("do", {"a": 1}, "do must be a text"),
    ("do", "__init__", "do must be one of"),
    ("name", "", "name must be"),
    ("name", 5, "name must be"),
    ("name", "f" * 65, "name must be"),
    ("value", None, "value must be a number"),
    ("value", "850", "value must be a number"),
    ("value", True, "value must be a number"),
    ("value", [850], "value must be a number"),
    ("value", float("nan"), ""),
    ("value", float("inf"), ""),
    ("value", 1e300, "value must be a number"),
    ("value", 10**300, "value must be a number"),
    ("value", -(10**10), "value must be a number"),
    ("value", 1e9, "outside"),
]


@pytest.mark.parametrize(("key", "value", "words"), FIELDS)
def test_a_field_of_the_wrong_kind_is_refused(node, key, value, words):
    before = state(node)
    session = node.reporter.session
    command = {"v": 1, "nonce": session["nonce"], "n": 1, "by": "anna", "do": "set_point", "name": "furnace"}
    command["value"] = 850.0
    command[key] = value
    node.put(json.dumps(command).encode())
    node.tick()
    refused(node.reporter.answers[-1], words)
    assert state(node) == before


def test_a_word_where_nothing_is_expected_is_refused(node):
    refused(node.ask("acknowledge", "alarm.hot", "yes"), "takes no value")
    refused(node.ask("programme", "heat_up", 1), "value must be one of: start, stop")
    refused(node.ask("reset", "pressure", True), "takes no value")


def test_who_it_was_is_kept_to_what_a_log_can_show(node):
    names = {
        "anna\n2026-01-01 boss": "anna?2026-01-01 boss",
        "\u0410\u0439\u0434\u0430\u043d": "\u0410\u0439\u0434\u0430\u043d",
        "\x1b[2Janna": "?[2Janna",
        "anna\u202e\u2028\x9b": "anna???",
        "\ud800": "?",
    }
    for said, shown in names.items():
        node.tick()
        assert node.ask("set_point", "furnace", 850.0, by=said)["accepted"]
        assert f"by {shown} (as they say)" in node.events[-1][2]
        node.events[-1][2].encode()


def test_more_commands_than_a_tick_takes_are_refused_in_one_go(node):
    nonce = node.reporter.session["nonce"]
    for n in range(1, 101):
        text = json.dumps({"v": 1, "nonce": nonce, "n": n, "by": "a", "do": "reset", "name": "pressure"})
        node.put(text.encode())
    node.tick()
    assert len(node.reporter.answers) == door.PER_TICK + 1
    assert "92 commands too many: a tick takes 8" in node.reporter.answers[-1]["why"]
    assert node.remote.refused == 100
    assert node.reporter.session["n"] == 8


def test_a_flood_of_refusals_fills_no_log_but_is_counted(node):
    for _ in range(400):
        node.put(b"nonsense")
        node.tick()
    assert len(node.events) <= door.REFUSALS + 100000 // door.REFUSAL_MS
    assert len(node.reporter.answers) == 400, "each is answered all the same"
    assert any("refusals before this one are not in the log" in text for _, _, text in node.events)
    assert node.ask("set_point", "furnace", 850.0)["accepted"]
    assert node.events[-1][2].startswith("accepted"), "what is accepted is always in the log"
