"""What turning a voltage into a temperature costs, and how exact it is, beside a package as exact.

    python -m benchmarks.bench_thermocouple [--json | --table]         from the root of the project

The peer is thermocouple-its90 from PyPI, pure Python: it inverts NIST's functions themselves, as the core
does, and not their inverse polynomials. It gets a virtual environment of its own, .benchmarks/venv-tc-its90,
made at the first run. Both are called from Python in one process of that environment, in rounds that take
turns, on the same voltages over the range of each type. Each round gives one ratio, and the median of them is
the result: a busy machine slows both sides of a round.

Errors are against NIST's functions to 50 digits. --table prints those of the core and of NIST's inverse
polynomials, which are the same on every machine, for docs/thermocouples.md.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

from benchmarks import budget
from cext import thermocouple
from tests.cext import thermocouple_oracle as oracle

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = ROOT / ".benchmarks" / "venv-tc-its90"
REQUIREMENTS = ("thermocouple-its90==1.0.2",)

ROUNDS = 9
VOLTAGES = 24  # for each type and round
TARGET = 20
REPEATS = 50  # of the core for one of the peer
POINTS = 1000  # of each type, for the errors
POORLY_C = -200.0  # below, thermocouples give next to nothing


class NoPeerError(Exception):
    """The reference implementation could not be installed or run."""


def run(command: list) -> str:
    """Return what `command` prints; NoPeerError with its last line if it fails."""
    try:
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoPeerError(str(error)) from error
    if result.returncode:
        lines = (result.stderr or result.stdout).strip().splitlines() or [f"exit code {result.returncode}"]
        raise NoPeerError(lines[-1])
    return result.stdout


def peer_python() -> Path:
    """Return the interpreter of the peer's virtual environment, and make that if it is not there."""
    python = ENVIRONMENT / "bin" / "python"
    complete = ENVIRONMENT / "complete"
    if not complete.exists():
        run([sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)])
        run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *REQUIREMENTS])
        complete.touch()
    return python


def error_over_range(letter: str, find, low_c: float, high_c: float) -> float:
    """Return the largest error in K of `find`, voltage -> temperature, between two temperatures.

    The exact voltage of each temperature is rounded to a float once; the error is against the temperature of
    that float. The ends are left out: what is rounded may lie outside.
    """
    largest = 0.0
    for i in range(1, POINTS):
        t_c = low_c + (high_c - low_c) * i / POINTS
        voltage_mv = float(oracle.emf_mv(letter, t_c))
        found_c = find(voltage_mv)
        # From the temperature of the float to t_c is far less than 1e-6 K, where one step of Newton is exact.
        largest = max(largest, abs(found_c - t_c + oracle.temperature_error_k(letter, t_c, voltage_mv)))
    return largest


def nist_error(letter: str) -> float:
    """Return the largest error in K of NIST's inverse polynomials, each over its range."""
    largest = 0.0
    for inverse in oracle.NIST[letter]["inverse"]:
        low_c, high_c = (float(t_c) for t_c in inverse["T"])

        def find(voltage_mv, inverse=inverse):
            return oracle.inverse_polynomial(inverse, voltage_mv)

        largest = max(largest, error_over_range(letter, find, low_c, high_c))
    return largest


def core_errors(letter: str) -> tuple[float, float | None]:
    """Return the largest error in K of the core from -200 degC up, and below it or None."""
    kind = oracle.KINDS[letter]
    low_c, high_c = oracle.INVERSE_FROM_C[letter], oracle.HIGHEST_C[letter]

    def find(voltage_mv):
        return thermocouple.temp_c(voltage_mv, kind)

    well = error_over_range(letter, find, max(low_c, POORLY_C), high_c)
    return well, error_over_range(letter, find, low_c, POORLY_C) if low_c < POORLY_C else None


