"""What a right node file becomes: all defaults filled in, numbers as floats, orders as lists."""

import json

import pytest

from edge.box.config import NodeFileError, check, describe, find, load, packaged, read
from edge.box.config.tables import TABLES
from edge.node.build import build
from edge.node.clock import VirtualClock
from edge.node.report.local import LocalReporter
from tests.box.config.edits import PATH, REFERENCE, drop, drop_table, problems, put


@pytest.mark.parametrize("name", packaged())
def test_packaged_files_are_right_and_give_no_warning(name):
    node_file = read(find(name))
    assert node_file.warnings == []
    assert node_file.description["schema"] == 2


def test_the_reference_file_is_packaged():
    assert "bishkek" in packaged()
    assert find("bishkek").is_file()


def test_a_file_goes_before_a_packaged_one_of_its_name(tmp_path, monkeypatch):
    (tmp_path / "bishkek").write_text(REFERENCE)
    monkeypatch.chdir(tmp_path)
    assert str(find("bishkek")) == "bishkek"
    assert str(find("other.toml")) == "other.toml"


def test_description_has_the_tables_and_keys_of_the_file():
    description = load(PATH)
    named = {name for name, table in TABLES.items() if table.named and "." not in name}
    single = {"schema", "order", "report", "node", "pressure_balance"}
    assert set(description) == single | named
    assert description["node"] == {"site": "bishkek", "name": "line1", "tick_ms": 250}
    steam = description["loop"]["steam"]
    assert steam["pv"] == "steam" and steam["gain"] == [1.5] and steam["to"] == "output.primary_air"
    assert description["output"]["secondary_air"]["safe"] == "hold"
    assert description["report"]["mqtt"] == {
        "brokers": [["127.0.0.1", 1883]], "keepalive_s": 15, "tls": False,
    }  # fmt: skip


def test_numbers_are_floats_and_whole_milliseconds_are_ints():
    description = load(PATH)
    for table in ("signal", "output", "loop", "interlock", "trip", "alarm"):
        for spec in description[table].values():
            for key, value in spec.items():
                if not isinstance(value, (str, list, bool)):
                    whole = key.endswith("_ms") or key == "repeats"
                    assert type(value) is (int if whole else float), (table, key)


def test_defaults_are_filled_in():
    text = REFERENCE
    for table, key in [
        ("node", "tick_ms"), ("bus.field", "late_ms"), ("loop.steam", "td_s"), ("loop.steam", "b"),
        ("loop.grate", "bias"), ("report", "period_ms"), ("report.mqtt", "port"),
        ("report.mqtt", "keepalive_s"),
    ]:  # fmt: skip
        text = drop(text, table, key)
    description = load_text(text)
    assert description["node"]["tick_ms"] == 250
    assert description["bus"]["field"]["late_ms"] == 1000
    assert description["loop"]["steam"]["td_s"] == [0.0] and description["loop"]["steam"]["b"] == 1.0
    assert description["loop"]["grate"]["bias"] == 0.0
    assert description["report"]["period_ms"] == 1000
    assert description["report"]["mqtt"]["brokers"] == [["127.0.0.1", 1883]]
    assert description["report"]["mqtt"]["keepalive_s"] == 15
    assert description["loop"]["steam"]["forward"] == [] and "if_bad" in description["loop"]["steam"]


def test_without_a_broker_and_without_a_report():
    assert "mqtt" not in load_text(drop_table(REFERENCE, "report.mqtt"))["report"]
    bare = drop_table(drop_table(REFERENCE, "report.mqtt"), "report")
    report = load_text(bare)["report"]
    assert list(report.pop("signal")) == load(PATH)["order"]["signal"] + [
        "section_a", "section_b", "t_furnace", "t_peak", "lambda", "total_air",
    ]  # fmt: skip
    assert report == {"period_ms": 1000, "reporter_ms": 10000, "dead_band_pct": 0.1, "sample_ms": 60000}


