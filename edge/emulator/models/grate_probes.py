"""Thermowells and analysers of the grate line: lags, errors by place, dead times."""

SAMPLES = 64  # of the gas that is on its way to the analysers, one a second
# What may change while it runs.
LIVE = ("well_a1_s", "well_a2_s", "well_a3_s", "well_b1_s", "well_b2_s", "well_b3_s", "well_a1_k", "well_a2_k",
        "well_a3_k", "well_b1_k", "well_b2_k", "well_b3_k", "o2_lag_s", "o2_dead_s", "co_lag_s", "co_dead_s")


class Probes:
    """settle() at a steady gas; advance() for each step. Temperatures in C, O2 in %, CO in mg/Nm3."""

    def retune(self, line):
        """Take over what may change while it runs."""
        for name in LIVE:
            setattr(self, name, getattr(line, name))

    def settle(self, a_c, b_c, o2_pct, co_mg_nm3):
        """Gas of the sections A and B, and behind the boiler, as it has been for long."""
        self.t_a1_c = a_c + self.well_a1_k
        self.t_a2_c = a_c + self.well_a2_k
        self.t_a3_c = a_c + self.well_a3_k
        self.t_b1_c = b_c + self.well_b1_k
        self.t_b2_c = b_c + self.well_b2_k
        self.t_b3_c = b_c + self.well_b3_k
        self.o2_pct = o2_pct
        self.co_mg_nm3 = co_mg_nm3
        self.o2_samples = [o2_pct] * SAMPLES
        self.co_samples = [co_mg_nm3] * SAMPLES
        self.sample = 0
        self.sampled_s = 0.0

    def advance(self, a_c, b_c, o2_pct, co_mg_nm3, h):
        """h seconds of this gas."""
        self.t_a1_c += h / (self.well_a1_s + h) * (a_c + self.well_a1_k - self.t_a1_c)
        self.t_a2_c += h / (self.well_a2_s + h) * (a_c + self.well_a2_k - self.t_a2_c)
        self.t_a3_c += h / (self.well_a3_s + h) * (a_c + self.well_a3_k - self.t_a3_c)
        self.t_b1_c += h / (self.well_b1_s + h) * (b_c + self.well_b1_k - self.t_b1_c)
        self.t_b2_c += h / (self.well_b2_s + h) * (b_c + self.well_b2_k - self.t_b2_c)
        self.t_b3_c += h / (self.well_b3_s + h) * (b_c + self.well_b3_k - self.t_b3_c)
        self.sampled_s += h
        while self.sampled_s >= 1.0:
            self.sampled_s -= 1.0
            self.sample = self.sample + 1 if self.sample + 1 < SAMPLES else 0
            self.o2_samples[self.sample] = o2_pct
            self.co_samples[self.sample] = co_mg_nm3
        seen = self.o2_samples[self.ago(self.o2_dead_s)]
        self.o2_pct += h / (self.o2_lag_s + h) * (seen - self.o2_pct)
        seen = self.co_samples[self.ago(self.co_dead_s)]
        self.co_mg_nm3 += h / (self.co_lag_s + h) * (seen - self.co_mg_nm3)

    def ago(self, seconds):
        """The place of the sample of so many seconds ago."""
        i = self.sample - int(seconds)
        return i if i >= 0 else i + SAMPLES
