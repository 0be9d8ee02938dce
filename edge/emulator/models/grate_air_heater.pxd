cimport cython
from edge.emulator.models.grate_maths cimport within

@cython.final
cdef class AirHeater:
    cdef public double temp_c
    cdef double ambient_c, steam_k, lag_s, resistance, nominal_rise_k

    cpdef begin(self, line)
    @cython.locals(valve=double)
    cdef double steady_c(self, double valve_pct, double share) noexcept
    cpdef settle(self, double valve_pct, double share)
    cpdef void advance(self, double valve_pct, double share, double h) noexcept
    cpdef double heat(self, double share) noexcept
