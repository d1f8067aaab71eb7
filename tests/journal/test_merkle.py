"""audit.journal.merkle, against the definition of RFC 6962 written out naively."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.journal.merkle import (
    EMPTY_ROOT,
    Tree,
    consistency_path,
    hash_leaf,
    hash_node,
    inclusion_path,
    is_consistent,
    range_root,
    root_from_inclusion,
)
from tests.properties import examples

LEAVES = [hash_leaf(bytes([n % 256, n // 256])) for n in range(600)]


def naive_root(leaves: list[bytes]) -> bytes:
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + naive_root(leaves[:split]) + naive_root(leaves[split:])).digest()


def nodes(height: int, index: int) -> bytes:
    return naive_root(LEAVES[index << height : (index + 1) << height])


def test_the_example_of_certificate_transparency() -> None:
    """Inputs and roots of the reference test of RFC 6962 implementations."""
    inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657"]
    inputs.append("606162636465666768696a6b6c6d6e6f")
    tree = Tree()
    for octets in inputs:
        tree.append(hash_leaf(bytes.fromhex(octets)))
    assert tree.root().hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@given(sizes=st.lists(st.integers(0, 300), max_size=4))
def test_many_leaves_at_once_are_the_same_as_one_by_one(sizes: list[int]) -> None:
    leaves = (LEAVES * 3)[: sum(sizes)]
    one_by_one, at_once = Tree(), Tree()
    for size in sizes:
        start = at_once.size
        completed: dict[int, bytes] = {}
        for leaf in leaves[start : start + size]:
            for level, node in one_by_one.append(leaf):
                completed[level] = completed.get(level, b"") + node
        before = at_once.copy()
        assert dict(at_once.extend(leaves[start : start + size])) == completed
        assert (at_once.size, at_once.peaks) == (one_by_one.size, one_by_one.peaks)
        assert before.size == start


def test_every_size_has_the_root_of_the_definition() -> None:
    tree = Tree()
    for size in range(130):
        assert tree.root() == naive_root(LEAVES[:size])
        assert Tree(size, tree.peaks).root() == tree.root()
        assert range_root(nodes, 0, size) == tree.root()
        tree.append(LEAVES[size])


def test_completed_tiles_are_told() -> None:
    tree = Tree()
    told = [completed for leaf in LEAVES for completed in tree.append(leaf)]
    assert told == [(1, naive_root(LEAVES[:256])), (1, naive_root(LEAVES[256:512]))]


def test_peaks_must_fit_the_size() -> None:
    with pytest.raises(ValueError, match="2 peaks"):
        Tree(3, (LEAVES[0],))


@given(st.integers(1, 600), st.data())
@examples(20)
def test_inclusion(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_path(nodes, index, size)
    root = naive_root(LEAVES[:size])
    assert root_from_inclusion(LEAVES[index], index, size, path) == root
    other = data.draw(st.integers(0, size - 1))
    if other != index:
        assert root_from_inclusion(LEAVES[index], other, size, path) != root
    assert root_from_inclusion(LEAVES[index], index, size, [*path, root]) != root
    if path:
        assert root_from_inclusion(LEAVES[index], index, size, path[:-1]) != root


@given(st.integers(0, 600), st.data())
@examples(20)
def test_consistency(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(0, size))
    path = consistency_path(nodes, old, size)
    old_head = (old, naive_root(LEAVES[:old]))
    head = (size, naive_root(LEAVES[:size]))
    assert is_consistent(old_head, head, path)
    assert not is_consistent((old, b"x" * 32), head, path)
    assert not is_consistent(old_head, head, [*path, b"x" * 32])
    if path:
        assert not is_consistent(old_head, (size, b"x" * 32), path)
        assert not is_consistent(old_head, head, path[:-1])


def test_what_lies_outside_is_refused() -> None:
    assert root_from_inclusion(LEAVES[0], 1, 1, ()) is None
    assert root_from_inclusion(LEAVES[0], 0, 1, ()) == LEAVES[0]
    assert not is_consistent((2, hash_node(LEAVES[0], LEAVES[1])), (1, LEAVES[0]), (LEAVES[0],))
    with pytest.raises(ValueError, match="not in a tree"):
        inclusion_path(nodes, 5, 5)
    with pytest.raises(ValueError, match="does not grow"):
        consistency_path(nodes, 6, 5)
