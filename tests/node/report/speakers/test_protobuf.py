"""The encoder and decoder of Sparkplug's payload against Google's protobuf, and against hostile bytes."""

import math
import random
import struct

import pytest
from google.protobuf.message import DecodeError
from hypothesis import example, given
from hypothesis import strategies as st

from edge.node.report.speakers import protobuf as pb
from tests.node.report.speakers.sparkplug_b import Payload, properties, read

TIMES = st.integers(0, 2**53)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
FLOATS = st.floats(width=32)


@given(st.integers(0, 2**64 - 1))
def test_varint_is_read_by_google(number):
    assert Payload.FromString(b"\x08" + pb.varint(number)).timestamp == number


@given(TIMES, st.integers(-1, 255), TEXTS, st.integers(0, 70000), FLOATS, st.integers(-(2**63), 2**63 - 1),
       st.booleans(), TEXTS)
def test_every_kind_of_metric_is_as_google_writes_it(t_ms, seq, name, alias, real, whole, flag, text):
    bodies = [
        pb.name(name) + pb.alias(alias) + pb.timestamp(t_ms) + pb.datatype(pb.FLOAT)
        + pb.properties([("engUnit", pb.text_property(text)), ("Quality", pb.int_property(500))])
        + pb.float_value(real),
        pb.alias(alias) + pb.timestamp(t_ms) + pb.HISTORICAL + pb.integer_value(whole),
        pb.alias(alias) + pb.timestamp(t_ms) + pb.datatype(pb.BOOLEAN) + pb.boolean_value(flag),
        pb.alias(alias) + pb.timestamp(t_ms) + pb.string_value(text),
        pb.alias(alias) + pb.timestamp(t_ms) + pb.NULL,
    ]
    data = pb.payload(t_ms, [pb.metric(body) for body in bodies], seq)
    theirs = read(data)
    assert theirs.timestamp == t_ms
    assert theirs.HasField("seq") == (seq >= 0)
    first, second, third, fourth, fifth = theirs.metrics
    assert (first.name, first.alias, first.timestamp, first.datatype) == (name, alias, t_ms, 9)
    assert first.float_value == real or math.isnan(real)
    assert properties(first) == {"engUnit": (12, text), "Quality": (3, 500)}
    assert second.is_historical and second.long_value == whole % 2**64
    assert third.boolean_value is flag and third.datatype == 11
    assert fourth.string_value == text and not fourth.HasField("name")
    assert fifth.is_null and fifth.WhichOneof("value") is None
    # And our own decoder reads it back.
    ours = pb.decode(data)
    assert (ours.timestamp, ours.seq) == (t_ms, seq if seq >= 0 else None)
    assert ours.metrics[0].name == name
    assert ours.metrics[0].value == real or math.isnan(real)
    assert ours.metrics[1].value == whole % 2**64 and ours.metrics[1].is_historical
    assert ours.metrics[2].value is flag
    assert ours.metrics[3].value == text
    assert ours.metrics[4].value is None and ours.metrics[4].is_null


def same(ours, theirs):
    """Whether both decoders understood the same."""
    assert ours.timestamp == (theirs.timestamp if theirs.HasField("timestamp") else None)
    assert ours.seq == (theirs.seq if theirs.HasField("seq") else None)
    assert len(ours.metrics) == len(theirs.metrics)
    for mine, other in zip(ours.metrics, theirs.metrics, strict=True):
        for field in ("name", "alias", "timestamp", "datatype"):
            assert getattr(mine, field) == (getattr(other, field) if other.HasField(field) else None)
        assert (mine.is_historical, mine.is_null) == (other.is_historical, other.is_null)
        which = other.WhichOneof("value")
        expected = getattr(other, which) if which else None
        if isinstance(expected, float):
            assert struct.pack("<d", mine.value) == struct.pack("<d", expected) or math.isnan(expected)
        else:
            assert mine.value == expected and type(mine.value) is type(expected)


