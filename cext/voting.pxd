cimport cython

cdef double _NAN

@cython.final
cdef class TwoOutOfThree:
    cdef readonly int valid
    cdef readonly double deviation
    cdef readonly bint deviates
    cdef readonly int outlier
    cdef bint _prefer_high
    cdef double _deviation_limit

    @cython.locals(result=cython.double)
    cpdef double vote(self, double a, bint a_valid, double b, bint b_valid, double c, bint c_valid) noexcept

    cdef double _of_two(self, double a, double b) noexcept

    @cython.locals(median=cython.double)
    cdef double _of_three(self, double a, double b, double c) noexcept

    @cython.locals(distance=cython.double)
    cdef void _compare(self, int number, double value, double median) noexcept
