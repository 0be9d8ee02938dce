"""Units in headings."""

import pytest

from edge.tune.reading.units import known, parts, span


@pytest.mark.parametrize(
    ("heading", "name", "unit"),
    [
        ("Time (min)", "time", "min"), ("time [ms]", "time", "ms"), ("t / s", "t", "s"),
        ("time_ms", "time", "ms"),
        ("t [h]", "t", "h"), ("seconds", "time", "seconds"), ("millis", "time", "millis"),
        ("Output [PWM 0..255]", "output", "PWM 0..255"), ("Output %", "output", "%"),
        ("output_pct", "output", "pct"),
        ("Temperature (°F)", "temperature", "°F"), ("Temperatur in °C", "temperatur", "°C"),
        ("pv_c", "pv", "c"),
        ("Temp, degF", "temp", "degF"), ("Time", "time", ""), ("Controller_Output", "controller output", ""),
        ("Temperature [°C", "temperature", "°C"), ("PV (bar)", "pv", "bar"), ("U%", "u", "%"),
        ("process_value", "process value", ""), ("T1", "t1", ""), ("", "", ""),
    ],
)  # fmt: skip
def test_parts_of_a_heading(heading, name, unit):
    assert parts(heading) == (name, unit)


@pytest.mark.parametrize(
    ("unit", "numbers"),
    [("%", (0.0, 100.0)), ("0-1", (0.0, 1.0)), ("PWM 0..255", (0.0, 255.0)), ("0 to 5000", (0.0, 5000.0)),
     ("4-20 mA", (4.0, 20.0)), ("mA 4-20", (4.0, 20.0)), ("fraction", (0.0, 1.0)), ("V", None), ("", None),
     ("0 bis 4095", (0.0, 4095.0)), ("20-4", None)],
)  # fmt: skip
def test_the_span_that_a_unit_says(unit, numbers):
    assert span(unit) == numbers


def test_known_units():
    assert all(map(known, ("s", "MS", "°C", "degC", "%", "hh:mm:ss", "K")))
    assert not any(map(known, ("", "bar", "output", "Q1")))
