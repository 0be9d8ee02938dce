cimport cython

cdef int _OK
cdef int _NON_FINITE
cdef int _BAD_DT

@cython.final
cdef class PID:
    cdef public double gain
    cdef public double ti_s
    cdef public double td_s
    cdef public double n
    cdef public double b
    cdef public double c
    cdef public double tt_s
    cdef public double direction
    cdef public double dead_band
    cdef public double out_min
    cdef public double out_max
    cdef public double rate_per_s
    cdef public double out
    cdef public double demand
    cdef public double proportional
    cdef public double integral
    cdef public double derivative
    cdef public double set_point
    cdef public double process_value
    cdef public int saturated
    cdef public int flag
    cdef bint _in_sequence
    cdef bint _forced

    @cython.locals(error=cython.double, weighting=cython.double, proportional=cython.double, derivative=cython.double,
                   integral=cython.double, again=cython.double, tracking_s=cython.double, share=cython.double,
                   outside=cython.double, excess=cython.double, demand=cython.double, out=cython.double)
    cpdef double step(self, double set_point, double process_value, double feed_forward, double dt_s) noexcept

    @cython.locals(weighting=cython.double, proportional=cython.double, derivative=cython.double,
                   integral=cython.double, dt_good=cython.bint)
    cpdef double follow(self, double set_point, double process_value, double feed_forward, double output,
                        double dt_s) noexcept

    cpdef void realised(self, double output) noexcept

    # These may raise, and are not called in every tick.
    @cython.locals(checksum=cython.double)
    cpdef tune(self, double gain, double ti_s, double td_s, double b, double c, double n)

    cpdef limit(self, double out_min, double out_max, double rate_per_s)

    cpdef tuple state(self)

    @cython.locals(checksum=cython.double, integral=cython.double, proportional=cython.double, derivative=cython.double,
                   out=cython.double, demand=cython.double, set_point=cython.double, process_value=cython.double,
                   forced=cython.double)
    cpdef restore(self, saved)

    @cython.locals(error=cython.double)
    cdef double _error(self, double set_point, double process_value) noexcept

    cdef double _weighting(self, double set_point) noexcept

    @cython.locals(integral=cython.double, outside=cython.double)
    cdef double _starting(self, double output, double proportional, double weighting, double derivative,
                          double feed_forward) noexcept

    @cython.locals(low=cython.double, high=cython.double)
    cdef double _outside(self, double load, double feed_forward) noexcept

    @cython.locals(rise=cython.double, lag=cython.double, kept=cython.double)
    cdef double _derivative(self, double set_point, double process_value, double dt_s) noexcept

    @cython.locals(out=cython.double, change=cython.double)
    cdef double _limited(self, double demand, double dt_s) noexcept

    cdef void _settle(self, double output) noexcept

    cdef void _remember(self, double set_point, double process_value, double proportional, double integral,
                        double derivative) noexcept

cdef double _flushed(double state) noexcept
