"""Fuel and air in ratio: O2 trim and cross-limiting.

All in fuel-equivalent units: A is the measured air as the fuel that it is meant for,

    A = air / (L0 lambda_set trim)

with M the master's demand for fuel and F the measured fuel. Single cross-limiting lets air lead a rise and
fuel lead a fall; the double one also keeps the mixture from becoming too lean, and the load becomes slower:

    single      fuel = min(M, A)                                air = max(M, F)
    double      fuel = max(min(M, A (1 + k1)), A (1 - k2))      air = min(max(M, F (1 - k3)), F (1 + k4))

and the air demand in Nm3/s is that air times L0 lambda_set trim. Above both stands the guarantee: fuel never
exceeds air / (L0 lambda_min), and is 0 without a good air measurement.

The trim multiplies the air: trim = 1 + K e + integral of K/Ti e dt with e = O2 set point - O2, within bounds.

Fuel is in any unit (kg/s, Nm3/s, MW) that L0 is given for; air is dry Nm3/s, corrected as in humid_air.py.
A process controller's guarantee: it does not replace the burner control (EN 298) or the safety system.
"""

# Authority of the trim: gas and oil burners, whose fuel hardly changes, and the secondary air of a grate.
GAS_TRIM = (0.85, 1.15)
GRATE_TRIM = (0.5, 1.6)

# O2Trim.why
TRIM_FREE = 0
TRIM_BAD_O2 = 1
TRIM_HELD = 2
TRIM_BAD_DT = 3

# Bits of CrossLimit.state: the limiter that acts, and what was bad.
FUEL_HELD_BY_AIR = 1
FUEL_KEPT_BY_AIR = 2
AIR_KEPT_BY_FUEL = 4
AIR_HELD_BY_FUEL = 8
AIR_BAD = 16
FUEL_BAD = 32
MASTER_BAD = 64
TRIM_BAD = 128
AIR_AT_MINIMUM = 256

_TRIM_FREE = TRIM_FREE
_TRIM_BAD_O2 = TRIM_BAD_O2
_TRIM_HELD = TRIM_HELD
_TRIM_BAD_DT = TRIM_BAD_DT
_FUEL_HELD_BY_AIR = FUEL_HELD_BY_AIR
_FUEL_KEPT_BY_AIR = FUEL_KEPT_BY_AIR
_AIR_KEPT_BY_FUEL = AIR_KEPT_BY_FUEL
_AIR_HELD_BY_FUEL = AIR_HELD_BY_FUEL
_AIR_BAD = AIR_BAD
_FUEL_BAD = FUEL_BAD
_MASTER_BAD = MASTER_BAD
_TRIM_BAD = TRIM_BAD
_AIR_AT_MINIMUM = AIR_AT_MINIMUM

# Beyond every furnace, whatever the unit: such a measurement is none.
_BEYOND = 1.0e9


