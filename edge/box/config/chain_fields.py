"""The kinds of values that only control needs: curves, feed-forwards, gain schedules, what to do when blind."""

from edge.box.config.fields import REQUIRED, Field, Number, Reference, Unfit, is_name, is_number
from edge.box.config.problems import did_you_mean, listed, shown


class Points(Field):
    """A list of 2 to 32 points [x, y], x rising; with ``monotone`` y only rises or only falls."""

    kind = "list of points"

    def __init__(self, meaning, monotone=False, default=REQUIRED):
        Field.__init__(self, meaning, default)
        self.monotone = monotone

    def expected(self) -> str:
        end = ", y only rising or only falling" if self.monotone else ""
        return f"a list of 2 to 32 points [x, y], x rising{end}"

    def read(self, value) -> list:
        if not isinstance(value, list) or not all(isinstance(point, list) for point in value):
            raise Unfit("write one pair for each point, such as [[0, 0], [50, 70], [100, 100]]")
        if not 2 <= len(value) <= 32:
            raise Unfit("write 2 to 32 points")
        one = Number("")
        points = []
        for place, point in enumerate(value, 1):
            if len(point) != 2 or not all(is_number(element) for element in point):
                raise Unfit(f"point {place} needs two numbers")
            points.append([one.read(element) for element in point])
            if place > 1 and points[-1][0] <= points[-2][0]:
                raise Unfit(f"the x of point {place} is not above the one before it: sort them")
        steps = [after[1] - before[1] for before, after in zip(points, points[1:], strict=False)]
        if self.monotone and not (all(step > 0 for step in steps) or all(step < 0 for step in steps)):
            raise Unfit("the y turn round or stand still: the node could not tell a position from a value")
        return points


class NumberOrList(Number):
    """A number, or a list of numbers for a gain schedule."""

    kind = "number or list"

    def expected(self) -> str:
        return Number.expected(self) + ", or a list of those, one for each point of at"

    def read(self, value):
        if isinstance(value, list):
            if not 2 <= len(value) <= 32:
                raise Unfit("write 2 to 32 numbers, as many as in at")
            return [Number.read(self, element) for element in value]
        return Number.read(self, value)


class Forwards(Field):
    """A list of [name, gain]."""

    kind = "list of [name, gain]"

    def expected(self) -> str:
        return "a list of [name, gain], names of what can be read"

    def read(self, value) -> list:
        fits = isinstance(value, list) and all(
            isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str) and is_number(pair[1])
            for pair in value
        )
        if not fits:
            raise Unfit('write pairs such as [["total_air", 1.0], ["output.burner", 0.3]]')
        if len(value) > 8:
            raise Unfit("write no more than 8")
        return [[name, Number("").read(gain)] for name, gain in value]

    def references(self, value) -> list:
        return [("value", pair[0], (i,)) for i, pair in enumerate(value)]


class IfBad(Field):
    """One of a few words, or a number."""

    kind = "word or number"

    def __init__(self, meaning, words, default=REQUIRED):
        Field.__init__(self, meaning, default)
        self.words = words

    def expected(self) -> str:
        return f"{listed(map(shown, self.words))}, or a number"

    def read(self, value):
        if isinstance(value, str):
            if value in self.words:
                return value
            raise Unfit(did_you_mean(value, self.words, "write one of those words, or a number"))
        return Number("").read(value)


class Policies(Field):
    """A table: for each input of a select what it counts as when it is bad."""

    kind = "table"
    one = IfBad("", ("refuse", "leave_out"))

    def expected(self) -> str:
        return f"a table with one entry for each input, each {self.one.expected()}"

    def read(self, value) -> dict:
        if not isinstance(value, dict):
            raise Unfit('write it as { steam = "leave_out", keep_hot = 25 }')
        policies = {}
        for name, policy in value.items():
            try:
                policies[name] = self.one.read(policy)
            except Unfit as unfit:
                raise Unfit(f"of '{name}': {unfit}") from None
        return policies


