"""``furnace-edge monitor``: a node's state, live, from its broker."""

import sys
import time

from edge.box import broker_arguments, credentials
from edge.monitor.listen import Listener
from edge.monitor.screen import Screen
from edge.node.report.messages import base_topic

EXAMPLE = """example: furnace-edge monitor bishkek/line1 --broker 127.0.0.1:1883
         furnace-edge monitor bishkek/line1 --broker plant:8883 --ca-file ca.pem \\
             --username monitor --password-file password"""


def add_arguments(parser):
    parser.epilog = EXAMPLE
    parser.add_argument("node", help="SITE/NAME of the node, as in its node file")
    parser.add_argument("--broker", default="127.0.0.1:1883", metavar="HOST:PORT")
    broker_arguments.add_arguments(parser)


def listener_of(args) -> Listener:
    """A Listener, not yet started; ValueError for arguments that can't be right."""
    site, _, name = args.node.partition("/")
    if not site or not name:
        raise ValueError(f"{args.node}: expected SITE/NAME as in the node file, such as bishkek/line1")
    keys = broker_arguments.access_keys({}, args.broker, args)
    host, port = keys["brokers"][0]
    return Listener(host, port, base_topic(site, name), credentials.of(keys))


def run(args) -> int:
    """Show the table until Ctrl-C."""
    try:
        listener = listener_of(args)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    listener.start()
    try:
        with Screen(args.node) as show:
            while True:
                show(listener.latest(), "Ctrl-C ends")
                time.sleep(0.5)
    except KeyboardInterrupt:
        return 0
    finally:
        listener.close()
