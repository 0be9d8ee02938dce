"""furnace-edge check: what it prints, its exit codes, and its figures of the line."""

import argparse
import json

import pytest

from edge.box import check
from edge.box.config import load
from edge.node import description as board
from edge.node.bus import modbus
from edge.node.bus.master import Master
from tests.box.config.edits import PATH, REFERENCE, key_line, put


def run_here(*arguments) -> int:
    parser = argparse.ArgumentParser()
    check.add_arguments(parser)
    return check.run(parser.parse_args([str(argument) for argument in arguments]))


def run(*arguments) -> int:
    """Of a file for another machine, whose port need not be on this one."""
    return run_here("--elsewhere", *arguments)


@pytest.fixture
def wrong(tmp_path):
    path = tmp_path / "wrong.toml"
    path.write_text(put(put(REFERENCE, "node", "tick_ms", "1"), "loop.steam", "pv", '"steem"'))
    return path


def test_a_right_file(capsys):
    assert run(PATH) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith(f"{PATH}: OK\n")
    assert "bishkek/line1, tick 250 ms (4 Hz)" in out
    assert "primary_air 25 %, secondary_air holds, id_fan 70 %, feeder 0 %" in out
    assert "field: /dev/ttyUSB0 38400 8N1, 9 devices, busy " in out


def test_a_packaged_file_by_its_name(capsys):
    assert run("bishkek") == 0
    assert "bishkek.toml: OK" in capsys.readouterr().out


def test_a_wrong_file(wrong, capsys):
    assert run(wrong) == 2
    out, err = capsys.readouterr()
    assert out == ""
    first, second, last = err.splitlines()
    text = wrong.read_text()
    assert first.startswith(f"{wrong}:{key_line(text, 'node', 'tick_ms')}: node has tick_ms = 1, expected")
    assert second.startswith(f"{wrong}:{key_line(text, 'loop.steam', 'pv')}: loop steam reads signal 'steem'")
    assert last == "2 problems: no node starts from this file"


def test_a_port_that_is_not_there_is_a_warning_of_its_line_as_the_node_may_run_elsewhere(tmp_path, capsys):
    path = tmp_path / "line1.toml"
    path.write_text(put(REFERENCE, "bus.field", "port", '"/dev/ttyNOWHERE"'))
    assert run_here(path) == 0
    line = key_line(path.read_text(), "bus.field", "port")
    out, err = capsys.readouterr()
    assert f"{path}:{line}: warning: port /dev/ttyNOWHERE does not exist" in err
    assert f"{path}: OK" in out
    assert run(path) == 0
    assert "ttyNOWHERE does not exist" not in capsys.readouterr().err


def test_no_file_and_no_toml(tmp_path, capsys):
    assert run(tmp_path / "none.toml") == 2
    assert f"{tmp_path / 'none.toml'}:1: the file can't be read: No such file" in capsys.readouterr().err
    path = tmp_path / "x.toml"
    path.write_text("schema = 2\n[node\n")
    assert run(path) == 2
    assert f"{path}:2: this is not TOML: " in capsys.readouterr().err


def test_json_of_a_right_file(capsys):
    assert run(PATH, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["ok"] is True and found["problems"] == [] and found["warnings"] == []
    assert found["summary"]["outputs"]["secondary_air"] == "hold"
    assert found["summary"]["loops"]["steam"] == "output.primary_air"


def test_json_of_a_wrong_file(wrong, capsys):
    assert run(wrong, "--json") == 2
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert err == "" and found["ok"] is False and found["file"] == str(wrong) and "summary" not in found
    assert found["problems"][0]["line"] == key_line(wrong.read_text(), "node", "tick_ms")


def test_write(tmp_path, capsys):
    path = tmp_path / "node.json"
    assert run(PATH, "--write", path) == 0
    assert f"written: {path}" in capsys.readouterr().out
    assert board.load(str(path)) == load(PATH)


def test_nothing_is_written_from_a_wrong_file(wrong, tmp_path):
    path = tmp_path / "node.json"
    assert run(wrong, "--write", path) == 2
    assert not path.exists()


def test_a_place_that_can_not_be_written(tmp_path, capsys):
    assert run(PATH, "--write", tmp_path / "none" / "node.json") == 1
    assert "can't be written: No such file or directory" in capsys.readouterr().err


def test_time_of_one_exchange():
    # Read 8 registers at 9600 baud: 8 characters out, 5 + 16 back, twice 3.5 characters of silence.
    request = modbus.read_request(1, modbus.READ_INPUT_REGISTERS, 0, 8)
    master = Master(9600, 100)
    exact_us = (29 + 7) * 11 * 1e6 / 9600
    assert check.exchange_us(master, request) == pytest.approx(exact_us, rel=0.001)


def test_load_of_the_line():
    bus = check.summarise(load(PATH))["buses"]["field"]
    char_us, silence_us = 287, 1750  # 11 bits at 38400 bit/s, rounded up

    def share(characters, period_ms, count=1):
        return count * 0.1 * (characters * char_us + 2 * silence_us) / period_ms

    # Eight inputs, four words of O2; the M-7024's four read-backs and one coil; two words of each drive.
    reading = share(8 + 21, 250) + share(8 + 13, 500)
    reading += share(8 + 13, 1000) + share(8 + 6, 1000) + share(8 + 9, 1000, 5)
    # The leases: the M-7024's enabling coil, two parameters of each drive.
    reading += share(8 + 6, 5000) + share(8 + 9, 5000, 5)
    # The burner control: 13 words, and the command that it holds.
    reading += share(8 + 5 + 26, 1000) + share(8 + 7, 1000)
    # FC 16 of two registers: 13 characters out, 8 back; the M-7024 and five drives.
    writing = share(13 + 8, 250, 6) + share(8 + 8, 250)
    assert bus["reading_pct"] == pytest.approx(reading, abs=0.06)
    assert bus["writing_pct"] == pytest.approx(writing, abs=0.06)


def test_a_full_line_is_warned_of(tmp_path, capsys):
    path = tmp_path / "slow.toml"
    path.write_text(put(REFERENCE, "bus.field", "baud", "9600"))
    assert run(path) == 0
    err = capsys.readouterr().err
    assert "warning: bus field is busy for " in err
    assert run(path, "--json") == 0
    assert len(json.loads(capsys.readouterr().out)["warnings"]) == 1


def test_a_line_that_can_not_even_be_read_is_refused(tmp_path, capsys):
    path = tmp_path / "slow.toml"
    path.write_text(put(put(REFERENCE, "bus.field", "baud", "1200"), "device.roof", "period_ms", "50"))
    assert run(path) == 2
    err = capsys.readouterr().err
    line = path.read_text().splitlines().index("[bus.field]") + 1
    assert err.startswith(f"{path}:{line}: bus field is busy for ")
    assert "with reading alone" in err and "no node starts" in err
