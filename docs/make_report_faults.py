"""The table of what reporting survives, with counts: every fault done to both runtimes.

    python docs/make_report_faults.py [--quick]        from the root of the project; some minutes

writes docs/report-faults.md. It needs mosquitto; the full disk needs root.
"""

import concurrent.futures
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.faults import crashes, scenarios  # noqa: E402
from tests.faults.rig import KEEPALIVE_S  # noqa: E402

PAGE = Path(__file__).parent / "report-faults.md"
RUNTIMES = ("cpython", "micropython")
AT_ONCE = 3  # they mostly wait

HEAD = """# What reporting survives

Made by `python docs/make_report_faults.py`. The same faults are tests: `tests/faults`.

A node tells {rate} records a second (19 samples and an event; every second event is an alarm). Its reporting
end is the product's: on CPython a reporter process with its outbox in SQLite and paho-mqtt, on MicroPython
the outbox in files and the MQTT client in the node's own loop. The broker is mosquitto, the keepalive
{keepalive} s. An observer, another MQTT client, keeps the books by the names that every entry carries: `box`
and `id` of the outbox, `boot` and `seq` of the node. In all tables below

- *missing* are records that were told and never came,
- *twice* came again under the name of the first: a receiver drops them,
- *renamed* came again under another id, but with the node's own `boot` and `seq`: what a reporter had
  delivered and not yet confirmed to the node when it was killed,
- *told* are losses that the outbox itself reported, as alarms.

"""

KILLS = """
## kill -9

At random moments, {least} to {most} s apart. On CPython, what came of each start of a node must be without
a gap; a node that is killed before a killed reporter's successor has taken over may lose what it did not
yet know to be stored. On MicroPython the reporting end dies with the node, and with what waits in its
memory, at most the `commit_s` of 1 s: *missing* are records that were in the segments on the disk after a
kill and never came, *died* those that were not, although something younger had come. On both, the ids of
all that never came must have been told.

| runtime | node | reporter | broker | records | missing | died | twice | renamed |
|---|--:|--:|--:|--:|--:|--:|--:|--:|
"""

DISK = """
## The disk

One bit of the outbox changed, anywhere, while it held a backlog of some 600 records and nothing ran. A record
that had come when the mark of that was not yet on the disk is told with its block:

| runtime | times | records | missing | told | times without loss |
|---|--:|--:|--:|--:|--:|
"""

FULL = """
More records than the outbox may hold while the broker is away, and a file system that takes nothing for 3 s
(what is beyond the memory of a board is lost there, and told):

| runtime | fault | records | missing | told | alarms, none missing | largest, kB | bound, kB |
|---|---|--:|--:|--:|--:|--:|--:|
"""


