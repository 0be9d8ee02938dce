"""A trace of the numerical core, to be compared to the bit between runtimes. Runs on CPython and MicroPython.

    python tests/cext/trace.py interpreted | compiled       from the root of the project
    MICROPYPATH=. micropython tests/cext/trace.py micropython

Prints the files that the core came from, then one line for each step: its number and the bytes of its results
in hexadecimal, as little-endian 64-bit floats.
"""

import struct
import sys

STEPS = 10000
MODULES = ("pid", "air", "thermocouple", "crc")


class Random:
    """Park and Miller's minimal standard generator: integers to the last step, the same on every runtime."""

    def __init__(self, seed):
        self.state = seed

    def below_one(self):
        self.state = self.state * 48271 % 2147483647
        return self.state / 2147483648.0

    def between(self, low, high):
        return low + (high - low) * self.below_one()


def load(runtime):
    """Return the four modules of the core as `runtime` has them; ValueError if they are not what it says."""
    if runtime == "interpreted":
        from importlib.machinery import SourceFileLoader
        from importlib.util import module_from_spec, spec_from_loader

        modules = []
        for name in MODULES:
            loader = SourceFileLoader("interpreted_" + name, "cext/" + name + ".py")
            module = module_from_spec(spec_from_loader(loader.name, loader))
            loader.exec_module(module)
            modules.append(module)
    else:
        modules = [getattr(__import__("cext." + name), name) for name in MODULES]
    expected = ".so" if runtime == "compiled" else ".py"
    for module in modules:
        if not module.__file__.endswith(expected):
            raise ValueError("expected a " + expected + " file for " + runtime + ", got " + module.__file__)
    return modules


def fuel(random):
    """Return an ultimate analysis between wet waste and dry coal."""
    w = random.between(0.0, 0.6)
    dry = 1.0 - w
    return (
        dry * random.between(0.3, 0.8),
        dry * random.between(0.03, 0.08),
        dry * random.between(0.0, 0.3),
        dry * random.between(0.0, 0.02),
        dry * random.between(0.0, 0.02),
        dry * random.between(0.0, 0.01),
        w,
    )


def trace(pid, air, thermocouple, crc, steps=STEPS):
    """Yield the bytes of the results of each step: a furnace, and all modes of the controller."""
    random = Random(20260101)
    nan = float("nan")
    loop = pid.PID(2.0, 120.0, 20.0)
    standby = pid.PID(1.0, 60.0, 0.0)
    temperature = 20.0
    set_point = 850.0
    output = 0.0
    for number in range(steps):
        dt = random.between(0.02, 3.0)
        if number % 400 == 0:
            set_point = random.between(200.0, 1200.0)
        if number % 700 == 350:
            ti = random.between(20.0, 400.0) if random.below_one() < 0.8 else 0.0
            td = random.between(1.0, 60.0) if random.below_one() < 0.7 else 0.0
            b = random.between(0.0, 1.0)
            c = random.between(0.0, 1.0)
            loop.tune(random.between(0.05, 8.0), ti, td, b, c, random.between(2.0, 20.0))
        if number % 1100 == 500:
            loop.dead_band = random.between(0.0, 3.0)
            loop.rate_per_s = random.between(0.0, 2.0)
            loop.out_max = random.between(70.0, 100.0)
            loop.out_min = random.between(0.0, 10.0)
            loop.tt_s = random.between(5.0, 50.0) if random.below_one() < 0.5 else 0.0
        if number % 3000 == 2500:
            loop.direction = -loop.direction
        if number % 900 == 899:
            standby.restore(loop.state())
            standby.step(set_point, temperature, 0.0, dt)

        # What the controller sees went through a thermocouple with a warm cold junction.
        cold_junction = random.between(10.0, 60.0)
        voltage = thermocouple.emf_mv(temperature) - thermocouple.emf_mv(cold_junction)
        measured = thermocouple.measured_temp_c(voltage, cold_junction)
        process_value = measured + random.between(-0.5, 0.5)
        if number % 500 < 3:
            process_value = nan
        feed_forward = 5.0 * random.below_one()

        if number % 1000 < 150:
            output = loop.follow(set_point, process_value, feed_forward, random.between(0.0, 100.0), dt)
        else:
            output = loop.step(set_point, process_value, feed_forward, dt if number % 613 else 0.0)
            if number % 7 == 0:
                output = 0.9 * output
                loop.realised(output)
        temperature += dt * (0.12 * output - 0.01 * (temperature - 20.0))
        if temperature > 1370.0:
            temperature = 1370.0

        analysis = fuel(random)
        d0 = air.dry_ratio(*analysis)
        w0 = air.wet_ratio(*analysis)
        air0 = air.stoichiometric_air(*analysis)
        o2 = random.between(-0.5, 21.5)
        excess_air = air.lambda_from_o2(o2, w0)
        somewhere = random.between(-280.0, 1380.0)
        results = (
            loop.out,
            loop.demand,
            loop.integral,
            loop.derivative,
            float(loop.flag + 10 * loop.saturated),
            standby.out,
            temperature,
            measured,
            thermocouple.emf_mv(somewhere),
            thermocouple.seebeck_mv_per_k(somewhere),
            thermocouple.temp_c(random.between(-6.0, 55.0)),
            d0,
            w0,
            air0,
            excess_air,
            air.o2_from_lambda(excess_air, w0),
            air.air_demand(1.0, air0, o2, d0),
        )
        packed = struct.pack("<17d", *results)
        yield packed + struct.pack("<H", crc.crc16(packed))


def main(runtime):
    modules = load(runtime)
    print(" ".join([module.__file__ for module in modules]))
    number = 0
    for result in trace(*modules):
        print(number, "".join(["%02x" % byte for byte in result]))
        number += 1


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in ("interpreted", "compiled", "micropython"):
        raise SystemExit("usage: trace.py interpreted|compiled|micropython")
    main(sys.argv[1])
