"""The same closed loop as pid_loop.c with the production PID, all in compiled code, for bench_core.py."""

from cext.pid cimport PID


def closed_loop(PID pid, long steps, double y):
    cdef long i
    cdef double u
    for i in range(steps):
        u = pid.step(850.0 if i & 4096 else 860.0, y, 1.0, 0.25)
        y += (10.0 * u - y) * 0.002
    return y


def at_rest(PID pid, long steps, double y):
    cdef long i
    cdef double total = 0.0
    for i in range(steps):
        total += pid.step(850.0, y, 0.0, 0.25)
    return total
