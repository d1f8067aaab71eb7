"""Finds the end of a journal that may have been cut by a crash, and makes that end durable.

Only the last segment is read: its head tells the tree before it. What lies after the last whole
entry is cut. What lies after the last signed head is written once more before it is synced, since
after a failed sync the kernel may show octets that never reached the disk and call them clean.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from audit.errors import ConfigurationError, IntegrityViolation
from audit.journal import layout, segment
from audit.journal.entry import Entry, EntryKind
from audit.journal.files import Files
from audit.journal.heads import (
    HeadRecord,
    encode_record,
    history_files,
    latest_record,
    parse_history,
    read_checkpoint,
)
from audit.journal.identity import Identity
from audit.journal.master_keys import KeyMissing, MasterKeys
from audit.journal.merkle import Tree
from audit.journal.note import Checkpoint, open_note, parse_checkpoint
from audit.journal.open_segment import OpenSegment, SegmentContents
from audit.journal.segment import KnownCertificates
from audit.journal.segment_file import Placed, SegmentFile
from audit.journal.tree_store import TreeWriter

_COPY_OCTETS = 8 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What a start found at the journal's end.

    Attributes:
        segment: file name of the last segment.
        durable_count: entries in the journal.
        recovered: entries after the last signed head, now durable.
        cut_offset: where octets were cut off, 0 when none were.
        cut_octets: octets of an unfinished write that were cut off.
        lost: entries that an earlier writer had reported durable and that are gone.
    """

    segment: str
    durable_count: int
    recovered: int = 0
    cut_offset: int = 0
    cut_octets: int = 0
    lost: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveredState:
    """All that a writer goes on from.

    Attributes:
        tree: of all entries.
        certificates: that are in the log.
        first_sequence: of the last segment.
        open_segment: None when the last segment is closed already.
        next_head: number of the next signed head.
        head: the newest signed head.
        unshown_note: its note, when the journal's checkpoint shows an older one; else empty.
        report: for the operator.
    """

    tree: Tree
    certificates: KnownCertificates
    first_sequence: int
    open_segment: OpenSegment | None
    next_head: int
    head: Checkpoint
    unshown_note: str
    report: Recovery


class _Scan:
    """The last segment, read from its beginning as far as it is whole."""

    def __init__(self, octets: SegmentFile, head: Checkpoint) -> None:
        self.tree = octets.head.tree
        self.certificates = KnownCertificates(octets.head.certificates)
        self.contents = SegmentContents(octets.head, octets.entries_start)
        self.size = octets.size()
        self.kept = octets.entries_start
        self.closed = False
        self.added: list[tuple[bytes, list[tuple[int, bytes]]]] = []
        self._head = head
        self._compare_root()
        for placed in _whole_entries(octets, self.size):
            self._take(placed)
        self._find_foot(octets)
        self.stored_size = octets.stored_size()
        self.stored_kept = octets.stored_offset(self.kept)

    def _take(self, placed: Placed) -> None:
        entry = placed.entry
        leaf = placed.leaf_hash
        self.added.append((leaf, self.tree.append(leaf)))
        note_certificate(self.certificates, entry)
        self.contents.add(placed.end - placed.offset, entry.received.received_at)
        self.kept = self.contents.end
        self._compare_root()

    def _compare_root(self) -> None:
        if self.tree.size == self._head.size and self.tree.root() != self._head.root:
            raise IntegrityViolation(
                f"the entries below {self._head.size} are not those that the signed head covers"
            )

    def _find_foot(self, octets: SegmentFile) -> None:
        foot = segment.encode_foot(self.contents.foot(self.tree.root()))
        if _octets_if_whole(octets, self.kept, self.size) == foot:
            self.closed = True
            self.kept = self.size


def _octets_if_whole(octets: SegmentFile, start: int, end: int) -> bytes:
    try:
        return octets.octets(start, end - start)
    except IntegrityViolation:
        return b""  # the last frame of an encrypted segment was cut


def note_certificate(certificates: KnownCertificates, entry: Entry) -> None:
    """Remember the certificate if the entry is one."""
    if entry.received.kind is EntryKind.CERTIFICATE:
        certificates.add(entry.received.certificate_sha256, entry.sequence)


def segment_files(journal_dir: Path) -> list[tuple[int, Path]]:
    """The segments with their first sequence, oldest first."""
    return sorted(
        (first, path)
        for path in (journal_dir / layout.SEGMENTS).iterdir()
        if path.suffix == layout.SEGMENT_SUFFIX
        and (first := layout.first_sequence(path.name)) is not None
    )


