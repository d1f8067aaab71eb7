from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.frame.non_transparent import NonTransparentDecoder
from audit.frame.octet_counting import Frame
from tests.properties import examples

LIMIT = 40
HEAD = 6


def feed_in_parts(stream: bytes, cuts: list[int]) -> list[Frame]:
    cutter = NonTransparentDecoder(max_message_octets=LIMIT, kept_head_octets=HEAD)
    frames: list[Frame] = []
    places = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    for start, end in pairwise(places):
        frames += cutter.feed(stream[start:end])
    return frames + cutter.finish()


bodies = st.text(alphabet="ab\n\r <>/9", max_size=60).map(str.encode)
messages = st.builds(
    lambda priority, body: b"<%d>%b" % (priority, body.replace(b"<9", b"<a").strip()),
    st.integers(0, 191),
    bodies,
)
cuts = st.lists(st.integers(0, 3000), max_size=12)
trailers = st.sampled_from([b"\n", b"\r\n", b"\x00", b"\x00\n"])


@given(st.lists(messages, max_size=6), trailers, cuts)
@examples(40)
def test_any_split_gives_each_message(sent: list[bytes], trailer: bytes, at: list[int]) -> None:
    frames = feed_in_parts(b"".join(message + trailer for message in sent), at)
    assert frames == [
        Frame(message if len(message) <= LIMIT else message[:HEAD], len(message))
        for message in sent
    ]


@given(st.binary(max_size=300) | st.text(alphabet="<85>\n\r\0x").map(str.encode), cuts)
@examples(60)
def test_any_split_of_any_octets_gives_the_same(stream: bytes, at: list[int]) -> None:
    whole = feed_in_parts(stream, [])
    assert feed_in_parts(stream, at) == whole
    assert feed_in_parts(stream, list(range(len(stream)))) == whole


def test_line_feeds_inside_xml_do_not_end_a_message() -> None:
    message = b"<85>1 - - - - - - <a>\n  <b/>\n</a>"
    cutter = NonTransparentDecoder()
    assert cutter.feed(message + b"\n" + message + b"\n") == [Frame(message, len(message))]
    assert cutter.finish() == [Frame(message, len(message))]


def test_a_silent_peer_s_last_message_is_flushed_only_behind_a_trailer() -> None:
    cutter = NonTransparentDecoder()
    cutter.feed(b"<85>1 half")
    assert cutter.flush() == []
    cutter.feed(b" a message\n")
    assert cutter.flush() == [Frame(b"<85>1 half a message", 20)]
    assert not cutter.inside_message


@pytest.mark.parametrize("size", [LIMIT + 1, 500, 5000])
def test_a_long_message_is_kept_as_head(size: int) -> None:
    cutter = NonTransparentDecoder(max_message_octets=LIMIT, kept_head_octets=HEAD)
    long = b"<85>" + b"x" * (size - 4)
    for start in range(0, size, 10):
        assert not cutter.feed(long[start : start + 10])
        assert cutter.pending_octets <= LIMIT + HEAD + 20
    assert cutter.inside_message
    assert cutter.feed(b"\n<84>next") == [Frame(b"<85>xx", size)]
    assert cutter.finish() == [Frame(b"<84>next", 8)]


def test_a_message_wants_all_the_memory_once_it_is_large() -> None:
    cutter = NonTransparentDecoder(max_message_octets=1000, kept_head_octets=10)
    cutter.feed(b"<85>12345")
    assert cutter.wanted_octets == 9
    cutter.feed(b"6789012345")
    assert cutter.wanted_octets == 1000


def test_what_came_of_a_message_without_end_can_be_kept() -> None:
    one = NonTransparentDecoder(max_message_octets=20, kept_head_octets=4)
    nothing = one.remainder
    assert nothing is None
    one.feed(b"<85>1 a\n<85>1 b")
    assert one.remainder == Frame(b"<85>", 7)
    one.feed(b"x" * 40)
    assert one.remainder == Frame(b"<85>", 47)
