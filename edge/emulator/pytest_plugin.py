"""A pytest plugin: ``furnace_bench``, for tests of anybody's controller on a serial port or on TCP.

    def test_a_silent_module_is_an_error(furnace_bench):
        module = minimalmodbus.Instrument(furnace_bench.port, 1)
        furnace_bench.silence("roof")
        with pytest.raises(minimalmodbus.NoResponseError):
            module.read_register(0, functioncode=4)

The emulator runs in a process of its own and in real time, and ends with the test. It is chosen by

    @pytest.mark.furnace(plant="bishkek", seed=1, script=None, chaos=None, record=None, line="serial",
                         silence_ms=None)

with a plant that comes with the emulator or a plant file, the seed of waste and noise, a script of faults
or a seed that they are drawn from (see edge.emulator.fault_script), a file for a capture (see
edge.emulator.record), and the line: "serial", "tcp" or "rtu_over_tcp". ``furnace_bench_factory`` makes as
many as a test needs, each with these arguments. A test that fails shows the end of the time lines.
"""

import pytest

from edge.emulator.furnace_bench import BenchError, FurnaceBench

MARKER = (
    "furnace(plant='bishkek', seed=1, script=None, chaos=None, record=None, line='serial', silence_ms=None): "
    "the bench of furnace_bench"
)
# So much of a time line is shown when a test fails.
SHOWN = 40
# Kept by a test for its report.
_BENCHES = pytest.StashKey()


@pytest.fixture
def furnace_bench_factory(request):
    """Makes benches, each a FurnaceBench of the arguments given; all end with the test."""
    benches = []
    request.node.stash[_BENCHES] = benches

    def make(**arguments) -> FurnaceBench:
        bench = FurnaceBench(**arguments)
        benches.append(bench)
        return bench

    try:
        yield make
    finally:
        del request.node.stash[_BENCHES]
        for bench in benches:
            bench.close()


@pytest.fixture
def furnace_bench(request, furnace_bench_factory):
    """A port with emulated instruments and a plant behind them: a FurnaceBench."""
    marker = request.node.get_closest_marker("furnace")
    if marker is not None and marker.args:
        raise pytest.UsageError("the marker furnace takes arguments by name only: " + MARKER)
    return furnace_bench_factory(**(marker.kwargs if marker is not None else {}))


def pytest_configure(config):
    config.addinivalue_line("markers", MARKER)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if call.when == "call" and report.failed:
        for bench in item.stash.get(_BENCHES, ()):
            report.sections.append((f"what happened on the line {bench.port}", _shown(bench)))


def _shown(bench: FurnaceBench) -> str:
    """The end of the time line, or why there is none."""
    from edge.box.child import ChildError

    try:
        return "\n".join(str(entry) for entry in bench.timeline()[-SHOWN:])
    except (BenchError, ChildError, ValueError) as error:
        return f"the emulator does not tell: {error}"