def main(quick: bool):
    hold_s = 3.0 if quick else 10.0
    frozen_s = 3.0 if quick else 30.0
    kills, bytes_hit = (5, 2) if quick else (60, 20)
    jobs = {}
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:

        def later(key, function, *arguments):
            jobs[key] = pool.submit(in_folder, function, *arguments)

        for runtime in RUNTIMES:
            for name in scenarios.SCENARIOS:
                seconds = frozen_s if "frozen" in name else hold_s
                if "reporter" not in name or runtime == "cpython":
                    later(("json", runtime, name), scenarios.run, name, runtime, seconds)
                    later(("sparkplug", runtime, name), scenarios.run_sparkplug, name, runtime, seconds)
            for name in ("password", "certificate"):
                later(("refused", runtime, name), scenarios.refused, name, runtime, hold_s)
            later(("will", runtime), scenarios.will, runtime)
            for part in range(3):
                later(("kill", runtime, part), crashes.killings, runtime, kills // 3 or 1, 40 + part)
            for seed in range(bytes_hit):
                later(("damage", runtime, seed), crashes.outbox_damaged, runtime, 1000 + seed)
            later(("outbox full", runtime), crashes.outbox_full, runtime)
            later(("disk full", runtime), crashes.disk_full, runtime)
    found = {key: job.result() for key, job in jobs.items()}
    broken = {key: one for key, one in found.items() if one["problems"]}
    for key, one in broken.items():
        print("BROKEN", *key, one, file=sys.stderr)
    PAGE.write_text(page(found, hold_s, frozen_s), encoding="utf-8")
    return 1 if broken else 0


def in_folder(function, *arguments):
    """``folder`` comes first or, after the fault's name, second."""
    with tempfile.TemporaryDirectory(prefix="furnace-edge-") as name:
        folder = Path(name)
        if function in (scenarios.run, scenarios.run_sparkplug, scenarios.refused):
            return function(arguments[0], folder, *arguments[1:])
        return function(folder, *arguments)


def page(found: dict, hold_s: float, frozen_s: float) -> str:
    parts = [HEAD.format(rate=scenarios.RATE, keepalive=KEEPALIVE_S)]
    parts.append(f"## Between node and broker\n\nFor {hold_s:g} s, frozen for {frozen_s:g} s.\n\n")
    parts.append("| runtime | fault | records | missing | twice | renamed | told | disk, kB |\n")
    parts.append("|---|---|--:|--:|--:|--:|--:|--:|\n")
    for (kind, runtime, *name), one in sorted(found.items(), key=lambda item: item[0][:1] + (str(item[0]),)):
        if kind in ("json", "refused"):
            label = name[0] if kind == "json" else REFUSED[name[0]]
            keys = ("records", "missing", "duplicates", "renamed", "told_lost", "disk_kb")
            parts.append(row(runtime, label, *(one[key] for key in keys)))
    parts.append("\nThe same seen by a Sparkplug host, whose data is QoS 0 (samples only):\n\n")
    parts.append("| runtime | fault | samples | missing | twice | historical | births |\n")
    parts.append("|---|---|--:|--:|--:|--:|--:|\n")
    for (kind, runtime, *name), one in sorted(found.items(), key=str):
        if kind == "sparkplug":
            keys = ("records", "missing", "duplicates", "historical", "births")
            parts.append(row(runtime, name[0], *(one[key] for key in keys)))
    parts.append("\nThe will, as `offline` on the node's state topic:\n\n")
    parts.append("| runtime | s after kill -9 | s after the line fell silent |\n|---|--:|--:|\n")
    for runtime in RUNTIMES:
        one = found["will", runtime]
        parts.append(row(runtime, one["offline_after_kill_s"], one["offline_after_silence_s"]))
    parts.append(KILLS.format(least=crashes.KILL_AFTER_S[0], most=crashes.KILL_AFTER_S[1]))
    for runtime in RUNTIMES:
        runs = [one for key, one in found.items() if key[:2] == ("kill", runtime)]
        killed = [sum(one["killed"][who] for one in runs) for who in ("node", "reporter", "broker")]
        keys = ("records", "missing", "died", "duplicates", "renamed")
        parts.append(row(runtime, *killed, *(sum(one[key] for one in runs) for key in keys)))
    parts.append(DISK)
    for runtime in RUNTIMES:
        runs = [one for key, one in found.items() if key[:2] == ("damage", runtime)]
        sums = [sum(one[key] for one in runs) for key in ("records", "missing", "told_lost")]
        parts.append(row(runtime, len(runs), *sums, sum(not one["missing"] for one in runs)))
    parts.append(FULL)
    for runtime in RUNTIMES:
        for kind in ("outbox full", "disk full"):
            one = found[kind, runtime]
            keys = ("records", "missing", "told_lost", "alarms", "disk_kb", "bound_kb")
            parts.append(row(runtime, kind, *(one.get(key, "") for key in keys)))
    return "".join(parts)


REFUSED = {
    "password": "broker wants another password",
    "certificate": "broker's certificate expired, then foreign",
}


def row(*cells) -> str:
    return "| " + " | ".join(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in cells) + " |\n"


if __name__ == "__main__":
    sys.exit(main("--quick" in sys.argv))
