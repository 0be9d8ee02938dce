"""What a node file has to know of each instrument family; registers are the drivers' business."""

from edge.node.devices import m7019r
from edge.node.devices.table import FAMILIES as DRIVERS


class Family:
    """One device type, by its name in a node file.

    ``inputs`` and ``outputs``: names as in the driver; ``units``: input -> unit, empty where the
    sensor decides; ``sensors``: sensor -> (low, high, unit) of what can be read with it; ``lease_ms``:
    (lowest, highest, step) of the output lease or None; ``holds``: whether the device itself can hold
    its last output when the lease ends.
    """

    def __init__(self, name: str, meaning: str, sensors=None, lease_ms=None, holds: bool = False):
        driver = DRIVERS[name]
        self.name = name
        self.meaning = meaning
        self.inputs = list(driver.INPUTS)
        self.outputs = list(driver.OUTPUTS)
        self.units = dict(getattr(driver, "INPUT_UNITS", {}))
        self.sensors = sensors or {}
        self.lease_ms = lease_ms
        self.holds = holds


# Ranges of the reference functions of ITS-90 (NIST Monograph 175), degC.
THERMOCOUPLES = {
    "B": (0.0, 1820.0),
    "E": (-270.0, 1000.0),
    "J": (-210.0, 1200.0),
    "K": (-270.0, 1372.0),
    "N": (-270.0, 1300.0),
    "R": (-50.0, 1768.1),
    "S": (-50.0, 1768.1),
    "T": (-270.0, 400.0),
}
LIVE_ZERO = "4-20mA"
_CURRENTS = {LIVE_ZERO: (m7019r.CURRENT_LOW_MA, m7019r.CURRENT_HIGH_MA), "0-20mA": (0.0, 20.0)}
_RANGES = {**THERMOCOUPLES, **_CURRENTS}

FAMILIES = {
    family.name: family
    for family in (
        Family(
            "m7019r",
            "ICP DAS M-7019R: eight inputs for thermocouples and currents",
            sensors={name: (*_RANGES[name], unit) for name, (_, _, unit) in m7019r.SENSORS.items()},
        ),
        Family("o2_analyser", "zirconia O2 analyser in the wet flue gas"),
        Family(
            "m7024",
            "ICP DAS M-7024: four analogue outputs 4-20 mA with a host watchdog",
            lease_ms=(100, 25500, 100),
        ),
        Family(
            "ach550",
            "ABB ACH550: variable-speed drive on its embedded Modbus",
            lease_ms=(100, 60000, 100),
            holds=True,
        ),
    )
}
