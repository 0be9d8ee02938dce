"""The muffle furnace under its packaged node file, bytes included, on virtual time.

Temperatures are the true ones of the model, not those that the node was told.
"""

import copy

import pytest

from edge.box.config import check, describe, find
from edge.emulator import scenario
from edge.emulator.virtual import VirtualRun
from edge.node.build import build
from edge.node.commands import Commands
from edge.node.kept_file import FileKeeper
from edge.node.report.local import LocalReporter

DESCRIPTION, _ = describe(find("muffle"))
AOAC_RAMP = {"to": 450.0, "at_per_min": 0.83}
SOAK = {"stay_min": 480.0, "within": 5.0}


class Muffle:
    """The furnace, as warm as ``start_c``, and its node with these segments, and keys of the loop."""

    def __init__(self, start_c=25.0, segments=(AOAC_RAMP, SOAK), loop=(), keeper=None):
        self.description = copy.deepcopy(DESCRIPTION)
        self.description["programme"]["ash"]["segments"] = [{**segment, "event": "ashing"} for segment in segments]
        self.description["loop"]["chamber"].update(loop)
        self.run = VirtualRun("muffle", self.description, 1, keeper=keeper)
        self.model = self.run.bench.model
        self.model.start_c = start_c
        self.model.start()
        self.run.run_for(5)
        self.say("programme ash start")

    def say(self, text):
        answer = Commands(self.node).execute(text)
        assert not answer.startswith(("refused", "not understood")), answer

    @property
    def node(self):
        return self.run.node

    @property
    def programme(self):
        (programme,) = self.node.programmes
        return programme

    @property
    def set_point(self):
        return self.node.loops[0].set_point.value

    def output(self, name):
        return next(output for output in self.node.guard.outputs if output.name == name)

    def alarms(self):
        return [alarm.name for alarm in self.node.guard.alarms if alarm.condition.on]

    def errors(self, seconds, state="", every_s=5):
        """True temperature less set-point, every few seconds while the programme is in ``state``."""
        found = []
        for _ in range(round(seconds / every_s)):
            self.run.run_for(every_s)
            if self.programme.state.startswith(state) and self.set_point is not None:
                found.append(self.model.chamber_c - self.set_point)
        return found

    def restart(self, keeper):
        """Another process takes the place of the node's, which has said nothing to its devices."""
        order = self.description["order"]["bus"]
        ports = dict.fromkeys(order, self.run.port)
        self.run.node = build(self.description, ports, self.run.clock, LocalReporter(), keeper=keeper)


def within(errors, low, high):
    assert errors
    assert low <= min(errors) and max(errors) <= high, (min(errors), max(errors))


# ---- the programme


def test_the_node_file_has_nothing_to_warn_of():
    path = find("muffle")
    assert check(path, path.read_bytes()).warnings == []


def test_a_cold_furnace_follows_the_slow_ramp():
    muffle = Muffle()
    within(muffle.errors(3600, "ramp"), -1.2, 1.2)
    assert not muffle.alarms()


def test_slow_ramp_to_450_then_soak():
    muffle = Muffle(390.0)
    ramp = muffle.errors(4400, "ramp")
    assert len(ramp) == pytest.approx((450 - 390) / 0.83 * 60 / 5, rel=0.02)
    # The first ten minutes are those of a furnace that was put at 390 degC and not heated there.
    within(ramp[120:], -1.2, 1.2)
    assert muffle.programme.state == "soak 2"
    soak = muffle.errors(1500, "soak")
    within(soak, -1.0, 1.0)
    assert muffle.node.first_out == ""


def test_fast_ramp_overshoots_by_three_kelvin_at_most():
    muffle = Muffle(25.0, [{"to": 450.0, "at_per_min": 10.0}, SOAK])
    muffle.errors(2650, "ramp")
    assert muffle.programme.state == "soak 2"
    assert muffle.programme.waited_ms < 1000
    within(muffle.errors(1500, "soak"), -5.0, 3.0)
    within(muffle.errors(600, "soak"), -1.0, 1.0)
    assert muffle.node.first_out == ""


def test_without_feed_forward_a_fast_ramp_overshoots_by_more():
    """That the test above can fail."""
    muffle = Muffle(25.0, [{"to": 450.0, "at_per_min": 10.0}, SOAK], {"forward": []})
    muffle.errors(2650, "ramp")
    assert max(muffle.errors(1500, "soak")) > 5.0


def test_at_the_end_the_heat_goes_off():
    muffle = Muffle(450.0, [{"stay_min": 5.0, "within": 5.0}])
    muffle.run.run_for(900)
    assert muffle.programme.state == "done"
    assert muffle.output("heat").value == 0
    assert muffle.model.power_now_w == 0
    assert muffle.model.chamber_c < 445.0


@pytest.mark.long
def test_the_whole_programme_of_17_hours():
    muffle = Muffle()
    within(muffle.errors(30600, "ramp"), -1.2, 1.2)
    within(muffle.errors(8 * 3600 + 600, "soak"), -1.0, 1.0)
    assert muffle.programme.state == "done"
    assert muffle.node.first_out == ""


