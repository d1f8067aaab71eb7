"""The tree that a batch of entries leads to: a copy, since nothing changes if their sync fails."""

from typing import NamedTuple

from audit.journal.entry_batch import EncodedBatch
from audit.journal.merkle import Tree


class Growth(NamedTuple):
    """The tree with a batch of entries.

    Attributes:
        tree: after them.
        leaves: their leaf hashes.
        completed: at higher levels of tiles, as ``Tree.extend`` returns it.
    """

    tree: Tree
    leaves: list[bytes]
    completed: list[tuple[int, bytes]]


def grown(tree: Tree, batch: EncodedBatch) -> Growth:
    """What the tree becomes with the batch."""
    after, leaves = tree.copy(), batch.leaf_hashes()
    return Growth(after, leaves, after.extend(leaves))
