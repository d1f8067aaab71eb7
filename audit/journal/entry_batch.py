"""The byte forms of many records at once, for the one who appends them; pure.

Each is what ``entry.encode`` makes of the same entry. The leaf hashes are made in the same pass,
while an entry's octets are in the processor's cache.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from struct import Struct
from typing import NamedTuple

from zlib_ng.zlib_ng import crc32

from audit.journal.entry import (
    FORM_WHOLE,
    HEADER_OCTETS,
    LEAF_MAGIC,
    MAGIC,
    SALT_OCTETS,
    VERSION,
    EntryKind,
    Received,
    attribute_octets,
)

_BEGIN = Struct(">4sBBBBI")
_CHECKED_HEADER = Struct(f">{_BEGIN.size}sI")
_OWN = f">QQ{SALT_OCTETS}sQI"
"""The fixed metadata up to the lengths, which follow from the sender."""
_LENGTHS = Struct(">BBHH")
_LEAF_BEGIN = Struct(">s4sBBB")
_SALT = Struct(f">{SALT_OCTETS}s")

Alike = tuple[EntryKind, str, str, bytes, tuple[tuple[int, bytes], ...], int]
"""Kind, listener, peer, certificate, attributes, flags: what many records have in common."""


class _Common(NamedTuple):
    """What is the same in the octets of records that are alike."""

    begin: bytes = b""
    rest: bytes = b""
    leaf_begin: bytes = b""
    head_length: int = 0
    pack_metadata: Callable[..., bytes] = Struct("").pack


class EncodedBatch:
    """Consecutive entries, ready to be written.

    Attributes:
        octets: the entries, in order.
        lengths: octets of each entry.
        leaves: RFC 6962 2.1 leaf hash of each entry's envelope.
        earliest: smallest received-at.
        latest: largest received-at.
        kinds: of the entries.
    """

    __slots__ = ("earliest", "kinds", "latest", "leaves", "lengths", "octets")

    def __init__(self, first: int, salts: bytes, batch: Sequence[Received]) -> None:
        """Encode.

        Args:
            first: sequence of the first entry.
            salts: 16 octets for each.
            batch: one record at least.

        Raises:
            ValueError: there are not so many salts.
        """
        if len(salts) != SALT_OCTETS * len(batch):
            raise ValueError("each entry has a salt of its own, of 16 octets")
        self.lengths: list[int] = []
        self.leaves: list[bytes] = []
        self.octets = b"".join(self._encode(first, salts, batch))
        times = [received.received_at for received in batch]
        self.earliest, self.latest = min(times), max(times)

    def __len__(self) -> int:
        return len(self.lengths)

    def _encode(self, first: int, salts: bytes, batch: Sequence[Received]) -> list[bytes]:
        """One loop without calls of our own: this is what an append spends its time with."""
        parts: list[bytes] = []
        add_length, add_leaf = self.lengths.append, self.leaves.append
        pack_header = _CHECKED_HEADER.pack
        known: dict[Alike, _Common] = {}
        kind = listener = peer = certificate = attributes = flags = None
        begin, rest, leaf_begin, head_length, pack_metadata = _Common()
        sequence = first
        for received, (salt,) in zip(batch, _SALT.iter_unpack(salts), strict=True):
            if (
                received.peer is not peer or received.certificate_sha256 is not certificate
                or received.listener is not listener or received.kind is not kind
                or received.attributes is not attributes or received.flags is not flags
            ):  # fmt: skip
                alike = kind, listener, peer, certificate, attributes, flags = (
                    received.kind, received.listener, received.peer,
                    received.certificate_sha256, received.attributes, received.flags,
                )  # fmt: skip
                begin, rest, leaf_begin, head_length, pack_metadata = known.get(
                    alike
                ) or known.setdefault(alike, _common(alike))
            raw, sent = received.raw, received.original_length
            length = len(raw)
            sent = length if sent is None else sent
            header = pack_header(begin, length)
            metadata = pack_metadata(sequence, received.received_at, salt, sent, length, rest)
            checksum = crc32(raw, crc32(metadata, crc32(header)))
            parts += header, checksum.to_bytes(4), metadata, raw
            add_length(head_length + length)
            add_leaf(sha256(leaf_begin + metadata + sha256(raw).digest()).digest())
            sequence += 1
        self.kinds = frozenset(kind for kind, *_ in known)
        return parts


def _common(alike: Alike) -> _Common:
    kind, listener, peer, certificate, attributes, flags = alike
    texts = listener.encode(), peer.encode()
    more = attribute_octets(attributes) if attributes else b""
    lengths = _LENGTHS.pack(len(certificate), len(texts[0]), len(texts[1]), len(more))
    rest = b"".join((lengths, certificate, *texts, more))
    metadata = Struct(f"{_OWN}{len(rest)}s")
    return _Common(
        _BEGIN.pack(MAGIC, VERSION, FORM_WHOLE, kind, flags, metadata.size),
        rest,
        _LEAF_BEGIN.pack(b"\x00", LEAF_MAGIC, VERSION, kind, flags),
        HEADER_OCTETS + metadata.size,
        metadata.pack,
    )
