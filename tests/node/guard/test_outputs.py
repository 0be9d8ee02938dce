"""An output's value follows from demand, limits, rate, and what forces it."""

from hypothesis import given
from hypothesis import strategies as st

from edge.node.guard import outputs
from edge.node.signals import GOOD, UNCERTAIN
from tests.node.fakes import output as made


def output(**given):
    one = made(**given)
    assert one.look()
    return one


def test_an_output_takes_over_from_where_its_device_stands():
    one = output(position=63.0, rate_per_s=1.0)
    assert one.device.driven == []
    one.demand.ask(80.0)
    one.apply(0.25, 0)
    assert one.value == 63.25


def test_a_demand_is_held_within_limits_and_rate():
    one = output(position=50.0, rate_per_s=4.0)
    for _ in range(100):
        one.demand.ask(500.0)
        one.apply(0.25, 0)
    assert one.value == 100.0
    assert one.device.driven[:3] == [51.0, 52.0, 53.0]


def test_an_output_whose_loop_refuses_goes_to_its_safe_value_at_once():
    one = output(position=80.0, rate_per_s=1.0, safe=25.0)
    one.demand.refuse("steam: stale: silence")
    one.apply(0.25, 0)
    assert (one.value, one.state, one.quality) == (25.0, outputs.SAFE, UNCERTAIN)
    assert one.why == "steam: stale: silence"


def test_an_output_that_holds_stays_where_it_was():
    one = output(position=44.0, safe=None)
    one.demand.refuse("o2: bad")
    one.apply(0.25, 0)
    assert one.value == 44.0


def test_an_output_that_is_held_can_be_read_and_is_uncertain():
    one = output(safe=0.0)
    one.demand.ask(60.0)
    one.forced, one.forced_why = outputs.INTERLOCK, "feed_permit"
    one.apply(0.25, 0)
    assert (one.value, one.quality) == (0.0, UNCERTAIN)
    one.forced, one.forced_why = outputs.TRIP, "high_temperature"
    one.apply(0.25, 0)
    assert (one.value, one.quality) == (0.0, UNCERTAIN)


def test_after_a_fault_the_rate_limit_leads_back_to_the_demand():
    one = output(position=80.0, rate_per_s=1.0, safe=25.0)
    one.demand.refuse("bad")
    one.apply(0.25, 0)
    one.demand.ask(80.0)
    one.apply(0.25, 250)
    assert (one.value, one.quality) == (25.25, GOOD)


def test_a_device_that_is_not_ready_is_not_driven_and_asked_anew_afterwards():
    one = output(position=50.0)
    one.demand.ask(60.0)
    one.apply(0.25, 0)
    one.device.ready, one.device.fault = False, "link lost"
    driven = len(one.device.driven)
    one.apply(0.25, 250)
    assert (one.value, one.state, one.why) == (None, outputs.UNKNOWN, "link lost")
    assert len(one.device.driven) == driven
    one.device.ready, one.device.position = True, 25.0
    one.apply(0.25, 500)
    assert one.value == 25.0
    one.demand.ask(60.0)
    one.apply(0.25, 750)
    assert one.value == 60.0


@given(
    st.lists(st.tuples(st.sampled_from(["request", "refuse", "force"]), st.floats(-1e6, 1e6)), max_size=50)
)
def test_no_sequence_drives_a_device_beyond_its_limits_or_safe_value(steps):
    one = output(position=50.0, low=25.0, high=90.0, rate_per_s=2.0, safe=10.0)
    for kind, number in steps:
        one.forced = None
        if kind == "request":
            one.demand.ask(number)
        elif kind == "refuse":
            one.demand.refuse("bad")
        else:
            one.forced, one.forced_why = outputs.TRIP, "trip"
        one.apply(0.25, 0)
        assert 10.0 <= one.value <= 90.0
