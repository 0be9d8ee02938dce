"""The node: a super-loop around one tick. Reading this file explains the product.

Every part is ``step(now) -> next deadline``; one wait covers them all. A tick latches the process
image, judges it, controls, guards and queues the writes; it never waits for the wire.
"""

from edge.node.announcer import Announcer
from edge.node.report import messages, records
from edge.node.statistics import TickStatistics

# How long a stopping node goes on to get its safe values across, in us.
STOP_WITHIN_US = 2000000
# How long a starting node looks before it takes over, if something on the line does not answer, in us.
LOOK_US = 5000000
# A wall clock that differs by so much from what a tick later should be has been set, in ms.
CLOCK_JUMP_MS = 1000


class Node:
    """Made by edge.node.build; see there for the parts.

    ``chain``: all blocks of control, masters first; ``loops``: those that a person may move, as in the file.
    ``clock`` of edge.node.clock, ``reporter`` a reporting end as in edge.node.report.local; ``entropy(n)``
    gives n random bytes. ``above``, ``states``, ``programmes``, ``autotunes``, ``remote`` (None: no commands
    from afar), ``kept`` (None: nothing outlives a power cut) and ``sampler`` are added by build(). ``boot`` and
    ``sequence``: of this start, its newest record.
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
        chain: list,
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
        self.chain = chain
        self.loops = loops
        self.guard = guard
        self.above = []
        self.states = []
        self.programmes = []
        self.autotunes = []
        self.kept = None
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
        self.started_us = clock.now_us()
        self._tick_due_us = self.started_us
        self._last_due_us = self.started_us - self.tick_us
        self._report_due_us = self.started_us + self.report_us
        self._look_until_us = self.started_us + LOOK_US
        self.in_charge = False
        self._stop_by_us = -1
        self._stop_ticks = 0
        self._utc_at_zero_ms = None
        self.announcer = Announcer(self)

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
            if self.kept is not None:
                self.kept.step(now_us // 1000)
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
        dt_us = self._since_last_tick_us()
        dt_s = dt_us / 1000000.0
        for signal in self.signals:
            signal.update(now_ms)
        for value in self.above:
            value.update(now_ms)
        for calc in self.calcs:
            calc.update(dt_s, now_ms)
        for state in self.states:
            state.update(now_ms)
        if self.remote is not None:
            self.remote.step(now_ms)
        if self.in_charge or self._takes_over(now_us):
            for programme in self.programmes:
                programme.step((dt_us + 500) // 1000)
            for autotune in self.autotunes:
                autotune.step(dt_s)
            for block in self.chain:
                block.forward(dt_s, now_ms)
            self.guard.step(dt_s, now_ms)
            self._answer(dt_s)
        for device in self.devices:
            device.tick(now_ms)
        if self._stop_by_us >= 0:
            self._stop_ticks += 1
        self._report(now_us, now_ms)
        self._keep_time(now_us)

    def _since_last_tick_us(self) -> int:
        """The time that this tick stands for: whole ticks, also those that were missed."""
        dt_us = self._tick_due_us - self._last_due_us
        self._last_due_us = self._tick_due_us
        # A stop brings a tick forward.
        return dt_us if dt_us > 1000 else 1000

    def _answer(self, dt_s: float):
        """Every demand learns what became of it, last first, within the tick in which it was made."""
        for output in self.guard.outputs:
            output.answer()
        chain = self.chain
        for i in range(len(chain) - 1, -1, -1):
            chain[i].backward(dt_s)

    def _takes_over(self, now_us: int) -> bool:
        """Whether the node has seen enough to drive: a plant that runs is taken over as it runs."""
        known = self.guard.look(now_us // 1000)
        read = all(source.age_ms >= 0 for source in self.signals)
        self.in_charge = (known and read) or now_us >= self._look_until_us or self._stop_by_us >= 0
        # Every block learns where its output stands, and begins there.
        self._answer(0.0)
        return self.in_charge

    def _keep_time(self, now_us: int):
        late_us = now_us - self._tick_due_us
        self.statistics.add(late_us, self.clock.now_us() - now_us)
        self._tick_due_us += self.tick_us
        while self._tick_due_us <= now_us:
            self._tick_due_us += self.tick_us
            self.statistics.missed += 1

    # What is told ---------------------------------------------------------------------------

    def _report(self, now_us: int, now_ms: int):
        self._watch_clock(now_ms)
        self.announcer.step(now_ms)
        self._sample(now_ms)
        if now_us >= self._report_due_us:
            self._report_due_us += self.report_us
            if self._report_due_us <= now_us:
                self._report_due_us = now_us + self.report_us
            self.publish(messages.TELEMETRY, messages.telemetry(self, now_ms, self.clock.utc_ms()))

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
        if self.kept is not None:
            self.kept.close()
        self.reporter.close(self.clock.now_ms())
