"""Golden trace of PID: a furnace, its controller in every mode, and a hot standby.

steps() is for the 64-bit runtimes. drive() does the same to any object with the methods of PID and the three
of Loop below, so that a controller on a chip can be driven with what this one was.
"""

from cext.pid import PID
from tests.cext.traces import INFINITY, NAN, Random, short

NAMES = ("out", "demand", "integral", "derivative", "saturated", "flag", "standby", "temperature")

# What may come instead of a number, and what may come instead of a time step.
BROKEN = (NAN, INFINITY, -INFINITY)
BAD_DT = (0.0, -1.0, NAN, INFINITY)


class Loop:
    """A PID with each of its modes as one call."""

    def __init__(self):
        self.pid = PID(2.0, 120.0, 20.0)
        self.step = self.pid.step
        self.follow = self.pid.follow
        self.realised = self.pid.realised
        self.tune = self.pid.tune
        self.limit = self.pid.limit

    def set(self, direction, dead_band, tt_s):
        self.pid.direction = direction
        self.pid.dead_band = dead_band
        self.pid.tt_s = tt_s

    def restart(self):
        """As after a power failure: the saved state comes back."""
        self.pid.restore(self.pid.state())


def drive(loop, count):
    """Yield (number, temperature, set point, dt) after each of `count` steps of a furnace under `loop`.

    Windows of different length overlap, so that the modes meet in every combination.
    """
    random = Random(20260101)
    direction = 1.0
    temperature = 20.0
    set_point = 850.0
    output = 0.0
    for number in range(count):
        dt = random.between(0.02, 3.0)
        if number % 90 == 0:
            set_point = random.between(200.0, 1200.0)
        if number % 70 == 35:
            ti = random.between(20.0, 400.0) if random.sometimes(0.8) else 0.0
            td = random.between(1.0, 60.0) if random.sometimes(0.7) else 0.0
            b = random.between(0.0, 1.0)
            c = random.between(0.0, 1.0)
            loop.tune(random.between(0.05, 8.0), ti, td, b, c, random.between(2.0, 20.0))
        if number % 110 == 50:
            if random.sometimes(0.2):
                direction = -direction
            dead_band = random.between(0.0, 3.0) if random.sometimes(0.6) else 0.0
            loop.set(direction, dead_band, random.between(5.0, 50.0) if random.sometimes(0.5) else 0.0)
        if number % 130 == 60:
            rate = random.between(0.1, 2.0) if random.sometimes(0.6) else 0.0
            loop.limit(random.between(0.0, 10.0), random.between(70.0, 100.0), rate)
        if number % 370 == 360:
            loop.restart()

        inputs = [set_point, short(temperature + random.between(-0.5, 0.5)), random.between(0.0, 5.0)]
        if number % 50 < 3 and number % 100 > 2:
            inputs[int(3.0 * random.below_one())] = BROKEN[int(3.0 * random.below_one())]
        duration = BAD_DT[int(4.0 * random.below_one())] if number % 61 == 60 else dt
        if number % 100 < 15:
            hand = random.between(0.0, 100.0)
            output = loop.follow(*inputs, hand if number % 100 != 8 else NAN, duration)
        else:
            output = loop.step(*inputs, duration)
            if number % 7 == 0:
                output = short(0.9 * output)
                loop.realised(output if number % 49 else NAN)
        temperature += dt * (0.12 * output - 0.01 * (temperature - 20.0))
        yield number, temperature, set_point, dt


def steps(count):
    """Yield the results of each step."""
    loop = Loop()
    pid = loop.pid
    standby = PID(1.0, 60.0, 0.0)
    for number, temperature, set_point, dt in drive(loop, count):
        if number % 90 == 89:
            standby.restore(pid.state())
            standby.step(set_point, temperature, 0.0, dt)
        yield (
            pid.out,
            pid.demand,
            pid.integral,
            pid.derivative,
            float(pid.saturated),
            float(pid.flag),
            standby.out,
            temperature,
        )
