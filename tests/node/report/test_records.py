"""Records come back as they were made, and what is none is refused with a reason."""

import math
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.box import micropython
from edge.node.report import records
from tests.parts import missing_part

SCRIPT = Path(__file__).with_name("records_script.py")

WORDS = st.integers(0, 2**32 - 1)
TIMES = st.integers(0, 2**53)
QUALITIES = st.integers(0, 2)
FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
VALUE = st.one_of(FLOATS, st.integers(-(2**63), 2**63 - 1), st.booleans(), st.none(), TEXTS)
VALUES = st.dictionaries(st.integers(0, records.INDEX_MAX), st.tuples(QUALITIES, VALUE), max_size=30).map(
    lambda found: [(index, *found[index]) for index in sorted(found)]
)
META = st.tuples(WORDS, WORDS, TIMES, TIMES, st.booleans())


def meta_of(thing) -> tuple:
    return thing.boot, thing.seq, thing.t_ms, thing.up_ms, thing.synced


@given(META, WORDS, VALUES)
def test_a_sample_comes_back(meta, number, values):
    record = records.encode_sample(*meta, number, values)
    sample = records.decode(record)
    assert sample.record_kind == records.SAMPLE
    assert (*meta_of(sample), sample.catalogue_number, sample.values) == (*meta, number, values)
    assert [type(value) for _, _, value in sample.values] == [type(value) for _, _, value in values]
    assert records.peek(record) == (records.SAMPLE, meta[0], meta[1], False)


@given(META, TEXTS, TEXTS, TEXTS, st.booleans())
def test_an_event_comes_back(meta, kind, name, text, alarm):
    record = records.encode_event(*meta, kind, name, text, alarm)
    event = records.decode(record)
    assert event.record_kind == records.EVENT
    assert meta_of(event) == meta
    assert (event.kind, event.name, event.text, event.alarm) == (kind, name, text, alarm)
    assert records.peek(record) == (records.EVENT, meta[0], meta[1], alarm)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_record_or_refused_with_a_reason(data):
    for head in (b"", b"\x01\x10", b"\x02\x13"):
        try:
            records.decode(head + data)
        except ValueError as error:
            assert str(error)


@given(META, WORDS, VALUES, st.data())
def test_a_damaged_sample_is_another_one_or_refused(meta, number, values, data):
    record = bytearray(records.encode_sample(*meta, number, values))
    for _ in range(data.draw(st.integers(1, 4))):
        record[data.draw(st.integers(0, len(record) - 1))] = data.draw(st.integers(0, 255))
    record = bytes(record[: data.draw(st.integers(0, len(record)))])
    try:
        sample = records.decode(record)
    except ValueError as error:
        assert str(error)
        return
    if sample.record_kind == records.SAMPLE:
        assert records.encode_sample(*meta_of(sample), sample.catalogue_number, sample.values) == record


def test_a_float_takes_six_bytes():
    one = len(records.encode_sample(1, 1, 0, 0, True, 1, [(0, 0, 1.5)]))
    forty = len(records.encode_sample(1, 1, 0, 0, True, 1, [(i, 0, 1.5) for i in range(40)]))
    assert forty - one == 39 * 6
    assert one - 6 == 32


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e39, -1e300, 2**63, -(2**63) - 1, 10**400])
def test_a_number_that_has_no_place_is_bad_rather_than_another(value):
    ((_, quality, told),) = records.decode(records.encode_sample(1, 1, 0, 0, True, 1, [(5, 0, value)])).values
    assert (quality, told) == (records.BAD, None)


def test_the_largest_float_stays_finite():
    ((_, quality, told),) = records.decode(
        records.encode_sample(1, 1, 0, 0, True, 1, [(5, 0, records.FLOAT_MAX)])
    ).values
    assert quality == 0 and told == struct.unpack(">f", b"\x7f\x7f\xff\xff")[0]


def test_texts_are_cut_between_characters():
    record = records.encode_event(1, 1, 0, 0, True, "k" * 300, "\u20ac" * 100, "\u00e4" * 600, False)
    event = records.decode(record)
    assert (event.kind, event.name, event.text) == ("k" * 255, "\u20ac" * 85, "\u00e4" * 512)
    record = records.encode_sample(1, 1, 0, 0, True, 1, [(0, 0, "\u20ac" * 100)])
    ((_, _, text),) = records.decode(record).values
    assert text == "\u20ac" * 85


def test_a_text_that_is_no_unicode_is_still_told():
    event = records.decode(records.encode_event(1, 1, 0, 0, True, "bus", "field", "gone: \udcff/x", True))
    assert event.text == "gone: ?/x"


@pytest.mark.parametrize(
    "values",
    [[(1, 0, 1.0), (1, 0, 1.0)], [(2, 0, 1.0), (1, 0, 1.0)], [(2048, 0, 1.0)], [(0, 3, 1.0)], [(0, 0, b"x")]],
)
def test_what_can_not_be_a_sample_is_not_written(values):
    with pytest.raises(ValueError, match="record: "):
        records.encode_sample(1, 1, 0, 0, True, 1, values)


def test_a_record_is_bounded():
    values = [(index, 0, "x" * 255) for index in range(300)]
    with pytest.raises(ValueError, match="at most 61440"):
        records.encode_sample(1, 1, 0, 0, True, 1, values)
    with pytest.raises(ValueError, match="bytes"):
        records.peek(bytes(records.RECORD_MAX + 1))


def test_a_time_out_of_this_world_is_unknown():
    event = records.decode(records.encode_event(1, 1, -5, -1, False, "k", "n", "", False))
    assert (event.t_ms, event.up_ms) == (0, 0)


def test_a_writer_starts_over():
    writer = records.SampleWriter(0)
    for rounds in (40, 3):
        writer.start()
        for index in range(rounds):
            writer.add(index, 0, f"text {index}")
        sample = records.decode(writer.finish(1, 2, 3, 4, False, 5))
        assert [value for _, _, value in sample.values] == [f"text {index}" for index in range(rounds)]
        assert writer.count == rounds


def test_both_runtimes_write_the_same_and_refuse_the_same():
    try:
        executable = micropython.executable()
    except FileNotFoundError as error:
        missing_part(str(error))
    said = []
    for command in ([sys.executable, str(SCRIPT)], [executable, str(SCRIPT)]):
        done = subprocess.run(
            [*command, "1", "3000"], env=micropython.environment(), capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        said.append(done.stdout)
    assert said[0] == said[1]
