"""Grate line of a waste-to-energy plant: bed, furnace, boiler, draught and share of the generator, lumped.

One source, interpreted and compiled, with the same bits. The parts: grate_hopper, grate_bed, grate_draught,
grate_air_heater, grate_burner, grate_boiler, grate_probes; here are gas, walls and refractory. Core are the six
states of model D1 of the facts (grate_parameters.py), with what grate_bed says of the bed:

    r Hc - e 2.442e6 + PA 1010 (Tpa - Ta) + hg Tw + hr Tr = m cp (Tg - 298) + (hg + hr) Tg
    Cw dTw/dt = hg (Tg - Tw) - hw (Tw - 560)        Cr dTr/dt = hr (Tg - Tr) - hc (Tr - Ta)
    dQs/dt = (hw (Tw - 560) + 0.97 m cp (Tg - 473) - Qs)/T
    dO2/dt = (O2 of the gas, a dead time ago - O2)/15

Every heat that comes in or leaves is an output; stored_mj changes by what they leave over, in each step.
CO (assumed): the share of the heat of burning that leaves as CO is x0 (1 + exp((4 - O2)/0.6) + exp((800 - T)/40)),
at most 10 %, and all that oxygen is short for. Its oxygen is not counted apart.

Beyond D1, inactive near the operating point: burning stops at the oxygen that is there; drying takes no more
than the heat above 100 C; the fire dies as the wall cools from 500 to 300 C; a wall below 560 K gets nothing
back from the boiler. Above casing_pa the casing fails. Bounds for all inputs and wastes: gas, wells, walls
0..2000 C; draught -5..+8 kPa; O2 0..20.95 %; masses, steam and power not negative.
"""

import math

from edge.emulator.models.grate_air_heater import AirHeater
from edge.emulator.models.grate_bed import Bed
from edge.emulator.models.grate_boiler import Boiler
from edge.emulator.models.grate_burner import Burner
from edge.emulator.models.grate_draught import Draught
from edge.emulator.models.grate_hopper import Hopper
from edge.emulator.models.grate_maths import Noise, within
from edge.emulator.models.grate_probes import Probes

MOST_CO = 0.1


