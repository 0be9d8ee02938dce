cimport cython
from libc cimport math

cdef int LAYERS
cdef unsigned long long LOW_51_BITS, LOW_47_BITS

cdef double within(double x, double low, double high) noexcept
cdef double positive(double x) noexcept
cdef double root(double x) noexcept
@cython.locals(y=double)
cdef double root_slope(double x) noexcept

@cython.final
cdef class GrateLine:
    # Inputs, % of full; grab_on 0 or 1.
    cdef public double primary_air_pct, secondary_air_pct, id_fan_pct, feeder_pct, grate_pct
    cdef public double burner_pct, air_heater_pct, grab_on

    # Outputs: what instruments measure.
    cdef public double t_a1_c, t_a2_c              # thermowells after the last air injection, C
    cdef public double t_b1_c, t_b2_c              # thermowells two seconds of gas travel further on, C
    cdef public double o2_wet_pct                  # analyser at the boiler outlet, % of wet gas
    cdef public double steam_t_h, power_mw         # live steam; net electricity
    cdef public double draught_pa                  # furnace pressure against ambient
    cdef public double primary_air_temp_c          # after the air heater
    # Outputs: what they don't.
    cdef public double gas_temp_c, gas_temp_b_c, wall_temp_c, residence_s      # sections A and B; A to B
    cdef public double o2_gas_pct, lambda_         # oxygen of the gas without lag; air ratio, up to 99
    cdef public double burnt_share                 # of what leaves the bed; below 1 when oxygen is short
    cdef public double heat_mw, lhv_mj_kg          # to steam; lower heating value of the waste fed last
    cdef public double primary_air_kg_s, secondary_air_kg_s, ingress_kg_s      # ingress is negative for a leak
    cdef public double gas_kg_s, flue_gas_kg_s     # made in the furnace; drawn off by the ID fan
    cdef public double feed_kg_s, burn_kg_s, evaporation_kg_s
    cdef public double moisture_fed, combustible_fed                           # shares of the waste fed last
    cdef public double water_kg, drying_kg, burning_kg, bed_kg, hopper_kg
    # Outputs: totals since the start.
    cdef public double waste_fed_kg, grabbed_kg, grabs, burner_fuel_kg, energy_mwh

    # Parameters, see grate_parameters.py.
    cdef public double feed_nominal_t_d, lambda_design, primary_share
    cdef public double moisture_mean, combustible_dry_mean, moisture_spread, combustible_dry_spread
    cdef public double batch_correlation, batching, batch_kg, batch_kg_spread, grab_level_kg, crane_cycle_s
    cdef public double hopper_full_kg, feeder_nominal_pct, stroke_kg, push_share
    cdef public double drying_s, burning_s, bed_full_kg, grate_nominal_pct, grate_effect
    cdef public double gas_wall_w_k, wall_water_w_k, wall_j_k, steam_lag_s, o2_lag_s, gas_cp_j_kg_k
    cdef public double section_m3, section_loss
    cdef public double primary_nominal_pct, secondary_nominal_pct, id_nominal_pct
    cdef public double primary_head_pa, secondary_head_pa, draught_nominal_pa, gas_path_pa, stack_pa
    cdef public double draught_lag_s, ingress_nominal_kg_s, puff_kg_s, flicker
    cdef public double burner_mw, burner_lag_s, burner_lambda
    cdef public double ambient_c, air_heater_steam_c, air_heater_rise_k, air_heater_lag_s
    cdef public double well_a1_s, well_a2_s, well_b1_s, well_b2_s
    cdef public double well_a1_k, well_a2_k, well_b1_k, well_b2_k
    cdef public double steam_kj_kg, cycle, own_use, power_lag_s

    # States and intermediate values of their own.
    cdef unsigned long long seed, rng
    cdef double o2_mol_kg, gas_mol_kg, combustible_j_kg, feed_per_pct, burning_design_kg, primary_design_kg_s
    cdef double primary_head, secondary_head, id_head, primary_k, secondary_k, ingress_k, path_k
    cdef double flow_slope, draught_kg_pa, heater_k
    cdef double wall_k, gas_k, heat_w, power_w, burner_w, energy_j, solid_gas_kg_s, section_b_c
    cdef double flicker_now, puff_now, moisture_walk, combustible_walk
    cdef double stroke_phase, crane_s, fed_water_kg, fed_combustible_kg
    cdef list layer_kg, layer_water, layer_combustible
    cdef int layer_first, layer_count

    cpdef start(self)
    cpdef start_cold(self)
    @cython.locals(h=double, noise=double)
    cpdef void step(self, double dt_s) noexcept
    @cython.locals(feed=double, air=double, secondary=double, p=double, x=double, steam=double)
    cdef begin(self)
    @cython.locals(x=cython.ulonglong, s=double)
    cdef double gauss(self) noexcept
    @cython.locals(kg=double, keep=double, fresh=double, water=double, dry=double, i=int)
    cdef void grab(self, double most_kg) noexcept
    @cython.locals(bed=double, kg=double, room=double)
    cdef void feed(self, double h) noexcept
    @cython.locals(share=double, old=double, new=double, pushed=double)
    cdef double stroke(self, double kg) noexcept
    @cython.locals(left=double, kg=double, water=double, combustible=double, i=int)
    cdef double draw(self, double wanted_kg) noexcept
    @cython.locals(p=double, x=double, y=double, z=double)
    cdef void flows(self, double primary_pct, double secondary_pct, double id_pct) noexcept
    @cython.locals(valve=double, effect=double)
    cdef double heated_air(self) noexcept
    @cython.locals(stir=double)
    cdef double vigour(self) noexcept
    @cython.locals(lit=double, bed=double, fuel_mol=double, burner_air_mol=double, burner_gas=double, cold=double,
                   air_mol=double, demand=double, supply=double, cp=double, gas=double, heat=double, spare=double,
                   moles=double)
    cdef void gas_balance(self) noexcept
    cdef double gas_surplus(self) noexcept
    cdef double heat_to_steam(self) noexcept
    @cython.locals(heater=double)
    cdef double net_power(self) noexcept
    @cython.locals(dried=double, burner=double, heated=double, steam=double, power=double)
    cdef void advance(self, double h) noexcept
    cdef settle(self)
    cdef void outputs(self) noexcept
