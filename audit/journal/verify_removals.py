"""Checks that each body that is gone is gone by right: by a statement that the log signed."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from audit.errors import IntegrityViolation
from audit.journal import layout
from audit.journal.identity import Identity
from audit.journal.removal import Removal, signed_removal
from audit.journal.remove import removal_files
from audit.journal.segment_file import Placed, SegmentFile
from audit.journal.verify_report import Findings


@dataclass(slots=True)
class _Watched:
    """A statement, and what was found of the entries that it names."""

    removal: Removal
    name: str
    found: int = 0
    digest: Any = field(default_factory=sha256)


class SegmentRemovals:
    """The statements about one segment, held against its entries in order."""

    def __init__(self, statements: Iterable[tuple[Removal, str]], findings: Findings) -> None:
        self._findings = findings
        self._watched = [_Watched(removal, name) for removal, name in statements]
        self._statement_of: dict[int, _Watched] = {}
        for one in self._watched:
            for sequence in one.removal.sequences():
                if self._statement_of.setdefault(sequence, one) is not one:
                    findings.violation("two statements remove the same entry", one.name, sequence)

    def take(self, octets: SegmentFile, placed: Placed) -> None:
        """An entry without its body."""
        sequence = placed.entry.sequence
        watched = self._statement_of.get(sequence)
        if watched is None:
            self._findings.violation(
                "the entry's body was removed, and no signed statement says by what right",
                f"{layout.SEGMENTS}/{octets.path.name}",
                sequence,
                placed.offset,
            )
            return
        watched.found += 1
        watched.digest.update(octets.octets(placed.offset, placed.end - placed.offset))
        self._findings.removed += 1

    def check_end(self, segment_name: str) -> None:
        """After the last entry: each statement is carried out whole, or not at all."""
        for watched in self._watched:
            removal = watched.removal
            if watched.found == 0:
                self._findings.note(
                    f"{watched.name} is not carried out yet: {removal.count} bodies are still "
                    "there; run: arr retention finish"
                )
            elif watched.found != removal.count or watched.digest.digest() != removal.digest:
                self._findings.violation(
                    f"what is left of removed entries is not what {watched.name} tells",
                    segment_name,
                    removal.spans[0][0],
                )


class RemovalChecker:
    """All statements of a journal."""

    def __init__(self, journal_dir: Path, identity: Identity | None, findings: Findings) -> None:
        self._findings = findings
        self._of_segment: dict[int, list[tuple[Removal, str]]] = {}
        self.files: set[str] = set()
        if identity is not None:
            self._read(journal_dir, identity)

    def of_segment(self, first: int) -> tuple[tuple[Removal, str], ...]:
        """Those about the segment that begins there, with their names; to be asked for once."""
        return tuple(self._of_segment.pop(first, ()))

    def check_rest(self) -> None:
        """After the last segment: no statement is about one that is not there."""
        for _, name in [one for many in self._of_segment.values() for one in many]:
            self._findings.violation("a statement about a segment that is not there", name)

    def _read(self, journal_dir: Path, identity: Identity) -> None:
        expected = 0
        for number, path in removal_files(journal_dir):
            name = layout.removal_name(number)
            self.files.add(name)
            if number != expected:
                self._findings.violation(f"statement {expected} of removal is missing", name)
            expected = number + 1
            try:
                removal = signed_removal(path.read_bytes().decode(), identity)
            except (IntegrityViolation, UnicodeDecodeError) as error:
                self._findings.violation(f"no statement of removal: {error}", name)
                continue
            if removal.number != number:
                self._findings.violation(f"statement {removal.number} stands here", name)
            self._of_segment.setdefault(removal.segment, []).append((removal, name))