def recover(
    journal_dir: Path,
    identity: Identity,
    files: Files,
    shown_count: int,
    keys: MasterKeys | None = None,
) -> RecoveredState:
    """Cut, compare with the last signed head, and make durable; nothing is published yet.

    Args:
        journal_dir: a journal that has an identity.
        identity: its identity.
        files: how to change files.
        shown_count: what an earlier writer had reported durable, 0 if unknown.
        keys: for an encrypted segment; the process's own when not given.

    Raises:
        ConfigurationError: the last segment is encrypted with a key that is not among these.
        IntegrityViolation: something below a signed head is missing or altered. Nothing was
            changed; run ``arr verify`` and restore the journal.
        OSError: the disk failed.
    """
    record = _checked_latest(journal_dir, identity)
    head = record.checkpoint(identity.key_at(record.unchecked().size))
    present = segment_files(journal_dir)
    if not present:
        raise IntegrityViolation("the journal has no segments, but a signed head")
    first, path = present[-1]
    with _opened(path, keys) as octets:
        if octets.head.first_sequence != first or octets.head.origin != identity.origin:
            raise IntegrityViolation(f"{path.name} is not a segment of this journal at its place")
        scan = _Scan(octets, head)
        _check_covered(head.size, first, scan.tree.size, path.name)
        fd = files.open_existing(path)
        try:
            _make_durable(files, fd, octets, scan, head.size - first)
            _restore_derived(journal_dir, files, scan, record)
        except BaseException:
            files.close(fd)
            raise
    if scan.closed:
        files.close(fd)
    return RecoveredState(
        tree=scan.tree,
        certificates=scan.certificates,
        first_sequence=first,
        open_segment=None if scan.closed else _reopened(files, fd, octets, scan),
        next_head=record.number + 1,
        head=head,
        unshown_note="" if read_checkpoint(journal_dir) == record.note else record.note,
        report=_report(path.name, scan, head.size, shown_count),
    )


def _opened(path: Path, keys: MasterKeys | None) -> SegmentFile:
    try:
        return SegmentFile(path, keys)
    except KeyMissing as error:
        raise ConfigurationError(f"the journal's last segment can't be read: {error}") from error


def _check_covered(covered: int, first: int, whole: int, name: str) -> None:
    if not first <= covered <= whole:
        raise IntegrityViolation(
            f"a signed head covers {covered} entries, but {name} is whole only "
            f"from {first} up to {whole}; run: arr verify"
        )


def _reopened(files: Files, fd: int, octets: SegmentFile, scan: _Scan) -> OpenSegment:
    return OpenSegment(files, fd, scan.contents, scan.stored_kept, octets.cipher)


def _whole_entries(octets: SegmentFile, size: int) -> Iterator[Placed]:
    expected = octets.head.first_sequence
    try:
        for placed in octets.scan(octets.entries_start, size):
            if placed.entry.sequence != expected:
                return
            yield placed
            expected += 1
    except IntegrityViolation:
        return


def _checked_latest(journal_dir: Path, identity: Identity) -> HeadRecord:
    published = read_checkpoint(journal_dir)
    text = open_note(published, [key.verifier for key in identity.keys])
    record = latest_record(journal_dir)
    if record is None or record.unchecked().size < parse_checkpoint(text).size:
        raise IntegrityViolation("the history of signed heads is cut; run: arr verify")
    return record


def _make_durable(
    files: Files, fd: int, octets: SegmentFile, scan: _Scan, covered_entries: int
) -> None:
    offsets = scan.contents.offsets
    start = offsets[covered_entries] if covered_entries < len(offsets) else scan.contents.end
    kept = scan.stored_kept
    for place in range(octets.stored_offset(start), kept, _COPY_OCTETS):
        part = octets.stored_octets(place, min(_COPY_OCTETS, kept - place))
        files.write_at(fd, place, (part,))
    if scan.stored_size > kept:
        files.cut(fd, kept)
    files.sync_data(fd)


def _restore_derived(journal_dir: Path, files: Files, scan: _Scan, record: HeadRecord) -> None:
    for name in (layout.SEGMENTS, layout.HEADS, layout.TREE):
        files.sync_directory(journal_dir / name)
    tree = TreeWriter(journal_dir, files, scan.contents.head.first_sequence)
    for leaf, completed in scan.added:
        tree.add(leaf, completed)
    tree.flush_durably()
    tree.cut_beyond(scan.tree.size)
    _restore_history(journal_dir, files, record)


def _restore_history(journal_dir: Path, files: Files, record: HeadRecord) -> None:
    """Cut an unfinished record and write the last whole one again, durably."""
    for _, path in reversed(history_files(journal_dir)):
        records, _ = parse_history(path.read_bytes())
        fd = files.open_existing(path)
        try:
            if not records:
                files.cut_durably(fd, 0)
                continue
            octets = encode_record(record.number, record.note)
            files.write_at(fd, record.end - len(octets), (octets,))
            files.cut(fd, record.end)
            files.sync_data(fd)
        finally:
            files.close(fd)
        return


def _report(name: str, scan: _Scan, covered: int, shown_count: int) -> Recovery:
    cut_octets = scan.stored_size - scan.stored_kept
    return Recovery(
        segment=name,
        durable_count=scan.tree.size,
        recovered=scan.tree.size - covered,
        cut_offset=scan.stored_kept if cut_octets else 0,
        cut_octets=cut_octets,
        lost=max(0, shown_count - scan.tree.size),
    )
