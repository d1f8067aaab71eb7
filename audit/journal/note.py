"""C2SP signed notes and checkpoints with Ed25519; pure.

Source: C2SP signed-note and tlog-checkpoint. Stricter than them where it costs nothing: base64
must be in its one canonical form.
"""

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from audit.errors import IntegrityViolation

ED25519 = 0x01
COSIGNATURE = 0x04
"""A witness's timestamped Ed25519 signature (C2SP tlog-cosignature)."""
MAX_SIGNATURES = 64
_SIGNATURE_MARK = "— "
_KEY_ID_OCTETS = 4
_ROOT_OCTETS = 32
_VERIFIER_KEY_PARTS = 3
_MAX_SIZE_DIGITS = 20
_ALGORITHMS = {ED25519: "a log (Ed25519)", COSIGNATURE: "a witness (Ed25519 cosignature)"}


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """The public half of a note key, written ``NAME+HEX8+BASE64``."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """First four octets of SHA-256(name ‖ newline ‖ algorithm ‖ key)."""
        return key_id_of(self.name, ED25519, self.public)

    @property
    def text(self) -> str:
        """The written form."""
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(bytes([ED25519]) + self.public)}"

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Read ``NAME+HEX8+BASE64``.

        Raises:
            ValueError: not an Ed25519 verifier key, or its key id does not belong to it.
        """
        return cls(*parse_key(text, ED25519))

    def accepts(self, text: bytes, signature: bytes) -> bool:
        """Whether this key signed exactly this text."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Signer:
    """The private half of a note key, with its name."""

    name: str
    private: Ed25519PrivateKey

    @property
    def verifier(self) -> VerifierKey:
        """The public half."""
        return VerifierKey(self.name, self.private.public_key().public_bytes_raw())

    def sign(self, text: str) -> str:
        """A signed note of the text, which ends in a newline."""
        signature = self.private.sign(text.encode())
        line = SignatureLine(self.name, self.verifier.key_id, signature)
        return f"{text}\n{line.text}"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a log: its name, the size of its tree and the tree's root."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """Its three lines."""
        return f"{self.origin}\n{self.size}\n{encode_base64(self.root)}\n"


def sign_by_all(text: str, signers: Iterable[Signer]) -> str:
    """A signed note of the text, with a line of each signer."""
    lines = [signer.sign(text).removeprefix(f"{text}\n") for signer in signers]
    return f"{text}\n{''.join(lines)}"


def is_key_name(name: str) -> bool:
    """Whether C2SP allows the name for a key: printable, no space, no plus."""
    return bool(name) and name.isprintable() and " " not in name and "+" not in name


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the three lines of a checkpoint.

    Raises:
        IntegrityViolation: not exactly such three lines.
    """
    lines = text.split("\n")
    if len(lines) != 4 or lines[3]:  # noqa: PLR2004 — three lines, each ended by a newline
        raise IntegrityViolation("a checkpoint has three lines")
    try:
        root = decode_base64(lines[2])
    except ValueError as error:
        raise IntegrityViolation(f"a checkpoint's root can't be read: {error}") from error
    size = lines[1]
    digits = size.isascii() and size.isdigit() and len(size) <= _MAX_SIZE_DIGITS
    if not digits or str(int(size)) != size:
        raise IntegrityViolation("a checkpoint's size is a plain decimal number")
    if not lines[0] or len(root) != _ROOT_OCTETS:
        raise IntegrityViolation("a checkpoint has an origin and a root of 32 octets")
    return Checkpoint(lines[0], int(size), root)


def open_note(note: str, keys: Iterable[VerifierKey]) -> str:
    """The note's text, when one of the keys signed it; lines of unknown keys are passed over.

    Raises:
        IntegrityViolation: no line of a known key, a wrong signature by a known key, or no note.
    """
    text, signatures = split_note(note)
    known = {(key.name, key.key_id): key for key in keys}
    signed = False
    for line in signatures:
        key = known.get((line.name, line.key_id))
        if key is None:
            continue
        if not key.accepts(text.encode(), line.signature):
            raise IntegrityViolation(f"the signature of {line.name} does not match the note")
        signed = True
    if not signed:
        raise IntegrityViolation("no known key signed the note")
    return text


