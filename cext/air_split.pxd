cimport cython

cdef double _NAN

cpdef double secondary_air(double total_nm3_s, double primary_nm3_s, double low, double high) noexcept

@cython.final
cdef class AirSplit:
    cdef readonly list lows
    cdef readonly list highs
    cdef readonly list shares
    cdef readonly list flows
    cdef readonly double unplaced
    cdef list _settled

    @cython.locals(total=cython.double)
    cpdef share(self, shares)

    # Not noexcept: who has tampered with the lists shall hear of it.
    @cython.locals(count=cython.Py_ssize_t, i=cython.Py_ssize_t, _=cython.Py_ssize_t, placed=cython.double)
    cpdef double step(self, double total_nm3_s) except? -9999.0

    @cython.locals(left=cython.double, shares=cython.double, above=cython.double, below=cython.double,
                   flow=cython.double, i=cython.Py_ssize_t)
    cdef bint _spread(self, double total, Py_ssize_t count) except -1

    @cython.locals(i=cython.Py_ssize_t)
    cdef double _left(self, double total, double placed, Py_ssize_t count) except? -9999.0
