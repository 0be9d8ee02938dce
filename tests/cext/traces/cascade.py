"""Golden trace of a cascade whose inner gain follows a schedule, and of relay experiments."""

from cext.cascade import Cascade, GainSchedule
from cext.characterisers import Table
from cext.pid import PID
from cext.relay import Relay
from tests.cext.traces import NAN, Random

NAMES = (
    "out",
    "inner_set_point",
    "outer_integral",
    "inner_integral",
    "inner_gain",
    "flags",
    "relay_out",
    "relay_state",
    "relay_period_s",
    "relay_amplitude",
    "relay_asymmetry",
    "relay_ultimate_gain",
)


def relay_of(random):
    """A relay experiment around 500, in one of three with tight bounds of the process value."""
    bound = 40.0 if random.sometimes(0.7) else 12.0
    rest = random.between(45.0, 55.0)
    hysteresis = random.between(1.0, 5.0)
    relay = Relay(500.0, hysteresis, rest - 25.0, rest, rest + 30.0, 500.0 - bound, 500.0 + bound, 900.0)
    relay.tolerance = 0.3
    return relay


def steps(count):
    """Yield the results of each step: a heater of two lags, its operator, a load that comes and goes."""
    random = Random(20260102)
    outer = PID(1.5, 90.0, 0.0)
    outer.limit(0.0, 600.0, 0.0)
    inner = PID(0.5, 20.0, 2.0)
    cascade = Cascade(outer, inner)
    schedule = GainSchedule(
        Table(((0.0, 0.4), (50.0, 1.0), (100.0, 2.0)), False),
        Table(((0.0, 30.0), (100.0, 12.0)), False),
        Table(((0.0, 0.0), (40.0, 0.0), (100.0, 3.0)), False),
    )
    relay = relay_of(random)
    heater = furnace = relayed = 20.0
    relayed = 500.0
    set_point = 300.0
    for number in range(count):
        dt = random.between(0.2, 1.5)
        if number % 250 == 0:
            set_point = random.between(100.0, 500.0)
        load = random.between(0.0, 100.0) if number % 40 == 0 else 50.0 + 0.02 * furnace
        schedule.apply(inner, load if number % 97 else NAN)
        outer_value = furnace if number % 300 < 297 else NAN
        inner_value = heater if number % 410 < 408 else NAN
        mode = number % 500
        if mode < 60:
            output = cascade.follow(set_point, outer_value, inner_value, 0.0, random.between(0.0, 100.0), dt)
        elif mode < 120:
            inner_set_point = random.between(100.0, 500.0)
            output = cascade.automatic(inner_set_point, set_point, outer_value, inner_value, 0.0, dt)
        else:
            output = cascade.step(set_point, outer_value, inner_value, random.between(-2.0, 2.0), dt)
            if number % 3 == 0:
                output = output if output < 80.0 else 80.0
                cascade.realised(output)
        heater += dt * (0.4 * output - 0.05 * (heater - furnace))
        furnace += dt * (0.01 * (heater - furnace) - 0.004 * (furnace - 20.0))

        switched = relay.step(relayed, dt if number % 1777 else NAN)
        relayed += dt * (0.2 * (switched - 50.0) - 0.01 * (relayed - 500.0)) + random.between(-0.2, 0.2)
        state = relay.state
        asymmetry, amplitude, ultimate = relay.asymmetry(), relay.amplitude(), relay.ultimate_gain()
        period = relay.period_s
        if number % 1500 == 1400:
            relay.stop()
        if state and number % 30 == 0:
            relay = relay_of(random)
            relayed = 500.0
        yield (
            output,
            inner.set_point,
            outer.integral,
            inner.integral,
            inner.gain,
            float(outer.flag + 10 * inner.flag + 100 * schedule.flag),
            switched,
            float(state),
            period,
            amplitude,
            asymmetry,
            ultimate,
        )
