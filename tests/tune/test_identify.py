"""Identification of known processes, simulated by scipy.signal with noise, and records without a model."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import signal

from cext.pid import PID
from edge.tune import identify as module
from edge.tune.experiment import Unidentifiable, correlation_time
from edge.tune.identify import identify
from edge.tune.process import Process, Simulation
from edge.tune.recording import Record
from tests.tune.oracles import experiment, output_of

TIME_S = np.arange(700.0)
STEP = output_of(TIME_S, (100.0, 50.0))
UP_AND_DOWN = output_of(TIME_S, (100.0, 50.0), (300.0, 35.0), (500.0, 45.0))
# gain, lags, dead time, integrating
KNOWN = {
    "fopdt": (2.0, (60.0,), 20.0, False),
    "falling": (-2.0, (60.0,), 20.0, False),
    "delay": (1.0, (15.0,), 60.0, False),
    "no delay": (2.0, (60.0,), 0.0, False),
    "sopdt": (2.0, (60.0, 30.0), 10.0, False),
    "equal lags": (2.0, (50.0, 50.0), 10.0, False),
    "integrating": (0.02, (), 15.0, True),
    "integrating, falling": (-0.05, (), 40.0, True),
}


def parameters(process):
    named = {f"lag_{at}": lag for at, lag in enumerate(process.lags_s, 1)}
    return {"gain": process.gain, "delay": process.delay_s, **named}


@pytest.mark.parametrize("output", [STEP, UP_AND_DOWN], ids=["step", "up and down"])
@pytest.mark.parametrize("name", KNOWN)
def test_without_noise(name, output):
    gain, lags, delay_s, is_integrating = KNOWN[name]
    estimate = identify(experiment(gain, lags, delay_s, TIME_S, output, integrating=is_integrating))
    true = Process(gain, lags, delay_s, is_integrating)
    assert estimate.process.kind == true.kind
    found = parameters(estimate.process)
    for key, value in parameters(true).items():
        # The fit stops when its cost has 12 figures; the cost is flat over 1e-6 of a parameter then.
        assert found[key] == pytest.approx(value, rel=1e-5, abs=1e-4), key
    assert estimate.explained > 1.0 - 1e-9
    assert estimate.warnings == ()


@pytest.mark.parametrize("output", [STEP, UP_AND_DOWN], ids=["step", "up and down"])
@pytest.mark.parametrize("name", KNOWN)
def test_with_noise(name, output):
    """Within 4 standard errors of the truth: 2 of 30,000 honest estimates of a normal error are farther off.

    And the standard errors are not merely large: the noise of 0.3 is 1.5 % of the swing of the first model.
    """
    gain, lags, delay_s, is_integrating = KNOWN[name]
    record = experiment(gain, lags, delay_s, TIME_S, output, noise=0.3, seed=7, integrating=is_integrating)
    estimate = identify(record)
    true = Process(gain, lags, delay_s, is_integrating)
    assert estimate.process.kind == true.kind
    found = parameters(estimate.process)
    for key, value in parameters(true).items():
        error = estimate.errors.get(key, estimate.errors.get("lag_1"))
        assert abs(found[key] - value) <= 4.0 * error + 1e-9, (key, found[key], value, error)
    assert estimate.errors["gain"] < 0.02 * abs(gain)
    assert estimate.errors["delay"] < 0.06 * true.residence_s
    assert estimate.noise == pytest.approx(0.3, rel=0.1)


def test_standard_errors_are_those_of_repeated_experiments():
    """40 records: the spread of (estimate - truth)/error is 1, within 4 times its error of 1/sqrt(80)."""
    scores = []
    record = experiment(2.0, (60.0,), 20.0, TIME_S[:400], UP_AND_DOWN[:400])
    random = np.random.default_rng(3)
    for _ in range(40):
        noisy = replace(record, process_value=record.process_value + random.normal(0.0, 0.5, 400))
        estimate = identify(noisy, "fopdt")
        found, errors = parameters(estimate.process), estimate.errors
        true = {"gain": 2.0, "lag_1": 60.0, "delay": 20.0}
        scores.append([(found[key] - true[key]) / errors[key] for key in true])
    spread = np.std(scores, axis=0)
    bias = np.mean(scores, axis=0)
    assert ((0.55 < spread) & (spread < 1.45)).all(), spread
    assert (np.abs(bias) < 4.0 / np.sqrt(40.0)).all(), bias


def test_slow_noise_enlarges_the_standard_errors():
    record = experiment(2.0, (60.0,), 20.0, TIME_S, UP_AND_DOWN)
    white = np.random.default_rng(5).normal(0.0, 0.5, len(TIME_S))
    slow = signal.lfilter([np.sqrt(1.0 - 0.9**2)], [1.0, -0.9], white)
    errors = [
        identify(replace(record, process_value=record.process_value + noise), "fopdt").errors["gain"]
        for noise in (white, slow)
    ]
    # Related over (1 + 0.9)/(1 - 0.9) = 19 rows, so sqrt(19) = 4.4 times; an estimate from one record.
    assert 2.5 < errors[1] / errors[0] < 7.0


def test_correlation_time():
    random = np.random.default_rng(1)
    white = random.normal(size=20_000)
    assert correlation_time(white) == pytest.approx(1.0, abs=0.2)
    assert correlation_time(signal.lfilter([1.0], [1.0, -0.8], white)) == pytest.approx(9.0, rel=0.2)
    assert correlation_time(np.zeros(10)) == 1.0


def test_uneven_sampling_gaps_and_spikes():
    """Rows at random times, a sensor that is bad while the output steps, and spikes."""
    dense_s = np.arange(0.0, 900.0, 0.05)
    dense = experiment(1.5, (60.0,), 20.0, dense_s, output_of(dense_s, (100.0, 50.0), (400.0, 35.0)), fine=1)
    random = np.random.default_rng(8)
    rows = np.unique(np.concatenate([[0, 2000, 8000], random.choice(len(dense_s), 700, replace=False)]))
    values = dense.process_value[rows] + random.normal(0.0, 0.2, len(rows))
    values[(dense_s[rows] > 390.0) & (dense_s[rows] < 425.0)] = np.nan
    spikes = [50, 250, 600]
    values[spikes] += [40.0, -70.0, 90.0]
    estimate = identify(Record(dense_s[rows], dense.output[rows], values))
    assert estimate.process.kind == "fopdt"
    assert estimate.warnings == ("3 single rows far off the others are left out",)
    assert estimate.process.gain == pytest.approx(1.5, abs=4.0 * estimate.errors["gain"])
    assert estimate.process.lags_s[0] == pytest.approx(60.0, abs=4.0 * estimate.errors["lag_1"])
    assert estimate.process.delay_s == pytest.approx(20.0, abs=4.0 * estimate.errors["delay"])
    assert estimate.noise == pytest.approx(0.2, rel=0.1)


def test_record_of_a_loop_in_automatic():
    """Steps of the set point under control: the noise is in the output too, and does not bias the model."""
    plant, pid = Simulation(Process(1.5, (60.0,), 20.0), 1.0), PID(1.0, 60.0, 0.0)
    pid.out_min, pid.out_max = -100.0, 100.0
    random, value, rows = np.random.default_rng(4), 0.0, []
    for at in range(1200):
        measured = value + random.normal(0.0, 0.3)
        output = pid.step(0.0 if at < 100 else 10.0 if at < 700 else -5.0, measured, 0.0, 1.0)
        rows.append((at, output, measured))
        value = plant.step(output)
    estimate = identify(Record(*np.array(rows, dtype=float).T))
    assert estimate.process.kind == "fopdt"
    assert "at the very start" in estimate.warnings[0]
    for key, value in {"gain": 1.5, "lag_1": 60.0, "delay": 20.0}.items():
        assert parameters(estimate.process)[key] == pytest.approx(value, abs=4.0 * estimate.errors[key])


@pytest.mark.parametrize("per_s", [0.01, -0.02])
def test_drift_is_told_and_taken_out(per_s):
    record = experiment(2.0, (60.0,), 20.0, TIME_S, STEP, noise=0.2)
    drifting = replace(record, process_value=record.process_value + per_s * TIME_S)
    estimate = identify(drifting)
    assert any("drifts before the output changes" in line for line in estimate.warnings)
    assert estimate.drift_per_s == pytest.approx(per_s, rel=0.1)
    assert estimate.process.kind == "fopdt"
    assert estimate.process.gain == pytest.approx(2.0, abs=4.0 * estimate.errors["gain"])
    assert estimate.process.delay_s == pytest.approx(20.0, abs=4.0 * estimate.errors["delay"])
    # Without drift nothing is said of it.
    assert not identify(record).warnings


def test_many_lags_become_two_and_dead_time():
    time_s = 2.0 * np.arange(800.0)
    output = output_of(time_s, (100.0, 50.0), (900.0, 35.0))
    estimate = identify(experiment(2.0, (40.0,) * 4, 0.0, time_s, output, noise=0.1))
    assert estimate.process.kind == "sopdt"
    # The average residence time of 4 x 40 s stays what it is.
    assert estimate.process.gain == pytest.approx(2.0, rel=0.01)
    assert estimate.process.residence_s == pytest.approx(160.0, rel=0.03)


def test_a_model_can_be_asked_for():
    record = experiment(2.0, (60.0, 30.0), 10.0, TIME_S, UP_AND_DOWN, noise=0.1)
    estimate = identify(record, "fopdt")
    assert estimate.process.kind == "fopdt"
    assert estimate.noise > 2.0 * identify(record, "sopdt").noise
    with pytest.raises(ValueError, match="expected fopdt"):
        identify(record, "third")


def test_large_records_are_quick():
    time_s = 0.1 * np.arange(20_000)
    output = output_of(time_s, (200.0, 50.0), (1200.0, 35.0))
    estimate = identify(experiment(2.0, (300.0,), 40.0, time_s, output, noise=0.5, fine=1), "fopdt")
    assert estimate.process.lags_s[0] == pytest.approx(300.0, abs=4.0 * estimate.errors["lag_1"])
    assert estimate.errors["lag_1"] < 1.0


def noise_only(seed=1, kind="white"):
    random = np.random.default_rng(seed)
    values = random.normal(0.0, 1.0, len(TIME_S))
    return {"white": values, "slow": signal.lfilter([0.1], [1.0, -0.95], values)}[kind]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind", ["white", "slow"])
def test_noise_without_an_answer_is_refused(seed, kind):
    with pytest.raises(Unidentifiable, match="does not answer clearly enough|not determined|already moves"):
        identify(Record(TIME_S, STEP, 800.0 + noise_only(seed, kind)))


def test_an_answer_that_does_not_stand_out_of_a_disturbance_is_refused():
    wave = 3.0 * np.sin(TIME_S / 10.0) * (TIME_S < 150.0)
    record = experiment(1.0, (60.0,), 20.0, TIME_S, STEP)
    with pytest.raises(Unidentifiable, match="already moves, by"):
        identify(replace(record, process_value=record.process_value + wave), "fopdt")


def test_a_load_that_comes_during_the_experiment_is_no_model():
    """The load moves the process value as far as the output does, and no kind of model may take it in."""
    load = np.where(TIME_S > 250.0, -8.0 * np.expm1(-(TIME_S - 250.0) / 80.0), 0.0)
    record = experiment(1.0, (60.0,), 10.0, TIME_S, UP_AND_DOWN, noise=0.2)
    with pytest.raises(Unidentifiable) as refused:
        identify(replace(record, process_value=record.process_value + load))
    assert len(str(refused.value).splitlines()) == 3
    assert identify(record).process.kind == "fopdt"


def test_most_of_the_movement_has_to_be_explained():
    """A wave that begins with the step: the fit takes some of it in, the rest stays and moves slowly."""
    wave = np.where(TIME_S > 100.0, 4.0 * np.sin(2.0 * np.pi * (TIME_S - 100.0) / 150.0), 0.0)
    record = experiment(0.8, (60.0,), 10.0, TIME_S, UP_AND_DOWN, noise=0.2)
    with pytest.raises(Unidentifiable, match="explains only|does not answer clearly enough|not determined"):
        identify(replace(record, process_value=record.process_value + wave))


def test_another_kind_does_not_stand_in_for_the_one_that_is_refused(monkeypatch):
    """A lag as long as the record: an integrator comes near, but leaves several times the noise."""
    record = experiment(2.0, (600.0,), 150.0, TIME_S, STEP, noise=0.05)
    assert identify(record, "integrating").noise > 4.0 * identify(record, "fopdt").noise
    monkeypatch.setattr(module, "LONGEST_LAG_RECORDS", 0.1)
    with pytest.raises(Unidentifiable, match="integrating with dead time: leaves far more unexplained than"):
        identify(record)


REFUSED = {
    "the output stays at 40 all the time": (np.full(700, 40.0), slice(None), 0.0),
    "10 rows with a good process value": (STEP, slice(10), 0.0),
    "the process value stays at 800 all the time": (STEP, slice(None), None),
    "s before the end: record on": (output_of(TIME_S, (695.0, 50.0)), slice(None), 0.0),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_too_little_excitation_is_refused(reason):
    output, rows, answer = REFUSED[reason]
    known = experiment(2.0, (60.0,), 20.0, TIME_S, output, noise=0.1)
    values = np.full(700, 800.0) if answer is None else known.process_value
    with pytest.raises(Unidentifiable, match=reason):
        identify(Record(TIME_S[rows], output[rows], values[rows]))


def test_a_step_too_small_for_the_noise_is_refused_and_a_larger_one_is_not():
    """0.02 % of output make 0.04 of process value, in noise of 0.3; 10 % make 20."""
    with pytest.raises(Unidentifiable):
        small = output_of(TIME_S, (100.0, 40.02))
        identify(experiment(2.0, (60.0,), 20.0, TIME_S, small, noise=0.3), "fopdt")
    assert identify(experiment(2.0, (60.0,), 20.0, TIME_S, STEP, noise=0.3), "fopdt").errors["gain"] < 0.01


def test_a_record_that_ends_too_early():
    """60 s after the dead time, of a lag of 600 s: nothing bends yet, it might as well be an integrator.

    After three quarters of the lag it bends, and there is a model with a warning.
    """
    record = experiment(2.0, (600.0,), 20.0, TIME_S[:180], STEP[:180], noise=0.05)
    with pytest.raises(Unidentifiable, match="record on until|make larger steps"):
        identify(record, "fopdt")
    estimate = identify(record)
    assert estimate.process.kind == "integrating"
    # The slope over the first tenth of the lag, 5 % less steep on average than at its beginning.
    assert estimate.process.gain == pytest.approx(2.0 / 600.0, rel=0.06)
    estimate = identify(experiment(2.0, (800.0,), 20.0, TIME_S, STEP, noise=0.05), "fopdt")
    assert any("extrapolated" in line for line in estimate.warnings)
    assert estimate.process.gain == pytest.approx(2.0, abs=4.0 * estimate.errors["gain"])
