cimport cython

cdef double SIGMA_W_M2_K4, KELVIN

cdef double share(double pct) noexcept
@cython.locals(x=double, y=double)
cdef double heat_flow(double from_k, double to_k, double m2, double w_k) noexcept

@cython.final
cdef class ElectricFurnace:
    # Inputs, % of full.
    cdef public double heat_pct, contactor_pct, door_pct

    # Outputs: what instruments measure.
    cdef public double t_chamber_c, t_limit_c      # thermocouples of control and of the limit trip, C
    cdef public double power_kw                    # that the element takes
    cdef public double contactor_closed            # 1 while it is
    cdef public double limiter_open                # 1 from the moment on at which the limiter acted
    # Outputs: what they don't.
    cdef public double chamber_c, lining_c, element_c
    cdef public double power_now_w, loss_lining_w, loss_door_w                 # in the last step
    cdef public double element_melted              # 1 from the moment on at which it was too hot
    cdef public double stored_j                    # more than at the start
    # Outputs: totals since the start.
    cdef public double energy_j, lost_j, energy_kwh, lost_kwh

    # Parameters, see electric_parameters.py.
    cdef public double power_w, mains, ssr_shorted, contactor_welded, element_broken, element_melts_c
    cdef public double element_j_k, lining_j_k, chamber_j_k
    cdef public double loss_w_k, element_lining_m2, element_chamber_m2, lining_chamber_m2
    cdef public double element_lining_w_k, element_chamber_w_k, lining_chamber_w_k
    cdef public double door_m2, door_w_k, ambient_c, start_c
    cdef public double chamber_tc_s, limit_tc_s, limit_sees_element, chamber_tc_k, limit_tc_k, limiter_c

    # States of their own.
    cdef double element_k, lining_k, chamber_k, chamber_wire_k, limit_wire_k

    cpdef start(self)
    @cython.locals(h=double)
    cpdef void step(self, double dt_s) noexcept
    @cython.locals(conducts=double, closed=cython.bint)
    cdef double power(self) noexcept
    @cython.locals(ambient_k=double, seen_k=double, element_lining_w=double, element_chamber_w=double,
                   lining_chamber_w=double)
    cdef void advance(self, double h) noexcept
    cdef void outputs(self) noexcept
