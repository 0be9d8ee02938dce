cimport cython

cdef int _TRIM_FREE
cdef int _TRIM_BAD_O2
cdef int _TRIM_HELD
cdef int _TRIM_BAD_DT
cdef int _FUEL_HELD_BY_AIR
cdef int _FUEL_KEPT_BY_AIR
cdef int _AIR_KEPT_BY_FUEL
cdef int _AIR_HELD_BY_FUEL
cdef int _AIR_BAD
cdef int _FUEL_BAD
cdef int _MASTER_BAD
cdef int _TRIM_BAD
cdef int _AIR_AT_MINIMUM
cdef double _BEYOND

@cython.final
cdef class O2Trim:
    cdef readonly double gain
    cdef readonly double ti_s
    cdef readonly double trim_min
    cdef readonly double trim_max
    cdef public double hold_s
    cdef readonly double trim
    cdef readonly double integral
    cdef readonly int saturated
    cdef readonly int why
    cdef bint _frozen
    cdef double _hold_left_s

    @cython.locals(error=cython.double, proportional=cython.double, integral=cython.double, rise=cython.double,
                   trim=cython.double, room=cython.double)
    cpdef double step(self, double set_point_pct, double o2_pct, bint o2_good, bint hold, double dt_s) noexcept

    cpdef set_trim(self, double trim)

    cdef double _freeze(self, int why) noexcept

@cython.final
cdef class CrossLimit:
    cdef readonly double air0
    cdef readonly double lambda_set
    cdef readonly double lambda_min
    cdef readonly double trim_min
    cdef readonly double trim_max
    cdef readonly bint is_double
    cdef readonly double k1
    cdef readonly double k2
    cdef readonly double k3
    cdef readonly double k4
    cdef readonly double air_min
    cdef public double tolerance
    cdef readonly double fuel_demand
    cdef readonly double air_demand
    cdef readonly double trim
    cdef readonly bint limiting
    cdef readonly int state

    cpdef configure(self, double air0, double lambda_set)

    @cython.locals(state=cython.int, air_known=cython.bint, fuel_known=cython.bint, per_fuel=cython.double,
                   margin=cython.double, equivalent=cython.double, demand=cython.double, lead=cython.double,
                   air_demand=cython.double)
    cpdef double step(self, double master, double fuel, bint fuel_good, double air, bint air_good,
                      double trim) noexcept
