"""Golden trace of filters, curves, time-proportioning, voting, and the check word over all of it."""

import struct

from cext.characterisers import Damper, Table
from cext.crc import crc16
from cext.filters import Lag, LeadLag, MovingMedian, RateLimiter
from cext.time_proportioning import TimeProportioning
from cext.voting import TwoOutOfThree
from tests.cext.traces import INFINITY, NAN, Random

NAMES = (
    "value",
    "lag",
    "lead_lag",
    "rate_limiter",
    "median",
    "flags",
    "table",
    "table_inverse",
    "damper_flow",
    "damper_position",
    "measured_flow",
    "switch",
    "owed_s",
    "voted",
    "deviation",
    "vote",
    "crc",
)

BROKEN = (NAN, INFINITY, -INFINITY)
BAD_DT = (0.0, -1.0, NAN, INFINITY)


def steps(count):
    """Yield the results of each step."""
    random = Random(20260106)
    lag = Lag(5.0)
    lead = LeadLag(4.0, 10.0)
    ramp = RateLimiter(2.0, 1.0)
    medians = [MovingMedian(length) for length in (1, 4, 5, 31)]
    curve = Table(((0.0, 3.0), (20.0, 5.0), (50.0, 21.0), (100.0, 88.0)), True)
    measured = Table(((0.0, 2.0), (35.0, 40.0), (70.0, 90.0), (100.0, 97.0)), True)
    dampers = [Damper(1.0, 1.0, None), Damper(30.0, 0.4, None), Damper(50.0, 1.0, None)]
    in_place = Damper(1.0, 1.0, measured)
    heater = TimeProportioning(20.0, 1.0, 2.0)
    voters = [TwoOutOfThree(True, 5.0), TwoOutOfThree(False, INFINITY)]
    level = 50.0
    for number in range(count):
        if number % 60 == 0:
            level = random.between(0.0, 100.0)
        value = level + random.between(-3.0, 3.0)
        if number % 41 < 2:
            value = BROKEN[number % 3] if random.sometimes(0.7) else 1000.0
        dt = BAD_DT[number % 4] if number % 67 == 66 else random.between(0.05, 4.0)
        if number % 700 == 699:
            lag.start(value)
            lead.start(value)
            ramp.start(value)
            for median in medians:
                median.start()
        if number % 900 == 899:
            # To where states would become denormal.
            level = 0.0
            lag.tau_s = random.between(0.0, 20.0)
            lead.lead_s = random.between(0.0, 20.0)
        if number % 900 > 800:
            value = 0.0
        median = medians[number // 5 % 4]
        outputs = (lag.step(value, dt), lead.step(value, dt), ramp.step(value, dt), median.step(value))
        flags = lag.flag + 10 * lead.flag + 100 * ramp.flag + 1000 * median.flag + 10000 * (ramp.limiting + 1)
        x = random.between(-10.0, 110.0) if number % 55 else BROKEN[number % 3]
        damper = dampers[number % 3]
        switch = heater.step(value if number % 500 < 400 else 99.0, dt)
        readings = [level + random.between(-4.0, 4.0) for _ in range(3)]
        if number % 9 == 0:
            readings[number % 3] = 1000.0 if number % 2 else NAN
        voter = voters[number % 2]
        valid = [random.sometimes(0.9) for _ in range(3)]
        voted = voter.vote(readings[0], valid[0], readings[1], valid[1], readings[2], valid[2])
        yield (
            (value,)
            + outputs
            + (
                float(flags),
                curve.value(x),
                curve.inverse(x),
                damper.flow_pct(x),
                damper.position_pct(x),
                in_place.position_pct(in_place.flow_pct(x)),
                float(switch),
                heater.owed_s,
                voted,
                voter.deviation,
                float(voter.valid + 10 * (voter.outlier + 1) + (100 if voter.deviates else 0)),
                float(crc16(struct.pack("<4d", *outputs) + bytes(range(number % 200)))),
            )
        )
