"""Which broker, and who to it: the arguments of commands that people give from anywhere."""

from edge.box.config.rules.report import is_loopback, unencrypted
from edge.box.run import address

FILES = ("password_file", "ca_file", "cert_file", "key_file")
# What a node file says of the node's own identity.
_OF_THE_NODE = ("password_file", "credential", "cert_file", "key_file")


def add_arguments(parser):
    parser.add_argument("--username", help="your name to the broker")
    parser.add_argument("--password-file", metavar="FILE", help="file with your password, for you alone")
    parser.add_argument("--ca-file", metavar="FILE", help="who signs the broker's certificate; asks for TLS")
    parser.add_argument("--cert-file", metavar="FILE", help="your certificate")
    parser.add_argument("--key-file", metavar="FILE", help="its key, for you alone")


def access_keys(mqtt: dict, broker, args) -> dict:
    """The keys of [report.mqtt] with what the command line says in their place; ``brokers`` among them.

    A name of your own takes nothing of the node's identity along. ValueError for a broker on another machine
    without TLS.
    """
    keys = dict(mqtt)
    if args.username:
        for key in _OF_THE_NODE:
            keys.pop(key, None)
        keys["username"] = args.username
    for key in FILES:
        if getattr(args, key):
            keys[key] = getattr(args, key)
    if args.ca_file:
        keys["tls"] = True
    if broker:
        host, port = address(broker)
        keys["brokers"] = [[host, port]]
        if not keys.get("tls") and not is_loopback(host):
            raise ValueError(f"--broker {broker}: {unencrypted(host)}")
    return keys
