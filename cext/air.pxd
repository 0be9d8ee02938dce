cimport cython

cdef double _NAN
cdef double _O2_AIR
cdef double _MOLAR_VOLUME
cdef double _STEAM_VOLUME
cdef double _LATENT_HEAT
cdef double _WATER_OF_H
cdef double _C
cdef double _H
cdef double _O
cdef double _N
cdef double _S
cdef double _CL
cdef double _H2O

@cython.locals(oxygen=cython.double)
cpdef double stoichiometric_air(double c, double h, double o, double n, double s, double cl, double w) noexcept

@cython.locals(nitrogen_of_air=cython.double)
cpdef double stoichiometric_dry_gas(double c, double h, double o, double n, double s, double cl, double w) noexcept

@cython.locals(steam=cython.double)
cpdef double stoichiometric_wet_gas(double c, double h, double o, double n, double s, double cl, double w) noexcept

@cython.locals(air=cython.double)
cpdef double dry_ratio(double c, double h, double o, double n, double s, double cl, double w) noexcept

@cython.locals(air=cython.double)
cpdef double wet_ratio(double c, double h, double o, double n, double s, double cl, double w) noexcept

cpdef double co2_max_pct(double c, double h, double o, double n, double s, double cl, double w) noexcept

cpdef tuple products(double c, double h, double o, double n, double s, double cl, double w)

@cython.locals(ash=cython.double, hhv=cython.double)
cpdef double lower_heating_value(double c, double h, double o, double n, double s, double cl, double w) noexcept

@cython.locals(steam=cython.double)
cpdef double lambda_from_o2(double o2_pct, double k0, double humidity=*) noexcept

@cython.locals(steam=cython.double)
cpdef double o2_from_lambda(double lam, double k0, double humidity=*) noexcept

cpdef double air_demand(double fuel_kg_s, double air0_nm3_kg, double o2_pct, double k0, double humidity=*) noexcept
