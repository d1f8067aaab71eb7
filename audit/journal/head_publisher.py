"""Signs heads, keeps their history and shows the newest as the journal's checkpoint."""

from pathlib import Path

from audit.journal import layout
from audit.journal.files import Files
from audit.journal.heads import encode_record
from audit.journal.merkle import Tree
from audit.journal.note import Checkpoint, Signer, sign_by_all


class HeadPublisher:
    """One per writer. History first, then the checkpoint: so no head is shown that isn't kept."""

    def __init__(
        self, journal_dir: Path, signers: tuple[Signer, ...], files: Files, number: int = 0
    ) -> None:
        self.head: Checkpoint | None = None
        self.signers = signers
        self._dir = journal_dir
        self._files = files
        self._number = number
        self._first = -1
        self._fd = -1
        self._end = 0
        self._unshown = ""

    def resume(self, head: Checkpoint, unshown_note: str) -> None:
        """Go on after the newest head of the history; its note is given if not yet shown."""
        self.head = head
        self._unshown = unshown_note

    def is_current(self, size: int) -> bool:
        """Whether the head of a tree of that size is kept and shown."""
        return self.head is not None and self.head.size == size and not self._unshown

    def publish(self, tree: Tree, first_sequence: int) -> None:
        """Sign the tree's head; it is durable in the history and shown atomically.

        Args:
            tree: its leaf hashes must be durable already.
            first_sequence: of the last segment, which names the file of the history.

        Raises:
            OSError: not published, or kept and not yet shown; calling again goes on from there.
        """
        if self.head is None or self.head.size != tree.size:
            head = Checkpoint(self.signers[0].name, tree.size, tree.root())
            note = sign_by_all(head.text, self.signers)
            self._keep(encode_record(self._number, note), first_sequence)
            self._number += 1
            self.head = head
            self._unshown = note
        if self._unshown:
            self._files.replace_durably(self._dir / layout.CHECKPOINT, self._unshown.encode())
            self._unshown = ""

    def close(self) -> None:
        """Give the descriptor back."""
        if self._fd >= 0:
            self._files.close(self._fd)
            self._fd = -1

    def _keep(self, record: bytes, first_sequence: int) -> None:
        if self._first != first_sequence or self._fd < 0:
            self.close()
            path = self._dir / layout.HEADS / layout.heads_name(first_sequence)
            self._fd = self._files.open_or_create_durably(path)
            self._first = first_sequence
            self._end = path.stat().st_size
        try:
            end = self._files.write_at(self._fd, self._end, (record,))
        except OSError:
            self._files.cut(self._fd, self._end)
            raise
        self._files.sync_data(self._fd)
        self._end = end
