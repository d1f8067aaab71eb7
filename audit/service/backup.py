"""Backup and restore of one repository; what is copied is verified, and so is what is restored.

A backup is a folder laid out as the data folder, so ``arr verify --data`` reads it. The search
index is left out: it is rebuilt from the journal.
"""

import json
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Any

from audit.errors import (
    ConfigurationError,
    IncompleteCheck,
    IntegrityViolation,
    JournalUnavailable,
    RequestError,
)
from audit.journal.copy import copy_journal
from audit.journal.files import Files
from audit.journal.initialise import read_identity
from audit.journal.verify import VerifyOptions, VerifyReport, verify
from audit.record.build import Alert
from audit.service.backup_list import BackupList, KnownBackup
from audit.service.operator import administering
from audit.service.paths import PRIVATE_FILE, PRIVATE_FOLDER, DataPaths
from audit.settings import Settings

MANIFEST = "backup.json"
FORMAT = "arr-backup 1"
_JOURNAL = "journal"
_RESTORING = "journal.restoring"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """What was written.

    Attributes:
        folder: absolute.
        entries: of the journal, all that the newest signed head covered.
        root: of that head, hexadecimal.
        octets: all files together.
        journaled: whether the repository was running and has a record of it.
        with_keys: whether the private keys are in it.
    """

    folder: str
    entries: int
    root: str
    octets: int
    journaled: bool
    with_keys: bool


def back_up(settings: Settings, folder: Path, *, with_keys: bool = True) -> Backup:
    """Copy everything but the index, beside the running repository, and verify the copy.

    Args:
        settings: of the repository.
        folder: an empty folder or none; readable by this user alone.
        with_keys: also the keys that sign heads and cursors. A repository restored without them
            can be read and verified, but not go on.

    Raises:
        RequestError: the folder isn't empty.
        IntegrityViolation: the copy doesn't verify: verify the repository itself.
        AuditError: the journal is busy or can't be read, or the folder can't be written.
    """
    paths = DataPaths(settings.data)
    folder = folder.absolute()
    _require_empty(folder)
    identity = _identity_name(paths.journal)
    journaled = _record(settings, f"A backup of the journal {identity} is written to {folder}")
    try:
        folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        head = copy_journal(paths.journal, folder / _JOURNAL)
        _copy_rest(paths, DataPaths(folder), with_keys=with_keys)
    except OSError as error:
        raise ConfigurationError(f"the backup can't be written: {error}") from error
    report = _require_whole(folder / _JOURNAL, ())
    made_at = time.time_ns()
    listed = _listed(folder)
    manifest = {
        "format": FORMAT,
        "made_at": made_at,
        "log": head.origin,
        "entries": head.size,
        "root": head.root.hex(),
        "files": listed,
    }
    Files().replace_durably(folder / MANIFEST, json.dumps(manifest, indent=1).encode())
    BackupList(paths).add(KnownBackup(folder=str(folder), made_at=made_at, entries=head.size))
    return Backup(
        folder=str(folder),
        entries=report.entries,
        root=report.root,
        octets=sum(int(size) for size, _ in listed.values()),
        journaled=journaled,
        with_keys=with_keys,
    )


def restore(settings: Settings, folder: Path, known_heads: tuple[str, ...] = ()) -> VerifyReport:
    """Put a backup into an empty data folder, verified before and after.

    Args:
        settings: of the repository that is to be; its data folder holds no journal.
        folder: the backup.
        known_heads: signed heads kept elsewhere, that the backup must agree with.

    Raises:
        RequestError: the data folder holds a journal already.
        IncompleteCheck: this is no backup, or it can't be read.
        IntegrityViolation: the backup is damaged, or was rolled back; nothing was changed.
        ConfigurationError: the data folder can't be written.
    """
    paths = DataPaths(settings.data)
    if paths.journal.exists() and any(paths.journal.iterdir()):
        raise RequestError(f"{paths.journal} holds a journal; restore into another data folder")
    _require_as_listed(folder)
    _require_whole(folder / _JOURNAL, known_heads)
    unfinished = paths.root / _RESTORING
    try:
        paths.prepare()
        shutil.rmtree(unfinished, ignore_errors=True)
        _copy_folder(folder / _JOURNAL, unfinished)
        _copy_rest(DataPaths(folder), paths, with_keys=True)
        paths.journal.rmdir()
        unfinished.rename(paths.journal)
        Files().sync_directory(paths.root)
    except OSError as error:
        raise ConfigurationError(f"the backup can't be restored: {error}") from error
    return _require_whole(paths.journal, known_heads)


