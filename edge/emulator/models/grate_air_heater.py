"""Air heater of the grate line: heats the primary air with steam, and so what the air does of the drying."""

from edge.emulator.models.grate_maths import within


class AirHeater:
    """settle() or advance(); temp_c is the air behind it. ``share``: primary air over that of the design."""

    def begin(self, line):
        """Parameters of the line."""
        self.ambient_c = line.ambient_c
        self.steam_k = line.air_heater_steam_c - line.ambient_c
        self.lag_s = line.air_heater_lag_s
        self.resistance = self.steam_k / within(line.air_heater_rise_k, 1.0, 0.98 * self.steam_k) - 1.0
        # What the air brings at the nominal point, with the valve half open.
        self.nominal_rise_k = 0.5 / (0.5 + self.resistance) * self.steam_k
        self.temp_c = self.ambient_c

    def steady_c(self, valve_pct, share):
        """Steady outlet: effectiveness v/(v + r flow) of valve v and relative flow."""
        valve = within(valve_pct, 0.0, 100.0) * 0.01
        if valve <= 0.0:
            return self.ambient_c
        return self.ambient_c + valve / (valve + self.resistance * share) * self.steam_k

    def settle(self, valve_pct, share):
        """As it has been for long."""
        self.temp_c = self.steady_c(valve_pct, share)

    def advance(self, valve_pct, share, h):
        """h seconds."""
        self.temp_c += h / (self.lag_s + h) * (self.steady_c(valve_pct, share) - self.temp_c)

    def heat(self, share):
        """Heat of the air over that of the nominal point."""
        return share * within(self.temp_c - self.ambient_c, 0.0, 1000.0) / self.nominal_rise_k
