"""Heads with the cosignatures that witnesses gave for them, kept outside the journal folder.

checkpoint          the newest head as shown to others, with what cosignatures it has
witnessed           the newest head with a cosignature
YYYY-MM-DD.heads    every head with a cosignature, by UTC day; records as in
                    the journal's history, but numbered by the tree's size
"""

from datetime import UTC, datetime
from pathlib import Path

from audit.errors import IntegrityViolation, StorageError
from audit.journal.files import Files
from audit.journal.heads import encode_record, parse_history
from audit.journal.note import Checkpoint, VerifierKey, open_note, parse_checkpoint

CHECKPOINT = "checkpoint"
WITNESSED = "witnessed"


class CosignedHeads:
    """The folder; one process keeps, any number read."""

    def __init__(self, folder: Path, files: Files | None = None) -> None:
        self._folder = folder
        self._files = Files() if files is None else files

    def keep(self, note: str, size: int, *, cosigned: bool, now: datetime | None = None) -> None:
        """Show the head to others, and keep it for good when a witness cosigned it.

        Raises:
            StorageError: the disk failed.
        """
        try:
            self._files.make_directory_durably(self._folder)
            if cosigned:
                day = (now or datetime.now(UTC)).date().isoformat()
                self._append(self._folder / f"{day}.heads", encode_record(size, note))
                self._files.replace_durably(self._folder / WITNESSED, note.encode())
            self._files.replace_durably(self._folder / CHECKPOINT, note.encode())
        except OSError as error:
            raise StorageError(f"a cosigned head can't be kept: {error}") from error

    def shown(self, keys: tuple[VerifierKey, ...]) -> tuple[str, Checkpoint] | None:
        """The newest head as shown to others; None when there is none of these keys."""
        return self._read(CHECKPOINT, keys)

    def witnessed(self, keys: tuple[VerifierKey, ...]) -> tuple[str, Checkpoint] | None:
        """The newest head with a cosignature; None when there is none of these keys."""
        return self._read(WITNESSED, keys)

    def _read(self, name: str, keys: tuple[VerifierKey, ...]) -> tuple[str, Checkpoint] | None:
        try:
            note = (self._folder / name).read_bytes().decode()
            return note, parse_checkpoint(open_note(note, keys))
        except (OSError, UnicodeDecodeError, IntegrityViolation):
            return None

    def _append(self, path: Path, record: bytes) -> None:
        """Add a record after the last whole one."""
        fd = self._files.open_or_create_durably(path)
        try:
            _, end = parse_history(path.read_bytes())
            self._files.cut(fd, end)
            self._files.write_at(fd, end, (record,))
            self._files.sync_data(fd)
        finally:
            self._files.close(fd)
