"""Grate line of a waste-to-energy plant: bed, furnace, boiler, draught and share of the generator, lumped.

One source, interpreted and compiled (grate.pxd), with the same bits. Six states are model D1 of the facts
(grate_parameters.py): water, drying and burning combustibles, wall temperature, heat to steam, O2. f is feed:

    dmw/dt = f W - mw/tw        dmd/dt = f Cf - md/tw
    dmc/dt = md/tw - r          r = mc/tc (0.2 + 0.8 PA/PA0)
    r Hc - mw/tw 2.442e6 + PA 1010 (Tpa - Ta) + hg Tw = m cp (Tg - 298) + hg Tg
    Cw dTw/dt = hg (Tg - Tw) - hw (Tw - 560)
    dQs/dt = (hw (Tw - 560) + 0.97 m 1190 (Tg - 473) - Qs)/90
    dO2/dt = (O2 of the gas - O2)/15

Around them, own choice: grab, hopper, ram; fans, draught, ingress; burners; air heater; thermowells; power.

Combustibles keep the make-up and heating value of the design waste; moisture dilutes the dry matter:
Cf = (1 - W) combustible_dry. Hopper and chute are plug flow, because a filled shaft moves as a column: a grab
reaches the grate as it was dropped, one shaft later. Mixing would average away the wet grab that the controls
must stand. The bed smooths grabs and strokes of the ram.

Beyond D1, inactive near the operating point: burning stops at the oxygen that is there, and the rest leaves
unburnt; drying takes no more than the heat above 100 C; the fire dies as the wall cools from 500 to 300 C; a
bed beyond 2.5 times the design burns no faster; a full grate stops the ram. Bounds for all inputs and wastes:
gas, wells, walls 0..2000 C; draught -5..+8 kPa; O2 0..20.95 %; masses, steam and power not negative.
"""

import math

LAYERS = 64  # that the hopper can hold; the crane waits when there are so many
LOW_51_BITS = 2251799813685247
LOW_47_BITS = 140737488355327


def within(x, low, high):
    """x limited to low..high; not-a-number is low."""
    if x >= high:
        return high
    if x > low:
        return x
    return low


def positive(x):
    """x, never negative; what is below 1e-9 is nothing, for denormal numbers are slow."""
    if x < 1e-9:
        return 0.0
    return x


def root(x):
    """Root of a pressure difference x, Pa, for a flow: sign kept, linear well below 20 Pa."""
    return x / math.sqrt(abs(x) + 20.0)


def root_slope(x):
    """Derivative of root()."""
    y = abs(x) + 20.0
    return (0.5 * abs(x) + 20.0) / (y * math.sqrt(y))


