cimport cython
from edge.emulator.models.grate_maths cimport positive, within

cdef double RELIEF_BLOWS_DOWN_MPA, BYPASS_OVER_MPA

@cython.final
cdef class Boiler:
    cdef public double heat_w, out_w, pressure_mpa, turbine_kg_s, bypass_kg_s, relief_kg_s, power_w, energy_j
    cdef public double steam_lag_s, steam_kj_kg, cycle, own_use, power_lag_s, drum_mpa, droop_mpa, drum_kg_mpa
    cdef public double turbine_t_h, bypass_mpa, bypass_t_h, bypass_lag_s, relief_mpa, relief_t_h
    cdef double relieving

    cpdef begin(self, line)
    @cython.locals(made=double, share=double)
    cpdef settle(self, double heat_w, double heater_w, double turbine_on)
    @cython.locals(over=double, valve=double)
    cdef void flows(self, double turbine_on) noexcept
    @cython.locals(heat=double)
    cdef double net_power(self, double heater_w) noexcept
    cpdef double stored_j(self) noexcept
    @cython.locals(wanted=double, taken=double, made=double, power=double)
    cpdef void advance(self, double heat_w, double heater_w, double turbine_on, double h) noexcept
