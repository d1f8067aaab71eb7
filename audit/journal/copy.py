"""Copies a journal as it stood at its newest signed head, beside its writer.

The copy ends exactly at that head: it holds every entry, hash and head below it and nothing after,
so that it verifies without a remark and a writer can go on from it.
"""

from collections.abc import Iterator
from pathlib import Path

from audit.errors import IntegrityViolation
from audit.journal import layout
from audit.journal.files import Files
from audit.journal.heads import encode_record, history_files, parse_history, read_checkpoint
from audit.journal.identity import Identity
from audit.journal.initialise import read_identity
from audit.journal.key_rotation import seal_files
from audit.journal.merkle import HASH_OCTETS
from audit.journal.note import Checkpoint
from audit.journal.recovery import segment_files
from audit.journal.remove import holding_segments, removal_files
from audit.journal.segment_file import SegmentFile
from audit.journal.tree_store import TreeReader, hashes_at_level
from audit.journal.verify_heads import signed_head

_PIECE_OCTETS = 1 << 20
_PIECE_HASHES = _PIECE_OCTETS // HASH_OCTETS


def copy_journal(
    source: Path, target: Path, files: Files | None = None, lock_wait_s: float = 60.0
) -> Checkpoint:
    """Write a durable copy; the head at which it ends.

    Segments are not rewritten meanwhile: sealing and removal wait.

    Args:
        source: a journal, with or without a writer.
        target: an empty folder or none.
        files: how to write.
        lock_wait_s: how long to wait for whoever rewrites segments.

    Raises:
        JournalBusy: segments are being rewritten for too long.
        IntegrityViolation: something below the head is missing or damaged; verify the source.
        OSError: the source can't be read or the target not written.
    """
    files = Files() if files is None else files
    with holding_segments(source, lock_wait_s):
        identity, note = _settled(source)
        head = signed_head(note, identity)
        copy = _Copy(source, target, files, head)
        copy.segments()
        copy.heads()
        copy.tree()
        copy.removals()
        copy.seals(len(identity.keys) - 1)
        copy.end(identity, note)
    return head


def _settled(source: Path) -> tuple[Identity, str]:
    """Identity and newest head that belong together: no key was replaced between the two."""
    while True:
        identity, note = read_identity(source), read_checkpoint(source)
        if read_identity(source) == identity:
            return identity, note


class _Copy:
    def __init__(self, source: Path, target: Path, files: Files, head: Checkpoint) -> None:
        self._source = source
        self._target = target
        self._files = files
        self._size = head.size
        self._segments = [pair for pair in segment_files(source) if pair[0] <= head.size]
        if not self._segments:
            raise IntegrityViolation("the journal has no segments, but a signed head")
        for name in (layout.SEGMENTS, layout.HEADS, layout.TREE):
            files.make_directory_durably(target / name)

    def segments(self) -> None:
        """All but the last as they are; of the last the entries below the head, without a foot."""
        *closed, (_, last) = self._segments
        for _, path in closed:
            self._put(f"{layout.SEGMENTS}/{path.name}", _pieces(path, path.stat().st_size))
        with SegmentFile(last) as octets:
            end = octets.stored_offset(self._end_of_entries(octets))
        self._put(f"{layout.SEGMENTS}/{last.name}", _pieces(last, end))

    def heads(self) -> None:
        """Every head up to the one copied."""
        last = self._segments[-1][0]
        for first, path in history_files(self._source):
            if first > last:
                continue
            records, _ = parse_history(path.read_bytes())
            kept = [record for record in records if record.unchecked().size <= self._size]
            if kept:
                octets = (encode_record(record.number, record.note) for record in kept)
                self._put(f"{layout.HEADS}/{path.name}", octets)

    def tree(self) -> None:
        """The rows as far as the tree of that size has them."""
        reader = TreeReader(self._source)
        level = 0
        while count := hashes_at_level(self._size, level):
            self._files.make_directory_durably(self._target / layout.TREE / str(level))
            for start in range(0, count, layout.HASHES_PER_CHUNK):
                end = min(count, start + layout.HASHES_PER_CHUNK)
                name = layout.chunk_name(level, start // layout.HASHES_PER_CHUNK)
                self._put(name, _hashes(reader, level, start, end))
            level += 1

    def removals(self) -> None:
        """All: they are about closed segments, which the head covers."""
        for number, path in removal_files(self._source):
            self._files.make_directory_durably(self._target / layout.REMOVALS)
            self._put(layout.removal_name(number), _pieces(path, path.stat().st_size))

    def seals(self, count: int) -> None:
        """As many as the identity's keys need."""
        for number, path in seal_files(self._source)[:count]:
            self._files.make_directory_durably(self._target / layout.SEALS)
            self._put(layout.seal_name(number), _pieces(path, path.stat().st_size))

    def end(self, identity: Identity, note: str) -> None:
        """Last what says that all the rest is there."""
        self._put(layout.CHECKPOINT, iter([note.encode()]))
        self._put(layout.IDENTITY, iter([identity.text.encode()]))

    def _end_of_entries(self, octets: SegmentFile) -> int:
        end = octets.entries_start
        if octets.head.first_sequence == self._size:
            return end
        for placed in octets.scan(end, octets.size()):
            if placed.entry.sequence == self._size - 1:
                return placed.end
        raise IntegrityViolation(f"{octets.path.name} ends before the newest signed head")

    def _put(self, name: str, parts: Iterator[bytes]) -> None:
        path = self._target / name
        self._files.put_in_place_durably(self._files.write_unfinished_durably(path, parts), path)


def _pieces(path: Path, length: int) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while length:
            piece = stream.read(min(length, _PIECE_OCTETS))
            if not piece:
                raise IntegrityViolation(f"{path.name} is shorter than it was a moment ago")
            length -= len(piece)
            yield piece


def _hashes(reader: TreeReader, level: int, start: int, end: int) -> Iterator[bytes]:
    for place in range(start, end, _PIECE_HASHES):
        yield reader.hashes(level, place, min(_PIECE_HASHES, end - place))
