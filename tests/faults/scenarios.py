"""What can happen to a node's reporting, one function for each, and the books after it.

``run(name, folder, runtime, hold_s)`` lets the fault last ``hold_s`` while a node tells 20 records a second,
then waits until everything has come. The result is a dict of counts; ``problems`` is empty when every promise
was kept.
"""

import contextlib
import json
import ssl
import time

from tests.faults.rig import KEEPALIVE_S, PROMPT, Rig
from tests.node.report.brokers import Mosquitto, wait_for
from tests.node.report.certificates import Authority

RATE = 20
CATCH_UP_S = 120.0
# A message and what it may hold, times the window: what one lost connection may bring twice.
WINDOW = 50
# What a reporter has delivered and not yet confirmed to the node when it dies comes again, under another id:
# by the node's (boot, seq) it is still known to be the same. It confirms once a second.
RENAMED_MAX = RATE * 2


def broker_killed(rig, hold_s):
    rig.kill_broker()
    time.sleep(hold_s)
    rig.restore_broker()
    return 1


def broker_frozen(rig, hold_s):
    rig.broker.freeze()
    time.sleep(hold_s)
    rig.broker.thaw()
    return 1


def broker_frozen_then_killed(rig, hold_s):
    rig.broker.freeze()
    time.sleep(hold_s)
    rig.kill_broker()
    rig.restore_broker()
    return 1


def broker_restarted_empty(rig, hold_s):
    for _ in range(3):
        rig.kill_broker()
        rig.restore_broker()
        time.sleep(hold_s / 3)
    return 3


def half_open(rig, hold_s):
    rig.proxy.half_open()
    time.sleep(hold_s)
    return 1


def packets_held(rig, hold_s):
    rig.proxy.hold()
    time.sleep(hold_s)
    rig.proxy.release()
    return 1


def acknowledgements_held(rig, hold_s):
    rig.proxy.hold(up=False)
    time.sleep(hold_s)
    rig.proxy.release()
    return 1


def packets_delayed(rig, hold_s):
    rig.proxy.delay_s = 0.3
    time.sleep(hold_s)
    rig.proxy.delay_s = 0.0
    return 0


def slow_line(rig, hold_s):
    rig.proxy.bytes_per_s = 3000
    rig.node.say("burst 200")
    time.sleep(hold_s)
    rig.proxy.bytes_per_s = None
    return 0


def connections_cut(rig, hold_s):
    for _ in range(5):
        rig.proxy.cut()
        time.sleep(hold_s / 5)
    return 5


def reporter_killed(rig, hold_s):
    """kill -9 of the process that stores and sends, where there is one; else nothing."""
    rig.node.kill_reporter()
    time.sleep(hold_s)
    return 1


SCENARIOS = {
    "broker killed": broker_killed,
    "broker frozen": broker_frozen,
    "broker frozen, then killed": broker_frozen_then_killed,
    "broker restarted empty, three times": broker_restarted_empty,
    "TCP half open": half_open,
    "packets held back": packets_held,
    "acknowledgements held back": acknowledgements_held,
    "packets delayed by 0.3 s": packets_delayed,
    "line of 3 kB/s with a burst of 200": slow_line,
    "connections cut, five times": connections_cut,
    "reporter killed by kill -9": reporter_killed,
}
def run(name: str, folder, runtime: str, hold_s: float) -> dict:
    """One fault and the books after it."""
    act = SCENARIOS[name]
    with Rig(folder, runtime, RATE) as rig:
        rig.connected()
        time.sleep(0.5)
        losses = act(rig, hold_s)
        rig.node.say("pause")
        complete = rig.caught_up(CATCH_UP_S)
        told = rig.node.told()
        disk = rig.outbox_bytes()
        rig.node.stop()
        return books(rig, complete, told, disk, losses, act is reporter_killed)


def books(rig, complete: bool, told: dict, disk: int, connections_lost: int, killed: bool) -> dict:
    """The counts of a run in which the node was never killed."""
    observer = rig.observer.read()
    missing = observer.missing(told["boot"], told["seq"])
    size = rig.description["report"]["outbox"]["size_mb"] * 1000000
    most_twice = max(connections_lost, told["stats"]["reconnects"]) * WINDOW * 50
    checks = {
        "not everything came": not complete or missing,
        "two contents under one name": observer.contradictions,
        "too many records under two names": len(observer.twice()) > (RENAMED_MAX if killed else 0),
        "more duplicates than the window holds": observer.duplicates > most_twice,
        "the disk is above its bound": disk > size,
        "losses were told": observer.lost,
    }
    return {
        "records": told["seq"],
        "arrived": told["seq"] - len(missing),
        "missing": len(missing),
        "duplicates": observer.duplicates,
        "renamed": len(observer.twice()),
        "told_lost": observer.lost,
        "reconnects": told["stats"]["reconnects"],
        "disk_kb": disk // 1000,
        "problems": [name for name, found in checks.items() if found],
    }


