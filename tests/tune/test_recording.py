"""Records: headings, separators, times, telemetry, and what is said of rows that can't be read."""

import json
import math

import numpy as np
import pytest

from edge.box.config import describe, find
from edge.emulator.virtual import VirtualRun
from edge.tune.recording import RecordError, read


@pytest.fixture
def file(tmp_path):
    def write(text, name="step.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_text(text, encoding=encoding)
        return str(path)

    return write


ROWS = [(0.0, 40.0, 800.0), (1.5, 40.0, 800.25), (3.0, 50.0, 799.75)]


def assert_rows(record, rows=ROWS):
    time_s, output, values = np.array(rows).T
    assert record.time_s.tolist() == (time_s - time_s[0]).tolist()
    assert record.output.tolist() == output.tolist()
    assert record.process_value.tolist() == values.tolist()


@pytest.mark.parametrize(
    "heading",
    ["time,output,process value", "t,u,y", "Time (s), Output [%], Temperature [°C]", "time_s,output_pct,pv_c",
     "seconds,op,pv"],
)  # fmt: skip
def test_headings(file, heading):
    text = heading + "\n" + "".join(f"{a},{b},{c}\n" for a, b, c in ROWS)
    assert_rows(read(file(text)))


def test_other_columns_in_another_order(file):
    text = "tag,degC,valve,clock\n" + "".join(f"x,{c},{b},{a}\n" for a, b, c in ROWS)
    assert_rows(read(file(text), ["clock", "valve", "degC"]))
    with pytest.raises(RecordError, match=r"csv:1: no column for time: .*'tag', 'degC'.*--columns"):
        read(file(text))
    with pytest.raises(RecordError, match="no column for process value: expected 'temperature'"):
        read(file(text), ["clock", "valve", "temperature"])


def test_two_columns_that_might_be_it(file):
    with pytest.raises(RecordError, match="2 columns for process value"):
        read(file("time,output,pv,temperature\n0,1,2,3\n"))


def test_semicolons_decimal_commas_byte_order_mark_and_blank_lines(file):
    text = "\nTime;Output;PV\n" + "".join(f"{a};{b};{c}\n\n".replace(".", ",") for a, b, c in ROWS)
    assert_rows(read(file(text, encoding="utf-8-sig")))
    assert_rows(read(file("time\toutput\tpv\n" + "".join(f"{a}\t{b}\t{c}\n" for a, b, c in ROWS))))


def test_times_of_day(file):
    times = "2026-03-01T12:00:00", "2026-03-01 12:00:01.5", "2026-03-01T12:00:03"
    record = read(file("time,output,pv\n" + "".join(f"{time},40,800\n" for time in times)))
    assert record.time_s.tolist() == [0.0, 1.5, 3.0]
    zones = "2026-03-01T12:00:00Z,40,2\n2026-03-01T15:00:30+03:00,40,2\n"
    assert read(file("time,output,pv\n" + zones)).time_s.tolist() == [0.0, 30.0]


FAULTS = {
    "2.0,abc,800": r"csv:3: has output = 'abc', expected a finite number",
    "2.0,40": r"csv:3: has 2 cells where most rows have 3",
    "2.0,40,800,5": r"csv:3: has 4 cells where most rows have 3: a decimal comma",
    "noon,40,800": r"csv:3: has time = 'noon', expected a number as in the rows above",
    "1.0,40,800": r"csv:3: does not come after the row before but has the same time",
    "-5,40,800": r"csv:3: its time does not come after the row before, but 6 s before it: the clock was set",
}


@pytest.mark.parametrize("row", FAULTS)
def test_faulty_rows_are_told_by_line(file, row):
    text = f"time,output,pv\n1.0,40,800\n{row}\n3.0,40,800\n"
    with pytest.raises(RecordError, match=FAULTS[row]):
        read(file(text))


def test_all_faults_in_one_go_the_first_by_line(file):
    rows = "".join(f"{at},x,800\n" for at in range(9))
    with pytest.raises(RecordError) as error:
        read(file("time,output,pv\n" + rows))
    lines = str(error.value).splitlines()
    assert len(lines) == 6
    assert [line.split(":")[-2] for line in lines[:5]] == ["2", "3", "4", "5", "6"]
    assert lines[5].endswith("and 4 problems more")


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "the file is empty"), ("\n \n", "the file is empty"), ("time,output,pv\n1,2,3\n", "has 1 rows")],
)
def test_nothing_in_it(file, text, reason):
    with pytest.raises(RecordError, match=reason):
        read(file(text))


def test_no_file_and_no_text(tmp_path):
    with pytest.raises(RecordError, match="can't be read: No such file"):
        read(str(tmp_path / "none.csv"))
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RecordError, match="it is no UTF-16 text"):
        read(str(tmp_path / "b.csv"))


