"""Ways in which a node file can be wrong, as edits of line1.toml, and words that must be told."""

import pytest


def wrong(table, key, value, *words):
    """A case: ``key = value`` in [table] is told on its line."""
    return pytest.param(table, key, value, words, id=f"{table}.{key}={value}"[:60])


VALUES = [
    # node
    wrong("node", "site", '"bish kek"', "site", "letters, digits"),
    wrong("node", "name", '"line/1"', "expected 1 to 32 letters"),
    wrong("node", "name", '"+"', "topics and paths"),
    wrong("node", "name", '"zeile_ä"', "topics and paths"),
    wrong("node", "name", '""', 'name = ""'),
    wrong("node", "name", "7", "write it in quotes"),
    wrong("node", "tick_ms", "49", "from 50 to 10000 ms", "choose a number in that range"),
    wrong("node", "tick_ms", "10001", "from 50 to 10000 ms"),
    wrong("node", "tick_ms", "250.0", "without a decimal point"),
    wrong("node", "tick_ms", "true", "true and false are no numbers"),
    wrong("node", "tick_ms", '"250"', "write it without quotes"),
    wrong("node", "tick_ms", "[250]", "tick_ms = [250]", "write a number"),
    wrong("node", "tik_ms", "250", "which nobody reads", "did you mean 'tick_ms'?"),
    # bus
    wrong("bus.field", "baud", "38401", "the nearest is 38400"),
    wrong("bus.field", "baud", '"38400"', "write it without quotes"),
    wrong("bus.field", "baud", "true", "true and false are no numbers"),
    wrong("bus.field", "baud", "nan", "expected 1200, 2400"),
    wrong("bus.field", "framing", '"7E1"', '"8N2", "8E2" or "8O2"'),
    wrong("bus.field", "framing", "8", "in quotes"),
    wrong("bus.field", "timeout_ms", "4", "from 5 to 5000 ms"),
    wrong("bus.field", "late_ms", "-1", "from 0 to 60000 ms"),
    wrong("bus.field", "port", '""', "port"),
    wrong("bus.field", "port", '"/dev/tty\\nUSB0"', "remove the control characters"),
    wrong("bus.field", "parity", '"E"', 'the key "parity"', "its keys are port, baud"),
    # device
    wrong("device.roof", "bus", '"feild"', "no [bus.feild]", "did you mean 'field'?"),
    wrong("device.roof", "unit", "0", "from 1 to 247"),
    wrong("device.roof", "unit", "248", "from 1 to 247"),
    wrong("device.flue_gas", "unit", "1", "device roof on bus field already", "its own unit"),
    wrong("device.roof", "period_ms", "49", "from 50 to 3600000 ms"),
    wrong("device.roof", "lease_ms", "3000", "type 'm7019r'", "which only 'm7024', ", "reads; remove it"),
    wrong("device.burner_and_heater", "lease_ms", "3050", "steps of 100 ms", "3000 and 3100"),
    wrong("device.burner_and_heater", "lease_ms", "25600", "from 100 to 25500 ms"),
    wrong("device.id_fan", "lease_ms", "60100", "from 100 to 60000 ms"),
    wrong("device.id_fan", "lease_ms", "900", "at least four ticks of 250 ms", "write 1000 or more"),
    # signal
    wrong("signal.power", "device", '"rof"', "no [device.rof]", "did you mean 'roof'?"),
    wrong("signal.power", "input", '"ai8"', "does not have", "its inputs are ai0"),
    wrong("signal.power", "input", '"steam"', "its inputs are ai0"),
    wrong("signal.roof_a1", "sensor", '"k"', "did you mean 'K'?"),
    wrong("signal.roof_a1", "sensor", '"Pt100"', 'expected "4-20mA"', "write one of them"),
    wrong("signal.o2", "sensor", '"K"', "device flue_gas (o2_analyser) knows what it measures", "remove it"),
    wrong("signal.o2", "at_4ma", "0", "device flue_gas (o2_analyser) knows what it measures"),
    wrong("signal.roof_a1", "at_4ma", "0", 'only sensor = "4-20mA" reads'),
    wrong("signal.roof_a1", "unit", '"K"', 'unit = "K"', 'temperatures are in "degC"'),
    wrong("signal.roof_a1", "unit", '"°C"', 'write "degC"'),
    wrong("signal.roof_a1", "unit", '"degc"', 'write "degC"'),
    wrong("signal.roof_a1", "unit", '"furlong"', 'write one of "", "%", "degC"'),
    wrong("signal.roof_a1", "low", "-300", "thermocouple K reaches from -270 to 1372"),
    wrong("signal.power", "high", "60.5", "transmitter from 3.6 to 21 mA reaches from -0.375 to 15.9375"),
    wrong("signal.power", "at_20ma", "0", "expected two ends of a range"),
    wrong("signal.power", "low", "15", "low = 15 and high = 15", "expected low below high"),
    wrong("signal.power", "low", "inf", "finite"),
    wrong("signal.power", "low", "-nan", "finite"),
    wrong("signal.power", "low", "1" + "0" * 400, "finite"),
    wrong("signal.power", "low", "2e9", "at most 1000000000 in size"),
    wrong("signal.power", "low", "false", "true and false are no numbers"),
    wrong("signal.power", "low", "1979-05-27", "low = 1979-05-27", "write a number"),
    wrong("signal.power", "low", "{a = 1}", "low = a table"),
    wrong("signal.power", "stale_ms", "500", "more than two periods of device roof", "more than 500"),
    # calc
    wrong("calc.t_peak", "kind", '"voted"', "did you mean 'vote'?"),
    wrong(
        "calc.t_peak",
        "of",
        '["roof_a1", "roof_c1"]',
        "signal 'roof_c1' (of), which is not there",
        "'roof_",
    ),
    wrong("calc.t_peak", "of", '"roof_a1"', 'such as ["a", "b"]'),
    wrong("calc.t_peak", "of", '["roof_a1", 2]', 'such as ["a", "b"]'),
    wrong("calc.t_peak", "of", "[]", "a list of 1 to 12 different names"),
    wrong("calc.t_peak", "of", '["roof_a1", "roof_a1"]', "'roof_a1' is named twice"),
    wrong("calc.t_peak", "of", '["roof_a1", "t_peak"]', "reads itself: t_peak -> t_peak"),
    wrong("calc.t_peak", "of", '["roof_a1", "steam"]', "'roof_a1' in \"degC\" and 'steam' in \"t/h\""),
    wrong("calc.t_peak", "unit", '"t/h"', 'what it reads is in "degC"', 'write unit = "degC"'),
    wrong("calc.t_peak", "weights", "[1, 2]", "kind 'vote'", "which only 'sum' reads"),
    wrong("calc.t_furnace", "least", "3", "least = 3, but only 2 points"),
    wrong("calc.t_furnace", "apart_after_s", "9", "apart_after_s without apart"),
    wrong("calc.t_furnace", "take", '"mean"', 'expected "median", "lowest" or "highest"'),
    wrong("calc.lambda", "o2", '"steam"', "'steam' (o2) in \"t/h\", expected \"%\""),
    wrong("calc.lambda", "unit", '"%"', 'a lambda is in ""'),
    wrong("calc.lambda", "gas_ratio", "0", "from 0.5 to 3"),
    wrong("calc.total_air", "weights", "[0.65]", "weights = [0.65] for 2 values"),
    wrong("calc.total_air", "weights", '[0.65, "0.35"]', "a list of numbers", "without quotes"),
    wrong("calc.total_air", "weights", "[0.65, inf]", "finite"),
    # output
    wrong("output.burner", "device", '"burner"', "no [device.burner]"),
    wrong("output.burner", "device", '"roof"', "an m7019r has no outputs"),
    wrong("output.burner", "channel", '"ao7"', "does not have", "it has ao0"),
    wrong("output.air_heater", "channel", '"ao0"', "which output burner drives already"),
    wrong("output.burner", "unit", '"mA"', 'expected "%"'),
    wrong("output.burner", "high", "101", "from 0 to 100 %"),
    wrong("output.burner", "low", "100", "expected low below high"),
    wrong("output.burner", "drive", '"pulsed"', 'expected "analogue", "time_proportioned" or "switch"'),
    wrong("output.burner", "drive", '"time_proportioned"', "without cycle_s"),
    wrong("output.burner", "cycle_s", "10", 'only drive = "time_proportioned" reads'),
    wrong("output.burner", "characteristic", "[[0, 0], [50, 60], [100, 60]]", "turn round or stand still"),
    wrong("output.burner", "characteristic", "[[0, 0], [0, 60]]", "not above the one before it"),
    wrong("output.burner", "safe", '"hold"', "takes a value when its lease ends", "write that value"),
    wrong("output.burner", "safe", '"off"', 'from 0 to 100 %, or "hold"'),
    wrong("output.burner", "safe", "true", "true and false are no numbers"),
    wrong("output.burner", "safe", '"0"', "without quotes"),
    wrong("output.burner", "safe", "-1", "from 0 to 100 %"),
    wrong("output.primary_air", "safe", "10", "safe = 10, but low = 25 and high = 100", "or 0"),
    wrong("output.burner", "rate_per_s", "-1", "from 0 to 1000"),
    wrong("output.burner", "rate", "5", "did you mean 'rate_per_s'?"),
    # loop
    wrong("loop.steam", "kind", '"pdi"', "did you mean 'pid'?"),
    wrong(
        "loop.steam",
        "pv",
        '"steem"',
        "reads signal 'steem'",
        "which is not there",
        "did you mean 'steam'?",
    ),
    wrong("loop.steam", "pv", "1", "write the name in quotes"),
    wrong("loop.feed", "pv", '"primary_air"', "an output is read as 'output.primary_air'"),
    wrong(
        "loop.feed", "pv", '"output.primary_aire"', "output 'output.primary_aire'", "'output.primary_air'?"
    ),
    wrong("loop.feed", "pv", '"output.feeder"', "reads its own output"),
    wrong("loop.grate", "of", '"output.feder"', "did you mean 'output.feeder'?"),
    wrong("loop.grate", "of", '"output.grate"', "reads its own output"),
    wrong("loop.draught", "forward", '[["totl_air", 1]]', "did you mean 'total_air'?"),
    wrong("loop.draught", "forward", '["total_air", 1]', "write pairs such as"),
    wrong("loop.steam", "to", '"primary_air"', "write 'output.primary_air'"),
    wrong("loop.steam", "to", '"output.primary_aire"', "did you mean 'output.primary_air'?"),
    wrong("loop.steam", "unit", '"t/h"', 'asks in "t/h", but output primary_air takes "%"'),
    wrong("loop.steam", "output", '"primary_air"', "key 'output' of schema 1", 'write to = "output.NAME"'),
    wrong("loop.steam", "set_point_from", '"o2"', '\'o2\' in "%"', "compare like with like"),
    wrong("loop.steam", "schedule", '"o2"', "schedule without at"),
    wrong("loop.steam", "at", "[1, 2]", "at without schedule"),
    wrong("loop.steam", "gain", "[1, 2]", "2 numbers in gain, expected one for each value of at"),
    wrong("loop.steam", "if_bad", '"holds"', "did you mean 'hold'?"),
    wrong("loop.o2", "to", '"loop.steam"', "is no ratio"),
    wrong("loop.o2", "hold_s", "0", "above 0"),
    wrong("loop.steam", "action", '"revers"', "did you mean 'reverse'?"),
    wrong("loop.steam", "set_point", "24", "set_point = 24, but set_point_low = 25"),
    wrong("loop.steam", "set_point_low", "50", "expected low below high"),
    wrong("loop.steam", "set_point_high", "61", "'steam' is good only from 0 to 60"),
    wrong("loop.burner", "set_point_high", "1301", "'t_furnace' is good only from 0 to 1300"),
    wrong("loop.steam", "gain", "-1.5", "above 0"),
    wrong("loop.steam", "ti_s", "-1", "from 0 to"),
    wrong("loop.o2", "ti_s", "0", "above 0"),
    wrong("loop.steam", "b", "1.5", "from 0 to 1"),
    wrong("loop.steam", "feed_forward", '"o2"', 'write forward = [["NAME", GAIN]]'),
    wrong("loop.grate", "ti_s", "60", "kind 'ratio'", "which only 'pid', 'trim' or 'burner' reads"),
    wrong("loop.grate", "ratoi", "1", "did you mean 'ratio'?"),
    wrong("loop.o2", "low", "1.1", "from 0.01 to 1"),
    wrong("loop.o2", "high", "0.9", "from 1 to 100"),
    wrong("loop.burner", "start_below", "875", "in rising order"),
    wrong("loop.burner", "set_point", "900.5", "in rising order"),
    wrong(
        "loop.burner",
        "start_falling_below",
        "1400",
        "'t_furnace' is good only from 0 to 1300",
        "rising order",
    ),
    wrong("loop.burner", "minimum", "101", "from 0 to 100 %"),
    # guard
    wrong("interlock.feed_permit", "signal", '"t_furnce"', "did you mean 't_furnace'?"),
    wrong("interlock.feed_permit", "outputs", '["feder"]', "no [output.feder]", "did you mean 'feeder'?"),
    wrong("interlock.feed_permit", "outputs", "[]", "a list of 1 to 64 different names of outputs"),
    wrong("interlock.feed_permit", "off_below", "845", "write reset_below"),
    wrong("interlock.feed_permit", "above", "1301", "never be on"),
    wrong("interlock.feed_permit", "dead_band", "900", "it would never go"),
    wrong("interlock.feed_permit", "reset_below", "845", "both dead_band and reset_below", "remove one"),
    wrong("interlock.feed_permit", "on_after_s", "-1", "from 0 to 86400 s"),
    wrong("trip.high_temperature", "signal", '"output.feder"', "did you mean 'output.feeder'?"),
    wrong("trip.high_temperature", "above", "1300", "'t_peak' is good only from 0 to 1300", "never be on"),
    wrong("trip.high_temperature", "above", "-1", "always be on"),
    wrong("trip.high_temperature", "below", "850", "above and below, expected exactly one"),
    wrong("alarm.o2_low", "below", "0.1", "'o2' is good only from 0.1 to 21", "never be on"),
    wrong("alarm.o2_low", "below", "22", "always be on"),
    wrong("alarm.o2_low", "after_s", "30", "write on_after_s"),
    wrong("alarm.o2_low", "reset_below", "3", "reset_below with below, expected reset_above"),
    wrong("alarm.o2_low", "in_s", "30", "in_s, which below does not use"),
    wrong("alarm.o2_low", "rises_more_than", "3", "below and rises_more_than, expected exactly one"),
    wrong("alarm.o2_low", "when", '"x"', "no [state.x]"),
    wrong("alarm.o2_low", "outputs", '["burner"]', "which nobody reads"),
    # report
    wrong("report", "period_ms", "200", "at least one tick of 250 ms"),
    wrong("report", "mqqt", "1", "which nobody reads", "did you mean 'mqtt'?"),
    wrong("report.mqtt", "host", '"mqtt://broker"', "without scheme"),
    wrong("report.mqtt", "port", "65536", "from 1 to 65535"),
    wrong("report.mqtt", "keepalive_s", "0", "from 5 to 3600 s"),
    wrong("report.mqtt", "password_file", '"/etc/secret"', "no username"),
    wrong("report", "dead_band_pct", "11", "from 0 to 10 %"),
    wrong("report", "sample_ms", "-1", "from 0 to 86400000 ms"),
    wrong("report.mqtt", "brokers", '["127.0.0.1"]', "both host and brokers", "remove one"),
    wrong("report.mqtt", "credential", '"mqtt"', "no username"),
    wrong("report.mqtt", "tls", "1", "true or false"),
    wrong("report.mqtt", "cert_file", '"/etc/node.pem"', "without key_file"),
    wrong("report.mqtt", "key_file", '"/etc/node.key"', "without cert_file"),
    wrong("report.mqtt", "host", '"10.0.0.5"', "on another machine, 10.0.0.5, but no TLS", "ca_file"),
    wrong("report.mqtt", "insecure", "true", "may be anybody", "ca_file"),
    wrong("report.mqtt", "password", '"geheim"', "does not belong into a file", "password_file"),
]


