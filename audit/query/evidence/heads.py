"""Which signed heads stand in a bundle, and that each led to the one its proofs use."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from audit.errors import IntegrityViolation, JournalUnavailable
from audit.journal.checkpoint_cosigned import CosignedHeads
from audit.journal.heads import read_checkpoint
from audit.journal.note import Checkpoint, VerifierKey, open_note, parse_checkpoint
from audit.journal.proof import prove_growth
from audit.query.evidence.options import EvidenceOptions

_POLL_S = 0.05

Keys = tuple[VerifierKey, ...]


@dataclass(frozen=True, slots=True)
class Head:
    """A signed head: its note verbatim, and what it says."""

    note: str
    checkpoint: Checkpoint


def covering_head(options: EvidenceOptions, key: VerifierKey, sequence: int) -> Head:
    """The newest head, once it covers the entry.

    Args:
        options: where heads are, and how long to wait.
        key: the log's present one, which the bundle will be checked with.
        sequence: of the entry.

    Raises:
        JournalUnavailable: none does within the patience.
        IntegrityViolation: the head is not signed by that key.
    """
    deadline = time.monotonic() + options.head_patience_s
    pause = Event()
    while True:
        note = read_checkpoint(options.journal_dir)
        head = Head(note, parse_checkpoint(open_note(note, (key,))))
        if head.checkpoint.size > sequence:
            return head
        if time.monotonic() > deadline:
            raise JournalUnavailable(f"no signed head covers entry {sequence} yet; try again")
        pause.wait(_POLL_S)


def head_members(options: EvidenceOptions, keys: Keys, main: Head) -> Iterator[tuple[str, bytes]]:
    """Earlier heads with cosignatures or timestamps: name and content of each member."""
    for number, (head, timestamps) in enumerate(_earlier(options, keys, main), 1):
        size = head.checkpoint.size
        growth = prove_growth(options.journal_dir, keys, size, main.note)
        yield f"log/heads/{number:03d}.checkpoint", head.note.encode()
        yield f"log/heads/{number:03d}.growth", growth.text.encode()
        for place, octets in enumerate(timestamps, 1):
            yield f"log/heads/{number:03d}-{place}.tsr", octets


def _earlier(
    options: EvidenceOptions, keys: Keys, main: Head
) -> Iterator[tuple[Head, tuple[bytes, ...]]]:
    """The newest cosigned head, and heads with their timestamps."""
    if options.cosigned is not None:
        found = CosignedHeads(options.cosigned).witnessed(keys)
        if found is not None and found[1].size <= main.checkpoint.size:
            yield Head(*found), ()
    if options.timestamps is None:
        return
    paths = sorted(options.timestamps.glob("*.checkpoint"), reverse=True)
    for path in paths[: options.timestamped_heads]:
        head = _kept_head(path, keys)
        if head is not None and head.checkpoint.size <= main.checkpoint.size:
            answers = sorted(path.parent.glob(f"{path.stem}*.tsr"))
            yield head, tuple(answer.read_bytes() for answer in answers)


def _kept_head(path: Path, keys: Keys) -> Head | None:
    try:
        note = path.read_bytes().decode()
        return Head(note, parse_checkpoint(open_note(note, keys)))
    except (OSError, UnicodeDecodeError, IntegrityViolation):
        return None
