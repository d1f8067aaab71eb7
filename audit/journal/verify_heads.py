"""Checks signed heads: their numbers, signatures, and that they follow one another."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from audit.errors import IntegrityViolation
from audit.journal import layout
from audit.journal.heads import HeadRecord, latest_record, parse_history, read_checkpoint
from audit.journal.identity import Identity
from audit.journal.note import (
    Checkpoint,
    VerifierKey,
    open_note,
    open_note_by,
    parse_checkpoint,
    split_note,
)
from audit.journal.verify_report import Findings


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A head whose signature matches, and where it was read."""

    head: Checkpoint
    source: str


@dataclass(slots=True, kw_only=True)
class HeadsOfSegment:
    """The heads that were published while one segment was open, as its file tells them.

    Attributes:
        name: the file's.
        signed: those whose signature matches.
        notes: the same, as they stand there, with their signature lines.
        findings: what is wrong among them.
        begins: number of the first record, None without one.
        ends: the number that the next record has.
        smallest: size of the first head that is signed, None without one.
        largest: of the last one.
    """

    name: str
    signed: list[SignedHead] = field(default_factory=list)
    notes: set[str] = field(default_factory=set)
    findings: Findings = field(default_factory=Findings)
    begins: int | None = None
    ends: int = 0
    smallest: int | None = None
    largest: int = -1


def heads_of_segment(
    journal_dir: Path, first: int, identity: Identity | None, *, is_last: bool
) -> HeadsOfSegment:
    """Check the signatures in one file of the history, and that its heads follow one another."""
    found = HeadsOfSegment(name=f"{layout.HEADS}/{layout.heads_name(first)}")
    try:
        octets = (journal_dir / found.name).read_bytes()
    except FileNotFoundError:
        octets = b""
    records, end = parse_history(octets)
    if end != len(octets) and is_last:
        found.findings.note(f"{len(octets) - end} octets of an unfinished head end {found.name}")
    elif end != len(octets):
        found.findings.violation("octets that are no signed head", found.name, offset=end)
    for record in records:
        _take_record(found, record, identity)
    return found


def _take_record(found: HeadsOfSegment, record: HeadRecord, identity: Identity | None) -> None:
    start = record.end - len(f"head {record.number}\n{record.note}\n".encode())
    if found.begins is None:
        found.begins = found.ends = record.number
    if record.number != found.ends:
        found.findings.violation(
            f"head {found.ends} is missing, head {record.number} stands there",
            found.name,
            offset=start,
        )
    found.ends = record.number + 1
    if identity is None:
        return
    try:
        head = kept_head(record.note, identity)
    except IntegrityViolation as error:
        found.findings.violation(str(error), found.name, offset=start)
        return
    if head.size <= found.largest:
        found.findings.violation(
            f"a head of size {head.size} follows one of {found.largest}", found.name, offset=start
        )
    found.signed.append(SignedHead(head, found.name))
    found.notes.add(record.note)
    found.largest = head.size
    if found.smallest is None:
        found.smallest = head.size


class _Shown(NamedTuple):
    """The head in the file ``checkpoint``, and the whole of that file."""

    head: Checkpoint
    note: str


