cimport cython
from libc cimport math

cdef unsigned long long LOW_51_BITS, LOW_47_BITS

cpdef double within(double x, double low, double high) noexcept
cpdef double positive(double x) noexcept
cpdef double root(double x) noexcept
@cython.locals(y=double)
cpdef double root_slope(double x) noexcept

@cython.final
cdef class Noise:
    cdef unsigned long long seed, rng

    cpdef start(self)
    @cython.locals(x=cython.ulonglong, s=double)
    cpdef double gauss(self) noexcept
