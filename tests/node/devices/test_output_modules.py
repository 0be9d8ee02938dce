"""Drivers of output and digital modules against their emulation: driving, leases, watchdogs, power cycles."""

from types import SimpleNamespace

import pytest

from edge.emulator.instruments.adam4024 import Adam4024
from edge.emulator.instruments.adam4055 import Adam4055, Adam4056
from edge.emulator.instruments.digital import Contacts
from edge.emulator.instruments.instrument import NEVER_US
from edge.emulator.instruments.m7024 import M7024
from edge.emulator.instruments.m7065 import M7055, M7065
from edge.node.devices import adam4024, m7024, m7065
from tests.node.devices.rig import Rig

ANALOGUE = {"ao0": "burner_pct", "ao1": "heater_pct"}
SAFE_PCT = {"ao0": 0.0, "ao1": 5.0}
SWITCHES = {"do0": "burner_pct", "do2": "heater_pct"}
SAFE_ON = {"do0": 0.0, "do2": 100.0}
LEASE_S = 3.0


def spoken(module, protocol, checksum=False):
    module.protocol, module.checksum = protocol, checksum
    return module


def contacts():
    return Contacts([(0, "pressure", 10.0), (3, "level", 50.0)])


def analogue(kind, protocol):
    if kind == "adam4024":
        return Adam4024("out", 1, 5, ANALOGUE, LEASE_S, {"ao1": 5.0})
    module = M7024("out", 1, 5, ANALOGUE)
    for i, percent in enumerate((0.0, 5.0)):
        module.holding.put(m7024.AO_SAFE_VALUE + i, m7024.counts(percent))
    return spoken(module, protocol)


def digital(kind, protocol):
    if kind.startswith("adam"):
        family = {"adam4055": Adam4055, "adam4056": Adam4056}[kind]
        return family("out", 1, 5, SWITCHES, contacts() if kind == "adam4055" else None, {"do2"}, LEASE_S)
    family = {"m7055": M7055, "m7065": M7065}[kind]
    return spoken(family("out", 1, 5, SWITCHES, contacts(), {"do2"}), protocol)


def rig(kind, protocol="modbus"):
    model = SimpleNamespace(burner_pct=0.0, heater_pct=100.0, pressure=0.0, level=80.0)
    if kind in ("m7024", "adam4024"):
        module, safe = analogue(kind, protocol), SAFE_PCT
    else:
        module, safe = digital(kind, protocol), SAFE_ON
    spec = {"type": kind, "protocol": protocol, "lease_ms": int(LEASE_S * 1000)}
    return Rig(spec, module, model, None, safe)


ANALOGUE_KINDS = [("m7024", "modbus"), ("m7024", "dcon"), ("adam4024", "modbus")]
DIGITAL_KINDS = [
    ("m7055", "modbus"), ("m7055", "dcon"), ("m7065", "modbus"), ("m7065", "dcon"),
    ("adam4055", "modbus"), ("adam4056", "modbus"),
]  # fmt: skip
KINDS = ANALOGUE_KINDS + DIGITAL_KINDS
ICPDAS = [(kind, protocol) for kind, protocol in KINDS if not kind.startswith("adam")]


def stopped(line, seconds):
    """The node is gone for so long: nobody asks, the module lives on."""
    bus_step = line._bus.step
    line._bus.step = lambda now_us: now_us + 1000000
    line.run(seconds)
    line._bus.step = bus_step


@pytest.mark.parametrize(("kind", "protocol"), ANALOGUE_KINDS)
def test_an_analogue_output_follows_and_is_read_back(kind, protocol):
    line = rig(kind, protocol)
    line.run(2)
    assert line.driver.actual(1) == pytest.approx(100.0), "taken over as it stands"
    line.demands = {0: 37.5, 1: 62.5}
    line.run(1.5)
    assert line.instrument.percent[:2] == pytest.approx([37.5, 62.5], abs=0.02)
    assert line.good("ao0") == pytest.approx(37.5, abs=0.02)
    assert line.driver.actual(0) == pytest.approx(37.5, abs=0.02)


@pytest.mark.parametrize(("kind", "protocol"), DIGITAL_KINDS)
def test_a_digital_output_is_on_from_50_percent_on(kind, protocol):
    line = rig(kind, protocol)
    line.run(2)
    assert line.driver.actual(2) == 100.0
    line.demands = {0: 50.0, 2: 49.9}
    line.run(1)
    assert line.instrument.percent[0] == 100.0 and line.instrument.percent[2] == 0.0
    assert (line.good("do0"), line.good("do2")) == (1.0, 0.0)
    assert line.driver.actual(0) == 100.0