class HeadChecker:
    """The newest head, and the history's files in order."""

    def __init__(self, journal_dir: Path, identity: Identity | None, findings: Findings) -> None:
        self._dir = journal_dir
        self._identity = identity
        self._findings = findings
        self._number = 0
        self._largest = -1
        self._missing: _Shown | None = None

    def newest(self) -> SignedHead | None:
        """The newest head that is signed: that of the history, which holds the checkpoint too."""
        self._missing = self._shown()
        shown = None if self._missing is None else self._missing.head
        record = self._latest_record()
        kept = None if record is None else self._signed(record.note, layout.HEADS)
        if shown is not None and kept is not None and kept.size > shown.size:
            self._note_stale(kept)
        if shown is None or (kept is not None and kept.size > shown.size):
            return None if kept is None else SignedHead(kept, layout.HEADS)
        return SignedHead(shown, layout.CHECKPOINT)

    def check_shown(self) -> None:
        """After the last file of the history: the head that is shown was among its heads."""
        if self._missing is not None:
            self._findings.violation(
                f"the head of size {self._missing.head.size} is missing from the history, "
                f"or stands there with other lines than in {layout.CHECKPOINT}",
                layout.HEADS,
            )

    def _note_stale(self, kept: Checkpoint) -> None:
        """A crash leaves the checkpoint behind, and a writer beside us has gone on by now."""
        try:
            note = read_checkpoint(self._dir)
            size = parse_checkpoint(note.partition("\n\n")[0] + "\n").size
        except IntegrityViolation:
            return  # found already, or being replaced
        if size < kept.size:
            self._findings.note(
                f"{layout.CHECKPOINT} shows a head of size {size}; the newest is of {kept.size}"
            )

    def join(self, found: HeadsOfSegment) -> None:
        """The next file of the history: it goes on where the one before ended."""
        if found.begins is not None and found.begins != self._number:
            self._findings.violation(
                f"head {self._number} is missing, head {found.begins} stands there",
                found.name,
                offset=0,
            )
        if found.smallest is not None and found.smallest <= self._largest:
            self._findings.violation(
                f"a head of size {found.smallest} follows one of {self._largest}", found.name
            )
        if self._missing is not None and self._missing.note in found.notes:
            self._missing = None
        self._findings.add(found.findings)
        self._number = self._number if found.begins is None else found.ends
        self._largest = self._largest if found.smallest is None else found.largest

    def _shown(self) -> _Shown | None:
        try:
            note = read_checkpoint(self._dir)
        except IntegrityViolation as error:
            self._findings.violation(str(error), layout.CHECKPOINT)
            return None
        head = self._signed(note, layout.CHECKPOINT)
        return None if head is None else _Shown(head, note)

    def _latest_record(self) -> HeadRecord | None:
        try:
            record = latest_record(self._dir)
        except OSError as error:
            self._findings.violation(f"can't be read: {error}", layout.HEADS)
            return None
        if record is None:
            self._findings.violation("the history holds no signed head", layout.HEADS)
        return record

    def _signed(self, note: str, name: str, offset: int | None = None) -> Checkpoint | None:
        if self._identity is None:
            return None
        try:
            return kept_head(note, self._identity)
        except IntegrityViolation as error:
            self._findings.violation(str(error), name, offset=offset)
            return None


def kept_head(note: str, identity: Identity) -> Checkpoint:
    """As ``signed_head``, for a head in the journal's folder: no other line stands below it.

    Raises:
        IntegrityViolation: it is not signed so, or it is another log's head.
    """
    text, lines = split_note(note)
    head = parse_checkpoint(text)
    for signers in identity.signers_at(head.size):
        if len(signers) == len(lines):
            return _of(identity, parse_checkpoint(open_note_by(note, signers)))
    raise IntegrityViolation(f"a head of size {head.size} has {len(lines)} signatures")


def signed_head(note: str, identity: Identity) -> Checkpoint:
    """What a note says, when the key in force at that size signed it for this log.

    Raises:
        IntegrityViolation: it did not, or it is another log's head.
    """
    claimed = parse_checkpoint(note.partition("\n\n")[0] + "\n")
    return _own(note, [identity.key_at(claimed.size)], identity)


def known_head(note: str, identity: Identity, keys: Sequence[VerifierKey]) -> Checkpoint:
    """What a head kept elsewhere says, when any of the log's or the given keys signed it.

    Raises:
        IntegrityViolation: none did, or it is another log's head.
    """
    return _own(note, [*(key.verifier for key in identity.keys), *keys], identity)


def _own(note: str, keys: Sequence[VerifierKey], identity: Identity) -> Checkpoint:
    return _of(identity, parse_checkpoint(open_note(note, keys)))


def _of(identity: Identity, head: Checkpoint) -> Checkpoint:
    if head.origin != identity.name:
        raise IntegrityViolation(f"a head of another log, {head.origin}")
    return head
