"""The node: a super-loop around one tick. Reading this file explains the product.

Every part is ``step(now) -> next deadline``; one wait covers them all. A tick latches the process
image, judges it, controls, guards and queues the writes; it never waits for the wire.
"""

from edge.node.guard.outputs import AUTO
from edge.node.report import messages, records
from edge.node.signals import BAD
from edge.node.statistics import TickStatistics

# How long a stopping node goes on to get its safe values across, in us.
STOP_WITHIN_US = 2000000
# How long a starting node looks before it takes over, if something on the line does not answer, in us.
LOOK_US = 5000000
# A wall clock that differs by so much from what a tick later should be has been set, in ms.
CLOCK_JUMP_MS = 1000


class Node:
    """Made by edge.node.build; see there for the parts.

    ``clock`` of edge.node.clock, ``reporter`` a reporting end as in edge.node.report.local; ``entropy(n)``
    gives n random bytes. ``programmes``, ``remote`` (None: nobody asks from afar) and ``sampler`` are added
    by build(). ``boot`` and ``sequence``: of this start of the node and of its newest record.
    """

    def __init__(
        self,
        base_topic: str,
        tick_ms: int,
        report_ms: int,
        clock,
        buses: list,
        devices: list,
        signals: list,
        calcs: list,
        loops: list,
        guard,
        reporter,
        entropy,
    ):
        self.clock = clock
        self.buses = buses
        self.devices = devices
        self.signals = signals
        self.calcs = calcs
        self.sources = signals + calcs
        self.loops = loops
        self.guard = guard
        self.programmes = []
        self.remote = None
        self.reporter = reporter
        self.sampler = None
        # listener(kind, name, text, alarm) hears every event too: the console.
        self.listener = None
        self.base_topic = base_topic
        self.statistics = TickStatistics()
        self.entropy = entropy
        # Boot 0 belongs to the reporting end's own records.
        self.boot = int.from_bytes(entropy(4), "big") or 1
        self.sequence = 0
        self.published = 0
        self.tick_us = tick_ms * 1000
        self.report_us = report_ms * 1000
        self.dt_s = tick_ms / 1000.0
        self.started_us = clock.now_us()
        self._tick_due_us = self.started_us
        self._report_due_us = self.started_us + self.report_us
        self._look_until_us = self.started_us + LOOK_US
        self.in_charge = False
        self._stop_by_us = -1
        self._stop_ticks = 0
        self._utc_at_zero_ms = None

    @property
    def mode(self) -> str:
        """Who gives commands: local or remote."""
        return "local" if self.remote is None else self.remote.mode

    @property
    def first_out(self) -> str:
        """The trip that came first, or nothing."""
        first = self.guard.first_out
        return "" if first is None else first[0]

    def step(self, now_us: int) -> int:
        """Do what is due; the time in us of the next thing to do."""
        if now_us >= self._tick_due_us:
            self.tick(now_us)
        next_us = self._tick_due_us
        for bus in self.buses:
            due_us = bus.step(now_us)
            if due_us < next_us:
                next_us = due_us
        due_us = self.reporter.step(now_us // 1000) * 1000
        if due_us < next_us:
            next_us = due_us
        return next_us

    def tick(self, now_us: int):
        """Latch, judge, control, guard, write, report."""
        now_ms = now_us // 1000
        self._watch_clock(now_ms)
        for signal in self.signals:
            signal.update(now_ms)
        for calc in self.calcs:
            calc.update(now_ms)
        if self.remote is not None:
            self.remote.step(now_ms)
        if self.in_charge or self._takes_over(now_us):
            for programme in self.programmes:
                programme.step(self.tick_us // 1000)
            for loop in self.loops:
                loop.step(self.dt_s, now_ms)
            self.guard.step(self.dt_s, now_ms)
        for device in self.devices:
            device.tick(now_ms)
        if self._stop_by_us >= 0:
            self._stop_ticks += 1
        self._tell_changes()
        self._sample(now_ms)
        if now_us >= self._report_due_us:
            self._report_due_us += self.report_us
            if self._report_due_us <= now_us:
                self._report_due_us = now_us + self.report_us
            self.publish(messages.TELEMETRY, messages.telemetry(self, now_ms, self.clock.utc_ms()))
        self._keep_time(now_us)

    def _takes_over(self, now_us: int) -> bool:
        """Whether the node has seen enough to drive: a plant that runs is taken over as it runs."""
        known = self.guard.look(now_us // 1000)
        read = all(source.age_ms >= 0 for source in self.signals)
        self.in_charge = (known and read) or now_us >= self._look_until_us or self._stop_by_us >= 0
        return self.in_charge

    def _keep_time(self, now_us: int):
        late_us = now_us - self._tick_due_us
        self.statistics.add(late_us, self.clock.now_us() - now_us)
        self._tick_due_us += self.tick_us
        while self._tick_due_us <= now_us:
            self._tick_due_us += self.tick_us
            self.statistics.missed += 1

    # What is told ---------------------------------------------------------------------------

    def publish(self, kind: str, payload: bytes):
        """Hand a live message to the reporter; what it can't take, it counts."""
        self.published += 1
        self.reporter.publish(self.base_topic + "/" + kind, payload, False)

    def event(self, kind: str, name: str, text: str, alarm: bool = False):
        """Record something that happened once; ``alarm``: it is never dropped to make room for samples."""
        if self.listener is not None:
            self.listener(kind, name, text, alarm)
        clock = self.clock
        up_ms = clock.now_ms() - self.started_us // 1000
        self.sequence += 1
        self.reporter.record(
            records.encode_event(
                self.boot, self.sequence, clock.utc_ms(), up_ms, clock.synchronised(), kind, name, text, alarm
            )
        )

    def _sample(self, now_ms: int):
        """Record what has changed, or is due, or is asked for."""
        reporter = self.reporter
        sampler = self.sampler
        for count, why in reporter.losses():
            self.event("lost", "records", "%d: %s" % (count, why), True)
        if reporter.snapshot_wanted():
            sampler.snapshot()
        if sampler.look(now_ms):
            clock = self.clock
            up_ms = now_ms - self.started_us // 1000
            self.sequence += 1
            reporter.record(
                sampler.record(self.boot, self.sequence, clock.utc_ms(), up_ms, clock.synchronised())
            )

    def _watch_clock(self, now_ms: int):
        """A wall clock that is set is worth an event: times before and after it don't compare."""
        at_zero_ms = self.clock.utc_ms() - now_ms
        before_ms = self._utc_at_zero_ms
        self._utc_at_zero_ms = at_zero_ms
        if before_ms is not None and abs(at_zero_ms - before_ms) >= CLOCK_JUMP_MS:
            self.event("clock", "set", "by %+.1f s" % ((at_zero_ms - before_ms) / 1000.0))

    def active_alarms(self) -> list:
        """Trips, alarms, bad signals and lines with another master, by name."""
        names = ["trip " + trip.name for trip in self.guard.trips if trip.tripped]
        names += [alarm.name for alarm in self.guard.alarms if alarm.active]
        names += ["bad " + source.name for source in self.sources if source.quality == BAD]
        names += ["unconfirmed " + one.name for one in self.guard.outputs if one.confirmation.overdue]
        names += ["another master on " + bus.name for bus in self.buses if bus.others.asking]
        return names

    def unacknowledged(self) -> list:
        """Trips and alarms whose last coming nobody has acknowledged, by name."""
        names = ["trip " + trip.name for trip in self.guard.trips if not trip.acknowledged]
        return names + [alarm.name for alarm in self.guard.alarms if not alarm.acknowledged]

    def _tell_changes(self):
        """An event for everything whose state differs from what was last told."""
        for source in self.sources:
            bad = source.quality == BAD
            if source.told_bad != bad:
                # The first reading after the start is no news.
                if source.told_bad is not None:
                    self.event("signal", source.name, "bad: " + source.why if bad else "usable again")
                elif bad:
                    continue
                source.told_bad = bad
        for output in self.guard.outputs:
            # A device has a moment to confirm a new state before this says that it has not.
            if output.told != output.shown and (output.confirmation.overdue or not output.unconfirmed):
                output.told = output.shown
                text = output.shown + (": " + output.shown_why if output.shown_why else "")
                self.event("output", output.name, text, output.shown != AUTO)
        for device in self.devices:
            for text in device.news(self.clock.now_ms()):
                self.event("device", device.name, text, True)
        for alarm in self.guard.alarms:
            if alarm.told != alarm.active:
                alarm.told = alarm.active
                self.event("alarm", alarm.name, "came" if alarm.active else "went", True)
        for bus in self.buses:
            port = bus.port
            if port.told != port.open:
                port.told = port.open
                self.event("bus", bus.name, "port is back" if port.open else "port gone: " + port.fault, True)
            others = bus.others
            if others.told != others.asking:
                others.told = others.asking
                text = "another master asks: " + others.last if others.asking else "no other master asks now"
                self.event("bus", bus.name, text, True)
        for trip in self.guard.trips:
            if trip.told != trip.tripped:
                trip.told = trip.tripped
                self.event(
                    "trip", trip.name, "tripped at %.1f" % trip.value if trip.tripped else "reset", True
                )
        for programme in self.programmes:
            if programme.told != programme.state:
                programme.told = programme.state
                text = programme.state + (": " + programme.why if programme.why else "")
                self.event("programme", programme.name, text)

    # Running and stopping -------------------------------------------------------------------

    def stop(self, why: str):
        """Bring all outputs to their safe values, then end; done() tells when."""
        if self._stop_by_us < 0:
            self.guard.stop(why)
            self.event("node", "stop", why)
            now_us = self.clock.now_us()
            self._stop_by_us = now_us + STOP_WITHIN_US
            self._tick_due_us = now_us

    def done(self, now_us: int) -> bool:
        """Stopping, and the devices have confirmed the safe values, or their time is over."""
        if self._stop_by_us < 0:
            return False
        if now_us >= self._stop_by_us:
            return True
        if self._stop_ticks < 1:
            return False
        for output in self.guard.outputs:
            if output.unconfirmed:
                return False
        for bus in self.buses:
            if not bus.idle():
                return False
        return True

    def run(self, console=None):
        """Run on the real clock until stopped; ``console`` (pollables(), step()) may call stop()."""
        clock = self.clock
        self._tick_due_us = clock.now_us()
        while True:
            now_us = clock.now_us()
            next_us = self.step(now_us)
            if self.done(now_us):
                return
            waiting = []
            for bus in self.buses:
                # While no complete reply can be there nobody looks: a wake-up per character costs more.
                if bus.listen_us > now_us:
                    next_us = min(next_us, bus.listen_us)
                elif bus.port.open:
                    waiting.append(bus.pollable())
            waiting += self.reporter.pollables()
            if console is not None:
                console.step()
                waiting += console.pollables()
            # A command may have brought the next tick forward.
            clock.wait(min(next_us, self._tick_due_us), waiting)

    def close(self):
        """Let go of the lines and the reporter; a stop that did not get all across says so."""
        names = self.guard.unconfirmed() if self._stop_by_us >= 0 else []
        if names:
            self.event("node", "stop", "no device has confirmed the safe value of " + ", ".join(names), True)
        for bus in self.buses:
            bus.close()
        self.reporter.close(self.clock.now_ms())
