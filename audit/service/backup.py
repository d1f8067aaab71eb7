"""Backup and restore of one repository; what is copied is verified, and so is what is restored.

A backup is a folder laid out as the data folder, so ``arr verify --data`` reads it. The search
index is left out: it is rebuilt from the journal.
"""

import os
import shutil
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

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
from audit.journal.note import Checkpoint, Signer
from audit.journal.signing_key import load_signing_key
from audit.journal.verify import VerifyOptions, VerifyReport, verify
from audit.record.build import Alert
from audit.service.backup_list import BackupList, KnownBackup
from audit.service.backup_manifest import (
    listed_files,
    read_manifest,
    require_as_listed,
    write_manifest,
)
from audit.service.operator import administering
from audit.service.paths import PRIVATE_FILE, PRIVATE_FOLDER, DataPaths
from audit.settings import Settings

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


def back_up(
    settings: Settings, folder: Path, *, with_keys: bool = True, renew: bool = False
) -> Backup:
    """Copy everything but the index, beside the running repository, and verify the copy.

    Args:
        settings: of the repository.
        folder: an empty folder or none; readable by this user alone.
        with_keys: also the keys that sign heads and cursors. A repository restored without them
            can be read and verified, but not go on.
        renew: the folder holds a backup of this log, whose place the new one takes once it is
            whole; the old one's files are gone then.

    Raises:
        RequestError: the folder isn't empty, or holds no backup of this log that could be renewed.
        IntegrityViolation: the copy doesn't verify: verify the repository itself.
        AuditError: the journal is busy or can't be read, or the folder can't be written.
    """
    paths = DataPaths(settings.data)
    folder = folder.absolute()
    identity = _identity_name(paths.journal)
    target = folder
    if renew:
        _require_backup_of(folder, identity)
        target = folder.with_name(f"{folder.name}.renewing")
    else:
        _require_empty(folder)
    journaled = _record(settings, f"A backup of the journal {identity} is written to {folder}")
    try:
        if renew:
            shutil.rmtree(target, ignore_errors=True)
        made = _written(paths, target, with_keys=with_keys)
        if renew:
            shutil.rmtree(folder)
            target.rename(folder)
            Files().sync_directory(folder.parent)
    except OSError as error:
        raise ConfigurationError(f"the backup can't be written: {error}") from error
    known = KnownBackup(folder=str(folder), made_at=made.made_at, entries=made.head.size)
    BackupList(paths).add(known)
    return Backup(
        folder=str(folder),
        entries=made.report.entries,
        root=made.report.root,
        octets=made.octets,
        journaled=journaled,
        with_keys=with_keys,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    head: Checkpoint
    report: VerifyReport
    made_at: int
    octets: int


def _written(paths: DataPaths, folder: Path, *, with_keys: bool) -> _Written:
    folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    head = copy_journal(paths.journal, folder / _JOURNAL)
    _copy_rest(paths, DataPaths(folder), with_keys=with_keys)
    report = _require_whole(folder / _JOURNAL, ())
    signer = Signer(head.origin, load_signing_key(paths.signing_key))
    if read_identity(folder / _JOURNAL).current_key != signer.verifier:
        raise JournalUnavailable("the journal's key was replaced meanwhile; back up once more")
    made_at = time.time_ns()
    listed = listed_files(folder)
    write_manifest(
        folder,
        {
            "made_at": made_at,
            "log": head.origin,
            "entries": head.size,
            "root": head.root.hex(),
            "files": listed,
        },
        signer,
    )
    octets = sum(size for size, _ in listed.values())
    return _Written(head=head, report=report, made_at=made_at, octets=octets)


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
    require_as_listed(folder)
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


def _require_backup_of(folder: Path, log: str) -> None:
    try:
        told = read_manifest(folder).get("log")
    except IncompleteCheck as error:
        raise RequestError(f"{folder} holds no backup that could be renewed") from error
    if told != log:
        raise RequestError(f"{folder} holds a backup of another log, {told}")


def _copy_rest(source: DataPaths, target: DataPaths, *, with_keys: bool) -> None:
    """State, policy, places of pushes, enrolled certificates and keys; each file durable."""
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
    if source.push.is_dir():
        _copy_pushes(source.push, target.push)


def _copy_pushes(source: Path, target: Path) -> None:
    """Places and dead letters, but nothing that is only being written."""
    target.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    for path in sorted((*source.glob("*.json"), *source.glob("*.ndjson"))):
        _copy_file(path, target / path.name)


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
