cimport cython

cdef double _NEGLIGIBLE
cdef int _OK
cdef int _NON_FINITE
cdef int _BAD_DT

@cython.final
cdef class Lag:
    cdef public double tau_s
    cdef public double out
    cdef public int flag
    cdef bint _started

    cpdef void start(self, double value) noexcept

    @cython.locals(out=cython.double)
    cpdef double step(self, double value, double dt_s) noexcept

@cython.final
cdef class LeadLag:
    cdef public double lead_s
    cdef public double lag_s
    cdef public double out
    cdef public int flag
    cdef double _input
    cdef bint _started

    cpdef void start(self, double value) noexcept

    @cython.locals(out=cython.double, scale=cython.double)
    cpdef double step(self, double value, double dt_s) noexcept

@cython.final
cdef class RateLimiter:
    cdef public double rise_per_s
    cdef public double fall_per_s
    cdef public double out
    cdef public int limiting
    cdef public int flag
    cdef bint _started

    cpdef void start(self, double value) noexcept

    @cython.locals(out=cython.double, highest=cython.double, lowest=cython.double, limiting=cython.int)
    cpdef double step(self, double value, double dt_s) noexcept

@cython.final
cdef class MovingMedian:
    cdef readonly double out
    cdef readonly int flag
    cdef readonly int count
    cdef int _length
    cdef int _at
    cdef double _window[31]
    cdef double _ordered[31]

    cpdef void start(self) noexcept

    @cython.locals(i=cython.int, half=cython.int, oldest=cython.double, out=cython.double)
    cpdef double step(self, double value) noexcept
