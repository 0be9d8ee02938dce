"""No sequence of messages from afar replays a command, passes the guard, resets a trip that was not allowed,
or moves a set-point out of its range or faster than its rate."""

import json

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from edge.node.guard.outputs import AUTO
from tests.node.remote_bench import OUTPUT, SET_POINT, TICK_MS, Node, remote
from tests.node.test_remote import state

NUMBERS = st.one_of(
    st.floats(600.0, 1000.0), st.floats(0.0, 100.0), st.floats(), st.integers()
)
DOS = ["set_point", "output", "mode", "programme", "acknowledge", "reset", "stop", "write"]
NAMES = ["furnace", "draught", "heat_up", "alarm.hot", "alarm.other", "trip.peak", "peak", "pressure"]
VALUES = st.one_of(NUMBERS, st.sampled_from(["auto", "manual", "start", "stop", None, True]))
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
PER_TICK_K = SET_POINT["rate_per_min"] * TICK_MS / 60000.0
BURNER_PER_TICK = 5.0 * TICK_MS / 1000.0


class FromAfar(RuleBasedStateMachine):
    @initialize(start=st.sampled_from(["local", "remote"]), nonce_s=st.sampled_from([5, 60]))
    def begin(self, start, nonce_s):
        self.node = Node(remote(start=start, nonce_s=nonce_s))
        self.sent = []
        self.accepted = set()
        self.set_point = self.node.furnace.set_point.value
        self.burner = self.node.burner.value
        self.peak = False
        self.pressure = False
        self.reset_accepted = False

    # What comes -----------------------------------------------------------------------------------

    def send(self, payload: bytes, retained: bool = False):
        """One message, judged by itself: what is refused has changed nothing."""
        node = self.node
        before = state(node)
        answers = len(node.reporter.answers)
        node.put(payload, retained)
        node.remote.step(node.clock.ms)
        assert len(node.reporter.answers) == answers + 1
        answer = node.reporter.answers[-1]
        if not answer["accepted"]:
            assert answer["why"]
            assert state(node) == before
            return
        assert node.remote.mode == "remote", "nothing is done in local mode"
        assert not retained
        key = (answer["nonce"], answer["n"])
        assert key not in self.accepted, "no command is done twice"
        self.accepted.add(key)
        command = json.loads(payload)
        assert (command["do"], command["name"]) in (
            ("set_point", "furnace"), ("output", "furnace"), ("mode", "furnace"), ("programme", "heat_up"),
            ("acknowledge", "alarm.hot"), ("acknowledge", "trip.peak"), ("reset", "pressure"),
        )  # fmt: skip
        for do, allowed in (("output", OUTPUT), ("set_point", SET_POINT)):
            if command["do"] == do:
                assert allowed["low"] <= command["value"] <= allowed["high"]
        if command["do"] == "output" or command.get("value") == "manual":
            assert not node.furnace.blind()
        self.reset_accepted = self.reset_accepted or command["do"] == "reset"

    def command(self, do, name, value, n):
        session = self.node.reporter.session
        fields = {"v": 1, "nonce": session["nonce"], "n": n, "by": "anna", "do": do, "name": name}
        if value is not None:
            fields["value"] = value
        payload = json.dumps(fields).encode()
        self.sent.append(payload)
        return payload

    @rule(do=st.sampled_from(DOS), name=st.sampled_from(NAMES), value=VALUES, ahead=st.integers(-2, 3))
    def anything(self, do, name, value, ahead):
        self.send(self.command(do, name, value, self.node.reporter.session["n"] + ahead))

    @rule(
        what=st.sampled_from(
            [("mode", "furnace", "manual"), ("mode", "furnace", "auto"), ("reset", "pressure", None),
             ("programme", "heat_up", "start"), ("programme", "heat_up", "stop")]
        )
    )  # fmt: skip
    def what_may_be(self, what):
        self.send(self.command(*what, self.node.reporter.session["n"] + 1))

    @rule(value=st.floats(650.0, 950.0))
    def set_point_near_its_range(self, value):
        self.send(self.command("set_point", "furnace", value, self.node.reporter.session["n"] + 1))

    @rule(value=st.floats(5.0, 75.0))
    def hand_near_its_range(self, value):
        self.send(self.command("output", "furnace", value, self.node.reporter.session["n"] + 1))

    @precondition(lambda self: self.sent)
    @rule(place=st.integers(0, 1000), retained=st.booleans())
    def again(self, place, retained):
        self.send(self.sent[place % len(self.sent)], retained)

    @rule(value=JSON)
    def other_json(self, value):
        self.send(json.dumps(value).encode())

    @rule(data=st.binary(max_size=40))
    def other_bytes(self, data):
        self.send(data)

    @rule(count=st.integers(2, 30))
    def burst(self, count):
        n = self.node.reporter.session["n"]
        for i in range(count):
            self.node.put(self.command("set_point", "furnace", 900.0 if i % 2 else 700.0, n + 1 + i))
        answers = len(self.node.reporter.answers)
        self.node.remote.step(self.node.clock.ms)
        for answer in self.node.reporter.answers[answers:]:
            if answer["accepted"]:
                assert (answer["nonce"], answer["n"]) not in self.accepted
                self.accepted.add((answer["nonce"], answer["n"]))

    # What happens meanwhile -----------------------------------------------------------------------

    @rule(on=st.booleans())
    def console(self, on):
        self.node.console.execute("remote on" if on else "remote off")

    @rule()
    def reconnected(self):
        stats = self.node.reporter.stats
        self.node.reporter.stats = dict(stats, reconnects=stats["reconnects"] + 1)

    @rule(value=st.sampled_from([-80.0, -80.0, 150.0, -250.0]))
    def draught(self, value):
        self.node.draught.good(value)

    @rule(value=st.sampled_from([700.0, 800.0, 850.0, 960.0, 1010.0, None]))
    def temperature(self, value):
        if value is None:
            self.node.t.bad()
        else:
            self.node.t.good(value)

    @rule()
    def both_trip_and_their_causes_go(self):
        for t, draught in ((1010.0, 150.0), (800.0, -80.0)):
            self.node.t.good(t)
            self.node.draught.good(draught)
            self.time_passes(3)

    @rule(count=st.integers(1, 60))
    def time_passes(self, count):
        for _ in range(count):
            self.node.tick()
            self.check_tick()

    def check_tick(self):
        node = self.node
        furnace, burner = node.furnace, node.burner
        assert abs(furnace.set_point.value - self.set_point) <= PER_TICK_K + 1e-9
        self.set_point = furnace.set_point.value
        peak, pressure = node.trips
        assert peak.tripped or not self.peak, "nobody from afar resets what is not allowed"
        if self.pressure and not pressure.tripped:
            assert self.reset_accepted, "a trip needs its reset"
        if peak.tripped or pressure.tripped or not node.permit.on:
            assert burner.value == burner.safe and burner.state != AUTO
        if burner.state == AUTO and self.burner >= burner.low:
            assert abs(burner.value - self.burner) <= BURNER_PER_TICK + 1e-9
            assert burner.low <= burner.value <= burner.high
        self.burner = burner.value
        self.peak = peak.tripped
        if pressure.tripped != self.pressure:
            self.pressure = pressure.tripped
            self.reset_accepted = False

    @invariant()
    def within_its_range(self):
        if hasattr(self, "node"):
            assert SET_POINT["low"] <= self.node.furnace.set_point.value <= SET_POINT["high"]
            assert self.node.stopped == ""


TestFromAfar = FromAfar.TestCase
TestFromAfar.settings = settings(max_examples=150, stateful_step_count=40)
