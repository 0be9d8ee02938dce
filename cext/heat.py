"""Heat of a furnace from its measurements: flue-gas loss, heat release, heating value of what is being burnt.

Siegert's formula is for gas and oil, where one pair of constants holds; for waste, wood and all that is moist
take FlueGas.loss_mj() of flue_gas.py.
"""

_NAN = float("nan")

# States smaller than this go to zero, because denormal numbers are slow.
_NEGLIGIBLE = 1.0e-30

# (A1 with CO2, A2 with O2, B) of Siegert's formula, as printed on flue-gas analysers (1. BImSchV).
NATURAL_GAS = (0.37, 0.66, 0.009)
LIQUEFIED_GAS = (0.42, 0.63, 0.008)
LIGHT_OIL = (0.50, 0.68, 0.007)

# Why HeatingValue does not learn from a step.
LEARNING = 0
BAD_INPUT = 1
LITTLE_FUEL = 2
WAITING = 3
AT_BOUND = 4

_LEARNING = LEARNING
_BAD_INPUT = BAD_INPUT
_LITTLE_FUEL = LITTLE_FUEL
_WAITING = WAITING
_AT_BOUND = AT_BOUND


def siegert_o2_pct(gas_c, air_c, o2_dry_pct, a2, b):
    """Return the flue-gas loss in percent of the lower heating value, from O2 in dry gas.

        q = (t_gas - t_air) (A2 / (21 - O2) + B)

    With A2 and B of the fuel, such as NATURAL_GAS. Up to 300 degC it is 0.02..0.37 points below exact
    enthalpies on natural gas, and within 0.14 points on light oil. The 21 belongs to the formula and its
    constants. NaN from 21 % O2 upwards; a negative reading counts as it is.
    """
    if not o2_dry_pct < 21.0:
        return _NAN
    return (gas_c - air_c) * (a2 / (21.0 - o2_dry_pct) + b)


def siegert_co2_pct(gas_c, air_c, co2_dry_pct, a1, b):
    """Return the flue-gas loss in percent of the lower heating value, from CO2 in dry gas; NaN without CO2.

        q = (t_gas - t_air) (A1 / CO2 + B)
    """
    if not co2_dry_pct > 0.0:
        return _NAN
    return (gas_c - air_c) * (a1 / co2_dry_pct + b)


def heat_release_mw(air_nm3_s, lam, heat_per_air_mj):
    """Return the heat that the air has released, in MW: air / lambda x heat of one Nm3 of air.

    `air_nm3_s` all dry air that went in, leaks too; `lam` from the O2 behind it; `heat_per_air_mj` the lower
    heating value over the stoichiometric air of the fuel: 3.75 MJ/Nm3 for methane, 3.2 for waste of 6.7 MJ
    per kg. It hardly depends on what burns, but on moisture (2.8..3.5 for waste of 56..30 %). For waste whose
    moisture changes put (LHV + 2.442 W) / air0, which stays at 3.7..3.8: the heat before the moisture of the
    fuel is evaporated.
    Below lambda 1 the oxygen is the limit: as at 1. NaN for lambda NaN, and for negative air.
    """
    if not (air_nm3_s >= 0.0 and lam - lam == 0.0):
        return _NAN
    if lam < 1.0:
        lam = 1.0
    return air_nm3_s * heat_per_air_mj / lam


def heat_of_steam_mw(steam_kg_s, rise_kj_kg, loss_pct):
    """Return the heat in MW that the fuel has brought, from the steam that it made.

    `rise_kj_kg` enthalpy of the steam less that of the feedwater, `loss_pct` flue gas, ash and walls
    together in percent of that heat. NaN from 100 % upwards.
    """
    if not loss_pct < 100.0:
        return _NAN
    return 0.001 * steam_kg_s * rise_kj_kg / (1.0 - 0.01 * loss_pct)


