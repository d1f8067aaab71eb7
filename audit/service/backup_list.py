"""Which backups were made, so that an erasure can tell which copies still hold the record."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from audit.errors import ConfigurationError
from audit.service.paths import DataPaths
from audit.service.state_file import replace_file


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownBackup:
    """One backup.

    Attributes:
        folder: where it was written to.
        made_at: UTC nanoseconds.
        entries: entries of the journal that it holds: sequences below it.
    """

    folder: str
    made_at: int
    entries: int


class BackupList:
    """The list, in one file of the state folder."""

    def __init__(self, paths: DataPaths) -> None:
        self._path = paths.state.parent / "backups.json"

    def read(self) -> tuple[KnownBackup, ...]:
        """All backups, oldest first.

        Raises:
            ConfigurationError: the list is damaged.
        """
        try:
            rows = json.loads(self._path.read_text(encoding="utf-8"))
            return tuple(KnownBackup(**row) for row in rows)
        except FileNotFoundError:
            return ()
        except (OSError, ValueError, TypeError) as error:
            raise ConfigurationError(f"{self._path}: can't be read: {error}") from error

    def add(self, backup: KnownBackup) -> None:
        """Note a backup; it replaces one in the same folder."""
        others = [one for one in self.read() if one.folder != backup.folder]
        self._write([*others, backup])

    def forget(self, folder: Path) -> bool:
        """Leave out a backup that was destroyed; whether it was in the list."""
        before = self.read()
        after = [one for one in before if one.folder != str(folder)]
        self._write(after)
        return len(after) < len(before)

    def holding(self, sequence: int) -> tuple[KnownBackup, ...]:
        """Backups that hold the entry, unless they were destroyed."""
        return tuple(one for one in self.read() if one.entries > sequence)

    def _write(self, backups: Iterable[KnownBackup]) -> None:
        octets = json.dumps([asdict(one) for one in backups], indent=1).encode()
        replace_file(self._path, octets)
