"""Thermocouples on the terminals of a module: electromotive force less that of the cold junction."""

from cext.thermocouple import K, emf_mv, measured_temp_c
from cext.thermocouple_base import E, J, N, T
from cext.thermocouple_noble import B, R, S

# sensor -> its reference function
KINDS = {"J": J, "K": K, "T": T, "E": E, "N": N, "R": R, "S": S, "B": B}


class Terminals:
    """The terminals of a module at ``cold_junction_c``, degC."""

    def __init__(self, cold_junction_c: float):
        self.cold_junction_c = cold_junction_c
        self._emf_cold_mv = {sensor: emf_mv(cold_junction_c, kind) for sensor, kind in KINDS.items()}

    def temp_c(self, hot_c: float, sensor: str, taken_for: str) -> float:
        """What a module reads that takes the thermocouple for another type; NaN out of range."""
        voltage_mv = emf_mv(hot_c, KINDS[sensor]) - self._emf_cold_mv[sensor]
        return measured_temp_c(voltage_mv, self.cold_junction_c, KINDS[taken_for])
