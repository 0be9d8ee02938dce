cimport cython
from libc cimport math
from edge.emulator.models.grate_maths cimport Noise, positive, within

cdef int LAYERS

@cython.final
cdef class Hopper:
    cdef public double fed_kg, fed_water_kg, fed_combustible_kg, hopper_kg, grabbed_kg, grabs
    cdef public double batching, batch_kg, batch_kg_spread, grab_level_kg, crane_cycle_s
    cdef public double moisture_mean, combustible_dry_mean, moisture_spread, combustible_dry_spread
    cdef public double batch_correlation
    cdef double hopper_full_kg, stroke_kg, push_share, feed_per_pct
    cdef double moisture_walk, combustible_walk, stroke_phase, crane_s
    cdef Noise noise
    cdef list layer_kg, layer_water, layer_combustible
    cdef int layer_first, layer_count

    cpdef begin(self, line)
    cpdef retune(self, line)
    @cython.locals(kg=double, keep=double, fresh=double, water=double, dry=double, i=int)
    cdef void grab(self, double most_kg) noexcept
    @cython.locals(kg=double, free=double)
    cpdef void feed(self, double feeder_pct, double grab_on, double room, double h) noexcept
    @cython.locals(share=double, old=double, new=double, pushed=double)
    cdef double stroke(self, double kg) noexcept
    @cython.locals(left=double, kg=double, water=double, combustible=double, i=int)
    cdef void draw(self, double wanted_kg) noexcept
