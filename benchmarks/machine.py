"""The machine under the figures: how late it wakes a process that waits, and what else it has to do."""

import os
import platform
import time

PERIOD_S = 0.004


def machine(seconds: float = 3.0) -> dict:
    """Wake-up latency of waits of 4 ms in ms, the load of the last minute, cores, Python, system."""
    late_ms = []
    due = time.monotonic()
    end = due + seconds
    while due < end:
        due += PERIOD_S
        time.sleep(max(due - time.monotonic(), 0))
        late_ms.append((time.monotonic() - due) * 1000)
    late_ms.sort()
    return {
        "python": platform.python_version(), "cores": os.cpu_count(), "system": platform.system(),
        "load": round(os.getloadavg()[0], 1),
        "wake_up_p50_ms": round(late_ms[len(late_ms) // 2], 2),
        "wake_up_p99_ms": round(late_ms[int(len(late_ms) * 0.99)], 2),
        "wake_up_max_ms": round(late_ms[-1], 2),
    }


def told(found: dict) -> str:
    return (f"machine: {found['cores']} cores, load {found['load']}; a wait of 4 ms ends late by "
            f"{found['wake_up_p50_ms']} ms (median), {found['wake_up_p99_ms']} (p99), "
            f"{found['wake_up_max_ms']} (most)")