def test_window(file):
    record = read(file("t,u,y\n" + "".join(f"{100 + at},{at},{at}\n" for at in range(10))))
    part = record.window(2.0, 5.0)
    assert (part.time_s.tolist(), part.output.tolist()) == ([0.0, 1.0, 2.0, 3.0], [2.0, 3.0, 4.0, 5.0])
    assert record.window(None, None).time_s.tolist() == record.time_s.tolist()
    with pytest.raises(RecordError, match="fewer than two rows from 50 to inf s; the record lasts 9 s"):
        record.window(50.0, None)


def message(at_s, steam, air, oxygen=6.0):
    """Return a telemetry message in the form of edge.node.report.messages."""
    return json.dumps(
        {
            "v": 2,
            "t": 1_760_000_000_000 + int(1000 * at_s),
            "signals": {
                "steam": [steam, "good"] if steam is not None else [None, "bad", "wire"],
                "o2": [oxygen, "good"],
            },
            "outputs": {"primary_air": [air, "auto"], "secondary_air": [30.0, "auto"]},
            "loops": {
                "steam": [46.0, "steam", "primary_air", "auto"],
                "o2": [7.0, "o2", "secondary_air", "auto"],
                "air": [40.0, "output.primary_air", "secondary_air", "auto"],
            },
        }
    )


TELEMETRY = [message(0.0, 45.0, 60.0), message(1.0, None, 65.0), message(2.5, 45.5, 65.0)]


@pytest.mark.parametrize("topic", ["", "furnace/bishkek/line1/telemetry "])
def test_recorded_telemetry(file, topic):
    others = ["furnace/bishkek/line1/state online"] if topic else []
    others.append(topic.replace("telemetry", "event") + json.dumps({"v": 1, "t": 1, "kind": "alarm"}))
    lines = [topic + TELEMETRY[0], *others, *(topic + line for line in TELEMETRY[1:])]
    record = read(file("\n".join(lines), "run.jsonl"), loop="steam")
    assert record.time_s.tolist() == [0.0, 1.0, 2.5]
    assert record.output.tolist() == [60.0, 65.0, 65.0]
    assert record.process_value[[0, 2]].tolist() == [45.0, 45.5]
    assert math.isnan(record.process_value[1])
    assert record.notes == ("1 of 3 messages with a bad process value left out",)
    assert read(file("\n".join(lines), "run.jsonl"), loop="air").process_value.tolist() == [60.0, 65.0, 65.0]


def test_telemetry_of_a_node(file):
    """What a real node says in 20 s of virtual time."""
    lines = []

    def receive(topic, payload, retain):
        lines.append(f"{topic} {payload.decode()}")

    description, _ = describe(find("bishkek"))
    VirtualRun("bishkek", description, 1, receive).run_for(20.0)
    record = read(file("\n".join(lines), "run.txt"), loop="air_temperature")
    assert len(record.time_s) in (19, 20)
    assert np.median(np.diff(record.time_s)) == 1.0
    assert np.isfinite(record.process_value).sum() >= 15
    assert record.output.max() <= 100.0


def test_telemetry_before_version_2_has_no_mode_and_is_read_alike(file):
    old = [json.loads(line) for line in TELEMETRY]
    for one in old:
        one["v"] = 1
        one["loops"] = {name: loop[:3] for name, loop in one["loops"].items()}
    lines = "\n".join(json.dumps(one) for one in old)
    record = read(file(lines, "run.jsonl"), loop="steam")
    assert record.output.tolist() == [60.0, 65.0, 65.0]


def test_a_loop_that_moves_several_outputs_is_refused_with_its_line(file):
    split = json.loads(TELEMETRY[0])
    split["loops"]["steam"][2] = ""
    with pytest.raises(RecordError, match="run.jsonl:1: loop steam moves several outputs"):
        read(file(json.dumps(split), "run.jsonl"), loop="steam")


def test_what_is_wrong_with_telemetry(file):
    path = file("\n".join(TELEMETRY), "run.jsonl")
    with pytest.raises(RecordError, match="several loops; say one with --loop: air, o2, steam"):
        read(path)
    with pytest.raises(RecordError, match="no loop is named stem; there are: air, o2, steam"):
        read(path, loop="stem")
    with pytest.raises(RecordError, match="--loop is for recorded telemetry"):
        read(file("t,u,y\n0,1,2\n"), loop="steam")
    broken = [TELEMETRY[0], "{half a line", message(3.0, 46.0, None)]
    with pytest.raises(RecordError) as error:
        read(file("\n".join(broken), "run.jsonl"), loop="steam")
    lines = str(error.value).splitlines()
    assert "run.jsonl:2: is no JSON object" in lines[0]
    assert "run.jsonl:3: has no value of the output output.primary_air" in lines[1]
