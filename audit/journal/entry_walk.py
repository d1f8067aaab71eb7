"""Walks many entries at once, for those who need leaf hashes and places but no objects; pure.

Everything that ``entry.decode_body`` checks is checked of every entry. The commonest form, a whole
entry without attributes whose listener and peer were met before, is checked here, inline, since
this is where verification spends its time; anything else goes through ``decode_body`` itself.
"""

from dataclasses import dataclass, field
from hashlib import sha256
from struct import Struct

from zlib_ng.zlib_ng import crc32

from audit.errors import IntegrityViolation
from audit.journal.entry import (
    FINGERPRINT_OCTETS,
    FORM_WHOLE,
    HEADER_OCTETS,
    LEAF_MAGIC,
    MAGIC,
    MAX_BODY_OCTETS,
    VERSION,
    DecodedEntry,
    EntryKind,
    decode_body,
    decode_header,
)

_BEGIN = Struct(">4sBBBBIIIQQ16sQIBBHH")
"""Header and fixed metadata, which follow one another."""
_CHECKED_OCTETS = 16
_FIXED_OCTETS = _BEGIN.size - HEADER_OCTETS
_MESSAGE = int(EntryKind.MESSAGE)
_LEAF_BEGIN = b"\x00" + LEAF_MAGIC + bytes((VERSION, _MESSAGE, 0))
_FINGERPRINT_LENGTHS = frozenset({0, FINGERPRINT_OCTETS})
_MAX_SENDERS = 8192


@dataclass(slots=True)
class Walked:
    """Consecutive entries that are whole and in sequence.

    Attributes:
        ends: the offset after each of them, counted as the walk's ``base`` was.
        leaves: their leaf hashes.
        earliest: smallest received-at, 0 without any.
        latest: largest received-at.
        special: those that are no plain message, by their number in this walk.
        problem: why the walk ended before the octets did: no valid entry, or one of another
            place; empty when the octets ended, perhaps within an entry.
        foreign: the problem is a whole entry with another sequence.
        needed: octets of the entry that the octets end in, as far as that is known.
    """

    ends: list[int] = field(default_factory=list)
    leaves: list[bytes] = field(default_factory=list)
    earliest: int = 0
    latest: int = 0
    special: list[tuple[int, DecodedEntry]] = field(default_factory=list)
    problem: str = ""
    foreign: bool = False
    needed: int = HEADER_OCTETS


class EntryWalk:
    """Walks windows of a segment one after the other; remembers which senders' names are valid."""

    def __init__(self) -> None:
        self._senders: set[tuple[int, int, bytes]] = set()
        self._remember_at_most = _MAX_SENDERS

    def walk(self, octets: bytes, base: int, sequence: int) -> Walked:
        """All whole entries from the beginning of ``octets``.

        Args:
            octets: a part of a segment that begins with an entry.
            base: the part's offset.
            sequence: of the first entry.
        """
        found = Walked()
        times: list[int] = []
        try:
            self._walk(found, times, octets, base, sequence)
        except IntegrityViolation as error:
            found.problem = str(error)
        if times:
            found.earliest, found.latest = min(times), max(times)
        return found

    def _walk(
        self, found: Walked, times: list[int], octets: bytes, base: int, sequence: int
    ) -> None:
        add_end, add_leaf, add_time = found.ends.append, found.leaves.append, times.append
        place, size = 0, len(octets)
        while place + HEADER_OCTETS <= size:
            taken = self._plain(octets, place, size, sequence)
            if taken is None:
                decoded = self._any(found, octets, place, sequence)
                if decoded is None:
                    return
                taken = decoded.end, decoded.leaf_hash, decoded.entry.received.received_at
            place, leaf, received_at = taken
            add_end(base + place)
            add_leaf(leaf)
            add_time(received_at)
            sequence += 1

    def _plain(
        self, octets: bytes, place: int, size: int, sequence: int
    ) -> tuple[int, bytes, int] | None:
        """End, leaf hash and time of a whole plain message; None when it is anything else."""
        if place + _BEGIN.size > size:
            return None
        (
            magic, version, form, kind, flags, metadata_length, body_length, checksum,
            found_sequence, received_at, _, sent, stored, fingerprint, listener, peer, attributes,
        ) = _BEGIN.unpack_from(octets, place)  # fmt: skip
        start = place + HEADER_OCTETS
        body = start + metadata_length
        end = body + body_length
        if (
            magic != MAGIC
            or version != VERSION
            or form != FORM_WHOLE
            or kind != _MESSAGE
            or flags
            or attributes
            or found_sequence != sequence
            or not sent == stored == body_length <= MAX_BODY_OCTETS
            or metadata_length != _FIXED_OCTETS + fingerprint + listener + peer
            or fingerprint not in _FINGERPRINT_LENGTHS
            or end > size
        ):
            return None
        metadata = octets[start:body]
        sender = (listener, peer, metadata[_FIXED_OCTETS + fingerprint :])
        if sender not in self._senders:
            return None
        raw = octets[body:end]
        if crc32(raw, crc32(metadata, crc32(octets[place : place + _CHECKED_OCTETS]))) != checksum:
            return None
        return end, sha256(_LEAF_BEGIN + metadata + sha256(raw).digest()).digest(), received_at

    def _any(self, found: Walked, octets: bytes, place: int, sequence: int) -> DecodedEntry | None:
        header = decode_header(octets, place)
        found.needed = header.entry_length
        if place + header.entry_length > len(octets):
            return None
        decoded = decode_body(octets, place, header)
        if decoded.entry.sequence != sequence:
            found.problem = f"entry {decoded.entry.sequence} stands here"
            found.foreign = True
            return None
        self._remember(decoded)
        if decoded.entry.is_removed or decoded.entry.received.kind is not EntryKind.MESSAGE:
            found.special.append((len(found.ends), decoded))
        found.needed = HEADER_OCTETS
        return decoded

    def _remember(self, decoded: DecodedEntry) -> None:
        """A whole entry's listener and peer were found to be valid; so they are next time."""
        received = decoded.entry.received
        if received.attributes:
            return
        listener, peer = received.listener.encode(), received.peer.encode()
        if len(self._senders) >= self._remember_at_most:
            self._senders.clear()
        self._senders.add((len(listener), len(peer), listener + peer))
