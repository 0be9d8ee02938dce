cimport cython

cdef int _RUNNING
cdef int _DONE
cdef int _PV_OUT_OF_BOUNDS
cdef int _HALF_CYCLE_TOO_LONG
cdef int _TOO_FEW_CYCLES
cdef int _UNEVEN
cdef int _BAD_INPUT
cdef int _STOPPED
cdef double _NAN

@cython.final
cdef class Relay:
    cdef public double set_point
    cdef public double hysteresis
    cdef public double out_low
    cdef public double out_rest
    cdef public double out_high
    cdef public double pv_min
    cdef public double pv_max
    cdef public double limit_s
    cdef public double direction
    cdef public int cycles
    cdef public double tolerance
    cdef public double half_limit_s
    cdef public int state
    cdef public double out
    cdef public double elapsed_s
    cdef public int counted
    cdef public int agreed
    cdef public double period_s
    cdef public double high_s
    cdef public double low_s
    cdef public double pv_above
    cdef public double pv_below
    cdef public double pv_mean
    cdef bint _started
    cdef bint _measuring
    cdef bint _up
    cdef double _half_s
    cdef double _up_s
    cdef double _down_s
    cdef double _pv
    cdef double _area
    cdef double _highest
    cdef double _lowest
    cdef double _last_period_s
    cdef double _last_swing

    @cython.locals(checksum=cython.double, y=cython.double)
    cpdef double step(self, double process_value, double dt_s) noexcept

    cpdef double stop(self) noexcept

    cpdef double amplitude(self) noexcept

    cpdef double asymmetry(self) noexcept

    @cython.locals(a=cython.double, d=cython.double)
    cpdef double ultimate_gain(self) noexcept

    cdef void _drive(self) noexcept

    cdef void _switch(self) noexcept

    cdef double _end(self, int state) noexcept

    cdef void _forget_cycle(self) noexcept

    @cython.locals(period_s=cython.double, swing=cython.double, agrees=cython.bint, share=cython.double)
    cdef void _cycle_over(self) noexcept