def _record(settings: Settings, what: str) -> bool:
    """Whether the act could be journaled; a repository that doesn't run may be saved too."""
    try:
        with administering(settings) as administration:
            administration.record(what, Alert.USE_OF_RESTRICTED_FUNCTION)
    except JournalUnavailable:
        return False
    return True


def _identity_name(journal: Path) -> str:
    try:
        return read_identity(journal).name
    except OSError as error:
        raise JournalUnavailable(f"no journal can be read: {error}") from error


def _require_empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RequestError(f"{folder} is not empty; give each backup a folder of its own")


def _copy_rest(source: DataPaths, target: DataPaths, *, with_keys: bool) -> None:
    """State, policy, enrolled certificates and keys; each file durable."""
    folders = [source.enrolled, source.signing_key.parent] if with_keys else [source.enrolled]
    for folder in folders:
        if folder.is_dir():
            _copy_folder(folder, target.root / folder.relative_to(source.root))
    for name in ("retention.toml",):
        if (source.root / name).is_file():
            _copy_file(source.root / name, target.root / name)
    state = target.state.parent
    state.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    kept = (*source.state.parent.glob("*.json"), *source.state.parent.glob("*.note"))
    for path in sorted(kept):
        _copy_file(path, state / path.name)
    if source.state.exists():
        _copy_database(source.state, target.state)


def _copy_database(source: Path, target: Path) -> None:
    """A consistent copy also while others write (SQLite's online backup)."""
    target.unlink(missing_ok=True)
    target.touch(PRIVATE_FILE)
    try:
        with (
            closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as read,
            closing(sqlite3.connect(target)) as written,
        ):
            read.backup(written)
            written.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise OSError(f"{source}: {error}") from error
    _sync(target)


def _copy_folder(source: Path, target: Path) -> None:
    target.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    for path in sorted(source.iterdir()):
        if path.is_dir():
            _copy_folder(path, target / path.name)
        elif path.is_file():
            _copy_file(path, target / path.name)
    Files().sync_directory(target)


def _copy_file(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
    target.chmod(PRIVATE_FILE)
    _sync(target)


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _require_whole(journal: Path, known_heads: tuple[str, ...]) -> VerifyReport:
    report = verify(journal, VerifyOptions(known_heads=known_heads))
    if not report.intact:
        first = report.violations[0]
        raise IntegrityViolation(
            f"{journal} does not verify: {report.violation_count} violations, the first in "
            f"{first.file}: {first.problem}"
        )
    return report


def _listed(folder: Path) -> dict[str, tuple[int, str]]:
    """Size and SHA-256 of every file but the manifest, by path."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_size, _sha256(path))
        for path in _files(folder)
    }


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path != folder / MANIFEST:
            yield path


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()


def _require_as_listed(folder: Path) -> None:
    try:
        manifest: Mapping[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        told = {
            name: (int(size), str(digest)) for name, (size, digest) in manifest["files"].items()
        }
        found = _listed(folder)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise IncompleteCheck(
            f"{folder} is no whole backup: its {MANIFEST} can't be read: {error}"
        ) from error
    if told != found:
        names = sorted(
            name for name in told.keys() | found.keys() if told.get(name) != found.get(name)
        )
        raise IntegrityViolation(f"{folder} is not as it was written: {', '.join(names[:5])}")
