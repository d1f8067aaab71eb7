"""Checks a journal from its files alone and writes nothing.

Every entry's checksum, sequence and leaf hash, the tree's hashes, each signed head's signature and
root, and the heads and feet of segments are recomputed. It may run beside the writer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from audit.errors import IncompleteCheck, IntegrityViolation
from audit.journal import layout
from audit.journal.identity import Identity
from audit.journal.initialise import read_identity
from audit.journal.master_keys import KeyMissing
from audit.journal.merkle import HASH_OCTETS
from audit.journal.note import VerifierKey
from audit.journal.recovery import segment_files
from audit.journal.tree_store import TreeReader, hashes_at_level
from audit.journal.verify_heads import HeadChecker, SignedHead, known_head
from audit.journal.verify_removals import RemovalChecker
from audit.journal.verify_report import Findings, VerifyReport, Violation
from audit.journal.verify_segment import Progress, SegmentChecker, open_segment

__all__ = ["VerifyOptions", "VerifyReport", "Violation", "verify"]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyOptions:
    """What else to hold against a journal.

    Attributes:
        known_heads: signed heads kept elsewhere; they find a journal that was rolled back.
        trusted_keys: the journal's newest key must be one of these, when any are given.
        on_progress: told (octets read, octets in all).
    """

    known_heads: tuple[str, ...] = ()
    trusted_keys: tuple[VerifierKey, ...] = ()
    on_progress: Callable[[int, int], None] | None = None


def verify(journal_dir: Path, options: VerifyOptions | None = None) -> VerifyReport:
    """Check everything; the report tells what was found.

    Raises:
        IncompleteCheck: there is no journal, or a file of it can't be read.
    """
    options = VerifyOptions() if options is None else options
    try:
        if not any(journal_dir.iterdir()):
            raise IncompleteCheck(f"{journal_dir} is empty: no journal to verify")
        return _Verification(journal_dir, options).run()
    except OSError as error:
        raise IncompleteCheck(f"not everything could be read: {error}") from error


class _Verification:
    def __init__(self, journal_dir: Path, options: VerifyOptions) -> None:
        self._dir = journal_dir
        self._options = options
        self._findings = Findings()
        self._identity = self._read_identity()
        self._heads = HeadChecker(journal_dir, self._identity, self._findings)
        self._stored_tree = TreeReader(journal_dir)
        self._removals = RemovalChecker(journal_dir, self._identity, self._findings)
        self._octets_read = 0
        self._stored_share = 1.0
        self._octets_total = 0

    def run(self) -> VerifyReport:
        newest = self._heads.newest()
        covered = newest.head.size if newest is not None else 0
        known = self._known_heads()
        present = self._segments()
        progress = Progress()
        expected = 0
        for number, (first, path) in enumerate(present):
            is_last = number == len(present) - 1
            if first != expected:
                self._gap(expected, first, path)
            before_next = covered if is_last else present[number + 1][0]
            heads = self._heads.of_segment(first, is_last=is_last) + _inside(
                known, first, before_next, is_last=is_last
            )
            self._check_segment(first, path, progress, heads, covered, is_last=is_last)
            expected = progress.tree.size if progress.tree is not None else before_next
        self._check_ends(newest, known, progress, expected)
        self._removals.check_rest()
        self._check_files(present, expected)
        return self._report(newest)

    def _check_segment(
        self,
        first: int,
        path: Path,
        progress: Progress,
        heads: list[SignedHead],
        covered: int,
        *,
        is_last: bool,
    ) -> None:
        origin = "" if self._identity is None else self._identity.origin
        try:
            octets = open_segment(path, first, origin)
        except KeyMissing as error:
            self._findings.unchecked.append(str(error))
            self._removals.of_segment(first)
            progress.tree = None
            return
        except IntegrityViolation as error:
            self._findings.violation(str(error), f"{layout.SEGMENTS}/{path.name}", first, 0)
            progress.tree = None
            return
        with octets:
            self._stored_share = octets.stored_size() / max(1, octets.size())
            try:
                SegmentChecker(
                    octets,
                    progress,
                    heads,
                    covered,
                    self._stored_tree,
                    self._findings,
                    removals=self._removals.of_segment(first),
                    is_last=is_last,
                ).check(self._tell_progress)
            except IntegrityViolation as error:
                self._findings.violation(str(error), layout.TREE, first)
                progress.tree = None

    def _gap(self, expected: int, first: int, path: Path) -> None:
        self._findings.violation(
            f"entries from {expected} on are missing: the next segment begins at {first}",
            f"{layout.SEGMENTS}/{path.name}",
            min(expected, first),
        )

    def _check_ends(
        self,
        newest: SignedHead | None,
        known: Sequence[SignedHead],
        progress: Progress,
        expected: int,
    ) -> None:
        if progress.tree is None:
            return
        for signed in [newest, *known]:
            if signed is not None and signed.head.size > expected:
                self._findings.violation(
                    f"the journal ends at {expected}, but a signed head covers "
                    f"{signed.head.size} entries",
                    signed.source,
                    expected,
                )

    def _check_files(self, present: list[tuple[int, Path]], count: int) -> None:
        firsts = {first for first, _ in present}
        last = max(firsts, default=0)
        known = {layout.IDENTITY, layout.CHECKPOINT, *self._tree_files(count)}
        known |= self._removals.files
        for path in sorted(self._dir.rglob("*")):
            name = path.relative_to(self._dir).as_posix()
            first = layout.first_sequence(path.name)
            if not path.is_file() or name in known or first in firsts:
                continue
            if first is None:
                self._findings.note(f"{name} is no part of the journal")
            elif first < last:
                self._findings.violation("signed heads of a segment that is missing", name)

    def _tree_files(self, count: int) -> set[str]:
        names = set()
        level = 0
        while hashes := hashes_at_level(count, level):
            chunks = -(-hashes // layout.HASHES_PER_CHUNK)
            names |= {layout.chunk_name(level, chunk) for chunk in range(chunks)}
            excess = self._stored_tree.count(level) - hashes
            if excess > 0:
                self._findings.note(f"{excess} tree hashes of level {level} belong to no entry")
            level += 1
        last = self._dir / layout.chunk_name(0, max(0, count - 1) // layout.HASHES_PER_CHUNK)
        if last.exists() and last.stat().st_size % HASH_OCTETS:
            self._findings.note("an unfinished hash ends the tree's level 0")
        return names

    def _read_identity(self) -> Identity | None:
        try:
            identity = read_identity(self._dir)
        except IntegrityViolation as error:
            self._findings.violation(str(error), layout.IDENTITY)
            return None
        except FileNotFoundError:
            self._findings.violation("the journal's identity is missing", layout.IDENTITY)
            return None
        trusted = self._options.trusted_keys
        if trusted and identity.current_key not in trusted:
            self._findings.violation(
                "the journal is signed by a key that is not trusted", layout.IDENTITY
            )
        return identity

    def _known_heads(self) -> list[SignedHead]:
        heads = []
        for number, note in enumerate(self._options.known_heads, 1):
            source = f"known head {number}"
            if self._identity is None:
                break
            try:
                head = known_head(note, self._identity, self._options.trusted_keys)
            except IntegrityViolation as error:
                self._findings.violation(str(error), source)
                continue
            heads.append(SignedHead(head, source))
        return heads

    def _segments(self) -> list[tuple[int, Path]]:
        try:
            present = segment_files(self._dir)
        except FileNotFoundError:
            present = []
        if not present:
            self._findings.violation("the journal has no segments", layout.SEGMENTS, 0)
        self._octets_total = sum(path.stat().st_size for _, path in present)
        return present

    def _tell_progress(self, octets: int) -> None:
        self._octets_read += round(octets * self._stored_share)
        if self._options.on_progress is not None:
            self._options.on_progress(self._octets_read, self._octets_total)

    def _report(self, newest: SignedHead | None) -> VerifyReport:
        found, identity = self._findings, self._identity
        return VerifyReport(
            origin="" if identity is None else identity.origin,
            verifier_key="" if identity is None else identity.current_key.text,
            segments=found.segments,
            entries=found.entries,
            octets=found.octets,
            removed=found.removed,
            heads=found.heads,
            covered=0 if newest is None else newest.head.size,
            root="" if newest is None else newest.head.root.hex(),
            violations=tuple(found.violations),
            violation_count=found.violation_count,
            notes=tuple(found.notes),
            unchecked=tuple(found.unchecked),
        )


def _inside(
    known: Sequence[SignedHead], first: int, end: int, *, is_last: bool
) -> list[SignedHead]:
    """The heads kept elsewhere whose size falls into a segment."""
    return [
        signed
        for signed in known
        if first < signed.head.size and (is_last or signed.head.size <= end)
    ]
