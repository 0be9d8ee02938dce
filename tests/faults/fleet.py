"""Many nodes on one broker, and the books on all of them."""

import json
import time

from tests.faults.observer import Observer
from tests.faults.rig import PROMPT, Node, description
from tests.faults.scenarios import CATCH_UP_S
from tests.node.report.brokers import Mosquitto, wait_for


def fleet(folder, nodes: int, rate: int, metrics: int, seconds: float, boxes: int = 5) -> dict:
    """``nodes`` nodes on one broker, each telling ``rate`` samples of ``metrics`` values a second.

    ``boxes`` of them are CPython with a reporter process, the others MicroPython.
    """
    broker = Mosquitto(folder, *PROMPT).start()
    observer = Observer(broker.port, "furnace/bench")
    started = []
    try:
        for number in range(nodes):
            home = folder / f"k{number}"
            home.mkdir()
            node = Node(home, "cpython" if number < boxes else "micropython", rate, metrics)
            described = description(home, [["127.0.0.1", broker.port]], commit_s=10, keepalive_s=15)
            described["node"]["name"] = f"k{number}"
            node.file.write_text(json.dumps(described))
            started.append(node.start())
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(0.5)
            observer.read()
        for node in started:
            node.say("pause")
        told = [node.told() for node in started]

        def missing():
            observer.read()
            return sum(len(observer.missing(one["boot"], one["seq"])) for one in told)

        wait_for(lambda: not missing(), CATCH_UP_S, lambda: time.sleep(0.2))
        records = sum(one["seq"] for one in told)
        checks = {
            "not everything came": missing(),
            "losses were told": observer.lost,
            "fewer records than asked for": records < 0.98 * nodes * rate * (seconds - 10),
            "two contents under one name": observer.contradictions,
            "one record under two names": observer.twice(),
        }
        return {
            "nodes": nodes,
            "seconds": seconds,
            "records": records,
            "per_s": round(records / seconds),
            "messages": observer.messages,
            "missing": missing(),
            "duplicates": observer.duplicates,
            "problems": [name for name, found in checks.items() if found],
        }
    finally:
        for node in started:
            node.end()
        observer.close()
        broker.kill()
