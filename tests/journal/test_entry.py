"""audit.journal.entry"""

import struct
import zlib
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import IntegrityViolation
from audit.journal.entry import (
    HEADER_OCTETS,
    MAX_PEER_OCTETS,
    Entry,
    EntryKind,
    Received,
    decode,
    decode_header,
    encode,
)
from tests.journal.journals import received
from tests.properties import examples

U64 = st.integers(0, 2**64 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=16)
ATTRIBUTES = st.dictionaries(st.integers(0, 65535), st.binary(max_size=40), max_size=4).map(
    lambda found: tuple(sorted(found.items()))
)


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    raw = draw(st.binary(max_size=300))
    more = draw(st.none() | st.integers(1, 2**40))
    return Entry(
        draw(U64),
        draw(st.binary(min_size=16, max_size=16)),
        Received(
            raw=raw,
            received_at=draw(U64),
            listener=draw(TEXT),
            peer=draw(TEXT),
            certificate_sha256=draw(st.just(b"") | st.binary(min_size=32, max_size=32)),
            kind=draw(st.sampled_from(EntryKind)),
            original_length=None if more is None else len(raw) + more,
            flags=draw(st.integers(0, 255)),
            attributes=draw(ATTRIBUTES),
        ),
    )


@given(entries(), st.binary(max_size=20), st.binary(max_size=20))
@examples(30)
def test_round_trip_at_any_place(entry: Entry, before: bytes, after: bytes) -> None:
    encoded = encode(entry)
    octets = before + encoded.head + encoded.body + after
    found, end = decode(octets, len(before))
    assert found == entry
    assert end == len(octets) - len(after)
    assert encoded.leaf_hash == found.leaf_hash == sha256(b"\x00" + found.envelope).digest()


@given(entries(), st.data())
@examples(20)
def test_every_prefix_is_refused(entry: Entry, data: st.DataObject) -> None:
    encoded = encode(entry)
    octets = encoded.head + encoded.body
    with pytest.raises(IntegrityViolation):
        decode(octets[: data.draw(st.integers(0, len(octets) - 1))])


def test_every_flipped_bit_is_refused() -> None:
    encoded = encode(Entry(7, b"s" * 16, received(7)))
    octets = encoded.head + encoded.body
    for bit in range(len(octets) * 8):
        flipped = bytearray(octets)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(IntegrityViolation):
            decode(flipped)


@pytest.mark.parametrize(
    "change",
    [
        {"raw": b"other"},
        {"received_at": 1},
        {"listener": "tcp"},
        {"peer": "192.0.2.9"},
        {"certificate_sha256": b"c" * 32},
        {"kind": EntryKind.TRUNCATED},
        {"original_length": 10_000},
        {"flags": 1},
        {"attributes": ((1, b"x"),)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_field_is_in_the_leaf(change: dict[str, object]) -> None:
    before = Entry(3, b"s" * 16, received(2))
    after = Entry(3, b"s" * 16, replace(before.received, **change))  # type: ignore[arg-type]
    assert before.leaf_hash != after.leaf_hash
    assert before.leaf_hash != Entry(4, b"s" * 16, before.received).leaf_hash
    assert before.leaf_hash != Entry(3, b"t" * 16, before.received).leaf_hash


def test_the_envelope_holds_no_octet_of_the_message() -> None:
    entry = Entry(0, b"s" * 16, Received(b"PATIENT^NAME", 1, "tls", "peer"))
    assert b"PATIENT" not in entry.envelope
    assert entry.envelope.endswith(sha256(b"PATIENT^NAME").digest())


@pytest.mark.parametrize(
    "change",
    [
        {"certificate_sha256": b"short"},
        {"original_length": 3},
        {"listener": "l" * 65},
        {"peer": "p" * (MAX_PEER_OCTETS + 1)},
        {"attributes": ((2, b""), (1, b""))},
        {"attributes": ((1, b""), (1, b""))},
        {"attributes": ((1, b"x" * 32_768),)},
        {"flags": 256},
        {"attributes": ((65_536, b""),)},
        {"raw": b"", "kind": EntryKind.TRUNCATED, "original_length": 2**64},
        {"received_at": -1},
        {"received_at": 2**64},
        {"peer": "\ud800"},
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        replace(received(0), **change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sequence", "salt"), [(0, b"short"), (-1, b"s" * 16), (2**64, b"s" * 16)]
)
def test_a_salt_has_16_octets_and_a_sequence_64_bits(sequence: int, salt: bytes) -> None:
    with pytest.raises(ValueError, match="salt"):
        encode(Entry(sequence, salt, received(0)))


def test_sent_length() -> None:
    assert Received(b"abc", 0, "tls", "").sent_length == 3
    assert Received(b"abc", 0, "tls", "", original_length=9).sent_length == 9


@pytest.mark.parametrize(
    ("place", "value", "problem"),
    [
        (0, 0x00, "no entry begins"),
        (4, 2, "version 2"),
        (5, 2, "form 2"),
        (5, 1, "leaf hash"),
        (6, 9, "kind 9"),
        (8, 0xFF, "beyond their bounds"),
        (12, 0xFF, "beyond their bounds"),
    ],
)
def test_header_says_what_is_wrong(place: int, value: int, problem: str) -> None:
    octets = bytearray(encode(Entry(0, b"s" * 16, received(0))).head)
    octets[place] = value
    with pytest.raises(IntegrityViolation, match=problem):
        decode_header(octets)


def test_header_tells_the_length() -> None:
    encoded = encode(Entry(0, b"s" * 16, received(0)))
    header = decode_header(encoded.head)
    assert header.entry_length == len(encoded.head) + len(encoded.body)
    with pytest.raises(IntegrityViolation):
        decode_header(encoded.head[: HEADER_OCTETS - 1])


def with_metadata(metadata: bytes, body: bytes = b"body") -> bytes:
    """An entry around any metadata, its checksum right."""
    head = struct.pack(">4sBBBBII", b"ARRE", 1, 0, 1, 0, len(metadata), len(body))
    return head + zlib.crc32(head + metadata + body).to_bytes(4) + metadata + body


def metadata(stored: int = 4, sent: int = 4, lengths: tuple[int, ...] = (0, 0, 0, 0)) -> bytes:
    return struct.pack(">QQ16sQIBBHH", 0, 0, b"s" * 16, sent, stored, *lengths)


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        (b"short", "cut short"),
        (metadata(stored=3), "contradict"),
        (metadata() + b"x", "contradict"),
        (metadata(sent=3), "metadata is wrong"),
        (metadata(lengths=(5, 0, 0, 0)) + b"12345", "metadata is wrong"),
        (metadata(lengths=(0, 1, 0, 0)) + b"\xff", "metadata is wrong"),
        (metadata(lengths=(0, 0, 0, 3)) + b"\0\1\0", "cut short"),
        (metadata(lengths=(0, 0, 0, 5)) + b"\0\1\0\2x", "out of order"),
        (metadata(lengths=(0, 0, 0, 8)) + b"\0\2\0\0\0\1\0\0", "out of order"),
    ],
)
def test_a_right_checksum_does_not_make_it_canonical(block: bytes, problem: str) -> None:
    with pytest.raises(IntegrityViolation, match=problem):
        decode(with_metadata(block))


def test_a_body_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit.journal.entry.MAX_BODY_OCTETS", 5)
    with pytest.raises(ValueError, match="more than an entry holds"):
        Received(b"123456", 0, "tls", "")
