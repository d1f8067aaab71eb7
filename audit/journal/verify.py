"""Checks a journal from its files alone and writes nothing.

Every entry's checksum, sequence and leaf hash, the tree's hashes, each signed head's signature and
root, and the heads and feet of segments are recomputed. It may run beside the writer. Segments are
checked apart from each other, by several processes if asked for, and joined in order here.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from audit.errors import IncompleteCheck, IntegrityViolation
from audit.journal import layout
from audit.journal.epoch_seal import check_chain
from audit.journal.identity import Identity
from audit.journal.initialise import read_identity
from audit.journal.key_rotation import read_seals, seal_files
from audit.journal.merkle import HASH_OCTETS
from audit.journal.note import VerifierKey
from audit.journal.recovery import segment_files
from audit.journal.remove import removal_files
from audit.journal.tree_store import TreeReader, hashes_at_level
from audit.journal.verify_heads import HeadChecker, SignedHead, known_head
from audit.journal.verify_parallel import outcomes
from audit.journal.verify_removals import RemovalChecker
from audit.journal.verify_report import Findings, VerifyReport, Violation
from audit.journal.verify_segment import Passed, SegmentOutcome, SegmentTask, check_segment

_MOST_RUNS = 3
"""So often everything is looked at, when it is lawfully changed meanwhile."""

__all__ = ["VerifyOptions", "VerifyReport", "Violation", "verify"]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyOptions:
    """What else to hold against a journal.

    Attributes:
        known_heads: signed heads kept elsewhere; they find a journal that was rolled back.
        trusted_keys: one of the journal's keys must be one of these, when any are given; seals
            hand over from it. The first key tells most: only it signed the first entries.
        on_progress: told (octets read, octets in all).
        workers: processes that check segments; none are started for one, nor for a journal of
            less than ``parallel_from_octets``.
        parallel_from_octets: below it a process's start costs more than it saves.
    """

    known_heads: tuple[str, ...] = ()
    trusted_keys: tuple[VerifierKey, ...] = ()
    on_progress: Callable[[int, int], None] | None = None
    workers: int = 1
    parallel_from_octets: int = 256 << 20


def verify(journal_dir: Path, options: VerifyOptions | None = None) -> VerifyReport:
    """Check everything; the report tells what was found.

    Raises:
        IncompleteCheck: there is no journal, or a file of it can't be read.
    """
    options = VerifyOptions() if options is None else options
    try:
        if not any(journal_dir.iterdir()):
            raise IncompleteCheck(f"{journal_dir} is empty: no journal to verify")
        return _settled(journal_dir, options)
    except OSError as error:
        raise IncompleteCheck(f"not everything could be read: {error}") from error


def _settled(journal_dir: Path, options: VerifyOptions) -> VerifyReport:
    """The report of a run in which nobody removed bodies or replaced the key.

    What such a change leaves looks altered to a run that read the statements or the identity
    before it.
    """
    runs = 0
    while True:
        before, runs = _lawful_changes(journal_dir), runs + 1
        report = _Verification(journal_dir, options).run()
        if report.intact or runs == _MOST_RUNS or _lawful_changes(journal_dir) == before:
            return report


def _lawful_changes(journal_dir: Path) -> tuple[int, int]:
    return len(removal_files(journal_dir)), len(seal_files(journal_dir))


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
        self._octets_total = 0

    def run(self) -> VerifyReport:
        newest = self._heads.newest()
        covered = newest.head.size if newest is not None else 0
        known = [*self._known_heads(), *self._sealed_heads()]
        present = self._segments()
        tasks = list(self._tasks(present, known, covered))
        expected = 0
        passed: Passed | None = Passed(0, (), ())
        for task, outcome in zip(tasks, self._outcomes(tasks), strict=True):
            if task.first != expected:
                self._gap(expected, task.first, task.path)
            self._join(task, passed, outcome)
            passed = outcome.after
            expected = self._end_of(task, present) if passed is None else passed.size
        self._heads.check_shown()
        self._check_ends(newest, known, passed, expected)
        self._removals.check_rest()
        self._check_files(present, expected)
        return self._report(newest)

    def _tasks(
        self, present: list[tuple[int, Path]], known: Sequence[SignedHead], covered: int
    ) -> Iterator[SegmentTask]:
        for number, (first, _) in enumerate(present):
            is_last = number == len(present) - 1
            end = covered if is_last else present[number + 1][0]
            yield SegmentTask(
                journal_dir=self._dir,
                first=first,
                identity=self._identity,
                known_heads=tuple(_inside(known, first, end, is_last=is_last)),
                removals=self._removals.of_segment(first),
                covered=covered,
                is_last=is_last,
            )

    def _outcomes(self, tasks: Sequence[SegmentTask]) -> Iterator[SegmentOutcome]:
        workers = min(self._options.workers, len(tasks))
        if workers > 1 and self._octets_total >= self._options.parallel_from_octets:
            return outcomes(tasks, workers, self._tell_whole)
        return (check_segment(task, self._teller(task)) for task in tasks)

    def _join(self, task: SegmentTask, passed: Passed | None, outcome: SegmentOutcome) -> None:
        self._heads.join(outcome.heads)
        if None not in {passed, outcome.before} and passed != outcome.before:
            self._findings.violation(
                "the segment's head does not follow from the entries before it",
                f"{layout.SEGMENTS}/{task.path.name}",
                task.first,
                0,
            )
        self._findings.add(outcome.findings)

    @staticmethod
    def _end_of(task: SegmentTask, present: Sequence[tuple[int, Path]]) -> int:
        """Where a damaged segment ends, if nothing but its successor tells."""
        return next((first for first, _ in present if first > task.first), task.covered)

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
        passed: Passed | None,
        expected: int,
    ) -> None:
        if passed is None:
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
        known |= {layout.seal_name(number) for number, _ in seal_files(self._dir)}
        for name in sorted(_file_names(self._dir)):
            first = layout.first_sequence(name.rpartition("/")[2])
            if name in known or first in firsts or self._is_new(first, last):
                continue
            if first is None:
                self._findings.note(f"{name} is no part of the journal")
            elif first < last or (self._dir / name).stat().st_size:
                self._findings.violation("signed heads of a segment that is missing", name)
            else:
                self._findings.note(f"{name} is empty and belongs to no segment")

    def _is_new(self, first: int | None, last: int) -> bool:
        """Whether a writer began that segment since we looked; its file precedes its heads'."""
        if first is None or first <= last:
            return False
        return (self._dir / layout.SEGMENTS / layout.segment_name(first)).exists()

    def _tree_files(self, count: int) -> set[str]:
        names = set()
        level = 0
        while hashes := hashes_at_level(count, level):
            chunks = -(-hashes // layout.HASHES_PER_CHUNK)
            names |= {layout.chunk_name(level, chunk) for chunk in range(chunks)}
            excess = self._stored_tree.count(level) - hashes
            if excess > 0:
                self._findings.note(f"{excess} tree hashes of level {level} belong to no entry")
            last = self._dir / layout.chunk_name(level, chunks - 1)
            if last.exists() and last.stat().st_size % HASH_OCTETS:
                self._findings.note(f"an unfinished hash ends the tree's level {level}")
            level += 1
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
        if trusted and not any(key.verifier in trusted for key in identity.keys):
            self._findings.violation(
                "the journal is signed by a key that is not trusted", layout.IDENTITY
            )
        return identity

    def _sealed_heads(self) -> list[SignedHead]:
        """The heads at which one key handed over to the next, each sealed by both."""
        if self._identity is None:
            return []
        try:
            seals = read_seals(self._dir)
            check_chain(self._identity, seals)
        except IntegrityViolation as error:
            self._findings.violation(str(error), layout.SEALS)
            return []
        return [SignedHead(seal.head, layout.seal_name(seal.number)) for seal in seals]

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

    def _teller(self, task: SegmentTask) -> Callable[[int], None]:
        """Counts octets of a segment's image as the octets of its file that they stand for."""
        begun = self._octets_read
        stored, image = task.path.stat().st_size, 0

        def tell(octets: int) -> None:
            nonlocal image
            image += octets
            self._tell(begun + min(image, stored))

        return tell

    def _tell_whole(self, task: SegmentTask) -> None:
        self._tell(self._octets_read + task.path.stat().st_size)

    def _tell(self, octets: int) -> None:
        self._octets_read = octets
        if self._options.on_progress is not None:
            self._options.on_progress(octets, self._octets_total)

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


def _file_names(folder: Path) -> Iterator[str]:
    """Path of every file below the folder, its parts joined by slashes."""
    for below, _, names in os.walk(folder):
        inside = Path(below).relative_to(folder).as_posix()
        yield from (name if inside == "." else f"{inside}/{name}" for name in names)


def _inside(
    known: Sequence[SignedHead], first: int, end: int, *, is_last: bool
) -> list[SignedHead]:
    """The heads kept elsewhere whose size falls into a segment."""
    return [
        signed
        for signed in known
        if first < signed.head.size and (is_last or signed.head.size <= end)
    ]
