"""Checks signed heads: their numbers, signatures, and that they follow one another."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from audit.errors import IntegrityViolation
from audit.journal import layout
from audit.journal.heads import HeadRecord, latest_record, parse_history, read_checkpoint
from audit.journal.identity import Identity
from audit.journal.note import Checkpoint, VerifierKey, open_note, parse_checkpoint
from audit.journal.verify_report import Findings


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A head whose signature matches, and where it was read."""

    head: Checkpoint
    source: str


class HeadChecker:
    """Goes through the history file by file, in order."""

    def __init__(self, journal_dir: Path, identity: Identity | None, findings: Findings) -> None:
        self._dir = journal_dir
        self._identity = identity
        self._findings = findings
        self._number = 0
        self._last = Checkpoint("", -1, b"")

    def newest(self) -> SignedHead | None:
        """The newest head that is signed: that of the history, which holds the checkpoint too."""
        shown = self._shown()
        record = self._latest_record()
        kept = None if record is None else self._signed(record.note, layout.HEADS)
        if shown is None or (kept is not None and kept.size > shown.size):
            return None if kept is None else SignedHead(kept, layout.HEADS)
        if kept != shown:
            self._findings.violation(
                f"the head of size {shown.size} is missing from the history, or is another one",
                layout.HEADS,
            )
        return SignedHead(shown, layout.CHECKPOINT)

    def of_segment(self, first: int, *, is_last: bool) -> list[SignedHead]:
        """The heads that were published while that segment was open."""
        name = f"{layout.HEADS}/{layout.heads_name(first)}"
        try:
            octets = (self._dir / name).read_bytes()
        except FileNotFoundError:
            octets = b""
        records, end = parse_history(octets)
        if end != len(octets):
            self._remainder(name, end, len(octets) - end, is_last=is_last)
        heads = []
        for record in records:
            head = self._record(record, name)
            if head is not None:
                heads.append(SignedHead(head, name))
        return heads

    def _remainder(self, name: str, end: int, octets: int, *, is_last: bool) -> None:
        if is_last:
            self._findings.note(f"{octets} octets of an unfinished head end {name}")
        else:
            self._findings.violation("octets that are no signed head", name, offset=end)

    def _record(self, record: HeadRecord, name: str) -> Checkpoint | None:
        start = record.end - len(f"head {record.number}\n{record.note}\n".encode())
        if record.number != self._number:
            self._findings.violation(
                f"head {self._number} is missing, head {record.number} stands there",
                name,
                offset=start,
            )
        self._number = record.number + 1
        head = self._signed(record.note, name, start)
        if head is not None and head.size <= self._last.size:
            self._findings.violation(
                f"a head of size {head.size} follows one of {self._last.size}", name, offset=start
            )
        if head is not None:
            self._last = head
        return head

    def _shown(self) -> Checkpoint | None:
        try:
            note = read_checkpoint(self._dir)
        except IntegrityViolation as error:
            self._findings.violation(str(error), layout.CHECKPOINT)
            return None
        return self._signed(note, layout.CHECKPOINT)

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
            return signed_head(note, self._identity)
        except IntegrityViolation as error:
            self._findings.violation(str(error), name, offset=offset)
            return None


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
    head = parse_checkpoint(open_note(note, keys))
    if head.origin != identity.name:
        raise IntegrityViolation(f"a head of another log, {head.origin}")
    return head
