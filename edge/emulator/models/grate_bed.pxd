cimport cython
from edge.emulator.models.grate_maths cimport positive, within

@cython.final
cdef class Bed:
    cdef public double water_kg, drying_kg, dry_kg, burning_kg, burn_out_kg, ash_kg
    cdef public double evaporation_kg_s, burn_kg_s, unburnt_kg_s, slag_kg_s
    cdef public double drying_s, burning_s, carry_s, creep, to_burn_out_s, burn_out_s, slag_s, drying_by_air
    cdef public double bed_full_kg, grate_nominal_pct, grate_effect
    cdef double burning_design_kg, speed, fire, last, carry, drying, fire_kg_s, last_kg_s

    cpdef begin(self, line)
    cpdef empty(self)
    @cython.locals(flow=double, passed=double, ash=double, edge=double, dry=double, share=double)
    cpdef settle(self, double feed_kg_s, double moisture, double combustible, double grate_pct, double air,
                 double air_heat)
    cpdef double room(self) noexcept
    cpdef double mass_kg(self) noexcept
    @cython.locals(vigour=double, burning=double, edge=double)
    cpdef void rates(self, double grate_pct, double air, double air_heat, double lit, double flicker) noexcept
    cpdef void limit_evaporation(self, double most_kg_s) noexcept
    @cython.locals(dried=double, carried=double, passed=double, ash=double)
    cpdef void advance(self, double fed_kg, double fed_water_kg, double fed_combustible_kg, double h) noexcept
