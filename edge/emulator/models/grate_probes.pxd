cimport cython

cdef int SAMPLES

@cython.final
cdef class Probes:
    cdef public double t_a1_c, t_a2_c, t_a3_c, t_b1_c, t_b2_c, t_b3_c, o2_pct, co_mg_nm3
    cdef public double well_a1_s, well_a2_s, well_a3_s, well_b1_s, well_b2_s, well_b3_s
    cdef public double well_a1_k, well_a2_k, well_a3_k, well_b1_k, well_b2_k, well_b3_k
    cdef public double o2_lag_s, o2_dead_s, co_lag_s, co_dead_s
    cdef double sampled_s
    cdef list o2_samples, co_samples
    cdef int sample

    cpdef retune(self, line)
    cpdef settle(self, double a_c, double b_c, double o2_pct, double co_mg_nm3)
    @cython.locals(seen=double)
    cpdef void advance(self, double a_c, double b_c, double o2_pct, double co_mg_nm3, double h) noexcept
    @cython.locals(i=int)
    cdef int ago(self, double seconds) noexcept
