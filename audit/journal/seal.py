"""Seals closed segments: the same entries in compressed blocks, read-only from then on.

A sealed segment takes the place of the plain one in one step, after it was written, synced, read
back and compared. So at every moment, and after power loss, exactly one of the two is there.
"""

import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from zlib import crc32

import zstandard

from audit.errors import IntegrityViolation
from audit.journal import segment
from audit.journal.files import Files
from audit.journal.sealed_index import BLOCK_OCTETS, ENTRIES_PER_BLOCK, BlockSizes, encode_index
from audit.journal.segment import SegmentHead
from audit.journal.segment_file import SegmentFile

DEFAULT_LEVEL = 6
_COMPARED_OCTETS = 1 << 20


@dataclass(frozen=True, slots=True)
class Sealed:
    """What sealing one segment did.

    Attributes:
        first_sequence: of the segment.
        plain_octets: of the file before.
        sealed_octets: of the file after.
    """

    first_sequence: int
    plain_octets: int
    sealed_octets: int


def seal_segment(files: Files, path: Path, level: int = DEFAULT_LEVEL) -> Sealed | None:
    """Put the sealed form in the place of a closed plain segment; None when it is sealed already.

    The caller makes sure that the segment has a successor and that nobody else rewrites it.

    Raises:
        IntegrityViolation: the segment's head or foot is damaged; it stays as it is.
        OSError: the disk failed or has no room; it stays as it is.
    """
    with SegmentFile(path) as plain:
        if plain.head.encoding != segment.ENCODING_PLAIN:
            return None
        foot_start = plain.foot_start()
        offsets = [*plain.foot().offsets, foot_start]
        entries = (plain.octets(start, end - start) for start, end in pairwise(offsets))
        foot = plain.octets(foot_start, plain.size() - foot_start)
        unfinished = write_sealed(files, path, plain.head, entries, lambda: foot, level)
        try:
            _compare(plain, unfinished)
            stored = unfinished.stat().st_size
            files.put_in_place_durably(unfinished, path)
        except BaseException:
            files.discard(unfinished)
            raise
        return Sealed(plain.head.first_sequence, plain.size(), stored)


def write_sealed(
    files: Files,
    path: Path,
    head: SegmentHead,
    entries: Iterable[bytes],
    foot: Callable[[], bytes],
    level: int = DEFAULT_LEVEL,
) -> Path:
    """A sealed segment, durable and read-only, under the unfinished name of ``path``.

    Args:
        files: how to change files.
        path: of the segment.
        head: its head.
        entries: the octets of each entry, in order.
        foot: gives the plain segment's foot; asked for once all entries were taken.
        level: of zstd, 1 to 22.

    Raises:
        OSError: the disk failed or has no room; nothing is left behind if that can be helped.
    """
    unfinished = files.unfinished_name(path)
    try:
        files.write_unfinished_durably(path, _sealed_parts(head, entries, foot, level))
        unfinished.chmod(stat.S_IRUSR)
    except BaseException:
        files.discard(unfinished)
        raise
    return unfinished


def _sealed_parts(
    head: SegmentHead, entries: Iterable[bytes], foot: Callable[[], bytes], level: int
) -> Iterator[bytes]:
    yield segment.encode_head(replace(head, encoding=segment.ENCODING_SEALED))
    compressor = zstandard.ZstdCompressor(level=level)
    blocks: list[BlockSizes] = []
    for count, content in _contents(entries, foot):
        stored = compressor.compress(content)
        blocks.append(BlockSizes(count, len(content), len(stored), crc32(stored)))
        yield stored
    yield encode_index(blocks)


def _contents(entries: Iterable[bytes], foot: Callable[[], bytes]) -> Iterator[tuple[int, bytes]]:
    gathered: list[bytes] = []
    octets = 0
    for entry in entries:
        if gathered and (len(gathered) == ENTRIES_PER_BLOCK or octets + len(entry) > BLOCK_OCTETS):
            yield len(gathered), b"".join(gathered)
            gathered, octets = [], 0
        gathered.append(entry)
        octets += len(entry)
    if gathered:
        yield len(gathered), b"".join(gathered)
    yield 0, foot()


def _compare(plain: SegmentFile, unfinished: Path) -> None:
    with SegmentFile(unfinished) as sealed:
        start = plain.entries_start
        same = sealed.size() == plain.size() and all(
            sealed.octets(place, _COMPARED_OCTETS) == plain.octets(place, _COMPARED_OCTETS)
            for place in range(start, plain.size(), _COMPARED_OCTETS)
        )
    if not same:
        raise IntegrityViolation(
            f"{plain.path.name} can't be sealed: what was written reads back otherwise, or its "
            "foot does not tell its entries; run: arr verify"
        )
