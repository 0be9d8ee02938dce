"""A connection of either kind on either runtime, led by a test over a socket: lines of JSON both ways.

connection_agent.py CONTROL_PORT; the first line it gets is {"kind": "paho" or "own", "options": {...},
"will": [...]}.

Orders: ["publish", topic, text, qos, retain], ["burst", topic, count, size], ["subscribe", [[topic, qos]]],
["disconnect"], ["connect"], ["drop", reason, clean], ["stats"], ["quit"].
What it says: ["event", ms, name, ...] for each event of the connection but "ack", ["published", id],
["subscribing", ok], ["stats", {...}], ["closed"], ["wills", n] for each CONNECT, ["failed", text] when it
can't be made.

A burst is what an outbox does: numbered messages, each sent until it is acknowledged, all that is open again
on each connection; ["burst", sent, ms] when all are acknowledged.
"""

import json
import socket
import sys

from edge.node.clock import Clock


class Burst:
    """Numbered messages until each is acknowledged."""

    def __init__(self, topic, count, size):
        self.topic = topic
        self.count = count
        self.size = size
        self.next = 0
        self.again = []  # sent on an older connection and not acknowledged
        self.in_flight = {}
        self.sent = 0

    def heard(self, event):
        if event[0] == "ack" and event[1] in self.in_flight:
            del self.in_flight[event[1]]
        elif event[0] == "down":
            self.again = sorted(list(self.in_flight.values()) + self.again)
            self.in_flight = {}

    def send(self, connection):
        while connection.room() and (self.again or self.next < self.count):
            number = self.again[0] if self.again else self.next
            text = b"%d" % number
            packet_id = connection.publish(self.topic, text + b" " * (self.size - len(text)))
            if packet_id < 0:
                return
            if self.again:
                self.again.pop(0)
            else:
                self.next += 1
            self.in_flight[packet_id] = number
            self.sent += 1

    def over(self) -> bool:
        return self.next == self.count and not self.again and not self.in_flight


class Agent:
    def __init__(self, port):
        self.clock = Clock()
        self.control = socket.socket()
        self.control.connect(socket.getaddrinfo("127.0.0.1", port)[0][-1])
        line = b""
        while not line.endswith(b"\n"):
            line += self.control.recv(1)
        settings = json.loads(line)
        self.control.setblocking(False)
        self.heard = b""
        self.bursts = []
        self.running = True
        self.wills = 0
        self.closed = False
        self.connection = None
        options = settings["options"]
        if "password" in options:
            options["password"] = options["password"].encode()
        options["brokers"] = [tuple(address) for address in options["brokers"]]
        self.will = settings.get("will")
        try:
            self.connection = connection_class(settings["kind"])(clock=self.clock, **options)
        except Exception as error:
            self.say(["failed", str(error)])
            self.running = False
            return
        self.connection.before_connect = self.set_will

    def set_will(self):
        self.wills += 1
        if self.will:
            topic, text, qos, retain = self.will
            self.connection.set_will(topic, (text % self.wills).encode(), qos, retain)
        self.say(["wills", self.wills])

    def say(self, what):
        data = json.dumps(what).encode() + b"\n"
        self.control.setblocking(True)
        while data:
            data = data[self.control.send(data):]
        self.control.setblocking(False)

    def orders(self):
        try:
            data = self.control.recv(4096)
        except OSError:
            return
        if not data:
            self.running = False
        lines = (self.heard + data).split(b"\n")
        self.heard = lines.pop()
        for line in lines:
            self.obey(*json.loads(line))

    def obey(self, order, *details):
        connection, now_ms = self.connection, self.clock.now_ms()
        if order == "publish":
            topic, text, qos, retain = details
            self.say(["published", connection.publish(topic, text.encode(), qos, retain)])
        elif order == "burst":
            self.bursts.append(Burst(*details))
        elif order == "subscribe":
            self.say(["subscribing", connection.subscribe([tuple(topic) for topic in details[0]])])
        elif order == "disconnect":
            self.closed = False
            connection.disconnect(now_ms)
        elif order == "connect":
            connection.connect(now_ms)
        elif order == "drop":
            connection.drop(*details)
        elif order == "stats":
            self.say(["stats", connection.stats])
        elif order == "quit":
            self.running = False

    def run(self):
        while self.running:
            due_ms = self.connection.step(self.clock.now_ms())
            for event in self.connection.events():
                for burst in self.bursts:
                    burst.heard(event)
                if event[0] == "heard":
                    event = (event[0], event[1], str(event[2], "utf-8"), event[3])
                if event[0] != "ack":
                    self.say(["event", self.clock.now_ms()] + list(event))
            for burst in list(self.bursts):
                burst.send(self.connection)
                if burst.over():
                    self.say(["burst", burst.sent, self.clock.now_ms()])
                    self.bursts.remove(burst)
            if self.connection.closed and not self.closed:
                self.closed = True
                self.say(["closed"])
            pollable = self.connection.pollable()
            ends = [self.control] if pollable is None else [self.control, pollable]
            self.clock.wait(min(due_ms, self.clock.now_ms() + 500) * 1000, ends)
            self.orders()


def connection_class(kind):
    if kind == "paho":
        from edge.box.paho_connection import PahoConnection

        return PahoConnection
    from edge.node.report.connections.mqtt import MqttClient

    return MqttClient


Agent(int(sys.argv[1])).run()
