"""The fixed headers in a stream of packets, however it is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.box.bounded_socket import Headers, PacketTooLong
from edge.node.report.connections.packets import PACKET_MAX, encode_length

LENGTHS = st.lists(st.one_of(st.integers(0, 300), st.sampled_from([16383, 16384, PACKET_MAX])), max_size=5)


def cut(stream: bytes, cuts: list) -> list:
    places = sorted({place % (len(stream) + 1) for place in cuts} | {0, len(stream)})
    return [stream[first:last] for first, last in zip(places, places[1:], strict=False)]


@given(LENGTHS, st.lists(st.integers(0, 1 << 20), max_size=8), st.integers(PACKET_MAX + 1, 268435455))
def test_packets_within_the_limit_pass_and_the_first_one_beyond_it_ends(lengths, cuts, beyond):
    stream = b"".join(b"\xff" + encode_length(length) + b"\xff" * length for length in lengths)
    headers = Headers()
    for piece in cut(stream, cuts):
        headers.follow(piece)
    with pytest.raises(PacketTooLong, match="expected at most 262144"):
        headers.follow(b"\x30" + encode_length(beyond))