def random_payload(generator) -> bytes:
    """A payload by Google's hand, with everything that a host may put into one."""
    payload = Payload()
    if generator.random() < 0.9:
        payload.timestamp = generator.getrandbits(48)
    if generator.random() < 0.5:
        payload.seq = generator.getrandbits(8)
    if generator.random() < 0.2:
        payload.uuid, payload.body = "u", b"\x00\xff"
    for _ in range(generator.randrange(5)):
        metric = payload.metrics.add()
        if generator.random() < 0.7:
            metric.name = f"Node Control/Ä{generator.randrange(100)}"
        if generator.random() < 0.7:
            metric.alias = generator.getrandbits(generator.choice([3, 16, 64]))
        if generator.random() < 0.7:
            metric.timestamp = generator.getrandbits(48)
        if generator.random() < 0.7:
            metric.datatype = generator.randrange(35)
        metric.is_null = generator.random() < 0.2
        metric.is_transient = generator.random() < 0.2
        if generator.random() < 0.3:
            metric.properties.keys.append("Quality")
            metric.properties.values.add(type=3, int_value=192)
        kind = generator.choice(["int_value", "long_value", "float_value", "double_value", "boolean_value",
                                 "string_value", "bytes_value", None])
        if kind in ("int_value", "long_value"):
            setattr(metric, kind, generator.getrandbits(32 if kind == "int_value" else 64))
        elif kind in ("float_value", "double_value"):
            setattr(metric, kind, generator.gauss(0, 1000))
        elif kind == "boolean_value":
            metric.boolean_value = generator.random() < 0.5
        elif kind == "string_value":
            metric.string_value = "text ü"
        elif kind == "bytes_value":
            metric.bytes_value = b"\x00\x80"
    return payload.SerializeToString()


def test_what_google_writes_is_read():
    generator = random.Random(5)
    for _ in range(500):
        data = random_payload(generator)
        same(pb.decode(data), Payload.FromString(data))


def mutate(generator, data: bytes) -> bytes:
    data = bytearray(data)
    for _ in range(generator.randrange(1, 4)):
        at = generator.randrange(len(data) + 1)
        what = generator.randrange(4)
        if what == 0:
            data[at:at + 1] = bytes([generator.getrandbits(8)])
        elif what == 1:
            del data[at:at + generator.randrange(1, 5)]
        elif what == 2:
            data[at:at] = generator.randbytes(generator.randrange(1, 5))
        else:
            data = data[:at]
    return bytes(data)


def test_damaged_payloads_are_understood_as_google_does_or_refused():
    generator = random.Random(7)
    understood = 0
    for _ in range(4000):
        data = mutate(generator, random_payload(generator))
        try:
            ours = pb.decode(data)
        except ValueError:
            continue
        try:
            theirs = Payload.FromString(data)
        except (DecodeError, ValueError):
            # Google also looks into what is skipped here (properties, uuid), where a fault may be.
            continue
        understood += 1
        # A text that is no UTF-8 inside of a skipped field, or a field of another wire type, is all the same.
        same(ours, theirs)
    assert understood > 300


@given(st.binary(max_size=300))
@example(b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")
@example(b"\x12" * 200)
@example(b"\x08" + b"\xff" * 20)
@example(b"\x0b\x0c")
@example(b"\x12\x03\x0a\x01\xff")
@example(b"\x12\x02\x65\x00")
@example(b"\x00\x00")
def test_any_bytes_are_a_payload_or_a_value_error(data):
    try:
        pb.decode(data)
    except ValueError:
        pass


@pytest.mark.parametrize(("data", "why"), [
    (bytes(pb.PAYLOAD_MAX + 1), "payload of 65537 bytes"),
    (b"\x12\x00" * (pb.METRICS_MAX + 1), "more than 512 metrics"),
    (b"\x08", "does not end"),
    (b"\x08" + b"\x80" * 11, "does not end"),
    (b"\x12\x05\x08", "field 2 has 1 bytes of 5"),
    (b"\x00\x00", "field 0"),
    (b"\x0b", "wire type 3"),
    (b"\x12\x03\x0a\x01\xff", "utf-8"),
])
def test_refusal_says_why(data, why):
    with pytest.raises(ValueError, match=why):
        pb.decode(data)
