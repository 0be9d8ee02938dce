"""A pytest plugin: the fixture ``furnace_bench``, for tests of anybody's controller on a serial port.

    def test_a_silent_module_is_an_error(furnace_bench):
        module = minimalmodbus.Instrument(furnace_bench.port, 1)
        furnace_bench.silence("roof")
        with pytest.raises(minimalmodbus.NoResponseError):
            module.read_register(0, functioncode=4)

The emulator runs in a process of its own and in real time, and ends with the test. It is chosen by

    @pytest.mark.furnace(plant="bishkek", seed=1, script=None, chaos=None, record=None)

with a plant that comes with the emulator or a plant file, the seed of waste and noise, a script of faults
or a seed that they are drawn from (see edge.emulator.fault_script), and a file for a capture (see
edge.emulator.record). A test that fails shows the end of the time line.
"""

import json
import time

import pytest

MARKER = "furnace(plant='bishkek', seed=1, script=None, chaos=None, record=None): the bench of furnace_bench"
WITHIN_S = 15.0
# So much of the time line is shown when a test fails.
SHOWN = 40
# Kept by a test for its report.
_BENCH = pytest.StashKey()


class BenchError(AssertionError):
    """What the bench was asked to do can't be done: says why and what was expected."""


class FurnaceBench:
    """A serial port with emulated instruments on it, and a plant behind them.

    ``port``: path of the pseudo-terminal; ``baud`` bit/s at which its bytes are paced. Units are named by
    their id, their name in the plant file, or "all". A fault stays for ``seconds``, or until clear().
    """

    def __init__(self, plant="bishkek", seed=1, script=None, chaos=None, record=None):
        from edge.box.child import Child
        from edge.emulator import plant_file

        options = ["--seed", str(seed), "--attached", "--timeline"]
        for name, value in (("--script", script), ("--chaos", chaos), ("--record", record)):
            if value is not None:
                options += [name, str(value)]
        loaded = plant_file.load(str(plant))
        self.baud = loaded.baud
        self.units = {instrument.name: instrument.unit for instrument in loaded.instruments}
        self._child = Child("emulator", "edge.emulator.serve", str(plant), *options)
        try:
            self.port = json.loads(self._child.line(WITHIN_S))["port"]
        except BaseException:
            self._child.end()
            raise

    @property
    def pid(self) -> int:
        """The emulator's process."""
        return self._child.pid

    def close(self):
        """End the emulator."""
        self._child.end()

    def ask(self, command: str) -> dict:
        """A command of the console of edge.emulator.serve. Raises BenchError."""
        self._child.say(command)
        answer = json.loads(self._child.line(WITHIN_S))
        if "error" in answer:
            raise BenchError(answer["error"])
        return answer

    # What happened -----------------------------------------------------------------------------

    def state(self) -> dict:
        """Time, process values, real outputs in percent, leases, faults, counts of the line."""
        return self.ask("state")

    def timeline(self, after: int = 0) -> list:
        """Requests, replies and faults with their times, of a number above ``after``: see
        edge.emulator.timeline.Entry.
        """
        from edge.emulator.timeline import Entry

        return [Entry.from_list(values) for values in self.ask(f"timeline {after}")["timeline"]]

    def wait_for(self, condition, within_s: float = 10.0):
        """Ask for the state until ``condition(state)`` holds, and return it. Raises BenchError."""
        end = time.monotonic() + within_s
        while True:
            state = self.state()
            if condition(state):
                return state
            if time.monotonic() > end:
                raise BenchError(f"the bench did not come to that state within {within_s:g} s: {state}")
            time.sleep(0.05)

    # What is done to it ------------------------------------------------------------------------

    def set(self, name: str, value: float):
        """Set a parameter of the model, or an input that no instrument drives."""
        self.ask(f"set {name} {value}")

    def fault(self, unit, kind: str, arg=None, seconds=None, **limits):
        """Any fault of the line or of the instrument: see docs/bench-testing.md, and kinds().

        It stays until clear(), or for ``seconds``. ``limits``: ``replies``, in how many answers it is felt;
        ``function`` and ``register`` (data address) of the requests that it is for.
        """
        words = ["fault", str(unit), kind]
        if arg is not None:
            words.append(str(arg))
        if seconds is not None:
            words.append(f"{seconds}s")
        words += [f"{key}={value}" for key, value in limits.items()]
        self.ask(" ".join(words))

    def kinds(self, unit) -> list:
        """The faults that a unit can have."""
        return self.ask(f"kinds {unit}")["kinds"]

    def clear(self, unit="all"):
        """End the faults of a unit, or of all."""
        self.ask(f"clear {unit}")

    def silence(self, unit="all", seconds=None, **limits):
        """It hears nothing and answers nothing."""
        self.fault(unit, "silence", None, seconds, **limits)

    def deaf(self, unit="all", ms=20, seconds=None, **limits):
        """After each of its answers it hears nothing for so long."""
        self.fault(unit, "deaf", ms, seconds, **limits)

    def exception(self, unit="all", code=4, seconds=None, **limits):
        """It refuses with this exception code, and does nothing."""
        self.fault(unit, "exception", code, seconds, **limits)

    def busy(self, unit="all", seconds=None, **limits):
        """It refuses with exception 6, busy."""
        self.fault(unit, "busy", None, seconds, **limits)

    def clamping(self, unit="all", highest=1000, seconds=None, **limits):
        """It takes no register value above ``highest``, and answers function 6 with what it took."""
        self.fault(unit, "clamping", highest, seconds, **limits)

    def mute(self, unit="all", seconds=None, **limits):
        """It obeys, but its answer is lost."""
        self.fault(unit, "mute", None, seconds, **limits)

    def late(self, unit="all", ms=150, seconds=None, **limits):
        """Answers start so much later."""
        self.fault(unit, "late", ms, seconds, **limits)

    def truncated(self, unit="all", size=None, seconds=None, **limits):
        """Only the first ``size`` bytes arrive; by default half of them."""
        self.fault(unit, "truncated", size, seconds, **limits)

    def split(self, unit="all", ms=20, seconds=None, **limits):
        """Answers pause so long in their middle."""
        self.fault(unit, "split", ms, seconds, **limits)

    def merged(self, unit="all", seconds=None, **limits):
        """Every second answer is held back, and comes right before the next one."""
        self.fault(unit, "merged", None, seconds, **limits)

    def duplicated(self, unit="all", ms=0, seconds=None, **limits):
        """Answers come twice, the second time so long after the end of the first."""
        self.fault(unit, "duplicated", ms, seconds, **limits)

    def wrong_unit(self, unit="all", says=None, seconds=None, **limits):
        """Answers say that they are from unit ``says``; by default the next one."""
        self.fault(unit, "wrong_unit", says, seconds, **limits)

    def wrong_function(self, unit="all", says=None, seconds=None, **limits):
        """Answers have function ``says``; by default 3 for 4 and so on."""
        self.fault(unit, "wrong_function", says, seconds, **limits)

    def wrong_crc(self, unit="all", seconds=None, **limits):
        """The check word is wrong."""
        self.fault(unit, "wrong_crc", None, seconds, **limits)

    def stray(self, unit="all", size=1, seconds=None, **limits):
        """So many zero bytes come right before the answer."""
        self.fault(unit, "stray", size, seconds, **limits)

    def noise(self, unit="all", probability=0.01, seconds=None, **limits):
        """Every byte of an answer is hit with this probability."""
        self.fault(unit, "noise", probability, seconds, **limits)

    def echo(self, seconds=None):
        """The line echoes what the master sends."""
        self.fault("all", "echo", None, seconds)

    def reset(self, unit):
        """A power cycle."""
        self.fault(unit, "reset")

    def frozen(self, unit, seconds=None, **limits):
        """Its registers stay as they are."""
        self.fault(unit, "frozen", None, seconds, **limits)

    def burnt_out(self, unit, channel=None, seconds=None, **limits):
        """The thermocouple at an input as "ai0" is broken."""
        self.fault(unit, "burnt_out", channel, seconds, **limits)

    def shorted(self, unit, channel=None, seconds=None, **limits):
        """The thermocouple at an input as "ai0" is shorted: it shows the temperature of the terminals."""
        self.fault(unit, "shorted", channel, seconds, **limits)

    def watchdog(self, unit):
        """Its watchdog over the host trips."""
        self.fault(unit, "watchdog")


@pytest.fixture
def furnace_bench(request):
    """A serial port with emulated instruments and a plant behind them: a FurnaceBench."""
    marker = request.node.get_closest_marker("furnace")
    if marker is not None and marker.args:
        raise pytest.UsageError("the marker furnace takes arguments by name only: " + MARKER)
    bench = FurnaceBench(**(marker.kwargs if marker is not None else {}))
    request.node.stash[_BENCH] = bench
    try:
        yield bench
    finally:
        del request.node.stash[_BENCH]
        bench.close()


def pytest_configure(config):
    config.addinivalue_line("markers", MARKER)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    bench = item.stash.get(_BENCH, None)
    if bench is not None and call.when == "call" and report.failed:
        report.sections.append(("what happened on the line", _shown(bench)))


def _shown(bench: FurnaceBench) -> str:
    """The end of the time line, or why there is none."""
    from edge.box.child import ChildError

    try:
        return "\n".join(str(entry) for entry in bench.timeline()[-SHOWN:])
    except (BenchError, ChildError, ValueError) as error:
        return f"the emulator does not tell: {error}"
