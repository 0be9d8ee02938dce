"""What of all values is told in this tick: report by exception.

A value is told when it has changed by its dead band since it was last told, when its quality has changed, or
when it has not been told for its period. All of that runs on the monotonic time: a wall clock that jumps
changes nothing here.
"""

from edge.node.report.catalogue import BOOLEAN, FLOAT, TEXT, Catalogue, Metric
from edge.node.report.records import BAD, FLOAT_MAX, FLOAT_MIN, GOOD, UNCERTAIN, SampleWriter

_NEVER_MS = 1 << 62


class Sampler:
    """Looks at everything that is reported, once a tick.

    ``catalogue``: its metrics are those of ``sources`` (objects with value and quality), then of ``numbers``,
    then of ``states``: pairs of an object and the name of the attribute that holds a float, or a text or
    bool; None stands for a value that is not known.
    """

    def __init__(self, catalogue, sources: list, numbers: list, states: list):
        if len(catalogue.metrics) != len(sources) + len(numbers) + len(states):
            raise ValueError("sampler: the catalogue lists other metrics")
        self.catalogue = catalogue
        self._sources = sources
        self._numbers = numbers
        self._states = states
        count = len(catalogue.metrics)
        self._bands = [metric.dead_band for metric in catalogue.metrics]
        self._periods_ms = [metric.period_ms for metric in catalogue.metrics]
        self._told = [None] * count
        # The dead band around what was told: comparing takes no memory, subtracting would.
        self._lows = [0.0] * count
        self._highs = [0.0] * count
        self._qualities = [BAD] * count
        self._due_ms = [-1] * count
        self._look_ms = -1  # no period is over before this
        self._writer = SampleWriter(6 * count)

    def snapshot(self):
        """Let the next look tell everything."""
        for index in range(len(self._due_ms)):
            self._due_ms[index] = -1
        self._look_ms = -1

    def look(self, now_ms: int) -> bool:
        """Collect what is to be told now; whether there is anything. ``record`` then makes a record of it."""
        self._writer.start()
        over = now_ms >= self._look_ms
        self._look_at_sources(now_ms, over)
        self._look_at_numbers(now_ms, over)
        self._look_at_states(now_ms, over)
        if over:
            self._look_ms = min(self._due_ms) if self._due_ms else _NEVER_MS
        return self._writer.count > 0

    def record(self, boot: int, seq: int, t_ms: int, up_ms: int, synced: bool) -> bytes:
        """The sample record of the last look."""
        return self._writer.finish(boot, seq, t_ms, up_ms, synced, self.catalogue.number)

    # Written out rather than shared: this runs for every value in every tick.

    def _look_at_sources(self, now_ms: int, over: bool):
        told = self._told
        qualities = self._qualities
        lows = self._lows
        highs = self._highs
        due_ms = self._due_ms
        index = 0
        for source in self._sources:
            quality = source.quality
            if quality == BAD:
                if qualities[index] != BAD or (over and now_ms >= due_ms[index]):
                    self._tell(index, BAD, None, now_ms)
            elif quality != qualities[index]:
                self._tell(index, quality, source.value, now_ms)
            else:
                value = source.value
                # Also true for what is not a number.
                if (value != told[index] and not lows[index] < value < highs[index]) or (
                    over and now_ms >= due_ms[index]
                ):
                    self._tell(index, quality, value, now_ms)
            index += 1

    def _look_at_numbers(self, now_ms: int, over: bool):
        told = self._told
        qualities = self._qualities
        lows = self._lows
        highs = self._highs
        due_ms = self._due_ms
        index = len(self._sources)
        for thing, attribute in self._numbers:
            value = getattr(thing, attribute)
            quality = GOOD
            if value is None:
                quality = BAD
            elif getattr(thing, "unconfirmed", ""):
                # Of an output: no device has confirmed it.
                quality = UNCERTAIN
            if quality != qualities[index] or value is None or told[index] is None:
                due = quality != qualities[index] or value is not told[index]
            else:
                due = value != told[index] and not lows[index] < value < highs[index]
            if due or (over and now_ms >= due_ms[index]):
                self._tell(index, quality, value, now_ms)
            index += 1

    def _look_at_states(self, now_ms: int, over: bool):
        told = self._told
        due_ms = self._due_ms
        index = len(self._sources) + len(self._numbers)
        for thing, attribute in self._states:
            value = getattr(thing, attribute)
            if value != told[index] or (over and now_ms >= due_ms[index]):
                self._tell(index, BAD if value is None else GOOD, value, now_ms)
            index += 1

    def _tell(self, index: int, quality: int, value, now_ms: int):
        if isinstance(value, float) and not FLOAT_MIN <= value <= FLOAT_MAX:
            # Nothing to calculate with, and told once.
            value = None
            quality = BAD
            if self._qualities[index] == BAD and now_ms < self._due_ms[index]:
                return
        if self._writer.full():
            # It stays due: the next tick tells it.
            self._due_ms[index] = self._look_ms = -1
            return
        self._writer.add(index, quality, value)
        self._told[index] = value
        band = self._bands[index]
        if band > 0.0 and value is not None:
            self._lows[index] = value - band
            self._highs[index] = value + band
        self._qualities[index] = quality
        period_ms = self._periods_ms[index]
        self._due_ms[index] = now_ms + period_ms if period_ms else _NEVER_MS


