"""Chunks of records: as JSON, as messages exactly as received, and with the proof of each."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import orjson

from audit.errors import IntegrityViolation
from audit.frame.octet_counting import encode
from audit.index.document import IndexedRecord
from audit.journal.entry import Entry
from audit.journal.merkle import hash_leaf, inclusion_path, root_from_inclusion
from audit.journal.note import Checkpoint, encode_base64
from audit.journal.tree_store import TreeReader
from audit.query.presentation import detail

Member = tuple[str, bytes]

_NODES = 16_384
"""Hashes of the tree that are remembered while a bundle is made."""


class Prover:
    """Proofs of entries under one head, each checked when it is made."""

    def __init__(self, journal_dir: Path, head: Checkpoint) -> None:
        # Neighbours share most of their paths.
        self._nodes = lru_cache(maxsize=_NODES)(TreeReader(journal_dir).node)
        self._head = head

    def block(self, entry: Entry) -> str:
        """The lines of a tlog-proof between its first line and its head, an empty one at the end.

        Raises:
            IntegrityViolation: what is kept does not lead to the signed root.
            NotFound: the content was lawfully removed, so that nobody can prove it any more.
        """
        envelope, head = entry.envelope, self._head
        path = inclusion_path(self._nodes, entry.sequence, head.size)
        if root_from_inclusion(hash_leaf(envelope), entry.sequence, head.size, path) != head.root:
            raise IntegrityViolation(f"entry {entry.sequence} does not lead to the signed root")
        lines = [f"extra {encode_base64(envelope)}", f"index {entry.sequence}"]
        return "\n".join([*lines, *map(encode_base64, path)]) + "\n\n"


@dataclass(slots=True)
class Chunk:
    """Some records of a series, until they are written.

    Attributes:
        octets: of the messages so far.
    """

    prover: Prover
    events: list[bytes] = field(default_factory=list)
    messages: list[bytes] = field(default_factory=list)
    proofs: list[str] = field(default_factory=list)
    octets: int = 0

    def __len__(self) -> int:
        return len(self.proofs)

    def add(self, entry: Entry, record: IndexedRecord | None = None) -> None:
        """Take an entry; ``record`` is the repository's reading of it."""
        self.proofs.append(self.prover.block(entry))
        self.messages.append(encode(entry.received.raw))
        self.octets += len(entry.received.raw)
        if record is not None:
            self.events.append(orjson.dumps(detail(record)) + b"\n")

    def members(self, series: str, number: int) -> Iterator[Member]:
        """The files of the archive; those of the repository's reading only where there is one."""
        if self.events:
            yield f"{series}/{number:06d}.ndjson", b"".join(self.events)
        yield f"{series}/{number:06d}.syslog", b"".join(self.messages)
        yield f"{series}/{number:06d}.proofs", "".join(self.proofs).encode()