def run_sparkplug(name: str, folder, runtime: str, hold_s: float) -> dict:
    """The same, seen by a Sparkplug host: what no barrier confirmed comes again as historical."""
    with Rig(folder, runtime, RATE, speakers=("sparkplug",)) as rig:
        rig.connected()
        time.sleep(0.5)
        losses = SCENARIOS[name](rig, hold_s)
        rig.node.say("pause")
        told = rig.node.told()
        complete = wait_for(lambda: not rig.host.read().missing(told["samples"]), CATCH_UP_S)
        rig.node.stop()
        host = rig.host.read()
        missing = host.missing(told["samples"])
        checks = {
            "not everything came": not complete or missing,
            "a message was out of order": host.out_of_order > losses,
            "more duplicates than the window holds": host.duplicates > (losses + 1) * WINDOW * 50,
            "no births after a connection": losses and host.births < 2,
        }
        return {
            "records": told["samples"],
            "arrived": told["samples"] - len(missing),
            "missing": len(missing),
            "duplicates": host.duplicates,
            "historical": host.historical,
            "births": host.births,
            "deaths": host.deaths,
            "reconnects": told["stats"]["reconnects"],
            "problems": [name for name, found in checks.items() if found],
        }


def refused(name: str, folder, runtime: str, hold_s: float) -> dict:
    """The broker wants another password, or shows an expired and then a foreign certificate, until mended."""
    if name == "password":
        with _with_password(folder, runtime) as (rig, broken, mended):
            return _refused(rig, hold_s, broken, mended)
    with _with_certificates(folder, runtime) as (rig, broken, mended):
        return _refused(rig, hold_s, broken, mended)


def _refused(rig, hold_s, broken: list, mended) -> dict:
    rig.connected()
    time.sleep(0.5)
    said = []
    for broker in broken:
        rig.kill_broker()
        with broker:
            rig.proxy.accept()
            time.sleep(hold_s)
            said.append(rig.node.told()["stats"]["last_error"])
            rig.proxy.refuse()
    # What was refused is tried again after up to 8 s by now.
    rig.broker = mended
    rig.restore_broker()
    rig.node.say("pause")
    complete = rig.caught_up(CATCH_UP_S)
    told = rig.node.told()
    disk = rig.outbox_bytes()
    rig.node.stop()
    found = books(rig, complete, told, disk, 1 + len(broken), False)
    found["said"] = said
    if not all(said):
        found["problems"].append("no reason was told")
    if "secret" in json.dumps(told) or "secret" in rig.node.errors.read_text():
        found["problems"].append("a password was told")
    return found


@contextlib.contextmanager
def _with_password(folder, runtime):
    password = folder / "password"
    password.write_text("secret-1\n")
    password.chmod(0o600)
    for name in ("other", "again"):
        (folder / name).mkdir()
    users = {"k1": "secret-1", "observer": "secret-2"}
    broker = Mosquitto(folder, *PROMPT, users=users).start()
    other = Mosquitto(folder / "other", *PROMPT, users={"k1": "secret-3"}, port=broker.port)
    access = {"username": "observer", "password": "secret-2"}
    with Rig(folder, runtime, RATE, broker=broker, access=access, username="k1",
             password_file=str(password)) as rig:
        yield rig, [other], Mosquitto(folder / "again", *PROMPT, users=users, port=broker.port)


@contextlib.contextmanager
def _with_certificates(folder, runtime):
    authority, foreign = Authority(folder), Authority(folder, "foreign")
    good = authority.issue("broker", ["127.0.0.1"])
    expired = authority.issue("broker", ["127.0.0.1"], expired=True)
    strange = foreign.issue("broker", ["127.0.0.1"])

    def broker(name, certificate, port=None):
        (folder / name).mkdir()
        tls = {"ca": authority.ca, **certificate}
        return Mosquitto(folder / name, *PROMPT, tls=tls, port=port)

    first = broker("first", good).start()
    broken = [broker("expired", expired, first.port), broker("strange", strange, first.port)]
    access = {"tls": ssl.create_default_context(cafile=authority.ca)}
    with Rig(folder, runtime, RATE, broker=first, access=access, tls=True, ca_file=authority.ca) as rig:
        yield rig, broken, broker("again", good, first.port)


def will(folder, runtime: str) -> dict:
    """The node's side killed, then silent: the broker says offline both times, and online when it is back."""
    with Rig(folder, runtime, RATE) as rig:
        rig.connected()
        wait_for(lambda: rig.observer.read().states)
        states = rig.observer.read().states
        killed = time.monotonic()
        rig.node.process.kill() if runtime == "micropython" else rig.node.kill_reporter()
        said = wait_for(lambda: rig.observer.read().states[-1] == b"offline", 60)
        after_kill_s = time.monotonic() - killed
        if runtime == "micropython":
            rig.node.kill()
            rig.node.start()
        back = wait_for(lambda: rig.observer.read().states[-1] == b"online", 60)
        silent = time.monotonic()
        rig.proxy.hold()
        noticed = wait_for(lambda: rig.observer.read().states[-1] == b"offline", 40)
        after_silence_s = time.monotonic() - silent
        rig.proxy.release()
        again = wait_for(lambda: rig.observer.read().states[-1] == b"online", 60)
        checks = {
            "not online at first": states[:1] != [b"online"],
            "not offline after kill -9": not said,
            "not online again": not (back and again),
            "not offline when silent": not noticed,
        }
        return {
            "offline_after_kill_s": round(after_kill_s, 2),
            "offline_after_silence_s": round(after_silence_s, 2),
            "keepalive_s": KEEPALIVE_S,
            "problems": [name for name, found in checks.items() if found],
        }
