"""A batch that the disk is at work on, and what the journal will be with it."""

from collections.abc import Sequence

from audit.journal.entry import EntryKind, Received
from audit.journal.entry_batch import EncodedBatch
from audit.journal.merkle import Tree


class Underway:
    """Consecutive entries that don't count yet; the tree that they lead to is one of its own.

    Attributes:
        encoded: the entries.
        tree: with them.
        completed: at higher levels of tiles, as ``Tree.extend`` returns it.
        certificates: those among the entries, with their sequences.
    """

    def __init__(self, tree: Tree, salts: bytes, batch: Sequence[Received]) -> None:
        """Encode and hash.

        Args:
            tree: before them; stays as it is.
            salts: 16 octets for each entry.
            batch: one record at least.

        Raises:
            ValueError: there are not so many salts.
        """
        self.encoded = EncodedBatch(tree.size, salts, batch)
        self.tree = tree.copy()
        self.completed = self.tree.extend(self.encoded.leaves)
        self.certificates: list[tuple[bytes, int]] = []
        if EntryKind.CERTIFICATE in self.encoded.kinds:
            self.certificates = [
                (received.certificate_sha256, sequence)
                for sequence, received in enumerate(batch, tree.size)
                if received.kind is EntryKind.CERTIFICATE
            ]
