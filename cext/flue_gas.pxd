cimport cython

cdef double _NAN
cdef double _KELVIN
cdef double _O2_AIR
cdef double _MOLAR_VOLUME
cdef double _STEAM_VOLUME
cdef double _CO2
cdef double _SO2
cdef double _HCL
cdef double _H2O
cdef double _N2
cdef double _O2
cdef double _N2_OF_AIR

@cython.locals(a=cython.double, b=cython.double, c=cython.double, d=cython.double, t=cython.double,
               low=cython.double, high=cython.double)
cpdef double heat_mj(double co2, double h2o, double n2, double o2, double low_c, double high_c) noexcept

@cython.final
cdef class FlueGas:
    cdef readonly double air0
    cdef readonly double air
    cdef readonly double air_steam
    cdef readonly double co2
    cdef readonly double so2
    cdef readonly double hcl
    cdef readonly double h2o
    cdef readonly double n2
    cdef readonly double o2
    cdef readonly double dry
    cdef readonly double wet
    cdef readonly double mass
    cdef readonly double o2_dry_pct
    cdef readonly double o2_wet_pct
    cdef readonly double co2_dry_pct
    cdef readonly double h2o_pct
    cdef double _h2o_of_fuel
    cdef double _n2_of_fuel

    @cython.locals(air=cython.double, air_steam=cython.double, n2_of_air=cython.double, mass=cython.double)
    cpdef void burn(self, double lam, double humidity) noexcept

    cpdef double loss_mj(self, double gas_c, double air_c) noexcept
