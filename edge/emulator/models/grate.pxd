cimport cython
from libc cimport math
from edge.emulator.models.grate_air_heater cimport AirHeater
from edge.emulator.models.grate_bed cimport Bed
from edge.emulator.models.grate_boiler cimport Boiler
from edge.emulator.models.grate_burner cimport Burner
from edge.emulator.models.grate_draught cimport Draught
from edge.emulator.models.grate_hopper cimport Hopper
from edge.emulator.models.grate_maths cimport Noise, within
from edge.emulator.models.grate_probes cimport Probes

cdef double MOST_CO

@cython.final
cdef class GrateLine:
    # Inputs, % of full; grab_on and turbine_on 0 or 1.
    cdef public double primary_air_pct, secondary_air_pct, id_fan_pct, feeder_pct, grate_pct
    cdef public double burner_pct, flame_pct, air_heater_pct, grab_on, turbine_on

    # Outputs: what instruments measure.
    cdef public double t_a1_c, t_a2_c, t_a3_c      # thermowells after the last air injection, C
    cdef public double t_b1_c, t_b2_c, t_b3_c      # thermowells two seconds of gas travel further on, C
    cdef public double o2_wet_pct, co_mg_nm3       # analysers at the boiler outlet: % and mg/Nm3 of wet gas
    cdef public double steam_t_h, power_mw         # live steam, without the safety valve; net electricity
    cdef public double drum_mpa_g                  # pressure of the drum over ambient
    cdef public double draught_pa                  # furnace pressure against ambient
    cdef public double primary_air_temp_c          # after the air heater
    cdef public double primary_air_kg_s, secondary_air_kg_s
    cdef public double hopper_pct                  # level
    # Outputs: what they don't.
    cdef public double gas_temp_c, gas_temp_b_c, wall_temp_c, residence_s      # sections A and B; A to B
    cdef public double refractory_temp_c, refractory_k_h                       # and how fast it is heated
    cdef public double o2_gas_pct, co_gas_mg, lambda_  # of the gas without lag; air ratio, up to 99
    cdef public double burnt_share                 # of what leaves the bed; below 1 when oxygen is short
    cdef public double heat_mw, lhv_mj_kg          # makes steam; lower heating value of the waste fed last
    cdef public double ingress_kg_s                # negative for a leak
    cdef public double gas_kg_s, flue_gas_kg_s     # made in the furnace; drawn off by the ID fan
    cdef public double feed_kg_s, burn_kg_s, evaporation_kg_s, slag_kg_s, unburnt_kg_s
    cdef public double moisture_fed, combustible_fed                           # shares of the waste fed last
    cdef public double water_kg, drying_kg, burning_kg, bed_kg, hopper_kg
    cdef public double relief_t_h_now              # through the safety valve
    cdef public double casing_failed               # 1 from the moment on at which draught was over casing_pa
    # Outputs: heats of the last step. What comes in less what leaves is the change of stored_mj.
    cdef public double fed_mw, burner_heat_mw, air_heat_mw                     # in
    cdef public double steam_out_mw, loss_slag_mw, loss_gas_mw, loss_leak_mw   # out; gas: unburnt
    cdef public double loss_boiler_mw, loss_stack_mw, loss_casing_mw           # out
    cdef public double stored_mj                   # bed, walls, refractory, boiler, from a zero of its own
    # Outputs: totals since the start.
    cdef public double waste_fed_kg, grabbed_kg, grabs, burner_fuel_kg, energy_mwh

    # Parameters, see grate_parameters.py.
    cdef public double feed_nominal_t_d, lambda_design, primary_share
    cdef public double moisture_mean, combustible_dry_mean, moisture_spread, combustible_dry_spread
    cdef public double batch_correlation, batching, batch_kg, batch_kg_spread, grab_level_kg, crane_cycle_s
    cdef public double hopper_full_kg, feeder_nominal_pct, stroke_kg, push_share
    cdef public double drying_s, burning_s, carry_s, creep, to_burn_out_s, burn_out_s, slag_s, drying_by_air
    cdef public double bed_full_kg, grate_nominal_pct, grate_effect
    cdef public double gas_wall_w_k, wall_water_w_k, wall_j_k, gas_cp_j_kg_k
    cdef public double gas_refractory_w_k, refractory_j_k, casing_w_k
    cdef public double section_m3, section_loss, co_share
    cdef public double o2_lag_s, o2_dead_s, co_lag_s, co_dead_s
    cdef public double primary_nominal_pct, secondary_nominal_pct, id_nominal_pct
    cdef public double primary_head_pa, secondary_head_pa, draught_nominal_pa, gas_path_pa, stack_pa
    cdef public double draught_lag_s, ingress_nominal_kg_s, puff_kg_s, flicker, casing_pa
    cdef public double burner_mw, burner_lag_s, burner_lambda
    cdef public double ambient_c, air_heater_steam_c, air_heater_rise_k, air_heater_lag_s
    cdef public double well_a1_s, well_a2_s, well_a3_s, well_b1_s, well_b2_s, well_b3_s
    cdef public double well_a1_k, well_a2_k, well_a3_k, well_b1_k, well_b2_k, well_b3_k
    cdef public double steam_lag_s, steam_kj_kg, cycle, own_use, power_lag_s
    cdef public double drum_mpa, droop_mpa, drum_kg_mpa, turbine_t_h, bypass_mpa, bypass_t_h, bypass_lag_s
    cdef public double relief_mpa, relief_t_h

    # States and intermediate values of their own.
    cdef Noise noise
    cdef Hopper hopper
    cdef Bed bed
    cdef Draught air
    cdef Burner burner
    cdef AirHeater heater
    cdef Boiler boiler
    cdef Probes probes
    cdef double o2_mol_kg, gas_mol_kg, combustible_j_kg, ambient_k
    cdef double wall_k, gas_k, refractory_k, solid_gas_kg_s, flicker_now, puff_now
    cdef double air_heat_w, loss_gas_w, loss_leak_w, loss_boiler_w, loss_stack_w, loss_casing_w
    cdef double wall_w, to_steam_w

    @cython.locals(share=double)
    cpdef start(self)
    cpdef start_cold(self)
    @cython.locals(feed=double, passed=double, burns=double, air=double)
    cdef begin(self)
    @cython.locals(h=double, noise=double, lit=double, share=double)
    cpdef void step(self, double dt_s) noexcept
    cdef double air_share(self) noexcept
    @cython.locals(bed=Bed, burner=Burner, primary=double, leak=double, cold=double, air_mol=double, demand=double, supply=double, cp=double,
                   gas=double, heat=double, spare=double, moles=double, surfaces=double)
    cdef void gas_balance(self) noexcept
    @cython.locals(heat=double, o2_pct=double, cold=double, poor=double, share=double)
    cdef void burn_out(self, double o2_mol, double moles) noexcept
    @cython.locals(cp=double, flow=double, used=double)
    cdef void leave(self, double leak_kg_s) noexcept
    @cython.locals(hopper=Hopper, rise=double)
    cdef void advance(self, double h) noexcept
    cdef double heater_w(self) noexcept
    cdef double section_b_c(self) noexcept
    cdef settle(self)
    @cython.locals(bed=Bed, air=Draught, boiler=Boiler, hopper=Hopper, probes=Probes, hc=double,
                   combustible=double)
    cdef void outputs(self, double h) noexcept
