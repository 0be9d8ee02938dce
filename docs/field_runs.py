"""Runs of the product on virtual time, for the cells of docs/field-cases.md that are measured.

They use the rigs of the tests, so that the page and the tests see the same lines and devices.
"""

import re

from cext.pid import PID
from edge.box.config import NodeFileError, check, describe, find
from edge.emulator.virtual import VirtualRun
from edge.node.bus import modbus
from edge.node.commands import Commands
from edge.node.console import Console
from tests.box.config.edits import REFERENCE, put
from tests.box.config.test_plausible import heated_by
from tests.cext.test_pid_wind_up import Lags, noise_offset, run
from tests.node.bus.line import CHAR_US, Line, registers, sound
from tests.node.devices import rig
from tests.node.devices.test_refusals import Watched, refusals

READ = modbus.READ_HOLDING_REGISTERS


def refused_write() -> str:
    """How soon the safe value is in the module after one refusal of a trip's write."""
    ticks = [refusals("m7024 modbus", code, "trip", 1).ticks_until_held(20) for code in (4, 5, 6)]
    ms = [int(count * rig.TICK_US / 1000) for count in ticks]
    return f"sent again until confirmed: {ms[0]}, {ms[1]}, {ms[2]} ms after the refusal by exception 4, 5, 6"


def lasting_refusal() -> str:
    """What the driver says of an output whose writes are refused again and again."""
    watched = Watched("m7024 modbus")
    watched.steady()
    watched.refusing.begin(6)
    watched.line.demands = dict(watched.safe)
    watched.run_until_hit(4, 20)
    return f"event: `{watched.driver.trouble()}`; the output is `unconfirmed`"


def clamped_write() -> str:
    """What the driver says of a device that takes another value than it was given."""
    watched = Watched("uk24mod")
    watched.steady()
    watched.refusing.begin("clamped")
    watched.line.demands = dict(watched.safe)
    watched.run_until_hit(1, 20)
    return f"event: `{watched.driver.trouble()}`; ready: {'yes' if watched.driver.ready else 'no'}"


def starved_block() -> str:
    """Replies in 70 s of three blocks at 1 s, the first, second or third never answered."""
    found = []
    for silent in range(3):
        line = Line(lambda request, sent_us, silent=silent: [] if request[3] == 10 * silent else sound(request, sent_us))
        device = line.add(1, [(i, READ, 10 * i, 2, 1000) for i in range(3)])
        line.run(70000)
        counts = [len([entry for entry in device.told if entry[:2] == ("replied", tag)]) for tag in range(3)]
        found.append(", ".join(str(count) for count in counts))
        assert device.station.down == ""
    return f"in 70 s: {'; '.join(found)} replies with block 1, 2, 3 silent; the unit is not down"


def start_into_saturation() -> str:
    """A kiln of 800 degC, a start at a set-point of 20, ten seconds later 799: overshoot by ti_s."""
    over = []
    for ti_s in (300.0, 600.0, 1800.0):
        pid = PID(1.0, ti_s, 0.0)
        pid.follow(20.0, 800.0, 0.0, 0.0, 0.0)
        values, _ = run(pid, Lags(20.0, [7500.0], 800.0, 1.0), 800.0, [20.0] * 10 + [799.0] * 36_000, 1.0)
        over.append(max(values[10:]) - 799.0)
    return "overshoot " + ", ".join(f"{max(0.0, value):.1f}" for value in over) + " K"


def lowered_set_point() -> str:
    """Seconds of full output after a set-point is lowered below the process value, by b."""
    seconds = []
    for b in (0.7, 0.3, 0.0):
        pid = PID(2.0, 600.0, 0.0)
        pid.b = b
        plant, value, count = Lags(10.0, [3600.0], 0.0, 1.0), 0.0, 0
        while value < 300.0:
            value = plant.step(pid.step(850.0, value, 0.0, 1.0))
        while pid.step(280.0, value, 0.0, 1.0) >= 100.0:
            value = plant.step(pid.out)
            count += 1
        seconds.append(count)
    return "full output for " + ", ".join(str(count) for count in seconds) + " s more"


def noise_at_a_limit() -> str:
    return f"offset {abs(noise_offset(0.0)):.1f} °F: the tracking time is Ti where none is given"


def said(text: str, words: str) -> str:
    """The sentence of ``check`` with those words, as a user reads it, without the line number."""
    try:
        sentences = check("line1.toml", text.encode()).warnings
        kind = "warning: "
    except NodeFileError as error:
        sentences, kind = error.problems, ""
    sentence = next(one for _, one in sentences if words in one)
    return f"{kind}`{re.sub(chr(96), chr(39), sentence)}`"


