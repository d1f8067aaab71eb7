"""Seals closed segments: the same entries in compressed blocks, read-only from then on.

A sealed segment takes the place of the plain one in one step, after it was written, synced, read
back and compared. So at every moment, and after power loss, exactly one of the two is there.
"""

import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import zstandard
from zlib_ng.zlib_ng import crc32

from audit.errors import IntegrityViolation
from audit.journal import master_keys, segment
from audit.journal.files import Files
from audit.journal.master_keys import MasterKey, MasterKeys
from audit.journal.sealed_index import BLOCK_OCTETS, ENTRIES_PER_BLOCK, BlockSizes, encode_index
from audit.journal.segment import SegmentHead
from audit.journal.segment_cipher import BLOCK_PURPOSE, SegmentCipher
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


def seal_segment(
    files: Files, path: Path, level: int = DEFAULT_LEVEL, keys: MasterKeys | None = None
) -> Sealed | None:
    """Put the sealed form in the place of a closed plain segment; None when it is sealed already.

    The caller makes sure that the segment has a successor and that nobody else rewrites it.

    Raises:
        IntegrityViolation: the segment's head or foot is damaged; it stays as it is.
        OSError: the disk failed or has no room; it stays as it is.
    """
    with SegmentFile(path, keys) as plain:
        if plain.head.is_sealed:
            return None
        foot_start = plain.foot_start()
        offsets = [*plain.foot().offsets, foot_start]
        entries = (plain.octets(start, end - start) for start, end in pairwise(offsets))
        foot = plain.octets(foot_start, plain.size() - foot_start)
        parts = SealedParts(plain.head, entries, lambda: foot, level)
        unfinished = write_sealed(files, path, parts, keys)
        try:
            _compare(plain, unfinished, keys)
            stored = unfinished.stat().st_size
            files.put_in_place_durably(unfinished, path)
        except BaseException:
            files.discard(unfinished)
            raise
        return Sealed(plain.head.first_sequence, plain.stored_size(), stored)


@dataclass(frozen=True, slots=True)
class SealedParts:
    """What a sealed segment is made of.

    Attributes:
        head: of the plain segment.
        entries: the octets of each entry, in order.
        foot: gives the plain segment's foot; asked for once all entries were taken.
        level: of zstd, 1 to 22.
    """

    head: SegmentHead
    entries: Iterable[bytes]
    foot: Callable[[], bytes]
    level: int = DEFAULT_LEVEL


def write_sealed(
    files: Files, path: Path, parts: SealedParts, keys: MasterKeys | None = None
) -> Path:
    """A sealed segment, durable and read-only, under the unfinished name of ``path``.

    It is encrypted if the ring has a key, the process's own ring when none is given.

    Raises:
        OSError: the disk failed or has no room; nothing is left behind if that can be helped.
    """
    unfinished = files.unfinished_name(path)
    master = (master_keys.in_use() if keys is None else keys).current
    try:
        files.write_unfinished_durably(path, _sealed_octets(parts, master))
        unfinished.chmod(stat.S_IRUSR)
    except BaseException:
        files.discard(unfinished)
        raise
    return unfinished


def _sealed_octets(parts: SealedParts, master: MasterKey | None) -> Iterator[bytes]:
    encoding = segment.ENCODING_SEALED | (segment.ENCODING_ENCRYPTED if master else 0)
    head = segment.encode_head(replace(parts.head, encoding=encoding))
    yield head
    cipher = SegmentCipher.create(master, head) if master else None
    if cipher is not None:
        yield cipher.key_block
    compressor = zstandard.ZstdCompressor(level=parts.level)
    blocks: list[BlockSizes] = []
    offset = len(head)
    for count, content in _contents(parts.entries, parts.foot):
        stored = compressor.compress(content)
        if cipher is not None:
            stored = cipher.encrypt(BLOCK_PURPOSE, offset, stored)
        blocks.append(BlockSizes(count, len(content), len(stored), crc32(stored)))
        offset += len(content)
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


def _compare(plain: SegmentFile, unfinished: Path, keys: MasterKeys | None) -> None:
    with SegmentFile(unfinished, keys) as sealed:
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
