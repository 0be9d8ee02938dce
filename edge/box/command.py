"""``furnace-edge command``: ask a node for something from afar, and tell what it answers."""

import functools
import getpass
import json
import secrets
import sys

from edge.box import broker_arguments, credentials
from edge.box.config import NodeFileError, find, read
from edge.box.config.problems import printable
from edge.box.paho_connection import PahoConnection
from edge.node.clock import Clock
from edge.node.command_form import VALUES, VERSION
from edge.node.report import messages
from edge.node.report.connections.connection import AWAY, DOWN, HEARD, SUBSCRIBED, UP, finish
from edge.node.report.speakers.plain import ANSWER, COMMAND, SESSION

EXAMPLE = """example: furnace-edge command line1.toml set_point furnace 850 --by anna
         furnace-edge command line1.toml mode furnace manual
         furnace-edge command line1.toml output furnace 35
         furnace-edge command line1.toml acknowledge alarm.o2_low
         furnace-edge command line1.toml programme heat_up start
exit code: 0 accepted, 1 refused by the node, 2 not delivered or not answered"""

WAIT_MAX_S = 3600
# What another one's command, or the end of a nonce, has overtaken may be asked once more.
_OVERTAKEN = ("replayed or late", "the nonce is not valid")


class Undelivered(Exception):
    """Nobody has decided on the command; the text says why."""


def add_arguments(parser):
    parser.epilog = EXAMPLE
    parser.add_argument("node", metavar="NODE.toml", help="the node file, or the name of a packaged one")
    parser.add_argument("do", choices=sorted(VALUES), help="what shall be done")
    parser.add_argument("name", help="loop, programme, trip, or alarm.NAME or trip.NAME to acknowledge")
    parser.add_argument("value", nargs="?", help="number, auto or manual, start or stop")
    parser.add_argument("--by", default="", metavar="WHO", help="who asks; by default this machine's user")
    parser.add_argument("--broker", metavar="HOST:PORT", help="another MQTT broker")
    broker_arguments.add_arguments(parser)
    parser.add_argument("--wait", type=float, default=10.0, metavar="S", help="for the answer, in s")
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")


def run(args) -> int:
    """0: accepted; 1: refused by the node; 2: not delivered, not answered, or something must be mended."""
    try:
        if not 0 < args.wait <= WAIT_MAX_S:
            raise ValueError(f"--wait {args.wait}: expected seconds, up to {WAIT_MAX_S}")
        node_file = read(find(args.node))
        operator = _operator(node_file.description, args)
        command = {"v": VERSION, "by": args.by or _user(), "do": args.do, "name": args.name}
        if args.value is not None:
            command["value"] = _value(args.value)
        answer = operator.ask(command, args.wait)
    except (NodeFileError, OSError, ValueError, Undelivered) as error:
        print(printable(str(error)) if isinstance(error, Undelivered) else error, file=sys.stderr)
        return 2
    if args.json:
        print(json.dumps(answer))
    elif answer["accepted"]:
        value = answer.get("value")
        print("accepted" if value is None else f"accepted: {printable(str(value))}")
    else:
        print(f"refused: {printable(str(answer.get('why')))}", file=sys.stderr)
    return 0 if answer["accepted"] else 1


def _operator(description: dict, args):
    """The line to the broker of a node description; ValueError for a node that takes no commands."""
    report = description["report"]
    if not description.get("remote", {}).get("enabled"):
        raise ValueError(f"{args.node}: the node takes no commands from afar: [remote] has no enabled = true")
    if "json" not in report:
        raise ValueError(f"{args.node}: the node has no broker, or doesn't speak plain JSON ([report.json])")
    spec = broker_arguments.access_keys(report["mqtt"], args.broker, args)
    settings = description["node"]
    base = messages.base_topic(settings["site"], settings["name"])
    return Operator(base, spec["brokers"], credentials.of(spec))


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:  # KeyError: up to Python 3.12
        raise ValueError("this machine has no name for its user: say --by WHO") from error