def checked() -> list:
    """[(case, what came of it before, what ``check`` says now)]."""
    late = put(put(REFERENCE, "signal.o2", "stale_ms", "180000"), "device.flue_gas", "period_ms", "60000")
    trip = put(REFERENCE, "trip.high_temperature", "above", "905")
    hot = put(put(trip, "loop.burner", "set_point", "906"), "loop.burner", "stop_above", "910")
    uncut = put(REFERENCE, "trip.high_temperature", "outputs", '["feeder", "burner_release", "air_heater"]')
    twice = REFERENCE.replace("gain = 0.6\n", "gain = 0.6\ngain = 0.7\n", 1)
    rows = [
        ("two votes of one thermocouple", "passed", put(REFERENCE, "signal.roof_b1", "input", '"ai0"'), "two votes"),
        ("a trip at 499 °C on type S", "passed", heated_by("S", 50, 499.0), "choose a value above"),
        ("a trip at 1,100 °C on type S", "passed", heated_by("S", 0, 1100), "blind below"),
        ("a set-point above its trip", "passed", hot, "set_point = 906"),
        ("a heater that no trip cuts", "passed", uncut, "no trip cuts it"),
        ("a loop on data slower than itself", "passed", late, "faster than its data"),
        ("`ti_s = 1e-6`", "passed", put(REFERENCE, "loop.steam", "ti_s", "1e-6"), "shorter than a tick"),
        ("a decimal comma", "a TOML error without the reason", put(REFERENCE, "loop.steam", "gain", "1,5"), "decimal comma"),
        ("a byte order mark", "a TOML error without the reason", "\ufeff" + REFERENCE, "byte order mark"),
        ("a doubled key", "a TOML error without the first line", twice, "stands twice"),
        ("a near type name", "not known, without a hint", put(REFERENCE, "device.roof", "type", '"eurotherm3216"'), "did you mean"),
    ]
    return [(case, before, said(text, words)) for case, before, text, words in rows]


def missing_schema() -> str:
    text = put(drop_schema(REFERENCE), "bus.field", "baud", "38000")
    try:
        check("line1.toml", text.encode())
    except NodeFileError as error:
        return "; ".join(f"`{sentence}`" for _, sentence in error.problems)
    raise AssertionError("a file without schema was taken")


def drop_schema(text: str) -> str:
    return "\n".join(row for row in text.splitlines() if not row.startswith("schema")) + "\n"


def address_40001() -> str:
    device = '[device.meter]\ntype = "modbus"\nbus = "field"\nunit = 40\nperiod_ms = 1000\n'
    register = '[device.meter.register.t]\nrole = "read"\ntable = "holding"\naddress = 40001\ntype = "u16"\nunit = "degC"\n'
    return said(REFERENCE + device + register, "40001")


def console() -> str:
    """What the console says when a thermocouple breaks, when a trip comes, and to ``status``."""
    lines, typed = [], []
    virtual = VirtualRun("bishkek", describe(find("bishkek"))[0], 1)
    commands = Commands(virtual.node)
    shown = Console(commands, lambda: bool(typed), lambda: typed.pop(0), lines.append, 0, attached=False)
    shown.begin()
    virtual.run_for(60)
    first = lines[0].split(" starts:")[0]
    del lines[:]
    virtual.bench.fault("roof", "burnt_out", "ai0")
    virtual.run_for(10)
    broken = [line for line in lines if "signal roof_a1" in line][:1]
    trip = next(one for one in virtual.node.guard.trips if one.name == "high_temperature")
    trip.condition.test.above = 100.0
    virtual.run_for(10)
    tripped = [line for line in lines if "trip high_temperature" in line or "output burner:" in line][:2]
    del lines[:]
    typed.append(b"status\n")
    shown.step()
    status = [line for line in lines[0].splitlines() if line.startswith(("trips", "bad"))]
    return "<br>".join(f"`{line}`" for line in [first, *broken, *tripped, "status", *status])


def own_request_cut_short() -> str:
    """A cut echo, then a late reply: records of another register in 30 s."""
    return _wrong(lambda request: request[:4], 300)


def noise_then_reply() -> str:
    return _wrong(lambda request: request[:2] + b"\x04", 300)


def gateway_then_reply() -> str:
    return _wrong(lambda request: modbus.sealed(bytes((request[0], request[1] | 0x80, 11))), 300)


def _wrong(first, late_ms: int) -> str:
    count = []

    def slave(request, sent_us):
        count.append(1)
        if len(count) % 5:
            return sound(request, sent_us)
        return [(5000, first(request)), (1000 * late_ms, registers(request))]

    line = Line(slave)
    device = line.add(1, [((at, 2), READ, at, 2, 100) for at in (0, 10, 20)])
    line.run(30000)
    replies = [entry for entry in device.told if entry[0] == "replied"]
    wrong = [entry for entry in replies if modbus.unpack_registers(entry[2])[0] != entry[1][0]]
    return f"{len(wrong)} wrong of {len(replies)} records in 30 s"


def late_module() -> str:
    """Five DCON modules, the second late in a third of its replies: readings that are another's."""
    count = []

    def slave(request, sent_us):
        own = request[1:3]
        reply = b"!" + own + b"060000\r" if request[:1] == b"$" else b">+%03d.00\r" % int(own, 16)
        count.append(1)
        if own == b"02" and len(count) % 3 == 0:
            return [(70000 + 37000 * (len(count) % 6), reply)]
        return [(5000 + CHAR_US * len(reply), reply)]

    line = Line(slave, late_ms=250)
    devices = [line.add(unit, [("inputs", f"#{unit:02X}", 250)], protocol="dcon") for unit in range(1, 6)]
    line.run(60000)
    wrong = sum(data != b">+%03d.00" % device.unit for device in devices for data in device.data())
    return f"{wrong} wrong readings in a minute, {devices[1].station.late} late ones"


def slow_characters() -> str:
    """Replies whose characters come 15 ms apart."""

    def slave(request, sent_us):
        reply = registers(request)
        return [(5000 + 15000 * i, reply[i : i + 1]) for i in range(len(reply))]

    line = Line(slave)
    device = line.add(1, [(0, READ, 0, 2, 1000)])
    line.run(20000)
    return f"{len(device.data())} of 20 read"