def build_sampler(description: dict, node) -> Sampler:
    """The sampler of a node that is built but for this; ``description``: what it was built from."""
    report = description["report"]
    period_ms = report["sample_ms"]
    metrics = []
    for source in node.sources:
        spec = description["signal"].get(source.name, {})
        how = report["signal"][source.name]
        metric = Metric(source.name, source.unit, FLOAT, spec.get("device", ""))
        metric.dead_band = how["dead_band"]
        metric.period_ms = how["period_ms"]
        metric.low = spec.get("low")
        metric.high = spec.get("high")
        metrics.append(metric)
    numbers = []
    for output in node.guard.outputs:
        device = description["output"][output.name]["device"]
        band = (output.high - output.low) * report["dead_band_pct"] / 100.0
        # Its safe value may lie outside of what control may ask for.
        metric = Metric("output." + output.name, output.unit, FLOAT, device, band, period_ms)
        metric.low = 0.0
        metric.high = 100.0
        metrics.append(metric)
        numbers.append((output, "value"))
    for loop in node.loops:
        if loop.set_point is not None:
            set_point = loop.set_point
            # One that a block above or a signal moves all the time is told by a dead band.
            band = 0.0
            if set_point.moves():
                band = (set_point.high - set_point.low) * report["dead_band_pct"] / 100.0
            metric = Metric(set_point.name, set_point.unit, FLOAT, "", band, period_ms)
            metric.low = set_point.low
            metric.high = set_point.high
            metrics.append(metric)
            numbers.append((set_point, "value"))
    states = []
    for name, type, device, thing, attribute in _states(description, node):
        metrics.append(Metric(name, "", type, device, 0.0, period_ms))
        states.append((thing, attribute))
    settings = description["node"]
    catalogue = Catalogue(metrics, settings["site"], settings["name"])
    return Sampler(catalogue, node.sources, numbers, states)


def _states(description: dict, node) -> list:
    """(name, type, device, object, attribute) of every text and bool that is reported."""
    states = []
    for output in node.guard.outputs:
        device = description["output"][output.name]["device"]
        states.append(("output." + output.name + ".state", TEXT, device, output, "shown"))
    for loop in node.loops:
        states.append(("loop." + loop.name + ".mode", TEXT, "", loop, "mode"))
    for block in node.chain:
        if block.kind == "select":
            states.append(("select." + block.name, TEXT, "", block, "leader"))
    for programme in node.programmes:
        states.append(("programme." + programme.name, TEXT, "", programme, "state"))
    for trip in node.guard.trips:
        states.append(("trip." + trip.name, BOOLEAN, "", trip, "tripped"))
    for alarm in node.guard.alarms:
        states.append(("alarm." + alarm.name, BOOLEAN, "", alarm, "active"))
    for device in node.devices:
        states.append(("device." + device.name + ".link", BOOLEAN, device.name, device, "linked"))
    states.append(("node.mode", TEXT, "", node, "mode"))
    states.append(("node.first_out", TEXT, "", node, "first_out"))
    return states