class O2Trim:
    """PI controller of the O2 that moves the air by a bounded factor, and freezes when it cannot know better.

    O2Trim(gain, ti_s, authority): `gain` >= 0 in trim per percent of O2 (usual 0.01..0.05), `ti_s` > 0,
    `authority` its bounds (trim_min, trim_max), 0 < trim_min <= 1 <= trim_max, GAS_TRIM unless given.
    ValueError otherwise.

    hold_s      may be set: how long it stays frozen after the cause is gone, s; 0 at first. The dead time of
                the analyser belongs here: what it shows then is the gas of the disturbance.
    trim        the factor, 1 at first, from where it goes on without a bump
    integral    the I part
    saturated   +1 at trim_max, -1 at trim_min, 0 between
    why         0 free; 1 O2 bad or not finite; 2 held from outside, or within hold_s after; 3 dt_s bad
    """

    def __init__(self, gain, ti_s, authority=GAS_TRIM):
        trim_min, trim_max = authority
        if not (0.0 <= gain <= 100.0 and 0.001 <= ti_s < 1.0e9):
            raise ValueError("O2Trim: expected gain of 0..100 per percent and ti_s of 0.001..1e9")
        if not 0.01 <= trim_min <= 1.0 <= trim_max <= 100.0:
            raise ValueError("O2Trim: expected 0.01 <= trim_min <= 1 <= trim_max <= 100")
        self.gain = gain
        self.ti_s = ti_s
        self.trim_min = trim_min
        self.trim_max = trim_max
        self.hold_s = 0.0
        self.trim = 1.0
        self.integral = 0.0
        self.saturated = 0
        self.why = _TRIM_FREE
        # Frozen or set from outside: the next free step finds the integral that goes on from the trim.
        self._frozen = True
        self._hold_left_s = 0.0

    def step(self, set_point_pct, o2_pct, o2_good, hold, dt_s):
        """Run one step and return the trim.

        `set_point_pct` and `o2_pct` of the same kind, both wet or both dry; `o2_good` the quality of the O2;
        `hold` whether a limiter is active (CrossLimit.limiting), the load changes fast, or purge and ignition
        make the O2 meaningless; `dt_s` > 0 since the last call. While frozen the trim does not move at all;
        then it goes on without a bump. A `dt_s` that is not finite and positive holds it as well.
        """
        if not (dt_s > 0.0 and dt_s - dt_s == 0.0):
            self.why = _TRIM_BAD_DT
            return self.trim
        error = set_point_pct - o2_pct
        if not (o2_good and -1.0e6 < error < 1.0e6):
            return self._freeze(_TRIM_BAD_O2)
        if hold:
            return self._freeze(_TRIM_HELD)
        if self._hold_left_s > 0.0:
            self._hold_left_s -= dt_s
            self.why = _TRIM_HELD
            return self.trim
        proportional = self.gain * error
        integral = self.integral
        if self._frozen:
            integral = self.trim - 1.0 - proportional
            self._frozen = False
        rise = proportional * dt_s / self.ti_s
        trim = 1.0 + proportional + integral + rise
        self.saturated = 0
        # At a limit the integral goes up to it, and no further into it.
        if trim > self.trim_max:
            room = self.trim_max - 1.0 - proportional - integral
            if rise > 0.0 and rise > room:
                rise = room if room > 0.0 else 0.0
            trim = self.trim_max
            self.saturated = 1
        elif trim < self.trim_min:
            room = self.trim_min - 1.0 - proportional - integral
            if rise < 0.0 and rise < room:
                rise = room if room < 0.0 else 0.0
            trim = self.trim_min
            self.saturated = -1
        self.integral = integral + rise
        self.trim = trim
        self.why = _TRIM_FREE
        return trim

    def set_trim(self, trim):
        """Take the trim from outside (by hand, at start-up) and go on from it without a bump.

        What is outside the bounds becomes the bound; a number that is not finite is refused with ValueError.
        """
        if trim - trim != 0.0:
            raise ValueError("O2Trim: expected a finite trim")
        if trim > self.trim_max:
            trim = self.trim_max
        if trim < self.trim_min:
            trim = self.trim_min
        self.trim = trim
        self._frozen = True

    def _freeze(self, why):
        self.why = why
        self._frozen = True
        self._hold_left_s = self.hold_s
        return self.trim


