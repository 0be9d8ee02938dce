"""What a node file has to know of each instrument family; registers are the drivers' business."""

from edge.box.config.fields import OPTIONAL, Choice, Date, Integer, Number, Switch
from edge.box.config.register_tables import DEVICE_KEYS
from edge.node.devices import m7019r
from edge.node.devices import table as drivers

HOUR_MS = 3600000

# How a device is kept from going on without its node.
BY_NODE = "node"  # the node arms it and refreshes it
BY_HAND = "hand"  # somebody arms it with a tool or at its panel; the node verifies that, and refreshes it
BY_ITSELF = "itself"  # it always watches its commands
NEVER = "never"  # it watches nobody


class Family:
    """One device type, by its name in a node file.

    ``sensors``: sensor -> (low, high, unit) of what can be read with it; ``lease``: one of the four above,
    None for a device without outputs; ``lease_ms``: (lowest, highest, step) of the lease that the node file
    states; ``holds``: whether the device itself can hold its last output when the lease ends; ``digital``:
    its outputs are on or off; ``keys``: its own keys. ``dcon``, as its driver says: it can be asked with DCON
    commands too.
    """

    def __init__(
        self,
        name: str,
        meaning: str,
        sensors=None,
        lease=None,
        lease_ms=None,
        lease_needed: bool = False,
        holds: bool = False,
        digital: bool = False,
        keys=None,
    ):
        self.name = name
        self.meaning = meaning
        self.sensors = sensors or {}
        self.lease = lease
        self.lease_ms = lease_ms
        self.holds = holds
        self.dcon = drivers.speaks_dcon(name)
        self.digital = digital
        self.keys = dict(keys or {})
        if lease_ms:
            self.keys = {**_lease_keys(lease, lease_ms, lease_needed), **self.keys}
        if self.dcon:
            self.keys.update(_DCON_KEYS)
        module = drivers.family(name)
        self._inputs = drivers.inputs(name)
        self._outputs = drivers.outputs(name)
        self._units = dict(getattr(module, "INPUT_UNITS", {}))

    @property
    def described(self) -> bool:
        """Its registers, and so its inputs and outputs, are described in the node file."""
        return self._inputs is None

    def inputs(self, device=None) -> list:
        """The names that signals can read; ``device``: its entry of the node file."""
        if self.described:
            return _registers(device, "read") + _readable(device)
        return self._up_to(self._inputs, device)

    def outputs(self, device=None) -> list:
        """The channels that outputs can drive."""
        if self.described:
            return _registers(device, "write")
        return self._up_to(self._outputs, device)

    def units(self, device=None) -> dict:
        """input -> unit; none where the sensor decides."""
        if self.described:
            registers = device.nested.get("register", {}) if device else {}
            found = {name: entry.get("unit") for name, entry in registers.items()}
            return {name: found[name] for name in self.inputs(device) if found.get(name) is not None}
        if self.digital:
            return dict.fromkeys(self._inputs, "")
        return self._units

    def _up_to(self, names: list, device) -> list:
        """A gateway has as many channels as the node file says."""
        count = device.get("actuators") if device else None
        return list(names) if count is None else names[:count]


def _registers(device, role: str) -> list:
    registers = device.nested.get("register", {}) if device else {}
    return [name for name, entry in registers.items() if entry.kind == role]


def _readable(device) -> list:
    """The registers of outputs that can be read back."""
    registers = device.nested.get("register", {}) if device else {}
    return [name for name in _registers(device, "write") if registers[name].get("actual") is None]


def _lease_keys(lease, lease_ms: tuple, needed: bool) -> dict:
    low, high, step = lease_ms
    meaning = "without a refresh for so long it falls to its safe values by itself; at least four ticks"
    if not needed:
        meaning += "; needed where an output drives it"
    fields = {"lease_ms": Integer(meaning, low, high, "ms", step=step)}
    if not needed:
        fields["lease_ms"].default = OPTIONAL
    if lease == BY_HAND:
        meaning = (
            "the day on which somebody set that time and the safe values in the device with its tool; "
            "needed where an output drives it"
        )
        fields["armed"] = Date(meaning, default=OPTIONAL)
    return fields


