"""The bed on the grate: drying, carried into the fire, burning, burning out, and slag.

Six masses. v is the speed of the grate over the nominal one; e water evaporated, kg/s:

    dmw/dt = f W - e            e = mw/tw (1 - s + s a)         a: heat that the air brings over the nominal
    dmd/dt = f Cf - e md/mw     combustible that is still wet; it dries as its water goes
    dmr/dt = e md/mw - c       c = (mr v + min(mr, m0) b)/tr    dry: waits to be carried into the fire
    dmc/dt = c - rc - mc v/tx  rc = mc/tc g                     the fire; g: air and stirring
    dmb/dt = mc v/tx - rb - mb v/tl           rb = mb/tb g      burns out on the last zone
    dma/dt = f A - ma v/ta                    slag: ma v/ta + mb v/tl

Form after model D1 of the facts (drying, burning); the zones, and that a fire creeps back over the edge m0 of what
lies on a grate that stands (b), are own choice. Without the grate nothing new comes into the fire: it burns out
where it is.
"""

from edge.emulator.models.grate_maths import positive, within


class Bed:
    """rates() finds what dries and burns at the given air and heat; advance() takes it from the bed.

    kg/s: evaporation_kg_s, burn_kg_s, and slag_kg_s, of which unburnt_kg_s is combustible.
    """

    def begin(self, line):
        """Parameters of the line; empty."""
        feed = line.feed_nominal_t_d / 86.4
        self.burning_design_kg = feed * 0.335 * line.burning_s
        for name in ("drying_s", "burning_s", "carry_s", "creep", "to_burn_out_s", "burn_out_s", "slag_s",
                     "drying_by_air", "bed_full_kg", "grate_nominal_pct", "grate_effect"):
            setattr(self, name, getattr(line, name))
        self.empty()

    def empty(self):
        """Nothing on the grate."""
        self.water_kg = self.drying_kg = self.dry_kg = self.burning_kg = self.burn_out_kg = self.ash_kg = 0.0
        self.rates(50.0, 1.0, 1.0, 0.0, 1.0)
        self.limit_evaporation(0.0)

    def settle(self, feed_kg_s, moisture, combustible, grate_pct, air, air_heat):
        """The steady state of a feed; ``air``, ``air_heat``: over the nominal ones."""
        self.rates(grate_pct, air, air_heat, 1.0, 1.0)
        flow = feed_kg_s * combustible
        self.water_kg = feed_kg_s * moisture / self.drying
        self.drying_kg = flow / self.drying
        edge = self.burning_design_kg / self.burning_s * self.carry_s
        dry = flow * self.carry_s / (self.speed + self.creep + 1e-9)
        if dry > edge:
            dry = (flow * self.carry_s - self.creep * edge) / (self.speed + 1e-9)
        self.dry_kg = within(dry, 0.0, self.bed_full_kg)
        self.burning_kg = within(flow / (self.fire + self.speed / self.to_burn_out_s), 0.0, self.bed_full_kg)
        passed = self.burning_kg * self.speed / self.to_burn_out_s
        self.burn_out_kg = passed / (self.last + self.speed / self.slag_s)
        ash = feed_kg_s * (1.0 - moisture - combustible)
        self.ash_kg = ash * self.slag_s / within(self.speed, 0.01, 2.0)
        share = within(self.bed_full_kg / within(self.mass_kg(), 1.0, 1e9), 0.0, 1.0)
        self.water_kg *= share
        self.drying_kg *= share
        self.dry_kg *= share
        self.burning_kg *= share
        self.burn_out_kg *= share
        self.ash_kg *= share

    def room(self):
        """0..1: a full grate stops the ram."""
        return within(10.0 - 10.0 * self.mass_kg() / self.bed_full_kg, 0.0, 1.0)

    def mass_kg(self):
        """All that lies on the grate."""
        return (self.water_kg + self.drying_kg + self.dry_kg + self.burning_kg + self.burn_out_kg
                + self.ash_kg)

    def rates(self, grate_pct, air, air_heat, lit, flicker):
        """Rates of this moment; ``lit`` 0..1: whether it is hot enough to burn; ``flicker``: around 1."""
        self.speed = within(grate_pct, 0.0, 100.0) / self.grate_nominal_pct
        vigour = (0.2 + 0.8 * air) * (1.0 + self.grate_effect * (self.speed - 1.0)) * lit * flicker
        self.fire = vigour / self.burning_s
        self.last = vigour / self.burn_out_s
        edge = within(self.dry_kg, 0.0, self.burning_design_kg / self.burning_s * self.carry_s)
        self.carry = (self.speed * self.dry_kg + self.creep * edge) / self.carry_s
        self.drying = (1.0 - self.drying_by_air + self.drying_by_air * air_heat) / self.drying_s
        self.evaporation_kg_s = self.water_kg * self.drying
        # A bed beyond 2.5 times the design burns no faster.
        burning = within(self.burning_kg, 0.0, 2.5 * self.burning_design_kg)
        self.fire_kg_s = burning * self.fire
        self.last_kg_s = self.burn_out_kg * self.last
        self.burn_kg_s = self.fire_kg_s + self.last_kg_s
        self.unburnt_kg_s = self.burn_out_kg * self.speed / self.slag_s
        self.slag_kg_s = self.unburnt_kg_s + self.ash_kg * self.speed / self.slag_s

    def limit_evaporation(self, most_kg_s):
        """No more than there is heat for."""
        self.evaporation_kg_s = within(self.evaporation_kg_s, 0.0, most_kg_s)

    def advance(self, fed_kg, fed_water_kg, fed_combustible_kg, h):
        """Take what the rates say, and what was fed, for h seconds."""
        dried = h * self.drying * self.drying_kg
        if self.water_kg > 0.0:
            dried = h * self.evaporation_kg_s / self.water_kg * self.drying_kg
        carried = h * self.carry
        passed = h * self.speed / self.to_burn_out_s * self.burning_kg
        self.water_kg = positive(self.water_kg + fed_water_kg - h * self.evaporation_kg_s)
        self.drying_kg = positive(self.drying_kg + fed_combustible_kg - dried)
        self.dry_kg = positive(self.dry_kg + dried - carried)
        self.burning_kg = positive(self.burning_kg + carried - passed - h * self.fire_kg_s)
        self.burn_out_kg = positive(self.burn_out_kg + passed - h * (self.last_kg_s + self.unburnt_kg_s))
        ash = fed_kg - fed_water_kg - fed_combustible_kg
        self.ash_kg = positive(self.ash_kg + ash - h * (self.slag_kg_s - self.unburnt_kg_s))
