cimport cython
from edge.emulator.models.grate_maths cimport root, root_slope, within

@cython.final
cdef class Draught:
    cdef public double draught_pa, primary_air_kg_s, secondary_air_kg_s, ingress_kg_s, flue_gas_kg_s
    cdef public double primary_design_kg_s
    cdef double stack_pa, primary_head, secondary_head, id_head, primary_k, secondary_k, ingress_k, path_k
    cdef double flow_slope, draught_kg_pa

    @cython.locals(p=double, secondary=double)
    cpdef begin(self, line, double gas_kg_s, double air_kg_s)
    @cython.locals(p=double, x=double, y=double, z=double)
    cpdef void flows(self, double primary_pct, double secondary_pct, double id_pct) noexcept
    cdef double surplus(self, double made_kg_s) noexcept
    cpdef settle(self, double made_kg_s)
    cpdef void advance(self, double made_kg_s, double h) noexcept
