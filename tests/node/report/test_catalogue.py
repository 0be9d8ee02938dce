"""The list of what is reported: the same number for the same list, and nothing else is taken for one."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.node.report import catalogue
from edge.node.report.catalogue import BOOLEAN, FLOAT, TEXT, Catalogue, Metric, from_json

METRICS = [
    Metric("steam", "t/h", FLOAT, "roof", 0.06, 60000, False, 0.0, 60.0),
    Metric("output.feeder.state", type=TEXT, device="feeder"),
    Metric("trip.high", type=BOOLEAN),
    Metric("loop.steam.set_point", "t/h", writable=True, low=25, high=50),
]


def rows() -> list:
    return json.loads(Catalogue(METRICS, "bishkek", "line1").to_json())


def test_a_catalogue_comes_back():
    made = Catalogue(METRICS, "bishkek", "line1")
    read = from_json(made.to_json())
    assert (read.site, read.node, read.number) == ("bishkek", "line1", made.number)
    assert read.to_json() == made.to_json()
    assert [vars(metric) for metric in read.metrics] == [vars(metric) for metric in METRICS]
    assert read.index("trip.high") == 2 and read.index("nobody") == -1


def test_the_number_is_that_of_the_bytes():
    made = Catalogue(METRICS, "bishkek", "line1")
    assert 0 <= made.number < 2**32
    assert made.number == Catalogue(METRICS, "bishkek", "line1").number
    assert made.number != Catalogue(METRICS, "bishkek", "line2").number
    # Another runtime may write its numbers in another way: its bytes are kept.
    spaced = made.to_json().replace(b", ", b",   ")
    assert from_json(spaced).number != made.number
    assert from_json(spaced).to_json() == spaced


def test_names_come_once():
    with pytest.raises(ValueError, match="'trip.high' comes twice"):
        Catalogue([METRICS[2], METRICS[2]], "s", "n")


def test_an_index_has_eleven_bits():
    metrics = [Metric(f"m{number}") for number in range(catalogue.METRICS_MAX + 1)]
    assert len(Catalogue(metrics[:-1], "s", "n").metrics) == 2048
    with pytest.raises(ValueError, match="2049 metrics"):
        Catalogue(metrics, "s", "n")


def changed(place, value) -> bytes:
    made = rows()
    if isinstance(place, tuple):
        made[3][place[0]][place[1]] = value
    else:
        made[place] = value
    return json.dumps(made).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\xff", b"1", b"null", b"{}", b"[]", b'"text"', b"[" * 5000,
        changed(0, 2), changed(0, True), changed(0, "1"), changed(1, 3), changed(2, None), changed(3, {}),
        changed(3, 7), changed(3, [[1]]), changed(3, ["abcdefghi"]), changed((0, 0), ""), changed((0, 0), 1),
        changed((1, 0), "steam"), changed((0, 1), None), changed((0, 2), 5), changed((0, 2), True),
        changed((0, 2), 1.0), changed((0, 3), 1), changed((0, 4), -1), changed((0, 4), "x"),
        changed((0, 4), float("inf")), changed((0, 4), float("nan")), changed((0, 5), 1.5),
        changed((0, 5), -1), changed((0, 6), 1), changed((0, 7), "low"), changed((0, 8), [1]),
    ],
)  # fmt: skip
def test_what_is_no_catalogue(data):
    with pytest.raises(ValueError, match="catalogue: "):
        from_json(data)


def test_a_catalogue_is_bounded():
    with pytest.raises(ValueError, match="at most"):
        from_json(b" " * catalogue.JSON_MAX + b"[]")


JSON = st.none() | st.booleans() | st.floats() | st.integers() | st.text()


@given(st.recursive(JSON, st.lists, max_leaves=30))
def test_any_json_is_a_catalogue_or_refused(content):
    try:
        from_json(json.dumps([1, "s", "n", content]).encode())
    except ValueError as error:
        assert str(error).startswith("catalogue: ")