class GrateLine:
    """One grate line: set inputs, step(), read outputs. models.build() makes one.

    seed        integer; the same seed, parameters, inputs and steps give the same bits
    parameters  mapping with a value for each name of grate_parameters.PARAMETERS; they become attributes
    Inputs      the attributes in grate_parameters.INPUTS: fans, ram and grate in % of full speed, burner_pct
                of full heat, air_heater_pct of the steam valve; grab_on 0 or 1. What is outside 0..100 counts
                as the nearest end, not-a-number as 0. Speeds are those of the rotors: ramps belong to the
                drives. At first they are those of the nominal point.
    Outputs     the attributes that grate.pxd lists as such, with units
    """

    def __init__(self, seed, parameters):
        for name in parameters:
            setattr(self, name, parameters[name])
        self.seed = (seed * 6364136223846793005 + 1442695040888963407) & 18446744073709551615
        self.primary_air_pct = 60.0
        self.secondary_air_pct = 55.0
        self.id_fan_pct = 70.0
        self.feeder_pct = self.grate_pct = self.air_heater_pct = 50.0
        self.burner_pct = 0.0
        self.grab_on = 1.0
        self.start()

    def start(self):
        """Put all states at the steady state of the inputs and mean waste; hopper half full, totals zero."""
        self.begin()
        self.feed_kg_s = within(self.feeder_pct, 0.0, 100.0) * self.feed_per_pct
        self.moisture_fed = self.moisture_mean
        self.combustible_fed = (1.0 - self.moisture_mean) * self.combustible_dry_mean
        self.water_kg = self.feed_kg_s * self.moisture_fed * self.drying_s
        self.drying_kg = self.feed_kg_s * self.combustible_fed * self.drying_s
        self.burner_w = within(self.burner_pct, 0.0, 100.0) * self.burner_mw * 1e4
        self.wall_k = 1018.0
        for _ in range(300):
            self.flows(self.primary_air_pct, self.secondary_air_pct, self.id_fan_pct)
            self.primary_air_temp_c = self.heated_air()
            self.burning_kg = within(self.feed_kg_s * self.combustible_fed * self.burning_s / self.vigour(),
                                     0.0, self.bed_full_kg)
            self.gas_balance()
            self.wall_k = ((self.gas_wall_w_k * self.gas_k + self.wall_water_w_k * 560.0)
                           / (self.gas_wall_w_k + self.wall_water_w_k))
            self.draught_pa += 0.5 * self.gas_surplus() / self.flow_slope
        self.settle()

    def start_cold(self):
        """As start(), but out of use: no waste on the grate, walls as warm as the boiler's water (560 K)."""
        self.start()
        self.feed_kg_s = self.water_kg = self.drying_kg = self.burning_kg = 0.0
        self.wall_k = 560.0
        self.gas_balance()
        self.settle()

    def step(self, dt_s):
        """Advance by dt_s seconds, 0.25 meant; more than 0.5 is split; zero or less does nothing."""
        while dt_s > 0.0:
            h = within(dt_s, 0.0, 0.5)
            dt_s -= h
            self.feed(h)
            self.flows(self.primary_air_pct, self.secondary_air_pct, self.id_fan_pct)
            # First-order noise of 30 and 3 s; sqrt(2 T/h) keeps its deviation whatever the step.
            noise = math.sqrt(60.0 / h) * self.flicker * self.gauss()
            self.flicker_now += h / (30.0 + h) * (noise - self.flicker_now)
            noise = math.sqrt(6.0 / h) * self.puff_kg_s * self.gauss()
            self.puff_now += h / (3.0 + h) * (noise - self.puff_now)
            self.gas_balance()
            self.advance(h)
        self.outputs()

    def begin(self):
        """Derive design flows and conductances from the parameters; empty totals, fill the hopper."""
        # Design waste (facts, "CN design (EBARA 4x500)"): C 0.19388 H 0.02705 O 0.10689 N 0.00416 S 0.00091
        # Cl 0.00211 make its 0.335 combustible. Oxygen needed and gas made, mol per kg of that; air is dry.
        self.o2_mol_kg = (0.19388 / 0.012011 + 0.02705 / 0.004032 + 0.00091 / 0.03206 - 0.10689 / 0.031998
                          - 0.00211 / 0.1418) / 0.335
        self.gas_mol_kg = (0.19388 / 0.012011 + 0.02705 / 0.002016 + 0.00416 / 0.028014 + 0.00091 / 0.03206
                           + 0.00211 / 0.0709) / 0.335
        self.combustible_j_kg = (6.699e6 + 0.484 * 2.442e6) / 0.335
        feed = self.feed_nominal_t_d / 86.4
        self.feed_per_pct = feed / self.feeder_nominal_pct
        self.burning_design_kg = feed * 0.335 * self.burning_s
        air = self.lambda_design * self.o2_mol_kg * 0.335 * feed / 0.2095 * 0.0289647
        self.primary_design_kg_s = self.primary_share * air
        secondary = within(air - self.primary_design_kg_s - self.ingress_nominal_kg_s, 0.0, air)
        # Conductances, and heads in Pa per % squared, that meet the nominal point.
        p = self.draught_nominal_pa
        self.primary_head = self.primary_head_pa / self.primary_nominal_pct / self.primary_nominal_pct
        self.secondary_head = self.secondary_head_pa / self.secondary_nominal_pct / self.secondary_nominal_pct
        self.id_head = (self.gas_path_pa - p - self.stack_pa) / self.id_nominal_pct / self.id_nominal_pct
        self.primary_k = self.primary_design_kg_s / root(self.primary_head_pa - p)
        self.secondary_k = secondary / root(self.secondary_head_pa - p)
        self.ingress_k = self.ingress_nominal_kg_s / root(-p)
        self.path_k = (feed * (0.484 + 0.335) + air) / root(self.gas_path_pa)
        self.draught_pa = p
        self.flows(self.primary_nominal_pct, self.secondary_nominal_pct, self.id_nominal_pct)
        self.draught_kg_pa = self.draught_lag_s * self.flow_slope
        steam = self.air_heater_steam_c - self.ambient_c
        self.heater_k = steam / within(self.air_heater_rise_k, 1.0, 0.98 * steam) - 1.0
        self.rng = self.seed | 1
        for _ in range(16):
            self.gauss()
        self.flicker_now = self.puff_now = self.moisture_walk = self.combustible_walk = 0.0
        self.energy_j = self.burner_fuel_kg = self.waste_fed_kg = self.stroke_phase = 0.0
        self.hopper_kg = self.grabbed_kg = self.grabs = 0.0
        self.layer_kg = [0.0] * LAYERS
        self.layer_water = [0.0] * LAYERS
        self.layer_combustible = [0.0] * LAYERS
        self.layer_first = self.layer_count = 0
        while self.hopper_kg < 0.499 * self.hopper_full_kg and self.layer_count < LAYERS:
            self.grab(0.5 * self.hopper_full_kg - self.hopper_kg)
        self.grabbed_kg = self.grabs = 0.0

    def gauss(self):
        """Next number of mean 0, variance 1, within 3.5: four parts of a xorshift64 word (Marsaglia 2003)."""
        x = self.rng
        x = x ^ ((x & LOW_51_BITS) << 13)
        x = x ^ (x >> 7)
        x = x ^ ((x & LOW_47_BITS) << 17)
        self.rng = x
        s = (x & 65535) + ((x >> 16) & 65535) + ((x >> 32) & 65535) + (x >> 48)
        return (s - 131070.0) * 2.6428996e-05

    def grab(self, most_kg):
        """Drop a batch, of at most most_kg, on top of the hopper; its make-up follows the batch before."""
        kg = within(self.batch_kg * (1.0 + self.batch_kg_spread * self.gauss()), 0.0, most_kg)
        keep = self.batch_correlation
        fresh = math.sqrt(1.0 - keep * keep)
        self.moisture_walk = keep * self.moisture_walk + fresh * self.gauss()
        self.combustible_walk = keep * self.combustible_walk + fresh * self.gauss()
        water = within(self.moisture_mean + self.moisture_spread * self.moisture_walk, 0.10, 0.75)
        dry = self.combustible_dry_mean + self.combustible_dry_spread * self.combustible_walk
        i = self.layer_first + self.layer_count
        if i >= LAYERS:
            i -= LAYERS
        self.layer_count += 1
        self.layer_kg[i] = kg
        self.layer_water[i] = water
        self.layer_combustible[i] = (1.0 - water) * within(dry, 0.25, 0.95)
        self.hopper_kg += kg
        self.grabbed_kg += kg
        self.grabs += 1.0
        self.crane_s = 0.0

    def feed(self, h):
        """Grab, hopper and ram for h seconds: what falls on the grate."""
        bed = self.water_kg + self.drying_kg + self.burning_kg
        kg = h * within(self.feeder_pct, 0.0, 100.0) * self.feed_per_pct
        kg *= within(10.0 - 10.0 * bed / self.bed_full_kg, 0.0, 1.0)
        if self.batching <= 0.0:
            self.fed_water_kg = kg * self.moisture_mean
            self.fed_combustible_kg = kg * (1.0 - self.moisture_mean) * self.combustible_dry_mean
            self.grabbed_kg += kg
        else:
            self.crane_s += h
            room = self.hopper_full_kg - self.hopper_kg
            if (self.grab_on > 0.0 and self.crane_s >= self.crane_cycle_s and room > 0.0
                    and self.hopper_kg < self.grab_level_kg and self.layer_count < LAYERS):
                self.grab(room)
            kg = self.draw(self.stroke(kg))
        self.feed_kg_s = kg / h
        self.waste_fed_kg += kg
        if kg > 0.0:
            self.moisture_fed = self.fed_water_kg / kg
            self.combustible_fed = self.fed_combustible_kg / kg

    def stroke(self, kg):
        """What the ram pushes while its cycle advances by kg of mean feed: all in push_share of the cycle."""
        share = self.push_share
        old = self.stroke_phase
        new = old + kg / self.stroke_kg
        pushed = within(new, 0.0, share) - within(old, 0.0, share)
        if new >= 1.0:
            new -= 1.0
            pushed += within(new, 0.0, share)
        self.stroke_phase = new
        return pushed / share * self.stroke_kg

    def draw(self, wanted_kg):
        """Take up to wanted_kg from the bottom of the hopper; sets what of it is water and combustible."""
        self.fed_water_kg = self.fed_combustible_kg = 0.0
        left = wanted_kg
        while left > 0.0 and self.layer_count > 0:
            i = self.layer_first
            kg = self.layer_kg[i]
            water = self.layer_water[i]
            combustible = self.layer_combustible[i]
            if kg > left:
                self.layer_kg[i] = kg - left
                kg = left
            else:
                self.layer_first = i + 1
                if self.layer_first == LAYERS:
                    self.layer_first = 0
                self.layer_count -= 1
            self.fed_water_kg += kg * water
            self.fed_combustible_kg += kg * combustible
            left -= kg
        self.hopper_kg = positive(self.hopper_kg - (wanted_kg - left))
        return wanted_kg - left

    def flows(self, primary_pct, secondary_pct, id_pct):
        """Air, ingress, flue gas at the present draught, k root(head speed^2 - pressure); leaks go both ways.

        flow_slope is what gas_surplus() loses by a rise of draught, kg/(s Pa).
        """
        p = self.draught_pa
        x = within(primary_pct, 0.0, 100.0)
        x = within(self.primary_head * x * x - p, 0.0, 1e6)
        self.primary_air_kg_s = self.primary_k * root(x)
        y = within(secondary_pct, 0.0, 100.0)
        y = within(self.secondary_head * y * y - p, 0.0, 1e6)
        self.secondary_air_kg_s = self.secondary_k * root(y)
        z = within(id_pct, 0.0, 100.0)
        z = within(self.id_head * z * z + self.stack_pa + p, 0.0, 1e6)
        self.flue_gas_kg_s = self.path_k * root(z)
        self.ingress_kg_s = self.ingress_k * root(-p)
        self.flow_slope = (self.primary_k * root_slope(x) + self.secondary_k * root_slope(y)
                           + self.path_k * root_slope(z) + self.ingress_k * root_slope(p))

    def heated_air(self):
        """Steady outlet of the air heater, C: effectiveness v/(v + k flow) of valve v and relative flow."""
        valve = within(self.air_heater_pct, 0.0, 100.0) * 0.01
        if valve <= 0.0:
            return self.ambient_c
        effect = valve / (valve + self.heater_k * self.primary_air_kg_s / self.primary_design_kg_s)
        return self.ambient_c + effect * (self.air_heater_steam_c - self.ambient_c)

    def vigour(self):
        """Burning rate relative to design: D1's dependence on primary air, and stirring by the grate."""
        stir = 1.0 + self.grate_effect * (within(self.grate_pct, 0.0, 100.0) / self.grate_nominal_pct - 1.0)
        return (0.2 + 0.8 * self.primary_air_kg_s / self.primary_design_kg_s) * stir

    def gas_balance(self):
        """Burning, drying, oxygen and gas temperature of this moment from bed, wall, air and burners."""
        lit = within((self.wall_k - 573.15) / 200.0, 0.0, 1.0)
        bed = within(self.burning_kg, 0.0, 2.5 * self.burning_design_kg)
        self.burn_kg_s = bed / self.burning_s * self.vigour() * lit * (1.0 + self.flicker_now)
        # Burners: methane of 50.0 MJ/kg, CH4 + 2 O2, with air of their own.
        fuel_mol = self.burner_w / (50.0e6 * 0.016043)
        burner_air_mol = fuel_mol * 2.0 * self.burner_lambda / 0.2095
        burner_gas = fuel_mol * 0.016043 + burner_air_mol * 0.0289647
        cold = self.secondary_air_kg_s + within(self.ingress_kg_s, 0.0, 1e6)
        air_mol = (self.primary_air_kg_s + cold) / 0.0289647 + burner_air_mol
        demand = self.burn_kg_s * self.o2_mol_kg
        supply = 0.2095 * air_mol - 2.0 * fuel_mol
        self.lambda_ = within(0.2095 * air_mol / (demand + 2.0 * fuel_mol + 1e-9), 0.0, 99.0)
        self.burnt_share = 1.0
        if demand > supply:  # oxygen is short
            self.burnt_share = supply / demand
            demand = supply
        # Heat against gas at 0 K, as cp is constant; air enters at its own cp of 1,010.
        cp = self.gas_cp_j_kg_k
        gas = self.burn_kg_s + self.primary_air_kg_s + cold + burner_gas
        heat = (self.burn_kg_s * self.burnt_share * self.combustible_j_kg + self.burner_w
                + self.primary_air_kg_s * 1010.0 * (self.primary_air_temp_c - 25.0)
                + cold * 1010.0 * (self.ambient_c - 25.0)
                + gas * cp * 298.15 + self.gas_wall_w_k * self.wall_k)
        spare = heat - (gas * cp + self.gas_wall_w_k) * 373.15
        self.evaporation_kg_s = within(self.water_kg / self.drying_s, 0.0,
                                       within(spare / (2.442e6 + cp * 75.0), 0.0, 1e6))
        gas += self.evaporation_kg_s
        heat -= self.evaporation_kg_s * (2.442e6 - cp * 298.15)
        self.gas_k = heat / (gas * cp + self.gas_wall_w_k)
        self.gas_temp_c = self.gas_k - 273.15
        self.section_b_c = self.gas_temp_c - self.section_loss * (self.gas_k - self.wall_k)
        self.gas_kg_s = gas
        self.solid_gas_kg_s = self.burn_kg_s + self.evaporation_kg_s + burner_gas
        moles = (air_mol + fuel_mol - demand + self.burn_kg_s * self.gas_mol_kg
                 + self.evaporation_kg_s / 0.018015)
        self.o2_gas_pct = 20.95
        self.residence_s = 60.0
        if moles > 0.1:
            self.o2_gas_pct = within(100.0 * (supply - demand) / moles, 0.0, 20.95)
            self.residence_s = within(self.section_m3 * 101325.0 / (moles * 8.314463 * self.gas_k), 0.0, 60.0)

    def gas_surplus(self):
        """Gas made and air drawn less gas drawn off, kg/s: what raises the furnace pressure."""
        return (self.primary_air_kg_s + self.secondary_air_kg_s + self.ingress_kg_s + self.solid_gas_kg_s
                + self.puff_now - self.flue_gas_kg_s)

    def heat_to_steam(self):
        """Heat to steam in the steady state, W: walls, and 97 % of the gas cooled to 473 K."""
        return within(self.wall_water_w_k * (self.wall_k - 560.0)
                      + 0.97 * self.gas_kg_s * 1190.0 * within(self.gas_k - 473.0, 0.0, 1e6), 0.0, 1e12)

    def net_power(self):
        """Net electricity in the steady state, W, of the steam that the air heater leaves."""
        heater = self.primary_air_kg_s * 1010.0 * (self.primary_air_temp_c - self.ambient_c)
        return within(self.cycle * (self.heat_w - heater) * (1.0 - self.own_use), 0.0, 1e12)

    def advance(self, h):
        """Integrate all states by h seconds; lags are implicit, weight h/(T + h), and stable for every T."""
        dried = h / self.drying_s
        if self.water_kg > 0.0:
            dried = h * self.evaporation_kg_s / self.water_kg
        dried *= self.drying_kg
        self.water_kg = positive(self.water_kg + self.fed_water_kg - h * self.evaporation_kg_s)
        self.drying_kg = positive(self.drying_kg + self.fed_combustible_kg - dried)
        self.burning_kg = positive(self.burning_kg + dried - h * self.burn_kg_s)
        self.wall_k += h / self.wall_j_k * (self.gas_wall_w_k * (self.gas_k - self.wall_k)
                                            - self.wall_water_w_k * (self.wall_k - 560.0))
        self.draught_pa += h * self.gas_surplus() / (self.draught_kg_pa + h * self.flow_slope)
        self.burner_fuel_kg += h * self.burner_w / 50.0e6
        burner = within(self.burner_pct, 0.0, 100.0) * self.burner_mw * 1e4
        self.burner_w = positive(self.burner_w + h / (self.burner_lag_s + h) * (burner - self.burner_w))
        heated = self.heated_air()
        self.primary_air_temp_c += h / (self.air_heater_lag_s + h) * (heated - self.primary_air_temp_c)
        self.gas_temp_b_c += h / (self.residence_s + h) * (self.section_b_c - self.gas_temp_b_c)
        self.t_a1_c += h / (self.well_a1_s + h) * (self.gas_temp_c + self.well_a1_k - self.t_a1_c)
        self.t_a2_c += h / (self.well_a2_s + h) * (self.gas_temp_c + self.well_a2_k - self.t_a2_c)
        self.t_b1_c += h / (self.well_b1_s + h) * (self.gas_temp_b_c + self.well_b1_k - self.t_b1_c)
        self.t_b2_c += h / (self.well_b2_s + h) * (self.gas_temp_b_c + self.well_b2_k - self.t_b2_c)
        self.o2_wet_pct += h / (self.o2_lag_s + h) * (self.o2_gas_pct - self.o2_wet_pct)
        steam = self.heat_to_steam()
        self.heat_w = positive(self.heat_w + h / (self.steam_lag_s + h) * (steam - self.heat_w))
        power = self.net_power()
        self.power_w = positive(self.power_w + h / (self.power_lag_s + h) * (power - self.power_w))
        self.energy_j += h * self.power_w

    def settle(self):
        """Put what follows bed, wall and gas at its steady state."""
        self.gas_temp_b_c = self.section_b_c
        self.t_a1_c = self.gas_temp_c + self.well_a1_k
        self.t_a2_c = self.gas_temp_c + self.well_a2_k
        self.t_b1_c = self.gas_temp_b_c + self.well_b1_k
        self.t_b2_c = self.gas_temp_b_c + self.well_b2_k
        self.o2_wet_pct = self.o2_gas_pct
        self.heat_w = self.heat_to_steam()
        self.power_w = self.net_power()
        self.outputs()

    def outputs(self):
        """States in the units that the instruments show."""
        self.wall_temp_c = self.wall_k - 273.15
        self.heat_mw = self.heat_w * 1e-6
        self.steam_t_h = self.heat_w * 0.0036 / self.steam_kj_kg
        self.power_mw = self.power_w * 1e-6
        self.energy_mwh = self.energy_j / 3.6e9
        self.bed_kg = self.water_kg + self.drying_kg + self.burning_kg
        self.lhv_mj_kg = (self.combustible_fed * self.combustible_j_kg - self.moisture_fed * 2.442e6) * 1e-6