_DCON_KEYS = {
    "protocol": Choice("what it is set to speak", ("modbus", "dcon"), default="modbus"),
    "checksum": Switch("whether it is set to a DCON checksum; needed with dcon", default=OPTIONAL),
}
_COLD_JUNCTION = {"cold_junction": Switch("the temperature of its terminals is read too", default=False)}
_REGISTER_SCALE = {
    "register_scale": Choice(
        "what its Modbus registers count: range: 0 is the lower end of the sensor's range, 65536 the upper; "
        "zero: 0 is 0 degC, 65536 the upper end; signed: two's complement, 32768 is the upper end",
        ("range", "zero", "signed"),
        default="range",
    )
}
_ACTUATORS = {"actuators": Integer("how many there are on its MP-Bus, MP1 the first", 1, 8, default=1)}
_SET_POINTS = {
    "set_point_low": Number("the set-point at 0 % of its output, in degC", default=OPTIONAL),
    "set_point_high": Number("the set-point at 100 %; needed where an output drives it", default=OPTIONAL),
}

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


def _icpdas_sensors(kind: str) -> dict:
    return {name: (*_RANGES[name], unit) for name, unit in m7019r.sensors(kind).items()}


def _adam_sensors() -> dict:
    """The module's own ranges, which are narrower."""
    known = drivers.family("adam4018+").SENSORS
    return {name: (low, high, "degC") for name, (_, low, high) in known.items()}


_WATCHDOG = (100, 25500, 100)
FAMILIES = {
    family.name: family
    for family in (
        Family(
            "m7018",
            "ICP DAS M-7018: eight inputs for thermocouples, all of one type",
            sensors=_icpdas_sensors("m7018"),
            keys=_COLD_JUNCTION,
        ),
        Family(
            "m7019r",
            "ICP DAS M-7019R: eight inputs for thermocouples and currents",
            sensors=_icpdas_sensors("m7019r"),
            keys=_COLD_JUNCTION,
        ),
        Family(
            "adam4018+",
            "Advantech ADAM-4018+: eight inputs for thermocouples",
            sensors=_adam_sensors(),
            keys=_REGISTER_SCALE,
        ),
        Family(
            "adam4118",
            "Advantech ADAM-4118: eight inputs for thermocouples",
            sensors=_adam_sensors(),
            keys=_REGISTER_SCALE,
        ),
        Family("o2_analyser", "zirconia O2 analyser in the wet flue gas"),
        Family(
            "m7024",
            "ICP DAS M-7024: four analogue outputs 4-20 mA with a host watchdog",
            lease=BY_NODE,
            lease_ms=_WATCHDOG,
            lease_needed=True,
        ),
        Family(
            "adam4024",
            "Advantech ADAM-4024: four analogue outputs 4-20 mA with a communication watchdog",
            lease=BY_HAND,
            lease_ms=(100, 999900, 100),
        ),
        Family(
            "m7055",
            "ICP DAS M-7055: eight digital inputs and eight outputs with a host watchdog",
            lease=BY_NODE,
            lease_ms=_WATCHDOG,
            digital=True,
        ),
        Family(
            "m7065",
            "ICP DAS M-7065: four digital inputs and five relays with a host watchdog",
            lease=BY_NODE,
            lease_ms=_WATCHDOG,
            digital=True,
        ),
        Family(
            "adam4055",
            "Advantech ADAM-4055: eight digital inputs and eight outputs with a communication watchdog",
            lease=BY_HAND,
            lease_ms=(100, 6553500, 100),
            digital=True,
        ),
        Family(
            "adam4056",
            "Advantech ADAM-4056S or ADAM-4056SO: twelve digital outputs with a communication watchdog",
            lease=BY_HAND,
            lease_ms=(100, 6553500, 100),
            digital=True,
        ),
        Family(
            "ach550",
            "ABB ACH550: variable-speed drive on its embedded Modbus",
            lease=BY_NODE,
            lease_ms=(100, 60000, 100),
            lease_needed=True,
            holds=True,
        ),
        Family(
            "uk24mod",
            "Belimo UK24MOD: gateway to damper actuators on the MP-Bus",
            lease=NEVER,
            holds=True,
            keys=_ACTUATORS,
        ),
        Family(
            "eurotherm3200",
            "Eurotherm 3200 series: temperature controller, whose set-point can be driven",
            lease=NEVER,
            holds=True,
            keys=_SET_POINTS,
        ),
        Family(
            "s7800",
            "Honeywell 7800 series: burner control behind an S7800A keyboard display",
            lease=BY_ITSELF,
        ),
        Family(
            "modbus",
            "any Modbus RTU device, described register by register in the node file",
            lease=BY_NODE,
            lease_ms=(100, HOUR_MS, 100),
            holds=True,
            keys=DEVICE_KEYS,
        ),
    )
}
