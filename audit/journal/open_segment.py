"""The segment that the writer appends to: what it holds, and the durable append itself."""

import errno
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from audit.journal import layout, segment
from audit.journal.entry import EncodedEntry
from audit.journal.files import Files
from audit.journal.segment import SegmentFoot, SegmentHead

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

    def foot(self, root: bytes) -> SegmentFoot:
        """The foot that closes it."""
        return SegmentFoot(
            offsets=tuple(self.offsets), earliest=self.earliest, latest=self.latest, root=root
        )


class OpenSegment:
    """A segment file open for appending, one owner."""

    def __init__(self, files: Files, fd: int, contents: SegmentContents) -> None:
        self._files = files
        self._fd = fd
        self.contents = contents

    @classmethod
    def create_durably(cls, files: Files, journal_dir: Path, head: SegmentHead) -> "OpenSegment":
        """A new segment, in its folder with a whole head or not at all."""
        octets = segment.encode_head(head)
        path = journal_dir / layout.SEGMENTS / layout.segment_name(head.first_sequence)
        files.replace_durably(path, octets)
        return cls(files, files.open_existing(path), SegmentContents(head, len(octets)))

    def append_durably(self, batch: Sequence[EncodedEntry], received_at: Iterable[int]) -> None:
        """All entries of the batch are durable; if this fails, none is part of the segment.

        Raises:
            DiskStateUnknown: durability is unknown; the segment must not be written to again.
            OSError: refused or failed; what was written of the batch has been cut off again.
        """
        buffers: list[bytes | memoryview] = []
        for encoded in batch:
            buffers += (encoded.head, encoded.body) if encoded.body else (encoded.head,)
        self._write_durably(buffers)
        for encoded, at in zip(batch, received_at, strict=True):
            self.contents.add(len(encoded.head) + len(encoded.body), at)

    def close_durably(self, root: bytes) -> None:
        """Write the foot; the file never changes again. Fails as ``append_durably`` does."""
        foot = segment.encode_foot(self.contents.foot(root))
        self._write_durably([foot])
        self.contents.end += len(foot)

    def release(self) -> None:
        """Give the descriptor back."""
        self._files.close(self._fd)

    def _write_durably(self, buffers: Sequence[bytes | memoryview]) -> None:
        try:
            self._files.write_at(self._fd, self.contents.end, buffers)
        except OSError:
            self._files.cut(self._fd, self.contents.end)
            raise
        self._files.sync_data(self._fd)
