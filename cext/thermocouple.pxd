cimport cython

cdef double _NAN

@cython.locals(r=cython.double, r2=cython.double, even=cython.double, odd=cython.double, e=cython.double)
cdef double _exp(double x) noexcept

# Not noexcept where a table comes in: a wrong table must raise, not return 0 degC.
@cython.locals(part=tuple)
cdef tuple _range(tuple kind, double t_c)

@cython.locals(part=tuple, coefficients=tuple, emf=cython.double, i=cython.Py_ssize_t,
               a0=cython.double, a1=cython.double, a2=cython.double)
cdef double _emf(tuple kind, double t_c) except? -9999.0

@cython.locals(part=tuple, coefficients=tuple, slope=cython.double, i=cython.Py_ssize_t,
               a0=cython.double, a1=cython.double, a2=cython.double)
cdef double _seebeck(tuple kind, double t_c) except? -9999.0

cpdef double emf_mv(double t_c, tuple kind=*) except? -9999.0

cpdef double seebeck_mv_per_k(double t_c, tuple kind=*) except? -9999.0

@cython.locals(low=cython.double, high=cython.double, emf_low=cython.double, emf_high=cython.double, t=cython.double,
               error=cython.double, slope=cython.double, _round=cython.int)
cpdef double temp_c(double voltage_mv, tuple kind=*) except? -9999.0

cpdef double measured_temp_c(double voltage_mv, double cold_junction_c, tuple kind=*) except? -9999.0