class CrossLimit:
    """Cross-limiting of one fuel and its air, single or double, with the guarantee.

    CrossLimit(air0, lambda_set, lambda_min, authority, bands, air_min):
    `air0` stoichiometric air L0 in Nm3 per unit of fuel; `lambda_set` the excess-air ratio at trim 1;
    `lambda_min` that of the guarantee; `authority` the bounds of the trim, as of O2Trim; `bands` None for
    single, (k1, k2, k3, k4) for double cross-limiting, usual (0.05, 0.10, 0.05, 0.10); `air_min` the least
    air demand in Nm3/s, which the double one needs to leave zero.
    ValueError where a number is out of range, where the bands would block a change of load for ever, and for
    lambda_set trim_min < lambda_min (1 + k1): the limits would then allow fuel that the guarantee forbids.

    tolerance   may be set: how far in parts of the master's demand a limiter may act before it counts in
                `state` and `limiting`, 0.01 at first; noise should stay below it
    fuel_demand in units of fuel
    air_demand  in Nm3/s
    trim        the trim last used
    limiting    whether a limiter acts or an input was bad: the trim must be held, a master must not wind up
    state       sum of 1 fuel held back by air; 2 fuel kept up by air (double); 4 air kept up by fuel;
                8 air held back by fuel (double); 16 air bad; 32 fuel bad; 64 master bad; 128 trim bad;
                256 air at air_min
    """

    def __init__(self, air0, lambda_set, lambda_min, authority=GAS_TRIM, bands=None, air_min=0.0):
        trim_min, trim_max = authority
        self.is_double = bands is not None
        k1, k2, k3, k4 = bands if self.is_double else (0.0, 1.0, 0.0, 0.0)
        if not (0.01 <= lambda_min <= 100.0 and 0.01 <= trim_min <= 1.0 <= trim_max <= 100.0):
            raise ValueError(
                "CrossLimit: expected lambda_min of 0.01..100 and 0.01 <= trim_min <= 1 <= trim_max <= 100"
            )
        if not (0.0 <= k1 <= 1.0 and 0.0 <= k2 <= 1.0 and 0.0 <= k3 <= 1.0 and 0.0 <= k4 <= 1.0):
            raise ValueError("CrossLimit: expected k1..k4 of 0..1")
        if not 0.0 <= air_min < _BEYOND:
            raise ValueError("CrossLimit: expected a finite air_min >= 0")
        if self.is_double and not (k1 + k4 > 0.0 and k2 + k3 > 0.0 and air_min > 0.0):
            raise ValueError(
                "CrossLimit: the load could not change; expected k1 + k4 > 0, k2 + k3 > 0 and air_min > 0"
            )
        self.lambda_min = lambda_min
        self.trim_min = trim_min
        self.trim_max = trim_max
        self.k1 = k1
        self.k2 = k2
        self.k3 = k3
        self.k4 = k4
        self.air_min = air_min
        self.tolerance = 0.01
        self.configure(air0, lambda_set)
        self.fuel_demand = 0.0
        self.air_demand = air_min
        self.trim = 1.0
        self.limiting = False
        self.state = 0

    def configure(self, air0, lambda_set):
        """Change the fuel's stoichiometric air or lambda, as with the load; in operation, too.

        ValueError, and nothing changed, for what __init__ does not take either.
        """
        if not (1.0e-6 <= air0 <= 1.0e6 and 0.01 <= lambda_set <= 100.0):
            raise ValueError("CrossLimit: expected air0 of 1e-6..1e6 and lambda_set of 0.01..100")
        if lambda_set * self.trim_min < self.lambda_min * (1.0 + self.k1):
            raise ValueError(
                "CrossLimit: lambda_set * trim_min is below lambda_min * (1 + k1); "
                "raise lambda_set or trim_min, or lower k1"
            )
        self.air0 = air0
        self.lambda_set = lambda_set

    def step(self, master, fuel, fuel_good, air, air_good, trim):
        """Run one step and return the fuel demand; the air demand is `air_demand`.

        `master` demand and measured `fuel` in units of fuel, measured `air` in dry Nm3/s, each with its
        quality, `trim` as of O2Trim.

        Bad air: fuel 0, and the air demand does not fall. Bad fuel: the fuel demand does not rise and the air
        demand does not fall, for nobody knows what burns. A bad master counts as 0; at 0 or less the fuel is
        shut, past the lower limit of the double form. A bad trim leaves the last one; a good one is kept
        within its bounds. What is not finite, or 1e9 and more, is bad whatever its quality says.
        """
        state = 0
        if not 0.0 < trim < _BEYOND:
            state += _TRIM_BAD
            trim = self.trim
        if trim < self.trim_min:
            trim = self.trim_min
        if trim > self.trim_max:
            trim = self.trim_max
        self.trim = trim
        if not -_BEYOND < master < _BEYOND:
            state += _MASTER_BAD
            master = 0.0
        if master < 0.0:
            master = 0.0
        air_known = air_good and -_BEYOND < air < _BEYOND
        fuel_known = fuel_good and -_BEYOND < fuel < _BEYOND
        if not air_known:
            state += _AIR_BAD
            air = 0.0
        if not fuel_known:
            state += _FUEL_BAD
        if air < 0.0:
            air = 0.0
        per_fuel = self.air0 * self.lambda_set * trim
        margin = self.tolerance * master

        # Fuel.
        equivalent = air / per_fuel
        demand = master
        if demand > equivalent * (1.0 + self.k1):
            demand = equivalent * (1.0 + self.k1)
        if self.is_double and master > 0.0 and demand < equivalent * (1.0 - self.k2):
            demand = equivalent * (1.0 - self.k2)
        if not fuel_known and demand > self.fuel_demand:
            demand = self.fuel_demand
        # The guarantee, whatever the lines above came to.
        if demand > air / (self.air0 * self.lambda_min):
            demand = air / (self.air0 * self.lambda_min)
        if demand < master - margin:
            state += _FUEL_HELD_BY_AIR
        elif demand > master + margin:
            state += _FUEL_KEPT_BY_AIR
        self.fuel_demand = demand

        # Air.
        lead = master
        if fuel_known:
            if lead < fuel * (1.0 - self.k3):
                lead = fuel * (1.0 - self.k3)
            if self.is_double and lead > fuel * (1.0 + self.k4):
                lead = fuel * (1.0 + self.k4)
        if lead > master + margin:
            state += _AIR_KEPT_BY_FUEL
        elif lead < master - margin:
            state += _AIR_HELD_BY_FUEL
        air_demand = lead * per_fuel
        if air_demand < self.air_demand and not (fuel_known and air_known):
            air_demand = self.air_demand
        if air_demand < self.air_min:
            air_demand = self.air_min
            state += _AIR_AT_MINIMUM
        self.air_demand = air_demand

        self.state = state
        self.limiting = state != 0
        return demand