def _value(text: str):
    try:
        return float(text)
    except ValueError:
        return text


class Operator:
    """Asks one node through a broker.

    ``base``: the beginning of its topics; ``brokers``: (host, port), tried in turn; ``access``: from
    credentials.of().
    """

    def __init__(self, base: str, brokers: list, access):
        self._base = base
        self._brokers = brokers
        self._clock = Clock()
        self._heard = {SESSION: [], ANSWER: []}
        self._connection = PahoConnection(
            [(host, port) for host, port in brokers],
            "furnace-edge-command-" + secrets.token_hex(6),
            self._clock,
            15,
            tls=access.tls,
            username=access.username,
            password=access.password,
            receive_max=65536,  # a session lists all that may be commanded
        )

    def ask(self, command: dict, wait_s: float) -> dict:
        """The node's answer to a command without nonce and counter; Undelivered where there is none."""
        until_ms = self._clock.now_ms() + int(wait_s * 1000)
        try:
            for last in (False, True):
                session = self._await(SESSION, lambda one: True, until_ms, "the node has told no session")
                sent = dict(command, nonce=session.get("nonce"), n=_counter(session) + 1)
                self._connection.publish(f"{self._base}/{COMMAND}", json.dumps(sent).encode(), 1, False)
                fits = functools.partial(_is_answer, sent)
                answer = self._await(ANSWER, fits, until_ms, "the node has not answered")
                if answer["accepted"] or last or not str(answer.get("why")).startswith(_OVERTAKEN):
                    return answer
                # The next session that is told holds what the node now expects.
                self._heard[SESSION] = [one for one in self._heard[SESSION] if _newer(one, sent)]
        finally:
            finish(self._connection, self._clock)

    def _await(self, topic: str, fits, until_ms: int, otherwise: str) -> dict:
        """The newest message of a topic that fits; what came before is looked at first."""
        clock, connection = self._clock, self._connection
        while True:
            for one in reversed(self._heard[topic]):
                if fits(one):
                    return one
            now_ms = clock.now_ms()
            if now_ms >= until_ms:
                raise Undelivered(f"{otherwise}: is it running, and may you read {self._base}/{topic}?")
            due_ms = min(connection.step(now_ms), until_ms)
            for event in connection.events():
                self._take(*event)
            if connection.state == AWAY and connection.attempts >= len(self._brokers):
                raise Undelivered(f"no broker lets you in: {connection.last_error}")
            if not any(fits(one) for one in self._heard[topic]):
                pollable = connection.pollable()
                clock.wait(due_ms * 1000, [] if pollable is None else [pollable])

    def _take(self, what: str, *details):
        if what == UP:
            self._connection.subscribe([(f"{self._base}/{ANSWER}", 1), (f"{self._base}/{SESSION}", 1)])
        elif what == SUBSCRIBED and not details[0]:
            raise Undelivered(f"the broker does not let you read {self._base}/{SESSION} and /{ANSWER}")
        elif what == DOWN:
            raise Undelivered(f"the connection is lost: {details[0]}")
        elif what == HEARD:
            topic = details[0].rpartition("/")[2]
            if topic not in self._heard:
                return  # brokers have handed out retained messages of other topics
            try:
                heard = json.loads(details[1])
            except (ValueError, RecursionError):
                return
            if topic == SESSION and isinstance(heard, dict):
                heard = heard.get("session")
            if isinstance(heard, dict):
                self._heard[topic].append(heard)


def _counter(session: dict) -> int:
    counter = session.get("n")
    return counter if type(counter) is int and counter >= 0 else 0


def _is_answer(sent: dict, one: dict) -> bool:
    same = one.get("nonce") == sent["nonce"] and one.get("n") == sent["n"]
    return same and isinstance(one.get("accepted"), bool)


def _newer(session: dict, sent: dict) -> bool:
    return session.get("nonce") != sent["nonce"] or _counter(session) >= sent["n"]
