"""Checks one segment: head, every entry, the tree's hashes, signed roots, foot.

Nothing here depends on other segments: what the head says of those before it is compared when
the outcomes are joined, in order. So segments can be checked by several processes at once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from audit.errors import IntegrityViolation
from audit.journal import layout, segment
from audit.journal.entry_walk import EntryWalk, Walked
from audit.journal.identity import Identity
from audit.journal.master_keys import KeyMissing
from audit.journal.merkle import HASH_OCTETS
from audit.journal.open_segment import SegmentContents
from audit.journal.recovery import note_certificate
from audit.journal.removal import Removal
from audit.journal.segment import KnownCertificates
from audit.journal.segment_file import Placed, SegmentFile
from audit.journal.tree_store import TreeReader, hashes_at_level
from audit.journal.verify_heads import HeadsOfSegment, SignedHead, heads_of_segment
from audit.journal.verify_removals import SegmentRemovals
from audit.journal.verify_report import Findings

_WINDOW_OCTETS = 1 << 20
_NO_MORE_HEADS = 1 << 64

OnOctets = Callable[[int], None]
"""Told octets of the segment that were read since the last call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentTask:
    """All that is needed to check one segment; may be handed to another process.

    Attributes:
        journal_dir: the journal.
        first: sequence that the file's name tells.
        identity: the log's, None when it is damaged.
        known_heads: heads kept elsewhere whose size falls into the segment.
        removals: the statements about the segment, each with its name.
        covered: entries below the newest signed head.
        is_last: it has no successor.
    """

    journal_dir: Path
    first: int
    identity: Identity | None
    known_heads: tuple[SignedHead, ...]
    removals: tuple[tuple[Removal, str], ...]
    covered: int
    is_last: bool

    @property
    def path(self) -> Path:
        """The segment's file."""
        return self.journal_dir / layout.SEGMENTS / layout.segment_name(self.first)


class Passed(NamedTuple):
    """The log at one point, as a segment's head tells it or as its entries make it.

    Attributes:
        size: entries.
        peaks: of their tree.
        certificates: among them, as a head names them.
    """

    size: int
    peaks: tuple[bytes, ...]
    certificates: tuple[tuple[bytes, int], ...]


@dataclass(slots=True, kw_only=True)
class SegmentOutcome:
    """What the check of one segment found.

    Attributes:
        heads: what was found of the signed heads.
        findings: all else, in the order found.
        before: what the segment's head tells of the entries before; None when it is unreadable.
        after: the log after its last entry; None when that isn't certain.
    """

    heads: HeadsOfSegment
    findings: Findings = field(default_factory=Findings)
    before: Passed | None = None
    after: Passed | None = None


def check_segment(task: SegmentTask, on_octets: OnOctets | None = None) -> SegmentOutcome:
    """Check one segment and the signed heads published while it was the last.

    Raises:
        OSError: it can't be read.
    """
    heads = heads_of_segment(task.journal_dir, task.first, task.identity, is_last=task.is_last)
    outcome = SegmentOutcome(heads=heads)
    findings, name = outcome.findings, f"{layout.SEGMENTS}/{task.path.name}"
    removals = SegmentRemovals(task.removals, findings)
    try:
        octets = open_segment(task.path, task.first, task.identity)
    except KeyMissing as error:
        findings.unchecked.append(str(error))
        return outcome
    except IntegrityViolation as error:
        findings.violation(str(error), name, task.first, 0)
        return outcome
    with octets:
        try:
            SegmentChecker(octets, task, outcome, removals).check(on_octets or _nobody)
        except IntegrityViolation as error:
            findings.violation(str(error), layout.TREE, task.first)
            outcome.after = None
    return outcome


def _nobody(_: int) -> None:
    """Nobody wants to know."""