# Keys whose absence is told on the header of their table.
MISSING = [
    ("node", "site", "1 to 32 letters"),
    ("bus.field", "baud", "38400"),
    ("bus.field", "framing", '"8N1"'),
    ("device.roof", "type", '"m7019r"'),
    ("device.roof", "bus", "the name of a bus"),
    ("device.id_fan", "lease_ms", "in steps of 100 ms"),
    ("signal.power", "unit", "a known unit"),
    ("signal.power", "sensor", 'add sensor = "4-20mA"'),
    ("signal.power", "at_4ma", "the value at 4 mA"),
    ("signal.power", "at_20ma", "the value at 20 mA"),
    ("calc.t_peak", "of", "different names of what can be read"),
    ("calc.t_peak", "kind", '"vote"'),
    ("output.burner", "safe", 'or "hold"'),
    ("loop.steam", "action", '"reverse" or "direct"'),
    ("loop.steam", "pv", "the name of what can be read"),
    ("loop.steam", "set_point", "has no set-point"),
    ("loop.o2", "low", "from 0.01 to 1"),
    ("loop.o2", "hold_s", "above 0"),
    ("loop.burner", "running", "the name of what can be read"),
    ("loop.burner", "lockout", "the name of what can be read"),
    ("loop.grate", "of", "follows nothing"),
    ("interlock.feed_permit", "outputs", "names of outputs"),
    ("trip.high_temperature", "above", "neither above nor below"),
    ("alarm.o2_low", "below", "neither above nor below"),
    ("report.mqtt", "host", "neither host nor brokers"),
]


