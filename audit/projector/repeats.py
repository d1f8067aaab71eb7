"""RepeatMemory: which earlier message a message repeats byte for byte.

A sender that doesn't know whether we got a message sends it again. A message is a repeat when the
same source sent the same octets within the window before it; it then names the latest such
message, so that a chain of repeats leads back to the first.

Nothing is stored for it: the memory holds 64 bits of a SHA-256 and a sequence for each of the
latest messages (about 190 octets each), and is filled again from the journal at start. What it
suggests is compared octet by octet before it counts, and whether it counts depends on the journal
alone, so that an index built anew has the same repeats.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from audit.journal.entry import Entry, EntryKind, Received
from audit.projector.identities import host_of


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatOptions:
    """When a message counts as a repeat.

    Attributes:
        window_s: how long after a message its repeat may arrive; 0 marks none.
        max_messages: how many of the latest entries are remembered.
    """

    window_s: int = 86_400
    max_messages: int = 1_000_000


def source_of(received: Received) -> bytes:
    """Who sent it: the certificate's digest, else the peer's address without its port."""
    return received.certificate_sha256 or host_of(received.peer).encode()


def is_repeat(earlier: Received, later: Received, window_ns: int) -> bool:
    """Whether ``later`` is ``earlier`` sent again, within the window."""
    passed = later.received_at - earlier.received_at
    return (
        0 <= passed <= window_ns
        and earlier.kind == later.kind
        and earlier.sent_length == later.sent_length
        and earlier.raw == later.raw
        and source_of(earlier) == source_of(later)
    )


class RepeatMemory:
    """Remembers the latest messages, within a fixed number of them."""

    def __init__(self, read: Callable[[int], Entry], options: RepeatOptions) -> None:
        self._read = read
        self._options = options
        self._window_ns = options.window_s * 1_000_000_000
        # A plain dict would look for its oldest key behind all that were removed before it.
        self._latest: OrderedDict[int, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._latest)

    def note(self, entry: Entry) -> int | None:
        """Remember the message; the sequence of the one that it repeats, None for a new one.

        Entries are noted in the order of the journal, each once.
        """
        if self._window_ns == 0 or entry.received.kind is EntryKind.CERTIFICATE:
            return None
        key = _key(entry.received)
        earlier = self._latest.pop(key, None)
        self._latest[key] = entry.sequence
        if len(self._latest) > self._options.max_messages:
            self._latest.popitem(last=False)
        if earlier is None or entry.sequence - earlier > self._options.max_messages:
            return None
        same = is_repeat(self._read(earlier).received, entry.received, self._window_ns)
        return earlier if same else None

    def first_needed(self, position: int) -> int:
        """The first sequence before ``position`` that a later message may still repeat.

        Found by halving, since entries stand in the order of their receipt.
        """
        low, high = max(0, position - self._options.max_messages), position
        if low >= high or self._window_ns == 0:
            return position
        oldest = self._read(position - 1).received.received_at - self._window_ns
        while low < high:
            middle = (low + high) // 2
            if self._read(middle).received.received_at < oldest:
                low = middle + 1
            else:
                high = middle
        return low

    def clear(self) -> None:
        """Forget everything."""
        self._latest.clear()


def _key(received: Received) -> int:
    digest = sha256(source_of(received))
    digest.update(b"\x00")
    digest.update(received.raw)
    return int.from_bytes(digest.digest()[:8])
