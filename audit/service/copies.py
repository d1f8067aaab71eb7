"""Finds the copies of a message: what a sender sent again, not knowing that it had arrived."""

from audit.journal.entry import Entry
from audit.journal.reader import JournalReader

_NS_PER_S = 1_000_000_000


def copies_of(reader: JournalReader, sequence: int, window_s: float) -> tuple[int, ...]:
    """The record and every other one with the same octets, in order.

    A copy arrived within the window before or after another one, from whomever; so a chain of
    them is followed to both ends. The journal itself is read: the index may be late.

    Args:
        reader: the journal.
        sequence: of a message that is there.
        window_s: the re-delivery window.

    Raises:
        AuditError: the journal can't be read.
    """
    entry = reader.read(sequence)
    window_ns = round(window_s * _NS_PER_S)
    if not window_ns:
        return (sequence,)
    return (
        *_earlier(reader, entry, window_ns),
        sequence,
        *_later(reader, entry, window_ns),
    )


def _earlier(reader: JournalReader, entry: Entry, window_ns: int) -> list[int]:
    found: list[int] = []
    first = entry
    while True:
        start = _first_since(reader, first.received.received_at - window_ns, first.sequence)
        same = [
            one
            for one in reader.iterate(start, first.sequence)
            if one.received.raw == entry.received.raw
        ]
        if not same:
            return found
        found[:0] = [one.sequence for one in same]
        first = same[0]


def _later(reader: JournalReader, entry: Entry, window_ns: int) -> list[int]:
    found: list[int] = []
    latest = entry.received.received_at
    for one in reader.iterate(entry.sequence + 1):
        if one.received.received_at > latest + window_ns:
            break
        if one.received.raw == entry.received.raw:
            found.append(one.sequence)
            latest = one.received.received_at
    return found


def _first_since(reader: JournalReader, moment: int, end: int) -> int:
    """The first sequence received since then, by halving: entries stand in order of receipt."""
    low, high = 0, end
    while low < high:
        middle = (low + high) // 2
        if reader.read(middle).received.received_at < moment:
            low = middle + 1
        else:
            high = middle
    return low
