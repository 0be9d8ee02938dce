"""``furnace-edge acl``: who may write and read which topic, as an ACL file for mosquitto.

Three kinds of users: a node, which writes what is its own and reads what is meant for it; monitors, which
only read; commanders, which read and command, where a node's file allows commands at all. Home Assistant is a
monitor that also says when it has started. What no line allows is forbidden. --monitor and --commander may be
given several times.
"""

import sys

from edge.box.config.problems import NodeFileError
from edge.box.config.schema import find, read
from edge.node.clock import VirtualClock
from edge.node.report import messages
from edge.node.report.speakers import plain, speaker
from edge.node.report.speakers.sparkplug import NAMESPACE

EXAMPLE = "example: furnace-edge acl line1.toml line2.toml > /etc/mosquitto/furnace.acl"
NODE_WRITES = (
    messages.STATE, messages.TELEMETRY, messages.EVENT, messages.REPORTER, plain.CATALOGUE, plain.SAMPLES,
    plain.SESSION, plain.ANSWER,
)
HEADER = """# Topic rights for mosquitto, made by furnace-edge acl from: {files}
# mosquitto.conf needs: allow_anonymous false, acl_file <this file>. See docs/mqtt-security.md.
"""


class Rights:
    """Lines of an ACL file, by user, in order and each once."""

    def __init__(self):
        self._users = {}

    def add(self, user: str, access: str, *topics: str):
        """``access``: "read", "write" or "readwrite"."""
        lines = self._users.setdefault(user, [])
        for topic in topics:
            line = f"topic {access} {topic}"
            if line not in lines:
                lines.append(line)

    def __str__(self) -> str:
        return "\n".join(f"user {user}\n" + "\n".join(lines) + "\n" for user, lines in self._users.items())


def add_arguments(parser):
    """The arguments of the command for an argparse parser."""
    parser.epilog = EXAMPLE
    add = parser.add_argument
    add("nodes", metavar="NODE.toml", nargs="+", help="node files, or names of packaged ones")
    add("--user", metavar="USER", help="the node, where its file has no username; by default SITE-NODE")
    add("--monitor", metavar="USER", action="append", help="who only reads; by default monitor")
    add("--commander", metavar="USER", action="append", help="who commands; by default commander")
    add("--home-assistant", metavar="USER", default="homeassistant",
        help="Home Assistant, where a node speaks to it; by default homeassistant")


def run(args) -> int:
    """0: printed; 2: a file is wrong, or two nodes would be the same user."""
    rights = Rights()
    users = {}
    monitors, commanders = args.monitor or ["monitor"], args.commander or ["commander"]
    for user in [*monitors, *commanders, args.home_assistant, "-" if args.user is None else args.user]:
        if not user or not user.isprintable() or user != user.strip():
            # What ends a line would begin another right.
            print(f"{user!r}: expected a user's name on one line", file=sys.stderr)
            return 2
    paths = [find(name) for name in args.nodes]
    for path in paths:
        try:
            description = read(path).description
        except NodeFileError as error:
            print(error, file=sys.stderr)
            return 2
        user = node_user(description, args.user)
        if user in users or user in (*monitors, *commanders, args.home_assistant):
            print(f"{path}: its user {user!r} is also {users.get(user, 'that of somebody else')}; each node "
                  "needs its own, or it could write what is another's: set username in [report.mqtt]",
                  file=sys.stderr)
            return 2
        users[user] = path
        grant(rights, description, user, monitors, commanders, args.home_assistant)
    print(HEADER.format(files=", ".join(str(path) for path in paths)))
    print(rights, end="")
    return 0


def node_user(description: dict, otherwise: str | None = None) -> str:
    """The user name under which a node comes to the broker."""
    settings = description["node"]
    mqtt = description["report"].get("mqtt", {})
    return mqtt.get("username") or otherwise or f"{settings['site']}-{settings['name']}"


def grant(rights: Rights, description: dict, node: str, monitors: list, commanders: list,
          home_assistant: str):
    """Add what each of these users may do about the node of ``description``."""
    settings, report = description["node"], description["report"]
    if not description.get("remote", {}).get("enabled"):
        commanders = []
    base = messages.base_topic(settings["site"], settings["name"])
    readers = [*monitors, *commanders]
    # Whether the broker is there, and whether another node has this one's name.
    rights.add(node, "readwrite", f"{base}/{messages.ALIVE}")
    for kind in speaker.KINDS:
        if kind not in report:
            continue
        voice = speaker.make(kind, settings["site"], settings["name"], report[kind], VirtualClock())
        if kind == speaker.JSON:
            _json(rights, base, node, readers, commanders)
        elif kind == speaker.SPARKPLUG:
            _sparkplug(rights, voice, base, node, readers, commanders)
        else:
            _home_assistant(rights, voice, base, node, [*readers, home_assistant], home_assistant)


def _json(rights: Rights, base: str, node: str, readers: list, commanders: list):
    said = [f"{base}/{name}" for name in NODE_WRITES]
    rights.add(node, "write", *said)
    for user in readers:
        rights.add(user, "read", *said)
    for user in commanders:
        rights.add(node, "read", f"{base}/{plain.COMMAND}")
        rights.add(user, "write", f"{base}/{plain.COMMAND}")


def _sparkplug(rights: Rights, voice, base: str, node: str, readers: list, commanders: list):
    group, edge_node = NAMESPACE + voice.group, voice.edge_node
    said = [f"{group}/{verb}/{edge_node}" for verb in ("NBIRTH", "NDATA", "NDEATH")]
    said += [f"{group}/{verb}/{edge_node}/+" for verb in ("DBIRTH", "DDATA", "DDEATH")]
    asked = [f"{group}/NCMD/{edge_node}", f"{group}/DCMD/{edge_node}/+"]
    # A rebirth is asked for by NCMD, so the node listens even where it takes no commands.
    rights.add(node, "write", *said, f"{base}/barrier")
    rights.add(node, "read", *asked)
    for user in readers:
        rights.add(user, "read", *said, NAMESPACE + "STATE/+")
    if voice.primary_host is not None:
        rights.add(node, "read", f"{NAMESPACE}STATE/{voice.primary_host}")
    for user in commanders:
        rights.add(user, "write", *asked)
        if voice.primary_host is not None:
            rights.add(user, "write", f"{NAMESPACE}STATE/{voice.primary_host}")


def _home_assistant(rights: Rights, voice, base: str, node: str, readers: list, home_assistant: str):
    said = [f"{base}/home_assistant/+", f"{voice.prefix}/device/{voice.object_id}/config"]
    rights.add(node, "write", *said)
    rights.add(node, "read", f"{voice.prefix}/status")
    for user in readers:
        rights.add(user, "read", *said)
    rights.add(home_assistant, "write", f"{voice.prefix}/status")
