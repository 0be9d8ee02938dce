"""An MQTT broker for the demonstration, on 127.0.0.1 and for anybody on this machine.

    python -m edge.box.broker --port 1883

It is amqtt because that is pure Python, installs wherever the project does, and forwards 5,800 QoS 1 messages
a second where a node sends a few. iotcore 0.4.0 (rumqttd) is four times as fast, but a compiled wheel of 5 MB
for some machines only, and hbmqtt, the other broker on PyPI, is amqtt's ancestor of 2020.

Prints "ready PORT" on stdout when it listens. Ends at SIGTERM, SIGINT and, with --lifeline, at stdin's end.
"""

import argparse
import asyncio
import contextlib
import errno
import logging
import os
import signal
import socket
import sys
import threading

from edge.box.extras import missing

LOOPBACK = "127.0.0.1"
LISTENER = "default"
CLOSE_TIMEOUT_S = 3.0


def listen(port: int) -> socket.socket:
    """A socket that listens on ``port`` of 127.0.0.1; 0 chooses a free one."""
    sock = socket.socket()
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((LOOPBACK, port))
        sock.listen()
    except OSError:
        sock.close()
        raise
    return sock


async def serve(sock: socket.socket, lifeline: bool):
    """Run amqtt on the listening socket until a signal or the end of stdin."""
    from amqtt.broker import Broker

    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    # An external listener: the socket is ours, so that nothing but loopback can ever be bound.
    broker = Broker({
        "listeners": {LISTENER: {"type": "external"}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    })
    await broker.start()

    async def connected(reader, writer):
        await broker.stream_connected(reader, writer, LISTENER)

    server = await asyncio.start_server(connected, sock=sock)
    print(f"ready {sock.getsockname()[1]}", flush=True)
    if lifeline:
        threading.Thread(target=watch_stdin, args=(loop, stopped), daemon=True).start()
    await stopped.wait()
    server.close()
    with contextlib.suppress(TimeoutError):  # a client that does not read can't hold the end up
        await asyncio.wait_for(broker.shutdown(), CLOSE_TIMEOUT_S)


def watch_stdin(loop: asyncio.AbstractEventLoop, stopped: asyncio.Event):
    """Wait for the end of stdin: the parent is gone, or has closed it."""
    while os.read(sys.stdin.fileno(), 4096):
        pass
    loop.call_soon_threadsafe(stopped.set)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m edge.box.broker", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=1883, help="TCP port of 127.0.0.1; 0 chooses a free one")
    parser.add_argument("--lifeline", action="store_true", help="end when stdin is closed")
    options = parser.parse_args(argv)
    try:
        import amqtt.broker  # noqa: F401
    except ImportError:
        print(missing("amqtt", "demo"), file=sys.stderr)
        return 2
    try:
        sock = listen(options.port)
    except OverflowError:
        print(f"broker: port {options.port}, expected 0..65535", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"broker: can't listen on {LOOPBACK}:{options.port}: {reason(error)}", file=sys.stderr)
        return 2
    logging.getLogger("amqtt").setLevel(logging.ERROR)
    logging.getLogger("transitions").setLevel(logging.ERROR)
    asyncio.run(serve(sock, options.lifeline))
    return 0


def reason(error: OSError) -> str:
    """What to do about a port that can't be had."""
    if error.errno == errno.EADDRINUSE:
        return "another program uses this port; stop it, or choose another one (0: any free one)"
    if error.errno == errno.EACCES:
        return "ports below 1024 belong to root; choose another one (0: any free one)"
    return str(error)


if __name__ == "__main__":
    sys.exit(main())
