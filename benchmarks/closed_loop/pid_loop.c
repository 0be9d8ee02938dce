/* The arithmetic of cext/pid.py's step() and a first-order plant, written by hand in C, for bench_core.py. */
#include <math.h>

typedef struct {
    double gain, ti_s, td_s, n, b, c, tt_s, direction, dead_band, out_min, out_max, rate_per_s;
    double out, demand, proportional, integral, derivative, set_point, process_value;
    int saturated, flag, in_sequence;
} pid_t_;

static double error_of(const pid_t_ *p, double r, double y) {
    double e = p->direction * (r - y);
    if (p->dead_band > 0.0) {
        if (e > p->dead_band) e -= p->dead_band;
        else if (e < -p->dead_band) e += p->dead_band;
        else if (e == e) e = 0.0;
    }
    return e;
}

static double proportional_of(const pid_t_ *p, double r, double y) {
    double weighting = (p->b - 1.0) * p->direction * r;
    return p->gain * (error_of(p, r, y) + weighting);
}

static double step(pid_t_ *p, double r, double y, double forward, double dt) {
    if (!(dt > 0.0 && dt - dt == 0.0)) { p->flag = 2; return p->out; }
    double proportional = proportional_of(p, r, y);
    double derivative = 0.0;
    if (p->td_s > 0.0) {
        double rise = 0.0;
        if (p->in_sequence) rise = p->c * (r - p->set_point) - (y - p->process_value);
        double lag = p->td_s + p->n * dt;
        if (lag > 0.0) {
            double kick = p->gain * p->td_s * p->n * p->direction * rise;
            derivative = (p->td_s * p->derivative + kick) / lag;
            if (-1.0e-30 < derivative && derivative < 1.0e-30) derivative = 0.0;
        }
    }
    double integral = p->integral - (proportional_of(p, p->set_point, p->process_value) - p->proportional);
    if (!(p->td_s > 0.0)) integral += p->derivative;
    if (p->ti_s > 0.0 && p->out != p->demand) {
        double tracking = p->tt_s > 0.0 ? p->tt_s : p->td_s > 0.0 ? sqrt(p->ti_s * p->td_s) : p->ti_s;
        integral += (tracking > dt ? dt / tracking : 1.0) * (p->out - p->demand);
    }
    if (p->ti_s > 0.0) integral += p->gain * dt / p->ti_s * error_of(p, r, y);
    if (-1.0e-30 < integral && integral < 1.0e-30) integral = 0.0;
    double demand = proportional + integral + derivative + forward;
    double out = demand;
    if (!(p->rate_per_s <= 0.0)) {
        double change = p->rate_per_s * dt;
        if (out > p->out + change) out = p->out + change;
        else if (!(out >= p->out - change)) out = p->out - change;
    }
    if (out > p->out_max || p->out_max != p->out_max) out = p->out_max;
    if (out < p->out_min || p->out_min != p->out_min) out = p->out_min;
    if (demand - demand != 0.0 || out - out != 0.0) { p->flag = 1; p->in_sequence = 0; return p->out; }
    p->set_point = r;
    p->process_value = y;
    p->proportional = proportional;
    p->integral = integral;
    p->derivative = derivative;
    p->in_sequence = 1;
    p->flag = 0;
    p->demand = demand;
    p->out = out;
    p->saturated = out < demand ? 1 : out > demand ? -1 : 0;
    return out;
}

/* The controller lives outside, as the production one does: the compiler can't know its parameters. */
void setup(pid_t_ *p) {
    *p = (pid_t_){2.0, 120.0, 20.0, 10.0, 0.7, 0.0, 0.0, 1.0, 0.01, 0.0, 100.0, 5.0};
}

double closed_loop(pid_t_ *p, long steps, double y) {
    for (long i = 0; i < steps; i++) {
        double u = step(p, i & 4096 ? 850.0 : 860.0, y, 1.0, 0.25);
        y += (10.0 * u - y) * 0.002;
    }
    return y;
}
