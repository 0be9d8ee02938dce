"""Whether a broker does what a node needs of it.

    python docs/try_broker.py HOST:PORT         from the root of the project

It starts a real reporter with all three languages and a listener of its own, under a site and name of its
own, and says what holds. Exit code 0 when all of it does. The broker must let anybody in.
"""

import contextlib
import json
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import paho.mqtt.client as paho  # noqa: E402

from edge.box.reporter import config_of, start_reporter, stop_reporter  # noqa: E402
from edge.node.report import records  # noqa: E402
from edge.node.report.catalogue import Catalogue, Metric  # noqa: E402

WITHIN_S = 20
SAMPLES = 500
KEEPALIVE_S = 2
QUIET_S = 5 * KEEPALIVE_S
LANGUAGES = {"json": {"enabled": True}, "sparkplug": {"group": "trial"},
             "home_assistant": {"prefix": "trial-ha"}}


class Ear:
    """Listens to everything of this trial: {topic: [(payload, retained)]}."""

    def __init__(self, host: str, port: int, node: str):
        self.heard = {}
        client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        client.on_connect = lambda client, *_: client.subscribe(
            [(f"furnace/trial/{node}/#", 1), ("spBv1.0/trial/#", 0), ("trial-ha/#", 1)])
        client.on_message = lambda _client, _data, message: self.heard.setdefault(message.topic, []).append(
            (message.payload, message.retain))
        client.connect(host, port)
        client.loop_start()
        self._client = client

    def payloads(self, topic: str) -> list:
        return [payload for payload, _ in list(self.heard.get(topic, []))]

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()


class Trial:
    """One reporter at one broker."""

    def __init__(self, host: str, port: int, folder: str):
        self._address = host, port
        self.node = f"n{int(time.time())}"
        base = f"furnace/trial/{self.node}"
        self.state, self.samples = f"{base}/state", f"{base}/samples"
        self.availability = f"{base}/home_assistant/availability"
        self.birth = f"spBv1.0/trial/NBIRTH/{self.node}"
        self.death = f"spBv1.0/trial/NDEATH/{self.node}"
        report = {"mqtt": {"brokers": [[host, port]], "keepalive_s": KEEPALIVE_S, "tls": False},
                  "outbox": {"path": f"{folder}/outbox", "size_mb": 4, "commit_s": 1}, **LANGUAGES}
        config = config_of({"node": {"site": "trial", "name": self.node}, "report": report})
        self.ear = Ear(host, port, self.node)
        self.process, self.link = start_reporter(config)
        self._catalogue = Catalogue([Metric("t", "degC")], "trial", self.node)
        self.link.begin(self._catalogue)
        self._seq = 0
        self.sample()

    def sample(self):
        self._seq += 1
        self.link.record(records.encode_sample(7, self._seq, int(time.time() * 1000), self._seq, True,
                                               self._catalogue.number, [(0, 0, float(self._seq))]))

    def holds(self, condition, within_s: float = WITHIN_S) -> bool:
        end = time.monotonic() + within_s
        while not condition():
            if time.monotonic() > end:
                return False
            self.link.step(int(time.monotonic() * 1000))
            time.sleep(0.005)
        return True

    def arrived(self) -> list:
        return [one["seq"] for payload in self.ear.payloads(self.samples)
                for one in json.loads(payload)["samples"]]

    def online(self) -> bool:
        return (self.ear.payloads(self.state)[-1:] == [b"online"] and bool(self.ear.payloads(self.birth))
                and self.ear.payloads(self.availability)[-1:] == [b"online"])

    def quiet(self) -> bool:
        before = self.link.stats["reconnects"]
        self.holds(lambda: False, QUIET_S)
        return self.link.stats["connected"] and self.link.stats["reconnects"] == before

    def everything(self) -> bool:
        for _ in range(SAMPLES):
            self.sample()
            self.link.step(int(time.monotonic() * 1000))
        return self.holds(lambda: len(set(self.arrived())) == SAMPLES + 1)

    def kept(self) -> bool:
        ear = Ear(*self._address, self.node)
        try:
            return self.holds(lambda: (b"online", True) in ear.heard.get(self.state, []))
        finally:
            ear.close()

    def wills(self) -> bool:
        self.process.kill()
        return self.holds(lambda: self.ear.payloads(self.state)[-1] == b"offline"
                          and self.ear.payloads(self.availability)[-1] == b"offline"
                          and bool(self.ear.payloads(self.death)))

    def close(self):
        with contextlib.suppress(OSError):
            stop_reporter(self.process, self.link)
        self.ear.close()


def main(argv: list) -> int:
    if len(argv) != 1 or ":" not in argv[0]:
        print(__doc__)
        return 2
    host, _, port = argv[0].rpartition(":")
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(host, int(port), folder)
        checks = {
            "all three languages are born": lambda: trial.holds(trial.online),
            f"{SAMPLES} samples arrive": trial.everything,
            f"a line without data for {QUIET_S} s keeps its connections": trial.quiet,
            "what is retained comes to who subscribes later": trial.kept,
            "wills are published when the reporter is killed": trial.wills,
        }
        sound = True
        try:
            for name, check in checks.items():
                held = check()
                sound = sound and held
                print(f"{'yes' if held else 'NO ':4s} {name}", flush=True)
            print("twice:", len(trial.arrived()) - len(set(trial.arrived())),
                  "  last error:", trial.link.stats["last_error"] or "none")
        finally:
            trial.close()
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