class Parts(Field):
    """A list of takers."""

    kind = "list of takers"

    def expected(self) -> str:
        return "a list of 2 to 12 different takers"

    def read(self, value) -> list:
        if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
            raise Unfit('write names in quotes between brackets, such as ["output.zone_1", "output.zone_2"]')
        if not 2 <= len(value) <= 12 or len(set(value)) != len(value):
            raise Unfit("name 2 to 12 different ones")
        return list(value)

    def references(self, value) -> list:
        return [("taker", name, (i,)) for i, name in enumerate(value)]


class Segments(Field):
    """The segments of a programme: a list of tables."""

    kind = "list of segments"
    longest = 32
    week_min = 10080
    keys = ("to", "at_per_min", "stay_min", "within", "repeat", "from", "event")

    def expected(self) -> str:
        return (
            f"a list of 1 to {self.longest} segments: "
            "{ to = 450, at_per_min = 0.8 }, { stay_min = 480, within = 5 } or { repeat = 3, from = 1 }"
        )

    def read(self, value) -> list:
        if isinstance(value, list) and any(isinstance(segment, list) for segment in value):
            raise Unfit("write each segment as a table: { to = 600, at_per_min = 5 }, { stay_min = 30 }")
        if not isinstance(value, list) or not all(isinstance(segment, dict) for segment in value):
            raise Unfit("write tables between brackets")
        if not 1 <= len(value) <= self.longest:
            raise Unfit(f"write 1 to {self.longest} segments")
        segments = [self._segment(place, segment) for place, segment in enumerate(value, 1)]
        if "repeat" in segments[0]:
            raise Unfit("segment 1 has nothing before it that could be repeated")
        return segments

    def _segment(self, place: int, raw: dict) -> dict:
        for key in raw:
            if key not in self.keys:
                raise Unfit(f"segment {place}: " + did_you_mean(key, self.keys, f"no segment has '{key}'"))
        forms = [key for key in ("to", "stay_min", "repeat") if key in raw]
        if len(forms) != 1:
            raise Unfit(f"segment {place} needs exactly one of to, stay_min and repeat")
        belong = {"to": ("at_per_min",), "stay_min": ("within",), "repeat": ("from",)}[forms[0]]
        for key in raw:
            if key not in (forms[0], "event", *belong):
                raise Unfit(f"segment {place}: '{key}' does not belong to '{forms[0]}'")
        segment = {}
        try:
            if forms[0] == "to":
                segment["to"] = Number("").read(raw["to"])
                if "at_per_min" in raw:
                    segment["at_per_min"] = Number("", 0, 1e6, above=True).read(raw["at_per_min"])
            elif forms[0] == "stay_min":
                segment["stay_min"] = Number("", 0, self.week_min).read(raw["stay_min"])
                if "within" in raw:
                    segment["within"] = Number("", 0, above=True).read(raw["within"])
            else:
                segment.update(self._repeat(place, raw))
        except Unfit as unfit:
            raise Unfit(f"segment {place}: {unfit}") from None
        if "event" in raw:
            if not isinstance(raw["event"], str) or not is_name(raw["event"]):
                raise Unfit(f"segment {place}: event needs a name of letters, digits, - or _")
            segment["event"] = raw["event"]
        return segment

    def _repeat(self, place: int, raw: dict) -> dict:
        for key in ("repeat", "from"):
            if not isinstance(raw.get(key), int) or isinstance(raw.get(key), bool):
                raise Unfit(f"{key} needs a whole number")
        if not 1 <= raw["repeat"] <= 1000:
            raise Unfit("repeat goes from 1 to 1000")
        if not 1 <= raw["from"] < place:
            raise Unfit("from names a segment before this one, 1 the first")
        return {"repeat": raw["repeat"], "from": raw["from"]}


class Taker(Reference):
    """What takes a demand: output.NAME, loop.NAME, select.NAME, cross_limit.NAME or split.NAME."""

    kind = "taker"

    def __init__(self, meaning, default=REQUIRED):
        Reference.__init__(self, meaning, "taker", default)
