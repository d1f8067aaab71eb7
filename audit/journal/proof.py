"""Shows, offline and to a stranger, that a record stands in the log: C2SP tlog-proof text.

The proof's ``extra`` line holds the record's envelope, so that whoever has the message can compute
the leaf hash: SHA-256(0x00 ‖ envelope), whose last 32 octets are SHA-256(message).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from audit.errors import IntegrityViolation, NotFound
from audit.journal.heads import read_checkpoint
from audit.journal.merkle import (
    HASH_OCTETS,
    consistency_path,
    hash_leaf,
    inclusion_path,
    root_from_inclusion,
)
from audit.journal.note import (
    Checkpoint,
    VerifierKey,
    decode_base64,
    encode_base64,
    open_note,
    parse_checkpoint,
    split_note,
)
from audit.journal.proof_envelope import EnvelopeFacts, read_envelope
from audit.journal.reader import JournalReader
from audit.journal.tree_store import TreeReader
from audit.journal.witness_protocol import Growth

PROOF_FORMAT = "c2sp.org/tlog-proof@v1"
_MAX_PATH = 64
_HEAD_LINES = 3
_MAX_INDEX_DIGITS = 20


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
            f"extra {encode_base64(self.envelope)}",
            f"index {self.index}",
            *(encode_base64(node) for node in self.path),
        ]
        return "\n".join(lines) + "\n\n" + self.checkpoint

    def facts(self) -> EnvelopeFacts:
        """What the envelope says.

        Raises:
            IntegrityViolation: it is none, or one of another place.
        """
        facts = read_envelope(self.envelope)
        if facts.sequence != self.index:
            raise IntegrityViolation(
                f"the envelope of record {facts.sequence} is not that of index {self.index}"
            )
        return facts

    def check(self, keys: Iterable[VerifierKey]) -> Checkpoint:
        """The signed head under which the envelope's record stands at its index.

        Raises:
            IntegrityViolation: no given key signed the head, or the path leads elsewhere.
        """
        return self.check_under(parse_checkpoint(open_note(self.checkpoint, keys)))

    def unsigned(self) -> Checkpoint:
        """As ``check``, but whoever signed the head: shows that the parts fit, no more.

        Raises:
            IntegrityViolation: the path leads elsewhere.
        """
        return self.check_under(parse_checkpoint(split_note(self.checkpoint)[0]))

    def check_under(self, head: Checkpoint) -> Checkpoint:
        """The head, when the path leads to its root.

        Raises:
            IntegrityViolation: the path leads elsewhere, or the envelope is of another place.
        """
        self.facts()
        leaf = hash_leaf(self.envelope)
        if root_from_inclusion(leaf, self.index, head.size, self.path) != head.root:
            raise IntegrityViolation("the proof's path does not lead to the signed root")
        return head


def prove(
    journal_dir: Path, reader: JournalReader, sequence: int, checkpoint: str | None = None
) -> Proof:
    """The proof of one entry under a published head.

    Args:
        journal_dir: the journal.
        reader: of the same journal.
        sequence: the entry.
        checkpoint: the head to prove it under, a signed note; by default the newest.

    Raises:
        NotFound: no such entry, or the head doesn't cover it yet; heads follow each second.
        IntegrityViolation: what is kept does not lead to the signed root.
        JournalUnavailable: the journal can't be read.
    """
    keys = [key.verifier for key in reader.identity.keys]
    note = read_checkpoint(journal_dir) if checkpoint is None else checkpoint
    head = parse_checkpoint(open_note(note, keys))
    entry = reader.read(sequence)
    if sequence >= head.size:
        raise NotFound(f"no signed head covers entry {sequence} yet; try again in a second")
    path = inclusion_path(TreeReader(journal_dir).node, sequence, head.size)
    proof = Proof(sequence, path, note, entry.envelope)
    proof.check(keys)
    return proof


def prove_consistency(journal_dir: Path, old_size: int, size: int) -> tuple[bytes, ...]:
    """RFC 6962 2.1.2 path from one published tree to a larger one.

    Raises:
        ValueError: the sizes are out of order.
        IntegrityViolation: hashes are missing, for one because no head is that large yet.
    """
    return consistency_path(TreeReader(journal_dir).node, old_size, size)


def prove_growth(
    journal_dir: Path, keys: Iterable[VerifierKey], old_size: int, checkpoint: str
) -> Growth:
    """The proof that the tree of ``old_size`` is the beginning of that of a signed head.

    Raises:
        IntegrityViolation: no given key signed the head, it is smaller than ``old_size``, or
            hashes are missing.
    """
    head = parse_checkpoint(open_note(checkpoint, keys))
    if old_size > head.size:
        raise IntegrityViolation(
            f"the log's head covers {head.size} entries, an earlier one {old_size}: it was cut"
        )
    return Growth(old_size, prove_consistency(journal_dir, old_size, head.size), checkpoint)


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
    digits = index.isascii() and index.isdigit() and len(index) <= _MAX_INDEX_DIGITS
    if not digits or lines[2] != f"index {int(index)}":
        raise IntegrityViolation("a proof names its index")
    try:
        envelope, *path = (
            decode_base64(line) for line in (lines[1].removeprefix("extra "), *lines[_HEAD_LINES:])
        )
    except ValueError as error:
        raise IntegrityViolation(f"a proof's hash can't be read: {error}") from error
    if any(len(node) != HASH_OCTETS for node in path):
        raise IntegrityViolation("a hash of the proof's path has not 32 octets")
    return Proof(int(index), tuple(path), checkpoint, envelope)
