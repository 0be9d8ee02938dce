"""One attempt at a broker with paho-mqtt, in a thread of its own, from the name's look-up to the end.

A new paho client for each attempt: what paho keeps for the next connection (messages, back-off, addresses) is
the outbox's and edge.node.report.connections.connection's to keep. Its callbacks only note
what has happened and wake the owner's thread, which alone decides.
"""

import collections
import logging
import os
import socket
import ssl
import threading
import time

import paho.mqtt.client as paho

from edge.box.bounded_socket import bounded
from edge.node.report.connections.connection import CONNECT_MS
from edge.node.report.connections.tcp import Untrusted
from edge.node.report.connections.tls import explain

# What an attempt notes: (what, detail).
OPENED = "opened"  # the connection (with TLS: verified) stands; CONNECT waits for ``proceed``
ACCEPTED = "accepted"
REFUSED = "refused"  # the reason
ACKED = "acked"  # packet id; at QoS 0: written
GRANTED = "granted"  # whether all of the subscription was
MESSAGE = "message"  # (topic, payload, retain)
TOO_LONG = "too long"  # (topic, bytes)
ENDED = "ended"  # the reason, and nothing after it

NOTES_MAX = 1000  # messages that wait for the owner; then nothing more is read
PAUSE_S = 0.05
HANG_S = 10.0  # without a step of the owner: then nobody shall take it for sound
WAKE_BYTES = 4096
DRAIN_BYTES = 65536


class Bell:
    """Wakes the owner's thread out of its wait: a socket pair, rung at most once until it was heard."""

    def __init__(self):
        self._hear, self._ring = socket.socketpair()
        self._hear.setblocking(False)
        self._ring.setblocking(False)
        self._rung = False

    @property
    def pollable(self):
        return self._hear

    def ring(self):
        if not self._rung:
            self._rung = True
            self._ring.send(b"!")

    def heard(self):
        """Call this before looking at what was noted."""
        try:
            self._hear.recv(WAKE_BYTES)
        except BlockingIOError:
            return  # nobody rang
        self._rung = False


class _Errors:
    """A logger for paho, which tells some reasons to its log alone: keeps the last exception it was told."""

    last = None

    def log(self, level: int, _text: str, *details):
        if level >= logging.ERROR and details and isinstance(details[-1], Exception):
            self.last = details[-1]


class _Client(paho.Client):
    """paho's client with two differences: its thread says how it ended, whatever ended it, and it ends where
    its owner hangs, for whom it would go on sending PINGREQ."""

    def loop_misc(self):
        self.user_data_get().watch_owner()
        return super().loop_misc()

    def loop_forever(self, timeout: float = 1.0, retry_first_connection: bool = False):
        ended = self.user_data_get().end
        try:
            code = super().loop_forever(timeout, False)
        except Exception as error:  # of the connection, or of a packet that paho could not take apart
            ended(error)
            return paho.MQTT_ERR_CONN_LOST
        ended(code)
        return code


class Attempt:
    """``address``: (host, port); ``context``: an SSLContext that verifies, or None; ``receive_max``: bytes of
    the longest message that is noted; the others as for a connection.
    """

    def __init__(self, address: tuple, client_id: str, keepalive_s: int, context, username, password,
                 window: int, receive_max: int, bell: Bell):
        self.notes = collections.deque()
        self._bell = bell
        self._receive_max = receive_max
        self._socket = None  # the same connection as paho's, so that it can be shut from another thread
        self._may_proceed = threading.Event()
        self._given_up = False
        self._ended = False
        self._errors = _Errors()
        self._owner_s = time.monotonic()
        client = _Client(paho.CallbackAPIVersion.VERSION2, client_id, userdata=self,
                         reconnect_on_failure=False)
        self.client = client
        client.max_inflight_messages_set(window + 1)  # and the question whether the broker is there
        client.connect_timeout = CONNECT_MS / 1000  # of each step of it
        client.enable_logger(self._errors)
        client.tls_set_context(bounded(context))
        if username is not None:
            client.username_pw_set(username, password)
        client.on_socket_open = lambda _client, _data, sock: self._open(sock)
        client.on_connect = self._connack
        client.on_publish = lambda _client, _data, packet_id, _reason, _more: self._note(ACKED, packet_id)
        client.on_subscribe = lambda _client, _data, _id, codes, _more: self._note(
            GRANTED, not any(code.is_failure for code in codes))
        client.on_message = self._message
        client.connect_async(address[0], address[1], keepalive_s)
        client.loop_start()

    @property
    def running(self) -> bool:
        return not self._ended

    def proceed(self, will):
        """Send CONNECT; ``will``: None or (topic, payload, qos, retain)."""
        if will is not None:
            self.client.will_set(*will)
        self._may_proceed.set()

    def owner_runs(self):
        """The owner says so in each of its steps."""
        self._owner_s = time.monotonic()

    def give_up(self):
        """End the connection, whatever state it is in.

        The thread ends by itself: at once where it waits for the broker, after the time-outs of the resolver
        and of TCP where it has no connection yet.
        """
        self._given_up = True
        self._may_proceed.set()
        if self._socket is not None:
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # the other end was faster
            self._socket.close()
            self._socket = None

    def closed_by_broker(self) -> bool:
        """After paho's end: whether the broker has closed its side. Until then what it sends is read and
        thrown away, for a close with bytes unread would reset the connection and destroy DISCONNECT.
        """
        if self._socket is None:
            return True
        try:
            while self._socket.recv(DRAIN_BYTES, socket.MSG_DONTWAIT):
                pass
        except BlockingIOError:
            return False
        except OSError:
            return True  # reset by the broker
        return True

    # In paho's thread ------------------------------------------------------------------------

    def watch_owner(self):
        if time.monotonic() - self._owner_s > HANG_S and self._socket is not None:
            self._socket.shutdown(socket.SHUT_RDWR)  # without DISCONNECT: the broker publishes the will
            raise ConnectionAbortedError(f"this process has stood still for {HANG_S:g} s")

    def _note(self, what: str, detail):
        self.notes.append((what, detail))
        self._bell.ring()

    def _open(self, sock):
        # A duplicate: shutdown() of an SSLSocket would first take its encryption away.
        self._socket = socket.socket(fileno=os.dup(sock.fileno()))
        self._note(OPENED, None)
        self._may_proceed.wait()
        if self._given_up:
            raise ConnectionAbortedError("given up")

    def _connack(self, _client, _data, _flags, reason, _more):
        if reason.is_failure:
            self._note(REFUSED, reason)
        else:
            self._note(ACCEPTED, None)

    def _message(self, _client, _data, message):
        while len(self.notes) >= NOTES_MAX and not self._given_up:
            self._bell.ring()
            self._may_proceed.clear()
            self._may_proceed.wait(PAUSE_S)
        try:
            topic = message.topic
        except UnicodeDecodeError:
            return  # no name that anybody subscribed to
        if len(message.payload) > self._receive_max:
            self._note(TOO_LONG, (topic, len(message.payload)))
        else:
            self._note(MESSAGE, (topic, message.payload, message.retain))

    def end(self, how):
        """``how``: the exception or paho's code that ended the thread's work."""
        self._ended = True
        if isinstance(how, paho.MQTTErrorCode):
            how = self._errors.last or ConnectionError(paho.error_string(how))
        if isinstance(how, ssl.SSLEOFError):
            how = ConnectionError("closed by the broker")
        elif isinstance(how, ssl.SSLError):
            how = Untrusted("TLS: " + explain(how))
        self._note(ENDED, how)
