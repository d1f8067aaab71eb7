"""Removes bodies and salts from closed segments; heads, tree and every proof stay as they are.

First the signed statement is durable, then the rewritten segment takes the place of the old one in
one step. A run that was cut between the two is brought to its end by ``finish_removals``.
"""

import os
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from audit.errors import IntegrityViolation, JournalBusy, JournalUnavailable, NotFound
from audit.journal import layout, segment
from audit.journal.entry import removed_form
from audit.journal.files import Files
from audit.journal.heads import latest_record
from audit.journal.identity import Identity
from audit.journal.initialise import read_identity
from audit.journal.locks import try_lock_directory
from audit.journal.note import Signer
from audit.journal.open_segment import SegmentContents
from audit.journal.recovery import segment_files
from audit.journal.removal import Removal, signed_removal, spans_of
from audit.journal.seal import DEFAULT_LEVEL, SealedParts, write_sealed
from audit.journal.segment_file import Placed, SegmentFile

_LOCK_POLL_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovalOptions:
    """How bodies are removed.

    Attributes:
        signer: the log's own.
        seal_level: of zstd, for segments that are sealed.
        lock_wait_s: how long to wait for another who rewrites segments.
    """

    signer: Signer
    seal_level: int = DEFAULT_LEVEL
    lock_wait_s: float = 60.0


