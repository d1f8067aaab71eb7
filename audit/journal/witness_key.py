"""Cosignatures of witnesses: keys, signing and checking; pure.

Source: C2SP tlog-cosignature, the Ed25519 form (algorithm 0x04). A cosignature says: at this time
this witness had seen no other history of the log than the one that leads to this head.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from audit.errors import IntegrityViolation
from audit.journal.note import (
    COSIGNATURE,
    SignatureLine,
    encode_base64,
    key_id_of,
    parse_key,
    split_note,
)

_TIME_OCTETS = 8
_SIGNATURE_OCTETS = 64


@dataclass(frozen=True, slots=True)
class WitnessKey:
    """The public half of a witness's key, written ``NAME+HEX8+BASE64``."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """First four octets of SHA-256(name ‖ newline ‖ 0x04 ‖ key)."""
        return key_id_of(self.name, COSIGNATURE, self.public)

    @property
    def text(self) -> str:
        """The written form."""
        octets = bytes([COSIGNATURE]) + self.public
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(octets)}"

    @classmethod
    def parse(cls, text: str) -> "WitnessKey":
        """Read ``NAME+HEX8+BASE64``.

        Raises:
            ValueError: it is not a witness's key, or its key id does not belong to it.
        """
        return cls(*parse_key(text, COSIGNATURE))

    def cosigned_at(self, text: str, signature: bytes) -> int | None:
        """When this witness signed the checkpoint, POSIX seconds; None when it did not."""
        if len(signature) != _TIME_OCTETS + _SIGNATURE_OCTETS:
            return None
        at = int.from_bytes(signature[:_TIME_OCTETS])
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(
                signature[_TIME_OCTETS:], _signed_octets(text, at)
            )
        except InvalidSignature:
            return None
        return at


@dataclass(frozen=True, slots=True)
class Cosigner:
    """The private half of a witness's key, with its name."""

    name: str
    private: Ed25519PrivateKey

    @property
    def verifier(self) -> WitnessKey:
        """The public half."""
        return WitnessKey(self.name, self.private.public_key().public_bytes_raw())

    def cosign(self, text: str, at: int) -> SignatureLine:
        """The cosignature of a checkpoint's text at ``at`` (POSIX seconds)."""
        signature = at.to_bytes(_TIME_OCTETS) + self.private.sign(_signed_octets(text, at))
        return SignatureLine(self.name, self.verifier.key_id, signature)


class Cosigned(NamedTuple):
    """A witness's checked cosignature."""

    witness: WitnessKey
    at: int
    line: SignatureLine


def cosignatures(note: str, witnesses: Iterable[WitnessKey]) -> tuple[Cosigned, ...]:
    """The cosignatures of these witnesses on a note, each checked.

    Raises:
        IntegrityViolation: one of them does not match the note, or it is no note.
    """
    known = {(key.name, key.key_id): key for key in witnesses}
    text, lines = split_note(note)
    found = []
    for line in lines:
        key = known.get((line.name, line.key_id))
        if key is None:
            continue
        at = key.cosigned_at(text, line.signature)
        if at is None:
            raise IntegrityViolation(f"the cosignature of {line.name} does not match the note")
        found.append(Cosigned(key, at, line))
    return tuple(found)


def _signed_octets(text: str, at: int) -> bytes:
    return f"cosignature/v1\ntime {at}\n{text}".encode()
