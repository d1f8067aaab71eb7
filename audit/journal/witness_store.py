"""What a witness remembers: the newest head it cosigned of each log, and its own key."""

import os
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Self

from audit.errors import ConfigurationError, IntegrityViolation, JournalBusy, StorageError
from audit.journal.files import Files
from audit.journal.locks import lock_holder, try_lock_directory
from audit.journal.note import Checkpoint, is_key_name, parse_checkpoint, split_note
from audit.journal.signing_key import load_or_create_signing_key
from audit.journal.witness_key import Cosigner

KEY_FILE = "witness.key"
NAME_FILE = "witness.name"
HEADS = "heads"


class WitnessStore:
    """A folder of one witness process; it holds the folder until closed."""

    def __init__(self, folder: Path, files: Files | None = None) -> None:
        """Take the folder, made when missing.

        Raises:
            JournalBusy: another witness runs on it.
            StorageError: it can't be made or read.
        """
        self._files = Files() if files is None else files
        self._folder = folder
        try:
            self._files.make_directory_durably(folder.absolute() / HEADS)
            lock = try_lock_directory(folder)
        except OSError as error:
            raise StorageError(f"the witness's folder can't be used: {error}") from error
        if lock is None:
            raise JournalBusy(f"process {lock_holder(folder)} is a witness on {folder} already")
        self._lock = lock

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the folder back."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def cosigner(self, name: str) -> Cosigner:
        """The witness's key, made at the first start; it keeps the name that it was made with.

        Args:
            name: for the first start; empty takes the name that is kept.

        Raises:
            ConfigurationError: the name differs from the one kept, can't be one, or the key is
                unsafe or unusable.
            StorageError: the disk failed.
        """
        path = self._folder / NAME_FILE
        try:
            if not path.exists():
                if not is_key_name(name):
                    raise ConfigurationError(
                        f"{name!r} can't name a witness: no space, no plus, not empty"
                    )
                self._files.replace_durably(path, f"{name}\n".encode())
            kept = path.read_text(encoding="utf-8").removesuffix("\n")
            if name not in {"", kept}:
                raise ConfigurationError(
                    f"this witness is called {kept}; a new name needs a new folder and a new key"
                )
            return Cosigner(kept, load_or_create_signing_key(self._folder / KEY_FILE, self._files))
        except OSError as error:
            raise StorageError(f"the witness's key can't be kept: {error}") from error

    def latest(self, origin: str) -> Checkpoint | None:
        """The newest head kept of that log.

        Raises:
            StorageError: it can't be read, or is damaged; nothing may be cosigned then.
        """
        try:
            note = self._path(origin).read_text(encoding="utf-8")
            head = parse_checkpoint(split_note(note)[0])
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError, IntegrityViolation) as error:
            raise StorageError(f"the kept head of {origin} can't be read: {error}") from error
        if head.origin != origin:
            raise StorageError(f"the kept head of {origin} is that of another log")
        return head

    def keep(self, origin: str, note: str) -> None:
        """The note is the newest of that log, durably.

        Raises:
            StorageError: it could not be kept; nothing may be cosigned then.
        """
        try:
            self._files.replace_durably(self._path(origin), note.encode())
        except OSError as error:
            raise StorageError(f"a head of {origin} can't be kept: {error}") from error

    def _path(self, origin: str) -> Path:
        return self._folder / HEADS / sha256(origin.encode()).hexdigest()
