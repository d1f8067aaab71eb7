"""Seals: each ends the time of one signing key and hands over to the next; pure text form.

A seal is signed by both keys. It binds the range of entries that the old key signed for, the time,
the tree's size and root, and the root sealed before: so whoever has a later key only can't sign
an earlier epoch anew. docs/journal-format.md, section 6.1.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from audit.errors import IntegrityViolation
from audit.journal.identity import Identity, LogKey
from audit.journal.merkle import EMPTY_ROOT, HASH_OCTETS
from audit.journal.note import (
    Checkpoint,
    Signer,
    VerifierKey,
    decode_base64,
    encode_base64,
    open_note_by,
    sign_by_all,
)

FORMAT = "arr-seal 1"
_NUMBER = r"(0|[1-9][0-9]{0,19})"
_BASE64 = "([A-Za-z0-9+/=]+)"
_TEXT = re.compile(
    rf"{FORMAT}\nlog ([^\n]+)\nnumber {_NUMBER}\nfirst {_NUMBER}\nsize {_NUMBER}\n"
    rf"root {_BASE64}\nprevious {_BASE64}\ntime {_NUMBER}\noverlap {_NUMBER}\n"
    r"old ([^\n]+)\nnew ([^\n]+)\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """The end of one key's time.

    Attributes:
        log: the log's name.
        number: counts the log's seals, from 0.
        first: sequence of the first entry of the epoch: the size sealed before.
        size: of the log at the end; heads of larger sizes are signed by the new key.
        root: of the tree of that size.
        previous: the root sealed before; that of the empty tree for the first seal.
        time: UTC nanoseconds.
        overlap: until then the old key signs heads beside the new one, UTC nanoseconds.
        old: key of the epoch that ends.
        new: key of the next one.
    """

    log: str
    number: int
    first: int
    size: int
    root: bytes
    previous: bytes
    time: int
    overlap: int
    old: VerifierKey
    new: VerifierKey

    @property
    def text(self) -> str:
        """The one written form."""
        return (
            f"{FORMAT}\nlog {self.log}\nnumber {self.number}\nfirst {self.first}\n"
            f"size {self.size}\nroot {encode_base64(self.root)}\n"
            f"previous {encode_base64(self.previous)}\ntime {self.time}\n"
            f"overlap {self.overlap}\nold {self.old.text}\nnew {self.new.text}\n"
        )

    @property
    def head(self) -> Checkpoint:
        """The head that it seals."""
        return Checkpoint(self.log, self.size, self.root)

    def signed(self, old: Signer, new: Signer) -> str:
        """The signed note."""
        return sign_by_all(self.text, (old, new))


def next_seal(
    identity: Identity,
    seals: Sequence[Seal],
    head: Checkpoint,
    new: VerifierKey,
    *,
    time: int,
    overlap: int,
) -> Seal:
    """The seal that ends the time of the log's newest key at this head."""
    last = seals[-1] if seals else None
    return Seal(
        log=identity.name,
        number=len(seals),
        first=0 if last is None else last.size,
        size=head.size,
        root=head.root,
        previous=EMPTY_ROOT if last is None else last.root,
        time=time,
        overlap=overlap,
        old=identity.current_key,
        new=new,
    )


def handed_over(identity: Identity, seal: Seal) -> Identity:
    """The identity after that seal."""
    return Identity(
        identity.origin, identity.name, (*identity.keys, LogKey(seal.size + 1, seal.new))
    )


def parse_seal(note: str) -> Seal:
    """What a signed seal says, when both its keys signed it.

    Raises:
        IntegrityViolation: it is no seal, or not signed by both.
    """
    found = _TEXT.fullmatch(note.rpartition("\n\n")[0] + "\n")
    if found is None:
        raise IntegrityViolation("no seal in the one canonical form")
    log, number, first, size, root, previous, time, overlap, old, new = found.groups()
    try:
        seal = Seal(
            log=log,
            number=int(number),
            first=int(first),
            size=int(size),
            root=decode_base64(root),
            previous=decode_base64(previous),
            time=int(time),
            overlap=int(overlap),
            old=VerifierKey.parse(old),
            new=VerifierKey.parse(new),
        )
    except ValueError as error:
        raise IntegrityViolation(f"no seal in the one canonical form: {error}") from error
    if not len(seal.root) == len(seal.previous) == HASH_OCTETS or seal.old == seal.new:
        raise IntegrityViolation("a seal has two roots of 32 octets, and two keys")
    open_note_by(note, [seal.old, seal.new])
    return seal


def check_chain(identity: Identity, seals: Sequence[Seal]) -> None:
    """The seals hand the log over from each key of the identity to the next one.

    Raises:
        IntegrityViolation: one is missing, of another log, or contradicts the identity.
    """
    if len(seals) != len(identity.keys) - 1:
        raise IntegrityViolation(
            f"the identity names {len(identity.keys)} keys, but there are {len(seals)} seals"
        )
    size, root = 0, EMPTY_ROOT
    for number, seal in enumerate(seals):
        old, new = identity.keys[number : number + 2]
        expected = (identity.name, number, size, root, old.verifier, new.verifier, new.since)
        told = (
            seal.log,
            seal.number,
            seal.first,
            seal.previous,
            seal.old,
            seal.new,
            seal.size + 1,
        )
        if told != expected or seal.size <= size:
            raise IntegrityViolation(f"seal {number} does not follow from the one before it")
        size, root = seal.size, seal.root
