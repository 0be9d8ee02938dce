"""How much heap the Bishkek node needs on MicroPython, by trying smaller and smaller ones.

Each try runs the node against the emulator with no broker, so that its queue fills to its bound, and counts
as enough when it controls, stops in order and misses no tick. Modules are compiled from source on the heap;
a board loads .mpy files and needs less.
"""

import json
import time

from edge.box.child import Child, ChildError

LIMIT_KB = 512
STEP_KB = 16
# Nobody listens there.
NO_BROKER = "127.0.0.1:9"


def tried(port: str, heap_kb: int, seconds: float):
    """The node's last telemetry after a run with that heap, or None when it failed."""
    arguments = ["bishkek", "--port", port, "--broker", NO_BROKER, "--runtime", "micropython"]
    node = Child("node", "edge.box.cli", "run", *arguments, "--heap", f"{heap_kb}k", "--attached", "--json")
    try:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not node.alive():
                return None
            time.sleep(0.1)
        node.say("stop")
        last = json.loads(node.line(15))
    except (ChildError, ValueError):
        return None
    finally:
        node.end()
    well = last["tick"]["missed"] == 0 and last["signals"]["t_furnace"][1] == "good"
    return last if well else None


def measure(quick: bool = False) -> dict:
    seconds = 8 if quick else 40
    emulator = Child("emulator", "edge.emulator.serve", "bishkek", "--attached")
    try:
        port = json.loads(emulator.line(20))["port"]
        enough, too_little = LIMIT_KB, 0
        full = best = tried(port, LIMIT_KB, seconds)
        if full is None:
            return {"error": f"{LIMIT_KB}k is not enough"}
        while enough - too_little > STEP_KB:
            middle = (enough + too_little) // (2 * STEP_KB) * STEP_KB
            middle = max(middle, too_little + STEP_KB)
            if middle >= enough:
                break
            found = tried(port, middle, seconds)
            if found is None:
                too_little = middle
            else:
                enough, best = middle, found
    finally:
        emulator.end()
    return {
        "limit_kb": LIMIT_KB,
        "needed_kb": enough,
        "too_little_kb": too_little,
        "queued_messages": best["report"]["queued"],
        "late_p99_ms": {str(LIMIT_KB): full["tick"]["late_p99_ms"], str(enough): best["tick"]["late_p99_ms"]},
    }


def told(figures: dict) -> str:
    if "error" in figures:
        return f"heap: {figures['error']}"
    late = ", ".join(f"{value} ms with {size}k" for size, value in figures["late_p99_ms"].items())
    return (
        f"heap: the MicroPython node needs {figures['needed_kb']}k (at most {figures['limit_kb']}k), "
        f"{figures['too_little_kb']}k is too little; {figures['queued_messages']} messages waiting\n"
        f"  tick late p99 {late}"
    )
