"""The segment that the writer appends to: what it holds, and the durable append itself.

An append has a beginning and an end, so that the writer can go on while the disk works.
"""

import errno
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from audit.journal import layout, segment
from audit.journal.entry_batch import EncodedBatch
from audit.journal.files import DiskStateUnknown, DurableWrite, Files
from audit.journal.master_keys import MasterKey
from audit.journal.segment import SegmentFoot, SegmentHead
from audit.journal.segment_cipher import FRAME_OCTETS, SegmentCipher

_WORTH_A_BEGINNING = 64
"""Entries; to let the disk begin with fewer takes longer than it saves."""
_REFUSALS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EMFILE, errno.ENFILE})


def is_refusal(error: OSError) -> bool:
    """Whether the failure only says that there is no room now, so that later tries may work."""
    return error.errno in _REFUSALS


@dataclass(slots=True)
class SegmentContents:
    """What a segment holds so far: enough to go on and to write its foot."""

    head: SegmentHead
    end: int
    offsets: list[int] = field(default_factory=list)
    earliest: int = 0
    latest: int = 0

    @property
    def next_sequence(self) -> int:
        """The sequence of the entry that would come next."""
        return self.head.first_sequence + len(self.offsets)

    def add(self, length: int, received_at: int) -> None:
        """Note an entry of that many octets at the present end."""
        self.earliest = min(self.earliest, received_at) if self.offsets else received_at
        self.latest = max(self.latest, received_at)
        self.offsets.append(self.end)
        self.end += length

    def extend(self, ends: Sequence[int], earliest: int, latest: int) -> None:
        """Note consecutive entries by the offset after each, and their times' bounds."""
        if not ends:
            return
        self.earliest = min(self.earliest, earliest) if self.offsets else earliest
        self.latest = max(self.latest, latest)
        self.offsets.append(self.end)
        self.offsets += ends[:-1]
        self.end = ends[-1]

    def foot(self, root: bytes) -> SegmentFoot:
        """The foot that closes it."""
        return SegmentFoot(
            offsets=tuple(self.offsets), earliest=self.earliest, latest=self.latest, root=root
        )


class _Appending(NamedTuple):
    """A batch on its way to the disk, and where the file ends with it."""

    batch: EncodedBatch
    end: int
    write: DurableWrite


class OpenSegment:
    """A segment file open for appending, one owner."""

    def __init__(
        self,
        files: Files,
        fd: int,
        contents: SegmentContents,
        stored_end: int,
        cipher: SegmentCipher | None = None,
    ) -> None:
        self._files = files
        self._fd = fd
        self._stored_end = stored_end
        self._cipher = cipher
        self._appending: _Appending | None = None
        self.contents = contents

    @classmethod
    def create_durably(
        cls,
        files: Files,
        journal_dir: Path,
        head: SegmentHead,
        master: MasterKey | None = None,
    ) -> "OpenSegment":
        """A new segment, in its folder with a whole head or not at all; encrypted with a key."""
        if master is not None:
            head = replace(head, encoding=segment.ENCODING_ENCRYPTED)
        octets = segment.encode_head(head)
        cipher = None if master is None else SegmentCipher.create(master, octets)
        stored = octets if cipher is None else octets + cipher.key_block
        path = journal_dir / layout.SEGMENTS / layout.segment_name(head.first_sequence)
        files.replace_durably(path, stored)
        contents = SegmentContents(head, len(octets))
        return cls(files, files.open_existing(path), contents, len(stored), cipher)

    def begin_append(self, batch: EncodedBatch) -> None:
        """Hand the entries of a batch to the disk; they are durable once ``end_append`` returns.

        Nothing else may be begun before that.
        """
        stored = self._stored(batch.octets, batch.lengths)
        write = self._files.durable_write(self._fd, self._stored_end, stored)
        self._appending = _Appending(batch, self._stored_end + len(stored), write)
        if len(batch) >= _WORTH_A_BEGINNING:
            write.begin()

    def end_append(self) -> None:
        """What was begun is durable; if this fails, none of it is part of the segment.

        Raises:
            DiskStateUnknown: durability is unknown; the segment must not be written to again.
            OSError: refused or failed; what was written of the batch was durably cut off again.
        """
        if self._appending is None:
            return
        batch, end, write = self._appending
        self._or_cut(write)
        self._appending = None
        self._stored_end = end
        ends = list(accumulate(batch.lengths, initial=self.contents.end))[1:]
        self.contents.extend(ends, batch.earliest, batch.latest)

    def close_durably(self, root: bytes) -> None:
        """Write the foot; the file never changes again. Fails as an append does."""
        foot = segment.encode_foot(self.contents.foot(root))
        stored = self._stored(foot, [len(foot)])
        self._or_cut(self._files.durable_write(self._fd, self._stored_end, stored))
        self._stored_end += len(stored)
        self.contents.end += len(foot)

    def release(self) -> None:
        """Give the descriptor back, as soon as the disk no longer works on it."""
        if self._appending is not None:
            self._appending.write.abandon()
        self._files.close(self._fd)

    def _stored(self, octets: bytes, lengths: Sequence[int]) -> bytes:
        """These octets, the image's next parts of such lengths, as they lie in the file."""
        if self._cipher is None:
            return octets
        return b"".join(_frames(self._cipher, self.contents.end, octets, lengths))

    def _or_cut(self, write: DurableWrite) -> None:
        """The file ends where it did when this fails, unless what is on disk is unknown.

        Durably, for part of it may be durable already, and will be told to have been refused.
        """
        try:
            write.wait()
        except DiskStateUnknown:
            raise
        except OSError:
            self._appending = None
            self._files.cut_durably(self._fd, self._stored_end)
            raise


def _frames(
    cipher: SegmentCipher, offset: int, octets: bytes, lengths: Iterable[int]
) -> Iterator[bytes]:
    """Frames for the image from that offset on; an entry, of so many octets, is never divided."""
    begin = end = 0
    for length in lengths:
        if begin < end and end + length - begin > FRAME_OCTETS:
            yield cipher.frame(offset + begin, octets[begin:end])
            begin = end
        end += length
    yield cipher.frame(offset + begin, octets[begin:end])
