"""Boiler and turbine of the grate line: heat to steam, drum pressure, and net electricity.

    dQ/dt = (heat in - Q)/T                     Q: heat that makes steam, W; T: lag of metal and water
    dp/dt = (made - turbine - bypass - relief)/C            C: steam that the water gives per MPa

Own choice: the turbine holds the pressure with its valve (initial-pressure control, droop), so that steam
follows the fire. Without it (``turbine_on`` 0) the pressure rises until the bypass to the condenser opens, and
beyond that the safety valve, which closes 0.15 MPa lower.
"""

from edge.emulator.models.grate_maths import positive, within

RELIEF_BLOWS_DOWN_MPA = 0.15
BYPASS_OVER_MPA = 0.1  # from closed to open


class Boiler:
    """settle() at a steady heat, advance() in time. The meter of live steam sees turbine and bypass."""

    def begin(self, line):
        """Parameters of the line; pressure in the middle of the turbine's droop."""
        for name in ("steam_lag_s", "steam_kj_kg", "cycle", "own_use", "power_lag_s", "drum_mpa", "droop_mpa",
                     "drum_kg_mpa", "turbine_t_h", "bypass_mpa", "bypass_t_h", "bypass_lag_s", "relief_mpa",
                     "relief_t_h"):
            setattr(self, name, getattr(line, name))
        self.pressure_mpa = self.drum_mpa
        self.bypass_kg_s = self.relief_kg_s = self.relieving = self.energy_j = 0.0
        self.settle(0.0, 0.0, 1.0)

    def settle(self, heat_w, heater_w, turbine_on):
        """The steady state with turbine; ``heater_w``: what the air heater takes."""
        self.heat_w = positive(heat_w)
        made = self.heat_w * 0.001 / self.steam_kj_kg
        share = within(made * 3.6 / self.turbine_t_h, 0.0, 1.0)
        self.pressure_mpa = self.drum_mpa + self.droop_mpa * (2.0 * share - 1.0)
        self.flows(turbine_on)
        self.power_w = self.net_power(heater_w)

    def flows(self, turbine_on):
        """What turbine and safety valve take at the present pressure."""
        over = self.pressure_mpa - self.drum_mpa
        valve = within(0.5 + 0.5 * over / self.droop_mpa, 0.0, 1.0)
        self.turbine_kg_s = 0.0
        if turbine_on > 0.0:
            self.turbine_kg_s = valve * self.turbine_t_h / 3.6
        if self.pressure_mpa > self.relief_mpa:
            self.relieving = 1.0
        elif self.pressure_mpa < self.relief_mpa - RELIEF_BLOWS_DOWN_MPA:
            self.relieving = 0.0
        self.relief_kg_s = self.relieving * self.relief_t_h / 3.6

    def net_power(self, heater_w):
        """Net electricity in the steady state, W, of the turbine's steam less that of the air heater."""
        heat = self.turbine_kg_s * self.steam_kj_kg * 1000.0 - heater_w
        return within(self.cycle * heat * (1.0 - self.own_use), 0.0, 1e12)

    def stored_j(self):
        """Energy in metal, water and steam, J, from a zero of its own."""
        return self.steam_lag_s * self.heat_w + self.drum_kg_mpa * self.pressure_mpa * self.steam_kj_kg * 1000.0

    def advance(self, heat_w, heater_w, turbine_on, h):
        """h seconds with heat_w from the furnace; out_w is the steam's heat that has left meanwhile."""
        self.heat_w = positive(self.heat_w + h / (self.steam_lag_s + h) * (heat_w - self.heat_w))
        self.flows(turbine_on)
        wanted = within((self.pressure_mpa - self.bypass_mpa) / BYPASS_OVER_MPA, 0.0, 1.0) * self.bypass_t_h / 3.6
        self.bypass_kg_s = positive(self.bypass_kg_s
                                    + h / (self.bypass_lag_s + h) * (wanted - self.bypass_kg_s))
        taken = self.turbine_kg_s + self.bypass_kg_s + self.relief_kg_s
        self.out_w = taken * self.steam_kj_kg * 1000.0
        made = self.heat_w * 0.001 / self.steam_kj_kg
        self.pressure_mpa += h * (made - taken) / self.drum_kg_mpa
        power = self.net_power(heater_w)
        self.power_w = positive(self.power_w + h / (self.power_lag_s + h) * (power - self.power_w))
        self.energy_j += h * self.power_w
