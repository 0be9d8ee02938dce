"""Line numbers of TOML: every path that tomllib returns has a line, and that line shows its key."""

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.box.config.lines import find_lines


def paths(value, path=()):
    """The paths of all keys and elements below a parsed value."""
    if isinstance(value, dict):
        children = value.items()
    else:
        children = enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield path + (key,)
        yield from paths(child, path + (key,))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = 1\nb = 2", {("a",): 1, ("b",): 2}),
        ("# a = 0\n\n  a = 1 # b = 2\n", {("a",): 3}),
        ("[t]\n[t.u]\nx = 1", {("t",): 1, ("t", "u"): 2, ("t", "u", "x"): 3}),
        ("[t.u]\nx = 1\n[t]\ny = 2", {("t",): 3, ("t", "u"): 1, ("t", "u", "x"): 2, ("t", "y"): 4}),
        ("a.b.c = 1\na.d = 2", {("a",): 1, ("a", "b"): 1, ("a", "b", "c"): 1, ("a", "d"): 2}),
        ('"a.b" . \'c\' = 1', {("a.b",): 1, ("a.b", "c"): 1}),
        ('"\\u0061\\n" = 1\nb = 2', {("a\n",): 1, ("b",): 2}),
        ("a = [\n 1, # one ]\n [2,\n 3],\n]\nb = 4", {("a", 1, 1): 4, ("b",): 6}),
        ("a = {b = 1, c = {d = [1, 2]}}\ne = 1", {("a", "c", "d", 1): 1, ("e",): 2}),
        ('a = """\nb = 1\n[c]"""\nd = 2', {("d",): 4}),
        ('a = """x""""\nb = 1', {("b",): 2}),
        ('a = """"x"""""\nb = 1', {("b",): 2}),
        ('a = """\\"""\n"""\nb = 1', {("b",): 3}),
        ("a = '''\n''x'''''\nb = 1", {("b",): 3}),
        ('a = ""\nb = \'\'\nc = "\\\\"\nd = 1', {("d",): 4}),
        ('a = "]#}"\nb = 1', {("b",): 2}),
        ("a = 1979-05-27 07:32:00Z # later\nb = 1", {("b",): 2}),
        ("[[p]]\nx = 1\n[p.q]\ny = 1\n[[p]]\nx = 2\n[[p.r]]\nz = 1", {
            ("p", 0, "x"): 2, ("p", 0, "q"): 3, ("p", 0, "q", "y"): 4, ("p", 1): 5, ("p", 1, "x"): 6,
            ("p", 1, "r", 0): 7, ("p", 1, "r", 0, "z"): 8,
        }),
        ("a = 1\r\nb = 2\r\n", {("b",): 2}),
        ("", {}),
    ],
)  # fmt: skip
def test_lines_of(text, expected):
    lines = find_lines(text)
    assert {path: lines[path] for path in expected} == expected
    assert set(paths(tomllib.loads(text))) <= set(lines)


def test_a_shape_that_is_no_toml_is_refused():
    with pytest.raises(ValueError, match="line 2"):
        find_lines("a = 1\n= 2")


# Documents that tomllib accepts, with unique keys so that a line can't show the right key by accident.

BLANKS = st.sampled_from(["", " ", "\t", "  "])
COMMENTS = st.sampled_from(["", " # [x] = \"'", "#", ' # """ k1 = 2'])
GAPS = st.sampled_from(["", " ", "\n", " # ]}\n", "\n\n\t"])
SCALARS = st.sampled_from(
    [
        "1", "-0.5e3", "true", "inf", "0x1F", "1979-05-27 07:32:00", "07:32:00", '""', "''", '"a = 1 # ]"',
        "'[t]'", '"\\"\\\\"', '"""\n[t]\nk0 = 1\n"""', '"""a"""""', '"""\\\n  b\\""""""',
        "'''\n#''x'''''", "''''a'''",
    ]
)  # fmt: skip


class Keys:
    """Counts keys, and remembers how each is spelt."""

    def __init__(self):
        self.spelling = {}

    def new(self, draw) -> str:
        name = f"k{len(self.spelling)}_"
        form = draw(st.integers(0, 4))
        if form == 1:
            spelt, key = f'"{name}.x = # "', f"{name}.x = # "
        elif form == 2:
            spelt, key = f"'{name}\"['", f'{name}"['
        elif form == 3:
            spelt, key = f'"{name}\\u00e9\\\\"', f"{name}é\\"
        else:
            spelt = key = name
        self.spelling[key] = spelt
        return spelt


def _value(draw, keys, depth):
    form = draw(st.integers(0, 4)) if depth < 3 else 0
    if form == 3:
        count = draw(st.integers(0, 3))
        elements = [draw(GAPS) + _value(draw, keys, depth + 1) + draw(GAPS) for _ in range(count)]
        comma = draw(st.sampled_from(["", ","])) if elements else ""
        return "[" + ",".join(elements) + comma + draw(GAPS) + "]"
    if form == 4:
        pairs = [_pair(draw, keys, depth + 1) for _ in range(draw(st.integers(0, 3)))]
        return "{" + draw(BLANKS) + ", ".join(pairs) + draw(BLANKS) + "}"
    return draw(SCALARS)


def _pair(draw, keys, depth):
    dotted = [keys.new(draw) for _ in range(draw(st.integers(1, 3)))]
    key = (draw(BLANKS) + "." + draw(BLANKS)).join(dotted)
    return f"{key}{draw(BLANKS)}={draw(BLANKS)}{_value(draw, keys, depth)}"


@st.composite
def documents(draw):
    """(text, key -> spelling) of a TOML document."""
    keys = Keys()
    rows = []
    arrays = []
    for i in range(draw(st.integers(0, 5))):
        if i:
            form = draw(st.integers(0, 3))
            if form == 3 and arrays:
                path, form = draw(st.sampled_from(arrays)), 2
            else:
                path = ".".join(keys.new(draw) for _ in range(draw(st.integers(1, 3))))
                if form == 1 and arrays:
                    path = draw(st.sampled_from(arrays)) + "." + path
                elif form == 2:
                    arrays.append(path)
            rows.append(draw(BLANKS) + (f"[[{path}]]" if form == 2 else f"[ {path} ]") + draw(COMMENTS))
        for _ in range(draw(st.integers(0, 4))):
            rows.append(draw(st.sampled_from(["", "# k0_ = 1", "\t"])))
            rows.append(draw(BLANKS) + _pair(draw, keys, 0) + draw(COMMENTS))
    return draw(st.sampled_from(["\n", "\r\n"])).join(rows), keys.spelling


@settings(max_examples=300, deadline=None)
@given(documents())
def test_every_path_has_a_line_that_shows_its_key(document):
    text, spelling = document
    parsed = tomllib.loads(text)
    lines = find_lines(text)
    rows = text.replace("\r\n", "\n").split("\n")
    found = set(paths(parsed))
    for path in found:
        assert path in lines
        if isinstance(path[-1], str):
            assert spelling[path[-1]] in rows[lines[path] - 1]
    # Nothing is invented either.
    assert set(lines) == found | {()}
