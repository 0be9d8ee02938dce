"""What fills the reporter's memory ends the reporter, and its node goes on."""

import subprocess
import sys

from edge.box import reporter
from edge.box.memory_limit import DATA_MAX, OOM_SCORE, OUTBOX_SHARE
from tests.box.test_reporter import CATALOGUE, values
from tests.node.report.brokers import wait_for

HOG = f"""
from edge.box.memory_limit import limit_memory
limit_memory(0)
held = bytes({DATA_MAX // 2})
try:
    more = bytes({DATA_MAX})
except MemoryError:
    print("refused")
"""


def test_beyond_the_limit_memory_is_refused():
    done = subprocess.run([sys.executable, "-c", HOG], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "refused\n"


def test_a_reporter_runs_under_the_limit_and_is_the_first_to_go(tmp_path):
    process, end = reporter.start_reporter(values(tmp_path, 9))
    try:
        end.begin(CATALOGUE)

        def read(name: str) -> str:
            with open(f"/proc/{process.pid}/{name}") as file:
                return file.read()

        assert wait_for(lambda: read("oom_score_adj") == f"{OOM_SCORE}\n", 20)
        (line,) = [line for line in read("limits").splitlines() if line.startswith("Max data size")]
        assert line.split()[3] == str(DATA_MAX + 4_000_000 // OUTBOX_SHARE)
    finally:
        reporter.stop_reporter(process, end)
