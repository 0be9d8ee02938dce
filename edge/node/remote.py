"""Commands from afar: off unless the node file says otherwise, each allowed by name, none twice, none late.

A command is one flat JSON object of at most 1,024 bytes:

    {"v": 1, "nonce": "5f0c...", "n": 5, "by": "anna", "do": "set_point", "name": "furnace", "value": 850}

``nonce`` is the node's, told in its session; ``n`` counts, and must be greater than the last one seen under
that nonce. That refuses what is replayed, late or retained without any clock: a nonce is valid for two
periods, and none outlives a start, a new connection or the switch to remote mode. A command that has got as
far as its counter has used it up, whatever became of it. ``by`` is what the sender says of himself; who may
send at all is the broker's ACL.

Answer:  {"v": 1, "nonce": "5f0c...", "n": 5, "accepted": false, "why": "...", "value": null}
Session: {"session": {"v": 1, "nonce": "5f0c...", "n": 4, "mode": "remote", "allows": [...]}}
"""

import binascii
import json

from edge.node.command_form import NAME_MAX, NUMBER, VALUES, VERSION, Command, clean
from edge.node.commands import Commands

LOCAL = "local"
REMOTE = "remote"

PER_TICK = 8
# Refusals in the event log: so many at once, and one more per period; the others are counted.
REFUSALS = 10
REFUSAL_MS = 10000
LOOK_MS = 1000


class Session:
    """The nonces that are valid, each with the last counter seen under it.

    ``random(count) -> bytes``; ``period_ms``: a nonce is issued so often, and stays valid for once more.
    """

    def __init__(self, random, period_ms: int, now_ms: int):
        self._random = random
        self._period_ms = period_ms
        self._now = None
        self._before = None
        self._due_ms = 0
        self.renew(now_ms)

    @property
    def nonce(self) -> str:
        return self._now[0]

    @property
    def counter(self) -> int:
        """The last counter seen under the present nonce."""
        return self._now[1]

    def renew(self, now_ms: int):
        """A new nonce; the old ones are void from now on."""
        self._now = [binascii.hexlify(self._random(8)).decode(), 0]
        self._before = None
        self._due_ms = now_ms + self._period_ms

    def step(self, now_ms: int) -> bool:
        """True when the time of a nonce was over and there is another; the old one is valid for once more."""
        if now_ms < self._due_ms:
            return False
        late = now_ms >= self._due_ms + self._period_ms
        before = self._now
        self.renew(now_ms)
        if not late:
            self._before = before
        return True

    def use(self, nonce: str, counter: int):
        """Use a counter up; ValueError for a nonce that is not valid or a counter that is not greater."""
        for one in (self._now, self._before):
            if one is not None and one[0] == nonce:
                if counter <= one[1]:
                    raise ValueError("replayed or late: n is %d, the last one was %d" % (counter, one[1]))
                one[1] = counter
                return
        raise ValueError("the nonce is not valid, or no longer: read the session again")


class Allow:
    """One thing that the node file allows from afar."""

    def __init__(self, spec: dict):
        action = spec["action"]
        self.action = action
        self.low = spec.get("low")
        self.high = spec.get("high")
        self.rate_per_min = spec.get("rate_per_min", 0.0)
        self.min_interval_ms = spec["min_interval_ms"]
        self.values = VALUES[action]
        self._last_ms = None
        if action == "acknowledge":
            self.names = ["alarm." + name for name in spec.get("alarms", [])]
            self.names += ["trip." + name for name in spec.get("trips", [])]
        elif action == "reset":
            self.names = spec["trips"]
        elif action == "programme":
            self.names = [spec["programme"]]
        elif action == "value":
            self.names = [spec["level2"]]
        else:
            self.names = [spec["loop"]]
        if action == "mode":
            self.values = spec["modes"]

    def judge(self, value, now_ms: int):
        """ValueError with the reason where a value may not be asked for, or not yet."""
        if self.values is NUMBER:
            if not (self.low <= value <= self.high):
                text = "%s is outside %s..%s, which is allowed from afar"
                raise ValueError(text % (value, self.low, self.high))
        elif self.values and value not in self.values:
            raise ValueError("only %s is allowed from afar" % ", ".join(self.values))
        if self._last_ms is not None and now_ms - self._last_ms < self.min_interval_ms:
            raise ValueError(
                "too soon: %d ms after the last one, at least %d are asked for"
                % (now_ms - self._last_ms, self.min_interval_ms)
            )

    def used(self, now_ms: int):
        self._last_ms = now_ms

    def summary(self) -> dict:
        """What the session tells of it."""
        told = {"do": self.action, "names": self.names}
        if self.values is NUMBER:
            told["low"] = self.low
            told["high"] = self.high
            told["rate_per_min"] = self.rate_per_min
        elif self.values:
            told["values"] = list(self.values)
        return told