@pytest.mark.parametrize(("kind", "protocol"), [pair for pair in DIGITAL_KINDS if pair[0] != "adam4056"])
def test_a_contact_is_a_signal_of_0_or_1(kind, protocol):
    line = rig(kind, protocol)
    line.run(2)
    assert (line.good("di0"), line.good("di3")) == (0.0, 1.0)
    line.model.pressure, line.model.level = 10.0, 49.0
    line.run(1)
    assert (line.good("di0"), line.good("di3")) == (1.0, 0.0)
    line.fault("silence")
    line.run(4)
    assert line.driver.station.down, "and without the module there is none"


@pytest.mark.parametrize(("kind", "protocol"), KINDS)
def test_a_steady_output_keeps_the_lease(kind, protocol):
    line = rig(kind, protocol)
    line.run(2)
    line.demands = {i: 100.0 for i in line.driver.used}
    line.run(1)
    line.run(60)
    assert line.instrument.lease_state() == {"armed": True, "expired": False}
    writes = [at for at, data in line.requests if at > 3000000 and is_write(data)]
    gaps = [later - earlier for earlier, later in zip(writes, writes[1:], strict=False)]
    assert max(gaps) <= LEASE_S / 3 * 1e6 + 300000
    assert min(gaps) >= 900000 or protocol == "dcon", "and not more often"


def is_write(data):
    return data[1] in (5, 6, 15, 16) or data[:1] in (b"~", b"@") and len(data) > 4 or data[:1] == b"#"


@pytest.mark.parametrize(("kind", "protocol"), KINDS)
def test_when_the_node_dies_the_module_goes_to_its_safe_values_in_time(kind, protocol):
    line = rig(kind, protocol)
    line.run(2)
    line.demands = {line.driver.used[0]: 100.0, line.driver.used[1]: 0.0}
    line.run(2)
    stopped(line, LEASE_S - 1.3)
    assert not line.instrument.lease_state()["expired"]
    stopped(line, 1.8)
    assert line.instrument.lease_state()["expired"]
    second = line.driver.used[1]
    assert line.instrument.percent[line.driver.used[0]] == 0.0
    assert line.instrument.percent[second] == pytest.approx(100.0 if second == 2 else 5.0, abs=0.02)


@pytest.mark.parametrize(("kind", "protocol"), KINDS)
def test_a_tripped_watchdog_is_seen_cleared_and_armed_anew(kind, protocol):
    line = rig(kind, protocol)
    line.run(2)
    line.demands = {line.driver.used[0]: 100.0, line.driver.used[1]: 0.0}
    line.run(2)
    line.fault("watchdog")
    line.run(4)
    assert line.driver.ready
    assert line.instrument.percent[line.driver.used[0]] == 100.0, "it follows again"
    name = "safety" if kind.startswith("adam") else "watchdog"
    assert line.good(name) == (1.0 if kind.startswith("adam") else 0.0)
    stopped(line, LEASE_S + 0.5)
    assert line.instrument.percent[line.driver.used[0]] == 0.0, "and is armed again"


@pytest.mark.parametrize(("kind", "protocol"), KINDS)
def test_after_a_power_cycle_it_follows_again_and_is_armed(kind, protocol):
    line = rig(kind, protocol)
    line.run(2)
    line.demands = {i: 100.0 for i in line.driver.used}
    line.run(2)
    line.fault("reset")
    line.run(8)
    assert [line.instrument.percent[i] for i in line.driver.used] == pytest.approx([100.0, 100.0])
    assert line.instrument.lease_state()["armed"]
    stopped(line, LEASE_S + 0.5)
    assert line.instrument.percent[line.driver.used[0]] == 0.0


@pytest.mark.parametrize(("kind", "protocol"), KINDS)
def test_what_was_wanted_before_is_forgotten_until_the_outputs_have_been_read_back(kind, protocol):
    line = rig(kind, protocol)
    line.run(2)
    line.demands = {line.driver.used[0]: 100.0, line.driver.used[1]: 0.0}
    line.run(2)
    line.driver.verified(line.clock.now_ms())
    assert line.driver.actual(line.driver.used[0]) is None
    line.driver.verify_again("test")
    line.demands = {}
    line.run(0.25)
    while not line.driver.ready:
        line.run(0.05)
    assert line.driver.actual(line.driver.used[0]) == pytest.approx(100.0)
    writes = len([data for _, data in line.requests if is_write(data)])
    line.run(5)
    if protocol == "modbus":
        assert len([data for _, data in line.requests if is_write(data)]) == writes, "nobody asks for more"