def test_order_is_that_of_the_file():
    order = load(PATH)["order"]
    assert order["loop"] == [
        "steam", "feed", "grate", "o2", "secondary_air", "draught", "air_temperature", "burner",
    ]  # fmt: skip
    assert order["output"][:3] == ["primary_air", "secondary_air", "id_fan"]
    assert set(order) == {
        "bus", "device", "signal", "level2", "calc", "state", "output", "loop", "select", "cross_limit", "split",
        "programme", "autotune", "interlock", "trip", "alarm",
    }  # fmt: skip


def test_calcs_come_after_what_they_read():
    first = '[calc.margin]\nkind = "vote"\ntake = "lowest"\nof = ["t_furnace", "t_peak"]\nunit = "degC"\n\n'
    text = REFERENCE.replace("[calc.t_furnace]", first + "[calc.t_furnace]")
    order = load_text(text)["order"]["calc"]
    assert order == ["section_a", "section_b", "t_furnace", "t_peak", "margin", "lambda", "total_air"]


def test_a_node_that_only_measures():
    text = REFERENCE[: REFERENCE.index("[calc.section_a]")]
    for device in ("burner_and_heater", "primary_air_fan", "secondary_air_fan", "id_fan", "feeder", "grate",
                   "burner_control"):  # fmt: skip
        text = drop_table(text, f"device.{device}")
    for signal in ("primary_air_speed", "secondary_air_speed", "burner_running", "burner_lockout"):
        text = drop_table(text, f"signal.{signal}")
    description = load_text(text)
    assert description["output"] == {} and description["order"]["loop"] == []


def test_a_transmitter_may_fall_while_its_value_rises():
    text = put(put(REFERENCE, "signal.power", "at_4ma", "15"), "signal.power", "at_20ma", "0")
    assert problems(text) == []


def test_a_current_without_live_zero_is_read_in_ma():
    text = REFERENCE
    for key, value in (("sensor", '"0-20mA"'), ("unit", '"mA"'), ("high", "20")):
        text = put(text, "signal.power", key, value)
    text = drop(drop(text, "signal.power", "at_4ma"), "signal.power", "at_20ma")
    assert problems(text) == []


def test_the_node_builds_from_the_description():
    description, board_file = describe(PATH)
    again = json.loads(board_file.split(b"\n")[1])
    for each in (description, again):
        node = build(each, {"field": None}, VirtualClock(), LocalReporter())
        assert [device.name for device in node.devices] == each["order"]["device"]


SPARE_BUS = '[bus.spare]\nport = "1"\nbaud = 9600\nframing = "8E1"\ntimeout_ms = 60\n'
SPARE_DEVICE = '[device.spare]\ntype = "m7019r"\nbus = "field"\nunit = 99\nperiod_ms = 500\n'
WARNINGS = [
    (
        put(REFERENCE, "bus.field", "late_ms", "3000"),
        "lease_ms = 3000, but with one lost frame a refresh can take",
    ),
    (put(REFERENCE, "trip.high_temperature", "outputs", '["secondary_air"]'), 'whose safe value is "hold"'),
    (REFERENCE + SPARE_BUS, "bus spare has no device"),
    (REFERENCE + SPARE_DEVICE, "device spare is read by no signal"),
]


@pytest.mark.parametrize(("text", "words"), WARNINGS, ids=[words for _, words in WARNINGS])
def test_warnings_stop_nothing(text, words, tmp_path):
    path = tmp_path / "line1.toml"
    path.write_text(text)
    warnings = read(path).warnings
    assert any(words in warning for _, warning in warnings), warnings
    assert all(1 <= line <= text.count("\n") + 1 for line, _ in warnings)


def test_a_file_that_can_not_be_read(tmp_path):
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(NodeFileError) as caught:
            load(path)
        assert str(caught.value).startswith(f"{path}:1: the file can't be read: ")
        assert "bishkek" in str(caught.value)


def test_problems_are_printed_with_file_and_line():
    error = NodeFileError("line1.toml", [(9, "b"), (2, "a")])
    assert str(error) == "line1.toml:2: a\nline1.toml:9: b"
    assert error.problems == [(2, "a"), (9, "b")]


def load_text(text: str) -> dict:
    return check("line1.toml", text.encode()).description