class Remover:
    """Rewrites closed segments of a journal that may have a writer in another process.

    Hold ``locked`` around everything else, so that nobody seals meanwhile.
    """

    def __init__(
        self,
        journal_dir: Path,
        options: RemovalOptions,
        files: Files | None = None,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        """Look at the journal.

        Raises:
            IntegrityViolation: its identity is damaged, or the signer is not its current key.
            OSError: it can't be read.
        """
        self._dir = journal_dir
        self._options = options
        self._files = Files() if files is None else files
        self._clock = clock
        self._identity = read_identity(journal_dir)
        if options.signer.verifier != self._identity.current_key:
            raise IntegrityViolation("the signing key is not this journal's")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else rewrites segments meanwhile.

        Raises:
            JournalBusy: somebody does, and for too long.
        """
        with holding_segments(self._dir, self._options.lock_wait_s):
            yield

    def remove(self, first: int, sequences: Collection[int], reason: str) -> Removal:
        """Remove bodies and salts of entries of one segment.

        Args:
            first: the segment's first sequence.
            sequences: whose; none of them removed before, none a certificate.
            reason: in one line.

        Raises:
            NotFound: there is no such closed segment, or not all these entries are in it.
            ValueError: an entry holds nothing that may be removed.
            JournalUnavailable: the journal's key was replaced a moment ago; try again.
            IntegrityViolation: the segment is damaged; nothing was changed.
            OSError: the disk failed; ``finish_removals`` ends what was begun.
        """
        path = self._closed(first)
        chosen = frozenset(sequences)
        removal = self._statement(first, path, chosen, reason)
        self._files.make_directory_durably(self._dir / layout.REMOVALS)
        name = self._dir / layout.removal_name(removal.number)
        self._files.replace_durably(name, removal.signed(self._options.signer).encode())
        self._rewrite(path, chosen)
        return removal

    def finish(self) -> list[Removal]:
        """Carry out the statements that a crash kept from being carried out; which they were.

        Raises:
            IntegrityViolation: a statement or a segment is damaged.
            OSError: the disk failed.
        """
        finished = []
        for removal in read_removals(self._dir, self._identity):
            path = self._closed(removal.segment)
            if not is_carried_out(path, removal):
                self._rewrite(path, frozenset(removal.sequences()))
                finished.append(removal)
        return finished

    def _closed(self, first: int) -> Path:
        for start, path in segment_files(self._dir)[:-1]:
            if start == first:
                return path
        raise NotFound(f"no closed segment begins at {first}")

    def _statement(self, first: int, path: Path, chosen: frozenset[int], reason: str) -> Removal:
        digest = sha256()
        found = []
        with SegmentFile(path) as octets:
            for placed in octets.scan(octets.entries_start, octets.foot_start()):
                if placed.entry.sequence in chosen:
                    digest.update(removed_form(placed.decoded))
                    found.append(placed.entry.sequence)
        if len(found) != len(chosen) or not found:
            raise NotFound(f"{path.name} does not hold all entries that are to be removed")
        return Removal(
            log=self._identity.name,
            number=max((number + 1 for number, _ in removal_files(self._dir)), default=0),
            size=self._size(),
            time=self._clock(),
            reason=reason,
            segment=first,
            spans=spans_of(found),
            digest=digest.digest(),
        )

    def _size(self) -> int:
        """The size that the newest head tells, which the present key must have signed."""
        record = latest_record(self._dir)
        size = 0 if record is None else record.unchecked().size
        if self._identity.key_at(size) != self._options.signer.verifier:
            raise JournalUnavailable("no head is signed by the journal's new key yet; try again")
        return size

    def _rewrite(self, path: Path, chosen: frozenset[int]) -> None:
        with SegmentFile(path) as octets:
            rewritten = _Rewritten(octets, chosen)
            if octets.head.encoding != segment.ENCODING_PLAIN:
                parts = SealedParts(
                    octets.head, rewritten.entries(), rewritten.foot, self._options.seal_level
                )
                unfinished = write_sealed(self._files, path, parts)
            else:
                unfinished = self._files.write_unfinished_durably(path, rewritten.parts())
            try:
                _require_same_leaves(octets, unfinished, chosen)
                self._files.put_in_place_durably(unfinished, path)
            except BaseException:
                self._files.discard(unfinished)
                raise


class _Rewritten:
    """The parts of a segment without some bodies; its foot once all entries were taken."""

    def __init__(self, octets: SegmentFile, chosen: frozenset[int]) -> None:
        self._octets = octets
        self._chosen = chosen
        self._contents = SegmentContents(octets.head, octets.entries_start)

    def entries(self) -> Iterator[bytes]:
        """Each entry's octets."""
        octets = self._octets
        for placed in octets.scan(octets.entries_start, octets.foot_start()):
            part = self._entry(placed)
            self._contents.add(len(part), placed.entry.received.received_at)
            yield part

    def foot(self) -> bytes:
        """As it follows from the entries."""
        return segment.encode_foot(self._contents.foot(self._octets.foot().root))

    def parts(self) -> Iterator[bytes]:
        """The whole plain segment."""
        yield segment.encode_head(self._octets.head)
        yield from self.entries()
        yield self.foot()

    def _entry(self, placed: Placed) -> bytes:
        if placed.entry.sequence in self._chosen and not placed.entry.is_removed:
            return removed_form(placed.decoded)
        return self._octets.octets(placed.offset, placed.end - placed.offset)


def _require_same_leaves(before: SegmentFile, path: Path, chosen: frozenset[int]) -> None:
    with SegmentFile(path) as after:
        pairs = zip(
            before.scan(before.entries_start, before.foot_start()),
            after.scan(after.entries_start, after.foot_start()),
            strict=True,
        )
        for old, new in pairs:
            same = old.leaf_hash == new.leaf_hash and old.entry.sequence == new.entry.sequence
            if not same or (new.entry.sequence in chosen and not new.entry.is_removed):
                raise IntegrityViolation(f"{path.name} reads back otherwise than it was written")


def read_removals(journal_dir: Path, identity: Identity) -> list[Removal]:
    """The journal's statements of removal, in order, their signatures checked.

    Raises:
        IntegrityViolation: one is missing before the last, or damaged.
    """
    removals: list[Removal] = []
    for number, path in removal_files(journal_dir):
        try:
            removal = signed_removal(path.read_bytes().decode(), identity)
        except UnicodeDecodeError as error:
            raise IntegrityViolation(f"{path.name} is no text") from error
        if removal.number != number or number != len(removals):
            raise IntegrityViolation(f"statement {len(removals)} of removal is missing")
        removals.append(removal)
    return removals


def removal_files(journal_dir: Path) -> list[tuple[int, Path]]:
    """The statements' files with their numbers, in order."""
    folder = journal_dir / layout.REMOVALS
    if not folder.is_dir():
        return []
    return sorted(
        (number, path)
        for path in folder.iterdir()
        if (number := layout.removal_number(path.name)) is not None
    )


def is_carried_out(path: Path, removal: Removal) -> bool:
    """Whether the segment is the rewritten one; it is rewritten as a whole or not at all."""
    with SegmentFile(path) as octets:
        first = octets.entry(octets.offset_of(removal.spans[0][0] - removal.segment))
        return first.entry.is_removed


@contextmanager
def holding_segments(journal_dir: Path, wait_s: float) -> Iterator[None]:
    """Closed segments are rewritten by the holder alone: sealing, removing, copying.

    Raises:
        JournalBusy: another holds them for longer than ``wait_s``.
    """
    deadline = time.monotonic() + wait_s
    while (fd := try_lock_directory(journal_dir / layout.SEGMENTS)) is None:
        if time.monotonic() >= deadline:
            raise JournalBusy("another process rewrites the journal's segments; try again later")
        threading.Event().wait(_LOCK_POLL_S)
    try:
        yield
    finally:
        os.close(fd)
