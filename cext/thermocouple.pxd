cimport cython

cdef double _NAN

@cython.locals(r=cython.double, r2=cython.double, even=cython.double, odd=cython.double, e=cython.double)
cdef double _exp(double x) noexcept

# Not noexcept where a table comes in: a wrong table must raise, not return 0 degC.
@cython.locals(piece=tuple)
cdef tuple _piece(tuple kind, double t_c)

@cython.locals(piece=tuple, coefficients=tuple, emf=cython.double, c=cython.double,
               a0=cython.double, a1=cython.double, a2=cython.double)
cpdef double emf_mv(double t_c, tuple kind=*) except? -9999.0

@cython.locals(piece=tuple, coefficients=tuple, emf=cython.double, slope=cython.double, c=cython.double,
               a0=cython.double, a1=cython.double, a2=cython.double)
cpdef double seebeck_mv_per_k(double t_c, tuple kind=*) except? -9999.0

@cython.locals(low=cython.double, high=cython.double, pieces=tuple, piece=tuple, coefficients=tuple,
               guess=tuple, a0=cython.double, a1=cython.double, a2=cython.double, t=cython.double,
               d=cython.double, c=cython.double, emf=cython.double, slope=cython.double, bell=cython.double,
               error=cython.double, step=cython.double, _round=cython.int)
cpdef double temp_c(double voltage_mv, tuple kind=*) except? -9999.0

cpdef double measured_temp_c(double voltage_mv, double cold_junction_c, tuple kind=*) except? -9999.0
