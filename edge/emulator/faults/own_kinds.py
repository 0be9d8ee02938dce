"""The faults of instruments themselves, which their classes list in ``FAULTS``: name -> (argument, about)."""

OWN_KINDS = {
    "reset": ("", "power cycle: silent while it starts, unsaved settings lost"),
    "frozen": ("", "registers stay as they are"),
    "burnt_out": ("input, as `ai0`", "a broken thermocouple"),
    "shorted": ("input, as `ai0`", "a shorted thermocouple: it shows the temperature of its terminals"),
    "watchdog": ("", "the module's watchdog over its host trips: safe values"),
    "trip": ("fault code", "a drive trips"),
    "local": ("", "a drive is switched to local: it does not obey the line"),
    "jammed": ("actuator", "an actuator stays where it is"),
    "lost": ("actuator", "an actuator is not on its gateway's bus"),
    "failed": ("error bits", "an analyser says that it has failed"),
    "lockout": ("reason", "a burner control locks out"),
    "no_flame": ("", "a burner control sees no flame"),
}


def about(instrument, kind: str) -> tuple:
    """Argument and sentence of a fault of an instrument."""
    argument, sentence = OWN_KINDS[kind]
    return (argument if kind in instrument.ARGUMENTS else ""), sentence
