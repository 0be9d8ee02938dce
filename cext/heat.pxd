cimport cython

cdef double _NAN
cdef double _NEGLIGIBLE
cdef int _LEARNING
cdef int _BAD_INPUT
cdef int _LITTLE_FUEL
cdef int _WAITING
cdef int _AT_BOUND

cpdef double siegert_o2_pct(double gas_c, double air_c, double o2_dry_pct, double a2, double b) noexcept

cpdef double siegert_co2_pct(double gas_c, double air_c, double co2_dry_pct, double a1, double b) noexcept

cpdef double heat_release_mw(double air_nm3_s, double lam, double heat_per_air_mj) noexcept

cpdef double heat_of_steam_mw(double steam_kg_s, double rise_kj_kg, double loss_pct) noexcept

@cython.final
cdef class HeatingValue:
    cdef readonly double lhv_mj
    cdef readonly double lhv_min
    cdef readonly double lhv_max
    cdef readonly double filter_s
    cdef readonly double residence_s
    cdef readonly double fuel_min_kg_s
    cdef readonly double trust
    cdef readonly bint learning
    cdef readonly int why
    cdef double _wait_s
    cdef double _feed
    cdef double _bed
    cdef double _burning
    cdef double _heat
    cdef double _fuel

    cpdef double step(self, double heat_mw, double feed_kg_s, bint good, double dt_s) noexcept

    @cython.locals(lag=cython.double, share=cython.double)
    cdef void _feed_bed(self, double dt_s) noexcept

    @cython.locals(share=cython.double, lhv=cython.double)
    cdef void _learn(self, double heat_mw, double dt_s) noexcept
