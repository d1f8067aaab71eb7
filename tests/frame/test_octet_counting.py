from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import FrameError
from audit.frame.octet_counting import Frame, OctetCountingDecoder, encode
from tests.properties import examples

LIMIT = 50
HEAD = 7


def decoder() -> OctetCountingDecoder:
    return OctetCountingDecoder(max_message_octets=LIMIT, kept_head_octets=HEAD)


def feed_in_parts(stream: bytes, cuts: list[int]) -> tuple[list[Frame], str]:
    """All frames and the fault, if any, with the stream cut at the places given."""
    cutter = decoder()
    frames: list[Frame] = []
    places = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    try:
        for start, end in pairwise(places):
            frames += cutter.feed(stream[start:end])
        frames += cutter.finish()
    except FrameError as error:
        return frames, str(error)
    return frames, ""


def expected(message: bytes) -> Frame:
    kept = message if len(message) <= LIMIT else message[:HEAD]
    return Frame(kept, len(message))


messages = st.lists(st.binary(min_size=1, max_size=2 * LIMIT), max_size=6)
cuts = st.lists(st.integers(0, 2000), max_size=12)


@given(messages, cuts)
@examples(30)
def test_any_split_of_whole_messages_gives_each_message(sent: list[bytes], at: list[int]) -> None:
    frames, fault = feed_in_parts(b"".join(map(encode, sent)), at)
    assert frames == [expected(message) for message in sent]
    assert not fault


@given(st.lists(st.one_of(st.binary(max_size=9).map(encode), st.binary(max_size=30))), cuts)
@examples(60)
def test_any_split_of_any_octets_gives_the_same(parts: list[bytes], at: list[int]) -> None:
    stream = b"".join(parts)
    assert feed_in_parts(stream, at) == feed_in_parts(stream, list(range(len(stream))))


def test_every_single_cut_of_three_messages() -> None:
    sent = [b"<85>1 a", b"x" * (LIMIT + 20), b"\n<84>1 b\n"]
    stream = b"".join(map(encode, sent))
    for cut in range(len(stream) + 1):
        frames, fault = feed_in_parts(stream, [cut])
        assert frames == [expected(message) for message in sent]
        assert not fault


def test_a_message_as_long_as_the_limit_is_whole() -> None:
    frames = decoder().feed(encode(b"x" * LIMIT))
    assert frames == [Frame(b"x" * LIMIT, LIMIT)]
    assert not frames[0].truncated


def test_a_longer_message_is_kept_as_head_and_the_stream_goes_on() -> None:
    cutter = decoder()
    frames = cutter.feed(encode(b"abcdefghij" * 100) + encode(b"next"))
    assert frames == [Frame(b"abcdefg", 1000), Frame(b"next", 4)]
    assert frames[0].truncated


def test_draining_holds_the_head_only() -> None:
    cutter = OctetCountingDecoder(max_message_octets=1000, kept_head_octets=100)
    cutter.feed(b"9000000 ")
    for _ in range(100):
        cutter.feed(b"x" * 5000)
        assert cutter.pending_octets <= 100
        assert cutter.wanted_octets <= 100
    assert cutter.inside_message


@pytest.mark.parametrize(
    "stream",
    [b"0 x", b"00012 x", b"01 x", b"-1 x", b"<85>1 x", b" 5 hello", b"5\nhello", b"99999999999 x",
     b"1" * 30, b"\x16\x03\x01", b"5x hello", b"\xef\xbb\xbf5 hello"],
)  # fmt: skip
def test_what_is_no_length_ends_the_stream(stream: bytes) -> None:
    with pytest.raises(FrameError, match=r"RFC 5425 4\.3"):
        decoder().feed(stream)


def test_frames_before_the_fault_are_handed_over_first() -> None:
    cutter = decoder()
    assert cutter.feed(b"2 ab0 x") == [Frame(b"ab", 2)]
    assert isinstance(cutter.fault, FrameError)
    with pytest.raises(FrameError):
        cutter.feed(b"2 ab")
    with pytest.raises(FrameError):
        cutter.finish()


@pytest.mark.parametrize(
    ("stream", "words"),
    [
        (b"12", "inside MSG-LEN"),
        (b"12 abc", "3 of 12"),
        (b"12 ", "0 of 12"),
        (b"60 " + b"x" * 40, "40 of 60"),
    ],
)
def test_a_stream_that_ends_inside_a_message(stream: bytes, words: str) -> None:
    cutter = decoder()
    assert not cutter.feed(stream)
    assert cutter.inside_message
    with pytest.raises(FrameError, match=words):
        cutter.finish()


def test_an_ended_stream_wants_nothing() -> None:
    cutter = decoder()
    cutter.feed(encode(b"ab"))
    assert cutter.finish() == []
    assert not cutter.inside_message
    assert cutter.wanted_octets == cutter.pending_octets == 0


def test_the_memory_wanted_is_known_from_the_length() -> None:
    cutter = decoder()
    cutter.feed(b"40 abc")
    assert cutter.wanted_octets == 40


@pytest.mark.parametrize(
    ("stream", "remainder"),
    [
        (b"", None),
        (b"4 good", None),
        (b"4 good10 half", Frame(b"half", 10)),
        (b"4 good100 " + b"x" * 30, Frame(b"xxxx", 100)),
        (b"4 good<85>1 no frame", Frame(b"<85>", 14)),
    ],
)
def test_what_came_of_a_broken_message_can_be_kept(stream: bytes, remainder: Frame | None) -> None:
    one = OctetCountingDecoder(max_message_octets=20, kept_head_octets=4)
    one.feed(stream)
    assert one.remainder == remainder
