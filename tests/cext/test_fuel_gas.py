"""Fuel gas against Cantera's equilibrium and enthalpies, the facts' tables, and ISO 6976's own rules."""

import csv
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cext import air
from cext.fuel_gas import FuelGas
from tests.cext import combustion_oracle as oracle

DATA = Path(__file__).parent / "data"
LAMBDA_O2 = [row for row in csv.DictReader((DATA / "lambda_o2.csv").open()) if "oil" not in row["fuel"]]
NATURAL_GAS = {"ch4": 0.90, "c2h6": 0.06, "c3h8": 0.01, "n2": 0.02, "co2": 0.01}
COKE_OVEN_GAS = {"h2": 0.58, "ch4": 0.26, "co": 0.06, "co2": 0.02, "n2": 0.05, "h2s": 0.005, "h2o": 0.025}
BLAST_FURNACE_GAS = {"co": 0.23, "co2": 0.22, "h2": 0.03, "n2": 0.52}
LANDFILL_GAS = {"ch4": 0.5, "co2": 0.38, "n2": 0.08, "o2": 0.02, "h2s": 0.001, "h2o": 0.019}
LIQUEFIED_GAS = {"c3h8": 0.6, "c4h10": 0.4}
GASES = [{"ch4": 1.0}, NATURAL_GAS, COKE_OVEN_GAS, BLAST_FURNACE_GAS, LANDFILL_GAS, LIQUEFIED_GAS]


@st.composite
def fuel_gases(draw):
    """A composition that burns."""
    parts = {name: draw(st.one_of(st.just(0.0), st.floats(0.001, 1.0))) for name in oracle.FUELS}
    parts[draw(st.sampled_from(("ch4", "h2", "co", "c3h8")))] += 1.0
    parts["o2"] *= 0.05
    total = sum(parts.values())
    return {name: part / total for name, part in parts.items()}


def assert_as_cantera(composition):
    gas = FuelGas(**composition)
    assert gas.air0 > 0.0
    fuel = oracle.gas_kmol(composition)
    # With 20 % of excess air: what is left over of the oxygen tells the demand.
    burnt = oracle.burnt_kmol(oracle.sum_of(fuel, oracle.dry_air(1.2 * gas.air0)))
    # Cantera's equilibrium is solved to 1e-12; its atomic masses do not matter in moles.
    near = {"rel": 1e-8, "abs": 1e-9}
    assert burnt["O2"] == pytest.approx(0.2095 * 0.2 * gas.air0, **near)
    wet = sum(burnt.values())
    assert wet == pytest.approx(gas.wet_gas0 + 0.2 * gas.air0, **near)
    assert wet - burnt["H2O"] == pytest.approx(gas.dry_gas0 + 0.2 * gas.air0, **near)
    assert burnt["CO2"] == pytest.approx(0.01 * gas.co2_max_pct * gas.dry_gas0, **near)
    co2, so2, hcl, h2o, n2 = gas.products
    assert (burnt["CO2"], burnt["SO2"], burnt["H2O"]) == pytest.approx((co2, so2, h2o), **near)
    assert burnt["N2"] == pytest.approx(n2 + 0.7905 * 1.2 * gas.air0, **near)
    assert hcl == 0.0
    # Molar masses of the two differ in the fifth digit.
    pure = {oracle.FUELS[name]: fraction for name, fraction in composition.items()}
    assert gas.density == pytest.approx(oracle.molar_mass(pure) / 22.414, rel=2e-5)
    # Lower heating value: ISO 6976 states 0.1 %; its values of 1995 and NASA's are up to 0.04 % apart.
    oxygen = {"O2": 0.2095 * gas.air0}
    products = {"CO2": co2, "SO2": so2, "H2O": h2o, "N2": n2}
    heat = oracle.heat_of_combustion_mj(oracle.sum_of(pure, oxygen), products)
    assert gas.lhv_mj == pytest.approx(heat / 22.414, rel=5e-4)


