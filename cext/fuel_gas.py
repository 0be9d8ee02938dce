"""Combustion air, flue gas and heating value of a fuel gas from its composition.

Mole balance of complete combustion with dry air of 20.95 % O2, as in air.py, per Nm3 of fuel gas taken as
ideal (22.414 m3/kmol at 0 degC and 1013.25 hPa; butane, the furthest from ideal, is 4 % denser):

    O2 = 2 CH4 + 3.5 C2H6 + 5 C3H8 + 6.5 C4H10 + 0.5 H2 + 0.5 CO + 1.5 H2S - O2 of the gas

Source of the heating values: ISO 6976:1995, table 3, inferior at 25 degC, in kJ/mol; n-butane stands for
C4H10 (iso-butane 0.35 % less). Stated uncertainty 0.1 %.
"""

_NAN = float("nan")
_O2_AIR = 0.2095
_MOLAR_VOLUME = 22.414

# Molar masses of the elements in kg/kmol (CIAAW, abridged), as in air.py.
_C = 12.011
_H = 1.008
_O = 15.999
_N = 14.007
_S = 32.06


class FuelGas:
    """A fuel gas; its composition in volume fractions of the gas as it burns.

    FuelGas(ch4=0.90, c2h6=0.06, c3h8=0.01, n2=0.02, co2=0.01) is a natural gas. ValueError if a fraction is
    negative or not finite, or if they sum to less than 0.995 or more than 1.005; within that they are scaled
    to 1, as chromatographs leave a rest.

    air0            stoichiometric air, dry, Nm3 per Nm3 of gas: 9.55 for methane, 0.6 for blast-furnace gas;
                    negative if the gas brings more oxygen than it needs
    dry_gas0        dry and
    wet_gas0        wet flue gas of combustion with that air, Nm3/Nm3
    d0, w0          dry_ratio() and wet_ratio() of air.py: what lambda_from_o2() needs; NaN without air0 > 0
    co2_max_pct     CO2 in dry_gas0 in percent by volume, 11.7 for methane; NaN without air0 > 0
    lhv_mj          lower heating value in MJ/Nm3: 35.8 for methane
    density         in kg/Nm3
    products        what the gas itself gives to the flue gas, Nm3/Nm3: (CO2, SO2, HCl, H2O, N2)
    """

    def __init__(
        self,
        ch4=0.0,
        c2h6=0.0,
        c3h8=0.0,
        c4h10=0.0,
        h2=0.0,
        co=0.0,
        h2s=0.0,
        co2=0.0,
        n2=0.0,
        o2=0.0,
        h2o=0.0,
    ):
        fractions = (ch4, c2h6, c3h8, c4h10, h2, co, h2s, co2, n2, o2, h2o)
        total = 0.0
        for fraction in fractions:
            if not fraction >= 0.0:
                raise ValueError("FuelGas: expected volume fractions of 0 or more")
            total += fraction
        if not 0.995 <= total <= 1.005:
            raise ValueError("FuelGas: expected volume fractions that sum to 1; percent are divided by 100")
        self._balance(
            ch4 / total,
            c2h6 / total,
            c3h8 / total,
            c4h10 / total,
            h2 / total,
            co / total,
            h2s / total,
            co2 / total,
            n2 / total,
            o2 / total,
            h2o / total,
        )

    def _balance(self, ch4, c2h6, c3h8, c4h10, h2, co, h2s, co2, n2, o2, h2o):
        # Atoms, as kmol per kmol of gas.
        c = ch4 + 2.0 * c2h6 + 3.0 * c3h8 + 4.0 * c4h10 + co + co2
        h = 4.0 * ch4 + 6.0 * c2h6 + 8.0 * c3h8 + 10.0 * c4h10 + 2.0 * (h2 + h2s + h2o)
        o = co + 2.0 * (co2 + o2) + h2o
        n = 2.0 * n2
        s = h2s
        self.products = (c, s, 0.0, 0.5 * h, 0.5 * n)
        self.density = (c * _C + h * _H + o * _O + n * _N + s * _S) / _MOLAR_VOLUME
        self.air0 = (c + 0.25 * h + s - 0.5 * o) / _O2_AIR
        self.dry_gas0 = c + s + 0.5 * n + (1.0 - _O2_AIR) * self.air0
        self.wet_gas0 = self.dry_gas0 + 0.5 * h
        self.d0 = _NAN
        self.w0 = _NAN
        self.co2_max_pct = _NAN
        if self.air0 > 0.0:
            self.d0 = self.dry_gas0 / self.air0
            self.w0 = self.wet_gas0 / self.air0
            self.co2_max_pct = 100.0 * c / self.dry_gas0
        hydrocarbons = 802.60 * ch4 + 1428.64 * c2h6 + 2043.11 * c3h8 + 2657.32 * c4h10
        self.lhv_mj = (hydrocarbons + 241.81 * h2 + 282.98 * co + 517.99 * h2s) / _MOLAR_VOLUME
