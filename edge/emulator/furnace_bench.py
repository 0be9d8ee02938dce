"""The emulator in a process of its own, as a bench for tests of anybody's controller."""

import json
import os
import tempfile
import time

WITHIN_S = 15.0


# Arguments of the emulator, by option and by line.
OPTIONS = {"script": "--script", "chaos": "--chaos", "record": "--record", "silence_ms": "--silence-ms"}
LINES = {"serial": (), "tcp": ("--tcp", "0"), "rtu_over_tcp": ("--rtu-over-tcp", "0")}


class BenchError(AssertionError):
    """What the bench was asked to do can't be done: says why and what was expected."""


class FurnaceBench:
    """A serial port with emulated instruments on it, and a plant behind them.

    ``port``: path of the pseudo-terminal, which stays the same when it is unplugged and plugged in again; or
    host:port with ``line`` "tcp" (Modbus TCP) or "rtu_over_tcp". ``baud`` bit/s at which bytes are paced.
    ``registers["probe.temperature"]`` reads and sets registers. ``options``: script, chaos, record and
    silence_ms, as the emulator's own. Units are named by their id, their name in the plant file, or "all".

    A fault stays for ``seconds``, or until clear(). ``limits``: ``replies``, in how many answers it is felt;
    ``function`` and ``register`` (data address) of the requests that it is for.
    """

    def __init__(self, plant="bishkek", seed=1, line="serial", **options):
        from edge.box.child import Child
        from edge.emulator import plant_file

        if line not in LINES:
            raise BenchError(f"line is {line!r}; expected one of {', '.join(LINES)}")
        for name in options:
            if name not in OPTIONS:
                raise BenchError(f"a bench has no option {name!r}; expected one of {', '.join(OPTIONS)}")
        loaded = plant_file.load(str(plant))
        self.baud = loaded.baud
        self.units = {instrument.name: instrument.unit for instrument in loaded.instruments}
        # After what may be refused: a test's folder must not outlive it.
        self._folder = tempfile.TemporaryDirectory(prefix="furnace-bench-")
        link = os.path.join(self._folder.name, "line")
        arguments = ["--seed", str(seed), "--attached", "--timeline", *LINES[line]]
        if line == "serial":
            arguments += ["--link", link]
        for name, value in options.items():
            if value is not None:
                arguments += [OPTIONS[name], str(value)]
        self._child = Child("emulator", "edge.emulator.serve", str(plant), *arguments)
        try:
            port = json.loads(self._child.line(WITHIN_S))["port"]
            self.port = link if line == "serial" else port
        except BaseException:
            self.close()
            raise
        self.registers = BenchRegisters(self)

    @property
    def pid(self) -> int:
        """The emulator's process."""
        return self._child.pid

    def close(self):
        """End the emulator."""
        self._child.end()
        self._folder.cleanup()

    def ask(self, command: str) -> dict:
        """A command of the console of edge.emulator.serve. Raises BenchError."""
        self._child.say(command)
        answer = json.loads(self._child.line(WITHIN_S))
        if "error" in answer:
            raise BenchError(answer["error"])
        return answer

    # What happened -----------------------------------------------------------------------------

    def state(self) -> dict:
        """Time, process values, real outputs in percent, leases, faults, counts of the line."""
        return self.ask("state")

    def timeline(self, after: int = 0) -> list:
        """Requests, replies and faults with their times, of a number above ``after``: see
        edge.emulator.timeline.Entry.
        """
        from edge.emulator.timeline import Entry

        return [Entry.from_list(values) for values in self.ask(f"timeline {after}")["timeline"]]

    def wait_for(self, condition, within_s: float = 10.0):
        """Ask for the state until ``condition(state)`` holds, and return it. Raises BenchError."""
        end = time.monotonic() + within_s
        while True:
            state = self.state()
            if condition(state):
                return state
            if time.monotonic() > end:
                raise BenchError(f"the bench did not come to that state within {within_s:g} s: {state}")
            time.sleep(0.05)

    # What is done to it ------------------------------------------------------------------------

    def set(self, name: str, value: float):
        """Set a parameter of the model, an input that no instrument drives, or a value of a plant without."""
        self.ask(f"set {name} {value}")

    def fault(self, unit, kind: str, arg=None, seconds=None, **limits):
        """Any fault of the line or of the instrument: see docs/bench-testing.md, and kinds().

        ``limits`` as of the class, and ``channel`` of the sensor.
        """
        words = ["fault", str(unit), kind]
        if arg is not None:
            words.append(str(arg))
        if seconds is not None:
            words.append(f"{seconds}s")
        words += [f"{key}={value}" for key, value in limits.items()]
        self.ask(" ".join(words))

    def kinds(self, unit) -> list:
        """The faults that a unit can have."""
        return self.ask(f"kinds {unit}")["kinds"]

    def clear(self, unit="all"):
        """End the faults of a unit, or of all."""
        self.ask(f"clear {unit}")

    def silence(self, unit="all", seconds=None, **limits):
        """It hears nothing and answers nothing."""
        self.fault(unit, "silence", None, seconds, **limits)

    def unplugged(self, unit="all", seconds=None, **limits):
        """Its cable is out; with "all" the port itself is gone until the fault ends."""
        self.fault(unit, "unplugged", None, seconds, **limits)

    def deaf(self, unit="all", ms=20, seconds=None, **limits):
        """After each of its answers it hears nothing for so long."""
        self.fault(unit, "deaf", ms, seconds, **limits)

    def exception(self, unit="all", code=4, seconds=None, **limits):
        """It refuses with this exception code, and does nothing."""
        self.fault(unit, "exception", code, seconds, **limits)

    def busy(self, unit="all", seconds=None, **limits):
        """It refuses with exception 6, busy."""
        self.fault(unit, "busy", None, seconds, **limits)

    def clamping(self, unit="all", highest=1000, seconds=None, **limits):
        """It takes no register value above ``highest``, and answers function 6 with what it took."""
        self.fault(unit, "clamping", highest, seconds, **limits)

    def mute(self, unit="all", seconds=None, **limits):
        """It obeys, but its answer is lost."""
        self.fault(unit, "mute", None, seconds, **limits)

    def late(self, unit="all", ms=150, seconds=None, **limits):
        """Answers start so much later."""
        self.fault(unit, "late", ms, seconds, **limits)

    def truncated(self, unit="all", size=None, seconds=None, **limits):
        """Only the first ``size`` bytes arrive; by default half of them."""
        self.fault(unit, "truncated", size, seconds, **limits)

    def split(self, unit="all", ms=20, seconds=None, **limits):
        """Answers pause so long in their middle."""
        self.fault(unit, "split", ms, seconds, **limits)

    def merged(self, unit="all", seconds=None, **limits):
        """Every second answer is held back, and comes right before the next one."""
        self.fault(unit, "merged", None, seconds, **limits)

    def duplicated(self, unit="all", ms=0, seconds=None, **limits):
        """Answers come twice, the second time so long after the end of the first."""
        self.fault(unit, "duplicated", ms, seconds, **limits)

    def wrong_unit(self, unit="all", says=None, seconds=None, **limits):
        """Answers say that they are from unit ``says``; by default the next one."""
        self.fault(unit, "wrong_unit", says, seconds, **limits)

    def wrong_function(self, unit="all", says=None, seconds=None, **limits):
        """Answers have function ``says``; by default 3 for 4 and so on."""
        self.fault(unit, "wrong_function", says, seconds, **limits)

    def wrong_crc(self, unit="all", seconds=None, **limits):
        """The check word is wrong."""
        self.fault(unit, "wrong_crc", None, seconds, **limits)

    def stray(self, unit="all", size=1, seconds=None, **limits):
        """So many zero bytes come right before the answer."""
        self.fault(unit, "stray", size, seconds, **limits)

    def noise(self, unit="all", probability=0.01, seconds=None, **limits):
        """Every byte of an answer is hit with this probability."""
        self.fault(unit, "noise", probability, seconds, **limits)

    def echo(self, seconds=None):
        """The line echoes what the master sends."""
        self.fault("all", "echo", None, seconds)

    def cut_echo(self, size=None, seconds=None):
        """Of what the master sends only the first ``size`` bytes come back; by default half of them."""
        self.fault("all", "cut_echo", size, seconds)

    def babbling(self, unit="all", ms=100, seconds=None):
        """It talks without being asked, so often."""
        self.fault(unit, "babbling", ms, seconds)

    def second_master(self, unit="all", ms=200, seconds=None, **asks):
        """Another master asks it, so often; ``asks``: its ``function`` and ``register``."""
        self.fault(unit, "second_master", ms, seconds, **asks)

    def jump(self, unit, by=50.0, channel=None, seconds=None, **limits):
        """A sensor, by default all of the unit, shows so much more."""
        self._sensor(unit, "jump", by, channel, seconds, limits)

    def drift(self, unit, per_minute=1.0, channel=None, seconds=None, **limits):
        """A sensor, by default all of the unit, shows more and more."""
        self._sensor(unit, "drift", per_minute, channel, seconds, limits)

    def stuck(self, unit, channel=None, seconds=None, **limits):
        """A sensor, by default all of the unit, shows what it last did."""
        self._sensor(unit, "stuck", None, channel, seconds, limits)

    def _sensor(self, unit, kind: str, arg, channel, seconds, limits: dict):
        where = {} if channel is None else {"channel": channel}
        self.fault(unit, kind, arg, seconds, **where, **limits)

    def reset(self, unit):
        """A power cycle."""
        self.fault(unit, "reset")

    def frozen(self, unit, seconds=None, **limits):
        """Its registers stay as they are."""
        self.fault(unit, "frozen", None, seconds, **limits)

    def burnt_out(self, unit, channel=None, seconds=None, **limits):
        """The thermocouple at an input as "ai0" is broken."""
        self.fault(unit, "burnt_out", channel, seconds, **limits)

    def shorted(self, unit, channel=None, seconds=None, **limits):
        """The thermocouple at an input as "ai0" is shorted: it shows the temperature of the terminals."""
        self.fault(unit, "shorted", channel, seconds, **limits)

    def watchdog(self, unit):
        """Its watchdog over the host trips."""
        self.fault(unit, "watchdog")


class BenchRegisters:
    """Registers by name: see edge.emulator.register_access. Raises BenchError for what there is not."""

    def __init__(self, bench: FurnaceBench):
        self._bench = bench

    def __getitem__(self, name: str) -> float:
        value = self._bench.ask(f"register {name}")["value"]
        return float("nan") if value is None else value

    def __setitem__(self, name: str, value: float):
        self._bench.ask(f"register {name} {value!r}")
