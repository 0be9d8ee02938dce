cimport cython

from cext.characterisers cimport Table
from cext.pid cimport PID

cdef int _OK
cdef int _NON_FINITE

@cython.final
cdef class Cascade:
    cdef readonly PID outer
    cdef readonly PID inner

    @cython.locals(outer=PID, inner=PID, inner_set_point=cython.double, output=cython.double)
    cpdef double step(self, double set_point, double outer_value, double inner_value, double feed_forward,
                      double dt_s) noexcept

    cpdef double automatic(self, double inner_set_point, double set_point, double outer_value, double inner_value,
                           double feed_forward, double dt_s) noexcept

    cpdef double follow(self, double set_point, double outer_value, double inner_value, double feed_forward,
                        double output, double dt_s) noexcept

    cpdef void realised(self, double output) noexcept

    @cython.locals(blocked=cython.double)
    cdef void _hold(self, double inner_value) noexcept

@cython.final
cdef class GainSchedule:
    cdef Table _gain
    cdef Table _ti_s
    cdef Table _td_s
    cdef readonly int flag

    cpdef void apply(self, PID pid, double variable) noexcept