# ---- faults


def hold(start_c=450.0, keeper=None):
    """A furnace that is held at its temperature."""
    muffle = Muffle(start_c, [SOAK], keeper=keeper)
    muffle.run.run_for(300)
    assert muffle.model.power_now_w >= 0 and muffle.output("heat").state == "auto"
    return muffle


def test_a_shorted_relay_opens_the_contactor_and_the_temperature_falls():
    muffle = hold()
    muffle.run.bench.set("ssr_shorted", 1)
    muffle.run.run_for(150)
    assert muffle.node.first_out == "heat_stuck"
    assert muffle.model.contactor_closed == 0 and muffle.model.power_now_w == 0
    hottest = muffle.model.chamber_c
    assert hottest < 500.0
    muffle.run.run_for(600)
    assert muffle.model.chamber_c < hottest - 30.0
    # The programme waits; nothing starts by itself.
    assert "waiting" in muffle.programme.state
    assert muffle.output("contactor").state == "trip"


def test_without_the_trip_a_shorted_relay_overheats():
    """That the test above can fail."""
    muffle = hold()
    for trip in muffle.node.guard.trips:
        trip.outputs = []
    muffle.run.bench.set("ssr_shorted", 1)
    muffle.run.run_for(600)
    assert muffle.model.chamber_c > 530.0


def test_a_welded_contactor_is_told():
    muffle = hold()
    muffle.run.bench.set("ssr_shorted", 1)
    muffle.run.bench.set("contactor_welded", 1)
    muffle.run.run_for(150)
    assert muffle.node.first_out == "heat_stuck"
    assert "contactor_welded" in muffle.alarms()


def test_the_limit_thermocouple_trips_when_the_other_has_slipped_out():
    muffle = hold(1000.0)
    muffle.run.bench.set("chamber_tc_k", -50)
    muffle.run.bench.set("limit_tc_k", 50)
    muffle.run.run_for(600)
    assert "limit_thermocouple_hotter" in muffle.alarms()
    muffle.say("programme ash stop")
    muffle.say("set chamber 1100")
    muffle.run.run_for(1500)
    assert muffle.node.first_out == "too_hot"
    assert muffle.model.power_now_w == 0 and muffle.model.contactor_closed == 0


@pytest.mark.parametrize("fault", [("burnt_out", 0), ("silence", None)])
def test_a_lost_thermocouple_takes_the_heat_away_and_comes_back_smoothly(fault):
    """Heat goes off at once. Whether heat is stuck can't be judged without it, so the contactor opens as well."""
    muffle = hold()
    muffle.run.bench.fault("thermo", *fault, seconds=90)
    muffle.run.run_for(5)
    before_j = muffle.model.energy_j
    muffle.run.run_for(80)
    assert muffle.model.energy_j == before_j
    assert muffle.output("heat").value == 0
    assert muffle.output("contactor").value == 0
    muffle.run.run_for(30)
    assert muffle.output("heat").state == "auto"
    within(muffle.errors(1500), -8.0, 1.0)
    within(muffle.errors(300), -1.0, 1.0)


def test_a_broken_element_is_told():
    muffle = hold()
    muffle.run.bench.set("element_broken", 1)
    muffle.run.run_for(1500)
    assert "no_response" in muffle.alarms()


# ---- another process


def test_a_dead_node_loses_its_lease_and_the_next_one_goes_on_with_the_programme(tmp_path):
    keeper = FileKeeper(str(tmp_path / "muffle.kept"))
    muffle = hold(keeper=keeper)
    dead_at_s = muffle.run.clock.now_us() / 1e6
    while muffle.run.clock.now_us() / 1e6 < dead_at_s + 30:
        # Nobody speaks on the line.
        muffle.run.clock.advance_to(muffle.run.clock.now_us() + 250000)
        muffle.run.bench.step(muffle.run.clock.now_us())
    assert muffle.model.contactor_closed == 0 and muffle.model.power_now_w == 0
    muffle.restart(keeper)
    assert muffle.programme.state == "interrupted 1"
    muffle.run.run_for(30)
    assert muffle.model.contactor_closed == 1
    # It was short and is warm enough: within continue_if_within the programme goes on where it was.
    assert muffle.programme.state == "soak 1"
    within(muffle.errors(900), -5.0, 1.0)


# ---- the scenario


def test_the_packaged_scenario_trips_on_the_shorted_relay_and_on_nothing_else():
    """In a sixth of its time, to be short."""
    content = scenario.load("muffle_ash")
    events = [{**event, "at_s": event["at_s"] / 6 if event["at_s"] > 10 else 10} for event in content["event"]]
    report = scenario.play({**content, "hours": content["hours"] / 6, "event": events})
    assert report["trips"] == {"heat_stuck": 1}
    assert report["alarms"] == {"ahead": 1}
    assert report["errors"] == 0
    assert 60.0 < report["signals"]["t_chamber"]["max"] < 120.0
    totals = report["totals"]
    assert totals["energy_kwh"] == pytest.approx(totals["lost_kwh"] + totals["stored_kwh"], abs=0.002)
