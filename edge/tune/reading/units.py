"""What a heading says of its unit: "Output [%]", "Time (min)", "time_ms", "t / s", "Temperatur in °C"."""

import re

# In s; clock forms have no factor of their own.
TIME = {
    "ns": 1e-9, "nanoseconds": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "microseconds": 1e-6,
    "ms": 1e-3, "msec": 1e-3, "millis": 1e-3, "milliseconds": 1e-3,
    "s": 1.0, "sec": 1.0, "secs": 1.0, "second": 1.0, "seconds": 1.0, "sekunden": 1.0, "с": 1.0, "сек": 1.0,
    "min": 60.0, "mins": 60.0, "minute": 60.0, "minutes": 60.0, "minuten": 60.0, "мин": 60.0,
    "h": 3600.0, "hr": 3600.0, "hrs": 3600.0, "hour": 3600.0, "hours": 3600.0, "stunden": 3600.0, "ч": 3600.0,
    "d": 86400.0, "day": 86400.0, "days": 86400.0, "tage": 86400.0,
}  # fmt: skip
CLOCKS = ("hh:mm:ss", "h:mm:ss", "hh:mm", "h:mm", "mm:ss", "m:ss")
PERCENT = ("%", "pct", "percent", "prozent", "% co", "%co", "% output")
FRACTION = ("fraction", "1", "p.u.", "pu", "per unit")
CELSIUS = (
    "c",
    "°c",
    "ºc",
    "degc",
    "deg c",
    "deg. c",
    "celsius",
    "deg celsius",
    "grad c",
    "oc",
    "˚c",
    "deg_c",
)
FAHRENHEIT = ("f", "°f", "ºf", "degf", "deg f", "deg. f", "fahrenheit", "deg fahrenheit", "˚f", "deg_f")
KELVIN = ("k", "°k", "kelvin", "degk", "deg k")
# A span said in words of numbers: "0..255", "0-1", "PWM 0 to 4095".
_SPAN = re.compile(
    r"(?:.*[^\d.,-])?(-?\d+(?:\.\d+)?)\s*(?:\.\.\.?|…|-|–|to|bis)\s*(\d+(?:\.\d+)?)\s*(?:%|[a-z]+)?"
)
_BRACKETS = re.compile(r"(.*?)[\[({<]\s*([^\])}>]*?)\s*(?:[\])}>]\s*(.*)|$)")
_BEHIND = re.compile(r"(.+?)(?:\s*/\s*|\s+in\s+|\s*,\s*|[\s_.]+)([^\s_.,/]+|deg[ _.]+[cfk])\.?")


def known(unit: str) -> bool:
    """Return whether this text is a unit of time, output or temperature."""
    unit = unit.casefold()
    return (
        unit in TIME or unit in CLOCKS or unit in PERCENT or is_temperature(unit) or unit in ("‰", "permille")
    )


def is_temperature(unit: str) -> bool:
    """Return whether this text is a unit of temperature."""
    return unit.casefold() in (*CELSIUS, *FAHRENHEIT, *KELVIN)


def span(unit: str):
    """Return (low, high) of the numbers that a unit says stand for 0 and 100 %, None where it says none."""
    unit = unit.casefold()
    if unit in PERCENT:
        return 0.0, 100.0
    if unit in FRACTION:
        return 0.0, 1.0
    if unit in ("‰", "permille"):
        return 0.0, 1000.0
    found = _SPAN.fullmatch(unit)
    if found is None or not float(found[1]) < float(found[2]):
        return None
    return float(found[1]), float(found[2])


def parts(heading: str) -> tuple:
    """Return (name in lower case, unit as written or "") of a heading."""
    text = heading.strip()
    found = _BRACKETS.fullmatch(text)
    if found:
        return _name(found[1] or found[3] or ""), found[2].strip()
    if text.casefold() in TIME and len(text) > 1:
        return "time", text
    found = _BEHIND.fullmatch(text)
    if found and known(found[2]):
        return _name(found[1]), found[2]
    # A percent sign needs no blank before it.
    if text.endswith("%"):
        return _name(text[:-1]), "%"
    return _name(text), ""


def _name(text: str) -> str:
    return " ".join(re.sub(r"[_\s]+", " ", text).strip(" :/,.-").casefold().split())
