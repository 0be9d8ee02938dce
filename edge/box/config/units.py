"""The units that a node file may name, and how people write them otherwise."""

UNITS = {
    "": "a ratio, a state or a count",
    "%": "percent",
    "degC": "degree Celsius",
    "Pa": "pascal",
    "kPa": "kilopascal",
    "mbar": "millibar",
    "bar": "bar",
    "kg/h": "kilogram per hour",
    "kg/s": "kilogram per second",
    "t/h": "tonne per hour",
    "m3/h": "cubic metre per hour",
    "Nm3/h": "cubic metre per hour at 0 degC and 1013.25 hPa",
    "Nm3/s": "cubic metre per second at 0 degC and 1013.25 hPa",
    "K": "kelvin, of calcs that need the absolute temperature",
    "degC/min": "degree Celsius per minute",
    "MJ/kg": "megajoule per kilogram",
    "s": "second",
    "kW": "kilowatt",
    "MW": "megawatt",
    "ppm": "parts per million by volume",
    "mg/Nm3": "milligram per cubic metre at 0 degC and 1013.25 hPa",
    "m": "metre",
    "mm": "millimetre",
    "m/s": "metre per second",
    "kg": "kilogram",
    "t": "tonne",
    "Hz": "hertz",
    "rpm": "revolution per minute",
    "mA": "milliampere",
    "A": "ampere",
    "V": "volt",
}

# Other spellings -> the one that is read.
SPELLINGS = {
    "°C": "degC",
    "℃": "degC",
    "C": "degC",
    "celsius": "degC",
    "percent": "%",
    "tph": "t/h",
    "m³/h": "m3/h",
    "Nm³/h": "Nm3/h",
    "Nm³/s": "Nm3/s",
    "mg/Nm³": "mg/Nm3",
    "1": "",
}

# Other units -> what to do.
OTHERS = {
    "°F": 'temperatures are in "degC"',
    "degF": 'temperatures are in "degC"',
    "psi": 'pressures are in "Pa", "kPa", "mbar" or "bar"',
}
