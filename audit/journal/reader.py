"""JournalReader: any number of them, in any process, beside the one writer. Reads only."""

import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from audit.errors import IntegrityViolation, JournalUnavailable, NotFound
from audit.journal.entry import Entry, EntryKind
from audit.journal.initialise import read_identity
from audit.journal.position import read_position
from audit.journal.recovery import segment_files
from audit.journal.segment import KnownCertificates
from audit.journal.segment_file import Placed, SegmentFile

_OPEN_SEGMENTS = 64


class JournalReader:
    """Reads entries by sequence or in order. Safe for several threads; close it when done."""

    def __init__(self, journal_dir: Path, position_file: Path | None = None) -> None:
        """Look at a journal.

        Args:
            journal_dir: the journal.
            position_file: where its writer shows the durable count. Without one, every whole
                entry counts, durable or not: for copies and for journals without a writer.

        Raises:
            JournalUnavailable: there is no journal, or it can't be read.
            IntegrityViolation: its identity is damaged.
        """
        self._dir = journal_dir
        self._position_file = position_file
        self._mutex = threading.RLock()
        self._firsts: list[int] = []
        self._paths: list[Path] = []
        self._open: OrderedDict[int, SegmentFile] = OrderedDict()
        self._tail = _Tail()
        try:
            self.identity = read_identity(journal_dir)
        except OSError as error:
            raise JournalUnavailable(f"no journal can be read: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the files back."""
        with self._mutex:
            for octets in self._open.values():
                octets.close()
            self._open.clear()

    @property
    def origin(self) -> str:
        """The log's short name."""
        return self.identity.origin

    def durable_count(self) -> int:
        """Entries that may be read: sequences below it.

        Raises:
            JournalUnavailable: the journal can't be read.
        """
        if self._position_file is not None:
            try:
                return read_position(self._position_file)
            except OSError as error:
                raise JournalUnavailable(f"the position can't be read: {error}") from error
        with self._mutex:
            self._tail.follow_whole(self._last_segment())
            return self._tail.count

    def read(self, sequence: int) -> Entry:
        """The entry at that place.

        Raises:
            NotFound: there is no such entry, or it is not durable yet.
            IntegrityViolation: it is damaged or another one.
            JournalUnavailable: the journal can't be read.
        """
        if not 0 <= sequence < self.durable_count():
            raise NotFound(f"the journal {self.origin} has no entry {sequence}")
        try:
            with self._mutex:
                entry = self._place(sequence).entry
        except OSError as error:
            raise JournalUnavailable(f"the journal can't be read: {error}") from error
        if entry.sequence != sequence:
            raise IntegrityViolation(f"entry {entry.sequence} stands at the place of {sequence}")
        return entry

    def iterate(self, start: int, stop: int | None = None) -> Iterator[Entry]:
        """Entries from ``start`` on, in order, up to ``stop`` or the durable count as of now.

        Raises:
            IntegrityViolation: one is damaged or out of order.
            JournalUnavailable: the journal can't be read.
        """
        durable = self.durable_count()
        end = durable if stop is None else min(stop, durable)
        sequence = start
        while sequence < end:
            try:
                for entry in self._from_segment_of(sequence):
                    if entry.sequence != sequence:
                        raise IntegrityViolation(
                            f"entry {entry.sequence} stands at the place of {sequence}"
                        )
                    yield entry
                    sequence += 1
                    if sequence == end:
                        return
            except OSError as error:
                raise JournalUnavailable(f"the journal can't be read: {error}") from error

    def certificate(self, fingerprint: bytes) -> bytes | None:
        """The certificate (DER) with this SHA-256 as the log keeps it; None when it isn't known.

        Raises:
            IntegrityViolation: its entry is damaged.
            JournalUnavailable: the journal can't be read.
        """
        sequence = self.known_certificates().sequence(fingerprint)
        return None if sequence is None else self.read(sequence).received.raw

    def known_certificates(self) -> KnownCertificates:
        """Certificates among the durable entries, by the last segment's head and its entries."""
        durable = self.durable_count()
        with self._mutex:
            head = self._last_segment().head
        known = KnownCertificates(head.certificates)
        for entry in self.iterate(head.first_sequence, durable):
            if entry.received.kind is EntryKind.CERTIFICATE:
                known.add(entry.received.certificate_sha256, entry.sequence)
        return known

    def _from_segment_of(self, sequence: int) -> Iterator[Entry]:
        with self._mutex:
            start = self._place(sequence).offset
            number = bisect_right(self._firsts, sequence) - 1
            if number == len(self._firsts) - 1:
                self._list_segments()  # it may have a successor by now, and so a foot
            first, path = self._firsts[number], self._paths[number]
            closed = number < len(self._firsts) - 1
        with SegmentFile(path) as octets:
            end = octets.size()
            if closed:  # by this file's own offsets: it may have taken the place of another one
                start, end = octets.offset_of(sequence - first), octets.foot_start()
            for placed in octets.scan(start, end):
                yield placed.entry

    def _place(self, sequence: int) -> Placed:
        number = bisect_right(self._firsts, sequence) - 1
        if 0 <= number < len(self._firsts) - 1:
            return self._by_foot(number, sequence)
        if number >= 0:
            octets = self._segment(number)
            if self._tail.follow_to(octets, sequence):
                return octets.entry(self._tail.offset(sequence))
        if not self._list_segments():
            raise IntegrityViolation(f"entry {sequence} can't be found where it belongs")
        return self._place(sequence)

    def _by_foot(self, number: int, sequence: int) -> Placed:
        octets = self._segment(number)
        return octets.entry(octets.offset_of(sequence - self._firsts[number]))

    def _last_segment(self) -> SegmentFile:
        self._list_segments()
        try:
            return self._segment(len(self._firsts) - 1)
        except OSError as error:
            raise JournalUnavailable(f"the journal can't be read: {error}") from error

    def _segment(self, number: int) -> SegmentFile:
        if number < 0:
            raise IntegrityViolation("the journal has no segments")
        first = self._firsts[number]
        octets = self._open.pop(first, None)
        if octets is not None and not octets.is_in_place():
            octets.close()
            octets = None
        if octets is None:
            octets = SegmentFile(self._paths[number])
            if octets.head.first_sequence != first or octets.head.origin != self.origin:
                octets.close()
                raise IntegrityViolation(f"{octets.path.name} is not the segment at its place")
        self._open[first] = octets
        if len(self._open) > _OPEN_SEGMENTS:
            self._open.popitem(last=False)[1].close()
        return octets

    def _list_segments(self) -> bool:
        """Look which segments there are; whether that changed."""
        try:
            present = segment_files(self._dir)
        except OSError as error:
            raise JournalUnavailable(f"the journal can't be read: {error}") from error
        firsts = [first for first, _ in present]
        changed = firsts != self._firsts
        self._firsts = firsts
        self._paths = [path for _, path in present]
        return changed


class _Tail:
    """Where the entries of the last segment begin, found by following their heads."""

    def __init__(self) -> None:
        self._first = -1
        self._offsets: list[int] = []
        self._end = 0

    @property
    def count(self) -> int:
        """Sequence after the last entry found."""
        return self._first + len(self._offsets)

    def offset(self, sequence: int) -> int:
        """Where a found entry begins."""
        return self._offsets[sequence - self._first]

    def follow_to(self, octets: SegmentFile, sequence: int) -> bool:
        """Find entries up to that one, which is durable if the segment holds it."""
        self._turn_to(octets)
        try:
            while self.count <= sequence:
                length = octets.entry_header(self._end).entry_length
                self._offsets.append(self._end)
                self._end += length
        except IntegrityViolation:
            return False
        return True

    def follow_whole(self, octets: SegmentFile) -> None:
        """Find every whole entry in sequence, checksums compared."""
        self._turn_to(octets)
        try:
            for placed in octets.scan(self._end, octets.size()):
                if placed.entry.sequence != self.count:
                    return
                self._offsets.append(placed.offset)
                self._end = placed.end
        except IntegrityViolation:
            return

    def _turn_to(self, octets: SegmentFile) -> None:
        if self._first != octets.head.first_sequence:
            self._first = octets.head.first_sequence
            self._offsets = []
            self._end = octets.entries_start