@pytest.mark.parametrize(("kind", "protocol"), ICPDAS)
def test_a_watchdog_that_is_no_longer_enabled_is_enabled_again(kind, protocol):
    line = rig(kind, protocol)
    line.run(2)
    line.demands = {line.driver.used[0]: 100.0, line.driver.used[1]: 0.0}
    line.run(2)
    line.instrument.coils.put(m7065.COIL_WATCHDOG_ENABLE, 0)
    line.instrument.arm()
    line.instrument.expires_us = NEVER_US
    line.run(6)
    assert line.instrument.lease_state() == {"armed": True, "expired": False}
    assert line.instrument.percent[line.driver.used[0]] == 100.0


def test_an_adam_whose_watchdog_acts_a_second_time_is_noticed_by_its_outputs():
    """Its flag is set since the first time."""
    for kind in ("adam4024", "adam4055", "adam4056"):
        line = rig(kind)
        line.run(2)
        line.demands = {line.driver.used[0]: 100.0, line.driver.used[1]: 0.0}
        line.run(2)
        told = []
        verify_again = line.driver.verify_again
        line.driver.verify_again = lambda why, told=told, go=verify_again: (told.append(why), go(why))
        for times in (1, 2):
            # Between two refreshes.
            line.run(0.3)
            line.fault("watchdog")
            line.clear()
            line.run(3)
            assert told == ["its outputs have moved by themselves"] * times
            assert line.instrument.percent[line.driver.used[0]] == 100.0


@pytest.mark.parametrize(("kind", "protocol"), KINDS)
def test_a_lost_module_is_left_alone_until_its_watchdog_has_acted(kind, protocol):
    line = rig(kind, protocol)
    assert line.driver.rest_ms == LEASE_S * 1000 + 500


@pytest.mark.parametrize(("kind", "protocol"), KINDS)
def test_a_command_is_pending_until_it_is_answered(kind, protocol):
    line = rig(kind, protocol)
    line.run(2)
    channel = line.driver.used[0]
    assert line.driver.pending_since_ms(channel) == -1, "nothing is asked for"
    line.demands = {line.driver.used[0]: 100.0, line.driver.used[1]: 0.0}
    line._tick(line.clock.now_us())
    assert line.driver.pending_since_ms(channel) == line.clock.now_ms()
    line.run(0.5)
    assert line.driver.pending_since_ms(channel) == -1
    line.fault("silence")
    line.demands = {line.driver.used[0]: 0.0, line.driver.used[1]: 0.0}
    line._tick(line.clock.now_us())
    line.run(0.25)
    assert line.driver.pending_since_ms(channel) >= 0 or not line.driver.ready, "nobody has answered"


@pytest.mark.parametrize("kind", ["m7024", "m7055", "m7065"])
def test_over_modbus_safe_values_and_time_are_written_where_they_differ(kind):
    line = rig(kind)
    assert line.instrument.lease_state()["armed"] is False
    line.instrument.holding.put(m7065.HOST_WATCHDOG_TIMEOUT, 255)
    if kind != "m7024":
        line.instrument.coils.put(m7065.DO_SAFE_VALUE, 1)
    line.run(2)
    assert line.driver.ready
    assert line.instrument.lease_state()["armed"] is True
    assert line.instrument.lease_us == LEASE_S * 1000000
    if kind != "m7024":
        assert [line.instrument.coils.get(m7065.DO_SAFE_VALUE + i) for i in (0, 1, 2)] == [0, 0, 1]


@pytest.mark.parametrize("kind", ["m7024", "m7055", "m7065"])
def test_over_dcon_another_safe_value_is_told_and_never_written(kind):
    line = rig(kind, "dcon")
    if kind == "m7024":
        line.instrument.holding.put(m7024.AO_SAFE_VALUE, m7024.counts(50.0))
    else:
        line.instrument.coils.put(m7065.DO_SAFE_VALUE + 2, 0)
    line.run(4)
    assert not line.driver.ready
    assert "safe value" in line.driver.fault and "the node file says" in line.driver.fault
    assert not line.asked(b"~015")


