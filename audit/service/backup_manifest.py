"""The list of a backup's files, signed by the log: what is in it, and nothing else."""

import json
from collections.abc import Iterator, Mapping
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

from audit.errors import IncompleteCheck, IntegrityViolation
from audit.journal.files import Files
from audit.journal.initialise import read_identity
from audit.journal.note import Signer, encode_base64, open_note

MANIFEST = "backup.json"
SIGNATURE = "backup.note"
FORMAT = "arr-backup 1"
_JOURNAL = "journal"


def write_manifest(folder: Path, told: Mapping[str, Any], signer: Signer) -> None:
    """Say what is in the backup, durably; the log signs it.

    Raises:
        OSError: it can't be written.
    """
    octets = json.dumps({"format": FORMAT, **told}, indent=1).encode()
    Files().replace_durably(folder / MANIFEST, octets)
    note = signer.sign(_text(signer.name, octets))
    Files().replace_durably(folder / SIGNATURE, note.encode())


def read_manifest(folder: Path) -> Mapping[str, Any]:
    """What the backup says of itself, nothing of it checked.

    Raises:
        IncompleteCheck: there is no backup, or it was never finished.
    """
    try:
        told = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _no_backup(folder, error) from error
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise _no_backup(folder, f"its {MANIFEST} has no known format")
    return told


def require_as_listed(folder: Path) -> None:
    """The backup holds the files that its manifest lists, and the log signed that.

    Raises:
        IncompleteCheck: this is no whole backup, or it can't be read.
        IntegrityViolation: a file is altered, missing or added, or the manifest is not signed by
            the log whose journal this is.
    """
    told = read_manifest(folder)
    try:
        listed = {name: (int(size), str(digest)) for name, (size, digest) in told["files"].items()}
        found = listed_files(folder)
        _require_signed(folder)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise _no_backup(folder, error) from error
    if listed != found:
        names = sorted(
            name for name in listed.keys() | found.keys() if listed.get(name) != found.get(name)
        )
        raise IntegrityViolation(f"{folder} is not as it was written: {', '.join(names[:5])}")


def listed_files(folder: Path) -> dict[str, tuple[int, str]]:
    """Size and SHA-256 of every file but the manifest and its signature, by path.

    Raises:
        IntegrityViolation: there is something else than files and folders, such as a link, which
            would bring in what lies elsewhere.
        OSError: a file can't be read.
    """
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_size, _sha256(path))
        for path in _files(folder)
    }


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise IntegrityViolation(f"{path} is neither a file nor a folder")
        if path.is_file() and path not in {folder / MANIFEST, folder / SIGNATURE}:
            yield path


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()


def _text(log: str, manifest: bytes) -> str:
    return f"{FORMAT}\nlog {log}\nmanifest {encode_base64(sha256(manifest).digest())}\n"


def _require_signed(folder: Path) -> None:
    identity = read_identity(folder / _JOURNAL)
    note = (folder / SIGNATURE).read_bytes().decode()
    text = open_note(note, [identity.current_key])
    if text != _text(identity.name, (folder / MANIFEST).read_bytes()):
        raise IntegrityViolation(f"{folder}: the log signed another {MANIFEST}")


def _no_backup(folder: Path, why: object) -> IncompleteCheck:
    return IncompleteCheck(f"{folder} is no whole backup: its {MANIFEST} can't be read: {why}")
