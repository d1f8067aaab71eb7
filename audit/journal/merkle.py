"""The Merkle tree of RFC 6962 section 2.1 over SHA-256; pure.

A tree grows by appending leaf hashes and keeps only its peaks: the roots of the complete subtrees
that its size, read in binary, is made of. Proofs take node hashes from a ``NodeSource``.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import TypeAlias

EMPTY_ROOT = sha256(b"").digest()
HASH_OCTETS = 32
TILE_HEIGHT = 8
"""Levels of the tree that one tile of the C2SP tlog-tiles layout spans."""

NodeSource: TypeAlias = Callable[[int, int], bytes]
"""(height, index) → root of the complete subtree of 2**height leaves at leaf index << height."""


def hash_leaf(octets: bytes) -> bytes:
    """RFC 6962 2.1: SHA-256(0x00 ‖ octets)."""
    return sha256(b"\x00" + octets).digest()


def hash_node(left: bytes, right: bytes) -> bytes:
    """RFC 6962 2.1: SHA-256(0x01 ‖ left ‖ right)."""
    return sha256(b"\x01" + left + right).digest()


class Tree:
    """A tree that only grows; its state is its size and at most 64 peaks."""

    __slots__ = ("_peaks", "_size")

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        if size.bit_count() != len(peaks):
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} peaks")
        self._size = size
        self._peaks = list(peaks)

    @property
    def size(self) -> int:
        """Leaves so far."""
        return self._size

    @property
    def peaks(self) -> tuple[bytes, ...]:
        """Roots of the complete subtrees, the largest (leftmost) first."""
        return tuple(self._peaks)

    def append(self, leaf_hash: bytes) -> list[tuple[int, bytes]]:
        """Add a leaf; return what it completed at tile levels 1, 2, … as (level, hash)."""
        node = leaf_hash
        height = 0
        completed: list[tuple[int, bytes]] = []
        while self._size >> height & 1:
            node = hash_node(self._peaks.pop(), node)
            height += 1
            if height % TILE_HEIGHT == 0:
                completed.append((height // TILE_HEIGHT, node))
        self._peaks.append(node)
        self._size += 1
        return completed

    def extend(self, leaves: Sequence[bytes]) -> list[tuple[int, bytes]]:
        """Add leaves in order, as ``append`` does, but level by level, which is faster.

        Returns:
            What they completed at tile levels 1, 2, … as (level, hashes joined in order).
        """
        row, height = list(leaves), 0
        left: list[bytes] = []
        completed: list[tuple[int, bytes]] = []
        while row:
            if height and height % TILE_HEIGHT == 0:
                completed.append((height // TILE_HEIGHT, b"".join(row)))
            if self._size >> height & 1:
                row.insert(0, self._peaks.pop())
            if len(row) & 1:
                left.append(row.pop())
            pairs = zip(row[::2], row[1::2], strict=True)
            row = [sha256(b"\x01" + one + other).digest() for one, other in pairs]
            height += 1
        self._peaks += reversed(left)
        self._size += len(leaves)
        return completed

    def copy(self) -> "Tree":
        """The same tree, to go on with apart from this one."""
        return Tree(self._size, self._peaks)

    def root(self) -> bytes:
        """The Merkle tree hash of all leaves so far."""
        if not self._peaks:
            return EMPTY_ROOT
        node = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            node = hash_node(peak, node)
        return node


def range_root(nodes: NodeSource, start: int, end: int) -> bytes:
    """MTH of the leaves start to end (not included), as RFC 6962 cuts them."""
    width = end - start
    if width == 0:
        return EMPTY_ROOT
    if width & (width - 1) == 0:
        height = width.bit_length() - 1
        return nodes(height, start >> height)
    middle = start + _split(width)
    return hash_node(range_root(nodes, start, middle), range_root(nodes, middle, end))


def inclusion_path(nodes: NodeSource, index: int, size: int) -> tuple[bytes, ...]:
    """RFC 6962 2.1.1: the path of leaf ``index`` in the tree of ``size``, its sibling first.

    Raises:
        ValueError: the index lies outside the tree.
    """
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(range_root(nodes, middle, end))
            end = middle
        else:
            path.append(range_root(nodes, start, middle))
            start = middle
    return tuple(reversed(path))


def consistency_path(nodes: NodeSource, old_size: int, size: int) -> tuple[bytes, ...]:
    """RFC 6962 2.1.2: shows that the tree of ``old_size`` is the beginning of that of ``size``.

    Raises:
        ValueError: the sizes are out of order.
    """
    if not 0 <= old_size <= size:
        raise ValueError(f"a tree of {size} does not grow from one of {old_size}")
    if old_size in {0, size}:
        return ()
    path: list[bytes] = []
    start, end = 0, size
    whole = True
    while old_size != end:
        middle = start + _split(end - start)
        if old_size <= middle:
            path.append(range_root(nodes, middle, end))
            end = middle
        else:
            path.append(range_root(nodes, start, middle))
            start = middle
            whole = False
    if not whole:
        path.append(range_root(nodes, start, end))
    return tuple(reversed(path))


def root_from_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """RFC 9162 2.1.3.2: the root that the path leads to; None when it can't be one."""
    if not 0 <= index < size:
        return None
    place, last, node = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if place & 1 or place == last:
            node = hash_node(sibling, node)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            node = hash_node(node, sibling)
        place, last = place >> 1, last >> 1
    return node if last == 0 else None


def is_consistent(old: tuple[int, bytes], new: tuple[int, bytes], path: Sequence[bytes]) -> bool:
    """RFC 9162 2.1.4.2: whether the path shows that the old (size, root) begins the new one."""
    (old_size, old_root), (new_size, new_root) = old, new
    if old_size == new_size:
        return not path and old_root == new_root
    if old_size == 0:
        return not path and old_root == EMPTY_ROOT
    if old_size > new_size or not path:
        return False
    proof = list(path)
    if old_size & (old_size - 1) == 0:
        proof.insert(0, old_root)
    return _roots_of(proof, old_size - 1, new_size - 1) == (old_root, new_root)


def _roots_of(proof: Sequence[bytes], place: int, last: int) -> tuple[bytes, bytes] | None:
    while place & 1:
        place, last = place >> 1, last >> 1
    old_node = new_node = proof[0]
    for node in proof[1:]:
        if last == 0:
            return None
        if place & 1 or place == last:
            old_node = hash_node(node, old_node)
            new_node = hash_node(node, new_node)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new_node = hash_node(new_node, node)
        place, last = place >> 1, last >> 1
    return (old_node, new_node) if last == 0 else None


def _split(width: int) -> int:
    """The largest power of two smaller than ``width``."""
    return 1 << (width - 1).bit_length() - 1
