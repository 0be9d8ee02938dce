"""Two nodes of one site and name, as a copied SD card makes them: each is told, and they come back slowly."""

import json

from edge.box import reporter
from tests.box.test_reporter import BASE, CATALOGUE, now_ms, sample, values
from tests.node.report.brokers import Mosquitto, Subscriber, wait_for

TOLD = "another node has this one's site and name, bench/k1"


def test_both_are_told_and_come_back_less_often(tmp_path):
    with Mosquitto(tmp_path) as broker, Subscriber(broker.port, f"{BASE}/#") as subscriber:
        nodes = []
        try:
            for name in ("first", "copy"):
                (tmp_path / name).mkdir()
                config = values(tmp_path / name, broker.port)
                process, end = reporter.start_reporter(config)
                nodes.append((process, end))
                end.begin(CATALOGUE)
                end.record(sample(1))

            def told():
                for _, end in nodes:
                    end.step(now_ms())
                return all(TOLD in end.stats["last_error"] for _, end in nodes)

            assert wait_for(told, 60)
            attempts = [end.stats["reconnects"] for _, end in nodes]
            assert max(attempts) < 20, attempts

            def both_said():
                told()
                events = [json.loads(payload) for payload in subscriber.payloads(f"{BASE}/event")]
                return len({one["box"] for one in events if one["name"] == "identity" and one["alarm"]}) == 2

            assert wait_for(both_said, 90)
        finally:
            for process, end in nodes:
                reporter.stop_reporter(process, end)


def test_one_that_is_started_again_is_not_taken_for_another(tmp_path):
    with Mosquitto(tmp_path) as broker:
        for _ in range(4):
            process, end = reporter.start_reporter(values(tmp_path, broker.port))
            end.begin(CATALOGUE)
            end.record(sample(1))

            def connected(end=end):
                end.step(now_ms())
                return end.stats["connected"] and end.stats["acked"] >= 3

            assert wait_for(connected, 20)
            assert end.stats["last_error"] == ""
            process.kill()
            reporter.stop_reporter(process, end)
