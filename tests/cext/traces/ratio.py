"""Golden trace of O2 trim and of single and double cross-limiting, with failing measurements."""

from cext.ratio import GRATE_TRIM, CrossLimit, O2Trim
from tests.cext.traces import INFINITY, NAN, Random

NAMES = (
    "trim",
    "trim_integral",
    "trim_why",
    "fuel",
    "air",
    "state",
    "double_fuel",
    "double_air",
    "double_state",
)

BROKEN = (NAN, INFINITY, -INFINITY)


class Burner:
    """A limiter, and the fuel and air that follow its demands."""

    def __init__(self, limiter):
        self.limiter = limiter
        self.fuel = 0.0
        self.air = 0.0

    def step(self, random, number, master, trim, dt):
        fuel = self.fuel + random.between(-0.02, 0.02)
        air = self.air + random.between(-0.1, 0.1)
        if number % 150 < 2:
            air = BROKEN[number % 3]
        if number % 230 < 2:
            fuel = BROKEN[number % 3]
        limiter = self.limiter
        demand = limiter.step(master, fuel, number % 190 > 5, air, number % 260 > 5, trim)
        self.fuel += (demand - self.fuel) * dt / (dt + 1.0)
        self.air += (limiter.air_demand - self.air) * dt / (dt + 4.0)
        return demand, limiter.air_demand, float(limiter.state)


def steps(count):
    """Yield the results of each step."""
    random = Random(20260104)
    trim = O2Trim(0.03, 30.0, GRATE_TRIM)
    trim.hold_s = 8.0
    single = Burner(CrossLimit(9.5, 1.2, 1.0))
    double = Burner(CrossLimit(9.5, 1.25, 1.0, (0.85, 1.15), (0.05, 0.1, 0.05, 0.1), 1.0))
    master = 1.0
    for number in range(count):
        dt = random.between(0.2, 2.0)
        if number % 80 == 0:
            master = random.between(-0.5, 5.0)
        if number % 300 == 299:
            double.limiter.configure(random.between(8.0, 11.0), random.between(1.25, 1.6))
        if number % 420 == 419:
            trim.set_trim(random.between(0.4, 1.8))
        lam = single.air / (single.fuel * 9.5) if single.fuel > 0.1 else 3.0
        o2 = 20.95 * (1.0 - 1.0 / lam) if lam > 1.0 else 0.0
        trim.step(
            random.between(2.5, 3.5) if number % 700 < 500 else 15.0,
            o2 if number % 170 else NAN,
            number % 210 > 4,
            single.limiter.limiting and number % 2 == 0,
            dt if number % 111 else -dt,
        )
        asked = BROKEN[number % 3] if number % 331 == 0 else master
        applied = trim.trim if number % 277 else NAN
        yield (
            (trim.trim, trim.integral, float(trim.why))
            + single.step(random, number, asked, applied, dt)
            + double.step(random, number, asked, applied, dt)
        )