class SegmentChecker:
    """Checks one open segment file and fills the outcome."""

    def __init__(
        self,
        octets: SegmentFile,
        task: SegmentTask,
        outcome: SegmentOutcome,
        removals: SegmentRemovals,
    ) -> None:
        head = octets.head
        self._octets = octets
        self._outcome = outcome
        self._heads = sorted(
            [*outcome.heads.signed, *task.known_heads], key=lambda signed: signed.head.size
        )
        self._covered = task.covered
        self._stored_tree = TreeReader(task.journal_dir)
        self._findings = outcome.findings
        self._removals = removals
        self._is_last = task.is_last
        self._name = f"{layout.SEGMENTS}/{octets.path.name}"
        self._contents = SegmentContents(head, octets.entries_start)
        self._tree = head.tree
        self._certificates = KnownCertificates(head.certificates)
        self._completed: dict[int, bytearray] = {}
        self._good_size = head.first_sequence
        self._next_head = 0
        self._next_head_size = 0
        self._problem = ""
        self._foreign = False
        outcome.before = Passed(head.first_sequence, head.peaks, head.certificates)

    def check(self, on_octets: OnOctets) -> None:
        """Read the whole segment; the outcome tells."""
        stored = self._stored_leaves()
        self._compare_roots()
        self._read(stored, on_octets)
        whole = self._check_end()
        self._removals.check_end(self._name)
        self._compare_levels()
        self._findings.segments += 1
        self._findings.octets += self._octets.size()
        if whole:
            self._outcome.after = Passed(
                self._tree.size, self._tree.peaks, self._certificates.pairs()
            )

    def _read(self, stored: bytes, on_octets: OnOctets) -> None:
        """Walk the entries window by window, up to the first octets that are none."""
        walk, size = EntryWalk(), self._octets.size()
        wanted, told = _WINDOW_OCTETS, 0
        try:
            while wanted and self._contents.end < size:
                place = self._contents.end
                length = min(wanted, size - place)
                window = self._octets.octets(place, length)
                walked = walk.walk(window, place, self._contents.next_sequence)
                self._take(walked, stored)
                wanted = self._next_wanted(walked, len(window) - length, size - place - length)
                on_octets(self._contents.end - told)
                told = self._contents.end
        except IntegrityViolation as error:
            self._problem = str(error)
        on_octets(size - told)

    def _next_wanted(self, walked: Walked, lacking: int, beyond: int) -> int:
        """How large the next window is; 0 at the end of the entries, with the problem noted."""
        self._problem, self._foreign = walked.problem, walked.foreign
        if walked.problem:
            return 0
        if walked.ends:
            return _WINDOW_OCTETS
        if lacking < 0 or not beyond:
            self._problem = "an entry is cut short"
            return 0
        return max(walked.needed, _WINDOW_OCTETS)

    def _take(self, walked: Walked, stored: bytes) -> None:
        number, first = len(self._contents.offsets), self._contents.next_sequence
        begin = self._contents.end
        self._contents.extend(walked.ends, walked.earliest, walked.latest)
        self._compare_leaves(walked, stored[number * HASH_OCTETS :], number)
        for place, decoded in walked.special:
            entry = decoded.entry
            if entry.is_removed:
                start = walked.ends[place - 1] if place else begin
                end = walked.ends[place]
                self._removals.take(self._octets, Placed(entry, start, end, decoded))
            note_certificate(self._certificates, entry)
        self._findings.entries += len(walked.ends)
        self._grow(walked.leaves, first)

    def _compare_leaves(self, walked: Walked, stored: bytes, number: int) -> None:
        found = b"".join(walked.leaves)
        if stored.startswith(found) or found.startswith(stored):
            return
        for place, leaf in enumerate(walked.leaves):
            kept = stored[place * HASH_OCTETS : (place + 1) * HASH_OCTETS]
            if kept and leaf != kept:
                self._findings.violation(
                    "the entry is not the one whose leaf hash was kept",
                    self._name,
                    self._contents.head.first_sequence + number + place,
                    self._contents.offsets[number + place],
                )

    def _grow(self, leaves: Sequence[bytes], first: int) -> None:
        """Let the tree grow, with a stop at the size of each signed head."""
        start = 0
        while start < len(leaves):
            stop = min(len(leaves), self._next_head_size - first)
            for level, nodes in self._tree.extend(leaves[start:stop]):
                self._completed.setdefault(level, bytearray()).extend(nodes)
            start = stop
            if self._tree.size >= self._next_head_size:
                self._compare_roots()

    def _stored_leaves(self) -> bytes:
        first = self._octets.head.first_sequence
        present = self._stored_tree.count(0)
        end = min(present, self._covered)
        if self._is_last and end < self._covered:
            self._findings.violation(
                f"leaf hashes from {end} to {self._covered} are missing", layout.chunk_name(0, 0)
            )
        count = max(0, min(end - first, self._octets.size() // HASH_OCTETS))
        try:
            return self._stored_tree.hashes(0, first, count)
        except IntegrityViolation as error:
            chunk = first // layout.HASHES_PER_CHUNK
            self._findings.violation(str(error), layout.chunk_name(0, chunk), first)
            return b""

    def _compare_roots(self) -> None:
        self._next_head_size = _NO_MORE_HEADS
        while self._next_head < len(self._heads):
            signed = self._heads[self._next_head]
            if signed.head.size > self._tree.size:
                self._next_head_size = signed.head.size
                return
            self._next_head += 1
            if signed.head.size == self._tree.size:
                self._compare_root(signed)
            else:
                self._findings.violation(
                    f"a head of size {signed.head.size} does not belong to this segment",
                    signed.source,
                )

    def _compare_root(self, signed: SignedHead) -> None:
        self._findings.heads += 1
        if self._tree.root() == signed.head.root:
            self._good_size = signed.head.size
            return
        self._findings.violation(
            f"entries from {self._good_size} up to {signed.head.size} are not those "
            f"that a signed head covers ({signed.source})",
            self._name,
            self._good_size,
        )

    def _check_end(self) -> bool:
        """Whether the entries end as they must: by the foot, or at the open segment's end.

        A crash may leave part of an entry there, never a whole one of another place (foreign).
        """
        contents, end, problem = self._contents, self._octets.size(), self._problem
        rest = self._rest(contents.end, end)
        has_foot = rest == segment.encode_foot(contents.foot(self._tree.root()))
        torn = self._octets.stored_size() - self._octets.stored_end()
        if has_foot and not self._is_last and not torn:
            return self._check_last_head()
        if self._is_last and contents.next_sequence >= self._covered and not self._foreign:
            if torn or (rest and not has_foot):
                self._findings.note(
                    f"{torn or len(rest)} octets of an unfinished write end {self._name} at "
                    f"offset {contents.end}, after entry {contents.next_sequence - 1}"
                )
            return True
        if has_foot or not rest:
            problem = (
                f"the journal ends at {contents.next_sequence}, "
                f"but a signed head covers {self._covered} entries"
            )
        self._findings.violation(
            problem,
            self._name,
            contents.next_sequence,
            contents.end,
        )
        return False

    def _rest(self, start: int, end: int) -> bytes:
        try:
            return self._octets.octets(start, end - start)
        except IntegrityViolation:
            return b"?"  # a damaged block of a sealed segment: told already, and no foot

    def _check_last_head(self) -> bool:
        if self._heads and self._heads[-1].head.size == self._contents.next_sequence:
            return True
        self._findings.violation(
            f"the head that covers the closed segment, of size {self._contents.next_sequence}, "
            "is missing",
            f"{layout.HEADS}/{layout.heads_name(self._octets.head.first_sequence)}",
        )
        return True

    def _compare_levels(self) -> None:
        first = self._octets.head.first_sequence
        for level, nodes in self._completed.items():
            start = hashes_at_level(first, level)
            count = min(len(nodes) // HASH_OCTETS, hashes_at_level(self._covered, level) - start)
            name = layout.chunk_name(level, start // layout.HASHES_PER_CHUNK)
            try:
                same = self._stored_tree.hashes(level, start, max(count, 0)) == bytes(
                    nodes[: max(count, 0) * HASH_OCTETS]
                )
            except IntegrityViolation as error:
                self._findings.violation(str(error), name)
                continue
            if not same:
                self._findings.violation(
                    "hashes of the tree are not those of the entries", name, first
                )


def open_segment(path: Path, first: int, identity: Identity | None) -> SegmentFile:
    """The segment at its place.

    Raises:
        IntegrityViolation: its head is damaged, or it belongs elsewhere.
    """
    octets = SegmentFile(path)
    foreign = identity is not None and octets.head.origin != identity.origin
    if octets.head.first_sequence != first or foreign:
        octets.close()
        raise IntegrityViolation("the segment belongs to another place or another log")
    return octets