class GrateLine:
    """One grate line: set inputs, step(), read outputs. models.build() makes one.

    seed        integer; the same seed, parameters, inputs and steps give the same bits
    parameters  mapping with a value for each name of grate_parameters.PARAMETERS; they become attributes
    Inputs      the attributes in grate_parameters.INPUTS: fans, ram and grate in % of full speed, burner_pct
                of full heat, flame_pct from 50 on while the burner control has a flame, air_heater_pct of the
                steam valve; grab_on and turbine_on 0 or 1. What is outside 0..100 counts as the nearest end,
                not-a-number as 0. Speeds are those of the rotors: ramps belong to the drives. At first they
                are those of the nominal point.
    Outputs     the attributes that grate.pxd lists as such, with units
    """

    def __init__(self, seed, parameters):
        for name in parameters:
            setattr(self, name, parameters[name])
        self.noise = Noise(seed)
        self.hopper = Hopper(self.noise)
        self.bed = Bed()
        self.air = Draught()
        self.burner = Burner()
        self.heater = AirHeater()
        self.boiler = Boiler()
        self.probes = Probes()
        self.primary_air_pct = 60.0
        self.secondary_air_pct = 55.0
        self.id_fan_pct = 70.0
        self.feeder_pct = self.grate_pct = self.air_heater_pct = 50.0
        self.burner_pct = 0.0
        self.flame_pct = 100.0
        self.grab_on = self.turbine_on = 1.0
        self.start()

    def start(self):
        """Put all states at the steady state of the inputs and mean waste; hopper half full, totals zero."""
        self.begin()
        self.feed_kg_s = within(self.feeder_pct, 0.0, 100.0) * self.feed_nominal_t_d / 86.4 / self.feeder_nominal_pct
        self.moisture_fed = self.moisture_mean
        self.combustible_fed = (1.0 - self.moisture_mean) * self.combustible_dry_mean
        self.burner.settle(self.burner_pct, self.flame_pct)
        self.wall_k = self.gas_k = self.refractory_k = 1018.0
        for _ in range(300):
            self.air.flows(self.primary_air_pct, self.secondary_air_pct, self.id_fan_pct)
            share = self.air_share()
            self.heater.settle(self.air_heater_pct, share)
            self.bed.settle(self.feed_kg_s, self.moisture_fed, self.combustible_fed, self.grate_pct, share,
                            self.heater.heat(share))
            self.gas_balance()
            self.wall_k = ((self.gas_wall_w_k * self.gas_k + self.wall_water_w_k * 560.0)
                           / (self.gas_wall_w_k + self.wall_water_w_k))
            self.refractory_k = ((self.gas_refractory_w_k * self.gas_k + self.casing_w_k * self.ambient_k)
                                 / (self.gas_refractory_w_k + self.casing_w_k))
            self.air.settle(self.solid_gas_kg_s)
        self.settle()

    def start_cold(self):
        """As start(), but out of use: nothing on the grate, walls as warm as the boiler's water, 560 K, and
        refractory as the air around.
        """
        self.start()
        self.feed_kg_s = 0.0
        self.bed.empty()
        self.wall_k = self.gas_k = 560.0
        self.refractory_k = self.ambient_k
        self.gas_balance()
        self.settle()

    def begin(self):
        """Derive design flows from the parameters; empty totals, fill the hopper."""
        # Design waste (facts, "CN design (EBARA 4x500)"): C 0.19388 H 0.02705 O 0.10689 N 0.00416 S 0.00091
        # Cl 0.00211 make its 0.335 combustible. Oxygen needed and gas made, mol per kg of that; air is dry.
        self.o2_mol_kg = (0.19388 / 0.012011 + 0.02705 / 0.004032 + 0.00091 / 0.03206 - 0.10689 / 0.031998
                          - 0.00211 / 0.1418) / 0.335
        self.gas_mol_kg = (0.19388 / 0.012011 + 0.02705 / 0.002016 + 0.00416 / 0.028014 + 0.00091 / 0.03206
                           + 0.00211 / 0.0709) / 0.335
        self.combustible_j_kg = (6.699e6 + 0.484 * 2.442e6) / 0.335
        self.ambient_k = self.ambient_c + 273.15
        feed = self.feed_nominal_t_d / 86.4
        # Air for what burns of the combustibles at nominal speed; the rest leaves with the slag.
        passed = self.burning_s / (self.burning_s + self.to_burn_out_s)
        burns = 0.335 * feed * (1.0 - passed * self.burn_out_s / (self.burn_out_s + self.slag_s))
        air = self.lambda_design * self.o2_mol_kg * burns / 0.2095 * 0.0289647
        self.air.begin(self, feed * 0.484 + burns + air, air)
        self.noise.start()
        self.flicker_now = self.puff_now = 0.0
        self.waste_fed_kg = self.casing_failed = 0.0
        self.hopper.begin(self)
        self.bed.begin(self)
        self.burner.begin(self)
        self.heater.begin(self)
        self.boiler.begin(self)
        self.probes.retune(self)

    def step(self, dt_s):
        """Advance by dt_s seconds, 0.25 meant; more than 0.5 is split; zero or less does nothing."""
        if dt_s > 0.0:
            self.hopper.retune(self)
            self.probes.retune(self)
        while dt_s > 0.0:
            h = within(dt_s, 0.0, 0.5)
            dt_s -= h
            self.hopper.feed(self.feeder_pct, self.grab_on, self.bed.room(), h)
            self.air.flows(self.primary_air_pct, self.secondary_air_pct, self.id_fan_pct)
            # First-order noise of 30 and 3 s; sqrt(2 T/h) keeps its deviation whatever the step.
            noise = math.sqrt(60.0 / h) * self.flicker * self.noise.gauss()
            self.flicker_now += h / (30.0 + h) * (noise - self.flicker_now)
            noise = math.sqrt(6.0 / h) * self.puff_kg_s * self.noise.gauss()
            self.puff_now += h / (3.0 + h) * (noise - self.puff_now)
            lit = within((self.wall_k - 573.15) / 200.0, 0.0, 1.0)
            share = self.air_share()
            self.bed.rates(self.grate_pct, share, self.heater.heat(share), lit, 1.0 + self.flicker_now)
            self.gas_balance()
            self.advance(h)
            self.outputs(h)

    def air_share(self):
        """Primary air over that of the design."""
        return self.air.primary_air_kg_s / self.air.primary_design_kg_s

    def gas_balance(self):
        """Burning, drying, oxygen and gas temperature of this moment from bed, walls, air and burners."""
        bed, burner = self.bed, self.burner
        primary = self.air.primary_air_kg_s
        leak = within(-self.air.ingress_kg_s, 0.0, 1e6)
        burner.rates()
        cold = self.air.secondary_air_kg_s + within(self.air.ingress_kg_s, 0.0, 1e6)
        air_mol = (primary + cold) / 0.0289647 + burner.air_mol
        demand = bed.burn_kg_s * self.o2_mol_kg
        supply = 0.2095 * air_mol - 2.0 * burner.fuel_mol
        self.lambda_ = within(0.2095 * air_mol / (demand + 2.0 * burner.fuel_mol + 1e-9), 0.0, 99.0)
        self.burnt_share = 1.0
        if demand > supply:  # oxygen is short
            self.burnt_share = supply / demand
            demand = supply
        # Heat against gas at 0 K, as cp is constant; air enters at its own cp of 1,010.
        cp = self.gas_cp_j_kg_k
        gas = bed.burn_kg_s + primary + cold + burner.gas_kg_s
        moles = air_mol + burner.fuel_mol - demand + bed.burn_kg_s * self.gas_mol_kg
        self.burn_out(supply - demand, moles + bed.evaporation_kg_s / 0.018015)
        self.air_heat_w = (primary * 1010.0 * (self.heater.temp_c - 25.0)
                           + cold * 1010.0 * (self.ambient_c - 25.0))
        surfaces = self.gas_wall_w_k + self.gas_refractory_w_k
        heat = (bed.burn_kg_s * self.combustible_j_kg - self.loss_gas_w + burner.heat_w + self.air_heat_w
                + gas * cp * 298.15 + self.gas_wall_w_k * self.wall_k + self.gas_refractory_w_k * self.refractory_k)
        spare = heat - (gas * cp + surfaces) * 373.15
        bed.limit_evaporation(within(spare / (2.442e6 + cp * 75.0), 0.0, 1e6))
        gas += bed.evaporation_kg_s
        moles += bed.evaporation_kg_s / 0.018015
        heat -= bed.evaporation_kg_s * (2.442e6 - cp * 298.15)
        self.gas_k = heat / (gas * cp + surfaces)
        self.gas_kg_s = gas
        self.solid_gas_kg_s = bed.burn_kg_s + bed.evaporation_kg_s + burner.gas_kg_s
        self.o2_gas_pct = 20.95
        self.residence_s = 60.0
        if moles > 0.1:
            self.o2_gas_pct = within(100.0 * (supply - demand) / moles, 0.0, 20.95)
            self.residence_s = within(self.section_m3 * 101325.0 / (moles * 8.314463 * self.gas_k), 0.0, 60.0)
        self.leave(within(leak, 0.0, gas))

    def burn_out(self, o2_mol, moles):
        """CO of this moment: loss_gas_w, and co_gas_mg, in mg/Nm3 of the wet gas."""
        heat = self.bed.burn_kg_s * self.combustible_j_kg
        o2_pct = 100.0 * o2_mol / within(moles, 0.1, 1e9)
        cold = within((1073.15 - self.gas_k) / 40.0, -50.0, 20.0)
        poor = within((4.0 - o2_pct) / 0.6, -50.0, 20.0)
        share = within(self.co_share * (1.0 + math.exp(poor) + math.exp(cold)), 0.0, MOST_CO)
        self.loss_gas_w = heat * (1.0 - self.burnt_share * (1.0 - share))
        self.co_gas_mg = self.loss_gas_w / 10.1 / (within(moles, 0.1, 1e9) * 0.022414)

    def leave(self, leak_kg_s):
        """Where the heat of the gas goes behind the furnace: leaks, boiler and its losses, stack."""
        cp = self.gas_cp_j_kg_k
        flow = (self.gas_kg_s - leak_kg_s) * cp
        used = within(self.gas_k - 473.0, 0.0, 1e6)
        self.loss_leak_w = leak_kg_s * cp * (self.gas_k - 298.15)
        self.wall_w = self.wall_water_w_k * within(self.wall_k - 560.0, 0.0, 1e6)
        self.loss_boiler_w = 0.03 * flow * used
        self.loss_stack_w = flow * (self.gas_k - used - 298.15)
        self.to_steam_w = self.wall_w + 0.97 * flow * used
        self.loss_casing_w = self.casing_w_k * (self.refractory_k - self.ambient_k)

    def advance(self, h):
        """Integrate all states by h seconds; lags are implicit, weight h/(T + h), and stable for every T."""
        hopper = self.hopper
        self.feed_kg_s = hopper.fed_kg / h
        self.waste_fed_kg += hopper.fed_kg
        if hopper.fed_kg > 0.0:
            self.moisture_fed = hopper.fed_water_kg / hopper.fed_kg
            self.combustible_fed = hopper.fed_combustible_kg / hopper.fed_kg
        self.bed.advance(hopper.fed_kg, hopper.fed_water_kg, hopper.fed_combustible_kg, h)
        self.wall_k += h / self.wall_j_k * (self.gas_wall_w_k * (self.gas_k - self.wall_k) - self.wall_w)
        rise = (self.gas_refractory_w_k * (self.gas_k - self.refractory_k) - self.loss_casing_w) / self.refractory_j_k
        self.refractory_k += h * rise
        self.refractory_k_h += h / (60.0 + h) * (3600.0 * rise - self.refractory_k_h)
        self.air.advance(self.solid_gas_kg_s + self.puff_now, h)
        if self.air.draught_pa > self.casing_pa:
            self.casing_failed = 1.0
        self.burner.advance(self.burner_pct, self.flame_pct, h)
        self.boiler.advance(self.to_steam_w, self.heater_w(), self.turbine_on, h)
        self.heater.advance(self.air_heater_pct, self.air_share(), h)
        self.gas_temp_b_c += h / (self.residence_s + h) * (self.section_b_c() - self.gas_temp_b_c)
        self.probes.advance(self.gas_k - 273.15, self.gas_temp_b_c, self.o2_gas_pct, self.co_gas_mg, h)

    def heater_w(self):
        """What the air heater takes, W."""
        return self.air.primary_air_kg_s * 1010.0 * (self.heater.temp_c - self.ambient_c)

    def section_b_c(self):
        """Where the gas of section B goes, C."""
        return self.gas_k - 273.15 - self.section_loss * (self.gas_k - self.wall_k)

    def settle(self):
        """Put what follows bed, wall and gas at its steady state."""
        self.gas_temp_b_c = self.section_b_c()
        self.probes.settle(self.gas_k - 273.15, self.gas_temp_b_c, self.o2_gas_pct, self.co_gas_mg)
        self.refractory_k_h = 0.0
        self.boiler.settle(self.to_steam_w, self.heater_w(), self.turbine_on)
        self.boiler.out_w = self.boiler.heat_w
        self.outputs(0.0)

    def outputs(self, h):
        """States in the units that the instruments show, and the heats of this step."""
        bed, air, boiler, hopper, probes = self.bed, self.air, self.boiler, self.hopper, self.probes
        self.t_a1_c, self.t_a2_c, self.t_a3_c = probes.t_a1_c, probes.t_a2_c, probes.t_a3_c
        self.t_b1_c, self.t_b2_c, self.t_b3_c = probes.t_b1_c, probes.t_b2_c, probes.t_b3_c
        self.o2_wet_pct, self.co_mg_nm3 = probes.o2_pct, probes.co_mg_nm3
        self.gas_temp_c = self.gas_k - 273.15
        self.wall_temp_c = self.wall_k - 273.15
        self.refractory_temp_c = self.refractory_k - 273.15
        self.draught_pa = air.draught_pa
        self.primary_air_kg_s = air.primary_air_kg_s
        self.secondary_air_kg_s = air.secondary_air_kg_s
        self.ingress_kg_s = air.ingress_kg_s
        self.flue_gas_kg_s = air.flue_gas_kg_s
        self.water_kg, self.drying_kg, self.burning_kg = bed.water_kg, bed.drying_kg, bed.burning_kg
        self.evaporation_kg_s, self.burn_kg_s = bed.evaporation_kg_s, bed.burn_kg_s
        self.slag_kg_s, self.unburnt_kg_s = bed.slag_kg_s, bed.unburnt_kg_s
        self.bed_kg = bed.mass_kg()
        self.hopper_kg, self.grabbed_kg, self.grabs = hopper.hopper_kg, hopper.grabbed_kg, hopper.grabs
        self.hopper_pct = 100.0 * hopper.hopper_kg / self.hopper_full_kg
        self.heat_mw = boiler.heat_w * 1e-6
        self.drum_mpa_g = boiler.pressure_mpa
        self.steam_t_h = (boiler.turbine_kg_s + boiler.bypass_kg_s) * 3.6
        self.relief_t_h_now = boiler.relief_kg_s * 3.6
        self.power_mw = boiler.power_w * 1e-6
        self.energy_mwh = boiler.energy_j / 3.6e9
        hc = self.combustible_j_kg
        self.lhv_mj_kg = (self.combustible_fed * hc - self.moisture_fed * 2.442e6) * 1e-6
        self.fed_mw = 0.0
        if h > 0.0:
            self.fed_mw = (hopper.fed_combustible_kg * hc - hopper.fed_water_kg * 2.442e6) / h * 1e-6
        self.burner_heat_mw = self.burner.given_w * 1e-6
        self.burner_fuel_kg = self.burner.fuel_kg
        self.primary_air_temp_c = self.heater.temp_c
        self.air_heat_mw = self.air_heat_w * 1e-6
        self.steam_out_mw = boiler.out_w * 1e-6
        self.loss_slag_mw = bed.unburnt_kg_s * hc * 1e-6
        self.loss_gas_mw = self.loss_gas_w * 1e-6
        self.loss_leak_mw = self.loss_leak_w * 1e-6
        self.loss_boiler_mw = self.loss_boiler_w * 1e-6
        self.loss_stack_mw = self.loss_stack_w * 1e-6
        self.loss_casing_mw = self.loss_casing_w * 1e-6
        combustible = bed.drying_kg + bed.dry_kg + bed.burning_kg + bed.burn_out_kg
        self.stored_mj = (combustible * hc - bed.water_kg * 2.442e6 + self.wall_j_k * self.wall_k
                          + self.refractory_j_k * self.refractory_k + boiler.stored_j()) * 1e-6
