"""kill -9 at random moments, a damaged outbox, a full one, a full disk: the faults, and the books after them.

The results are dicts of counts; ``problems`` is empty when every promise was kept.
"""

import collections
import contextlib
import random
import subprocess
import time

from tests.faults.rig import Rig
from tests.faults.scenarios import CATCH_UP_S, RATE, RENAMED_MAX, WINDOW
from tests.node.report.brokers import wait_for
from tests.parts import missing_part

KILL_AFTER_S = (0.05, 1.2)
# Each event, every 20th record, is committed at once and takes what waits along. A second one may wait for
# 50 ms, in which a feeder that was late tells what it missed of a second.
WAITING_MAX = 2 * RATE
STARTS_MAX = 3
ARRIVAL_S = 3.0  # from the broker to the observer


def killings(folder, runtime: str, count: int, seed: int = 1) -> dict:
    """The node, its reporter or the broker killed ``count`` times at random moments; then peace.

    On CPython the reporter stores what the node hands over in turn, and outlives it: of each start of the
    node, what came must be without a gap. Where the reporter had been killed, too, the node may be killed
    before the next one has taken over: then what the node knew to be stored must come. On MicroPython they
    die together, with what waited in memory, and what is younger may have come: it went first as an event,
    or live before a backlog. There the segments on the disk after each kill say what was stored. All of
    that must come, no more may die than ``commit_s`` lets wait. On either runtime all ids that came to
    nothing must be told.
    """
    chance = random.Random(seed)
    killed = {"node": 0, "reporter": 0, "broker": 0}
    with Rig(folder, runtime, RATE) as rig:
        victims = ["node", "broker"] if runtime == "micropython" else ["node", "reporter", "broker"]
        most = 0
        stored = set()
        orphaned = set()  # boots whose reporter was killed
        confirmed = {}  # such a boot: up to where the node knew its records to be stored
        for _ in range(count):
            time.sleep(chance.uniform(*KILL_AFTER_S))
            victim = chance.choice(victims)
            most = max(most, rig.outbox_bytes())
            if victim == "broker":
                rig.kill_broker()
                time.sleep(chance.uniform(0.05, 0.8))
                rig.restore_broker()
            elif victim == "reporter":
                boot = rig.node.told()["boot"]
                if not rig.node.kill_reporter():
                    continue  # it is being started anew
                orphaned.add(boot)
            else:
                told = rig.node.told()
                if told["boot"] in orphaned:
                    confirmed[told["boot"]] = told["seq"] - told["stats"]["unconfirmed"]
                rig.node.kill()
                stored |= rig.stored()
                rig.node.start()
            killed[victim] += 1
        rig.node.say("pause")
        complete = rig.caught_up(CATCH_UP_S)
        rig.node.stop()
        observer = rig.observer.read()
        gaps = {(boot, seq) for boot, gap in observer.gaps().items() for seq in gap}
        if runtime == "cpython":
            lost = {(boot, seq) for boot, seq in gaps if seq <= confirmed.get(boot, seq)}
        else:
            lost = stored - observer.came()
        died = gaps - lost
        most_died = max(collections.Counter(boot for boot, _ in died).values(), default=0)
        checks = {
            "not everything of the last start came": not complete,
            "stored records were lost": lost,
            "more died in memory than may wait there": runtime == "micropython" and most_died > WAITING_MAX,
            "ids are gone without a word": observer.untold(),
            "two contents under one name": observer.contradictions,
            "too many records under two names": len(observer.twice()) > RENAMED_MAX * killed["reporter"],
            "records were told to be lost": observer.lost,
            "the disk is above its bound": most > rig.description["report"]["outbox"]["size_mb"] * 1000000,
        }
        return {
            "killed": killed,
            "starts": len(observer.seqs),
            "records": sum(len(seqs) for seqs in observer.seqs.values()),
            "stored": len(stored),
            "missing": len(lost),
            "died": len(died),
            "duplicates": observer.duplicates,
            "renamed": len(observer.twice()),
            "told_lost": observer.lost,
            "problems": [name for name, found in checks.items() if found],
        }


