"""Fans, ducts and draught of the grate line.

Head of a fan follows its speed squared, flow the root of the pressure that is left for it; leaks go both ways.
The furnace pressure rises with the gas that is made and not drawn off.
"""

from edge.emulator.models.grate_maths import root, root_slope, within


class Draught:
    """flows() at the present pressure; advance() moves the pressure. All flows in kg/s."""

    def begin(self, line, gas_kg_s, air_kg_s):
        """Conductances, and heads in Pa per % squared, that meet the nominal point: flue gas and air, kg/s."""
        p = line.draught_nominal_pa
        self.stack_pa = line.stack_pa
        self.primary_design_kg_s = line.primary_share * air_kg_s
        secondary = within(air_kg_s - self.primary_design_kg_s - line.ingress_nominal_kg_s, 0.0, air_kg_s)
        self.primary_head = line.primary_head_pa / line.primary_nominal_pct / line.primary_nominal_pct
        self.secondary_head = line.secondary_head_pa / line.secondary_nominal_pct / line.secondary_nominal_pct
        self.id_head = (line.gas_path_pa - p - line.stack_pa) / line.id_nominal_pct / line.id_nominal_pct
        self.primary_k = self.primary_design_kg_s / root(line.primary_head_pa - p)
        self.secondary_k = secondary / root(line.secondary_head_pa - p)
        self.ingress_k = line.ingress_nominal_kg_s / root(-p)
        self.path_k = gas_kg_s / root(line.gas_path_pa)
        self.draught_pa = p
        self.flows(line.primary_nominal_pct, line.secondary_nominal_pct, line.id_nominal_pct)
        self.draught_kg_pa = line.draught_lag_s * self.flow_slope

    def flows(self, primary_pct, secondary_pct, id_pct):
        """Air, ingress, flue gas at the present draught, k root(head speed^2 - pressure).

        flow_slope is what surplus() loses by a rise of draught, kg/(s Pa).
        """
        p = self.draught_pa
        x = within(primary_pct, 0.0, 100.0)
        x = within(self.primary_head * x * x - p, 0.0, 1e6)
        self.primary_air_kg_s = self.primary_k * root(x)
        y = within(secondary_pct, 0.0, 100.0)
        y = within(self.secondary_head * y * y - p, 0.0, 1e6)
        self.secondary_air_kg_s = self.secondary_k * root(y)
        z = within(id_pct, 0.0, 100.0)
        z = within(self.id_head * z * z + self.stack_pa + p, 0.0, 1e6)
        self.flue_gas_kg_s = self.path_k * root(z)
        self.ingress_kg_s = self.ingress_k * root(-p)
        self.flow_slope = (self.primary_k * root_slope(x) + self.secondary_k * root_slope(y)
                           + self.path_k * root_slope(z) + self.ingress_k * root_slope(p))

    def surplus(self, made_kg_s):
        """Gas made and air drawn less gas drawn off."""
        return (self.primary_air_kg_s + self.secondary_air_kg_s + self.ingress_kg_s + made_kg_s
                - self.flue_gas_kg_s)

    def settle(self, made_kg_s):
        """Half a step towards the pressure at which nothing is left over."""
        self.draught_pa += 0.5 * self.surplus(made_kg_s) / self.flow_slope

    def advance(self, made_kg_s, h):
        """h seconds with so much gas from bed and burners."""
        self.draught_pa += h * self.surplus(made_kg_s) / (self.draught_kg_pa + h * self.flow_slope)
