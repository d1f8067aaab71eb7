"""The first start of a journal: names, key, first segment and first head.

The file ``identity`` is written last; it says that all the rest is there. A start that was cut
before it leaves nothing that holds a record, and is begun again.
"""

from collections.abc import Callable
from pathlib import Path

from audit.errors import ConfigurationError, IntegrityViolation
from audit.journal import layout
from audit.journal.files import Files
from audit.journal.head_publisher import HeadPublisher
from audit.journal.identity import Identity, LogKey, new_origin, parse_identity
from audit.journal.merkle import Tree
from audit.journal.note import Signer, is_key_name
from audit.journal.open_segment import OpenSegment
from audit.journal.segment import SegmentHead, encode_head
from audit.journal.signing_key import load_or_create_signing_key

_FOLDERS = (layout.SEGMENTS, layout.HEADS, layout.TREE)


def read_identity(journal_dir: Path) -> Identity:
    """Who the journal is.

    Raises:
        IntegrityViolation: the file is damaged.
        OSError: it can't be read, FileNotFoundError when there is no journal.
    """
    try:
        return parse_identity((journal_dir / layout.IDENTITY).read_bytes().decode())
    except UnicodeDecodeError as error:
        raise IntegrityViolation("the journal's identity is no text") from error


def load_or_create_identity(
    journal_dir: Path,
    key_file: Path,
    name_prefix: str,
    files: Files,
    clock: Callable[[], int],
) -> Identity:
    """Who the journal is, made with all that belongs to it when there is none.

    Raises:
        IntegrityViolation: there are records, but no identity; nothing was changed.
        ConfigurationError: the prefix can't be part of a key's name, or the key is unusable.
        OSError: the disk failed.
    """
    try:
        identity = read_identity(journal_dir)
    except FileNotFoundError:
        pass
    else:
        _remove_unfinished(journal_dir, files)
        return identity
    origin = new_origin()
    _require_no_records(journal_dir, origin)
    name = f"{name_prefix}/{origin}"
    if not is_key_name(name):
        raise ConfigurationError(
            f"log_name_prefix {name_prefix!r} holds a space, a plus or an unprintable character"
        )
    for folder in _FOLDERS:
        files.make_directory_durably(journal_dir / folder)
    _remove_remains(journal_dir, files)
    signer = Signer(name, load_or_create_signing_key(key_file, files))
    identity = Identity(origin, name, (LogKey(0, signer.verifier),))
    _create_first(journal_dir, origin, signer, files, clock())
    files.replace_durably(journal_dir / layout.IDENTITY, identity.text.encode())
    return identity


def _create_first(
    journal_dir: Path, origin: str, signer: Signer, files: Files, created_at: int
) -> None:
    head = SegmentHead(first_sequence=0, created_at=created_at, origin=origin)
    OpenSegment.create_durably(files, journal_dir, head).release()
    publisher = HeadPublisher(journal_dir, (signer,), files)
    try:
        publisher.publish(Tree(), 0)
    finally:
        publisher.close()


def _require_no_records(journal_dir: Path, origin: str) -> None:
    empty = len(encode_head(SegmentHead(first_sequence=0, created_at=0, origin=origin)))
    segments = journal_dir / layout.SEGMENTS
    if segments.is_dir() and any(path.stat().st_size > empty for path in segments.iterdir()):
        raise IntegrityViolation(
            f"{journal_dir} holds records, but its file {layout.IDENTITY} is missing; restore it"
        )


def _remove_remains(journal_dir: Path, files: Files) -> None:
    for folder in _FOLDERS:
        for path in sorted((journal_dir / folder).iterdir()):
            files.remove_durably(path)
    checkpoint = journal_dir / layout.CHECKPOINT
    if checkpoint.exists():
        files.remove_durably(checkpoint)
    _remove_unfinished(journal_dir, files)


def _remove_unfinished(journal_dir: Path, files: Files) -> None:
    for folder in (
        journal_dir,
        *(journal_dir / name for name in (*_FOLDERS, layout.REMOVALS, layout.SEALS)),
    ):
        for path in sorted(folder.glob(f"*{layout.UNFINISHED_SUFFIX}")):
            files.remove_durably(path)