class HeatingValue:
    """Soft sensor for the lower heating value of the fuel: heat released over fuel burnt, slowly.

    What burns now was fed a while ago: the feed goes through two equal lags that together last `residence_s`.
    Heat and fuel are then averaged over the same time `filter_s`, and the quotient of the averages is the
    heating value; it is not disturbed by a feed that comes in strokes, as an averaged quotient would be.
    It starts at the given value, which fades with exp(-t / filter_s) of the time that it learns.

    HeatingValue(lhv_mj, lhv_min, lhv_max, filter_s, residence_s, fuel_min_kg_s):
    `lhv_mj` to start with and its bounds in MJ/kg; `filter_s` > 0, a grate takes 1..4 h; `residence_s` >= 0,
    30..60 min there; `fuel_min_kg_s` > 0, below which there is nothing to judge by. ValueError otherwise.

    lhv_mj      the estimate, always within the bounds
    trust       0..1, the share of it that was measured; below about 0.6 it is mostly the starting value
    learning    whether the last step() was used
    why         0 learning; 1 an input was bad; 2 too little fuel is burning; 3 waiting for the fuel bed to be
                known, after the start or a gap; 4 learning, but at a bound: heat and feed do not fit
    Wherever it does not learn, the estimate and its trust are held.
    """

    def __init__(self, lhv_mj, lhv_min, lhv_max, filter_s, residence_s, fuel_min_kg_s):
        checksum = lhv_mj + lhv_min + lhv_max + filter_s + residence_s + fuel_min_kg_s
        if not (checksum - checksum == 0.0 and 0.0 < lhv_min <= lhv_mj <= lhv_max):
            raise ValueError("HeatingValue: expected finite numbers and 0 < lhv_min <= lhv_mj <= lhv_max")
        if not (filter_s > 0.0 and residence_s >= 0.0 and fuel_min_kg_s > 0.0):
            raise ValueError("HeatingValue: expected filter_s > 0, residence_s >= 0 and fuel_min_kg_s > 0")
        self.lhv_mj = lhv_mj
        self.lhv_min = lhv_min
        self.lhv_max = lhv_max
        self.filter_s = filter_s
        self.residence_s = residence_s
        self.fuel_min_kg_s = fuel_min_kg_s
        self.trust = 0.0
        self.learning = False
        self.why = _WAITING
        self._wait_s = residence_s
        self._feed = -1.0
        self._bed = 0.0
        self._burning = 0.0
        self._heat = 0.0
        self._fuel = 0.0

    def step(self, heat_mw, feed_kg_s, good, dt_s):
        """Learn from one interval and return the estimate in MJ/kg.

        `heat_mw` released, as of heat_of_steam_mw() or heat_release_mw(), `feed_kg_s` the fuel fed, `good`
        whether both may be believed, `dt_s` > 0 the length of the interval. A gap (bad, negative, not finite,
        1e9 and more) takes the feed as unchanged, and costs as long again after it, at most `residence_s`.
        """
        self.learning = False
        if not (dt_s > 0.0 and dt_s - dt_s == 0.0):
            self.why = _BAD_INPUT
            return self.lhv_mj
        # The upper bound is beyond every furnace; it keeps infinite numbers out, and sums from overflowing.
        if not (good and heat_mw >= 0.0 and feed_kg_s >= 0.0 and heat_mw + feed_kg_s < 1.0e9):
            self.why = _BAD_INPUT
            self._wait_s += dt_s
            if self._wait_s > self.residence_s:
                self._wait_s = self.residence_s
            if self._feed >= 0.0:
                self._feed_bed(dt_s)
            return self.lhv_mj
        if self._feed < 0.0:
            # Nothing is known of what lies in the bed: it counts as fed like now.
            self._bed = feed_kg_s
            self._burning = feed_kg_s
        self._feed = feed_kg_s
        self._feed_bed(dt_s)
        if self._wait_s > 0.0:
            self._wait_s -= dt_s
            self.why = _WAITING
            return self.lhv_mj
        if self._burning < self.fuel_min_kg_s:
            self.why = _LITTLE_FUEL
            return self.lhv_mj
        self._learn(heat_mw, dt_s)
        return self.lhv_mj

    def _feed_bed(self, dt_s):
        lag = dt_s + 0.5 * self.residence_s
        share = dt_s / lag
        self._bed += share * (self._feed - self._bed)
        self._burning += share * (self._bed - self._burning)
        if self._bed < _NEGLIGIBLE:
            self._bed = 0.0
        if self._burning < _NEGLIGIBLE:
            self._burning = 0.0

    def _learn(self, heat_mw, dt_s):
        if self._fuel == 0.0:
            # The starting value is worth as much fuel as burns at the first step.
            self._fuel = self._burning
            self._heat = self._burning * self.lhv_mj
        share = dt_s / (dt_s + self.filter_s)
        self._heat += share * (heat_mw - self._heat)
        self._fuel += share * (self._burning - self._fuel)
        self.trust += share * (1.0 - self.trust)
        self.learning = True
        self.why = _LEARNING
        # At a bound the average stays there, so that it comes back as soon as the inputs do.
        lhv = self._heat / self._fuel
        if lhv > self.lhv_max:
            lhv = self.lhv_max
            self._heat = lhv * self._fuel
            self.why = _AT_BOUND
        elif lhv < self.lhv_min:
            lhv = self.lhv_min
            self._heat = lhv * self._fuel
            self.why = _AT_BOUND
        self.lhv_mj = lhv
