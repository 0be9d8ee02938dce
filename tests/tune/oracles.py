"""What the tuning tests compare with; nothing here uses edge.tune but for the names of its data.

The batch of tests/cext/data/pid_oracles.csv, closed loops by Fourier inversion, experiments by scipy.signal.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import signal

from edge.tune.process import Process
from edge.tune.recording import Record
from edge.tune.rules import Tuning

CSV = Path(__file__).resolve().parents[1] / "cext" / "data" / "pid_oracles.csv"

# The processes, by how the name of a row begins: gain, lags, dead time, integrating.
PROCESSES = {
    "FOPDT k1 tau1 th1": (1.0, (1.0,), 1.0, False),
    "FOPDT k1 tau8 th1": (1.0, (8.0,), 1.0, False),
    "FOPDT tau1 th1": (1.0, (1.0,), 1.0, False),
    "Integrator e^-s/s": (1.0, (), 1.0, True),
    "1/((s+1)(.2s+1)(.04s+1)(.008s+1))": (1.0, (1.0, 0.2, 0.04, 0.008), 0.0, False),
    "lag: 1/((s+1)(.1s+1)(.01s+1)(.001s+1))": (1.0, (1.0, 0.1, 0.01, 0.001), 0.0, False),
    "1/(s+1)^4": (1.0, (1.0, 1.0, 1.0, 1.0), 0.0, False),
    "bal: 1/(s+1)^4": (1.0, (1.0, 1.0, 1.0, 1.0), 0.0, False),
    "1/(s+1)^3": (1.0, (1.0, 1.0, 1.0), 0.0, False),
    "delay: e^-s/(.05s+1)^2": (1.0, (0.05, 0.05), 1.0, False),
}


@dataclass(frozen=True)
class Case:
    """One row: `figures` as floats by column name, the process, the controller in the ideal form."""

    name: str
    process: Process
    tuning: Tuning
    figures: dict


def parts_of(name: str) -> tuple:
    """Return (gain, lags, dead time, integrating) of the process that a row is about."""
    (parts,) = [parts for start, parts in PROCESSES.items() if name.startswith(start)]
    return parts


def batch() -> list:
    """Return all rows of the CSV."""
    cases = []
    with CSV.open(newline="") as file:
        for row in csv.DictReader(file):
            name, form = row.pop("case"), row.pop("form")
            figures = {key: float(value) for key, value in row.items() if key != "note"}
            process = Process(*parts_of(name))
            gain, ti_s, td_s, n = figures["K"], figures["Ti"], figures["Td"], 10.0
            if form == "series" and td_s:
                factor = 1.0 + td_s / ti_s
                gain, ti_s, td_s = gain * factor, ti_s * factor, td_s / factor
                n = td_s / figures["Tf"]
            cases.append(Case(name, process, Tuning(gain, ti_s, td_s, n=n), figures))
    return cases


def transfer(case: Case):
    """Return P(s), C(s) and C(s) as seen from the set point, written out again from their formulas.

    Functions of a complex array. The derivative does not act on the set point.
    """
    gain, lags, delay, integrating = parts_of(case.name)
    tuning = case.tuning

    def process(s):
        below = s if integrating else 1.0
        for lag in lags:
            below = below * (1.0 + lag * s)
        return gain * np.exp(-delay * s) / below

    def from_set_point(s):
        return tuning.gain * (1.0 + 1.0 / (tuning.ti_s * s))

    def controller(s):
        return from_set_point(s) + tuning.gain * tuning.td_s * s / (1.0 + tuning.td_s / tuning.n * s)

    return process, controller, from_set_point


def fourier(case: Case, horizon_s: float, points: int = 2**17):
    """Return (time, set-point response, load response) of the continuous loop, without any time step.

    Bromwich's integral along Re s = sigma by FFT: exact but for aliasing (1e-8 of the response, as sigma is
    chosen) and for the frequencies left out above points pi/(2 horizon).
    """
    process, controller, from_set_point = transfer(case)
    period = 2.0 * horizon_s
    sigma = np.log(1e8) / period
    s = sigma + 2j * np.pi * np.arange(points // 2 + 1) / period
    time_s = np.arange(points // 2) * period / points
    closed = process(s) / (1.0 + process(s) * controller(s)) / s
    responses = []
    for image in (from_set_point(s) * closed, closed):
        damped = np.fft.irfft(image, points) * points / period
        responses.append(damped[: len(time_s)] * np.exp(sigma * time_s))
    return time_s, *responses


def output_of(time_s, *steps):
    """Return an output that starts at 40 and takes each value of `steps` ((time, value), ...) in turn."""
    output = np.full(len(time_s), 40.0)
    for at_s, value in steps:
        output[time_s >= at_s] = value
    return output


def experiment(gain, lags, delay_s, time_s, output, noise=0.0, seed=1, integrating=False, fine=20):
    """Return the record of a process simulated by scipy.signal.lsim on a grid `fine` times as dense.

    `time_s` evenly spaced; the dead time is a whole number of fine steps. White noise of standard deviation
    `noise` on the process value, which rests at 800.
    """
    dt_s = (time_s[1] - time_s[0]) / fine
    held = np.repeat(output, fine)[: (len(output) - 1) * fine + 1]
    shift = round(delay_s / dt_s)
    assert abs(shift * dt_s - delay_s) < 1e-9
    delayed = np.concatenate([np.full(shift, output[0]), held])[: len(held)] - output[0]
    below = np.array([1.0])
    for lag in lags:
        below = np.polymul(below, [lag, 1.0])
    if integrating:
        below = np.polymul(below, [1.0, 0.0])
    grid = dt_s * np.arange(len(held))
    _, response, _ = signal.lsim(signal.TransferFunction([gain], below), delayed, grid, interp=False)
    values = 800.0 + response[::fine] + np.random.default_rng(seed).normal(0.0, noise, len(time_s))
    return Record(time_s, output, values, "known model")
