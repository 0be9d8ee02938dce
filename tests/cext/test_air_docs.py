"""docs/combustion-air.md says what the core calculates."""

from pathlib import Path

import pytest

from cext import air, humid_air
from cext.fuel_gas import FuelGas
from cext.ratio import CrossLimit
from tests.cext.test_ratio import DOUBLE, respond

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "combustion-air.md").read_text(encoding="utf-8")
OIL = (0.86880, 0.13120, 0.0, 0.0, 0.0, 0.0, 0.0)
DESIGN_WASTE = (0.19388, 0.02705, 0.10689, 0.00416, 0.00091, 0.00211, 0.484)


def row_of(start):
    """The cells of the table row that starts with this cell."""
    (line,) = [line for line in PAGE.splitlines() if line.startswith(f"| {start} |")]
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def ratios(fuel):
    if fuel.startswith("oil"):
        return air.dry_ratio(*OIL), air.wet_ratio(*OIL)
    if fuel.startswith("municipal"):
        return air.dry_ratio(*DESIGN_WASTE), air.wet_ratio(*DESIGN_WASTE)
    gas = FuelGas(ch4=1.0) if fuel == "methane" else FuelGas(c3h8=1.0)
    return gas.d0, gas.w0


@pytest.mark.parametrize("fuel", ["methane", "propane", "oil CH1.8", "municipal waste, 6.7 MJ/kg"])
def test_table_of_lambda(fuel):
    d0, w0 = ratios(fuel)
    calculated = (d0, w0, *[air.lambda_from_o2(6.0, k0) for k0 in (d0, w0, 1.0)])
    assert row_of(fuel) == [f"{value:.3f}" for value in calculated]


@pytest.mark.parametrize("name, bands", [("single", None), ("double", DOUBLE)])
def test_table_of_cross_limiting(name, bands):
    def limits():
        return CrossLimit(2.5, 1.2, 1.02, (0.9, 1.15), bands, 1.0)

    low, _, time_90 = respond(limits(), 50.0, 80.0)
    _, high, _ = respond(limits(), 80.0, 50.0)
    # The last digit may be that of another step of the simulation.
    found = [float(cell.removesuffix(" s")) for cell in row_of(name)[:3]]
    assert found == pytest.approx([low, time_90, high], abs=0.06)
    assert (found[0], found[2]) == pytest.approx((low, high), abs=6e-4)


def test_refused_trims():
    for trim_min, bands in ((0.87, None), (0.92, (0.05, 0.1, 0.05, 0.1))):
        CrossLimit(10.0, 1.15, 1.0, (trim_min, 1.15), bands, 1.0)
        with pytest.raises(ValueError):
            CrossLimit(10.0, 1.15, 1.0, (trim_min - 0.01, 1.15), bands, 1.0)


def test_pressure_of_bishkek():
    assert f"{humid_air.pressure_at_altitude_pa(800.0):,.0f} Pa" in PAGE
