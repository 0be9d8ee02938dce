cimport cython

cdef int _OK
cdef int _NON_FINITE
cdef int _BAD_DT

@cython.final
cdef class TimeProportioning:
    cdef readonly int out
    cdef readonly double owed_s
    cdef readonly int flag
    cdef double _period_s
    cdef double _min_on_s
    cdef double _min_off_s
    cdef double _cycle_s
    cdef double _state_s
    cdef double _share

    @cython.locals(share=cython.double, begins=cython.bint, wanted=cython.int, rounding_s=cython.double,
                   shortest_s=cython.double)
    cpdef int step(self, double demand_pct, double dt_s) noexcept

    cdef void _account(self, double dt_s) noexcept

    @cython.locals(left=cython.double, on_time=cython.double)
    cdef int _wanted(self, double share, bint begins, double half_tick_s) noexcept
