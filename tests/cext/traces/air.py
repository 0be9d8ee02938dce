"""Golden trace of combustion: fuels, air and flue gas, humid air, heat, heating value, split of the air."""

from cext import air, flue_gas, heat, humid_air
from cext.air_split import AirSplit, secondary_air
from cext.fuel_gas import FuelGas
from tests.cext.traces import NAN, Random

NAMES = (
    "air0",
    "dry_gas0",
    "wet_gas0",
    "d0",
    "w0",
    "co2_max_pct",
    "fuel_products",
    "fuel_lhv_mj",
    "lambda",
    "o2_again_pct",
    "air_demand",
    "gas_air0",
    "gas_w0",
    "gas_lhv_mj",
    "gas_density",
    "flue_gas_wet",
    "flue_gas_mass",
    "flue_gas_o2_wet_pct",
    "flue_gas_co2_dry_pct",
    "flue_gas_h2o_pct",
    "loss_mj",
    "saturation_pa",
    "humidity",
    "pressure_pa",
    "density",
    "flow_of_volume",
    "flow_of_mass",
    "flow_of_dp",
    "siegert_o2_pct",
    "siegert_co2_pct",
    "heat_release_mw",
    "heat_of_steam_mw",
    "lhv_estimate_mj",
    "lhv_trust",
    "lhv_why",
    "zones",
    "zone_0",
    "unplaced",
    "secondary_air",
)


def fuel(random):
    """An ultimate analysis between wet waste and dry coal, one in 50 with more oxygen than it needs."""
    w = random.between(0.0, 0.6)
    dry = 1.0 - w
    c = dry * random.between(0.3, 0.7)
    o = dry * random.between(0.0, 0.2)
    if random.sometimes(0.02):
        c, o = 0.0, 0.3
    return (
        c,
        dry * random.between(0.03, 0.06),
        o,
        dry * random.between(0.0, 0.015),
        dry * random.between(0.0, 0.015),
        dry * random.between(0.0, 0.01),
        w,
    )


def gas(random):
    """A fuel gas between natural gas and blast-furnace gas."""
    most = (3.0, 0.3, 0.1, 0.05, 1.0, 1.0, 0.02, 0.5, 1.0, 0.02, 0.1)
    parts = [random.below_one() * share for share in most]
    total = 0.0
    for part in parts:
        total += part
    return FuelGas(*[part / total for part in parts])


def lambda_inputs(random, w0):
    """The arguments of one lambda_from_o2(): also negative O2, and O2 of plain air."""
    return (
        random.between(-0.5, 21.5),
        w0,
        random.between(0.0, 0.03) if random.sometimes(0.5) else 0.0,
    )


def steps(count):
    """Yield the results of each step."""
    random = Random(20260103)
    sensor = heat.HeatingValue(6.5, 6.0, 7.0, 600.0, 120.0, 2.0)
    split = AirSplit((30.0, 40.0, 20.0, 10.0), (1.0, 1.0, 0.5, 0.0), (8.0, 12.0, 6.0, 4.0))
    for number in range(count):
        dt = random.between(0.5, 5.0)
        analysis = fuel(random)
        air0 = air.stoichiometric_air(*analysis)
        d0 = air.dry_ratio(*analysis)
        w0 = air.wet_ratio(*analysis)
        lam = air.lambda_from_o2(*lambda_inputs(random, w0))
        o2_dry = random.between(0.0, 21.0)
        fuel_gas = gas(random)
        products = fuel_gas.products
        gas_air0 = fuel_gas.air0
        if number % 2 and air0 > 0.0:
            products = air.products(*analysis)
            gas_air0 = air0
        temperature = random.between(-40.0, 45.0) if random.sometimes(0.9) else random.between(-100.0, 100.0)
        pressure = humid_air.pressure_at_altitude_pa(random.between(-100.0, 3000.0))
        humidity = humid_air.humidity(random.between(0.0, 110.0), temperature, pressure)
        density = humid_air.density(temperature, pressure, humidity)
        burnt = flue_gas.FlueGas(gas_air0, products)
        burnt.burn(random.between(0.95, 3.0), humidity)
        gas_c = random.between(80.0, 1600.0)

        feed = random.between(0.0, 12.0) if number % 400 < 330 else 0.0
        steam_mw = heat.heat_of_steam_mw(random.between(5.0, 20.0), 2700.0, random.between(8.0, 20.0))
        sensor.step(steam_mw if number % 130 else NAN, feed, number % 170 > 3, dt)
        if number % 600 == 0:
            split.share([random.below_one() for _ in range(4)])
        total = random.between(-2.0, 40.0) if number % 90 else NAN
        zones = split.step(total)
        yield (
            air0,
            air.stoichiometric_dry_gas(*analysis),
            air.stoichiometric_wet_gas(*analysis),
            d0,
            w0,
            air.co2_max_pct(*analysis),
            air.products(*analysis)[number % 5],
            air.lower_heating_value(*analysis),
            lam,
            air.o2_from_lambda(lam, w0, humidity),
            air.air_demand(random.between(0.0, 10.0), air0, o2_dry, d0),
            fuel_gas.air0,
            fuel_gas.w0,
            fuel_gas.lhv_mj,
            fuel_gas.density,
            burnt.wet,
            burnt.mass,
            burnt.o2_wet_pct,
            burnt.co2_dry_pct,
            burnt.h2o_pct,
            burnt.loss_mj(gas_c, temperature),
            humid_air.saturation_pressure_pa(temperature),
            humidity,
            pressure,
            density,
            humid_air.flow_of_volume(random.between(0.0, 30.0), temperature, pressure, humidity),
            humid_air.flow_of_mass(random.between(0.0, 30.0), humidity),
            humid_air.mass_of_differential_pressure(random.between(0.0, 30.0), density, 1.2),
            heat.siegert_o2_pct(gas_c, temperature, o2_dry, 0.66, 0.009),
            heat.siegert_co2_pct(gas_c, temperature, burnt.co2_dry_pct, 0.37, 0.009),
            heat.heat_release_mw(random.between(0.0, 40.0), lam, 3.2),
            steam_mw,
            sensor.lhv_mj,
            sensor.trust,
            float(sensor.why),
            zones,
            split.flows[0],
            split.unplaced,
            secondary_air(total, random.between(0.0, 20.0), 2.0, 15.0),
        )
