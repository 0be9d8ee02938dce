"""An independent Sparkplug host watches a node: births, data and deaths as lines of text.

    python3 -m venv host && host/bin/pip install pysparkplug      # its own environment: it needs paho < 2
    host/bin/python examples/sparkplug_watch.py 18830 bishkek line1

Asks for a rebirth at the start, so that names and values of all metrics are seen.
"""

import sys
import threading
import time

import pysparkplug as sparkplug

KINDS = sparkplug.MessageType


def main(port: str = "18830", group: str = "bishkek", node: str = "line1", seconds: str = "inf"):
    names = {}

    def heard(_client, message):
        topic = message.topic
        for metric in getattr(message.payload, "metrics", ()):
            if metric.name:
                names[topic.device_id, metric.alias] = metric.name
            name = names.get((topic.device_id, metric.alias), f"alias {metric.alias}")
            late = " (historical)" if metric.is_historical else ""
            print(f"{topic.message_type} {topic.device_id or node} {name} = {metric.value}{late}", flush=True)
        if topic.message_type in (KINDS.NDEATH, KINDS.DDEATH):
            print(f"{topic.message_type} {topic.device_id or node}", flush=True)

    client = sparkplug.Client(client_id="watch")
    for kind in (KINDS.NBIRTH, KINDS.NDATA, KINDS.NDEATH, KINDS.DBIRTH, KINDS.DDATA, KINDS.DDEATH):
        device = None if kind.value.startswith("N") else sparkplug.SINGLE_LEVEL_WILDCARD
        topic = sparkplug.Topic(message_type=kind, group_id=group, edge_node_id=node, device_id=device)
        client.subscribe(topic, sparkplug.QoS.AT_LEAST_ONCE, heard)
    connected = threading.Event()
    client.connect("127.0.0.1", port=int(port), callback=lambda _client: connected.set())
    if not connected.wait(10):
        sys.exit(f"no broker on port {port} of 127.0.0.1 within 10 s")
    time.sleep(1)  # for the subscriptions, which nobody says have come through
    rebirth = sparkplug.Metric(timestamp=sparkplug.get_current_timestamp(), name="Node Control/Rebirth",
                               datatype=sparkplug.DataType.BOOLEAN, value=True)
    client.publish(sparkplug.Message(
        topic=sparkplug.Topic(message_type=KINDS.NCMD, group_id=group, edge_node_id=node),
        payload=sparkplug.NCmd(timestamp=sparkplug.get_current_timestamp(), metrics=(rebirth,)),
        qos=sparkplug.QoS.AT_MOST_ONCE, retain=False), include_dtypes=True)
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        time.sleep(0.2)


if __name__ == "__main__":
    main(*sys.argv[1:])
