"""What is worth an event: everything whose state differs from what was last told, each in its words.

A thing that comes and goes faster than a person can follow chatters: that is told once, then a count a minute.
"""

from edge.node.guard.outputs import AUTO, MANUAL
from edge.node.signals import BAD

# More changes than these within a minute are chatter; a minute with no more ends it.
CHANGES = 6
MINUTE_MS = 60000
# What is still bad then is told.
START_MS = 10000


class Announcer:
    """Tells the changes of a node, once a tick."""

    def __init__(self, node):
        self._node = node
        self._sources = [None] * len(node.sources)
        self._outputs = [output.shown for output in node.guard.outputs]
        self._alarms = [(False, False)] * len(node.guard.alarms)
        self._trips = [False] * len(node.guard.trips)
        self._ports = [bus.port.open for bus in node.buses]
        self._asking = [False] * len(node.buses)
        self._others = None
        self._lively = {}
        self._now_ms = 0
        self._start_ms = node.started_us // 1000

    def step(self, now_ms: int):
        """An event for everything that has changed since the last tick."""
        self._now_ms = now_ms
        node = self._node
        sources = node.sources
        told = self._sources
        for i in range(len(sources)):
            bad = sources[i].quality == BAD
            if bad != told[i]:
                self._tell_source(i, bad)
        outputs = node.guard.outputs
        told = self._outputs
        for i in range(len(outputs)):
            output = outputs[i]
            state = output.shown
            # A device has a moment to confirm a new state before this says that it has not.
            if state != told[i] and (output.confirmation.overdue or not output.unconfirmed):
                told[i] = state
                text = state + (": " + output.shown_why if output.shown_why else "")
                self._tell("output", output.name, text, state not in (AUTO, MANUAL))
        for device in node.devices:
            for text in device.news(now_ms):
                self._node.event("device", device.name, text, True)
        self._tell_alarms()
        self._tell_trips()
        for i in range(len(node.buses)):
            port = node.buses[i].port
            if port.open != self._ports[i]:
                self._ports[i] = port.open
                text = "port is back" if port.open else "port gone: " + port.fault
                self._tell("bus", node.buses[i].name, text, True)
            others = node.buses[i].others
            if others.asking != self._asking[i]:
                self._asking[i] = others.asking
                text = "another master asks: " + others.last if others.asking else "no other master asks now"
                self._tell("bus", node.buses[i].name, text, True)
        self._tell_others()
        if self._lively:
            self._count()

    def _tell_source(self, i: int, bad: bool):
        source = self._node.sources[i]
        first = self._sources[i] is None
        if first and bad and self._now_ms < self._start_ms + START_MS:
            # It has not been read yet: the first reading after the start is no news.
            return
        self._sources[i] = bad
        if bad or not first:
            self._tell("signal", source.name, "bad: " + source.why if bad else "usable again", False)

    def _tell_alarms(self):
        alarms = self._node.guard.alarms
        told = self._alarms
        for i in range(len(alarms)):
            alarm = alarms[i]
            blind = alarm.active and not alarm.condition.judged
            if told[i][0] == alarm.active and told[i][1] == blind:
                continue
            came = alarm.active and not told[i][0]
            told[i] = (alarm.active, blind)
            if blind:
                text = "stands, " + alarm.why
            elif came:
                text = "came: " + alarm.why
            else:
                text = "can be judged again: " + alarm.why if alarm.active else "went"
            self._tell("alarm", alarm.name, text, True)

    def _tell_trips(self):
        trips = self._node.guard.trips
        for i in range(len(trips)):
            trip = trips[i]
            if trip.tripped != self._trips[i]:
                self._trips[i] = trip.tripped
                text = "tripped at %.1f: %s" % (trip.value, trip.condition.why) if trip.tripped else "reset"
                if trip.tripped and trip.at_ms < 0:
                    text = "tripped at %.1f before the restart, still latched" % trip.value
                self._tell("trip", trip.name, text, True)

    def _tell_others(self):
        """Selects, trims, burners, programmes and autotunes: few, and they change seldom."""
        if self._others is None:
            self._others = _others(self._node)
        for other in self._others:
            state = getattr(other[2], other[3])
            if state != other[4]:
                other[4] = state
                self._tell(other[0], other[1], *_words(other[2], other[3], state))

    # Chatter ------------------------------------------------------------------------------------

    def _tell(self, kind: str, name: str, text: str, alarm: bool):
        """Tell a change, or count it where the thing chatters."""
        key = kind + " " + name
        lively = self._lively.get(key)
        if lively is None:
            # [since, changes since then, whether it is only counted, the last words, alarm]
            lively = self._lively[key] = [self._now_ms, 0, False, text, alarm]
        lively[1] += 1
        lively[3] = text
        lively[4] = alarm
        if lively[2]:
            return
        if lively[1] > CHANGES:
            lively[2] = True
            lively[0] = self._now_ms
            lively[1] = 0
            text += "; it chatters, and is counted from now on"
        self._node.event(kind, name, text, alarm)

    def _count(self):
        for key in list(self._lively):
            since_ms, changes, counted, text, alarm = self._lively[key]
            if self._now_ms - since_ms < MINUTE_MS:
                continue
            kind, name = key.split(" ", 1)
            if counted and changes > 0:
                self._node.event(
                    kind, name, "chatters: %d changes in a minute, now: %s" % (changes, text), alarm
                )
                self._lively[key][0] = self._now_ms
                self._lively[key][1] = 0
                continue
            if counted:
                self._node.event(kind, name, "has come to rest: " + text, alarm)
            del self._lively[key]


def active_alarms(node) -> list:
    """Trips, alarms, bad signals, and what loops have to say for themselves, by name."""
    names = ["trip " + trip.name for trip in node.guard.trips if trip.tripped]
    names += [alarm.name for alarm in node.guard.alarms if alarm.active]
    names += ["bad " + source.name for source in node.sources if source.quality == BAD]
    names += ["unconfirmed " + one.name for one in node.guard.outputs if one.confirmation.overdue]
    names += ["another master on " + bus.name for bus in node.buses if bus.others.asking]
    for loop in node.loops:
        if loop.kind == "trim" and loop.at_limit:
            names.append("trim %s at its limit" % loop.name)
        elif loop.kind == "burner" and loop.unlit:
            names.append("burner %s does not run" % loop.name)
    return names


def unacknowledged(node) -> list:
    """Trips and alarms whose last coming no person has acknowledged, by name."""
    names = ["trip " + trip.name for trip in node.guard.trips if not trip.acknowledged]
    return names + [alarm.name for alarm in node.guard.alarms if not alarm.acknowledged]


def _others(node) -> list:
    """[kind, name, thing, attribute, told]."""
    others = []
    for block in node.chain:
        if block.kind == "select":
            others.append(["select", block.name, block, "leader", ""])
        elif block.kind == "trim":
            others.append(["loop", block.name, block, "at_limit", False])
        elif block.kind == "burner":
            others.append(["loop", block.name, block, "unlit", False])
    for programme in node.programmes:
        others.append(["programme", programme.name, programme, "state", programme.state])
    for autotune in node.autotunes:
        others.append(["autotune", autotune.name, autotune, "state", autotune.state])
    return others


def _words(thing, attribute: str, state) -> tuple:
    """(text, whether it is an alarm) of a change."""
    if attribute == "leader":
        return (state + " leads") if state else "refuses", False
    if attribute == "at_limit":
        return "trim has stood at its limit" if state else "trim is free again", state
    if attribute == "unlit":
        return "the burner is asked to burn and does not run" if state else "the burner is as asked", state
    return state + (": " + thing.why if thing.why else ""), state == "aborted"