@pytest.mark.parametrize("kind", ["adam4024", "adam4055", "adam4056"])
def test_an_adam_that_nobody_armed_is_not_driven(kind):
    line = rig(kind)
    line.instrument.arm(adam4024, None)
    line.demands = {line.driver.used[0]: 100.0}
    line.run(5)
    assert not line.driver.ready
    assert "communication safety enable (40215) is 0, the node file says 1" in line.driver.fault
    assert line.instrument.percent[line.driver.used[0]] == 0.0


@pytest.mark.parametrize("kind", ["adam4024", "adam4055", "adam4056"])
def test_an_adam_that_loses_its_arming_while_it_runs_is_noticed(kind):
    line = rig(kind)
    line.run(3)
    assert line.driver.ready
    line.instrument.arm(adam4024, None)
    line.run(1)
    assert not line.driver.ready


@pytest.mark.parametrize("kind", ["m7024", "m7065"])
def test_a_module_of_other_settings_in_its_place_is_set_up_before_it_is_driven(kind):
    line = rig(kind)
    line.run(3)
    line.fault("silence")
    line.run(5)
    line.clear()
    line.put(rig(kind).instrument)
    line.demands = {line.driver.used[0]: 100.0, line.driver.used[1]: 0.0}
    line.requests.clear()
    line.run(8)
    assert line.instrument.lease_state()["armed"]
    assert line.instrument.percent[line.driver.used[0]] == 100.0
    outputs = bytes((15, 0, m7065.DO_VALUE)) if kind == "m7065" else bytes((16, 0, m7024.AO_VALUE))
    enable = bytes((5,)) + m7065.COIL_WATCHDOG_ENABLE.to_bytes(2, "big")
    assert line.asked(enable)[0] < line.asked(outputs)[0], "armed first, driven then"


def test_what_was_verified_before_the_link_was_lost_is_verified_again():
    line = rig("m7024")
    line.run(0.02)
    while line.driver.verification.at < 3:
        line.run(0.002)
    assert not line.driver.ready
    line.fault("silence")
    line.run(5)
    line.clear()
    line.instrument.holding.put(m7024.AO_SAFE_VALUE, m7024.counts(99.0))
    line.run(8)
    assert line.driver.ready
    assert line.instrument.holding.get(m7024.AO_SAFE_VALUE) == m7024.COUNTS_0


def test_a_setting_that_does_not_stay_is_not_written_on_and_on():
    line = rig("m7024")
    line.instrument.write_registers = lambda address, values, at_us: 0
    line.run(30)
    assert not line.driver.ready
    assert "does not change when written" in line.driver.fault
    writes = [data for _, data in line.requests if data[1] in (6, 16)]
    assert 2 <= len(writes) <= 14, "twice every five seconds"


def test_an_ignored_command_is_taken_for_a_tripped_watchdog():
    """Between two polls of the status the module says "!" to an output command."""
    line = rig("m7024", "dcon")
    line.run(2)
    line.demands = {0: 10.0, 1: 10.0}
    line.run(1)
    line.instrument.expire(line.clock.now_us())
    line.driver.drive(0, 25.0, line.clock.now_ms())
    line.driver.work(line.clock.now_ms())
    line.driver.replied("output 0", b"!", line.clock.now_ms())
    assert line.driver.confirmed(0) is None and line.driver.unconfirmed(0) == "ignored: !"
    line.driver.work(line.clock.now_ms())
    assert [tag for tag, _ in line.driver.station.queued if tag == "clear"] == ["clear"]


def test_only_host_ok_keeps_an_icp_das_module_that_speaks_dcon():
    line = rig("m7065", "dcon")
    line.run(2)
    line.demands = {i: 100.0 for i in line.driver.used}
    line.run(2)
    line._bus.stations[0].device.ask = lambda tag, text: False
    line.run(LEASE_S + 1)
    assert line.instrument.lease_state()["expired"], "polls alone don't"


READ_ONLY = [("m7055", "modbus"), ("m7055", "dcon"), ("adam4055", "modbus")]


@pytest.mark.parametrize(("kind", "protocol"), READ_ONLY)
def test_a_module_that_is_only_read_is_not_armed(kind, protocol):
    line = rig(kind, protocol)
    spec = {"type": kind, "protocol": protocol}
    line = Rig(spec, digital(kind, protocol), line.model)
    if kind == "adam4055":
        line.instrument.arm(adam4024, None)
    line.run(30)
    assert line.good("di3") == 1.0 and line.driver.rest_ms == 0
    assert not [data for _, data in line.requests if is_write(data)]
