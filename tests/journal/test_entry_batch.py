"""audit.journal.entry_batch: the same octets and leaf hashes as one by one."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.journal.entry import Entry, EntryKind, Received, encode
from audit.journal.entry_batch import EncodedBatch
from audit.journal.merkle import Tree
from audit.journal.underway import Underway
from tests.journal.journals import certificate, received
from tests.journal.test_entry_walk import SHAPES


@given(
    records=st.lists(SHAPES, min_size=1, max_size=6),
    first=st.integers(0, 2**64 - 7),
    salt=st.binary(min_size=16, max_size=16),
)
def test_each_entry_is_what_encode_makes_of_it(
    records: list[Received], first: int, salt: bytes
) -> None:
    salts = [bytes([n]) + salt[1:] for n in range(len(records))]
    batch = EncodedBatch(first, b"".join(salts), records)
    alone = [encode(Entry(first + n, salts[n], record)) for n, record in enumerate(records)]
    assert batch.octets == b"".join(one.head + one.body for one in alone)
    assert batch.leaves == [one.leaf_hash for one in alone]
    assert batch.lengths == [len(one.head) + len(one.body) for one in alone]
    times = [record.received_at for record in records]
    assert (batch.earliest, batch.latest) == (min(times), max(times))


@pytest.mark.parametrize(
    "changes",
    [
        {"peer": "192.0.2.99"},
        {"listener": "udp"},
        {"kind": EntryKind.TRUNCATED, "original_length": 1000},
        {"flags": 1},
        {"attributes": ((1, b"value"),)},
        {"certificate_sha256": b"c" * 32},
    ],
    ids=str,
)
def test_a_record_may_differ_in_one_thing_from_the_one_before(changes: dict[str, Any]) -> None:
    first = received(1)
    records = [first, replace(first, **changes), first]
    batch = EncodedBatch(0, bytes(48), records)
    alone = [encode(Entry(n, bytes(16), record)) for n, record in enumerate(records)]
    assert batch.octets == b"".join(one.head + one.body for one in alone)
    assert batch.leaves == [one.leaf_hash for one in alone]


def test_each_entry_needs_a_salt() -> None:
    with pytest.raises(ValueError, match="salt"):
        EncodedBatch(0, bytes(16), [received(1), received(2)])


@pytest.mark.parametrize("count", [1, 40])
def test_the_tree_grows_only_in_what_is_given_back(count: int) -> None:
    tree = Tree()
    underway = Underway(tree, bytes(16 * count), [received(n) for n in range(count)])
    assert tree.size == 0
    expected = Tree()
    for leaf in underway.encoded.leaves:
        expected.append(leaf)
    assert (underway.tree.size, underway.tree.peaks) == (count, expected.peaks)


def test_what_is_underway_knows_its_certificates() -> None:
    tree = Tree()
    tree.extend([bytes(32)] * 5)
    records = [received(1), certificate(7), received(2), certificate(8)]
    assert Underway(tree, bytes(64), records).certificates == [(b"\7" * 32, 6), (b"\x08" * 32, 8)]


def test_a_batch_knows_the_kinds_of_its_entries() -> None:
    entries = [received(1), replace(received(2), kind=EntryKind.TRUNCATED), received(3)]
    assert EncodedBatch(0, bytes(48), entries).kinds == {EntryKind.MESSAGE, EntryKind.TRUNCATED}
