"""The electric furnace: its balance, an independent solution of its equations, its power circuit, every input."""

import math
import os
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.constants import Stefan_Boltzmann, zero_Celsius
from scipy.integrate import solve_ivp

from edge.emulator import models, scenario
from edge.emulator.bench import Bench, PlantFailed
from edge.emulator.models import build, configure
from edge.emulator.models.electric_parameters import INPUTS, PARAMETERS
from tests.parts import require_command

MODELS = Path(models.__file__).parent
STEP_S = 0.25
VALUES = {name: value for name, (value, _, _) in PARAMETERS.items()}


def listed_outputs():
    """Return the names that electric.pxd lists as outputs."""
    text = (MODELS / "electric.pxd").read_text(encoding="utf-8")
    lines = text[text.index("# Outputs") : text.index("# Parameters")].splitlines()
    declared = [line.partition("#")[0].partition("double ")[2] for line in lines]
    return [name.strip() for names in declared for name in names.split(",") if name.strip()]


OUTPUTS = listed_outputs()


def furnace(heat_pct=0.0, contactor_pct=100.0, door_pct=0.0, **values):
    """A furnace with these inputs and parameters."""
    inputs = {"heat_pct": heat_pct, "contactor_pct": contactor_pct, "door_pct": door_pct}
    return build("electric", values=values, inputs=inputs)


def run(model, seconds, step_s=STEP_S):
    """Step for `seconds`."""
    for _ in range(round(seconds / step_s)):
        model.step(step_s)


def outputs(model):
    """All outputs by name."""
    return {name: getattr(model, name) for name in OUTPUTS}


# ---- balance


percents = st.one_of(st.sampled_from([0.0, 100.0, math.nan, math.inf, -math.inf]), st.floats(-50, 200))
parts = st.lists(
    st.tuples(st.fixed_dictionaries(dict.fromkeys(INPUTS, percents)), st.sampled_from([0.05, 0.25, 3.0])),
    min_size=1,
    max_size=6,
)
parameters = st.fixed_dictionaries({name: st.floats(low, high) for name, (_, low, high) in PARAMETERS.items()})


@settings(max_examples=40, deadline=None, derandomize=True)
@given(values=parameters, parts=parts)
def test_each_step_stores_what_it_takes_less_what_it_loses(values, parts):
    model = build("electric", values=values)
    for inputs, step_s in parts:
        for name, value in inputs.items():
            setattr(model, name, value)
        for _ in range(20):
            before = outputs(model)
            model.step(step_s)
            taken = model.energy_j - before["energy_j"]
            lost = model.lost_j - before["lost_j"]
            assert model.stored_j - before["stored_j"] == pytest.approx(taken - lost, rel=1e-6, abs=1e-6 * step_s)
    assert model.energy_kwh * 3.6e6 == pytest.approx(model.energy_j)


def test_a_day_at_a_steady_load_ends_where_the_loss_is_the_power():
    model = furnace(heat_pct=13.0)
    run(model, 24 * 3600)
    assert model.loss_lining_w == pytest.approx(390.0, rel=2e-3)
    assert model.lining_c == pytest.approx(25.0 + 390.0 / 0.95, rel=2e-3)
    assert model.lining_c < model.chamber_c < model.element_c
    assert model.stored_j == pytest.approx(model.energy_j - model.lost_j, rel=1e-9)


# ---- the equations, by another way


def solution(heat_w, seconds, start_c, door=0.0):
    """Temperatures in degC of element, lining, chamber and both thermocouples, by scipy."""
    p = VALUES
    ambient_k = p["ambient_c"] + zero_Celsius

    def exchange(x, y, m2, w_k):
        return Stefan_Boltzmann * m2 * (x**4 - y**4) + w_k * (x - y)

    def slope(_, state):
        element, lining, chamber, wire, limit_wire = state
        to_lining = exchange(element, lining, p["element_lining_m2"], p["element_lining_w_k"])
        to_chamber = exchange(element, chamber, p["element_chamber_m2"], p["element_chamber_w_k"])
        between = exchange(lining, chamber, p["lining_chamber_m2"], p["lining_chamber_w_k"])
        out = door * exchange(chamber, ambient_k, p["door_m2"], p["door_w_k"])
        seen = chamber + p["limit_sees_element"] * (element - chamber)
        return [
            (heat_w - to_lining - to_chamber) / p["element_j_k"],
            (to_lining - between - p["loss_w_k"] * (lining - ambient_k)) / p["lining_j_k"],
            (to_chamber + between - out) / p["chamber_j_k"],
            (chamber - wire) / p["chamber_tc_s"],
            (seen - limit_wire) / p["limit_tc_s"],
        ]

    start = [start_c + zero_Celsius] * 5
    found = solve_ivp(slope, (0.0, seconds), start, method="LSODA", rtol=1e-9, atol=1e-9)
    return [value - zero_Celsius for value in found.y[:, -1]]


