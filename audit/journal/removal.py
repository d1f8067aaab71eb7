"""Statements of lawful removal: which bodies are gone by right, signed by the log; pure text form.

Whoever may write to the journal's folder can delete a body, but can't make this statement without
the signing key: so ``verify`` tells the one from the other. docs/journal-format.md, section 9.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from audit.errors import IntegrityViolation
from audit.journal.identity import Identity
from audit.journal.note import Signer, decode_base64, encode_base64, open_note_by

FORMAT = "arr-removal 1"
MAX_REASON_LENGTH = 2_000
_DIGEST_OCTETS = 32
_NUMBER = r"(0|[1-9][0-9]{0,19})"
_SPAN = "[0-9]{1,20}(?:-[0-9]{1,20})?"
_TEXT = re.compile(
    rf"{FORMAT}\nlog ([^\n]+)\nnumber {_NUMBER}\nsize {_NUMBER}\ntime {_NUMBER}\n"
    rf"reason ([^\n]+)\nsegment {_NUMBER}\nentries ({_SPAN}(?: {_SPAN})*)\n"
    r"digest ([A-Za-z0-9+/=]+)\n"
)

Span = tuple[int, int]
"""First and last sequence of consecutive entries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What was removed from one segment, and why.

    Attributes:
        log: the log's name.
        number: counts the log's statements, from 0.
        size: of the log when the statement was made; tells which key signs it.
        time: UTC nanoseconds.
        reason: why, with its legal basis, in one line.
        segment: first sequence of the segment.
        spans: whose bodies and salts are removed, rising, apart from each other.
        digest: SHA-256 over what is left of these entries, in order.
    """

    log: str
    number: int
    size: int
    time: int
    reason: str
    segment: int
    spans: tuple[Span, ...]
    digest: bytes

    @property
    def count(self) -> int:
        """Entries concerned."""
        return sum(last - first + 1 for first, last in self.spans)

    @property
    def text(self) -> str:
        """The one written form."""
        entries = " ".join(
            str(first) if first == last else f"{first}-{last}" for first, last in self.spans
        )
        return (
            f"{FORMAT}\nlog {self.log}\nnumber {self.number}\nsize {self.size}\n"
            f"time {self.time}\nreason {self.reason}\nsegment {self.segment}\n"
            f"entries {entries}\ndigest {encode_base64(self.digest)}\n"
        )

    def sequences(self) -> Iterable[int]:
        """Every entry concerned, in order."""
        for first, last in self.spans:
            yield from range(first, last + 1)

    def signed(self, signer: Signer) -> str:
        """The signed note.

        Raises:
            ValueError: a field can't be written in one line, or the entries are out of order.
        """
        if parse_text(self.text) != self:
            raise ValueError("the statement can't be written as it is")
        return signer.sign(self.text)


def spans_of(sequences: Iterable[int]) -> tuple[Span, ...]:
    """The sequences, which rise, as spans."""
    spans: list[Span] = []
    for sequence in sequences:
        if spans and spans[-1][1] + 1 == sequence:
            spans[-1] = (spans[-1][0], sequence)
        else:
            spans.append((sequence, sequence))
    return tuple(spans)


def reason_in_one_line(text: str) -> str:
    """The text without line breaks and unprintable characters, not too long."""
    words = "".join(c if c.isprintable() else " " for c in text).split()
    return " ".join(words)[:MAX_REASON_LENGTH]


def parse_text(text: str) -> Removal | None:
    """Read the written form; None when it is not in it."""
    match = _TEXT.fullmatch(text)
    if match is None:
        return None
    log, number, size, time, reason, segment, entries, digest = match.groups()
    try:
        octets = decode_base64(digest)
    except ValueError:
        return None
    removal = Removal(
        log=log,
        number=int(number),
        size=int(size),
        time=int(time),
        reason=reason,
        segment=int(segment),
        spans=tuple(_span(part) for part in entries.split(" ")),
        digest=octets,
    )
    return removal if removal.text == text and _is_possible(removal) else None


def signed_removal(note: str, identity: Identity) -> Removal:
    """What a signed statement says, when the key in force at its size signed it for this log.

    Raises:
        IntegrityViolation: it did not, or this is no statement of this log.
    """
    removal = parse_text(note.rpartition("\n\n")[0] + "\n")
    if removal is None:
        raise IntegrityViolation("no statement of removal in the one canonical form")
    open_note_by(note, [identity.key_at(removal.size)])
    if removal.log != identity.name:
        raise IntegrityViolation(f"a statement of another log, {removal.log}")
    return removal


def _span(text: str) -> Span:
    first, _, last = text.partition("-")
    return int(first), int(last or first)


def _is_possible(removal: Removal) -> bool:
    spans: Sequence[Span] = removal.spans
    return (
        len(removal.digest) == _DIGEST_OCTETS
        and len(removal.reason) <= MAX_REASON_LENGTH
        and removal.reason.isprintable()
        and removal.segment <= spans[0][0]
        and spans[-1][1] < removal.size
        and all(first <= last for first, last in spans)
        and all(before[1] + 1 < after[0] for before, after in pairwise(spans))
    )
