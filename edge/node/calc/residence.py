"""How long the gas stays in a section."""

from edge.node.calc.calc import Calc

_ZERO_C = 273.15
_NAN = float("nan")


class Residence(Calc):
    """Time of the gas in a section, in s: volume / (flow (T + 273.15)/273.15), flow in Nm3/s, T in degC."""

    def __init__(self, name: str, spec: dict):
        Calc.__init__(self, name, spec)
        self._volume_m3 = spec["volume_m3"]

    def result(self, dt_s: float, now_ms: int) -> float:
        """The time; not a number without flow."""
        flow_nm3_s, temp_c = self.sources[0].value, self.sources[1].value
        if not (flow_nm3_s > 0.0 and temp_c > -_ZERO_C):
            return _NAN
        return self._volume_m3 * _ZERO_C / (flow_nm3_s * (temp_c + _ZERO_C))

    def undefined(self) -> str:
        """There is no flow."""
        return "no gas flows"
