"""Auxiliary burners of the grate line: natural gas with air of its own, behind a burner control."""

from edge.emulator.models.grate_maths import positive, within

HEATING_VALUE_J_KG = 50.0e6  # methane
METHANE_KG_MOL = 0.016043
AIR_KG_MOL = 0.0289647


class Burner:
    """rates() of this moment: fuel_mol and air_mol a second, gas_kg_s; advance() follows the position.

    CH4 + 2 O2, with burner_lambda times the air.
    """

    def begin(self, line):
        """Parameters of the line; out."""
        self.full_w = line.burner_mw * 1e6
        self.lag_s = line.burner_lag_s
        self.air_ratio = line.burner_lambda
        self.heat_w = self.given_w = self.fuel_kg = 0.0

    def target(self, burner_pct, flame_pct):
        """Heat at this position, W; none without a flame."""
        if flame_pct >= 50.0:
            return within(burner_pct, 0.0, 100.0) * 0.01 * self.full_w
        return 0.0

    def settle(self, burner_pct, flame_pct):
        """As it has been for long."""
        self.heat_w = self.given_w = self.target(burner_pct, flame_pct)

    def rates(self):
        """What it burns now."""
        self.fuel_mol = self.heat_w / (HEATING_VALUE_J_KG * METHANE_KG_MOL)
        self.air_mol = self.fuel_mol * 2.0 * self.air_ratio / 0.2095
        self.gas_kg_s = self.fuel_mol * METHANE_KG_MOL + self.air_mol * AIR_KG_MOL

    def advance(self, burner_pct, flame_pct, h):
        """h seconds; given_w is the heat that the furnace got."""
        self.given_w = self.heat_w
        self.fuel_kg += h * self.heat_w / HEATING_VALUE_J_KG
        wanted = self.target(burner_pct, flame_pct)
        self.heat_w = positive(self.heat_w + h / (self.lag_s + h) * (wanted - self.heat_w))
