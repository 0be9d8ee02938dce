"""Combustion as Cantera sees it: chemical equilibrium and NASA's enthalpies, none of it from cext.

Air is 20.95 % O2 and 79.05 % N2. At 400 K the equilibrium of these species is complete combustion; SO3,
H2SO4, Cl2 and NO are left out, because furnaces make next to none of them.
"""

import cantera

T_REFERENCE = 298.15
PRESSURE = 101325.0

SPECIES = {species.name: species for species in cantera.Species.list_from_file("nasa_gas.yaml")}
PRODUCTS = ("CO2", "H2O", "SO2", "HCL", "N2", "O2")
BURNT = cantera.Solution(
    thermo="ideal-gas",
    species=[SPECIES[name] for name in (*PRODUCTS, "CO", "H2", "CH4", "H2S", "C", "H", "O", "N", "S", "CL")],
)

# Names of FuelGas: names of Cantera.
FUELS = {
    "ch4": "CH4",
    "c2h6": "C2H6",
    "c3h8": "C3H8",
    "c4h10": "C4H10,n-butane",
    "h2": "H2",
    "co": "CO",
    "h2s": "H2S",
    "co2": "CO2",
    "n2": "N2",
    "o2": "O2",
    "h2o": "H2O",
}
ATOMIC_MASS = {"C": 12.011, "H": 1.008, "O": 15.999, "N": 14.007, "S": 32.06, "CL": 35.45}


def dry_air(kmol):
    return {"O2": 0.2095 * kmol, "N2": 0.7905 * kmol}


def sum_of(*amounts):
    total = {}
    for amount in amounts:
        for name, kmol in amount.items():
            total[name] = total.get(name, 0.0) + kmol
    return total


def analysis_kmol(analysis):
    """The atoms in kmol per kg of fuel from mass fractions (c, h, o, n, s, cl, w), moisture as H2O."""
    fractions = dict(zip(("C", "H", "O", "N", "S", "CL"), analysis[:6], strict=True))
    atoms = {name: fraction / ATOMIC_MASS[name] for name, fraction in fractions.items()}
    return sum_of(atoms, {"H2O": analysis[6] / 18.015})


def gas_kmol(composition):
    """The same for a fuel gas, as atoms: the species of the fuel are not among those of the burnt gas."""
    atoms = {}
    for name, fraction in composition.items():
        for element, count in SPECIES[FUELS[name]].composition.items():
            element = element.upper()
            atoms[element] = atoms.get(element, 0.0) + count * fraction
    return atoms


def burnt_kmol(mixture):
    """The products in kmol of a mixture in kmol, at chemical equilibrium at 400 K."""
    # Cantera has fractions: the mass, which stays, leads back to kmol.
    BURNT.TPX = 400.0, PRESSURE, mixture
    kilograms = sum(mixture.values()) * BURNT.mean_molecular_weight
    BURNT.equilibrate("TP", rtol=1e-12)
    kmol = kilograms / BURNT.mean_molecular_weight
    return {name: kmol * BURNT[name].X[0] for name in BURNT.species_names}


def molar_mass(fractions):
    """Molar mass in kg/kmol of a gas in mole fractions."""
    return sum(fraction * SPECIES[name].molecular_weight for name, fraction in fractions.items())


def enthalpy_mj(amounts, temp_k):
    """Enthalpy of formation and temperature of gases in kmol."""
    return sum(kmol * SPECIES[name].thermo.h(temp_k) for name, kmol in amounts.items()) * 1e-6


def heat_of_combustion_mj(fuel, burnt):
    """Lower heating value of gases in kmol that take oxygen to burn to `burnt`, all at 25 degC."""
    return enthalpy_mj(fuel, T_REFERENCE) - enthalpy_mj(burnt, T_REFERENCE)


def equilibrium_flame_c(fuel, air):
    """Adiabatic flame temperature with dissociation, fuel and air at 25 degC, in degC."""
    gas = cantera.Solution("gri30.yaml")
    gas.TPX = T_REFERENCE, PRESSURE, sum_of(fuel, air)
    gas.equilibrate("HP")
    return gas.T - 273.15