# The disk ----------------------------------------------------------------------------------


def outbox_damaged(folder, runtime: str, seed: int) -> dict:
    """One byte of the outbox changed while nothing runs, with a backlog in it; then the backlog is sent."""
    chance = random.Random(seed)
    with Rig(folder, runtime, RATE) as rig:
        rig.connected()
        rig.kill_broker()
        rig.node.say("burst 600")
        time.sleep(2.5)
        rig.node.say("pause")
        first = rig.node.told()
        rig.node.stop()
        place = flip(chance, rig.outbox_files())
        rig.restore_broker()
        rig.node.start()
        rig.connected()
        complete = rig.caught_up(CATCH_UP_S)
        wait_for(lambda: len(rig.observer.read().seqs[first["boot"]]) + rig.observer.lost >= first["seq"], 60)
        told = rig.node.told()
        rig.node.stop()
        observer = rig.observer.read()
        missing = observer.missing(first["boot"], first["seq"])
        checks = {
            "the node's next start did not come whole": not complete,
            "not each loss was told": len(missing) > observer.lost,
            # What was delivered and not yet marked so on the disk is counted as lost with its block.
            "many more losses were told than there are": observer.lost > len(missing) + WINDOW,
            "one record under two names": observer.twice(),
            "two contents under one name": observer.contradictions,
        }
        return {
            "place": place,
            "records": first["seq"] + told["seq"],
            "missing": len(missing),
            "told_lost": observer.lost,
            "duplicates": observer.duplicates,
            "problems": [name for name, found in checks.items() if found],
        }


def outbox_full(folder, runtime: str) -> dict:
    """More than the bound holds while the broker is away: samples thin out and are counted, alarms stay."""
    bound = 600000
    bursts = 30 if runtime == "cpython" else 12  # the box's outbox packs its blocks
    with Rig(folder, runtime, RATE, size_mb=bound / 1000000, metrics=30) as rig:
        rig.connected()
        rig.kill_broker()
        most = 0
        for _ in range(bursts):
            rig.node.say("burst 1000")
            time.sleep(0.3)
            most = max(most, rig.outbox_bytes())
        end = time.monotonic() + 30
        while rig.node.told()["seq"] < bursts * 1000 and time.monotonic() < end:
            most = max(most, rig.outbox_bytes())
            time.sleep(0.1)
        rig.node.say("pause")
        time.sleep(2.5)
        most = max(most, rig.outbox_bytes())
        told = rig.node.told()
        boot, last_seq = told["boot"], told["seq"]
        observer, accounted = _told_after_a_restart(rig, boot, last_seq)
        alarms = {(boot, seq) for seq in range(40, last_seq + 1, 40)}
        missing = observer.missing(boot, last_seq)
        checks = {
            "the losses told are not those that are": not accounted or len(missing) != observer.lost,
            "an alarm was lost": alarms - observer.alarms,
            "the disk went above its bound": most > bound,
            "one record under two names": observer.twice(),
        }
        return {
            "records": last_seq,
            "missing": len(missing),
            "told_lost": observer.lost,
            "alarms": len(alarms),
            "disk_kb": most // 1000,
            "bound_kb": bound // 1000,
            "problems": [name for name, found in checks.items() if found],
        }


def _told_after_a_restart(rig, boot: int, last_seq: int) -> tuple:
    """(observer, whether all is accounted for) after an orderly end and a new start: losses are told then.

    What a full outbox gives up after that, for what the new start stores before the broker is there, it tells
    ten minutes later or at the next start: so there is another one when all else has come.
    """
    rig.node.stop()
    rig.restore_broker()

    def accounted():
        observer = rig.observer.read()
        return len(observer.seqs[boot]) + observer.lost >= last_seq

    def drained():
        return accounted() or not rig.node.told()["stats"]["queued"]

    complete = False
    for _ in range(STARTS_MAX):
        rig.node.start()
        rig.connected()
        rig.node.say("pause")
        wait_for(drained, CATCH_UP_S, lambda: time.sleep(0.1))
        complete = wait_for(accounted, ARRIVAL_S) and rig.caught_up()
        rig.node.stop()
        if complete:
            break
    return rig.observer.read(), complete


