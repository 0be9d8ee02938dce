"""Every driver does on MicroPython what it does here: the same requests, readings and faults."""

import itertools
import json
import os
import subprocess

import pytest

from edge.box import micropython
from edge.node.devices import table
from tests.node.devices import replay
from tests.node.devices import test_actuators_and_controllers as actuators
from tests.node.devices import test_described_device as odd
from tests.node.devices import test_modbus_device as described
from tests.node.devices import test_output_modules as outputs
from tests.node.devices import test_thermocouple_modules as thermocouples
from tests.node.devices.refusing import Refusing
from tests.node.devices.rig import Rig
from tests.parts import missing_part

DCON = {"protocol": "dcon", "checksum": True}
MODBUS = {"protocol": "modbus", "checksum": False}


def analyser():
    instrument = actuators.O2Analyser("o2", 1, 5, "o2_pct")
    return Rig({"type": "o2_analyser"}, instrument, actuators.SimpleNamespace(o2_pct=6.6))


def rigs():
    """Name -> (a new rig, its demands in turn)."""
    made = {}
    for kind in thermocouples.MODULES:
        for how in (MODBUS, DCON):
            made[f"{kind} {how['protocol']}"] = (thermocouples.rig(kind, how), [])
    for kind, protocol in outputs.KINDS:
        rig = outputs.rig(kind, protocol)
        made[f"{kind} {protocol}"] = (rig, [(0, 70.0), (1 if "024" in kind else 2, 20.0), (0, 30.0)])
    made["uk24mod"] = (actuators.dampers(), [(0, 30.0), (1, 50.0)])
    made["eurotherm3200"] = (actuators.controller(), [(0, 40.0), (0, 60.0)])
    made["s7800"] = (actuators.burner(), [(0, 100.0), (0, 30.0)])
    made["ach550"] = (actuators.drive(), [(0, 70.0), (0, 30.0)])
    made["o2_analyser"] = (analyser(), [])
    made["modbus"] = (described.rig(), [("valve", 70.0), ("rate", 20.0), ("pump", 0.0)])
    made["modbus, all types"] = (odd.all_types(), [("out_u64_GHEFCDAB", 70.0), ("out_f32_BADC", 30.0)])
    return made


def record(rig, demands):
    """Run a rig with its demands, refusals, a silence and a power cycle; what replay.play() needs for it."""
    channels = sorted({channel for channel, _ in demands})
    sent, heard, lines, told = [], [], [], []

    def tap(at_us, direction, data):
        if direction != ">":
            heard.append((at_us, data.hex()))

    write = rig._bus.uart.write

    def writing(data):
        sent.append((rig.clock.now_us(), data.hex()))
        return write(data)

    tick = rig._tick

    def ticking(now_us):
        tick(now_us)
        lines.append(replay.state(rig.driver, channels))

    refusing = Refusing(rig.slaves)
    rig._wire.tap, rig._bus.uart.write, rig._tick = tap, writing, ticking

    def ask(channel, percent):
        rig.demands[channel] = percent
        told.append((rig.clock.now_ms(), (channel, percent)))

    for i, (channel, percent) in enumerate(demands):
        rig.run(1.0)
        ask(channel, percent)
        rig.run(0.5 + 0.5 * i)
    rig.run(2.0)
    kinds = (6, 11, "ignored") if rig.spec.get("protocol") == "dcon" else (6, 11, "clamped")
    for kind in kinds if demands else ():
        channel, percent = demands[0]
        refusing.begin(kind)
        ask(channel, 100.0 if kind in (6, 11) else percent)
        rig.run(1.4)
        refusing.end()
        rig.run(1.0)
    rig.fault("silence", None, 2.0)
    rig.run(4.0)
    rig.fault("reset")
    rig.run(6.0)
    return {
        "spec": rig.spec,
        "sensors": rig.sensors,
        "safe": rig.safe,
        "baud": 38400,
        "channels": channels,
        "demands": told,
        "sent": sent,
        "heard": heard,
        "until_us": rig.clock.now_us(),
    }, lines


@pytest.fixture(scope="module")
def recordings():
    return {name: record(*made) for name, made in rigs().items()}


def test_all_types_are_recorded(recordings):
    assert {case["spec"]["type"] for case, _ in recordings.values()} == set(table.FAMILIES)
    for name, (case, lines) in recordings.items():
        assert len(case["sent"]) > 20, name
        assert any(line.startswith("ready") for line in lines[:8]), name
        # The silence is in it, and is over.
        times_s = [at_us / 1e6 for at_us, _ in case["heard"]]
        assert max(later - earlier for earlier, later in itertools.pairwise(times_s)) > 1.5, name
        assert lines[-1].startswith("ready"), name


def test_a_recording_played_here_gives_what_was_recorded(recordings):
    for name, (case, lines) in recordings.items():
        assert replay.play(json.loads(json.dumps(case))) == lines, name


def test_it_gives_the_same_on_micropython(recordings, tmp_path):
    try:
        executable = micropython.executable()
    except FileNotFoundError as error:
        missing_part(str(error))
    for name, (case, lines) in recordings.items():
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(case))
        done = subprocess.run(
            [executable, "-X", "heapsize=1m", "-m", "tests.node.devices.replay", str(path)],
            capture_output=True,
            text=True,
            timeout=120,
            env=dict(micropython.environment(), MICROPYPATH=f"{micropython.root()}:.frozen"),
            cwd=os.fspath(tmp_path),
        )
        assert done.returncode == 0, f"{name}: {done.stdout[-500:]}{done.stderr[-1500:]}"
        assert done.stdout.splitlines() == lines, name
