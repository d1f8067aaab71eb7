"""audit.journal.segment"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import IntegrityViolation
from audit.journal import segment
from audit.journal.segment import (
    MAX_KNOWN_CERTIFICATES,
    KnownCertificates,
    SegmentFoot,
    SegmentHead,
    decode_foot,
    decode_head,
    encode_foot,
    encode_head,
    foot_length,
    head_length,
)
from tests.properties import examples

HASH = st.binary(min_size=32, max_size=32)
U64 = st.integers(0, 2**64 - 1)


@st.composite
def heads(draw: st.DrawFn) -> SegmentHead:
    first = draw(U64)
    return SegmentHead(
        first_sequence=first,
        created_at=draw(U64),
        origin=draw(st.from_regex(r"[a-z0-9]{4,16}", fullmatch=True)),
        peaks=tuple(draw(st.lists(HASH, min_size=first.bit_count(), max_size=first.bit_count()))),
        certificates=tuple(draw(st.lists(st.tuples(HASH, U64), max_size=4))),
    )


FEET = st.builds(
    SegmentFoot,
    offsets=st.lists(U64, max_size=6).map(tuple),
    earliest=U64,
    latest=U64,
    root=HASH,
)


@given(heads(), st.binary(max_size=20))
@examples(20)
def test_head_round_trip(head: SegmentHead, after: bytes) -> None:
    octets = encode_head(head)
    assert decode_head(octets + after) == head
    assert head_length(octets + after) == len(octets)


@given(FEET)
@examples(20)
def test_foot_round_trip(foot: SegmentFoot) -> None:
    octets = encode_foot(foot)
    assert decode_foot(octets) == foot
    assert foot_length(b"before" + octets) == len(octets)


def test_every_flipped_bit_is_refused() -> None:
    head = SegmentHead(
        first_sequence=5,
        created_at=9,
        origin="k3f9x2ab",
        peaks=(b"a" * 32, b"b" * 32),
        certificates=((b"c" * 32, 3),),
    )
    foot = SegmentFoot(offsets=(1, 2), earliest=1, latest=2, root=b"r" * 32)
    for octets, decode in ((encode_head(head), decode_head), (encode_foot(foot), decode_foot)):
        for bit in range(len(octets) * 8):
            flipped = bytearray(octets)
            flipped[bit // 8] ^= 1 << bit % 8
            with pytest.raises(IntegrityViolation):
                decode(flipped)
        for length in range(len(octets)):
            with pytest.raises(IntegrityViolation):
                decode(octets[:length])


def test_a_head_with_a_right_checksum_may_still_contradict_itself() -> None:
    wrong_peaks = SegmentHead(first_sequence=3, created_at=0, origin="abcd", peaks=(b"a" * 32,))
    wrong_origin = SegmentHead(first_sequence=0, created_at=0, origin="ABCD")
    for head in (wrong_peaks, wrong_origin):
        with pytest.raises(IntegrityViolation, match="contradicts"):
            decode_head(encode_head(head))


def test_no_foot() -> None:
    assert foot_length(b"short") is None
    assert foot_length(b"something else") is None


def test_the_newest_certificates_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment, "MAX_KNOWN_CERTIFICATES", 3)
    known = KnownCertificates()
    for sequence, fingerprint in enumerate(b"abcad"):
        known.add(bytes([fingerprint]), sequence)
    assert known.pairs() == ((b"c", 2), (b"a", 3), (b"d", 4))
    assert b"b" not in known
    assert known.sequence(b"a") == 3
    assert known.sequence(b"b") is None


def test_a_head_with_all_it_may_name_is_not_too_long() -> None:
    head = SegmentHead(
        first_sequence=2**64 - 1,
        created_at=0,
        origin="a" * 16,
        peaks=(b"p" * 32,) * 64,
        certificates=((b"c" * 32, 1),) * MAX_KNOWN_CERTIFICATES,
    )
    assert decode_head(encode_head(head)) == head