def disk_full(folder, runtime: str) -> dict:
    """The file system takes nothing more while the broker is away: nothing stops, and what memory can't hold
    is told.
    """
    disk = folder / "disk"
    disk.mkdir()
    with small_disk(disk), Rig(folder, runtime, RATE, path=str(disk / "node.outbox")) as rig:
        rig.connected()
        rig.kill_broker()
        time.sleep(0.5)
        filler = disk / "filler"
        fill(filler)
        rig.node.say("burst 200")
        time.sleep(3.0)
        full = rig.node.told()
        filler.unlink()
        rig.node.say("pause")
        told = rig.node.told()
        observer, accounted = _told_after_a_restart(rig, told["boot"], told["seq"])
        missing = observer.missing(told["boot"], told["seq"])
        checks = {
            "the disk was never full": not full["stats"]["outbox"]["errors"],
            "the losses told are not those that are": not accounted or len(missing) != observer.lost,
            "the box lost some": runtime == "cpython" and missing,
            "one record under two names": observer.twice(),
        }
        return {
            "records": told["seq"],
            "missing": len(missing),
            "told_lost": observer.lost,
            "duplicates": observer.duplicates,
            "problems": [name for name, found in checks.items() if found],
        }


def disk_missing(folder, runtime: str) -> dict:
    """The disk is not there when the node starts, and the broker goes away; then the disk comes."""
    medium = folder / "medium"
    link = folder / "disk"
    link.symlink_to(medium)
    with Rig(folder, runtime, RATE, path=str(link / "node.outbox")) as rig:
        rig.connected()
        time.sleep(1.0)
        reported = rig.caught_up(5)
        without = rig.node.told()
        rig.kill_broker()
        time.sleep(1.0)
        rig.node.say("pause")
        told = rig.node.told()
        medium.mkdir()
        found = wait_for(lambda: not rig.node.told()["stats"]["outbox"]["memory_only"], 60,
                         lambda: time.sleep(0.1))
        observer, accounted = _told_after_a_restart(rig, told["boot"], told["seq"])
        missing = observer.missing(told["boot"], told["seq"])
        checks = {
            "it was not reported without a disk": not reported,
            "the disk was there": not without["stats"]["outbox"]["memory_only"],
            "the disk was not found": not found,
            "some were lost": not accounted or missing or observer.lost,
            "two contents under one name": observer.contradictions,
            # What the broker had, and had not yet acknowledged when it was killed.
            "too many records under two names": len(observer.twice()) > RENAMED_MAX,
        }
        return {
            "records": told["seq"],
            "missing": len(missing),
            "told_lost": observer.lost,
            "duplicates": observer.duplicates,
            "renamed": len(observer.twice()),
            "problems": [name for name, wrong in checks.items() if wrong],
        }


@contextlib.contextmanager
def small_disk(folder):
    """A file system of 2 MB in memory; only root can make one."""
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(folder)], capture_output=True,
                          check=False)
    if done.returncode:
        missing_part("a small file system can't be mounted: only root may do that")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(path):
    """Take what is left of the file system."""
    with open(path, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


def flip(chance: random.Random, files: list) -> str:
    """Change one byte of one of the files, the larger the likelier; where."""
    sizes = [path.stat().st_size for path in files]
    (path,) = chance.choices(files, weights=sizes)
    at = chance.randrange(path.stat().st_size)
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ (1 << chance.randrange(8))]))
    return f"{path.name} at {at}"
