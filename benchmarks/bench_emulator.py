"""The emulator with eight devices at 115200 bit/s, on a pseudo-terminal: does it keep the line's pace?

A master asks all eight units in turn, eight registers each where they have so many, and sends the next
request as soon as the line has been silent for 1.75 ms. Of every reply it notes when its last byte came,
against when it would have on a line: request and reply at 11 bits a character, and the response delay of
1 ms. The emulator itself counts the groups of bytes that it wrote later than that silence. Between both
stands the kernel's pseudo-terminal, whose bytes wait for a kernel thread where the machine is busy. Where
that is allowed both run at real-time priority, as in bench_bus.
"""

import os
import select
import tempfile
import time
import tty
from pathlib import Path

from benchmarks import budget
from benchmarks.bench_bus import real_time
from edge.emulator import plant_file
from edge.emulator.pytest_plugin import FurnaceBench
from edge.node.bus import modbus
from edge.node.devices import ach550, m7019r, m7024, o2_analyser

BAUD = 115200
DELAY_MS = 1
CHAR_US = 11e6 / BAUD
SILENCE_US = 1750
# Later than that a reply counts as out of pace: the silence that ends a frame.
LIMIT_US = 1750
TICKS_PER_S = os.sysconf("SC_CLK_TCK")

REQUESTS = [
    modbus.read_request(1, 4, m7019r.AI_VALUE, 8),
    modbus.read_request(2, 4, o2_analyser.O2, 4),
    modbus.read_request(3, 3, m7024.AO_VALUE, 4),
    *(modbus.read_request(unit, 3, ach550.ACTUAL_1, 8) for unit in range(11, 16)),
]


def plant(folder: str) -> str:
    """The Bishkek line, made quick."""
    text = plant_file.find("bishkek").read_text(encoding="utf-8")
    text = text.replace("baud = 38400", f"baud = {BAUD}").replace("delay_ms = 5", f"delay_ms = {DELAY_MS}")
    path = Path(folder, "quick.toml")
    path.write_text(text, encoding="utf-8")
    return str(path)


def cpu_s(pid: int) -> float:
    """Processor time of a process, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def poll(fd: int, seconds: float) -> list:
    """How much later than on a line each reply was complete, us; None: it was not."""
    late_us = []
    end_us = time.monotonic_ns() / 1e3 + seconds * 1e6
    now_us = 0
    while now_us < end_us:
        for request in REQUESTS:
            quiet_us = time.monotonic_ns() / 1e3 + SILENCE_US
            while time.monotonic_ns() / 1e3 < quiet_us:
                select.select((), (), (), max(0.0, quiet_us / 1e6 - time.monotonic()))
            length = modbus.reply_length(request)
            due_us = time.monotonic_ns() / 1e3 + (len(request) + length) * CHAR_US + DELAY_MS * 1000
            os.write(fd, request)
            received = b""
            while len(received) < length and select.select([fd], (), (), 0.2)[0]:
                received += os.read(fd, 256)
            now_us = time.monotonic_ns() / 1e3
            sound = len(received) == length and modbus.crc16(received) == 0
            late_us.append(now_us - due_us if sound else None)
    return late_us


def oversleep(count: int) -> list:
    """How much later than asked this machine wakes a process up now, us, sorted: no emulator is better."""
    found = []
    for _ in range(count):
        due_us = time.monotonic_ns() / 1e3 + 3000
        select.select((), (), (), 0.003)
        found.append(time.monotonic_ns() / 1e3 - due_us)
    return sorted(found)


def measure(quick: bool = False) -> dict:
    urgent = real_time()
    try:
        return dict(_measured(quick), real_time=urgent)
    finally:
        if urgent:
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def _measured(quick: bool) -> dict:
    seconds = 2.0 if quick else 15.0
    with tempfile.TemporaryDirectory() as folder:
        bench = FurnaceBench(plant(folder))
        try:
            fd = os.open(bench.port, os.O_RDWR | os.O_NOCTTY)
            try:
                tty.setraw(fd)
                poll(fd, 0.5)
                before = bench.state()["line"]
                used_s = cpu_s(bench.pid)
                late_us = poll(fd, seconds)
                used_s = cpu_s(bench.pid) - used_s
                line = bench.state()["line"]
            finally:
                os.close(fd)
        finally:
            bench.close()
    woken = oversleep(100 if quick else 500)
    replies = sorted(late for late in late_us if late is not None)
    return {
        "devices": len(REQUESTS),
        "baud": BAUD,
        "requests": len(late_us),
        "lost": len(late_us) - len(replies),
        "early": sum(late < -CHAR_US for late in replies),
        "out_of_pace": sum(late > LIMIT_US for late in replies),
        "late_us_p50": round(replies[len(replies) // 2]),
        "late_us_p99": round(replies[len(replies) * 99 // 100]),
        "late_us_max": round(replies[-1]),
        "groups_written": line["written"] - before["written"],
        "groups_missed": line["missed"] - before["missed"],
        "machine_late_us_p99": round(woken[len(woken) * 99 // 100]),
        "machine_out_of_pace_pct": round(100.0 * sum(late > LIMIT_US for late in woken) / len(woken), 1),
        "core_pct": round(100.0 * used_s / seconds, 1),
        "cpu_us_per_request": round(1e6 * used_s / len(late_us)),
    }


def missed(figures: dict) -> list:
    return [
        *budget.at_most("groups of bytes out of pace", figures["groups_missed"], 0),
        *budget.at_most("replies lost", figures["lost"], 0),
    ]


def told(figures: dict) -> str:
    priority = "real-time priority" if figures["real_time"] else "normal priority"
    return (
        f"emulator: {figures['devices']} devices at {figures['baud']} bit/s, {figures['requests']} requests, "
        f"at {priority}\n"
        f"  groups of bytes that the emulator wrote out of pace (> {LIMIT_US} us late; asked for: none): "
        f"{figures['groups_missed']} of {figures['groups_written']}\n"
        f"  replies that the master got out of pace: {figures['out_of_pace']}, lost: {figures['lost']}, "
        f"early: {figures['early']}\n"
        f"  late by {figures['late_us_p50']} us at the median, {figures['late_us_p99']} us at p99, "
        f"{figures['late_us_max']} us at most; {figures['core_pct']} % of one core, "
        f"{figures['cpu_us_per_request']} us a request\n"
        f"  beside it this machine wakes a sleeping process {figures['machine_late_us_p99']} us late at p99, "
        f"and {figures['machine_out_of_pace_pct']} % of the time out of pace"
    )
