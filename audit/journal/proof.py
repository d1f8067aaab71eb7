"""Shows, offline and to a stranger, that a record stands in the log: C2SP tlog-proof text.

The proof's ``extra`` line holds the record's envelope, so that whoever has the message can compute
the leaf hash: SHA-256(0x00 ‖ envelope), whose last 32 octets are SHA-256(message).
"""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from audit.errors import IntegrityViolation, NotFound
from audit.journal.heads import read_checkpoint
from audit.journal.merkle import (
    consistency_path,
    hash_leaf,
    inclusion_path,
    root_from_inclusion,
)
from audit.journal.note import Checkpoint, VerifierKey, open_note, parse_checkpoint
from audit.journal.reader import JournalReader
from audit.journal.tree_store import TreeReader

PROOF_FORMAT = "c2sp.org/tlog-proof@v1"
_MAX_PATH = 64
_HEAD_LINES = 3


@dataclass(frozen=True, slots=True)
class Proof:
    """The parts of a ``.tlog-proof`` file.

    Attributes:
        index: the leaf, which is the entry's sequence.
        path: inclusion path, the leaf's sibling first.
        checkpoint: the signed note, verbatim.
        envelope: what the leaf hash covers.
    """

    index: int
    path: tuple[bytes, ...]
    checkpoint: str
    envelope: bytes

    @property
    def text(self) -> str:
        """The file's content."""
        lines = [
            PROOF_FORMAT,
            f"extra {_base64(self.envelope)}",
            f"index {self.index}",
            *(_base64(node) for node in self.path),
        ]
        return "\n".join(lines) + "\n\n" + self.checkpoint

    def check(self, keys: Iterable[VerifierKey]) -> Checkpoint:
        """The signed head under which the envelope's record stands at its index.

        Raises:
            IntegrityViolation: no given key signed the head, or the path leads elsewhere.
        """
        head = parse_checkpoint(open_note(self.checkpoint, keys))
        leaf = hash_leaf(self.envelope)
        if root_from_inclusion(leaf, self.index, head.size, self.path) != head.root:
            raise IntegrityViolation("the proof's path does not lead to the signed root")
        return head


def prove(journal_dir: Path, reader: JournalReader, sequence: int) -> Proof:
    """The proof of one entry under the newest published head.

    Raises:
        NotFound: no such entry, or no head covers it yet; heads follow each second.
        IntegrityViolation: what is kept does not lead to the signed root.
        JournalUnavailable: the journal can't be read.
    """
    note = read_checkpoint(journal_dir)
    head = parse_checkpoint(open_note(note, [key.verifier for key in reader.identity.keys]))
    entry = reader.read(sequence)
    if sequence >= head.size:
        raise NotFound(f"no signed head covers entry {sequence} yet; try again in a second")
    path = inclusion_path(TreeReader(journal_dir).node, sequence, head.size)
    proof = Proof(sequence, path, note, entry.envelope)
    proof.check([key.verifier for key in reader.identity.keys])
    return proof


def prove_consistency(journal_dir: Path, old_size: int, size: int) -> tuple[bytes, ...]:
    """RFC 6962 2.1.2 path from one published tree to a larger one.

    Raises:
        ValueError: the sizes are out of order.
        IntegrityViolation: hashes are missing, for one because no head is that large yet.
    """
    return consistency_path(TreeReader(journal_dir).node, old_size, size)


def parse_proof(text: str) -> Proof:
    """Read a ``.tlog-proof`` file that carries its envelope.

    Raises:
        IntegrityViolation: it is none.
    """
    top, mark, checkpoint = text.partition("\n\n")
    lines = top.split("\n")
    if not mark or len(lines) < _HEAD_LINES or len(lines) > _HEAD_LINES + _MAX_PATH:
        raise IntegrityViolation("a proof has its form, envelope, index and at most 64 hashes")
    index = lines[2].removeprefix("index ")
    if lines[0] != PROOF_FORMAT or not lines[1].startswith("extra "):
        raise IntegrityViolation("no proof of a known form, with its envelope")
    if not (index.isascii() and index.isdigit()) or lines[2] != f"index {int(index)}":
        raise IntegrityViolation("a proof names its index")
    try:
        envelope, *path = (
            base64.b64decode(line, validate=True)
            for line in (lines[1].removeprefix("extra "), *lines[_HEAD_LINES:])
        )
    except (binascii.Error, ValueError) as error:
        raise IntegrityViolation(f"a proof's hash can't be read: {error}") from error
    return Proof(int(index), tuple(path), checkpoint, envelope)


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")
