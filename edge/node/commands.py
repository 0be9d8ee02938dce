"""What may be asked of a running node. The one door: edge.node.console and edge.node.remote both come here.

An action either does what it says or raises ValueError with the reason, and then has changed nothing. What it
changes are set-points, modes, hands, acknowledgements, programmes and trips; outputs are the guard's.
"""



class Commands:
    """Actions on a node, and the console's words for them. Every answer is one line."""

    def __init__(self, node):
        self.node = node

    # Actions: ValueError with the reason, and nothing changed -----------------------------------

    def set_point(self, name: str, value: float, rate_per_min: float = 0.0):
        """Move the set-point of a loop, at once or with a rate."""
        loop = self._find(self.node.loops, "loop", name)
        if loop.set_point is None:
            raise ValueError("loop %s has no set-point" % name)
        loop.set_point.change(value, rate_per_min)

    def value(self, name: str, value: float):
        """Give a value of level2."""
        self._find(self.node.above, "value of level2", "level2." + name).give(value, self.node.clock.now_ms())

    def mode(self, name: str, value: str, from_afar: bool = False):
        """A loop, or "output.NAME", to "auto" or "manual"; to manual not from afar while it can't see."""
        if value not in ("auto", "manual"):
            raise ValueError("the mode of a loop is auto or manual")
        loop = self._by_hand(name)
        if from_afar and value == "manual":
            _must_see(loop)
        loop.set_manual(value == "manual")

    def output(self, name: str, value: float, rate_per_min: float = 0.0, from_afar: bool = False):
        """Move the hand of a loop or an output that is in manual, at once or with a rate.

        Not from afar while the loop can't see: whoever moves it then must see the furnace itself.
        """
        loop = self._by_hand(name)
        if from_afar:
            _must_see(loop)
        loop.change_output(value, rate_per_min)

    def acknowledge(self, name: str):
        """Somebody has seen "alarm.NAME" or "trip.NAME"."""
        table, _, rest = name.partition(".")
        if table == "alarm":
            condition = self._find(self.node.guard.alarms, "alarm", rest)
        elif table == "trip":
            condition = self._find(self.node.guard.trips, "trip", rest)
        else:
            raise ValueError("what is acknowledged is alarm.NAME or trip.NAME")
        if not condition.acknowledge():
            raise ValueError("there is nothing to acknowledge of " + name)

    def programme(self, name: str, value: str):
        """Start or stop a programme, or let it go on after a power cut."""
        programme = self._find(self.node.programmes, "programme", name)
        if value == "start":
            programme.start()
        elif value == "stop":
            programme.stop()
        elif value == "go_on":
            programme.go_on()
        else:
            raise ValueError("a programme takes start, stop or go_on")

    def autotune(self, name: str, value: str):
        """Start or stop an experiment, or accept what it proposes."""
        autotune = self._find(self.node.autotunes, "autotune", name)
        if value == "start":
            autotune.start()
        elif value == "stop":
            autotune.stop()
        elif value == "accept":
            autotune.accept()
        else:
            raise ValueError("an autotune takes start, stop or accept")

    def reset(self, name: str = ""):
        """Release all trips, or one, whose cause is gone."""
        guard = self.node.guard
        if name and not self._find(guard.trips, "trip", name).tripped:
            raise ValueError("trip %s has not tripped" % name)
        staying = guard.reset(self.node.clock.now_ms(), name)
        if staying:
            raise ValueError("not reset, the cause is still there: " + ", ".join(staying))

    def _by_hand(self, name: str):
        if name.startswith("output."):
            return self._find(self.node.guard.outputs, "output", name[len("output.") :])
        return self._find(self.node.loops, "loop", name)

    def _find(self, things: list, what: str, name: str):
        for thing in things:
            if thing.name == name:
                return thing
        raise ValueError("no %s is named %s" % (what, name))

    # The console --------------------------------------------------------------------------------

    def execute(self, text: str) -> str:
        """Do one line of the console; the answer says what was done or why not."""
        words = text.split()
        if not words:
            return ""
        try:
            answer = self._do(words)
        except ValueError as error:
            return "refused: %s" % error
        if not answer:
            return "not understood: %s; type help" % text.strip()
        return answer

    def _do(self, words: list) -> str:
        """The answer to a command, or nothing for what is none."""
        word = words[0]
        count = len(words)
        if word == "stop" and count == 1:
            self.node.stop("stopped by command")
            return "stopping: outputs go to their safe values"
        if word == "reset" and count <= 2:
            self.reset(*words[1:])
            return self._done("reset", words[1] if count == 2 else "all", "reset")
        if word == "ack" and count == 2:
            return self._ack(words[1])
        if word == "remote" and count == 2 and words[1] in ("on", "off"):
            return self._remote(words[1] == "on")
        if count != 3:
            return ""
        name, value = words[1], words[2]
        if word == "set":
            self.set_point(name, _number(value))
            return self._done("set", name, "set-point of %s is %s" % (name, _number(value)))
        if word == "value":
            self.value(name, _number(value))
            return self._done("value", name, "level2.%s is %s" % (name, _number(value)))
        if word == "output":
            self.output(name, _number(value))
            return self._done("output", name, "hand of %s is %s" % (name, _number(value)))
        if word == "mode":
            self.mode(name, value)
            return self._done("mode", name, "%s is in %s" % (name, value))
        if word == "programme":
            self.programme(name, value)
            return self._done("programme", name, "%s: %s" % (name, value))
        if word == "autotune":
            self.autotune(name, value)
            return self._done("autotune", name, "%s: %s" % (name, value))
        return ""

    def _done(self, do: str, name: str, answer: str) -> str:
        self.node.event("command", do + " " + name, answer + ", by the console")
        return answer

    def _ack(self, name: str) -> str:
        if name != "all":
            self.acknowledge(name)
            return self._done("ack", name, "acknowledged")
        guard = self.node.guard
        names = ["trip." + trip.name for trip in guard.trips if trip.acknowledge()]
        names += ["alarm." + alarm.name for alarm in guard.alarms if alarm.acknowledge()]
        if not names:
            return "refused: there is nothing to acknowledge"
        return self._done("ack", "all", "acknowledged: " + ", ".join(names))

    def _remote(self, on: bool) -> str:
        if self.node.remote is None:
            raise ValueError("commands from afar are off in the node file ([remote] enabled = true)")
        self.node.remote.switch("remote" if on else "local")
        return self._done("remote", "on" if on else "off", "node is in %s mode" % self.node.remote.mode)


def _must_see(loop):
    why = loop.blind()
    if why:
        raise ValueError("%s: without it loop %s goes by hand only at its console" % (why, loop.name))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        pass
    raise ValueError("%s is no number" % text)
