"""audit.journal.entry_walk: the same entries, leaf hashes and refusals as one by one."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from audit.errors import IntegrityViolation
from audit.journal.entry import (
    DecodedEntry,
    Entry,
    EntryKind,
    Received,
    decode_body,
    decode_header,
    encode,
    removed_form,
)
from audit.journal.entry_walk import EntryWalk
from tests.journal.journals import certificate, received

FIRST = 7
SALT = bytes(range(16))
SHAPES = st.sampled_from(
    [
        received(2),
        received(3, octets=0),
        certificate(1),
        replace(received(5), kind=EntryKind.TRUNCATED, original_length=9_999),
        replace(received(6), attributes=((1, b"x"), (9, b""))),
        replace(received(7), listener="Türe", peer="ünd"),
        replace(received(8), flags=3),
    ]
)


def octets_of(records: list[Received], removed: frozenset[int] = frozenset()) -> bytes:
    parts = []
    for number, record in enumerate(records):
        whole = b"".join(encode(Entry(FIRST + number, SALT, record))[:2])
        if number in removed and record.kind is not EntryKind.CERTIFICATE:
            whole = removed_form(decode_body(whole, 0, decode_header(whole)))
        parts.append(whole)
    return b"".join(parts)


def one_by_one(octets: bytes) -> tuple[list[DecodedEntry], str]:
    found: list[DecodedEntry] = []
    place = 0
    while place < len(octets):
        try:
            decoded = decode_body(octets, place, decode_header(octets, place))
        except IntegrityViolation as error:
            return found, str(error)
        if decoded.entry.sequence != FIRST + len(found):
            return found, f"entry {decoded.entry.sequence} stands here"
        found.append(decoded)
        place = decoded.end
    return found, ""


def compare(octets: bytes) -> None:
    expected, problem = one_by_one(octets)
    walk = EntryWalk()
    for _ in range(2):  # the second time every sender is known
        walked = walk.walk(octets, 100, FIRST)
        assert walked.leaves == [one.leaf_hash for one in expected]
        assert walked.ends == [one.end + 100 for one in expected]
        times = [one.entry.received.received_at for one in expected]
        assert (walked.earliest, walked.latest) == (min(times, default=0), max(times, default=0))
        if "cut short" not in problem:
            assert walked.problem == problem
        assert walked.foreign == ("stands here" in walked.problem)
        special = [
            (number, one)
            for number, one in enumerate(expected)
            if one.entry.is_removed or one.entry.received.kind is not EntryKind.MESSAGE
        ]
        assert [number for number, _ in walked.special] == [number for number, _ in special]
        assert [one.entry for _, one in walked.special] == [one.entry for _, one in special]


@given(records=st.lists(SHAPES, max_size=5), removed=st.frozensets(st.integers(0, 4)))
def test_whole_entries(records: list[Received], removed: frozenset[int]) -> None:
    compare(octets_of(records, removed))


@given(
    records=st.lists(SHAPES, min_size=1, max_size=4),
    place=st.integers(0, 2_000),
    bit=st.integers(0, 7),
)
def test_a_flipped_bit(records: list[Received], place: int, bit: int) -> None:
    octets = bytearray(octets_of(records))
    octets[place % len(octets)] ^= 1 << bit
    compare(bytes(octets))


@given(records=st.lists(SHAPES, min_size=2, max_size=4), length=st.integers(1, 2_000))
def test_a_cut(records: list[Received], length: int) -> None:
    octets = octets_of(records)
    compare(octets[: length % len(octets)])


def test_it_tells_how_much_an_entry_needs() -> None:
    whole = octets_of([received(2)])
    walked = EntryWalk().walk(whole[:30], 0, FIRST)
    assert (walked.ends, walked.problem, walked.needed) == ([], "", len(whole))
    assert EntryWalk().walk(whole[:10], 0, FIRST).needed == 20


def test_every_octet_of_a_known_senders_entry_is_compared() -> None:
    """The quick way alone: the sender is known, so nothing but it looks at the entry."""
    whole = octets_of([received(2)])
    walk = EntryWalk()
    assert len(walk.walk(whole, 0, FIRST).ends) == 1
    for bit in range(len(whole) * 8):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        assert walk.walk(bytes(flipped), 0, FIRST).ends == []


def test_senders_are_forgotten_before_they_fill_the_memory() -> None:
    walk = EntryWalk()
    for number in range(20):
        record = replace(received(2), peer=f"192.0.2.{number}")
        assert len(walk.walk(octets_of([record]), 0, FIRST).ends) == 1
    assert len(walk._senders) == 20
    walk._remember_at_most = 3
    walk.walk(octets_of([replace(received(2), peer="198.51.100.1")]), 0, FIRST)
    assert len(walk._senders) == 1