@pytest.mark.parametrize(
    ("heat_pct", "seconds", "start_c", "door_pct"),
    [(60, 60, 25, 0), (60, 1800, 25, 0), (100, 3600, 25, 0), (0, 3600, 1000, 0), (0, 60, 900, 100)],
)
def test_follows_the_solution_of_its_equations(heat_pct, seconds, start_c, door_pct):
    expected = solution(30.0 * heat_pct, seconds, start_c, 0.01 * door_pct)
    errors = []
    for step_s in (0.0625, 0.00625):
        model = furnace(heat_pct, door_pct=door_pct, start_c=start_c)
        run(model, seconds, step_s)
        got = [model.element_c, model.lining_c, model.chamber_c, model.t_chamber_c, model.t_limit_c]
        errors.append(max(abs(one - other) for one, other in zip(got, expected, strict=True)))
    # Explicit and of first order: a tenth of the step, a tenth of the error.
    assert errors[0] < 0.15
    assert errors[1] < 0.15 * errors[0] + 1e-4


# ---- power circuit, door, thermocouples


@pytest.mark.parametrize("contactor_pct", [0.0, 100.0])
@pytest.mark.parametrize("heat_pct", [0.0, 40.0])
@pytest.mark.parametrize("welded", [0.0, 1.0])
@pytest.mark.parametrize("shorted", [0.0, 1.0])
@pytest.mark.parametrize("broken", [0.0, 1.0])
def test_relay_and_contactor_are_in_series(contactor_pct, heat_pct, welded, shorted, broken):
    model = furnace(heat_pct, contactor_pct)
    configure(model, {"contactor_welded": welded, "ssr_shorted": shorted, "element_broken": broken})
    model.step(STEP_S)
    conducts = 1.0 if shorted else 0.01 * heat_pct
    closed = bool(contactor_pct or welded)
    assert model.contactor_closed == closed
    assert model.power_now_w == pytest.approx(3000.0 * conducts if closed and not broken else 0.0)


def test_power_goes_with_the_square_of_the_voltage():
    model = furnace(100.0)
    configure(model, {"mains": 0.9})
    model.step(STEP_S)
    assert model.power_kw == pytest.approx(2.43)


def test_an_open_door_cools_the_chamber_and_not_the_lining():
    model = furnace(start_c=450.0)
    model.door_pct = 100.0
    run(model, 30)
    assert model.chamber_c < 435.0 < 445.0 < model.lining_c
    assert model.loss_door_w > 300.0


def test_thermocouples_lag_and_have_their_errors():
    model = furnace(100.0, chamber_tc_k=-20.0, limit_tc_k=3.0)
    run(model, 600)
    rise_k_s = model.chamber_c
    model.step(1.0)
    rise_k_s = model.chamber_c - rise_k_s
    assert model.chamber_c - (model.t_chamber_c + 20.0) == pytest.approx(8.0 * rise_k_s, rel=0.05)
    assert model.t_limit_c - 3.0 > model.chamber_c


def test_a_limiter_opens_the_circuit_and_stays_open():
    model = furnace(100.0, contactor_welded=1.0, ssr_shorted=1.0, limiter_c=1200.0)
    run(model, 3 * 3600)
    assert model.limiter_open == 1.0 and model.power_now_w == 0.0 and model.element_melted == 0.0
    assert model.chamber_c < 1100.0
    run(model, 3600)
    assert model.power_now_w == 0.0
    model.start()
    model.step(STEP_S)
    assert model.power_now_w == 3000.0


