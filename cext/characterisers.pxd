cimport cython

cdef double _NAN
cdef int _BITS

@cython.final
cdef class Table:
    cdef readonly int count
    cdef readonly double low
    cdef readonly double high
    cdef double _x[32]
    cdef double _y[32]
    cdef int _slope

    cpdef bint has_inverse(self) noexcept

    @cython.locals(first=cython.int, last=cython.int, middle=cython.int)
    cpdef double value(self, double x) noexcept

    @cython.locals(first=cython.int, last=cython.int, middle=cython.int)
    cpdef double inverse(self, double y) noexcept

@cython.locals(y=cython.double)
cdef double _between(double x0, double x1, double y0, double y1, double x) noexcept

@cython.final
cdef class Damper:
    cdef double _rangeability
    cdef double _authority
    cdef Table _measured

    @cython.locals(x=cython.double)
    cpdef double flow_pct(self, double position_pct) noexcept

    @cython.locals(q=cython.double, f=cython.double)
    cpdef double position_pct(self, double flow_pct) noexcept

cdef double _fraction(double percent) noexcept

@cython.locals(result=cython.double, factor=cython.double, _bit=cython.int)
cdef double _power(double base, double x) noexcept

@cython.locals(result=cython.double, factor=cython.double, bit=cython.double, _bit=cython.int)
cdef double _logarithm(double base, double value) noexcept