class Door:
    """Takes what comes from afar, answers it, and keeps the session told.

    ``node`` as edge.node.node has it; ``spec``: the table [remote] of the node description. ``mode``: "local"
    or "remote"; only the node file and the local console (``switch``) set it.
    """

    def __init__(self, node, spec: dict):
        self.node = node
        self.mode = spec["start"]
        self.accepted = 0
        self.refused = 0
        self._commands = Commands(node)
        self._allows = [Allow(spec["allow"][name]) for name in sorted(spec["allow"])]
        now_ms = node.clock.now_ms()
        self._session = Session(node.entropy, spec["nonce_s"] * 1000, now_ms)
        self._look_ms = now_ms
        self._link = None
        self._told = None
        self._refusals_left = REFUSALS
        self._refusal_ms = now_ms
        self._unlogged = 0

    def step(self, now_ms: int):
        """Once a tick, before programmes and loops."""
        self._session.step(now_ms)
        if now_ms >= self._look_ms:
            self._look_ms = now_ms + LOOK_MS
            self._look(now_ms)
        if now_ms - self._refusal_ms >= REFUSAL_MS:
            self._refusal_ms = now_ms
            if self._refusals_left < REFUSALS:
                self._refusals_left += 1
        came = self.node.reporter.commands()
        if came:
            for speaker, payload, retained in came[:PER_TICK]:
                self._take(speaker, payload, retained, now_ms)
            if len(came) > PER_TICK:
                self._too_many(came[PER_TICK][0], len(came) - PER_TICK)
        self._tell()

    def switch(self, mode: str):
        """Local or remote mode. Local: what moves by a command from afar stays where it is."""
        if mode == self.mode:
            return
        self.mode = mode
        self._session.renew(self.node.clock.now_ms())
        if mode == LOCAL:
            for block in self.node.loops + self.node.guard.outputs:
                block.hold()

    # Commands -----------------------------------------------------------------------------------

    def _take(self, speaker: str, payload: bytes, retained: bool, now_ms: int):
        """One command: do it, or say why not."""
        echo = {"v": VERSION, "nonce": None, "n": None, "accepted": False, "why": "", "value": None}
        command = None
        try:
            if retained:
                raise ValueError("retained: a command is for now or for never")
            command = Command(payload, echo)
            self._session.use(command.nonce, command.n)
            self._do(command, now_ms)
            echo["accepted"] = True
            echo["value"] = command.value
        except ValueError as error:
            echo["why"] = str(error)
        speaker = clean(speaker, NAME_MAX)
        if echo["accepted"]:
            self.accepted += 1
            text = "accepted" if command.value is None else "accepted: %s" % command.value
            self._log(command, speaker, text)
        else:
            self._refuse(command, speaker, echo["why"])
        self.node.reporter.reply(speaker, json.dumps(echo).encode())

    def _do(self, command: Command, now_ms: int):
        """ValueError with the reason, and nothing changed, where it is not done."""
        if self.mode != REMOTE:
            raise ValueError("the node is in local mode; only its own console changes that")
        allow = self._allowed(command)
        allow.judge(command.value, now_ms)
        act = self._commands
        do, name, value = command.do, command.name, command.value
        if do == "set_point":
            act.set_point(name, value, allow.rate_per_min)
        elif do == "value":
            act.value(name, value)
        elif do == "output":
            act.output(name, value, allow.rate_per_min, True)
        elif do == "mode":
            act.mode(name, value, True)
        elif do == "programme":
            act.programme(name, value)
        elif do == "acknowledge":
            act.acknowledge(name)
        else:
            act.reset(name)
        allow.used(now_ms)

    def _allowed(self, command: Command) -> Allow:
        for allow in self._allows:
            if allow.action == command.do and command.name in allow.names:
                return allow
        raise ValueError("the node file does not allow %s of %s from afar" % (command.do, command.name))

    # What is told -------------------------------------------------------------------------------

    def _log(self, command, speaker: str, text: str):
        name = "refused"
        if command is not None:
            name = command.do + " " + command.name
            text += ", by %s (as they say)" % command.by
        self.node.event("command", name, "%s, over %s" % (text, speaker))

    def _refuse(self, command, speaker: str, why: str):
        self.refused += 1
        if self._refusals_left <= 0:
            self._unlogged += 1
            return
        self._refusals_left -= 1
        if self._unlogged:
            why += "; %d refusals before this one are not in the log" % self._unlogged
            self._unlogged = 0
        self._log(command, speaker, "refused: " + why)

    def _too_many(self, speaker: str, count: int):
        why = "%d commands too many: a tick takes %d" % (count, PER_TICK)
        self.refused += count - 1
        speaker = clean(speaker, NAME_MAX)
        self._refuse(None, speaker, why)
        echo = {"v": VERSION, "nonce": None, "n": None, "accepted": False, "why": why, "value": None}
        self.node.reporter.reply(speaker, json.dumps(echo).encode())

    def _look(self, now_ms: int):
        """Whatever was under way on an earlier connection is late: its nonce goes."""
        stats = self.node.reporter.stats
        link = (stats.get("connected"), stats.get("reconnects"), stats.get("restarts"))
        if link != self._link:
            if self._link is not None:
                self._session.renew(now_ms)
            self._link = link
            self._told = None

    def _tell(self):
        """The session, to everybody who speaks for the node, when there is news of it."""
        session = self._session
        told = (session.nonce, session.counter, self.mode)
        if told == self._told:
            return
        self._told = told
        message = {
            "v": VERSION,
            "nonce": session.nonce,
            "n": session.counter,
            "mode": self.mode,
            "allows": [allow.summary() for allow in self._allows],
        }
        self.node.reporter.reply("", json.dumps({"session": message}).encode())
