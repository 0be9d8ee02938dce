"""The emulated burner control: a burner that another device modulates burns only while its sequence says so."""

from edge.emulator.instruments.s7800 import S7800
from edge.node.devices import s7800 as registers


class Furnace:
    flame_pct = 0.0


def flame_after(control, first_s, last_s, seconds):
    """Step through first_s..last_s; the flame after each of ``seconds``."""
    seen = {}
    for at_s in range(first_s, last_s + 1):
        control.step(at_s * 1000000)
        if at_s in seconds:
            seen[at_s] = control.percent[1]
    return seen


def test_the_flame_is_there_from_main_ignition_on_and_goes_with_a_lockout():
    control = S7800("burner_control", 4, 5, proves="flame_pct")
    control.connect(Furnace(), None)
    control.start(0)
    assert flame_after(control, 1, 9, {9}) == {9: 0.0}  # off until it is asked
    assert control.write_registers(registers.COMMAND, [registers.LOW_FIRE], 10000000) == 0
    # Purge 30 s, pilot 10 s, main 10 s.
    assert flame_after(control, 10, 70, {39, 49, 52, 70}) == {39: 0.0, 49: 0.0, 52: 100.0, 70: 100.0}
    control.begin_fault("no_flame", None, 71000000)
    assert flame_after(control, 71, 73, {72, 73}) == {72: 0.0, 73: 0.0}
    assert control.fault


def test_a_burner_that_burns_at_the_start_is_taken_over_burning():
    furnace = Furnace()
    furnace.flame_pct = 100.0
    control = S7800("burner_control", 4, 5, proves="flame_pct")
    control.connect(furnace, None)
    control.step(250000)
    assert control.percent[1] == 100.0
