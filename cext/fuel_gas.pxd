cimport cython

cdef double _NAN
cdef double _O2_AIR
cdef double _MOLAR_VOLUME
cdef double _C
cdef double _H
cdef double _O
cdef double _N
cdef double _S

@cython.final
cdef class FuelGas:
    cdef readonly double air0
    cdef readonly double dry_gas0
    cdef readonly double wet_gas0
    cdef readonly double d0
    cdef readonly double w0
    cdef readonly double co2_max_pct
    cdef readonly double lhv_mj
    cdef readonly double density
    cdef readonly tuple products

    @cython.locals(c=cython.double, h=cython.double, o=cython.double, n=cython.double, s=cython.double,
                   hydrocarbons=cython.double)
    cdef void _balance(self, double ch4, double c2h6, double c3h8, double c4h10, double h2, double co, double h2s,
                       double co2, double n2, double o2, double h2o)
