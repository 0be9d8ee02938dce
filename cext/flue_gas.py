"""Flue gas of complete combustion at any lambda with humid air: amounts, composition, sensible heat.

Per unit of fuel (kg, or Nm3 of fuel gas), with lambda >= 1, stoichiometric dry air A0, steam v of the air in
Nm3 per Nm3 of dry air, and what the fuel itself gives (products() of air.py, products of FuelGas):

    air = lambda A0       O2 = 0.2095 (lambda - 1) A0       N2 = N2 of the fuel + 0.7905 lambda A0
    H2O = H2O of the fuel + v lambda A0                     CO2, SO2, HCl of the fuel

The nitrogen of the air is what is not oxygen, argon with it: 28.160 kg/kmol. So the mass of fuel and air is
the mass of flue gas and ash, to rounding.

Sensible heat from cp = a + b T + c T^2 + d T^3 of ideal gases, kJ/(kmol K) with T in K.
Source: B. G. Kyle, Chemical and Process Thermodynamics (1984), as in Y. A. Cengel and M. A. Boles,
Thermodynamics, table A-2(c): 273..1800 K with errors of cp of at most 0.59 % (N2), 1.19 % (O2), 0.67 % (CO2)
and 0.53 % (H2O). SO2 counts as CO2 and HCl as N2.
"""

_NAN = float("nan")
_KELVIN = 273.15
_O2_AIR = 0.2095
_MOLAR_VOLUME = 22.414
_STEAM_VOLUME = 28.964 / 18.015

# Molar masses in kg/kmol.
_CO2 = 44.009
_SO2 = 64.058
_HCL = 36.458
_H2O = 18.015
_N2 = 28.014
_O2 = 31.998
_N2_OF_AIR = (28.964 - 0.2095 * 31.998) / 0.7905


def heat_mj(co2, h2o, n2, o2, low_c, high_c):
    """Return the heat in MJ that takes a gas from `low_c` to `high_c`, in degC; negative if it cools.

    Amounts in Nm3. Preheated dry air is heat_mj(0.0, 0.0, 0.7905 * air, 0.2095 * air, 25.0, 220.0).
    NaN outside -50..1526.85 degC; below 0 degC cp is extrapolated, which air stands (1 %). Steam stays steam.
    """
    if not (-50.0 <= low_c <= 1526.85 and -50.0 <= high_c <= 1526.85):
        return _NAN
    a = 22.26 * co2 + 32.24 * h2o + 28.90 * n2 + 25.48 * o2
    b = 5.981e-2 * co2 + 0.1923e-2 * h2o - 0.1571e-2 * n2 + 1.520e-2 * o2
    c = -3.501e-5 * co2 + 1.055e-5 * h2o + 0.8081e-5 * n2 - 0.7155e-5 * o2
    d = 7.469e-9 * co2 - 3.595e-9 * h2o - 2.873e-9 * n2 + 1.312e-9 * o2
    t = low_c + _KELVIN
    low = t * (a + t * (b / 2.0 + t * (c / 3.0 + t * d / 4.0)))
    t = high_c + _KELVIN
    high = t * (a + t * (b / 2.0 + t * (c / 3.0 + t * d / 4.0)))
    return 0.001 / _MOLAR_VOLUME * (high - low)


class FlueGas:
    """The flue gas of one unit of fuel.

    `air0` stoichiometric air in Nm3 per unit, `products` (CO2, SO2, HCl, H2O, N2) in Nm3 per unit:
        FlueGas(air.stoichiometric_air(*analysis), air.products(*analysis))
        FlueGas(gas.air0, gas.products)
    ValueError unless `air0` > 0 and there are five products.

    burn() sets, all in Nm3 per unit of fuel:
    air             dry combustion air
    air_steam       moisture of the air
    co2, so2, hcl, h2o, n2, o2      in the flue gas
    dry, wet        dry and wet flue gas
    and
    o2_dry_pct, o2_wet_pct, co2_dry_pct, h2o_pct    in percent by volume
    mass            of the wet gas in kg per unit of fuel; over `wet` it is the density in kg/Nm3
    """

    def __init__(self, air0, products):
        co2, so2, hcl, h2o, n2 = products
        if not air0 > 0.0:
            raise ValueError("FlueGas: expected stoichiometric air of more than 0")
        self.air0 = air0
        self.co2 = co2
        self.so2 = so2
        self.hcl = hcl
        self._h2o_of_fuel = h2o
        self._n2_of_fuel = n2
        self.burn(1.0, 0.0)

    def burn(self, lam, humidity):
        """Burn the fuel at excess-air ratio `lam` in air of `humidity` in kg/kg.

        Everything becomes NaN for `lam` below 1, where combustion is not complete, and for a negative
        `humidity`. Before the first call it is lambda 1 and dry air.
        """
        air = self.air0 * lam
        air_steam = _STEAM_VOLUME * humidity * air
        if not (lam >= 1.0 and humidity >= 0.0):
            air = _NAN
            air_steam = _NAN
        self.air = air
        self.air_steam = air_steam
        n2_of_air = (1.0 - _O2_AIR) * air
        self.h2o = self._h2o_of_fuel + air_steam
        self.n2 = self._n2_of_fuel + n2_of_air
        self.o2 = _O2_AIR * (air - self.air0)
        self.dry = self.co2 + self.so2 + self.hcl + self.n2 + self.o2
        self.wet = self.dry + self.h2o
        mass = self.co2 * _CO2 + self.so2 * _SO2 + self.hcl * _HCL + self.h2o * _H2O + self.o2 * _O2
        self.mass = (mass + self._n2_of_fuel * _N2 + n2_of_air * _N2_OF_AIR) / _MOLAR_VOLUME
        self.o2_dry_pct = _NAN
        self.o2_wet_pct = _NAN
        self.co2_dry_pct = _NAN
        self.h2o_pct = _NAN
        if self.dry > 0.0:
            self.o2_dry_pct = 100.0 * self.o2 / self.dry
            self.o2_wet_pct = 100.0 * self.o2 / self.wet
            self.co2_dry_pct = 100.0 * self.co2 / self.dry
            self.h2o_pct = 100.0 * self.h2o / self.wet

    def loss_mj(self, gas_c, air_c):
        """Return the flue-gas loss in MJ per unit of fuel: sensible heat of wet gas from `air_c` to `gas_c`.

        Over the lower heating value it is the loss that heat.siegert_o2_pct() estimates, here for any fuel
        and from its enthalpies, within 0.5 % of Cantera's. NaN outside the range of heat_mj().
        """
        return heat_mj(self.co2 + self.so2, self.h2o, self.n2 + self.hcl, self.o2, air_c, gas_c)
