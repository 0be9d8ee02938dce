cimport cython
from edge.emulator.models.grate_maths cimport positive, within

cdef double HEATING_VALUE_J_KG, METHANE_KG_MOL, AIR_KG_MOL

@cython.final
cdef class Burner:
    cdef public double heat_w, given_w, fuel_kg, fuel_mol, air_mol, gas_kg_s
    cdef double full_w, lag_s, air_ratio

    cpdef begin(self, line)
    cdef double target(self, double burner_pct, double flame_pct) noexcept
    cpdef settle(self, double burner_pct, double flame_pct)
    cpdef void rates(self) noexcept
    @cython.locals(wanted=double)
    cpdef void advance(self, double burner_pct, double flame_pct, double h) noexcept