@pytest.mark.parametrize("composition", GASES, ids=lambda composition: "+".join(composition))
def test_against_cantera(composition):
    assert_as_cantera(composition)


@given(fuel_gases())
def test_any_gas_against_cantera(composition):
    assert_as_cantera(composition)


@pytest.mark.parametrize("row", LAMBDA_O2, ids=lambda row: f"{row['fuel']} {row['O2']}")
def test_lambda_of_the_facts(row):
    gas = FuelGas(**({"ch4": 1.0} if row["fuel"].startswith("CH4") else NATURAL_GAS))
    o2 = float(row["O2"])
    assert air.lambda_from_o2(o2, gas.d0) == pytest.approx(float(row["lam_if_dry"]), abs=1e-12)
    assert air.lambda_from_o2(o2, gas.w0) == pytest.approx(float(row["lam_if_wet"]), abs=1e-12)


def test_stoichiometric_ratios_of_the_facts():
    # Four digits are given.
    for composition, d0, w0 in (({"ch4": 1.0}, 0.8952, 1.1047), ({"c3h8": 1.0}, 0.9162, 1.0838)):
        gas = FuelGas(**composition)
        assert (gas.d0, gas.w0) == pytest.approx((d0, w0), abs=1e-4)


def test_flame_temperature_of_methane():
    # 1.2 K lie between the facts and Cantera's gri30; 1.5 K are 0.0016 of lambda at 1.1..1.2.
    gas = FuelGas(ch4=1.0)
    for lam, expected in ((1.0, 1949.0), (1.1, 1869.0), (1.2, 1769.0)):
        found = oracle.equilibrium_flame_c({"CH4": 1.0}, oracle.dry_air(lam * gas.air0))
        assert found == pytest.approx(expected, abs=1.5)


def test_methane_of_the_textbooks():
    # 35.8..35.9 MJ/Nm3, CO2max 11.7..11.8 %, 0.7175 kg/Nm3 (the real gas is 0.24 % denser than the ideal).
    gas = FuelGas(ch4=1.0)
    assert gas.air0 * 0.2095 == pytest.approx(2.0, rel=1e-15)
    assert gas.lhv_mj == pytest.approx(35.85, abs=0.06)
    assert gas.co2_max_pct == pytest.approx(11.75, abs=0.06)
    assert gas.density == pytest.approx(0.7175, rel=3e-3)


def test_percent_and_nonsense_are_refused():
    for composition in (
        {"ch4": 90.0, "n2": 10.0},
        {"ch4": 0.99},
        {"ch4": 1.006},
        {"ch4": 1.1, "n2": -0.1},
        {"ch4": math.nan},
        {"ch4": math.inf},
        {},
    ):
        with pytest.raises(ValueError, match="FuelGas: expected"):
            FuelGas(**composition)


def test_a_rest_of_the_chromatograph_is_scaled():
    gas, scaled = FuelGas(ch4=0.996), FuelGas(ch4=1.0)
    assert (gas.air0, gas.lhv_mj, gas.density) == (scaled.air0, scaled.lhv_mj, scaled.density)
    everything = {name: 1.0 / 11.0 for name in oracle.FUELS}
    gas, scaled = FuelGas(**{name: 1.004 / 11.0 for name in oracle.FUELS}), FuelGas(**everything)
    assert gas.products == pytest.approx(scaled.products, rel=1e-14)
    for name in ("air0", "dry_gas0", "wet_gas0", "lhv_mj", "density"):
        assert getattr(gas, name) == pytest.approx(getattr(scaled, name), rel=1e-14)


def test_gas_that_does_not_burn():
    gas = FuelGas(n2=0.7, co2=0.3)
    assert gas.air0 == 0.0 and gas.lhv_mj == 0.0
    assert math.isnan(gas.d0) and math.isnan(gas.w0) and math.isnan(gas.co2_max_pct)
    assert FuelGas(o2=1.0).air0 == pytest.approx(-1.0 / 0.2095)
