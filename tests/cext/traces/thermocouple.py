"""Golden trace of the eight types of thermocouple: borders of the pieces, ends of the range, all between."""

from cext import thermocouple, thermocouple_base, thermocouple_noble
from cext.thermocouple import emf_mv, measured_temp_c, seebeck_mv_per_k, temp_c
from tests.cext.traces import Random

NAMES = ("t", "emf_mv", "seebeck_mv_per_k", "t_again", "voltage_mv", "t_of_voltage", "measured_c")

KINDS = (
    thermocouple_noble.B,
    thermocouple_base.E,
    thermocouple_base.J,
    thermocouple.K,
    thermocouple_base.N,
    thermocouple_noble.R,
    thermocouple_noble.S,
    thermocouple_base.T,
)


def inputs(random, kind, turn):
    """Temperature and voltage of one step, for a type whose turn it is."""
    pieces = kind[3]
    highest = pieces[-1]
    if turn < len(pieces):
        return pieces[turn][0], pieces[turn][1]
    if turn == len(pieces):
        return kind[1], kind[2]
    if turn % 3:
        return random.between(kind[1], highest[0]), random.between(kind[2], highest[1])
    # Around the ends, also outside.
    t = (kind[0] if turn % 2 else highest[0]) + random.between(-3.0, 3.0)
    return t, (kind[2] if turn % 2 else highest[1]) + random.between(-0.02, 0.02)


def steps(count):
    """Yield the results of each step."""
    random = Random(20260105)
    for number in range(count):
        kind = KINDS[number % 8]
        t, voltage = inputs(random, kind, number // 8)
        emf = emf_mv(t, kind)
        terminals = random.between(-5.0, 65.0)
        yield (
            t,
            emf,
            seebeck_mv_per_k(t, kind),
            temp_c(emf, kind),
            voltage,
            temp_c(voltage, kind),
            measured_temp_c(emf - emf_mv(terminals, kind), terminals, kind),
        )
