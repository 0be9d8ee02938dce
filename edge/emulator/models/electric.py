"""Electric furnace: element, lining, chamber with its load, power circuit and two thermocouples, lumped.

One source, interpreted and compiled (electric.pxd), with the same bits. Three states are model D5 of the facts
(electric_parameters.py), temperatures in K of element e, lining l and chamber c with crucibles:

    Ce dTe/dt = P - qel - qec
    Cl dTl/dt = qel - qlc - loss        loss = loss_w_k (Tl - Ta)
    Cc dTc/dt = qec + qlc - door        door = opening (sigma door_m2 (Tc^4 - Ta^4) + door_w_k (Tc - Ta))
    qxy = sigma m2_xy (Tx^4 - Ty^4) + w_k_xy (Tx - Ty)

P = power_w mains^2 ssr contactor: a semiconductor relay and a contactor in series. The relay conducts for the
share heat_pct, or always when it is shorted; the contactor is closed from 50 % on, or always when it is welded.

Each flow of heat is taken from one state and given to another in the same step, so that the balance is closed:
stored = supplied - lost, to rounding. Own choice: steps of 1/16 s or less, which are stable for all parameters
in range; a lining in one lump, as in D5, so that a brick's own gradient is missing.

A temperature limiter, where limiter_c says so, is no part of any controller: above limiter_c at a thermocouple of
its own beside that of the limit trip it opens the circuit, before relay and contactor, until start().

Bounds for all inputs: the element melts at element_melts_c and carries no current then; what it heats is
colder. A run on the bench ends there (electric_parameters.failure).
"""

SIGMA_W_M2_K4 = 5.670374419e-8
KELVIN = 273.15


def share(pct):
    """A percentage as 0..1; not-a-number is 0."""
    if pct >= 100.0:
        return 1.0
    if pct > 0.0:
        return 0.01 * pct
    return 0.0


def heat_flow(from_k, to_k, m2, w_k):
    """Heat by grey radiation and by convection, W."""
    x = from_k * from_k
    y = to_k * to_k
    return SIGMA_W_M2_K4 * m2 * (x * x - y * y) + w_k * (from_k - to_k)


class ElectricFurnace:
    """One furnace: set inputs, step(), read outputs. models.build() makes one.

    seed        as for every model; this one has no noise of its own
    parameters  mapping with a value for each name of electric_parameters.PARAMETERS; they become attributes
    Inputs      the attributes in electric_parameters.INPUTS: heat_pct, share of time in which the relay
                conducts, or 0 and 100 for off and on; contactor_pct, closed from 50 on; door_pct of the
                opening. What is outside 0..100 counts as the nearest end, not-a-number as 0.
    Outputs     the attributes that electric.pxd lists as such, with units
    """

    def __init__(self, seed, parameters):
        for name in parameters:
            setattr(self, name, parameters[name])
        self.heat_pct = self.contactor_pct = self.door_pct = 0.0
        self.start()

    def start(self):
        """Put everything at start_c, as a furnace that stood for long; totals zero, the element whole."""
        self.element_k = self.lining_k = self.chamber_k = self.start_c + KELVIN
        self.chamber_wire_k = self.limit_wire_k = self.start_c + KELVIN
        self.energy_j = self.lost_j = 0.0
        self.element_melted = self.contactor_closed = self.limiter_open = 0.0
        self.power_now_w = self.loss_lining_w = self.loss_door_w = 0.0
        self.outputs()

    def step(self, dt_s):
        """Advance by dt_s seconds, 0.25 meant; more than 1/16 is split; zero or less does nothing."""
        while dt_s > 0.0:
            h = dt_s if dt_s < 0.0625 else 0.0625
            dt_s -= h
            self.advance(h)
        self.outputs()

    def power(self):
        """What the element takes, W."""
        closed = self.contactor_pct >= 50.0 or self.contactor_welded >= 0.5
        self.contactor_closed = 1.0 if closed else 0.0
        if self.element_melted > 0.0 or self.element_broken >= 0.5 or self.limiter_open > 0.0:
            return 0.0
        if self.contactor_closed < 0.5:
            return 0.0
        conducts = 1.0 if self.ssr_shorted >= 0.5 else share(self.heat_pct)
        return self.power_w * self.mains * self.mains * conducts

    def advance(self, h):
        """One step of h seconds, explicit."""
        ambient_k = self.ambient_c + KELVIN
        element_lining_w = heat_flow(self.element_k, self.lining_k, self.element_lining_m2, self.element_lining_w_k)
        element_chamber_w = heat_flow(
            self.element_k, self.chamber_k, self.element_chamber_m2, self.element_chamber_w_k
        )
        lining_chamber_w = heat_flow(self.lining_k, self.chamber_k, self.lining_chamber_m2, self.lining_chamber_w_k)
        self.power_now_w = self.power()
        self.loss_lining_w = self.loss_w_k * (self.lining_k - ambient_k)
        self.loss_door_w = share(self.door_pct) * heat_flow(self.chamber_k, ambient_k, self.door_m2, self.door_w_k)
        # What the thermocouples see is that of the beginning of the step, as all else.
        seen_k = self.chamber_k + self.limit_sees_element * (self.element_k - self.chamber_k)
        self.chamber_wire_k += h / (self.chamber_tc_s + h) * (self.chamber_k - self.chamber_wire_k)
        self.limit_wire_k += h / (self.limit_tc_s + h) * (seen_k - self.limit_wire_k)
        self.element_k += h / self.element_j_k * (self.power_now_w - element_lining_w - element_chamber_w)
        self.lining_k += h / self.lining_j_k * (element_lining_w - lining_chamber_w - self.loss_lining_w)
        self.chamber_k += h / self.chamber_j_k * (element_chamber_w + lining_chamber_w - self.loss_door_w)
        self.energy_j += h * self.power_now_w
        self.lost_j += h * (self.loss_lining_w + self.loss_door_w)
        if self.limiter_c > 0.0 and self.limit_wire_k > self.limiter_c + KELVIN:
            self.limiter_open = 1.0
        if self.element_k > self.element_melts_c + KELVIN:
            self.element_melted = 1.0

    def outputs(self):
        """States in the units that the instruments show."""
        self.element_c = self.element_k - KELVIN
        self.lining_c = self.lining_k - KELVIN
        self.chamber_c = self.chamber_k - KELVIN
        self.t_chamber_c = self.chamber_wire_k - KELVIN + self.chamber_tc_k
        self.t_limit_c = self.limit_wire_k - KELVIN + self.limit_tc_k
        start_k = self.start_c + KELVIN
        self.stored_j = (
            self.element_j_k * (self.element_k - start_k)
            + self.lining_j_k * (self.lining_k - start_k)
            + self.chamber_j_k * (self.chamber_k - start_k)
        )
        self.power_kw = 0.001 * self.power_now_w
        self.energy_kwh = self.energy_j / 3.6e6
        self.lost_kwh = self.lost_j / 3.6e6
