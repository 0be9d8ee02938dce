"""The suite again and again beside busy processes: what depends on durations fails here first.

    python -m tests.soak --times 20 --busy 4 hil_tests/test_microbit.py hil_tests/test_microbit_main.py

Everything else is handed on to pytest; without a path it is the whole suite. Exit code 1 when a run fails.
"""

import argparse
import os
import subprocess
import sys
import time

# It ends with its parent, whatever happens to that.
BUSY = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n for _ in range(1000000): pass"


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__.partition("\n")[0])
    parser.add_argument("--times", type=int, default=5, metavar="N", help="runs (default 5)")
    parser.add_argument("--busy", type=int, default=4, metavar="N", help="busy processes (default 4)")
    args, rest = parser.parse_known_args(argv)
    busy = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(args.busy)]
    failed = 0
    try:
        for number in range(1, args.times + 1):
            began = time.monotonic()
            command = [sys.executable, "-m", "pytest", "-q", "-n", "4", "--dist", "worksteal", *rest]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
            failed += done.returncode != 0
            lines = done.stdout.splitlines()
            if done.returncode != 0:
                print("\n".join(lines))
            load = os.getloadavg()[0]
            took = time.monotonic() - began
            print(f"run {number} of {args.times}: {lines[-1]}; {took:.0f} s, load {load:.1f}", flush=True)
    finally:
        for process in busy:
            process.kill()
            process.wait()
    print(f"{failed} of {args.times} runs failed beside {args.busy} busy processes")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
