"""MB a day that the Bishkek line sends, by language and setting: counted before the broker, then scaled.

Bytes of MQTT, births left out; TCP and IP add 40 bytes to each packet, and to each acknowledgement of TCP.
The signals are those of the emulated line, whose fire flickers: a quiet plant sends less.
"""

import json
import tempfile
import time
from pathlib import Path

from edge.box.child import Child
from edge.box.config import find
from tests.node.report.brokers import Mosquitto
from tests.node.report.proxy import Proxy

DAY_S = 86400
SETTLE_S = 20  # for the births
SPARKPLUG, HOME_ASSISTANT = "\n[report.sparkplug]\n", "\n[report.home_assistant]\n"
NO_JSON = "\n[report.json]\nenabled = false\n"
LIVE = "period_ms = 1000 "
RARE = "period_ms = 3600000 "
METERED = RARE + "\nreporter_ms = 0\ndead_band_pct = 1.0\nsample_ms = 3600000 "
# name: (what replaces period_ms, what is added)
VARIANTS = {
    "JSON, Sparkplug and Home Assistant": (LIVE, SPARKPLUG + HOME_ASSISTANT),
    "JSON": (LIVE, ""),
    "JSON, telemetry once an hour": (RARE, ""),
    "Sparkplug": (LIVE, SPARKPLUG + NO_JSON),
    "Home Assistant": (LIVE, HOME_ASSISTANT + NO_JSON),
    "metered line: JSON": (METERED, ""),
    "metered line: Sparkplug": (METERED, SPARKPLUG + NO_JSON),
}


def measure(quick: bool = False) -> dict:
    seconds = 20 if quick else 120
    return {"seconds": seconds, "mb_a_day": {name: _run(*how, seconds) for name, how in VARIANTS.items()}}


def told(figures: dict) -> str:
    lines = [f"traffic: MB of MQTT a day, sent and received, from {figures['seconds']} s of the Bishkek line"]
    lines += [f"  {name:38s}{up:8.1f}{down:8.1f}" for name, (up, down) in figures["mb_a_day"].items()]
    return "\n".join(lines)


def _run(period: str, more: str, seconds: int) -> list:
    with tempfile.TemporaryDirectory(prefix="furnace-edge-") as name:
        folder = Path(name)
        text = find("bishkek").read_text(encoding="utf-8")
        if text.count(LIVE) != 1:
            raise ValueError(f"the Bishkek file has not one {LIVE!r}, which this bench replaces")
        path = folder / "line1.toml"
        path.write_text(text.replace(LIVE, period) + more, encoding="utf-8")
        with Mosquitto(folder) as broker, Proxy(broker.port) as proxy:
            emulator = Child("emulator", "edge.emulator.serve", "bishkek", "--seed", "1", "--attached")
            node = None
            try:
                port = json.loads(emulator.line(20))["port"]
                node = Child("node", "edge.box.cli", "run", str(path), "--attached", "--port", port,
                             "--broker", f"127.0.0.1:{proxy.port}", "--state", name)
                time.sleep(SETTLE_S)
                before, began = (proxy.bytes_up, proxy.bytes_down), time.monotonic()
                time.sleep(seconds)
                took_s = time.monotonic() - began
                if not proxy.open or not node.alive():
                    raise RuntimeError(f"the node reports to nobody: {node.complaints()}")
                counted = (proxy.bytes_up - before[0], proxy.bytes_down - before[1])
            finally:
                for child in (node, emulator):
                    if child is not None:
                        child.end()
        return [round(count / took_s * DAY_S / 1e6, 1) for count in counted]
