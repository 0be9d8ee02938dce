cimport cython

cdef double _NAN
cdef double _KELVIN
cdef double _NORMAL_PRESSURE
cdef double _MOLAR_VOLUME
cdef double _AIR
cdef double _H2O

@cython.locals(t=cython.double, high=cython.double, middle=cython.double)
cpdef double saturation_pressure_pa(double temp_c) noexcept

@cython.locals(vapour=cython.double)
cpdef double humidity(double relative_pct, double temp_c, double pressure_pa) noexcept

@cython.locals(u=cython.double, factor=cython.double, term=cython.double, i=cython.int)
cpdef double pressure_at_altitude_pa(double altitude_m) noexcept

@cython.locals(kmol=cython.double)
cpdef double density(double temp_c, double pressure_pa, double x) noexcept

cpdef double flow_of_volume(double flow_m3_s, double temp_c, double pressure_pa, double x) noexcept

cpdef double flow_of_mass(double flow_kg_s, double x) noexcept

cpdef double mass_of_differential_pressure(double indicated_kg_s, double operating_density, double design_density) noexcept