def test_full_power_for_ever_melts_the_element():
    model = furnace(100.0)
    run(model, 2 * 3600)
    assert model.element_melted == 1.0
    assert model.power_now_w == 0.0
    assert max(model.lining_c, model.chamber_c, model.element_c) < 1500.0


def test_a_run_on_the_bench_ends_when_the_element_melts(monkeypatch, capsys):
    bench = Bench("muffle")
    bench.set("ssr_shorted", 1)
    bench.set("contactor_welded", 1)
    with pytest.raises(PlantFailed, match=r"after \d+\.\d s: the element was hotter than 1500 degC and has melted"):
        bench.step(2 * 3600 * 1000000)

    def melts(*_):
        raise PlantFailed("after 1.0 s: the element has melted")

    monkeypatch.setattr(scenario, "play", melts)
    args = type("Args", (), {"file": "bishkek_day", "hours": None, "seed": None, "json": True})
    assert scenario.run(args) == 1
    assert "after 1.0 s" in capsys.readouterr().err


# ---- every input, steps, runtimes


@settings(max_examples=40, deadline=None, derandomize=True)
@given(values=parameters, parts=parts)
def test_no_input_leads_to_nonsense(values, parts):
    model = build("electric", values=values)
    lowest = min(values["start_c"], values["ambient_c"]) - 1e-6
    # One step of full power on the lightest element is 18 K.
    highest = max(values["start_c"], values["ambient_c"], values["element_melts_c"]) + 25.0
    for inputs, _ in parts:
        for name, value in inputs.items():
            setattr(model, name, value)
        for seconds in (1.0, 30.0, 1800.0):
            model.step(seconds)
            assert all(math.isfinite(value) for value in outputs(model).values()), outputs(model)
            for name in ("element_c", "lining_c", "chamber_c"):
                assert lowest <= getattr(model, name) <= highest, name
            assert 0.0 <= model.power_now_w <= values["power_w"] * 1.44


def test_every_parameter_starts_within_its_range():
    for name, (value, low, high) in PARAMETERS.items():
        assert low <= value <= high, name


def test_long_steps_are_split_and_none_is_none():
    long, short = furnace(50.0), furnace(50.0)
    for _ in range(100):
        long.step(1.0)
        run(short, 1.0)
    assert outputs(long) == outputs(short)
    before = outputs(long)
    for nothing in (0.0, -1.0, math.nan):
        long.step(nothing)
    assert outputs(long) == before


def test_start_begins_anew():
    model = furnace(100.0)
    run(model, 2 * 3600)
    model.start()
    assert outputs(model) == outputs(furnace(100.0))


def drive(model, steps):
    """Run through a fixed course of inputs; return all outputs at every 100th step."""
    trace = []
    for i in range(steps):
        part = i // 2000
        model.heat_pct = (100.0, 0.0, 37.0)[part % 3]
        model.contactor_pct = 100.0 if part % 4 else 0.0
        model.door_pct = (0.0, 0.0, 20.0)[part % 3]
        model.step(STEP_S)
        if i % 100 == 0:
            trace.append(outputs(model))
    return trace


def test_compiled_is_interpreted_to_the_bit(tmp_path):
    require_command("cc")
    for suffix in (".py", ".pxd"):
        (tmp_path / f"electric{suffix}").write_bytes((MODELS / f"electric{suffix}").read_bytes())
    command = [sys.executable, "-m", "Cython.Build.Cythonize"]
    command += ["-i", "-3", "-X", "cdivision=True", "electric.py"]
    environment = {**os.environ, "CFLAGS": "-O2 -ffp-contract=off"}
    built = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert built.returncode == 0, built.stderr
    binaries = [tmp_path / f"electric{suffix}" for suffix in EXTENSION_SUFFIXES]
    binary = next(path for path in binaries if path.exists())
    traces = []
    for loader in (
        SourceFileLoader("electric", str(MODELS / "electric.py")),
        ExtensionFileLoader("electric", str(binary)),
    ):
        module = module_from_spec(spec_from_loader(loader.name, loader))
        loader.exec_module(module)
        traces.append(drive(module.ElectricFurnace(1, VALUES), 20000))
    assert traces[0] == traces[1]