def table() -> str:
    """Return the ranges and errors of all types as a table in Markdown."""
    lines = [
        "| type | E, °C | inverse, °C | inverse, mV | NIST's error, K | error, K | below -200 °C, K |",
        "|---|---|---|---|---|---|---|",
    ]
    for letter, kind in oracle.KINDS.items():
        low_c, high_c = oracle.LOWEST_C[letter], oracle.HIGHEST_C[letter]
        well, poorly = core_errors(letter)
        cells = [
            letter,
            f"{low_c:g} to {high_c:g}",
            f"{oracle.INVERSE_FROM_C[letter]:g} to {high_c:g}",
            f"{round(kind[2], 3) + 0.0:.3f} to {kind[3][-1][1]:.3f}",  # + 0.0: no minus before a zero
            f"{nist_error(letter):.3f}",
            f"{well:.0e}",
            f"{poorly:.0e}" if poorly is not None else "",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def peer_round(inverse, voltages: list) -> float:
    """Return ns per call of the peer."""
    start = time.perf_counter_ns()
    for voltage in voltages:
        inverse(voltage)
    return (time.perf_counter_ns() - start) / len(voltages)


def core_round(kind: tuple, voltages: list) -> float:
    """Return ns per call of the core."""
    temp_c = thermocouple.temp_c
    start = time.perf_counter_ns()
    for voltage in voltages:
        temp_c(voltage, kind)
    return (time.perf_counter_ns() - start) / len(voltages)


def measure_in_environment() -> dict:
    """Return times and the peer's errors by type; runs in the peer's virtual environment."""
    import thermocouple_its90

    types = {}
    for letter, kind in oracle.KINDS.items():
        peer = thermocouple_its90.get(letter)
        inverse = peer.temperature
        low_mv = max(kind[2], peer.invertible_emf_range[0])
        high_mv = min(kind[3][-1][1], peer.invertible_emf_range[1])
        voltages = [low_mv + (high_mv - low_mv) * (i + 0.5) / VOLTAGES for i in range(VOLTAGES)]
        rounds = [
            (core_round(kind, voltages * REPEATS), peer_round(inverse, voltages)) for _ in range(ROUNDS)
        ]
        types[letter] = {
            "core_ns": statistics.median(core_ns for core_ns, _ in rounds),
            "peer_ns": statistics.median(peer_ns for _, peer_ns in rounds),
            "ratio": statistics.median(peer_ns / core_ns for core_ns, peer_ns in rounds),
            "peer_error_k": max(
                abs(oracle.temperature_error_k(letter, float(inverse(voltage)), voltage))
                for voltage in voltages
            ),
        }
    return {
        "types": types,
        "compiled": not thermocouple.__file__.endswith(".py"),
        "versions": {name: version(name) for name in ("thermocouple-its90",)},
    }


def measure() -> dict:
    """Return all figures as a dict; without the peer "ratio" is None and "peer" says why."""
    result = {
        "compiled": not thermocouple.__file__.endswith(".py"),
        "types": {},
        "ratio": None,
        "peer": "",
        "rounds": ROUNDS,
    }
    for letter in oracle.KINDS:
        well, poorly = core_errors(letter)
        result["types"][letter] = {
            "error_k": well,
            "error_below_minus_200_k": poorly,
            "nist_error_k": nist_error(letter),
        }
    try:
        output = run([str(peer_python()), "-m", "benchmarks.bench_thermocouple", "--in-environment"])
    except NoPeerError as error:
        result["peer"] = f"not measured: {error}"
        return result
    measured = json.loads(output)
    for letter, figures in measured["types"].items():
        result["types"][letter].update(figures)
    result["compiled"] = measured["compiled"]
    result["peer"] = ", ".join(f"{name} {number}" for name, number in measured["versions"].items())
    result["ratio"] = min(figures["ratio"] for figures in measured["types"].values())
    return result


def missed(result: dict) -> list:
    ratio = result["ratio"]
    return budget.at_least("smallest peer/core", None if ratio is None else round(ratio), TARGET)


def told(result: dict) -> str:
    """The figures as a table."""
    kind = "compiled" if result["compiled"] else "interpreted"
    lines = [
        f"thermocouple: temp_c, {kind}, called from Python; peer: {result['peer']}",
        f"  ns per call, medians of {ROUNDS} rounds that take turns; largest error in K against 50 digits",
        f"  {'type':<6}{'core ns':>10}{'peer ns':>12}{'peer/core':>11}"
        f"{'core K':>10}{'< -200 C':>10}{'peer K':>10}{'NIST poly. K':>14}",
    ]
    for letter, figures in result["types"].items():
        line = f"  {letter:<6}"
        if "ratio" in figures:
            line += f"{figures['core_ns']:10.0f}{figures['peer_ns']:12.0f}{figures['ratio']:11.0f}"
        else:
            line += f"{'-':>10}{'-':>12}{'-':>11}"
        poorly = figures["error_below_minus_200_k"]
        line += f"{figures['error_k']:10.0e}" + (f"{poorly:10.0e}" if poorly is not None else f"{'':10}")
        line += f"{figures['peer_error_k']:10.0e}" if "peer_error_k" in figures else f"{'-':>10}"
        lines.append(line + f"{figures['nist_error_k']:14.3f}")
    if result["ratio"] is not None:
        lines.append(f"  smallest peer/core: {result['ratio']:.0f} (at least {TARGET})")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(
        description="Measure what the thermocouple inverse costs, and how exact it is, beside a peer.",
        epilog="example: python -m benchmarks.bench_thermocouple --json",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON instead of a table")
    form.add_argument("--table", action="store_true", help="print the table of docs/thermocouples.md only")
    form.add_argument("--in-environment", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.table:
        print(table(), end="")
        return 0
    if arguments.in_environment:
        print(json.dumps(measure_in_environment()))
        return 0
    result = measure()
    print(json.dumps(result) if arguments.json else told(result))
    misses = missed(result)
    if misses:
        print(budget.told(misses), file=sys.stderr)
    return 1 if misses else 0


if __name__ == "__main__":
    sys.exit(main())
