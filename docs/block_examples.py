"""An example of each block; those of docs/blocks.md. tests/docs checks that each is part of a right node file."""

STATE_MEANING = (
    "the one grammar of conditions, with a name; interlocks, trips and alarms use the same keys. It reads as 1 or 0, and "
    "`all`, `any`, `not` and `when` name states"
)
MEANINGS = {
    "select": "the lowest or highest of the demands that point to it; the others wait beside the winner",
    "cross_limit": (
        "fuel and air in step: air leads a rise, fuel leads a fall, and never more fuel is asked for than the measured "
        "air can burn at `lambda_min`"
    ),
    "split": "one demand over several takers, by shares and within the range of each",
}
EXAMPLES = {
    "vote": """
[calc.section_a]
kind = "vote"
of = ["roof_a1", "roof_a2", "roof_a3"]
take = "median"
with_two = "lower"
apart = 40              # further than this from the others for a minute: left out, and told
unit = "degC"
""",
    "sum": """
[calc.total_air]
kind = "sum"
of = ["primary_air_speed", "secondary_air_speed"]
weights = [0.65, 0.35]
unit = "%"
""",
    "product": """
[calc.gas_2]            # an orifice, corrected to its design density
kind = "product"
of = ["gas_2_dp", "gas_pressure_abs", "gas_temperature_k"]
powers = [0.5, 0.5, -0.5]
factor = 0.0412
unit = "MW"
""",
    "table": """
[calc.air_by_load]
kind = "table"
of = "loop.steam.set_point"
points = [[27.6, 30], [36.8, 46], [46.0, 61], [50.6, 63]]
unit = "%"
""",
    "filter": """
[calc.t_rise]           # K per minute, smoothed over 20 s
kind = "filter"
of = "t_chamber"
does = "rate"
time_s = 20
unit = "degC/min"
""",
    "lambda": """
[calc.lambda]
kind = "lambda"
o2 = "o2"
gas_ratio = 1.398       # wet stoichiometric flue gas / air of the design waste
unit = ""
""",
    "heat_release": """
[calc.fire]
kind = "heat_release"
air = "air_flow"
lambda = "lambda"
heat_per_air_mj = 3.2
unit = "MW"
""",
    "heating_value": """
[calc.waste_value]
kind = "heating_value"
heat = "fire"
feed = "feed_kg_s"
start = 6.95
low = 4.0
high = 9.0
feed_least = 1.0
unit = "MJ/kg"
""",
    "residence": """
[calc.time_at_850]
kind = "residence"
flow = "flue_gas_flow"
temperature = "t_section"
volume_m3 = 280
unit = "s"
""",
    "state": """
[state.no_heat]
signal = "output.heat"
below = 1
dead_band = 0.5

[trip.heat_stuck]       # no heat asked for, and still rising
signal = "t_chamber"
rises_more_than = 5
in_s = 120
when = "no_heat"
reset_below = 1100
outputs = ["contactor"]
""",
    "pid": """
[loop.draught]
kind = "pid"
pv = "draught"
set_point = -80
action = "direct"
forward = [["total_air", 1.0]]
gain = 0.02
ti_s = 8
if_bad = "forward"      # without a reading it follows the air
to = "output.id_fan"
""",
    "ratio": """
[loop.secondary_air]
kind = "ratio"
of = "output.primary_air"
ratio = 0.92
to = "output.secondary_air"
""",
    "trim": """
[loop.o2]
kind = "trim"
pv = "o2"
set_point = 6.6
gain = 0.08
ti_s = 60
low = 0.5
high = 1.6
hold_s = 20             # the dead time of the analyser
to = "loop.secondary_air"
""",
    "burner": """
[loop.burner]
kind = "burner"
pv = "t850"
set_point = 870
release = "output.burner_release"
running = "burner_running"
lockout = "burner_lockout"
start_below = 860
start_falling_below = 870
stop_above = 885
stop_after_s = 120
minimum = 20            # low fire, and for lighting
gain = 0.6
ti_s = 180
to = "output.burner"
""",
    "select": """
[select.primary_air]    # its inputs are the loops that point to it
take = "lowest"
if_bad = { steam = "leave_out", keep_hot = 25, keep_draught = 25 }
to = "output.primary_air"
""",
    "cross_limit": """
[cross_limit.zone_2]
fuel = "gas_2"
air = "air_2"
air_per_fuel = 0.266
lambda_from = "lambda_2"
lambda_min = 1.02
bands = [0.05, 0.10, 0.05, 0.10]
air_min = 0.28
fuel_to = "loop.gas_2"
air_to = "loop.air_2"
""",
    "split": """
[split.grate_air]
parts = ["output.zone_1", "output.zone_2", "output.zone_3"]
shares = [2, 5, 3]
""",
}
