"""``furnace-edge monitor``: a node's state, live, from its broker."""

import sys
import time

from rich.console import Console
from rich.live import Live

from edge.box.run import address
from edge.monitor.listen import Listener
from edge.monitor.table import view
from edge.node.report.messages import base_topic

EXAMPLE = "example: furnace-edge monitor bishkek/line1 --broker 127.0.0.1:1883"


def add_arguments(parser):
    parser.epilog = EXAMPLE
    parser.add_argument("node", help="SITE/NAME of the node, as in its node file")
    parser.add_argument("--broker", default="127.0.0.1:1883", metavar="HOST:PORT")


def run(args) -> int:
    """Show the table until Ctrl-C."""
    site, slash, name = args.node.partition("/")
    try:
        host, port = address(args.broker)
        if not site or not name:
            raise ValueError(f"{args.node}: expected SITE/NAME as in the node file; {EXAMPLE}")
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    listener = Listener(host, port, base_topic(site, name))
    listener.start()
    try:
        with Live(console=Console(), auto_refresh=False) as live:
            while True:
                live.update(view(listener.latest(), args.node), refresh=True)
                time.sleep(0.5)
    except KeyboardInterrupt:
        return 0
    finally:
        listener.close()
