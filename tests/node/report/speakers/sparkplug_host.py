"""A Sparkplug host by pysparkplug, for the Python of its own virtual environment: it needs paho < 2.

sparkplug_host.py PORT GROUP EDGE_NODE [HOST_ID] prints each message of the edge node as a line of JSON:
{"verb", "device", "seq", "metrics": [[name, value, historical], ...]}. Lines on stdin: "rebirth", "online T"
and "offline T" (STATE of HOST_ID with the timestamp T), "write NAME TEXT"; the end of stdin ends it.
"""

import json
import sys

import pysparkplug as sparkplug


def main(port, group, node, host_id="scada"):
    client = sparkplug.Client(client_id="host")

    def heard(_client, message):
        payload = message.payload
        metrics = [[metric.name, metric.value, metric.is_historical]
                   for metric in getattr(payload, "metrics", ())]
        if hasattr(payload, "bd_seq_metric"):
            metrics = [["bdSeq", payload.bd_seq_metric.value, False]]
        print(json.dumps({"verb": str(message.topic.message_type), "device": message.topic.device_id,
                          "seq": getattr(payload, "seq", None), "metrics": metrics}), flush=True)

    kinds = sparkplug.MessageType
    for kind in (kinds.NBIRTH, kinds.NDATA, kinds.NDEATH):
        client.subscribe(sparkplug.Topic(message_type=kind, group_id=group, edge_node_id=node),
                         sparkplug.QoS.AT_LEAST_ONCE, heard)
    for kind in (kinds.DBIRTH, kinds.DDATA, kinds.DDEATH):
        topic = sparkplug.Topic(message_type=kind, group_id=group, edge_node_id=node,
                                device_id=sparkplug.SINGLE_LEVEL_WILDCARD)
        client.subscribe(topic, sparkplug.QoS.AT_LEAST_ONCE, heard)
    client.connect("127.0.0.1", port=port, keepalive=10, callback=lambda _client: print("{}", flush=True))

    def command(name, datatype, value):
        metric = sparkplug.Metric(timestamp=sparkplug.get_current_timestamp(), name=name, datatype=datatype,
                                  value=value)
        client.publish(sparkplug.Message(
            topic=sparkplug.Topic(message_type=kinds.NCMD, group_id=group, edge_node_id=node),
            payload=sparkplug.NCmd(timestamp=sparkplug.get_current_timestamp(), metrics=(metric,)),
            qos=sparkplug.QoS.AT_MOST_ONCE, retain=False), include_dtypes=True)

    for line in sys.stdin:
        what, *words = line.rstrip("\n").split(" ", 2)
        if what == "rebirth":
            command("Node Control/Rebirth", sparkplug.DataType.BOOLEAN, True)
        elif what == "write":
            command(words[0].replace("_", " "), sparkplug.DataType.STRING, words[1])
        else:
            client.publish(sparkplug.Message(
                topic=sparkplug.Topic(message_type=kinds.STATE, sparkplug_host_id=host_id),
                payload=sparkplug.State(timestamp=int(words[0]), online=what == "online"),
                qos=sparkplug.QoS.AT_LEAST_ONCE, retain=True))
    client.disconnect()


main(int(sys.argv[1]), *sys.argv[2:])
