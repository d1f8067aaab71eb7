"""Checks one segment: head, every entry, the tree's hashes, signed roots, foot."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from audit.errors import IntegrityViolation
from audit.journal import layout, segment
from audit.journal.merkle import HASH_OCTETS, Tree
from audit.journal.open_segment import SegmentContents
from audit.journal.recovery import note_certificate
from audit.journal.segment import KnownCertificates
from audit.journal.segment_file import Placed, SegmentFile
from audit.journal.tree_store import TreeReader, hashes_at_level
from audit.journal.verify_heads import SignedHead
from audit.journal.verify_removals import SegmentRemovals
from audit.journal.verify_report import Findings


@dataclass(slots=True, kw_only=True)
class Progress:
    """What is known after the segments read so far.

    Attributes:
        tree: of all entries so far, None after a damaged segment, until the next one's head
            tells it anew.
        certificates: in the log so far.
        good_size: the largest size at which a signed root was found right.
    """

    tree: Tree | None = field(default_factory=Tree)
    certificates: KnownCertificates = field(default_factory=KnownCertificates)
    good_size: int = 0


class SegmentChecker:
    """Checks one segment file and carries the progress on."""

    def __init__(  # noqa: PLR0913 — one per segment, all of it belongs to the check
        self,
        octets: SegmentFile,
        progress: Progress,
        heads: list[SignedHead],
        covered: int,
        stored_tree: TreeReader,
        findings: Findings,
        *,
        removals: SegmentRemovals,
        is_last: bool,
    ) -> None:
        self._octets = octets
        self._progress = progress
        self._heads = sorted(heads, key=lambda signed: signed.head.size)
        self._covered = covered
        self._stored_tree = stored_tree
        self._findings = findings
        self._removals = removals
        self._is_last = is_last
        self._name = f"{layout.SEGMENTS}/{octets.path.name}"
        self._contents = SegmentContents(octets.head, octets.entries_start)
        self._tree = octets.head.tree
        self._certificates = KnownCertificates(octets.head.certificates)
        self._completed: dict[int, bytearray] = {}
        self._next_head = 0
        self._next_head_size = 0

    def check(self, on_octets: Callable[[int], None]) -> None:
        """Read the whole segment; findings and progress tell the outcome."""
        self._check_head()
        stored = self._stored_leaves()
        self._compare_roots()
        told = 0
        problem = ""
        foreign = False
        try:
            for placed in self._octets.scan(self._contents.end, self._octets.size()):
                if placed.entry.sequence != self._contents.next_sequence:
                    problem = f"entry {placed.entry.sequence} stands here"
                    foreign = True
                    break
                self._take(placed, stored)
                if self._contents.end - told > 1 << 20:
                    on_octets(self._contents.end - told)
                    told = self._contents.end
        except IntegrityViolation as error:
            problem = str(error)
        whole = self._check_end(problem, foreign=foreign)
        self._removals.check_end(self._name)
        self._compare_levels()
        on_octets(self._octets.size() - told)
        self._carry_on(whole=whole)

    def _check_head(self) -> None:
        head, progress = self._octets.head, self._progress
        if progress.tree is None:
            return
        if head.peaks != progress.tree.peaks or head.certificates != progress.certificates.pairs():
            self._findings.violation(
                "the segment's head does not follow from the entries before it",
                self._name,
                head.first_sequence,
                0,
            )

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

    def _take(self, placed: Placed, stored: bytes) -> None:
        entry = placed.entry
        number = len(self._contents.offsets)
        leaf = placed.leaf_hash
        kept = stored[number * HASH_OCTETS : (number + 1) * HASH_OCTETS]
        if kept and leaf != kept:
            self._findings.violation(
                "the entry is not the one whose leaf hash was kept",
                self._name,
                entry.sequence,
                placed.offset,
            )
        for level, node in self._tree.append(leaf):
            self._completed.setdefault(level, bytearray()).extend(node)
        if entry.is_removed:
            self._removals.take(self._octets, placed)
        note_certificate(self._certificates, entry)
        self._contents.add(placed.end - placed.offset, entry.received.received_at)
        self._findings.entries += 1
        if self._tree.size >= self._next_head_size:
            self._compare_roots()

    def _compare_roots(self) -> None:
        while self._next_head < len(self._heads):
            signed = self._heads[self._next_head]
            self._next_head_size = signed.head.size
            if signed.head.size > self._tree.size:
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
            self._progress.good_size = signed.head.size
            return
        self._findings.violation(
            f"entries from {self._progress.good_size} up to {signed.head.size} are not those "
            f"that a signed head covers ({signed.source})",
            self._name,
            self._progress.good_size,
        )

    def _check_end(self, problem: str, *, foreign: bool) -> bool:
        """Whether the entries end as they must: by the foot, or at the open segment's end.

        A crash may leave part of an entry there, never a whole one of another place (foreign).
        """
        contents, end = self._contents, self._octets.size()
        rest = self._rest(contents.end, end)
        has_foot = rest == segment.encode_foot(contents.foot(self._tree.root()))
        torn = self._octets.stored_size() - self._octets.stored_end()
        if has_foot and not self._is_last and not torn:
            return self._check_last_head()
        if self._is_last and contents.next_sequence >= self._covered and not foreign:
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

    def _carry_on(self, *, whole: bool) -> None:
        self._findings.segments += 1
        self._findings.octets += self._octets.size()
        self._progress.tree = self._tree if whole else None
        self._progress.certificates = self._certificates


def open_segment(path: Path, first: int, origin: str) -> SegmentFile:
    """The segment at its place.

    Raises:
        IntegrityViolation: its head is damaged, or it belongs elsewhere.
    """
    octets = SegmentFile(path)
    if octets.head.first_sequence != first or (origin and octets.head.origin != origin):
        octets.close()
        raise IntegrityViolation("the segment belongs to another place or another log")
    return octets