# (addition to the file, the start of the row of it that must be told, words)
ADDITIONS = [
    ("[loops.x]\n", "[loops.x]", ["[loops]", "did you mean 'loop'?"]),
    ("[sensors]\n", "[sensors]", ["the tables are node"]),
    ('["report.mqtt"]\n', '["report.mqtt"]', ["nothing that anybody reads"]),
    ("[[bus.other]]\nport = '1'\n", "[[bus.other]]", ["a list of tables", "write it as [bus.other]"]),
    ("[alarm.o2_low.deep]\n", "[alarm.o2_low.deep]", ["which nobody reads"]),
    (
        """[bus.other]
port = "/dev/ttyUSB0"
baud = 9600
framing = "8N1"
timeout_ms = 60
""",
        "port",
        ["the port of bus field already"],
    ),
    (
        """[device.spare]
type = "ach550"
bus = "field"
unit = 99
period_ms = 1000
lease_ms = 3000
""",
        "[device.spare]",
        ["no [output.NAME] drives it"],
    ),
    (
        """[signal."a b"]
device = "id_fan"
input = "speed"
unit = "%"
low = 0
high = 9
stale_ms = 9000
""",
        '[signal."a b"]',
        ["expected 1 to 32 letters"],
    ),
    (
        """[signal.again]
device = "roof"
input = "ai0"
sensor = "N"
unit = "degC"
low = 0
high = 9
stale_ms = 9000
""",
        'sensor = "N"',
        ['signal roof_a1 says "K" of the same input ai0'],
    ),
    (
        """[signal.speed]
device = "id_fan"
input = "speed"
unit = "rpm"
low = 0
high = 9
stale_ms = 9000
""",
        'unit = "rpm"',
        ['input speed of device id_fan (ach550) gives "%"'],
    ),
    (
        """[calc.steam]
kind = "vote"
take = "highest"
of = ["o2"]
unit = "%"
""",
        "[calc.steam]",
        ["the name of a signal"],
    ),
    (
        """[calc.x]
kind = "vote"
take = "highest"
of = ["y"]
unit = "%"
[calc.y]
kind = "vote"
take = "median"
of = ["z"]
unit = "%"
[calc.z]
kind = "sum"
of = ["o2", "x"]
unit = "%"
""",
        'of = ["y"]',
        ["calc x reads itself: x -> y -> z -> x"],
    ),
    (
        """[loop.again]
kind = "ratio"
of = "o2"
ratio = 1
to = "output.grate"
""",
        'to = "output.grate"',
        ["which loop grate gives one to already"],
    ),
]
