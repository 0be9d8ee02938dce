/* The arithmetic of cext/pid.py's step() and a first-order plant, written by hand in C, for bench_core.py. */
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
        else e -= e;
    }
    return e;
}

static double weighting_of(const pid_t_ *p, double r) {
    return p->gain * (p->b - 1.0) * p->direction * r;
}

static double outside(const pid_t_ *p, double load, double forward) {
    double low = p->out_min, high = p->out_max;
    if (forward > 0.0) low -= forward;
    else high -= forward;
    return load > high ? load - high : load < low ? load - low : 0.0;
}

static double step(pid_t_ *p, double r, double y, double forward, double dt) {
    if (!(dt > 0.0 && dt - dt == 0.0)) { p->flag = 2; return p->out; }
    double error = error_of(p, r, y);
    double weighting = weighting_of(p, r);
    double proportional = p->gain * error + weighting;
    double derivative = 0.0;
    if (p->td_s > 0.0) {
        double rise = 0.0;
        if (p->in_sequence) rise = p->c * (r - p->set_point) - (y - p->process_value);
        double lag = p->td_s + p->n * dt;
        if (lag > 0.0) {
            double kept = p->td_s / lag;
            derivative = kept * (p->derivative + p->gain * p->n * p->direction * rise);
            if (-1.0e-30 < derivative && derivative < 1.0e-30) derivative = 0.0;
        }
    }
    double again = p->gain * error_of(p, p->set_point, p->process_value) + weighting_of(p, p->set_point);
    double integral = p->integral - (again - p->proportional);
    if (!(p->td_s > 0.0)) integral += p->derivative;
    if (p->ti_s > 0.0 && p->out != p->demand) {
        double tracking = p->tt_s > 0.0 ? p->tt_s : p->ti_s;
        integral += (tracking > dt ? dt / tracking : 1.0) * (p->out - p->demand);
    }
    if (p->ti_s > 0.0) {
        double beyond = outside(p, integral + weighting, forward);
        if (beyond != 0.0) {
            double demand = (proportional + integral) + (derivative + forward);
            if (demand > p->out_max) {
                double excess = demand - p->out_max;
                integral -= beyond < excess ? beyond : excess;
            } else if (demand < p->out_min) {
                double excess = demand - p->out_min;
                integral -= beyond > excess ? beyond : excess;
            }
        }
        integral += p->gain * dt / p->ti_s * error;
    }
    if (-1.0e-30 < integral && integral < 1.0e-30) integral = 0.0;
    double demand = (proportional + integral) + (derivative + forward);
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

/* The textbook's PID beside it: the program of Astrom and Hagglund (Advanced PID Control, section on computer
   implementation), with set-point weight, filtered derivative, limits and back-calculation; one fixed sampling
   time, coefficients worked out beforehand, no check of any argument, no rate limit, no dead band. */
typedef struct {
    double gain, b, bi, ad, bd, a0, out_min, out_max;
    double integral, derivative, process_value;
} textbook_t;

void textbook_setup(textbook_t *p) {
    double gain = 2.0, ti = 120.0, td = 20.0, n = 10.0, dt = 0.25;
    *p = (textbook_t){gain, 0.7, gain * dt / ti, td / (td + n * dt), gain * td * n / (td + n * dt), dt / ti, 0.0, 100.0};
}

static double textbook_step(textbook_t *p, double r, double y, double forward) {
    double proportional = p->gain * (p->b * r - y);
    p->derivative = p->ad * p->derivative - p->bd * (y - p->process_value);
    double v = proportional + p->integral + p->derivative + forward;
    double u = v < p->out_min ? p->out_min : v > p->out_max ? p->out_max : v;
    p->integral += p->bi * (r - y) + p->a0 * (u - v);
    p->process_value = y;
    return u;
}

double textbook_loop(textbook_t *p, long steps, double y) {
    p->process_value = y;
    for (long i = 0; i < steps; i++) {
        double u = textbook_step(p, i & 4096 ? 850.0 : 860.0, y, 1.0);
        y += (10.0 * u - y) * 0.002;
    }
    return y;
}