def open_note_by(note: str, keys: Sequence[VerifierKey]) -> str:
    """The note's text, when all these keys signed it, in this order, and nobody else.

    So no octet of the note can be changed, nor a line be added.

    Raises:
        IntegrityViolation: other lines, or one that does not match.
    """
    text, signatures = split_note(note)
    if [(line.name, line.key_id) for line in signatures] != [(k.name, k.key_id) for k in keys]:
        raise IntegrityViolation("the note is not signed by just the keys that were to sign it")
    if not keys or not all(
        key.accepts(text.encode(), line.signature)
        for key, line in zip(keys, signatures, strict=True)
    ):
        raise IntegrityViolation(f"a signature of {signatures[0].name} does not match the note")
    return text


class SignatureLine(NamedTuple):
    """One signature line of a note, not yet checked."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def text(self) -> str:
        """The line, its newline included."""
        return f"{_SIGNATURE_MARK}{self.name} {encode_base64(self.key_id + self.signature)}\n"


def split_note(note: str) -> tuple[str, tuple[SignatureLine, ...]]:
    """A signed note's text and its signature lines, nothing of them checked.

    Raises:
        IntegrityViolation: it is no signed note.
    """
    text, mark, lines = note.rpartition("\n\n")
    if not mark or not lines.endswith("\n"):
        raise IntegrityViolation("a signed note has a text, an empty line and signature lines")
    signatures = lines[:-1].split("\n")
    if len(signatures) > MAX_SIGNATURES:
        raise IntegrityViolation(f"a signed note has at most {MAX_SIGNATURES} signature lines")
    return text + "\n", tuple(parse_signature(line) for line in signatures)


def parse_signature(line: str) -> SignatureLine:
    """Read a signature line without its newline.

    Raises:
        IntegrityViolation: it is none.
    """
    if not line.startswith(_SIGNATURE_MARK):
        raise IntegrityViolation("a signature line begins with an em dash")
    name, space, encoded = line.removeprefix(_SIGNATURE_MARK).partition(" ")
    if not space or not is_key_name(name):
        raise IntegrityViolation("a signature line holds a name and a signature")
    try:
        octets = decode_base64(encoded)
    except ValueError as error:
        raise IntegrityViolation(f"a signature can't be read: {error}") from error
    if len(octets) <= _KEY_ID_OCTETS:
        raise IntegrityViolation("a signature is cut short")
    return SignatureLine(name, octets[:_KEY_ID_OCTETS], octets[_KEY_ID_OCTETS:])


def key_id_of(name: str, algorithm: int, public: bytes) -> bytes:
    """First four octets of SHA-256(name ‖ newline ‖ algorithm ‖ key)."""
    return sha256(name.encode() + b"\n" + bytes([algorithm]) + public).digest()[:_KEY_ID_OCTETS]


def parse_key(text: str, algorithm: int) -> tuple[str, bytes]:
    """Name and public key of a verifier key ``NAME+HEX8+BASE64`` of that algorithm.

    Raises:
        ValueError: it is none, of another algorithm, or its key id does not belong to it.
    """
    parts = text.split("+", _VERIFIER_KEY_PARTS - 1)
    if len(parts) != _VERIFIER_KEY_PARTS or not is_key_name(parts[0]):
        raise ValueError("a verifier key is written NAME+HEX8+BASE64")
    octets = decode_base64(parts[2])
    if len(octets) != 1 + _ROOT_OCTETS or octets[0] != algorithm:
        raise ValueError(f"{parts[0]}: a key of {_ALGORITHMS[algorithm]} is needed here")
    if key_id_of(parts[0], algorithm, octets[1:]).hex() != parts[1]:
        raise ValueError("the verifier key's id does not belong to it")
    return parts[0], octets[1:]


def encode_base64(octets: bytes) -> str:
    """The standard alphabet, padded."""
    return base64.b64encode(octets).decode("ascii")


def decode_base64(text: str) -> bytes:
    """The octets of base64 in its one canonical form.

    Raises:
        ValueError: it is not.
    """
    try:
        octets = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError("not base64") from error
    if encode_base64(octets) != text:
        raise ValueError("base64 in another than its canonical form")
    return octets
