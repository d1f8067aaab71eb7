"""What a log sends to a witness, and the same text as a consistency proof in a file; pure.

Source: C2SP tlog-witness, ``add-checkpoint``: the line ``old SIZE``, the consistency path from the
tree of that size, an empty line, and the log's checkpoint.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from audit.errors import IntegrityViolation
from audit.journal.merkle import HASH_OCTETS, is_consistent
from audit.journal.note import (
    Checkpoint,
    VerifierKey,
    decode_base64,
    encode_base64,
    open_note,
    parse_checkpoint,
)

MAX_PATH = 63
_MAX_SIZE_DIGITS = 20


@dataclass(frozen=True, slots=True)
class Growth:
    """That a log has grown from one size to the head of its checkpoint.

    Attributes:
        old_size: of the earlier tree.
        path: consistency path of RFC 6962 2.1.2; empty when ``old_size`` is 0 or the head's.
        checkpoint: the later head, a signed note.
    """

    old_size: int
    path: tuple[bytes, ...]
    checkpoint: str

    @property
    def text(self) -> str:
        """The body of a request, or the content of a proof's file."""
        lines = [f"old {self.old_size}", *(encode_base64(node) for node in self.path)]
        return "\n".join(lines) + "\n\n" + self.checkpoint

    def check(self, old: Checkpoint, keys: Iterable[VerifierKey]) -> Checkpoint:
        """The signed head that the tree of ``old`` is the beginning of.

        Raises:
            IntegrityViolation: no given key signed the head, it is another log's, or the path
                does not lead from the old root to the new one.
        """
        new = parse_checkpoint(open_note(self.checkpoint, keys))
        if new.origin != old.origin or self.old_size != old.size:
            raise IntegrityViolation("the proof is about other heads")
        if not is_consistent((old.size, old.root), (new.size, new.root), self.path):
            raise IntegrityViolation(
                f"the log's head of size {new.size} did not grow from that of size {old.size}"
            )
        return new


def parse_growth(text: str) -> Growth:
    """Read a request's body or a proof's file; nothing of it is checked against a key.

    Raises:
        IntegrityViolation: it is none.
    """
    top, mark, checkpoint = text.partition("\n\n")
    first, *hashes = top.split("\n")
    size = first.removeprefix("old ")
    digits = size.isascii() and size.isdigit() and len(size) <= _MAX_SIZE_DIGITS
    if not mark or not digits or first != f"old {int(size)}":
        raise IntegrityViolation("it begins with the line 'old SIZE' and ends with a checkpoint")
    if len(hashes) > MAX_PATH:
        raise IntegrityViolation(f"a consistency path has at most {MAX_PATH} hashes")
    try:
        path = tuple(decode_base64(line) for line in hashes)
    except ValueError as error:
        raise IntegrityViolation(f"a hash of the path can't be read: {error}") from error
    if any(len(node) != HASH_OCTETS for node in path):
        raise IntegrityViolation("a hash of the path has not 32 octets")
    return Growth(int(size), path, checkpoint)
